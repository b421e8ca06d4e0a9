"""The command line: `chargebee-mock serve`, and the commands that speak to a running server."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import click

from mock_server import __version__
from mock_server.commands import COMMANDS
from mock_server.listener import listen
from mock_server.settings import ENVIRONMENT_PREFIX, Settings
from mock_server.tail import tail
from mock_server.trigger import trigger


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="chargebee-mock")
def main() -> None:
    """A local Chargebee: API v1 on your own machine, for tests and front-end work."""


for _command in (listen, tail, trigger, *COMMANDS):
    main.add_command(_command)


def _knobs(command: Callable[..., None]) -> Callable[..., None]:
    """An option for each knob of the settings; if not given, its environment variable counts."""
    for knob in reversed(fields(Settings)):
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
    from mock_server.resources.seed import SeedError
    from mock_server.store.database import DatabaseError

    try:
        settings = Settings(**given)
        log.configure(settings.log_level)
        server.run(settings)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(
                f"{settings.host}:{settings.port} is in use; name another --port, or 0 for any"
            ) from None
        raise click.ClickException(f"cannot serve: {error}") from None
    except (DatabaseError, SeedError, ValueError) as error:
        raise click.ClickException(log.printable(str(error))) from None
