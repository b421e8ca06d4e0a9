"""`chargebee-mock tail`: the journal of a running server, a line a request, as it grows."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from mock_server.client import open_client
from mock_server.log import TIME_FORMAT, printable, request_line, status_colour
from mock_server.settings import ENVIRONMENT_PREFIX

if TYPE_CHECKING:  # at run time imported when it is needed, so that --help answers at once
    import httpx2

_LOOK_EVERY: Final = 0.3
"""Seconds between two looks at the journal."""
_LATE: Final = 1
"""Seconds by which a server process may be late with what it journals."""
_MOST: Final = 1000
"""Requests of a page."""
_SAID: Final = ("method", "path", "status", "duration_us", "remarks")

Request: TypeAlias = dict[str, Any]
"""A request as `/_mock/requests` shows it."""


@click.command(context_settings={"show_default": True})
@click.option(
    "--url",
    default="http://127.0.0.1:8010",
    envvar=f"{ENVIRONMENT_PREFIX}URL",
    show_envvar=True,
    help="Address of the server.",
)
@click.option(
    "--site",
    envvar=f"{ENVIRONMENT_PREFIX}SITE",
    show_envvar=True,
    help="Whose requests, * for all sites'; without it those of the site that the address names, "
    "or of demo-test.",
)
@click.option(
    "-n", "--lines", default=10, type=click.IntRange(0, _MOST), help="How many to begin with."
)
@click.option(
    "--follow/--no-follow", default=True, help="Go on until Ctrl-C, or end with the latest."
)
def tail(url: str, site: str | None, lines: int, follow: bool) -> None:
    """Print the requests that a running server answers, as it logs them."""
    import httpx2

    stopped = threading.Event()
    signal.signal(signal.SIGINT, lambda number, frame: stopped.set())
    try:
        with open_client(url, params={"site": site} if site else {}) as client:
            for request in _requests(client, lines, follow, stopped):
                click.secho(_line(request), fg=status_colour(request["status"]), color=_coloured())
    except httpx2.HTTPStatusError as error:
        raise click.ClickException(_refusal(error.response)) from None
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise click.ClickException(f"cannot read from {url}: {error}") from None


def _requests(
    client: httpx2.Client, lines: int, follow: bool, stopped: threading.Event
) -> Iterator[Request]:
    """The latest requests, the earliest of them first, and then each new one."""
    latest, _ = _page(client, {})
    yield from reversed(latest[:lines])
    since = latest[0]["created_at"] - _LATE if latest else 0
    seen = {request["id"] for request in latest}
    while follow and not stopped.wait(_LOOK_EVERY):
        found = _since(client, since)
        yield from (request for request in reversed(found) if request["id"] not in seen)
        seen = {request["id"] for request in found}
        since = found[0]["created_at"] - _LATE if found else since


def _since(client: httpx2.Client, since: int) -> list[Request]:
    """All requests from that second on, the latest first."""
    found, offset = _page(client, {"since": since})
    while offset is not None:
        more, offset = _page(client, {"since": since, "offset": offset})
        found += more
    return found


def _page(client: httpx2.Client, asked: dict[str, Any]) -> tuple[list[Request], str | None]:
    answer = client.get("/_mock/requests", params={"limit": _MOST, **asked})
    answer.raise_for_status()
    body = answer.json()
    return [item["request"] for item in body["list"]], body.get("next_offset")


def _line(request: Request) -> str:
    at = time.strftime(TIME_FORMAT, time.localtime(request["created_at"]))
    said = request_line(*(request[name] for name in _SAID))
    return f"{at} {said}"


def _coloured() -> bool | None:
    """None leaves it to click: coloured on a terminal."""
    return False if os.environ.get("NO_COLOR") else None


def _refusal(answer: httpx2.Response) -> str:
    """What the server says of a call that it does not take, or that it does not know it."""
    try:
        message = answer.json()["message"]
    except (ValueError, KeyError, TypeError):
        return f"{answer.url} answers {answer.status_code}; is this chargebee-mock?"
    return printable(str(message))
