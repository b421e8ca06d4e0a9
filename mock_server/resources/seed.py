"""The seed: what a new site holds, read from a YAML file and checked against the resources."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mock_server.resources import webhook_endpoint
from mock_server.resources.customer import Customer
from mock_server.resources.invoice import Invoice
from mock_server.resources.webhook_endpoint import NewEndpoint
from mock_server.store.rows import Rows
from mock_server.wire import errors
from mock_server.wire.auth import Site


class SeedError(Exception):
    """The seed file cannot be used; the message says where and why, in one line."""


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SeedKey(_Declared):
    """An API key with a narrower role or another name than the ones nobody declared."""

    secret: Annotated[str, Field(pattern=r"^(test|live)_")]
    name: Annotated[str, Field(min_length=1, max_length=50)]
    role: Literal["full_access", "read_only_access"] = "full_access"
    site: str | None = None


class SeedEndpoint(NewEndpoint):
    """A webhook endpoint; one without a `url` only records what it would be sent."""

    id: Annotated[str, Field(min_length=1, max_length=40)]


class Seed(_Declared):
    """What a seed file says; every attribute is the resource's own."""

    api_keys: list[SeedKey] = []
    webhook_endpoints: list[SeedEndpoint] = []
    customers: list[Customer] = []
    invoices: list[Invoice] = []

    def plant(self, rows: Rows, site: Site, now: int) -> None:
        """Fill a new site. Resources keep the times that the seed gives them."""
        for key in self.api_keys:
            rows.replace("api_keys", key.model_dump())
        for endpoint in self.webhook_endpoints:
            webhook_endpoint.create(rows, site.name, endpoint.id, endpoint, now)
        for customer in self.customers:
            rows.insert("customers", customer.to_row() | {"site": site.name})
        for invoice in self.invoices:
            created = {"site": site.name, "created_at": invoice.start_date}
            rows.insert("invoices", invoice.to_row() | created)


def planter(path: str) -> Callable[[Rows, Site, int], None]:
    """What fills a new site with the seed of that file, which is read with the first new site."""

    def plant(rows: Rows, site: Site, now: int) -> None:
        try:
            load(path).plant(rows, site, now)
        except SeedError as error:
            raise errors.temporary(str(error)) from error

    return plant


@lru_cache
def load(path: str) -> Seed:
    """The seed of that file; SeedError where it is missing, no YAML, or says what nothing is."""
    import yaml

    try:
        text = Path(path).read_text("utf-8")
        declared: Any = yaml.safe_load(text)
        seed = Seed.model_validate({} if declared is None else declared)
    except (OSError, UnicodeDecodeError) as error:
        raise SeedError(f"cannot read the seed {path}: {error}") from None
    except yaml.YAMLError as error:
        raise SeedError(f"the seed {path} is no YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise SeedError(f"the seed {path} is wrong at {where}: {first['msg']}") from None
    _check_references(path, seed)
    return seed


def _check_references(path: str, seed: Seed) -> None:
    for kind, ids in (
        ("customer", [customer.id for customer in seed.customers]),
        ("invoice", [invoice.id for invoice in seed.invoices]),
        ("webhook endpoint", [endpoint.id for endpoint in seed.webhook_endpoints]),
    ):
        if len(set(ids)) < len(ids):
            twice = next(id for id in ids if ids.count(id) > 1)
            raise SeedError(f"the seed {path} has the {kind} {twice} twice")
    known = {customer.id for customer in seed.customers}
    for invoice in seed.invoices:
        if invoice.customer_id not in known:
            raise SeedError(
                f"the seed {path} has no customer {invoice.customer_id}, "
                f"whom its invoice {invoice.id} names"
            )
