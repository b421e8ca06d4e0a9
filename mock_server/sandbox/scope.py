"""Whose records a call of /_mock is about: the site that `?site=` names, else the host's."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import Depends, Query, Request

from mock_server.wire.auth import check_site_name, default_site, site_of_host


async def site_name(
    request: Request,
    site: Annotated[str | None, Query(description="Whose records; else the host's site.")] = None,
) -> str:
    named = site or site_of_host(request.headers.get("host", "").encode("latin-1"))
    name = named or default_site()
    check_site_name(name)
    return name


SiteName: TypeAlias = Annotated[str, Depends(site_name)]
