"""The command line: `chargebee-mock serve`, and the commands that speak to a running server."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

import click

from mock_server import __version__
from mock_server.commands import COMMANDS
from mock_server.listener import listen
from mock_server.settings import ENVIRONMENT_PREFIX, Settings
from mock_server.tail import tail
from mock_server.trigger import trigger

_HEALTHY_WITHIN = 2.0
"""Seconds that a server may take to say that it is well."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="chargebee-mock")
def main() -> None:
    """A local Chargebee: API v1 on your own machine, for tests and front-end work."""


for _command in (listen, tail, trigger, *COMMANDS):
    main.add_command(_command)


def _knobs(command: Callable[..., None], names: Sequence[str] = ()) -> Callable[..., None]:
    """An option for each knob of the settings, or for those of these names.

    If it is not given, its environment variable counts.
    """
    for knob in reversed(fields(Settings)):
        if names and knob.name not in names:
            continue
        several = isinstance(knob.default, tuple)
        command = click.option(
            f"--{knob.name.replace('_', '-')}",
            type=str if several else type(knob.default),
            is_flag=isinstance(knob.default, bool),
            multiple=several,
            default=knob.default,
            help=knob.metadata["help"],
            envvar=ENVIRONMENT_PREFIX + knob.name.upper(),
            show_envvar=True,
            show_default=knob.metadata["shown"] or True,
        )(command)
    return command


@main.command()
@_knobs
def serve(**given: Any) -> None:
    """Answer as Chargebee does, until Ctrl-C.

    Any API key that starts with test_ opens a test site (demo-test unless the host names
    another), any that starts with live_ a live one. The seed has the invoices __demo_inv__1 to
    __demo_inv__5 to make orders for:

    \b
      curl -u test_key: -d invoice_id=__demo_inv__1 http://127.0.0.1:8010/api/v1/orders

    Every option has an environment variable, too; an option that is given wins.
    """
    # Imported here, so that --help and --version answer at once.
    from mock_server import log, server

    try:
        settings = Settings(**given)
        log.configure(settings.log_level)
        server.run(settings)
    except server.REFUSALS as error:
        raise click.ClickException(log.printable(_reason(error, **given))) from None


def _reason(error: Exception, *, host: str, port: int, **_: object) -> str:
    """Why the server does not start."""
    if not isinstance(error, OSError) or error.errno is None:
        return str(error)
    if error.errno == errno.EADDRINUSE:
        return f"{host}:{port} is in use; name another --port, or 0 for any"
    return f"cannot serve: {error}"


@main.command()
@partial(_knobs, names=("host", "port", "tls", "database"))
def health(**given: Any) -> None:
    """Ask the server that runs with these options on this machine whether it is well.

    Exit code 0 says yes. With the same environment variables as the server it needs no options,
    so it is the health check of a container.
    """
    from mock_server.client import check_health
    from mock_server.log import printable
    from mock_server.sockets import url_at

    try:
        settings = Settings(**given)
        url = url_at(settings.host, settings.port, "https" if settings.tls else "http")
        authority = settings.tls_folder / "ca.pem" if settings.tls else None
        check_health(url, authority, within=_HEALTHY_WITHIN)
    except (OSError, ValueError) as error:
        raise click.ClickException(printable(str(error))) from None
    click.echo(f"{url} is well")
