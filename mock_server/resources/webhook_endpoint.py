"""Webhook endpoints: where a site's events go. The names are those of API v2's resource."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Final, Literal
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


def _deliverable(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an http or https URL")
    _ = parts.port  # ValueError where it is no port
    if is_forbidden(parts.hostname):
        raise ValueError(f"nothing is sent to {parts.hostname}")
    return url


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

    name: Annotated[str, Field(min_length=1, max_length=50)] = ""
    url: Annotated[str, Field(max_length=512), AfterValidator(_deliverable)] | None = None
    primary_url: bool = False
    disabled: bool = False
    api_version: Literal["v1"] = "v1"
    enabled_events: Annotated[
        list[EventType] | None,
        Field(validation_alias=AliasChoices("enabled_events", "event_types")),
    ] = None
    basic_auth_username: Annotated[str, Field(max_length=250)] | None = None
    basic_auth_password: Annotated[str, Field(max_length=250)] | None = None
    chaos: Chaos | None = None

    @model_validator(mode="before")
    @classmethod
    def _split_credentials(cls, given: Any) -> Any:
        url = given.get("url") if isinstance(given, dict) else None
        if not isinstance(url, str) or "@" not in (parts := urlsplit(url)).netloc:
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

    name: Annotated[str, Field(min_length=1, max_length=50)]


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
        raise errors.ApiError(
            400, "invalid_request", f"A site has at most {LIMIT} webhook endpoints with a URL"
        )


def _keep_one_primary(rows: Rows, row: Row) -> None:
    if row["primary_url"]:
        rows.update("webhook_endpoints", {"primary_url": False}, site=row["site"])
        rows.update("webhook_endpoints", {"primary_url": True}, site=row["site"], id=row["id"])


def _take_back(rows: Rows, site: str, id: str, status: str) -> None:
    for event_id in withdraw(rows, site, id, status):
        refresh_event(rows, site, event_id)


class EndpointsOfTheRun:
    """The endpoints of `--webhook-url`, which every site has for as long as the server runs."""

    def __init__(self, urls: Iterable[str]) -> None:
        """ValueError, in one line, for a URL that webhooks cannot go to."""
        self._wanted = {
            f"{_OF_THE_RUN}{number}": _of_url(url) for number, url in enumerate(urls, start=1)
        }

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
        return {row["id"]: row for row in endpoints if row["id"].startswith(_OF_THE_RUN)}


def _of_url(url: str) -> NewEndpoint:
    try:
        return NewEndpoint.model_validate({"name": "--webhook-url", "url": url})
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise ValueError(f"webhook_url: {reason}") from None
