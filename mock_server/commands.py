"""Commands that speak to a running server: seed, export, reset, snapshot, backup."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import click

from mock_server.client import open_client
from mock_server.log import printable
from mock_server.settings import ENVIRONMENT_PREFIX

if TYPE_CHECKING:  # imported with the first call, so that --help answers at once
    import httpx2

_TIMEOUT: Final = 60.0


_url: Final = click.option(
    "--url",
    default="http://127.0.0.1:8010",
    show_default=True,
    envvar=f"{ENVIRONMENT_PREFIX}URL",
    help="Address of the running server.",
)
_force: Final = click.option("--force", is_flag=True, help="Replace FILE if it is there.")
_new_file: Final = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


def _at(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which server's and which site's."""
    site = click.option("--site", help="The site; else the one that the URL's host names.")
    return _url(site(command))


@click.command()
@click.argument("file", type=click.File("rb"))
@_at
def seed(file: Any, url: str, site: str | None) -> None:
    """Load FILE, a fixture, into a site: all of it or nothing. - reads YAML from stdin.

    What has the same id is replaced, the rest stays.
    """
    kind = "json" if file.name.endswith(".json") else "yaml"
    headers = {"Content-Type": f"application/{kind}"}
    answer = _ask(url, site, "POST", "seed", content=file.read(), headers=headers)
    if answer.status_code == 413:
        reason = "is too long; take the site along with snapshot export and import"
        raise click.ClickException(f"{file.name} {reason}")
    if answer.status_code == 400:
        reason = _message(answer)
        comma = "," if reason.startswith("line ") else ":"
        raise click.ClickException(f"{file.name}{comma} {reason}")
    body = _sound(answer).json()
    for path in body.get("ignored", []):
        click.echo(printable(f"not kept: {path}"), err=True)
    loaded = body["loaded"]
    counts = [f"{count} {kind.replace('_', ' ')}" for kind, count in loaded.items()]
    click.echo(f"loaded {', '.join(counts) or 'nothing'}")


@click.command()
@click.option("--passwords", is_flag=True, help="With the passwords of webhook endpoints.")
@click.option("--format", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True)
@_at
def export(url: str, site: str | None, format: str, passwords: bool) -> None:
    """Print what a site holds, as a fixture that `seed` and `serve --seed` read."""
    wanted = {"format": format, "passwords": str(passwords).lower()}
    text = _sound(_ask(url, site, "GET", "export", params=wanted)).text
    click.echo(text, nl=not text.endswith("\n"))


@click.command()
@_at
def reset(url: str, site: str | None) -> None:
    """Give a site back what it was made with; --site '*' does so with every site."""
    answer = _sound(_ask(url, site, "POST", "reset")).json()
    for made in answer.get("list", [answer]):
        click.echo(f"reset {made['site']['name']}")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def snapshot() -> None:
    """Keep what a site holds under a name, and bring it back."""


def _check_name(context: click.Context, parameter: click.Parameter, name: str) -> str:
    if "/" in name:  # it would be another path
        raise click.ClickException(f"{name} is no name for a snapshot")
    return name


_named: Final = click.argument("name", callback=_check_name)


@snapshot.command()
@_named
@_at
def save(name: str, url: str, site: str | None) -> None:
    """Keep what the site holds as NAME, in the place of an earlier one."""
    _sound(_ask(url, site, "POST", f"snapshots/{_escaped(name)}"))
    click.echo(f"saved {name}")


@snapshot.command()
@_named
@_at
def restore(name: str, url: str, site: str | None) -> None:
    """Bring the site back to NAME."""
    _sound(_ask(url, site, "POST", f"snapshots/{_escaped(name)}/restore"))
    click.echo(f"restored {name}")


@snapshot.command()
@_named
@_at
def delete(name: str, url: str, site: str | None) -> None:
    """Remove the snapshot NAME."""
    _sound(_ask(url, site, "DELETE", f"snapshots/{_escaped(name)}"))
    click.echo(f"deleted {name}")


@snapshot.command(name="list")
@_at
def list_snapshots(url: str, site: str | None) -> None:
    """Print the site's snapshots and when they were taken, in that order."""
    for item in _sound(_ask(url, site, "GET", "snapshots")).json()["list"]:
        taken = item["snapshot"]
        moment = datetime.fromtimestamp(taken["created_at"], UTC)
        click.echo(f"{moment:%Y-%m-%d %H:%M:%S}Z  {taken['name']}")


@snapshot.command(name="export")
@_named
@_new_file
@_force
@_at
def export_snapshot(name: str, file: Path, force: bool, url: str, site: str | None) -> None:
    """Write the snapshot NAME into FILE, which `snapshot import` loads into any site.

    Keys and passwords are in it.
    """
    with _writing(file, force) as target:
        _download(url, site, f"snapshots/{_escaped(name)}/file", target)
    click.echo(f"exported {name} to {file}")


@snapshot.command(name="import")
@click.argument("file", type=click.File("rb"))
@click.argument("name", required=False)
@_at
def import_snapshot(file: Any, name: str | None, url: str, site: str | None) -> None:
    """Keep the snapshot of FILE, under its own name or as NAME; `restore` brings the site to it."""
    params = {"name": name} if name else {}
    headers = {"Content-Type": "application/vnd.sqlite3"}
    answer = _ask(url, site, "POST", "snapshots", params=params, content=file, headers=headers)
    click.echo(f"imported {_sound(answer).json()['snapshot']['name']}")


@click.command()
@_new_file
@_force
@_url
@click.option(
    "--database",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Copy this file itself, whether a server runs with it or not.",
)
def backup(file: Path, force: bool, url: str, database: Path | None) -> None:
    """Write all that the server holds into FILE, a database to start a server with.

    It is one state of all sites, however much is written meanwhile.
    """
    with _writing(file, force) as target:
        if database is None:
            _download(url, None, "backup", target)
        else:
            _copy(database, target)
    click.echo(f"backed up to {file}")


COMMANDS: Final = (seed, export, reset, snapshot, backup)


@contextmanager
def _writing(file: Path, force: bool) -> Iterator[Path]:
    """A file beside FILE that takes its place once it is whole."""
    if file.exists() and not force:
        raise click.ClickException(f"{file} is there already; --force replaces it")
    target = file.with_name(f"{file.name}.part")
    try:
        target.unlink(missing_ok=True)
        yield target
        target.replace(file)
    except OSError as error:
        raise click.ClickException(f"cannot write {file}: {error.strerror}") from None
    finally:
        target.unlink(missing_ok=True)


def _download(url: str, site: str | None, path: str, file: Path) -> None:
    """Write what the server answers into a new file of the user's own."""
    import httpx2

    params = {"site": site} if site else {}
    try:
        with (
            open_client(url, timeout=_TIMEOUT) as client,
            client.stream("GET", f"/_mock/{path}", params=params) as answer,
        ):
            if answer.status_code >= 400:
                answer.read()
            _sound(answer)
            with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as target:
                for piece in answer.iter_bytes():
                    target.write(piece)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise click.ClickException(f"no server answers at {url}: {error}") from None


def _copy(database: Path, file: Path) -> None:
    from mock_server.store.backup import UnreadableError, backup_file

    try:
        backup_file(database, file)
    except UnreadableError as error:
        raise click.ClickException(str(error)) from None


def _ask(
    url: str,
    site: str | None,
    method: str,
    path: str,
    *,
    params: dict[str, str] | None = None,
    **given: Any,
) -> httpx2.Response:
    """The server's answer; a ClickException where there is none."""
    import httpx2

    query = {**(params or {}), **({"site": site} if site else {})}
    try:
        with open_client(url, timeout=_TIMEOUT) as client:
            return client.request(method, f"/_mock/{path}", params=query, **given)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise click.ClickException(f"no server answers at {url}: {error}") from None


def _sound(answer: httpx2.Response) -> httpx2.Response:
    """The answer, unless it is a refusal."""
    if answer.status_code >= 400:
        raise click.ClickException(_message(answer))
    if answer.is_closed and not answer.content:
        raise click.ClickException(f"{answer.url} answers nothing; is that a chargebee-mock?")
    return answer


def _message(answer: httpx2.Response) -> str:
    """Why the server refuses, in one line."""
    try:
        body = answer.json()
        if "detail" in body:  # FastAPI's form
            return printable("; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in body["detail"]))
        return printable(str(body["message"]))
    except (ValueError, KeyError, TypeError):
        return f"{answer.url} answers {answer.status_code}; is that a chargebee-mock?"


def _escaped(name: str) -> str:
    return quote(name, safe="")
