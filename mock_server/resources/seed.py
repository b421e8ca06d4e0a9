"""The seed: what a site starts with, checked against the resources; and a site as a seed again."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from mock_server.resources import fixture, webhook_endpoint
from mock_server.resources.address import ShippingAddress
from mock_server.resources.answered import Ignored, entries, kept, note_derived
from mock_server.resources.customer import Customer
from mock_server.resources.fixture import Fixture, FixtureError, shortened
from mock_server.resources.invoice import Invoice
from mock_server.resources.order import Order
from mock_server.resources.resource import Moment, Resource, required
from mock_server.resources.webhook_endpoint import NewEndpoint
from mock_server.store.rows import Row, Rows
from mock_server.store.staging import Staging
from mock_server.wire import errors
from mock_server.wire.auth import FULL_ACCESS, MAX_SECRET, Site, is_site_name, is_test_site

_log = logging.getLogger("chargebee_mock")

SCHEMA_URI: Final = "https://json-schema.org/draft/2020-12/schema"


class SeedError(Exception):
    """The seed file cannot be used; the message says where and why, in one line."""


class LostReferenceError(Exception):
    """A fixture refers to what there is not; the line is left to whoever tells it."""

    def __init__(self, reason: str, path: fixture.Path) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SeedKey(_Declared):
    """An API key with a narrower role or another name than the ones nobody declared.

    One with a `site` opens that site alone, and names it where the host names none.
    """

    secret: Annotated[str, Field(pattern=r"^(test|live)_[!-9;-~]*$", max_length=MAX_SECRET)]
    name: Annotated[str, Field(min_length=1, max_length=50)]
    role: Literal["full_access", "read_only_access"] = "full_access"
    site: str | None = None


class SeedEndpoint(NewEndpoint):
    """A webhook endpoint; one without a `url` only records what it would be sent."""

    id: Annotated[str, Field(min_length=1, max_length=40)]

    def with_defaults(self) -> SeedEndpoint:
        """The endpoint with all that was not given counted as given."""
        return self.model_copy(
            update={name: getattr(self, name) for name in type(self).model_fields}
        )


class SeedInvoice(Invoice):
    """An invoice of a customer; it was made at its `start_date`."""


class SeedOrder(Order):
    """An order of an invoice; without `created_at` it is made when the seed is loaded."""

    invoice_id: str = required(50)
    status: Literal["new", "processing", "complete", "cancelled", "voided"] = "new"
    created_by: str = Field(default=FULL_ACCESS.name, max_length=50)
    created_at: Moment | None = None  # type: ignore[assignment]
    shipping_address: ShippingAddress | None = None


class Seed(_Declared):
    """What a site holds; every attribute is the resource's own.

    Amounts are in the currency's smallest unit, times are seconds since 1970.
    """

    api_keys: list[SeedKey] = []
    webhook_endpoints: list[SeedEndpoint] = []
    customers: list[Customer] = []
    invoices: list[SeedInvoice] = []
    orders: list[SeedOrder] = []


class Planting:
    """A seed as rows, so that to put it into a site holds others up for these alone."""

    def __init__(self, seed: Seed) -> None:
        self._keys = seed.api_keys
        self._endpoints = seed.webhook_endpoints
        self._customers = [one.to_row() for one in seed.customers]
        self._invoices = [{**one.to_row(), "created_at": one.start_date} for one in seed.invoices]
        self._orders = [one.to_row() for one in seed.orders]

    @property
    def is_large(self) -> bool:
        """Whether it is worth staging it."""
        return len(self._customers) + len(self._invoices) + len(self._orders) > _LARGE

    def plant(self, rows: Rows, site: str, now: int) -> None:
        """Put all of it into the site, in the place of what has the same ids there.

        Resources keep the times that the seed gives them; nothing is recorded of it. What the
        seed refers to must be in it or on the site (`check_references`).
        """
        self._plant_settings(rows, site, now)
        rows.replace_all("customers", site, _columns(Customer), self._customers)
        rows.replace_all("invoices", site, ("created_at", *_columns(Invoice)), self._invoices)
        currencies: dict[str, str] = {}
        for order in self._orders:
            id = order["invoice_id"]
            if id not in currencies:
                billed = rows.find("invoices", "currency_code", site=site, id=id)
                assert billed is not None
                currencies[id] = billed["currency_code"]
        whole = (_whole(order, currencies[order["invoice_id"]], now) for order in self._orders)
        rows.replace_all("orders", site, _columns(SeedOrder), whole)

    async def stage(self, staged: Staging) -> None:
        """Make it ready to be planted by `place`, while other requests are served."""
        await staged.add("customers", _columns(Customer), self._customers)
        await staged.add("invoices", ("created_at", *_columns(Invoice)), self._invoices)
        await staged.add("orders", _columns(SeedOrder), self._orders)

    def place(self, rows: Rows, site: str, now: int, staged: Staging) -> None:
        """Do what `plant` does, with what was staged."""
        self._plant_settings(rows, site, now)
        staged.place(rows, "customers", site)
        staged.place(rows, "invoices", site)
        staged.place(rows, "orders", site, _ORDER_DEFAULTS, now)

    def _plant_settings(self, rows: Rows, site: str, now: int) -> None:
        for key in self._keys:
            row = key.model_dump(exclude={"site"})
            rows.replace("api_keys", {"site": site, **row, "opens": key.site})
        for endpoint in self._endpoints:
            if rows.find("webhook_endpoints", site=site, id=endpoint.id) is None:
                webhook_endpoint.create(rows, site, endpoint.id, endpoint, now)
            else:
                webhook_endpoint.update(rows, site, endpoint.id, endpoint.with_defaults())


_LARGE: Final = 500
"""Resources that are put into a site at once: about ten milliseconds."""

_ORDER_DEFAULTS: Final = {
    "created_at": ":now",
    "status_update_at": "coalesce(created_at, :now)",
    "currency_code": (
        "(SELECT i.currency_code FROM invoices AS i WHERE i.site = :data_key AND i.id = invoice_id)"
    ),
}
"""`_whole` as expressions of the store."""


def _whole(order: Row, currency_code: str, now: int) -> Row:
    """The order with what was not given as `POST /orders` would have it."""
    row = {"created_at": now, "currency_code": currency_code, **order}
    return {"status_update_at": row["created_at"], **row}


def _columns(resource: type[Resource]) -> tuple[str, ...]:
    kept = (name for name in resource.model_fields if name not in resource.derived)
    return tuple(name for name in kept if name != "object")


class _Kind(NamedTuple):
    """What a name of a fixture has: how an answer wraps one, its model, what it is known by."""

    wrapper: str
    model: type[BaseModel]
    id: str = "id"


_KINDS: Final = {
    "api_keys": _Kind("api_key", SeedKey, "secret"),
    "webhook_endpoints": _Kind("webhook_endpoint", SeedEndpoint),
    "customers": _Kind("customer", Customer),
    "invoices": _Kind("invoice", SeedInvoice),
    "orders": _Kind("order", SeedOrder),
}
_WRAPPERS: Final = {name: kind.wrapper for name, kind in _KINDS.items()}
_REFERENCES: Final = (
    ("invoices", "customer_id", "customers"),
    ("orders", "invoice_id", "invoices"),
)


@dataclass(frozen=True, slots=True)
class CheckedSeed:
    """A seed, where in its fixture each thing of it stands, and what of that is not kept."""

    seed: Seed
    paths: dict[str, list[fixture.Path]]
    ignored: list[str]


def check(given: Fixture, at: fixture.Path = ()) -> CheckedSeed:
    """The seed that the fixture has at that path; FixtureError for the first thing wrong there.

    What it refers to is `check_references`'s.
    """
    ignored = Ignored()
    found: dict[str, list[Any]] = defaultdict(list)
    paths: dict[str, list[fixture.Path]] = defaultdict(list)
    seen: dict[str, set[str]] = defaultdict(set)
    for entry in entries(given, at, _WRAPPERS, ignored):
        kind = _KINDS[entry.kind]
        value = kept(given, entry, kind.model, kind.wrapper, ignored)
        try:
            one = kind.model.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise given.error(_reason(first), (*entry.path, *first["loc"])) from None
        id = getattr(one, kind.id)
        if not id.strip():
            raise given.error("cannot be blank", (*entry.path, kind.id))
        if id in seen[entry.kind]:
            raise given.error(f"is there twice: {id}", (*entry.path, kind.id))
        if isinstance(one, SeedKey) and one.site is not None and not _may_open(id, one.site):
            reason = f"is no site that {id} could open: {one.site}"
            raise given.error(reason, (*entry.path, "site"))
        if isinstance(one, Resource):
            note_derived(entry, one, ignored)
        seen[entry.kind].add(id)
        found[entry.kind].append(one)
        paths[entry.kind].append(entry.path)
    seed = Seed.model_construct(set(found), **found)
    return CheckedSeed(seed, paths, ignored.named)


def check_whole(given: Fixture, at: fixture.Path = ()) -> CheckedSeed:
    """The seed that the fixture has at that path, with all that it refers to."""
    checked = check(given, at)
    try:
        check_references(checked)
    except LostReferenceError as lost:
        raise given.error(lost.reason, lost.path) from None
    return checked


def check_references(checked: CheckedSeed, site: tuple[Rows, str] | None = None) -> None:
    """LostReferenceError where the seed refers to what neither it nor the site, if given, has."""
    for kind, attribute, referred in _REFERENCES:
        known = {one.id for one in getattr(checked.seed, referred)}
        for index, one in enumerate(getattr(checked.seed, kind)):
            id = getattr(one, attribute)
            if id in known:
                continue
            if site is not None and site[0].find(referred, "id", site=site[1], id=id) is not None:
                known.add(id)
                continue
            reason = f"there is no {referred.removesuffix('s')} {id}"
            raise LostReferenceError(reason, (*checked.paths[kind][index], attribute))


def schema() -> dict[str, Any]:
    """The JSON Schema of fixtures."""
    described = Seed.model_json_schema()
    for kind in _KINDS.values():
        for name in kind.model.derived if issubclass(kind.model, Resource) else ():
            del described["$defs"][kind.model.__name__]["properties"][name]
    del described["$defs"]["LinkedOrder"]
    return {"$schema": SCHEMA_URI, **described, "title": "chargebee-mock fixture"}


def planter(path: str) -> Callable[[Rows, Site, int, str | None], None]:
    """What fills a new site: with its own seed, as JSON, or else with the seed of that file.

    The file is read with the first new site that needs it.
    """

    def plant(rows: Rows, site: Site, now: int, own: str | None) -> None:
        try:
            planting = _of_file(path) if own is None else _of_json(own)
        except SeedError as error:
            raise errors.temporary(str(error)) from error
        planting.plant(rows, site.name, now)

    return plant


@lru_cache
def _of_file(path: str) -> Planting:
    return Planting(load(path))


def _of_json(text: str) -> Planting:
    return Planting(Seed.model_validate_json(text))


@lru_cache
def load(path: str) -> Seed:
    """The seed of that file; SeedError where it is missing, no YAML, or says what nothing is."""
    try:
        given = fixture.read(Path(path).read_text("utf-8"), is_json=path.endswith(".json"))
        checked = check_whole(given)
    except (OSError, UnicodeDecodeError) as error:
        raise SeedError(f"cannot read the seed {path}: {error}") from None
    except FixtureError as error:
        raise SeedError(f"the seed {error.of_file(path)}") from None
    if checked.ignored:
        _log.warning("the seed %s: not kept: %s", path, ", ".join(checked.ignored))
    return checked.seed


def _reason(error: ErrorDetails) -> str:
    match error["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is no attribute that is known here"
        case "literal_error":
            allowed = error["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
            known = f"not one of {allowed}" if len(allowed) < 200 else "no value that is known here"
            return f"{shortened(str(error['input']), 100)} is {known}"
        case "model_type" | "dict_type":
            return "is no mapping of names to values"
        case "value_error":
            return error["msg"].removeprefix("Value error, ")
        case _:
            return error["msg"]


def _may_open(secret: str, site: str) -> bool:
    return is_site_name(site) and is_test_site(site) == secret.startswith("test_")
