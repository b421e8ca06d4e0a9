"""Fixtures as text: what comes out is plain, mistakes have their line, nothing takes for ever."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mock_server.resources import fixture, json_text, yaml_text
from mock_server.resources.fixture import FixtureError, Path

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8)
WORDS = st.sampled_from(["off", "1:30", "007", "0o7", "1e3", "2024-01-31", "~", "<<", "=", ".5"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | WORDS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_was_written_is_read_as_it_was(value: Any) -> None:
    assert yaml_text.parse(yaml_text.dump(value)) == value
    assert json_text.parse(json.dumps(value, indent=1)) == value


@given(st.text(st.characters(exclude_categories=()), max_size=30), st.booleans())
@example("!!int ''", False)
@example("!!float a", False)
@example("!!bool 1", False)
@example("!!timestamp 2024-13-45", False)
@example("&a [*a]", False)
@example("{<<: 1}", False)
@example("? {a: 1}\n: 2", False)
@example("!!float 1" + "0" * 350, False)
@example("{&a <<: {b: 1}, x: *a}", False)
@example("\ud800", False)
@example("]", True)
@example('{"a": 1, "a": "\\ud800"}', True)
def test_any_text_is_a_fixture_or_refused(text: str, is_json: bool) -> None:
    with suppress(FixtureError):
        json.dumps(fixture.read(text, is_json=is_json).value, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("1:1:1", "1:1:1"),
        ("2024-01-31", "2024-01-31"),
        ("00777", "00777"),
        ("0x1F", 31),
        ("-1.5e+3", -1500.0),
        ("!!str 1", "1"),
        ("!!float 1", 1.0),
        ("! 1", "1"),
        ("'1'", "1"),
        ("~", None),
        ("{<<: [{a: 1, b: 1}, {b: 2, c: 2}], a: 0}", {"a": 0, "b": 1, "c": 2}),
    ],
)
def test_yaml_means_what_its_versions_agree_on(text: str, value: object) -> None:
    assert yaml_text.parse(text) == value


JSON_LINES = """\
{"customers": [
 {"id": "a[]{},",
  "email": "x"}, {
  "id": "b", "billing_address": {
   "city": "q"}}],
 "orders": []}
"""
YAML_LINES = """\
customers:
- id: a
  email: x

- id: b
  billing_address: { city: q }
orders: []
"""


@pytest.mark.parametrize(
    ("path", "in_json", "in_yaml"),
    [
        ((), 1, 1),
        (("customers",), 1, 1),
        (("customers", 0), 2, 2),
        (("customers", 0, "email"), 3, 3),
        (("customers", 1), 3, 5),
        (("customers", 1, "billing_address", "city"), 5, 6),
        (("customers", 1, "created_at"), 3, 5),
        (("customers", 7), 1, 1),
        (("orders", 0), 6, 7),
        (("nothing",), 1, 1),
    ],
)
def test_a_path_has_its_line_or_its_parents(path: Path, in_json: int, in_yaml: int) -> None:
    assert json_text.line_of(JSON_LINES, path) == in_json
    assert yaml_text.line_of(YAML_LINES, path) == in_yaml


MANY = 100_000
COSTLY = {
    "JSON with many keys, one of them twice": (
        "{" + ",".join(f'"{number}":0' for number in range(MANY)) + ',"7":0}',
        "line 1: has the key 7 twice",
    ),
    "YAML of sixties": ("a: " + "1:" * 500_000 + "1", None),
    "YAML of many digits": ("a: " + "1" * 1_000_000, "line 1: a: is a number beyond 64 bits"),
    "YAML of many anchors": ("".join(f"- &a{number} 0\n" for number in range(MANY)), None),
    "a text of escapes": ('{"a": "' + "\\\\" * 1_000_000 + '"}', None),
    "a text of quotes without an end": (
        '["' + '\\"' * 4_000 + "," * 1_000_001,
        "line 1: is no JSON: Unterminated string starting at",
    ),
    "many lists": ("[" + "[]," * 2_000_000 + "0]", "line 1: holds more than 1000000 values"),
}


@pytest.mark.parametrize(("text", "refused"), COSTLY.values(), ids=COSTLY)
def test_what_a_text_costs_is_in_proportion_to_it(text: str, refused: str | None) -> None:
    started = time.perf_counter()
    try:
        fixture.read(text, is_json=text[0] in "{[")
        said = None
    except FixtureError as error:
        said = str(error)

    assert said == refused
    assert time.perf_counter() - started < 20  # the first two took minutes; a second is usual


def test_what_is_said_is_short_however_long_the_text() -> None:
    with pytest.raises(FixtureError) as refused:
        fixture.read(json.dumps({"k" * 5000: 1, "v": [float("nan")]}), is_json=True)
    assert str(refused.value) == "line 1: v[0]: is no number"

    error = FixtureError("x" * 5000, ("k" * 5000,), 1)
    assert len(str(error)) < 1000
