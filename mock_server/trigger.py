"""`chargebee-mock trigger`: makes an event happen on a running server, through its API."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from mock_server.client import open_client
from mock_server.log import LINES, printable

if TYPE_CHECKING:
    import httpx2

Ask = Callable[..., dict[str, Any]]
"""`ask(method, path, **parameters)`: the answer's JSON, or a ClickException in one line."""


def _order_created(ask: Ask) -> dict[str, Any]:
    return ask("POST", "/orders", invoice_id=_first(ask, "invoice"))


def _order_updated(ask: Ask) -> dict[str, Any]:
    order = _order_created(ask)["order"]
    return ask("POST", f"/orders/{order['id']}", status="processing")


def _invoice_generated(ask: Ask) -> dict[str, Any]:
    customer = _first(ask, "customer")
    return ask("POST", "/invoices/charge", customer_id=customer, amount=1000, description="Test")


EVENTS: Final = {
    "order_created": _order_created,
    "order_updated": _order_updated,
    "invoice_generated": _invoice_generated,
}
"""How each type of event is brought about."""


@click.command(context_settings={"show_default": True})
@click.argument("event_type", type=click.Choice(list(EVENTS)))
@click.option("--url", default="http://127.0.0.1:8010", help="Where the server is.")
@click.option("--key", default="test_key", help="API key to call with.")
@click.option("--site", help="Site to call, where it is not the default one.")
def trigger(event_type: str, url: str, key: str, site: str | None) -> None:
    """Make an event of this type happen, and print what changed."""
    # Imported here, so that --help answers at once.
    import httpx2
    from pydantic_core import to_json

    headers = {"Host": f"{site}.localhost"} if site else {}
    try:
        client = open_client(f"{url}/api/v1", auth=(key, ""), headers=headers)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise click.ClickException(f"cannot call {url}: {error}") from None
    with client:

        def ask(method: str, path: str, **parameters: object) -> dict[str, Any]:
            return _answer(client, method, path, parameters)

        changed = EVENTS[event_type](ask)
    click.echo(printable(to_json(changed, indent=2).decode(), keep=LINES))


def _answer(
    client: httpx2.Client, method: str, path: str, parameters: dict[str, Any]
) -> dict[str, Any]:
    import httpx2

    reads = method == "GET"
    try:
        answer = client.request(
            method, path, params=parameters if reads else None, data=None if reads else parameters
        )
        body: dict[str, Any] = answer.json()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise click.ClickException(f"no answer from {client.base_url}: {error}") from None
    if answer.is_error:
        raise click.ClickException(printable(str(body.get("message", body))))
    return body


def _first(ask: Ask, kind: str) -> str:
    """The id of some resource of that kind."""
    found = ask("GET", f"/{kind}s", limit=1)["list"]
    if not found:
        raise click.ClickException(f"the site has no {kind}")
    id: str = found[0][kind]["id"]
    return id
