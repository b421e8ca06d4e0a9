"""One site of a running server, as a test holds it: typed handles over the API and /_mock."""

from __future__ import annotations

import uuid
from typing import Generic, Self
from urllib.parse import urlsplit

from pytest_chargebee_mock.handles.calls import (
    Awaited,
    Blocking,
    Handle,
    Json,
    Mode,
    Place,
    Request,
    Steps,
    ask,
    method,
)
from pytest_chargebee_mock.handles.clock import SiteClock
from pytest_chargebee_mock.handles.faults import Faults
from pytest_chargebee_mock.handles.journal import Requests
from pytest_chargebee_mock.handles.orders import Orders
from pytest_chargebee_mock.handles.records import Emails, Events
from pytest_chargebee_mock.handles.webhooks import Webhooks


class Snapshot(Handle[Mode]):
    """What the site held at a moment; `restore` brings it back, as often as wanted."""

    def __init__(self, calls: Mode, name: str) -> None:
        super().__init__(calls)
        self.name = name

    @method
    def restore(self) -> Steps[None]:
        yield self._mock("POST", f"/snapshots/{self.name}/restore")


class _Site(Handle[Mode], Generic[Mode]):
    """A site: where it is, the key that opens it, and handles on what it holds."""

    def __init__(self, calls: Mode, url: str, name: str, api_key: str, ca_file: str | None) -> None:
        super().__init__(calls)
        self.url = url
        self.name = name
        self.api_key = api_key
        """It opens this site alone, at whatever host the server is called."""
        self.ca_file = ca_file
        """The certificates that are trusted with https; None for SSL_CERT_FILE or the machine's."""
        self.base_url = f"{url}/api/v1"
        self.orders = Orders(calls)
        self.events = Events(calls)
        self.webhooks = Webhooks(calls)
        self.emails = Emails(calls)
        self.requests = Requests(calls)
        self.clock = SiteClock(calls)
        self.faults = Faults(calls)

    @property
    def sdk_address(self) -> tuple[str, str]:
        """Site and domain that make Chargebee's Python SDKs call this server (docs/sdks.md)."""
        site, _, domain = urlsplit(self.url).netloc.rpartition(".")
        return site, domain

    @method
    def snapshot(self, name: str | None = None) -> Steps[Snapshot[Mode]]:
        """Keep all that the site holds now."""
        taken = Snapshot(self._calls, name or uuid.uuid4().hex)
        yield self._mock("POST", f"/snapshots/{taken.name}")
        return taken

    @method
    def reset(self) -> Steps[None]:
        """Back to what the site was made with."""
        yield self._mock("POST", "/reset")

    @method
    def seed(self, fixture: Json) -> Steps[None]:
        """Load a fixture into the site; what has an id that it names is replaced."""
        yield self._mock("POST", "/seed", fixture)

    @method
    def export(self) -> Steps[Json]:
        """All that the site holds, as a fixture."""
        return (yield self._mock("GET", "/export"))

    @method
    def delete(self) -> Steps[None]:
        """Remove the site from the server."""
        yield self._mock("DELETE", f"/sites/{self.name}")


class Site(_Site[Blocking]):
    """A site whose methods return when they are done. With `with`, it is deleted at the end."""

    def __init__(self, url: str, name: str, api_key: str, ca_file: str | None = None) -> None:
        calls = Blocking(Place(url, name, api_key, ca_file))
        super().__init__(calls, url, name, api_key, ca_file)

    def close(self) -> None:
        """Close the connection; the site stays."""
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self.delete()
        finally:
            self.close()


class AsyncSite(_Site[Awaited]):
    """The same, its methods awaited: the test's own loop goes on meanwhile, and may be called back.

    With `async with`, the site is deleted at the end.
    """

    def __init__(self, url: str, name: str, api_key: str, ca_file: str | None = None) -> None:
        calls = Awaited(Place(url, name, api_key, ca_file))
        super().__init__(calls, url, name, api_key, ca_file)

    @classmethod
    def of(cls, site: Site) -> Self:
        """The same site as that of other handles."""
        return cls(site.url, site.name, site.api_key, site.ca_file)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.delete()


def create_site(
    url: str,
    name: str | None = None,
    seed: Json | None = None,
    ca_file: str | None = None,
) -> Site:
    """A fresh site on the server of that URL, with the server's seed unless it has its own."""
    asked = {"name": name, "seed": seed}
    sent = {key: value for key, value in asked.items() if value is not None}
    made = ask(Place(url, ca_file=ca_file), Request("POST", "/_mock/sites", json=sent))["site"]
    return Site(url, made["name"], made["api_key"], ca_file)
