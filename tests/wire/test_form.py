"""The form parser, on whatever a client may send."""

from __future__ import annotations

import json
from dataclasses import asdict
from urllib.parse import urlencode

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.wire.errors import ApiError
from mock_server.wire.form import Form, nest, parse, parse_urlencoded

# A test server shares its machine: how long an example takes says nothing.
settings.register_profile("unhurried", deadline=None, max_examples=60)
settings.load_profile("unhurried")

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
PLAIN_NAME = st.text(st.characters(codec="utf-8", exclude_characters="\0[]"), min_size=1)
FIELD_NAME = st.text("AZaz09_-.:;= éß€", min_size=1)
"""What httpx2 puts into a part's header as it is; it escapes quotes and control characters."""
STEP = st.text("az09_", min_size=1, max_size=5)

URLENCODED = b"application/x-www-form-urlencoded"
BOUNDARY = b"multipart/form-data; boundary=b"
TOKENS = st.sampled_from(
    [
        b"--b",
        b"--b--",
        b"--",
        b"\r\n",
        b"\r",
        b"\n",
        b"Content-Disposition: form-data; name=",
        b'"a"',
        b"a*0*=utf-8''%E2%82%AC",
        b"; filename=x",
        b": ",
        b"\xff",
        b"\0",
        b"a[b]",
        b"text",
    ]
)


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_urlencoded_pairs_come_back_in_their_order(pairs: list[tuple[str, str]]) -> None:
    assert parse_urlencoded(urlencode(pairs).encode()) == pairs


@given(st.dictionaries(PLAIN_NAME, TEXT))
def test_an_urlencoded_body_comes_back(values: dict[str, str]) -> None:
    form = parse("POST", b"", URLENCODED, urlencode(values).encode())

    assert form == Form(values=dict(values))


@given(st.dictionaries(PLAIN_NAME, TEXT), st.dictionaries(PLAIN_NAME, TEXT))
def test_of_a_name_in_the_body_and_in_the_query_the_bodys_counts(
    body: dict[str, str], query: dict[str, str]
) -> None:
    form = parse("POST", urlencode(query).encode(), URLENCODED, urlencode(body).encode())

    assert form == Form(values={**query, **body}, ignored=[name for name in query if name in body])


@given(st.lists(st.tuples(STEP, TEXT), min_size=1))
def test_a_body_that_names_no_type_is_a_form_if_it_looks_like_one(
    pairs: list[tuple[str, str]],
) -> None:
    body = urlencode(pairs).encode()

    assert parse("POST", b"", b"", body) == parse("POST", b"", URLENCODED, body)


@given(st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.none())))
def test_json_is_never_taken_for_a_form(document: dict[str, object]) -> None:
    assert parse("POST", b"", b"", json.dumps(document).encode()) == Form(unread="")


@given(st.dictionaries(FIELD_NAME, TEXT, min_size=1))
def test_a_multipart_body_comes_back(values: dict[str, str]) -> None:
    fields = [(name, (None, value.encode())) for name, value in values.items()]
    sent = httpx2.Request("POST", "http://127.0.0.1", files=fields)

    form = parse("POST", b"", sent.headers["content-type"].encode(), sent.read())

    assert form == Form(values=dict(values))


@given(STEP, st.dictionaries(STEP, st.dictionaries(STEP, TEXT, min_size=1), min_size=1))
def test_bracketed_names_come_back_as_groups(root: str, groups: dict[str, dict[str, str]]) -> None:
    pairs = [
        (f"{root}[{group}][{step}]", value)
        for group, values in groups.items()
        for step, value in values.items()
    ]

    assert asdict(nest(pairs))["values"] == {root: groups}


@given(st.lists(TEXT))
def test_empty_brackets_number_themselves(values: list[str]) -> None:
    form = nest([("list[]", value) for value in values])

    numbered = {str(index): value for index, value in enumerate(values)}
    assert asdict(form)["values"] == ({"list": numbered} if values else {})


@given(PLAIN_NAME, st.lists(TEXT, min_size=1))
def test_of_a_repeated_name_the_first_counts_and_the_rest_is_named(
    name: str, values: list[str]
) -> None:
    form = nest([(name, value) for value in values])

    assert form == Form(values={name: values[0]}, ignored=[name] * (len(values) - 1))


@given(
    st.one_of(
        st.just(URLENCODED),
        st.just(BOUNDARY),
        st.binary(max_size=30),
        st.binary(max_size=100).map(lambda options: b"multipart/form-data;" + options),
    ),
    st.one_of(st.binary(), st.lists(TOKENS, max_size=30).map(b"".join)),
)
def test_any_bytes_are_read_or_refused(content_type: bytes, body: bytes) -> None:
    try:
        form = parse("POST", b"", content_type, body)
    except ApiError as error:
        assert error.status == 400  # noqa: PT017
    else:
        assert isinstance(form, Form)


@given(st.sampled_from(["GET", "POST"]), st.binary())
def test_any_query_is_read_or_refused(method: str, query: bytes) -> None:
    try:
        form = parse(method, query)
    except ApiError as error:
        assert error.status == 400  # noqa: PT017
    else:
        assert isinstance(form, Form)


@pytest.mark.parametrize(
    "option",
    [
        pytest.param(b"name*" + b"9" * 5000 + b"*=x", id="a continuation of 5000 digits"),
        pytest.param(b"name*=nothing''%FF", id="an unknown charset"),
        pytest.param(b'name="' + b"x" * 100_000 + b'"', id="a very long name"),
        pytest.param(b"name=", id="an empty name"),
        pytest.param(b"", id="no name"),
    ],
)
def test_an_odd_part_header_is_read_or_refused(option: bytes) -> None:
    body = b"--b\r\nContent-Disposition: form-data; " + option + b"\r\n\r\ntext\r\n--b--\r\n"

    try:
        form = parse("POST", b"", BOUNDARY, body)
    except ApiError as error:
        assert error.status == 400  # noqa: PT017
    else:
        assert list(form.values.values()) == ["text"]
