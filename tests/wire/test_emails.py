"""E-mail addresses as parameters: what Chargebee takes for one, and what would be several."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.contract import values
from mock_server.contract.facts import Field
from mock_server.wire.errors import ApiError


def is_taken(address: str) -> bool:
    try:
        read: object = values.read_text(Field("email", "email", limit=70), address, "email")
    except ApiError:
        return False
    return read == address


@given(st.emails().filter(lambda address: len(address) <= 70))
def test_an_ordinary_address_is_taken(address: str) -> None:
    assert is_taken(address)


@pytest.mark.parametrize(
    "address",
    ["a@localhost", "o'hara+news@x.ie", "josé@exämple.com", "a..b@docomo.ne.jp", "世界@例え.jp"],
)
def test_an_unusual_address_is_taken(address: str) -> None:
    assert is_taken(address)


@pytest.mark.parametrize(
    "address",
    [
        "a,evil@b.c",
        "a@b.c,evil@b.c",
        "a;evil@b.c",
        "a<evil@b.c>",
        "a(b)@c.d",
        "a:b@c.d",
        "a@[127",
        "a@[127.0.0.1]",
        '"a"@b.c',
        "a\\b@c.d",
        "a\x00b@c.d",
        "a\x7f@b.c",
        "a@b.c\u2028",
        "a@b@c.d",
        "a@.b",
        "a@b..c",
        "@b.c",
        "a@",
        "a b@c.d",
    ],
)
def test_what_is_no_address_or_more_than_one_is_refused(address: str) -> None:
    assert not is_taken(address)


@given(st.text(st.sampled_from("ab.@,;:<>()[]\\\"' \t\n=?é\x1f"), max_size=12).map("a{}".format))
def test_an_address_that_is_taken_is_one_address_in_a_header(address: str) -> None:
    if is_taken(address):
        message = EmailMessage()
        message["To"] = address

        assert len(message["To"].addresses) == 1
