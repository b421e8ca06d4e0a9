FROM python:3.11-slim

WORKDIR /usr/src/chargebee-mock
COPY requirements.txt ./
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement requirements.txt
COPY . ./
RUN pip install --no-cache-dir --no-deps .

# Any user of group 0 can write the folder and goes on with its files, as it hands its group on.
RUN install --directory --owner 10001 --group 0 --mode 2775 /data
USER 10001:0
WORKDIR /data
VOLUME /data

# Options are variables, which the health check reads as the server does.
ENV CHARGEBEE_MOCK_HOST=:: CHARGEBEE_MOCK_DATABASE=/data/chargebee.sqlite

EXPOSE 8010
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
    CMD ["chargebee-mock", "health"]
CMD ["chargebee-mock", "serve"]
