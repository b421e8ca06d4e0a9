"""Calls to a running server of ours: they go to it directly, past every proxy.

A proxy does not find what runs on this machine or inside a cluster, and answers in its place.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:  # at run time imported when it is needed, so that --help answers at once
    import httpx2


def open_client(url: str, **options: Any) -> httpx2.Client:
    """An HTTP client whose paths are under `url`; httpx2.InvalidURL where that is none.

    It trusts whom SSL_CERT_FILE says.
    """
    import httpx2

    return httpx2.Client(base_url=url, transport=httpx2.HTTPTransport(), **options)


def check_health(url: str, authority: Path | None, *, within: float) -> None:
    """Return if the server at `url` is well; an OSError says in one line what is wrong with it.

    With https, `authority` is the file of the certificate to trust; `within` are seconds.
    """
    # Smaller than the other client, because a container asks every few seconds.
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
    from ssl import create_default_context

    host = urlsplit(url).netloc
    if authority is None:
        connection = HTTPConnection(host, timeout=within)
    else:
        trust = create_default_context(cafile=authority)
        connection = HTTPSConnection(host, timeout=within, context=trust)
    try:
        connection.request("GET", "/_mock/health")
        answer = connection.getresponse()
        said = answer.read()
    except HTTPException as error:
        raise OSError(f"{url} answers something else: {error!r}") from None
    except OSError as error:
        raise OSError(f"no server answers at {url}: {error}") from None
    finally:
        connection.close()
    if answer.status != 200:
        raise OSError(f"the server at {url} is not well: {_message(said)}")


def _message(said: bytes) -> str:
    """Why the server refuses, or whatever it says."""
    try:
        return str(json.loads(said)["message"])
    except (ValueError, KeyError, TypeError):
        return said[:200].decode("utf-8", "replace")
