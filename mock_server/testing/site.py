"""One site of a running server, as a test holds it: typed handles over the API and /_mock."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Final, Self, TypeAlias
from urllib.parse import quote

import httpx2

from mock_server.log import printable

Json: TypeAlias = dict[str, Any]

_TIMEOUT: Final = 120.0
"""Seconds; moving a clock waits for the deliveries that fall due."""


class CallError(AssertionError):
    """A call of a handle was refused: `status`, and the answer's JSON as `body`."""

    def __init__(self, method: str, path: str, status: int, body: Any) -> None:
        said = body.get("message", body.get("detail", body)) if isinstance(body, dict) else body
        super().__init__(printable(f"{method} {path} was answered {status}: {said}"))
        self.status = status
        self.body = body


class VerificationError(AssertionError):
    """What must have been called was not; the message says what was near."""


class _Calls:
    """Calls of the server about one site."""

    def __init__(self, url: str, api_key: str, site: str) -> None:
        self._api = _client(url, base_url=f"{url}/api/v1", auth=(api_key, ""))
        self._mock = _client(url, base_url=f"{url}/_mock", params={"site": site})

    def api(self, method: str, path: str, parameters: Json, headers: dict[str, str]) -> Json:
        sent = _form(parameters)
        query, body = (sent, None) if method == "GET" else (None, sent)
        return _read(self._api.request(method, path, params=query, data=body, headers=headers))

    def mock(self, method: str, path: str, body: Json | None = None, **query: Any) -> Json:
        wanted = {name: value for name, value in query.items() if value is not None}
        return _read(self._mock.request(method, path, json=body, params=wanted))

    def listed(self, kind: str, path: str, filters: Json) -> list[Json]:
        """Every item of a list under /_mock, the latest first, whatever the number of pages."""
        found: list[Json] = []
        offset: str | None = None
        while True:
            page = self.mock("GET", path, **{"limit": 1000, **filters, "offset": offset})
            found += [item[kind] for item in page["list"]]
            offset = page.get("next_offset")
            if offset is None:
                return found

    def close(self) -> None:
        self._api.close()
        self._mock.close()


class Orders:
    """The site's orders, through Chargebee's API."""

    def __init__(self, calls: _Calls) -> None:
        self._calls = calls

    def create(self, *, headers: dict[str, str] | None = None, **parameters: Any) -> Json:
        """A new order; for `__demo_inv__1` unless `invoice_id` says otherwise."""
        given = {"invoice_id": "__demo_inv__1", **parameters}
        return self._order("POST", "/orders", given, headers)

    def retrieve(self, id: str) -> Json:
        return self._order("GET", f"/orders/{quote(id, safe='')}", {}, None)

    def update(self, id: str, *, headers: dict[str, str] | None = None, **parameters: Any) -> Json:
        return self._order("POST", f"/orders/{quote(id, safe='')}", parameters, headers)

    def list(self) -> list[Json]:
        """Every order, the latest first."""
        found: list[Json] = []
        asked: Json = {"limit": 100}
        while True:
            page = self._calls.api("GET", "/orders", asked, {})
            found += [item["order"] for item in page["list"]]
            if "next_offset" not in page:
                return found
            asked["offset"] = page["next_offset"]

    def _order(
        self, method: str, path: str, parameters: Json, headers: dict[str, str] | None
    ) -> Json:
        order: Json = self._calls.api(method, path, parameters, headers or {})["order"]
        return order


class Records:
    """A list of records under /_mock, the latest first; filters are those of the call."""

    def __init__(self, calls: _Calls, kind: str) -> None:
        self._calls = calls
        self._kind = kind

    def list(self, **filters: Any) -> list[Json]:
        return self._calls.listed(self._kind, f"/{self._kind}s", filters)


class Webhooks(Records):
    """The site's webhooks, and where they go."""

    def __init__(self, calls: _Calls) -> None:
        super().__init__(calls, "webhook")

    def retrieve(self, id: str) -> Json:
        """One with every attempt to deliver it."""
        return _only(self._calls.mock("GET", f"/webhooks/{id}"))

    def resend(self, id: str) -> Json:
        """Deliver again; returns when that has been tried."""
        return _only(self._calls.mock("POST", f"/webhooks/{id}/resend"))

    def retry_now(self) -> Json:
        """Try again what waits for its retry; returns when that has been done."""
        return self._calls.mock("POST", "/webhooks/retry-now")

    def deliver_to(self, url: str, **attributes: Any) -> Json:
        """A new endpoint; `attributes` are those of a webhook endpoint."""
        return _only(
            self._calls.mock(
                "POST", "/webhook_endpoints", {"name": "test", "url": url} | attributes
            )
        )


class Requests(Records):
    """The journal of the site: what was called, and what was answered."""

    def __init__(self, calls: _Calls) -> None:
        super().__init__(calls, "request")

    def verify(self, **statement: Any) -> list[str]:
        """The ids of the requests that fit; VerificationError where it was not so.

        `statement` is that of `POST /_mock/requests/verify`: `operation`, `params`, `count`, …
        """
        try:
            verified = self._calls.mock("POST", "/requests/verify", statement)
        except CallError as error:
            if error.status != 409:
                raise
            raise VerificationError(_missed(error.body)) from None
        matched: list[str] = verified["matched"]
        return matched

    def told(self) -> str:
        """The journal as text, the earliest first: what a failed test shows."""
        return "\n".join(_line(request) for request in reversed(self.list()))


class SiteClock:
    """The site's time."""

    def __init__(self, calls: _Calls) -> None:
        self._calls = calls

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        now: float = self._calls.mock("GET", "/clock")["now"]
        return now

    def freeze(self, at: float | datetime | None = None) -> Json:
        """Stop it, now or at another time."""
        return self._move("freeze", {} if at is None else {"at": _moment(at)})

    def set(self, now: float | datetime) -> Json:
        return self._move("set", {"now": _moment(now)})

    def advance(self, **parts: float) -> Json:
        """Let `days`, `hours`, `minutes` and `seconds` pass, with the deliveries in between."""
        return self._move("advance", dict(parts))

    def run(self) -> Json:
        """Let it go on from where it stands."""
        return self._move("run", {})

    def reset(self) -> Json:
        """Back to the machine's time."""
        return self._move("reset", {})

    def _move(self, verb: str, asked: Json) -> Json:
        return self._calls.mock("POST", f"/clock/{verb}", asked)


class Faults:
    """Rules by which the site's API fails."""

    def __init__(self, calls: _Calls) -> None:
        self._calls = calls

    def add(self, **rule: Any) -> Json:
        """A new rule; its attributes are those of `POST /_mock/faults`."""
        return _only(self._calls.mock("POST", "/faults", rule))

    def list(self) -> list[Json]:
        return [_only(item) for item in self._calls.mock("GET", "/faults")["list"]]

    def clear(self) -> None:
        """Remove all rules."""
        self._calls.mock("DELETE", "/faults")


class Snapshot:
    """What the site held at a moment; `restore` brings it back, as often as wanted."""

    def __init__(self, calls: _Calls, name: str) -> None:
        self._calls = calls
        self.name = name

    def restore(self) -> None:
        self._calls.mock("POST", f"/snapshots/{self.name}/restore")


class Site:
    """A site: where it is, the key that opens it, and handles on what it holds."""

    def __init__(self, url: str, name: str, api_key: str) -> None:
        self._calls = _Calls(url, api_key, name)
        self.url = url
        self.name = name
        self.api_key = api_key
        """It opens this site alone, at whatever host the server is called."""
        self.base_url = f"{url}/api/v1"
        self.orders = Orders(self._calls)
        self.events = Records(self._calls, "event")
        self.webhooks = Webhooks(self._calls)
        self.emails = Records(self._calls, "email")
        self.requests = Requests(self._calls)
        self.clock = SiteClock(self._calls)
        self.faults = Faults(self._calls)

    @property
    def sdk_address(self) -> tuple[str, str]:
        """Site and domain that make Chargebee's Python SDKs call this server (docs/sdks.md)."""
        host = httpx2.URL(self.url).netloc.decode()
        site, _, domain = host.rpartition(".")
        return site, domain

    def snapshot(self, name: str | None = None) -> Snapshot:
        """Keep all that the site holds now."""
        taken = Snapshot(self._calls, name or uuid.uuid4().hex)
        self._calls.mock("POST", f"/snapshots/{taken.name}")
        return taken

    def reset(self) -> None:
        """Back to what the site was made with."""
        self._calls.mock("POST", "/reset")

    def seed(self, fixture: Json) -> None:
        """Load a fixture into the site; what has an id that it names is replaced."""
        self._calls.mock("POST", "/seed", fixture)

    def export(self) -> Json:
        """All that the site holds, as a fixture."""
        return self._calls.mock("GET", "/export")

    def delete(self) -> None:
        """Remove the site from the server."""
        self._calls.mock("DELETE", f"/sites/{self.name}")
        self.close()

    def close(self) -> None:
        """Close the connections; the site stays."""
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.delete()


def create_site(url: str, name: str | None = None, seed: Json | None = None) -> Site:
    """A fresh site on the server of that URL, with the server's seed unless it has its own."""
    asked: Json = {} if name is None else {"name": name}
    if seed is not None:
        asked["seed"] = seed
    with _client(url) as client:
        made = _read(client.post(f"{url}/_mock/sites", json=asked))["site"]
    return Site(url, made["name"], made["api_key"])


def _client(url: str, **options: Any) -> httpx2.Client:
    """A client of the server of that URL; certificates, slow to load, only where there are any."""
    verify = url.startswith("https:")
    return httpx2.Client(timeout=_TIMEOUT, trust_env=False, verify=verify, **options)


def _read(answer: httpx2.Response) -> Json:
    _read_status(answer)
    body: Json = answer.json()
    return body


def _read_status(answer: httpx2.Response) -> None:
    if not answer.is_success:
        try:
            body = answer.json()
        except ValueError:
            body = answer.text
        raise CallError(answer.request.method, answer.request.url.path, answer.status_code, body)


def _form(parameters: Json) -> dict[str, str]:
    """Parameters as Chargebee's form has them: `{"a": {"b": 1}}` is `a[b]=1`."""
    sent: dict[str, str] = {}
    for name, value in parameters.items():
        if isinstance(value, dict):
            sent |= {f"{name}[{key}]": str(inner) for key, inner in value.items()}
        else:
            sent[name] = str(value)
    return sent


def _only(wrapped: Json) -> Json:
    """What the one wrapper of an answer holds: `{"webhook": {…}}`."""
    (inner,) = wrapped.values()
    unwrapped: Json = inner
    return unwrapped


def _moment(given: float | datetime) -> float | str:
    return given.isoformat() if isinstance(given, datetime) else given


def _missed(body: Json) -> str:
    lines = [body["message"]]
    for miss in body.get("nearest", []):
        lines.append(f"  near: {miss['method']} {miss['path']} {miss['status']}")
        lines += [f"    {difference}" for difference in miss["differences"]]
    return "\n".join(map(printable, lines))


def _line(request: Json) -> str:
    query = f"?{request['query']}" if request["query"] else ""
    line = f"{request['method']} {request['path']}{query} {request['body']}".rstrip()
    lines = [line, f"{request['status']} {request['answer']}", *request["remarks"]]
    return "\n    ".join(map(printable, lines))
