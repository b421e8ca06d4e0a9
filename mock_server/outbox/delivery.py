"""One call of a webhook endpoint: the event as JSON, sent as Chargebee sends it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mock_server.outbox.address import ForbiddenAddressError, resolve
from mock_server.store.rows import Row

if TYPE_CHECKING:  # imported with the first delivery: most servers never make one
    import httpx2

MAX_KEPT_ANSWER: Final = 4096
"""Bytes that are read and kept of the body of an endpoint's answer."""

_CONNECT_TIMEOUT: Final = 10.0
_HEADERS: Final = {"User-Agent": "ChargeBee", "Content-Type": "application/json;charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call; `failure` says why it did not succeed, None where it did."""

    failure: str | None
    answer: httpx2.Response | None = None
    body: bytes = b""
    """The start of the answer's body."""
    connected: bool = True
    """False where nothing was sent, as no connection came about."""
    unreached: bool = False
    """Nobody was there, or left before answering: the next call will likely fare the same."""


class WebhookClient:
    """Calls endpoints; `timeout` bounds each call, in seconds, from look-up to answer."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._client: httpx2.AsyncClient | None = None

    def request(self, endpoint: Row, body: bytes) -> httpx2.Request:
        """What the endpoint is sent."""
        import httpx2

        request = httpx2.Request("POST", endpoint["url"], headers=_HEADERS, content=body)
        if endpoint["basic_auth_username"] is not None:
            user, password = endpoint["basic_auth_username"], endpoint["basic_auth_password"] or ""
            next(httpx2.BasicAuth(user, password).auth_flow(request))
        return request

    async def send(self, request: httpx2.Request) -> Outcome:
        """Make the call; whatever the endpoint does is an outcome, never an exception."""
        import httpx2

        client = self._opened()  # takes long the first time, which is not the endpoint's fault
        try:
            async with asyncio.timeout(self._timeout):
                return await _send(client, request)
        except ForbiddenAddressError as error:
            return Outcome(str(error), connected=False)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            return Outcome(f"Cannot connect: {error}", connected=False, unreached=True)
        except (TimeoutError, httpx2.TimeoutException):
            return Outcome(f"No answer within {self._timeout:g} s")
        except OSError as error:
            return Outcome(f"No such host: {error}", connected=False, unreached=True)
        except (httpx2.TransportError, httpx2.StreamError) as error:
            return Outcome(f"The connection was cut: {error}", unreached=True)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _opened(self) -> httpx2.AsyncClient:
        import httpx2

        if self._client is None:
            self._client = httpx2.AsyncClient(
                timeout=httpx2.Timeout(self._timeout, connect=min(_CONNECT_TIMEOUT, self._timeout)),
                # A kept connection that the endpoint just closed would look like a cut one.
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
                trust_env=False,  # a proxy would look the host up by itself
            )
        return self._client


async def _send(client: httpx2.AsyncClient, request: httpx2.Request) -> Outcome:
    answer = await _connect(client, request)
    try:
        body = await _start(answer)
    finally:
        await answer.aclose()
    return Outcome(_refusal(answer.status_code), answer, body)


def _refusal(status: int) -> str | None:
    """What Chargebee makes of an answer with that status; None where it is a success."""
    if 200 <= status < 300:
        return None
    if status >= 500:
        meaning = "Your server has returned internal server error code"
        advice = "Please check the server logs"
    elif status >= 400:
        meaning = "Your server has refused the request"
        advice = "Please check the webhook URL and its credentials"
    else:
        meaning = "Your server has not taken the webhook, and redirects are not followed"
        advice = "Please check the webhook URL"
    return f"Received error code {status} from server. {meaning}. {advice}"


async def _connect(client: httpx2.AsyncClient, request: httpx2.Request) -> httpx2.Response:
    """The answer of the first of the host's addresses that takes the connection."""
    import httpx2

    host, port = request.url.host, request.url.port
    addresses = await resolve(host, port or (443 if request.url.scheme == "https" else 80))
    for number, address in enumerate(addresses, start=1):
        pinned = httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            content=request.content,
            extensions={"sni_hostname": host},
        )
        try:
            return await client.send(pinned, stream=True)
        except httpx2.ConnectError:
            if number == len(addresses):
                raise
    raise OSError(f"{host} has no address")


async def _start(answer: httpx2.Response) -> bytes:
    """The first bytes of the body; a long rest is not waited for."""
    body = b""
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) >= MAX_KEPT_ANSWER:
            break
    return body[:MAX_KEPT_ANSWER]
