"""What is said of a path that leads nowhere, so that a slip in an address is found at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final, TypeVar

from mock_server.api.routes import Routes
from mock_server.wire import errors
from mock_server.wire.errors import ApiError

Target = TypeVar("Target")

_VERSION: Final = re.compile(r"v\d{1,3}", re.IGNORECASE)
_LONGEST: Final = 200
"""Characters that are quoted of a path."""


def unknown_path(
    path: str,
    routes: Routes[Target],
    versions: Collection[str],
    takes: Callable[[Target], bool],
) -> ApiError:
    """The 404 for a path as it was sent; `versions` are those that the routes have.

    `takes` is what the routes were asked for.

    One that could be Chargebee's has Chargebee's message, and a remark; of any other the message
    says where Chargebee's API is.
    """
    segments = [segment for segment in path.split("/", 10) if segment]
    api, version, *rest = (*segments, "", "")
    served = " and ".join(versions)
    meant = _meant(segments, routes, versions, takes)
    hint = f"; did you mean {meant[:_LONGEST]}?" if meant else ""
    if api != "api":
        said = f"There is nothing at {path[:_LONGEST]}; Chargebee's API is at /api/{served}"
        return errors.path_outside_api(f"{said}, the sandbox's own interface at /_mock/docs{hint}")
    if version in versions:
        why = f"API {version} has no path /{'/'.join(rest).strip('/')[:_LONGEST]}"
    elif _VERSION.fullmatch(version):
        why = f"there is no API {version}, only {served}"
    else:
        why = f"after /api comes the version: {served}"
    return errors.path_not_found(why + hint)


def _meant(
    segments: list[str],
    routes: Routes[Target],
    versions: Collection[str],
    takes: Callable[[Target], bool],
) -> str | None:
    """The path that was probably meant: what comes after the last `api` or version, below ours."""
    start = 0
    for place, segment in enumerate(segments, start=1):
        if segment.lower() == "api" or _VERSION.fullmatch(segment):
            start = place
    for version in versions:
        meant = "/".join(["/api", version, *segments[start:]])
        if routes.find(meant.encode("latin-1"), takes):
            return meant
    return None
