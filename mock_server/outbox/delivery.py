"""One call of a webhook endpoint: the event as JSON, sent as Chargebee sends it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mock_server.outbox.address import ForbiddenAddressError, is_forbidden
from mock_server.outbox.resolver import Resolver
from mock_server.outbox.trust import Trust
from mock_server.store.rows import Row
from mock_server.wire.auth import is_test_site

if TYPE_CHECKING:  # imported with the first delivery: most servers never make one
    import httpx2

MAX_KEPT_ANSWER: Final = 4096
"""Bytes that are read and kept of the body of an endpoint's answer."""

_HEADERS: Final = {"User-Agent": "ChargeBee", "Content-Type": "application/json;charset=utf-8"}
_READ_ON_TEST_SITES: Final = 10.0
_READ_ON_LIVE_SITES: Final = 20.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that a call may take: to connect, to wait for the next piece of an answer, in all.

    Without `read` it is Chargebee's, which is shorter on test sites.
    """

    connect: float = 20.0
    read: float | None = None
    total: float = 60.0

    def read_on(self, site: str) -> float:
        if self.read is not None:
            return self.read
        return _READ_ON_TEST_SITES if is_test_site(site) else _READ_ON_LIVE_SITES


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
    """Calls endpoints, within these times and with trust in these certificates."""

    def __init__(self, timeouts: Timeouts, trust: Trust) -> None:
        self._timeouts = timeouts
        self._trust = trust
        self._resolver = Resolver()
        self._clients: dict[str, httpx2.AsyncClient] = {}

    def request(self, endpoint: Row, body: bytes) -> httpx2.Request:
        """What the endpoint is sent."""
        import httpx2

        request = httpx2.Request("POST", endpoint["url"], headers=_HEADERS, content=body)
        if endpoint["basic_auth_username"] is not None:
            user, password = endpoint["basic_auth_username"], endpoint["basic_auth_password"] or ""
            next(httpx2.BasicAuth(user, password).auth_flow(request))
        return request

    async def send(self, site: str, request: httpx2.Request) -> Outcome:
        """Make the call for that site; whatever the endpoint does is an outcome, no exception."""
        import httpx2

        limits = self._timeouts
        read = limits.read_on(site)
        try:
            client = self._opened(request.url.scheme)  # takes long the first time: not his fault
        except (OSError, ValueError) as error:
            return Outcome(f"Cannot load the trusted certificates: {error}", connected=False)
        try:
            async with asyncio.timeout(limits.total):
                addresses = await self._resolve(request.url.host)
                return await _send(client, request, addresses, read)
        except ForbiddenAddressError as error:
            return Outcome(str(error), connected=False)
        except _UnknownHostError as error:
            return Outcome(f"No such host: {error}", connected=False, unreached=True)
        except httpx2.ConnectTimeout:
            reason = f"Cannot connect within {limits.connect:g} s"
            return Outcome(reason, connected=False, unreached=True)
        except httpx2.ConnectError as error:
            return Outcome(f"Cannot connect: {error}", connected=False, unreached=True)
        except httpx2.TimeoutException:
            return Outcome(f"No answer within {read:g} s")
        except TimeoutError:
            return Outcome(f"No complete answer within {limits.total:g} s")
        except (httpx2.TransportError, httpx2.StreamError, OSError) as error:
            return Outcome(f"The connection was cut: {error}", unreached=True)

    async def close(self) -> None:
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def _resolve(self, host: str) -> list[str]:
        """The host's addresses, each of them allowed.

        The call must go to one of these: a name that is looked up twice may change in between.
        """
        try:
            addresses = await self._resolver.resolve(host, self._timeouts.connect)
        except OSError as error:
            raise _UnknownHostError(str(error)) from None
        for address in addresses:
            if is_forbidden(address):
                raise ForbiddenAddressError(f"nothing is sent to {host}: {address} is off limits")
        return addresses

    def _opened(self, scheme: str) -> httpx2.AsyncClient:
        """A client for http or for https: only the latter needs certificates, which take long."""
        import httpx2

        if scheme not in self._clients:
            self._clients[scheme] = httpx2.AsyncClient(
                timeout=httpx2.Timeout(self._timeouts.total, connect=self._timeouts.connect),
                # A kept connection that the endpoint just closed would look like a cut one.
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
                verify=self._trust.context() if scheme == "https" else False,
                trust_env=False,  # a proxy would look the host up by itself
            )
        return self._clients[scheme]


class _UnknownHostError(Exception):
    """A host has no address, as far as could be found out in time."""


async def _send(
    client: httpx2.AsyncClient, request: httpx2.Request, addresses: list[str], read: float
) -> Outcome:
    answer = await _connect(client, request, addresses, read)
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


async def _connect(
    client: httpx2.AsyncClient, request: httpx2.Request, addresses: list[str], read: float
) -> httpx2.Response:
    """The answer of the first of these addresses that takes the connection."""
    import httpx2

    limits = client.timeout.as_dict() | {"read": read}

    async def called(address: str) -> httpx2.Response:
        pinned = httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            content=request.content,
            extensions={"sni_hostname": request.url.host, "timeout": limits},
        )
        return await client.send(pinned, stream=True)

    *others, last = addresses
    for address in others:
        with suppress(httpx2.ConnectError, httpx2.ConnectTimeout):
            return await called(address)
    return await called(last)


async def _start(answer: httpx2.Response) -> bytes:
    """The first bytes of the body; a long rest is not waited for."""
    body = b""
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) >= MAX_KEPT_ANSWER:
            break
    return body[:MAX_KEPT_ANSWER]
