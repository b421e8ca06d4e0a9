"""What the `chargebee-*` request headers ask for beside the operation itself."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ALL_DISABLED: Final = b"all-disabled"

_SKIP_WEBHOOKS: Final = b"chargebee-event-webhook"
_SKIP_EMAILS: Final = b"chargebee-event-email"
_SKIP_ACTIONS: Final = b"chargebee-event-actions"
_ORIGIN: Final = b"chargebee-request-origin-"
_MAX_ORIGIN: Final = 1000


@dataclass(frozen=True, slots=True)
class Directives:
    """Which consequences of the request are wanted, and whose request it was.

    `remarks` tells the journal of header values that were not understood, and so not followed.
    """

    webhooks: bool = True
    emails: bool = True
    origin_ip: str | None = None
    origin_device: str | None = None
    origin_user: str | None = None
    remarks: tuple[str, ...] = field(default=())


_PLAIN: Final = Directives()


def read_directives(headers: Mapping[bytes, bytes]) -> Directives:
    """The directives of a request; a value that Chargebee does not define is ignored."""
    if not any(name.startswith(b"chargebee-") for name in headers):
        return _PLAIN
    remarks: list[str] = []

    def disabled(name: bytes) -> bool:
        value = headers.get(name)
        if value is None or value == ALL_DISABLED:
            return value is not None
        shown = value.decode("latin-1")[:_MAX_ORIGIN]
        remarks.append(f"header {name.decode()}: {shown!r} is not all-disabled; ignored")
        return False

    skip_actions = disabled(_SKIP_ACTIONS)
    skip_webhooks = disabled(_SKIP_WEBHOOKS)
    skip_emails = disabled(_SKIP_EMAILS)
    return Directives(
        webhooks=not (skip_actions or skip_webhooks),
        emails=not (skip_actions or skip_emails),
        origin_ip=_text(headers.get(_ORIGIN + b"ip")),
        origin_device=_text(headers.get(_ORIGIN + b"device")),
        origin_user=_origin_user(headers, remarks),
        remarks=tuple(remarks),
    )


def _origin_user(headers: Mapping[bytes, bytes], remarks: list[str]) -> str | None:
    encoded = headers.get(_ORIGIN + b"user-encoded")
    if encoded is None:
        return _text(headers.get(_ORIGIN + b"user"))
    try:
        return base64.b64decode(encoded, validate=True).decode("utf-8")[:_MAX_ORIGIN]
    except (binascii.Error, UnicodeDecodeError):
        remarks.append(f"header {_ORIGIN.decode()}user-encoded is not Base64 of UTF-8; ignored")
        return None


def _text(value: bytes | None) -> str | None:
    return value.decode("latin-1")[:_MAX_ORIGIN] if value else None
