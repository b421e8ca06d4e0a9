FROM python:3.11-slim

WORKDIR /usr/src/chargebee-mock
COPY requirements.txt ./
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement requirements.txt
COPY . ./
RUN pip install --no-cache-dir --no-deps .

RUN useradd --system --user-group --no-create-home mock \
    && install --directory --owner mock --group mock /data
USER mock
WORKDIR /data
VOLUME /data

EXPOSE 8010
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8010/_mock/health', timeout=2)"]
CMD ["chargebee-mock", "serve", "--host", "0.0.0.0", "--database", "/data/chargebee.sqlite"]
