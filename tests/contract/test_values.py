"""A form becomes typed values, or the refusal that names its first wrong parameter."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from mock_server.contract import values
from mock_server.contract.facts import Facts, Field, Operation, facts
from mock_server.wire.errors import ApiError
from mock_server.wire.form import Nested, bracketed, nest

UNHURRIED: Final = settings(deadline=None, max_examples=60)
"""The tests share their machine: how long an example takes says nothing."""

NOTATION: Final = Facts("v2", "# operations\n# resources\n# shapes\n# enums\n")


def fields_of(*lines: str) -> tuple[Field, ...]:
    return NOTATION.fields("\n".join(lines))


def read(
    fields: Sequence[Field], sent: dict[str, str], *, takes_more: bool = False
) -> dict[str, Any]:
    """The typed values of a form by its bracketed names."""
    form = nest(list(sent.items()))
    return values.read(fields, form.values, form.ignored, takes_more=takes_more)


def refusal(
    fields: Sequence[Field], sent: dict[str, str], *, takes_more: bool = False
) -> tuple[str | None, str, str]:
    """The parameter, the code and the wording of the refusal of a form."""
    with pytest.raises(ApiError) as raised:
        read(fields, sent, takes_more=takes_more)
    assert raised.value.status == 400
    return raised.value.param, raised.value.error_code, raised.value.error_msg


BLANK: Final = ("param_required", "cannot be blank")
FORMAT: Final = ("wrong_format", "wrong format")
ESCAPED: Final = ["it's", "a\\b", "a\nb", "ä", "€", "😀"]


def wrong(message: str) -> tuple[str, str]:
    return "param_wrong_value", message


@pytest.mark.parametrize(
    ("type", "text", "value"),
    [
        ("s", " a text ", " a text "),
        ("s3", "äöü", "äöü"),
        ("s9(min 2)", "ab", "ab"),
        ("email70", "jane+x@example.com", "jane+x@example.com"),
        ("email70", "jane@localhost", "jane@localhost"),
        ("i", "-12", -12),
        ("i", "007", 7),
        ("i[1..12]", "12", 12),
        ("i64[0..]", "9223372036854775807", 2**63 - 1),
        ("i64", "-9223372036854775808", -(2**63)),
        ("n:double[0.01..100]", "0.01", 0.01),
        ("n:decimal", "-12.50", -12.5),
        ("n", "3", 3.0),
        ("b", "true", True),
        ("b", "False", False),
        ("ts", "0", 0),
        ("ts", "253402300799", 253402300799),
        ("date", "2024-02-29", "2024-02-29"),
        ("a|b", "b", "b"),
        ("map", '{"a": {"b": [1, null]}}', {"a": {"b": [1, None]}}),
        ("any", "[1.5]", [1.5]),
        ("any", '"text"', "text"),
        ("[s3]", '["a","b"]', ["a", "b"]),
        ("[s]", "['a', 'b']", ["a", "b"]),
        ("[s]", r"['it\'s', 'a\\b', 'a\nb', '\xe4', '\u20ac', '\U0001f600']", ESCAPED),
        ("[s]", """["it's", 'a']""", ["it's", "a"]),
        ("[s]", "['a, b', 1, 2.5]", ["a, b", "1", "2.5"]),
        ("[s]", "[1, 2.0, true]", ["1", "2.0", "true"]),
        ("[s]", "[]", []),
        ("[s]", '["a", "", " "]', ["a"]),
        ("[i]", "[1, 2]", [1, 2]),
        ("[a|b]", '["b"]', ["b"]),
        ("[any]", '[{"a": 1}, [2]]', [{"a": 1}, [2]]),
    ],
)
def test_a_text_becomes_a_value_of_its_type(type: str, text: str, value: Any) -> None:
    assert read(fields_of(f"  it {type}"), {"it": text}) == {"it": value}


@pytest.mark.parametrize(
    ("type", "text", "refused"),
    [
        ("s3", "abcd", wrong("cannot be longer than 3 characters")),
        ("s9(min 2)", "a", wrong("cannot be shorter than 2 characters")),
        ("email70", "jane", FORMAT),
        ("email70", "jane@", FORMAT),
        ("email70", "jane@a@b", FORMAT),
        ("email70", "ja ne@example.com", FORMAT),
        ("email9", "jane@example.com", wrong("cannot be longer than 9 characters")),
        ("i", "1.0", FORMAT),
        ("i", "1e3", FORMAT),
        ("i", " 1", FORMAT),
        ("i", "+1", FORMAT),
        ("i", "٣", FORMAT),
        ("i", "1_000", FORMAT),
        ("i", "9" * 5000, FORMAT),
        ("i64", "9223372036854775808", wrong("cannot be greater than 9223372036854775807")),
        ("i64", "-9223372036854775809", wrong("cannot be less than -9223372036854775808")),
        ("i[1..12]", "0", wrong("cannot be less than 1")),
        ("i[1..12]", "13", wrong("cannot be greater than 12")),
        ("i[1..1000000]", "1000001", wrong("cannot be greater than 1000000")),
        ("n:double[0.01..100]", "0.001", wrong("cannot be less than 0.01")),
        ("n:double[0.01..100]", "100.1", wrong("cannot be greater than 100")),
        ("n", "1e400", FORMAT),
        ("n", "nan", FORMAT),
        ("n", ".5", FORMAT),
        ("n", "9" * 400, FORMAT),
        ("b", "1", FORMAT),
        ("b", "yes", FORMAT),
        ("ts", "-1", wrong("cannot be less than 0")),
        ("ts", "253402300800", wrong("cannot be greater than 253402300799")),
        ("ts", "2024-01-01", FORMAT),
        ("date", "2024-02-30", FORMAT),
        ("date", "20240229", FORMAT),
        ("date", "2024-W01-1", FORMAT),
        ("date", "1700000000", FORMAT),
        ("a|b", "c", wrong("The value c is not one of a, b")),
        ("a|b", "A", wrong("The value A is not one of a, b")),
        ("map", "[1]", FORMAT),
        ("map", "{", FORMAT),
        ("map", "a=b", FORMAT),
        ("map", "{'a': 1}", FORMAT),
        ("map", '{"a": NaN}', FORMAT),
        ("map", '{"a": 1e999}', FORMAT),
        ("map", '{"a": "\\ud800"}', FORMAT),
        ("map", '{"\\udc00": 1}', FORMAT),
        ("map", '{"a": ' + "9" * 5000 + "}", FORMAT),
        ("map", '{"a":' * 40 + "1" + "}" * 40, FORMAT),
        ("any", "[" * 100_000, FORMAT),
        ("any", "text", FORMAT),
        ("[s]", "a", FORMAT),
        ("[s]", "a,b", FORMAT),
        ("[s]", "[a,b]", FORMAT),
        ("[s]", '{"a": 1}', FORMAT),
        ("[s]", '[["a"]]', FORMAT),
        ("[s]", "[null]", FORMAT),
        ("[s]", '["\\ud800"]', FORMAT),
        ("[s]", r"['\ud800']", FORMAT),
        ("[s]", r"['\U00110000']", FORMAT),
        ("[s]", r"['\d']", FORMAT),
        ("[s]", "['a' 'b']", FORMAT),
        ("[s]", "['a'", FORMAT),
        ("[s]", "[,]", FORMAT),
        ("[s]", "[01, 'a']", FORMAT),
        ("[s]", "['a'].sort()", FORMAT),
        ("[s]", "[" * 100_000, FORMAT),
        ("[any]", "['a'", FORMAT),
        ("[s]", json.dumps(["a"] * 1001), FORMAT),
        ("[s]", str(["a"] * 100_000), FORMAT),
    ],
)
def test_a_text_that_does_not_fit_is_refused(
    type: str, text: str, refused: tuple[str, str]
) -> None:
    assert refusal(fields_of(f"  it {type}"), {"it": text}) == ("it", *refused)


GROUPED: Final = fields_of(
    "  id s50",
    "  plan_id! s100",
    "  customer",
    "    email email70",
    "    age i[0..]",
    "  items[]",
    "    price_id! s5",
    "    quantity i[1..]",
    "    tags [s3]",
    "  coupon_ids [s4]",
)
FITTING: Final = {"plan_id": "basic"}


def test_groups_rows_and_lists_come_as_they_are_meant() -> None:
    sent = {
        "plan_id": "basic",
        "customer[email]": "jane@example.com",
        "items[price_id][0]": "day",
        "items[price_id][1]": "week",
        "items[quantity][1]": "3",
        "items[tags][0]": '["a"]',
        "items[tags][1][0]": "b",
        "coupon_ids[0]": "ten",
        "coupon_ids[1]": "five",
    }

    assert read(GROUPED, sent) == {
        "plan_id": "basic",
        "customer": {"email": "jane@example.com"},
        "items": [
            {"price_id": "day", "tags": ["a"]},
            {"price_id": "week", "quantity": 3, "tags": ["b"]},
        ],
        "coupon_ids": ["ten", "five"],
    }


def test_indexes_order_the_rows_and_may_have_holes() -> None:
    sent = FITTING | {
        "items[price_id][10]": "c",
        "items[price_id][9]": "b",
        "items[price_id][2]": "a",
        "items[quantity][9]": "9",
        "coupon_ids[999]": "z",
        "coupon_ids[3]": "y",
    }

    typed = read(GROUPED, sent)

    assert typed["items"] == [
        {"price_id": "a"},
        {"price_id": "b", "quantity": 9},
        {"price_id": "c"},
    ]
    assert typed["coupon_ids"] == ["y", "z"]


def test_brackets_without_an_index_are_numbered() -> None:
    form = nest([("coupon_ids[]", "a"), ("coupon_ids[]", "b"), ("plan_id", "x")])

    assert values.read(GROUPED, form.values, form.ignored)["coupon_ids"] == ["a", "b"]


@pytest.mark.parametrize("index", ["1000", "10000", "-1", "00", "01", "x", "1.0", "٣", " "])
def test_what_is_no_index_is_named(index: str) -> None:
    items = f"items[price_id][{index}]"
    assert refusal(GROUPED, FITTING | {items: "a"}) == (items, *FORMAT)

    coupons = f"coupon_ids[{index}]"
    assert refusal(GROUPED, FITTING | {coupons: "a"}) == (coupons, *FORMAT)


def test_ten_thousand_indexes_are_read_no_further_than_the_first_that_is_too_high() -> None:
    columns: Nested = {str(index): "day" for index in range(10_000)}
    with pytest.raises(ApiError) as raised:
        values.read(GROUPED, {**FITTING, "items": {"price_id": columns}}, [])

    assert raised.value.param == "items[price_id][1000]"


@pytest.mark.parametrize(
    ("sent", "param"),
    [
        ({"customer": "jane"}, "customer"),
        ({"items": "day"}, "items"),
        ({"items[price_id]": "day"}, "items[price_id]"),
        ({"id[a]": "x"}, "id"),
        ({"id[0]": "x"}, "id"),
        ({"customer[email][0]": "x"}, "customer[email]"),
        ({"items[price_id][0][a]": "x"}, "items[price_id][0]"),
        ({"items[price_id][a][0]": "x"}, "items[price_id][a]"),
        ({"coupon_ids[0][a]": "x"}, "coupon_ids[0]"),
        ({"coupon_ids[a][0]": "x"}, "coupon_ids[a]"),
    ],
)
def test_a_text_for_a_group_is_refused_and_a_group_for_a_text(
    sent: dict[str, str], param: str
) -> None:
    assert refusal(GROUPED, FITTING | sent) == (param, *FORMAT)


def test_a_nested_parameter_is_named_with_its_brackets() -> None:
    sent = FITTING | {"customer[email]": "jane"}
    assert refusal(GROUPED, sent) == ("customer[email]", *FORMAT)

    sent = FITTING | {"items[price_id][0]": "day", "items[quantity][0]": "none"}
    assert refusal(GROUPED, sent) == ("items[quantity][0]", *FORMAT)

    sent = FITTING | {"coupon_ids[0]": "ten", "coupon_ids[1]": "eleven"}
    refused = wrong("cannot be longer than 4 characters")
    assert refusal(GROUPED, sent) == ("coupon_ids[1]", *refused)

    sent = FITTING | {"coupon_ids": '["ten", "eleven"]'}
    assert refusal(GROUPED, sent) == ("coupon_ids[1]", *refused)


def test_what_a_row_requires_is_named_with_its_index() -> None:
    """As recorded: `subscription_items[item_price_id][0] : cannot be blank`."""
    operation = next(
        one for one in facts("v2").operations if one.name == "subscription.create_with_items"
    )

    sent = {"subscription_items[quantity][0]": "2"}
    refused = refusal(operation.fields, sent)
    assert refused == ("subscription_items[item_price_id][0]", *BLANK)


def test_of_rows_the_first_that_does_not_fit_is_named() -> None:
    sent = FITTING | {
        "items[price_id][0]": "day",
        "items[quantity][0]": "none",
        "items[price_id][1]": "too long",
    }

    assert refusal(GROUPED, sent) == ("items[quantity][0]", *FORMAT)


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_blank_counts_as_none(blank: str) -> None:
    assert read(GROUPED, FITTING | {"id": blank}) == {"plan_id": "basic", "id": None}
    assert refusal(GROUPED, {"plan_id": blank}) == ("plan_id", *BLANK)
    assert refusal(GROUPED, {}) == ("plan_id", *BLANK)

    typed = read(GROUPED, FITTING | {"customer": blank, "items": blank, "coupon_ids": blank})
    assert typed == {"plan_id": "basic", "customer": None, "items": None, "coupon_ids": None}

    typed = read(GROUPED, FITTING | {"customer[email]": blank, "customer[age]": "3"})
    assert typed["customer"] == {"email": None, "age": 3}


def test_a_blank_in_a_row_or_a_list_is_as_good_as_nothing() -> None:
    sent = FITTING | {"items[price_id][0]": "day", "items[quantity][0]": "", "items[tags]": ""}
    assert read(GROUPED, sent)["items"] == [{"price_id": "day"}]

    fields = fields_of("  addons[]", "    id s", "    quantity i")
    sent = {"addons[id][0]": "", "addons[quantity][0]": " ", "addons[id][1]": "a"}
    assert read(fields, sent) == {"addons": [{"id": "a"}]}

    assert read(GROUPED, FITTING | {"coupon_ids[0]": "", "coupon_ids[1]": "ten"}) == {
        "plan_id": "basic",
        "coupon_ids": ["ten"],
    }


def test_a_blank_that_a_row_requires_is_refused() -> None:
    sent = FITTING | {"items[price_id][0]": "day", "items[price_id][1]": ""}

    assert refusal(GROUPED, sent) == ("items[price_id][1]", *BLANK)


@pytest.mark.parametrize("sent", [{}, {"ids": ""}, {"ids[0]": ""}, {"ids": "[]"}, {"ids": '[""]'}])
def test_a_list_that_is_required_has_an_item(sent: dict[str, str]) -> None:
    assert refusal(fields_of("  ids! [s50]"), sent) == ("ids", *BLANK)


@pytest.mark.parametrize(
    "sent", [{}, {"contact": ""}, {"contact[id]": ""}, {"contact[label]": "a"}]
)
def test_what_a_group_requires_is_required_without_the_group(sent: dict[str, str]) -> None:
    fields = fields_of("  contact", "    label s", "    id! s50")

    assert refusal(fields, sent) == ("contact[id]", *BLANK)


def test_rows_that_require_something_may_be_missing_altogether() -> None:
    assert read(GROUPED, FITTING) == FITTING


def test_names_that_the_facts_do_not_know_are_told() -> None:
    form = nest(
        [
            ("plan", "basic"),
            ("customer[emial]", "x"),
            ("items[price][0]", "x"),
            ("plan_id", "x"),
            ("other[a][b]", "x"),
            ("cf_colour", "red"),
        ]
    )

    typed = values.read(GROUPED, form.values, form.ignored)

    assert typed == {"plan_id": "x", "customer": {}, "items": []}
    assert form.ignored == [
        "plan",
        "customer[emial]",
        "items[price][0]",
        "other[a][b]",
        "cf_colour",
    ]


def test_names_are_told_of_a_refusal_too() -> None:
    form = nest([("plan", "basic"), ("id", "x")])
    with pytest.raises(ApiError, match="plan_id : cannot be blank"):
        values.read(GROUPED, form.values, form.ignored)

    assert form.ignored == ["plan"]


def test_custom_fields_are_texts_where_they_are_taken() -> None:
    sent = FITTING | {"cf_colour": "red", "cf_size": " "}

    typed = read(GROUPED, sent, takes_more=True)
    assert typed == {"plan_id": "basic", "cf_colour": "red", "cf_size": None}
    refused = refusal(GROUPED, FITTING | {"cf_colour[a]": "red"}, takes_more=True)
    assert refused == ("cf_colour", *FORMAT)


# What follows holds for whatever is sent, to whatever operation.

OPERATIONS: Final = [
    operation
    for version in ("v1", "v2")
    for operation in facts(version).operations
    if operation.writes
]
TEXT: Final = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
JSON: Final = st.none() | st.booleans() | st.integers() | TEXT
SINGLE: Final[dict[str, st.SearchStrategy[Any]]] = {
    "any": st.lists(JSON, max_size=3) | JSON,
    "boolean": st.booleans(),
    "date": st.dates().map(str),
    "email": st.sampled_from(["jane@example.com", "a@b"]),
    "map": st.dictionaries(TEXT, JSON, max_size=3),
    "string": TEXT.filter(lambda text: bool(text.strip())),
    "time": st.integers(0, 253_402_300_799),
}


@st.composite
def typed_values(draw: st.DrawFn, fields: Sequence[Field]) -> dict[str, Any]:
    """Values that fit the fields: all that are required, and some of the others."""
    some = draw(st.sets(st.integers(0, len(fields) - 1), max_size=4)) if fields else ()
    return {
        field.name: draw(value_of(field))
        for place, field in enumerate(fields)
        if _requires(field) or place in some
    }


def value_of(field: Field) -> st.SearchStrategy[Any]:
    match field.type:
        case "group" if field.many:
            return st.lists(typed_values(field.fields).filter(lambda row: row != {}), max_size=3)
        case "group":
            return typed_values(field.fields)
        case "integer":
            low, high = _bounds(field, 2**63 - 1)
            single: st.SearchStrategy[Any] = st.integers(low, high)
        case "decimal":
            low, high = _bounds(field, 10**6)
            single = st.integers(low + 1, high).map(lambda number: number - 0.5)
        case "enum":
            single = st.sampled_from(field.values)
        case "string":
            single = SINGLE["string"].filter(lambda text: _fits(field, text))
            if field.shortest > 1:
                single = st.just("x" * field.shortest)
        case _:
            single = SINGLE[field.type]
    return st.lists(single, min_size=1, max_size=3) if field.many else single


def _requires(field: Field) -> bool:
    if field.type == "group" and not field.many:
        return any(_requires(inner) for inner in field.fields)
    return field.required


def _bounds(field: Field, most: int) -> tuple[int, int]:
    low = -most if field.low is None else field.low
    high = most if field.high is None else field.high
    return int(low), int(high)


def _fits(field: Field, text: str) -> bool:
    return field.shortest <= len(text) <= (field.limit or len(text))


def as_form(fields: Sequence[Field], typed: dict[str, Any], path: tuple[str, ...] = ()) -> Nested:
    """The form that an SDK would send for typed values."""
    form: Nested = {}
    for field in fields:
        if field.name not in typed:
            continue
        value = typed[field.name]
        if field.type == "group" and field.many:
            columns: dict[str, Nested] = {}
            for index, row in enumerate(value):
                for name, cell in as_form(field.fields, row).items():
                    columns.setdefault(name, {})[str(index)] = cell
            form[field.name] = {**columns}
        elif field.type == "group":
            form[field.name] = as_form(field.fields, value)
        elif field.many:
            form[field.name] = {str(index): _text(field, one) for index, one in enumerate(value)}
        else:
            form[field.name] = _text(field, value)
    return form


def _text(field: Field, value: Any) -> str:
    plain = isinstance(value, str) and field.type != "any"
    return value if plain else json.dumps(value)


@st.composite
def calls(draw: st.DrawFn) -> tuple[Operation, dict[str, Any]]:
    operation = draw(st.sampled_from(OPERATIONS))
    return operation, draw(typed_values(operation.fields))


@UNHURRIED
@given(calls())
def test_what_fits_comes_back(call: tuple[Operation, dict[str, Any]]) -> None:
    operation, typed = call
    ignored: list[str] = []

    assert values.read(operation.fields, as_form(operation.fields, typed), ignored) == typed
    assert ignored == []


def leaves(
    fields: Sequence[Field], form: Nested, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Field]]:
    """Where a form has a value of a field, in the order in which they are looked at."""
    for field in fields:
        value, place = form.get(field.name), (*path, field.name)
        if value is None:
            continue
        if field.type == "group" and field.many:
            assert isinstance(value, dict)
            rows = max((len(column) for column in value.values()), default=0)
            for index in range(rows):
                for inner in field.fields:
                    column = value.get(inner.name)
                    if isinstance(column, dict) and str(index) in column and not inner.many:
                        yield (*place, inner.name, str(index)), inner
        elif field.type == "group":
            assert isinstance(value, dict)
            yield from leaves(field.fields, value, place)
        elif field.many:
            yield from (((*place, index), field) for index in value)
        else:
            yield place, field


def put(form: Nested, path: tuple[str, ...], text: str) -> None:
    for step in path[:-1]:
        inner = form[step]
        assert isinstance(inner, dict)
        form = inner
    form[path[-1]] = text


@UNHURRIED
@given(calls(), st.data())
def test_the_first_that_does_not_fit_is_the_one_that_is_named(
    call: tuple[Operation, dict[str, Any]], data: st.DataObject
) -> None:
    operation, typed = call
    form = as_form(operation.fields, typed)
    breakable = [
        (path, field)
        for path, field in leaves(operation.fields, form)
        if field.type != "string" or field.limit
    ]
    assume(breakable)
    places = data.draw(st.sets(st.integers(0, len(breakable) - 1), min_size=1))
    for place in places:
        path, field = breakable[place]
        put(form, path, "x" * (field.limit + 1) if field.limit else "\N{SNOWMAN}")

    with pytest.raises(ApiError) as raised:
        values.read(operation.fields, form, [])

    assert raised.value.param == bracketed(breakable[min(places)][0])


ANY_TEXT: Final = TEXT | st.sampled_from(
    [
        "0",
        "1",
        "-1",
        "true",
        "9" * 19,
        "9" * 400,
        "1e999",
        "[]",
        "{}",
        '["a","b"]',
        "['a', 'b']",
        "[1, 2]",
        '["\\ud800"]',
        r"['\ud800']",
        '{"a": NaN}',
        "[" * 2000,
        "2024-02-30",
        "jane@example.com",
        "\ufeff",
    ]
)
INDEX: Final = st.integers(-1, 1001).map(str)


@st.composite
def mangled(draw: st.DrawFn, fields: Sequence[Field], levels: int = 2) -> Nested:
    """A form for the fields, and for some that are none, with whatever values and shapes."""
    names = [field.name for field in fields]
    inner = {field.name: field.fields for field in fields}
    some = draw(st.lists(st.sampled_from(names) if names else TEXT, max_size=8, unique=True))
    form: Nested = {}
    for name in [*some, *draw(st.lists(TEXT.filter(bool) | INDEX, max_size=2))]:
        if levels and draw(st.booleans()):
            form[name] = draw(mangled(inner.get(name, ()), levels - 1))
            if not form[name]:
                form[name] = {draw(INDEX): draw(ANY_TEXT)}
        else:
            form[name] = draw(ANY_TEXT)
    return form


@st.composite
def mangled_calls(draw: st.DrawFn) -> tuple[Operation, Nested]:
    operation = draw(st.sampled_from(OPERATIONS))
    return operation, draw(mangled(operation.fields))


@settings(UNHURRIED, max_examples=40)
@given(mangled_calls(), st.booleans())
def test_whatever_is_sent_is_typed_or_refused(
    call: tuple[Operation, Nested], takes_more: bool
) -> None:
    operation, form = call
    try:
        typed = values.read(operation.fields, form, [], takes_more=takes_more)
    except ApiError as error:
        assert 400 <= error.status < 500  # noqa: PT017
        json.dumps(error.body(), ensure_ascii=False).encode()
    else:
        json.dumps(typed, ensure_ascii=False, allow_nan=False).encode()


TYPES: Final = st.sampled_from(
    ["s", "s5(min 2)", "email9", "i[1..9]", "n:decimal", "b", "ts", "date", "a|b", "map", "any"]
)


@UNHURRIED
@given(TYPES, st.booleans(), ANY_TEXT | st.text(max_size=50).map(json.dumps))
@example("any", False, '"\\ud800"')
def test_whatever_text_is_typed_or_refused(type: str, many: bool, text: str) -> None:
    (field,) = fields_of(f"  it [{type}]" if many else f"  it {type}")
    try:
        typed = values.read((field,), {"it": text}, [])
    except ApiError as error:
        assert error.param is not None  # noqa: PT017
        assert error.param.startswith("it")  # noqa: PT017
    else:
        json.dumps(typed, ensure_ascii=False, allow_nan=False).encode()


@UNHURRIED
@given(st.lists(st.text().filter(str.strip), max_size=5))
def test_a_list_of_texts_is_read_in_jsons_and_in_pythons_notation(texts: list[str]) -> None:
    for written in (json.dumps(texts), str(texts)):
        assert values.read_json_list(written, "ids") == texts
