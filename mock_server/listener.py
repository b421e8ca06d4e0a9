"""`chargebee-mock listen`: a receiver of webhooks in the terminal, to see one without any code."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import click

from mock_server.log import LINES, printable

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


@click.command(context_settings={"show_default": True})
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=8020, type=click.IntRange(0, 65_535), help="0 picks a free one.")
@click.option("--status", default=200, type=click.IntRange(200, 599), help="Answer with this.")
@click.option(
    "--delay", default=0.0, type=click.FloatRange(0), help="Seconds to wait before answering."
)
@click.option(
    "--public-url",
    default="",
    show_default="none",
    help="URL by which the server reaches it, if another; {port} stands for the port.",
)
@click.option("--brief", is_flag=True, help="One line a webhook, without its body.")
def listen(host: str, port: int, status: int, delay: float, public_url: str, brief: bool) -> None:
    """Print the webhooks that arrive, until Ctrl-C.

    Start the server with --webhook-url http://127.0.0.1:8020 and make an order. For a server on
    another machine, or in a container, listen with --host 0.0.0.0, and start it with the URL by
    which it reaches this one.
    """
    # Imported here, so that --help answers at once.
    import uvicorn

    from mock_server.server import Server
    from mock_server.sockets import listen_on, url_of

    async def receiver(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        await asyncio.sleep(delay)
        click.echo(_told(scope["method"], scope["path"], body, status, brief=brief))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    try:
        listeners = listen_on(host, port)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from None
    told = f"listening on {url_of(listeners)}"
    if public_url:
        reached = public_url.replace("{port}", str(listeners[0].getsockname()[1]))
        told += f"\nstart the server with --webhook-url {printable(reached)}"
    config = uvicorn.Config(receiver, lifespan="off", log_config=None, access_log=False)
    Server(config, lambda: click.echo(told)).run(sockets=listeners)


def _told(method: str, path: str, body: bytes, status: int, *, brief: bool) -> str:
    """A line about what came, and the body below it."""
    text = body.decode("utf-8", "replace")
    what = f"{method} {path}"
    try:
        event = json.loads(text)
        what = f"{event['event_type']} {event['id']}"
        text = json.dumps(event, indent=2, ensure_ascii=False)
    except (ValueError, TypeError, KeyError):
        pass  # no event of ours: shown as it came
    line = printable(f"{time.strftime('%H:%M:%S')} {what}, answered {status}")
    return line if brief or not text else f"{line}\n{printable(text, keep=LINES)}"
