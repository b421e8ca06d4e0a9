"""The base path: where in a host's paths the server is, such as `/chargebee` behind a proxy.

Some proxies leave it in what they pass on, and some take it out; both are understood.
"""

from __future__ import annotations

from starlette.types import Scope


def leave_out(scope: Scope, base_path: str) -> Scope:
    """The request's scope with its path below the base path, which may be empty."""
    raw_path = base_path.encode()
    if not base_path or not (scope["raw_path"] + b"/").startswith(raw_path + b"/"):
        return scope
    path = scope["path"][len(base_path) :]
    return {**scope, "path": path or "/", "raw_path": scope["raw_path"][len(raw_path) :] or b"/"}


def put_in(scope: Scope, base_path: str) -> Scope:
    """The scope as ASGI wants it for an application that makes links to itself."""
    if not base_path:
        return scope
    return {**scope, "root_path": base_path, "path": base_path + scope["path"]}
