"""The sandbox as a test uses it: a server, a fresh site, what was recorded on it, and proof.

With pytest, its fixtures give all of this, and nothing needs to be imported:

    def test_an_order_is_made(chargebee_site):
        place_order(chargebee_site.base_url, chargebee_site.api_key)

        chargebee_site.requests.verify(operation="create_an_order", count=1)

This package imports nothing called `mock_server`, as many a project has a module of that name for
itself. What it has is imported with its first use, for pytest loads it in every run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pytest_chargebee_mock.handles.errors import (
        CallError,
        NoAnswerError,
        UndeliveredError,
        VerificationError,
    )
    from pytest_chargebee_mock.handles.site import AsyncSite, Site, Snapshot, create_site
    from pytest_chargebee_mock.receiver import ReceivedWebhook, WebhookReceiver
    from pytest_chargebee_mock.server import MockServer
    from pytest_chargebee_mock.session import SessionServer

__all__ = [
    "AsyncSite",
    "CallError",
    "MockServer",
    "NoAnswerError",
    "ReceivedWebhook",
    "SessionServer",
    "Site",
    "Snapshot",
    "UndeliveredError",
    "VerificationError",
    "WebhookReceiver",
    "create_site",
]

_MODULES: Final = {
    "handles.errors": ("CallError", "NoAnswerError", "UndeliveredError", "VerificationError"),
    "handles.site": ("AsyncSite", "Site", "Snapshot", "create_site"),
    "receiver": ("ReceivedWebhook", "WebhookReceiver"),
    "server": ("MockServer",),
    "session": ("SessionServer",),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
