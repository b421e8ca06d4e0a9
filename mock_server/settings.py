"""Every knob of the server: its default, its environment variable and its help, declared once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ENVIRONMENT_PREFIX: Final = "CHARGEBEE_MOCK_"
MAX_ID_SEED: Final = 100
"""Characters of an `id_seed`."""

_DOMAIN: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.IGNORECASE)
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s]+", re.IGNORECASE)

_STATE: Final = Path(".chargebee-mock")
_BUNDLED_FIXTURES: Final = Path(__file__).parent / "fixtures"
_CHECKOUT_FIXTURES: Final = Path(__file__).parent.parent / "fixtures"


def default_seed() -> str:
    """The demo seed: inside an installed package, else beside it in a checkout."""
    folder = _BUNDLED_FIXTURES if _BUNDLED_FIXTURES.is_dir() else _CHECKOUT_FIXTURES
    return str(folder / "demo.yaml")


def _knob(default: Any, help: str, shown: str = "") -> Any:
    """A field; `shown` tells a reader the default where its value does not."""
    return field(
        default=default,
        metadata={"help": help, "shown": shown or ("off" if default is False else "")},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one server runs with."""

    host: str = _knob("localhost", "Address to listen on; localhost and :: are both IPv4 and IPv6.")
    port: int = _knob(8010, "Port to listen on; 0 picks a free one.")
    root_path: str = _knob(
        "",
        "Path below which everything is, such as /chargebee behind a proxy that leaves it in or "
        "takes it out.",
        shown="none",
    )
    tls: bool = _knob(
        False,
        "Serve https, with a certificate authority that is kept in the folder tls beside the "
        "database.",
    )
    database: str = _knob(
        str(_STATE / "chargebee.sqlite"),
        "SQLite file that keeps the state; :memory: keeps nothing.",
    )
    seed: str = _knob(
        default_seed(),
        "YAML file with the customers, invoices and API keys that every new site starts with.",
        shown="the demo seed",
    )
    id_seed: str = _knob(
        "",
        "Text from which every new site makes its ids, the same ones each time.",
        shown="ids like no others",
    )
    workers: int = _knob(1, "Server processes that share the port and the database.")
    log_level: str = _knob(
        "",
        "debug, info (one line a request), warning or error.",
        shown="info on a terminal, warning elsewhere",
    )
    strict_params: bool = _knob(
        False, "Refuse unknown parameters, and bodies that are not read, instead of ignoring them."
    )
    environment: tuple[str, ...] = _knob(
        (),
        "Domain under which the first label of a host names a site, besides chargebee.com and "
        "localhost; may be given several times.",
        shown="none",
    )
    allowed_host: tuple[str, ...] = _knob(
        (),
        "Name by which /_mock may be called where the server listens on this machine alone, or *; "
        "may be given several times.",
        shown="addresses, environments, names without a dot",
    )
    allowed_origin: tuple[str, ...] = _knob(
        (),
        "Origin whose pages may change things under /_mock, such as http://localhost:3000, or *; "
        "may be given several times.",
        shown="the server's own",
    )
    strict_sites: bool = _knob(
        False, "Answer site_not_found for an unknown site instead of making it."
    )
    sites_limit: int = _knob(10_000, "How many sites are made, in all.")
    journal_limit: int = _knob(10_000, "How many of the latest requests the journal keeps.")
    journal_bytes: int = _knob(64 * 1024 * 1024, "How many bytes of them it keeps.")
    webhook_url: tuple[str, ...] = _knob(
        (),
        "URL that the webhooks of every site are delivered to; may be given several times.",
        shown="none",
    )
    webhook_retry_scale: float = _knob(
        1.0, "Factor of the delays before a failed webhook is tried again; 0.001 hurries them."
    )
    webhook_connect_timeout: float = _knob(
        20.0, "Seconds that a webhook's call may take to connect."
    )
    webhook_read_timeout: float = _knob(
        0.0,
        "Seconds that a webhook's call waits for the next piece of its answer.",
        shown="10.0 on test sites, 20.0 on live ones",
    )
    webhook_timeout: float = _knob(60.0, "Seconds that a webhook's call may take in all.")
    webhook_ca: str = _knob(
        "",
        "PEM file with authorities to trust at the receivers of webhooks, besides the usual ones.",
        shown="none",
    )
    webhook_insecure: bool = _knob(False, "Trust any certificate of a receiver of webhooks.")
    attempts_limit: int = _knob(
        10_000, "How many of the latest attempts to deliver a webhook are kept."
    )
    smtp: str = _knob(
        "", "HOST:PORT of the server that e-mails are sent to; else only recorded.", shown="none"
    )
    stop_with_stdin: bool = _knob(
        False,
        "Stop when stdin ends, and so with the process that holds its other end, however that "
        "ends.",
    )
    no_limits: bool = _knob(False, "Allow more than five webhook endpoints with a URL to a site.")

    def __post_init__(self) -> None:
        _within("workers", self.workers, 1, 64)
        _within("port", self.port, 0, 65_535)
        if len(self.id_seed) > MAX_ID_SEED or not self.id_seed.isprintable():
            raise ValueError(f"id_seed: not a line of text of up to {MAX_ID_SEED} characters")
        _within("sites_limit", self.sites_limit, 2, 10_000_000)
        _within("journal_limit", self.journal_limit, 0, 10_000_000)
        _within("journal_bytes", self.journal_bytes, 1, 2**40)
        _within("attempts_limit", self.attempts_limit, 0, 10_000_000)
        _within("webhook_retry_scale", self.webhook_retry_scale, 0, 1000)
        _within("webhook_connect_timeout", self.webhook_connect_timeout, 0.01, 3600)
        _within("webhook_read_timeout", self.webhook_read_timeout, 0, 3600)  # 0 is Chargebee's
        _within("webhook_timeout", self.webhook_timeout, 0.01, 3600)
        self._check_names()
        if self.smtp:
            _ = self.smtp_address
        if self.log_level not in ("", "debug", "info", "warning", "error"):
            raise ValueError(
                f"log_level: {self.log_level!r} is not one of debug, info, warning, error"
            )
        if self.database.startswith(("postgresql:", "postgresql+")):
            raise ValueError("database: PostgreSQL is not supported yet; name a SQLite file")
        if not self.database:
            raise ValueError("database: name a file, or :memory:")
        if self.database.removeprefix("sqlite:///") == ":memory:" and self.workers > 1:
            raise ValueError("workers: several processes cannot share a :memory: database")

    def _check_names(self) -> None:
        """ValueError where what names hosts and paths is no such name."""
        for domain in self.environment:
            if not _DOMAIN.fullmatch(domain) or domain.rpartition(".")[2].isdecimal():
                raise ValueError(f"environment: {domain!r} is no domain such as billing.example")
        if self.root_path and not _PATH.fullmatch(self.root_path):
            raise ValueError(f"root_path: {self.root_path!r} is no path such as /chargebee")
        for name in self.allowed_host:
            if name != "*" and not _DOMAIN.fullmatch(name):
                raise ValueError(f"allowed_host: {name!r} is no name of a host, and not *")
        for origin in self.allowed_origin:
            if origin not in ("*", "null") and not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"allowed_origin: {origin!r} is no origin such as http://localhost:3000"
                )

    @property
    def smtp_address(self) -> tuple[str, int]:
        """Host and port of `smtp`; ValueError where it is not that."""
        host, _, port = self.smtp.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise ValueError(f"smtp: {self.smtp!r} is not HOST:PORT")
        return host, int(port)

    @property
    def tls_folder(self) -> Path:
        """Where `tls` keeps its certificate authority."""
        path = self.database.removeprefix("sqlite:///")
        return (_STATE if path == ":memory:" else Path(path).parent) / "tls"


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name}: {value} is not between {low} and {high}")
