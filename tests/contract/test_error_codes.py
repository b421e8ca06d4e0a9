"""The errors that faults answer are those of Chargebee's own description of API v1."""

from __future__ import annotations

import pytest

from mock_server.wire import errors
from tests.contract.test_spec import SPEC, their_schemas

pytestmark = pytest.mark.skipif(
    not SPEC.is_file(), reason="Chargebee's description is not beside this checkout"
)


def test_the_codes_are_chargebees_with_their_status() -> None:
    described = {
        code: int(status)
        for status, schema in their_schemas().items()
        if status.isdigit()
        for code in schema["properties"]["api_error_code"]["enum"]
    }

    assert {code: status for code, (status, _) in errors.CODES.items()} == described


@pytest.mark.parametrize("code", errors.CODES)
def test_a_code_has_a_type_that_goes_with_its_status(code: str) -> None:
    status, type = errors.CODES[code]

    allowed = their_schemas()[str(status)]["properties"]["type"]["enum"]
    assert (type or "untyped") in allowed  # untyped errors send no type
