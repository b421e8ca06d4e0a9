"""Whose records a call of /_mock is about: the site that `?site=` names, else the host's."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Query, Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError

from mock_server.wire.auth import Directory, check_site_name, default_site

EVERY_SITE: Final = "*"
"""What `?site=` says where a call can be about all sites."""


async def site_name(
    request: Request,
    site: Annotated[str | None, Query(description="Whose records; else the host's site.")] = None,
) -> str:
    directory: Directory = request.app.state.directory
    named = site or directory.named_by(request.headers.get("host", "").encode("latin-1"))
    name = named or default_site()
    check_site_name(name)
    return name


async def site_name_or_all(
    request: Request,
    site: Annotated[
        str | None, Query(description="Whose records; `*` for all sites'; else the host's site.")
    ] = None,
) -> str | None:
    return None if site == EVERY_SITE else await site_name(request, site)


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
SiteNameOrAll: TypeAlias = Annotated[str | None, Depends(site_name_or_all)]
"""None stands for all sites."""
