"""Whatever text comes as a parameter, it is a value or an error in Chargebee's form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from mock_server.api import v1
from mock_server.api.operation import Operation
from mock_server.contract import values
from mock_server.resources.page import asked
from mock_server.wire.errors import ApiError

TEXT = st.text(st.characters(exclude_categories=()), max_size=12) | st.sampled_from(
    [
        *(
            "",
            " ",
            "0",
            "-1",
            "007",
            "+1",
            "1_0",
            "1.0",
            "1e3",
            "true",
            "\u0663",
            "\uff11",
            "\u00b2",
            "\x00",
        ),
        *("9" * 19, "9" * 5000, str(2**63 - 1), str(2**63), "a@b.c", "a@[127", "@", '["1","2"]'),
        *('["' + "9" * 15 + '","' + "9" * 18 + '"]', '["\u0663","1"]', "\ud800", "new", "paid"),
    ]
)
NESTED: st.SearchStrategy[Any] = st.recursive(
    TEXT, lambda inner: st.dictionaries(TEXT, inner, max_size=3), max_leaves=5
)


def sent(operation: Operation) -> st.SearchStrategy[dict[str, Any]]:
    """Parameters with the operation's own names, and others."""
    own = [field.name for field in operation.fields]
    return st.dictionaries(st.sampled_from([*own, "nope"]) | TEXT, NESTED, max_size=6)


@pytest.mark.parametrize("operation", v1.OPERATIONS, ids=lambda operation: operation.name)
@given(data=st.data())
def test_any_text_is_a_value_or_a_refusal(operation: Operation, data: st.DataObject) -> None:
    refusal = None
    try:
        typed = values.read(operation.fields, data.draw(sent(operation)), [])
        if operation.known.lists:
            asked(typed)
        to_json(typed)
    except ApiError as error:
        refusal = error

    if refusal is not None:
        assert refusal.status == 400
        to_json(refusal.body())
