"""Whose records a call of /_mock is about: the site that `?site=` names, else the host's."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Query, Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError

from mock_server.wire import errors
from mock_server.wire.auth import Directory, check_site_name, default_site

EVERY_SITE: Final = "*"
"""What `?site=` says where a call can be about all sites."""


_Named: TypeAlias = Annotated[
    str | None, Query(alias="site", description="Whose records; else the host's site.")
]


async def site_name_or_new(request: Request, named: _Named = None) -> str:
    directory: Directory = request.app.state.directory
    by_host = directory.named_by(request.headers.get("host", "").encode("latin-1"))
    name = named or by_host or default_site()
    check_site_name(name)
    return name


async def site_name(request: Request, named: _Named = None) -> str:
    """An ApiError 404 where nobody has made the site that `?site=` names: a slip, probably."""
    name = await site_name_or_new(request, named)
    directory: Directory = request.app.state.directory
    if named and not directory.exists(name):
        raise errors.no_such_site(name)
    return name


async def site_name_or_all(
    request: Request,
    named: Annotated[
        str | None,
        Query(alias="site", description="Whose records; `*` for all sites'; else the host's site."),
    ] = None,
) -> str | None:
    return None if named == EVERY_SITE else await site_name_or_new(request, named)


async def site_name_or_every(
    request: Request,
    named: Annotated[
        str | None,
        Query(alias="site", description="Which site; `*` for every one; else the host's."),
    ] = None,
) -> str | None:
    return None if named == EVERY_SITE else await site_name(request, named)


async def only_known_query(request: Request) -> None:
    """A 422 that names a query parameter which the call does not have.

    A filter that is mistyped would else show everything, and a test would pass for that reason.
    """
    known = {
        field.alias
        for field in get_flat_params(request.scope["route"].dependant)
        if isinstance(field.field_info, params.Query)
    }
    for name in request.query_params:
        if known and name not in known:
            allowed = ", ".join(sorted(known))
            fault = {
                "type": "extra_forbidden",
                "loc": ("query", name),
                "msg": f"not one of {allowed}",
            }
            raise RequestValidationError([fault])


SiteName: TypeAlias = Annotated[str, Depends(site_name)]
"""One that exists, unless the host names it, whose first call makes a site anywhere."""
SiteNameOrNew: TypeAlias = Annotated[str, Depends(site_name_or_new)]
SiteNameOrAll: TypeAlias = Annotated[str | None, Depends(site_name_or_all)]
"""None stands for all sites; a single one need not exist."""
SiteNameOrEvery: TypeAlias = Annotated[str | None, Depends(site_name_or_every)]
"""None stands for all sites; a single one is as a `SiteName`."""
