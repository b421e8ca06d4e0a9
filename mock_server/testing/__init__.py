"""The sandbox as a test of any framework uses it; pytest has the same as fixtures.

All but `in_process` is `pytest_chargebee_mock`'s, which can be imported where a project has a
module `mock_server` of its own.
"""

from mock_server.testing.in_process import in_process
from pytest_chargebee_mock import (
    AsyncSite,
    CallError,
    MockServer,
    NoAnswerError,
    ReceivedWebhook,
    SessionServer,
    Site,
    Snapshot,
    UndeliveredError,
    VerificationError,
    WebhookReceiver,
    create_site,
)

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
    "in_process",
]
