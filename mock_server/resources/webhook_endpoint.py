"""Webhook endpoints: where a site's events go. The names are those of API v2's resource."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from mock_server.outbox.address import is_forbidden
from mock_server.outbox.status import refresh_event
from mock_server.resources.enums import EventType
from mock_server.resources.resource import Map, Resource
from mock_server.store.queue import withdraw
from mock_server.store.rows import Row, Rows
from mock_server.wire import errors

LIMIT: Final = 5
"""Endpoints with a URL that a site may have."""
TOO_MANY: Final = f"A site has at most {LIMIT} webhook endpoints with a URL"

_MAX_PORT: Final = 65_535
_OF_THE_RUN: Final = "whv2_option_"
"""How the ids of endpoints begin that the server was started with."""


class WebhookEndpoint(Resource):
    """An endpoint as it is shown: its password never is."""

    kind: ClassVar[str] = "webhook_endpoint"

    id: str
    name: str
    url: str | None = None
    primary_url: bool
    disabled: bool
    api_version: Literal["v1"]
    enabled_events: list[EventType] | None = None
    basic_auth_username: str | None = None
    chaos: Map | None = None


def _readable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("not Unicode: half of a surrogate pair") from None
    return text


def _deliverable(url: str) -> str:
    import httpx2  # what will send to it, so that nothing passes here and fails there

    try:
        parsed = httpx2.URL(url)
        parsed.raw_host.decode().encode("idna")  # as for the look-up: labels have a longest length
    except (httpx2.InvalidURL, UnicodeError):  # whose words may hold a part of a password
        raise ValueError("not an http or https URL") from None
    spaced = any(character.isspace() for character in url)
    bad_port = parsed.port is not None and parsed.port > _MAX_PORT
    if parsed.scheme not in ("http", "https") or not parsed.host or bad_port or spaced:
        raise ValueError("not an http or https URL")
    if is_forbidden(parsed.host):
        raise ValueError(f"nothing is sent to {parsed.host}")
    return url


Text: TypeAlias = Annotated[str, AfterValidator(_readable)]


class Chaos(BaseModel):
    """What a receiver must survive: copies of each webhook, and seconds that hold it back.

    `delay` is the same for all, `shuffle` is drawn anew for each, so that they overtake each other.
    """

    model_config = ConfigDict(extra="forbid")

    duplicates: Annotated[int, Field(ge=0, le=10)] = 0
    delay: Annotated[float, Field(ge=0, le=86_400)] = 0
    shuffle: Annotated[float, Field(ge=0, le=86_400)] = 0


class EndpointChanges(BaseModel):
    """What may change in an endpoint. `url` null only records, `enabled_events` null takes all.

    `event_types` is taken for `enabled_events`. A user and a password in the URL become the
    endpoint's Basic authentication.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Text, Field(min_length=1, max_length=50)] = ""
    url: Annotated[Text, Field(max_length=512), AfterValidator(_deliverable)] | None = None
    primary_url: bool = False
    disabled: bool = False
    api_version: Literal["v1"] = "v1"
    enabled_events: Annotated[
        Annotated[list[EventType], Field(fail_fast=True)] | None,
        Field(validation_alias=AliasChoices("enabled_events", "event_types")),
    ] = None
    basic_auth_username: Annotated[Text, Field(max_length=250)] | None = None
    basic_auth_password: Annotated[Text, Field(max_length=250)] | None = None
    chaos: Chaos | None = None

    @model_validator(mode="before")
    @classmethod
    def _split_credentials(cls, given: Any) -> Any:
        url = given.get("url") if isinstance(given, dict) else None
        try:
            parts = urlsplit(url if isinstance(url, str) else "")
        except ValueError:  # no URL, as will be found
            return given
        if "@" not in parts.netloc:
            return given
        credentials, _, host = parts.netloc.rpartition("@")
        user, _, password = credentials.partition(":")
        return {
            "basic_auth_username": unquote(user),
            "basic_auth_password": unquote(password),
            **given,
            "url": urlunsplit(parts._replace(netloc=host)),
        }

    def to_row(self) -> Row:
        """The columns of what was given."""
        values = self.model_dump(mode="json", exclude_unset=True)
        return {
            name: json.dumps(value) if isinstance(value, dict | list) else value
            for name, value in values.items()
        }


class NewEndpoint(EndpointChanges):
    """An endpoint to be made."""

    name: Annotated[Text, Field(min_length=1, max_length=50)]


def create(rows: Rows, site: str, id: str, given: NewEndpoint, now: int) -> Row:
    """A new endpoint of the site."""
    defaults = {"primary_url": False, "disabled": False, "api_version": "v1"}
    row = {"site": site, "id": id, "created_at": now, **defaults, **given.to_row()}
    rows.insert("webhook_endpoints", row)
    _keep_one_primary(rows, row)
    return row


def update(rows: Rows, site: str, id: str, given: EndpointChanges) -> Row:
    """Change what was given. What waits for an endpoint that takes nothing more is taken back."""
    row = find(rows, site, id)
    changes = given.to_row()
    if changes:
        rows.update("webhook_endpoints", changes, site=site, id=id)
    row |= changes
    _keep_one_primary(rows, row)
    if row["disabled"]:
        _take_back(rows, site, id, "disabled")
    elif row["url"] is None:
        _take_back(rows, site, id, "succeeded")
    return row


def delete(rows: Rows, site: str, id: str) -> Row:
    """Remove the endpoint; what waits for it is skipped."""
    row = find(rows, site, id)
    _take_back(rows, site, id, "skipped")
    rows.delete("webhook_endpoints", site=site, id=id)
    return row


def find(rows: Rows, site: str, id: str) -> Row:
    row = rows.find("webhook_endpoints", site=site, id=id)
    if row is None:
        raise errors.resource_not_found(id)
    return row


def check_limit(rows: Rows, site: str) -> None:
    """ApiError 400 where the site has more endpoints with a URL than Chargebee allows."""
    urls = [row["url"] for row in rows.all("webhook_endpoints", "url", site=site)]
    if len(urls) - urls.count(None) > LIMIT:
        raise errors.ApiError(400, "invalid_request", TOO_MANY)


def sites_of_earlier_runs(rows: Rows) -> list[str]:
    """The sites that have endpoints which some run of a server gave them."""
    statement = """
        SELECT DISTINCT s.name FROM sites AS s JOIN webhook_endpoints AS e ON e.site = s.data_key
        WHERE e.id LIKE :ids
    """
    return [row["name"] for row in rows.execute(statement, {"ids": f"{_OF_THE_RUN}%"})]


def is_of_the_run(id: str) -> bool:
    """Whether the endpoint is one that the server was started with, and not the site's own."""
    return id.startswith(_OF_THE_RUN)


def _keep_one_primary(rows: Rows, row: Row) -> None:
    if row["primary_url"]:
        rows.update("webhook_endpoints", {"primary_url": False}, site=row["site"])
        rows.update("webhook_endpoints", {"primary_url": True}, site=row["site"], id=row["id"])


def _take_back(rows: Rows, site: str, id: str, status: str) -> None:
    for event_id in withdraw(rows, site, id, status):
        refresh_event(rows, site, event_id)


class EndpointsOfTheRun:
    """The endpoints of `--webhook-url`, which every site has for as long as the server runs."""

    def __init__(self, urls: Iterable[str], *, limited: bool) -> None:
        """ValueError, in one line, for a URL that webhooks cannot go to, and for too many."""
        self._wanted = {
            f"{_OF_THE_RUN}{number}": _of_url(url) for number, url in enumerate(urls, start=1)
        }
        if limited and len(self._wanted) > LIMIT:
            raise ValueError(f"webhook_url: {TOO_MANY}")

    def are_there(self, rows: Rows, site: str) -> bool:
        """Whether the site has these endpoints, and none of an earlier run."""
        kept = self._kept(rows, site)
        return kept.keys() == self._wanted.keys() and all(
            wanted.to_row().items() <= kept[id].items() for id, wanted in self._wanted.items()
        )

    def give(self, rows: Rows, site: str, now: int) -> None:
        """Give the site these endpoints in the place of those of an earlier run."""
        kept = self._kept(rows, site)
        for id in kept.keys() - self._wanted.keys():
            delete(rows, site, id)
        for id, endpoint in self._wanted.items():
            if id in kept:
                update(rows, site, id, endpoint)
            else:
                create(rows, site, id, endpoint, now)

    def _kept(self, rows: Rows, site: str) -> dict[str, Row]:
        endpoints = rows.all("webhook_endpoints", site=site)
        return {row["id"]: row for row in endpoints if is_of_the_run(row["id"])}


def _of_url(url: str) -> NewEndpoint:
    try:
        endpoint = NewEndpoint.model_validate({"name": "--webhook-url", "url": url})
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise ValueError(f"webhook_url: {reason}") from None
    credentials = {
        "basic_auth_username": endpoint.basic_auth_username,
        "basic_auth_password": endpoint.basic_auth_password,
    }
    return endpoint.model_copy(update=credentials)  # none are given, too: an earlier run's go
