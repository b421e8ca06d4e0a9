"""What the fixtures are made of: the session's server, and a receiver that it reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pytest_chargebee_mock.handles.calls import Place, Request, ask
from pytest_chargebee_mock.handles.site import Site, create_site
from pytest_chargebee_mock.processes import SharedServer
from pytest_chargebee_mock.receiver import WebhookReceiver, address_towards, url_at
from pytest_chargebee_mock.server import MockServer

_EVERY_ADDRESS: Final = ("0.0.0.0", "::")  # noqa: S104


@dataclass(frozen=True)
class SessionServer:
    """Where the session's server is; `ca_file` is its certificate, if it has one of its own."""

    url: str
    ca_file: str | None
    why_gone: Callable[[], str]
    """The last that is known of a server that answers no more, in one line."""

    def site(self, name: str | None = None, seed: dict[str, Any] | None = None) -> Site:
        """A fresh site, with a seed of its own in place of the server's if one is given."""
        return create_site(self.url, name, seed, self.ca_file)


@contextmanager
def session_server(
    url: str | None, folder: str | None, options: list[str]
) -> Iterator[SessionServer]:
    """The server at `url`, else the one that processes share in `folder`, else one of our own.

    RuntimeError where it does not start, NoAnswerError or CallError where there is none.
    """
    with ExitStack() as stack:
        if url:
            server = SessionServer(url.rstrip("/"), None, lambda: "this run did not start it")
        elif folder and Path(folder).is_dir():  # not where the process is on another machine
            shared = SharedServer(folder, options)
            server = SessionServer(shared.url, shared.ca_file, shared.why_gone)
        else:
            own = stack.enter_context(MockServer(*options))
            server = SessionServer(own.url, own.ca_file, own.why_gone)
        # That it answers; and the HTTP client imports the rest of itself with its first call.
        ask(Place(server.url, ca_file=server.ca_file), Request("GET", "/_mock/health"))
        yield server


def receiver_for(
    server_url: str, host: str | None, port: int, public_url: str | None
) -> WebhookReceiver:
    """A receiver that the server of that URL reaches, as far as routes tell.

    It listens on `host`, else on the address of this machine that leads to the server.
    """
    own = address_towards(server_url)
    if public_url is None and host in _EVERY_ADDRESS:
        public_url = url_at(own)
    return WebhookReceiver(host or own, port, public_url=public_url)
