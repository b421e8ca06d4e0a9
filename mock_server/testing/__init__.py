"""The sandbox as a test uses it: a server, a fresh site, what was recorded on it, and proof.

With pytest, `plugin` gives the same as fixtures, and nothing needs to be imported:

    def test_an_order_is_made(chargebee_site):
        place_order(chargebee_site.base_url, chargebee_site.api_key)

        chargebee_site.requests.verify(operation="create_an_order", count=1)
"""

from mock_server.testing.in_process import in_process
from mock_server.testing.receiver import ReceivedWebhook, WebhookReceiver
from mock_server.testing.server import MockServer
from mock_server.testing.site import CallError, Site, Snapshot, VerificationError

__all__ = [
    "CallError",
    "MockServer",
    "ReceivedWebhook",
    "Site",
    "Snapshot",
    "VerificationError",
    "WebhookReceiver",
    "in_process",
]
