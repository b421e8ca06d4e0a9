"""The files of facts are read whole, and what they name is there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from mock_server import contract
from mock_server.contract.facts import VERSIONS, Facts, Field, Shown, facts

OPERATIONS: Final = {"v1": 104, "v2": 502}
PLAIN: Final = {"batch_id", "expires_at", "failed_events", "scheduled_at", "success"}
"""What answers hold beside resources."""

FACTS: Final = Path(contract.__file__).parent
WRITTEN: Final = re.compile(r"(?P<indent> +)(?:\?(?P<inner> *))?(?P<name>[\w-]+)")

Names: TypeAlias = "list[tuple[str, Names]]"


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    named: str = request.param
    return named


def blocks(version: str) -> Iterator[tuple[str, list[str]]]:
    """The lines of a file that are not indented, each with the lines below it that are."""
    head, below = "", list[str]()
    for line in (FACTS / f"{version}.facts").read_text("utf-8").splitlines():
        if line.startswith(" "):
            below.append(line)
            continue
        yield head, below
        head, below = line, []
    yield head, below


def written(lines: Sequence[str]) -> Names:
    """The names in lines of facts, nested as the lines are."""
    names: Names = []
    open_: list[tuple[int, Names]] = [(0, names)]
    for line in lines:
        if line.strip() == "*":
            continue
        match = WRITTEN.match(line)
        assert match is not None, line
        depth = len(match["indent"]) + len(match["inner"] or "")
        while open_[-1][0] >= depth:
            open_.pop()
        below: Names = []
        open_[-1][1].append((match["name"], below))
        open_.append((depth, below))
    return names


def assert_read(fields: Sequence[Field], names: Names) -> None:
    """The fields are those of the names; below a name that is a reference are more fields."""
    assert [field.name for field in fields] == [name for name, _ in names]
    for field, (_, below) in zip(fields, names, strict=True):
        if below:
            assert field.type == "group"
            assert_read(field.fields, below)


def walk(fields: Sequence[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from walk(field.fields)


def test_every_operation_is_read_with_every_line_below_it(version: str) -> None:
    heads = {head: below for head, below in blocks(version) if head.startswith(("GET ", "POST "))}
    operations = facts(version).operations

    assert len(operations) == len(heads) == OPERATIONS[version]
    for operation, (head, below) in zip(operations, heads.items(), strict=True):
        assert head.startswith(f"{operation.method} {operation.path}  {operation.name} ->")
        assert operation.deprecated == head.endswith(" ~")
        assert operation.takes_more == ("  *" in below)
        assert_read(operation.fields, written(below))


def test_every_resource_is_read_with_every_line_below_it(version: str) -> None:
    heads = {head[:-1]: below for head, below in blocks(version) if head.endswith(":")}
    read = facts(version)

    assert list(read.kinds.values()) == list(heads)
    for kind, name in read.kinds.items():
        assert_read(read.resource(kind), written(heads[name]))


def test_every_shape_is_read_where_it_is_named(version: str) -> None:
    heads = {head: below for head, below in blocks(version) if head.startswith("@")}
    read = Facts(version, (FACTS / f"{version}.facts").read_text("utf-8"))

    for name, below in heads.items():
        (field,) = read.fields(f"  one {name}")
        if name.startswith("@E_"):
            assert [f"  {'|'.join(field.values)}"] == below
        else:
            assert_read(field.fields, written(below))


def test_every_enum_is_read_where_it_is_named(version: str) -> None:
    enums = [head.split() for head, _ in blocks(version) if head.startswith("enum ")]

    for _, name, values in enums:
        (field,) = facts(version).fields(f"  one enum:{name[:-1]}")
        assert field == Field("one", "enum", values=tuple(values.split("|")))


def test_a_file_has_no_other_lines(version: str) -> None:
    known = re.compile(r"(GET|POST) .*|@?\w+:?|enum .*|# (operations|resources|shapes|enums)|")
    heads = [head for head, _ in blocks(version)]

    assert [head for head in heads if not known.fullmatch(head)] == []
    assert [head for head, times in Counter(heads).items() if times > 1] == []


def test_every_shape_is_named_somewhere(version: str) -> None:
    shapes = {head for head, _ in blocks(version) if head.startswith("@")}
    named = {
        name
        for _, below in blocks(version)
        for line in below
        for name in re.findall(r" (@\w+)", line)
    }

    assert shapes == named


def test_every_resource_that_an_attribute_holds_is_there(version: str) -> None:
    read = facts(version)
    held = {field.resource for kind in read.kinds for field in walk(read.resource(kind))} - {None}

    assert held <= read.kinds.keys()


def test_no_two_fields_of_a_group_have_the_same_name(version: str) -> None:
    read = facts(version)
    groups = [
        *(operation.fields for operation in read.operations),
        *(read.resource(kind) for kind in read.kinds),
    ]
    groups += [field.fields for group in groups for field in walk(group) if field.fields]

    for group in groups:
        assert len({field.name for field in group}) == len(group)


def test_a_row_holds_no_groups(version: str) -> None:
    """A form sends rows by column, and has no place for a group inside one."""
    for operation in facts(version).operations:
        for rows in walk(operation.fields):
            if rows.many:
                assert all(field.type != "group" for field in rows.fields), operation.name


def test_a_default_is_a_value_that_the_field_may_have(version: str) -> None:
    read = facts(version)

    for operation in read.operations:
        for field in walk(operation.fields):
            if field.default is not None and field.values:
                assert field.default in field.values, operation.name


def test_no_two_operations_have_the_same_name_or_path(version: str) -> None:
    operations = facts(version).operations

    assert len({operation.name for operation in operations}) == len(operations)
    assert len({(one.method, one.template) for one in operations}) == len(operations)


def test_a_path_is_its_template_with_the_names_of_its_ids(version: str) -> None:
    for operation in facts(version).operations:
        assert len(set(operation.ids)) == len(operation.ids), operation.path
        filled = operation.template
        for id in operation.ids:
            filled = filled.replace("{}", f"{{{id}}}", 1)
        assert filled == operation.path


def test_an_answer_holds_resources_and_few_plain_values(version: str) -> None:
    read = facts(version)
    plain = set()

    for operation in read.operations:
        for shown in operation.shown:
            if shown.field is None:
                assert shown.kind in read.kinds, operation.name
            else:
                plain.add(shown.name)
        assert not operation.lists or operation.shown, operation.name
    assert plain == (PLAIN if version == "v2" else set())


def test_only_what_the_vendor_gives_no_answer_shows_nothing(version: str) -> None:
    silent = [operation.name for operation in facts(version).operations if not operation.shown]

    assert silent == (["offer_event.offer_events"] if version == "v2" else [])


EXAMPLE: Final = Facts(
    "v2",
    """\
# operations
POST /orders/{order_id}/items/{id}  order.change -> order, items[]?, due_at ts, codes [s]
  note s600
  *
GET /orders  order.list -> list(order, item?) ~
  ?status
  ?  is @E_status
POST /pings  ping.send ->
# resources
Order:
  id! s40
  items[]
    name s
Item:
  id! s40
# shapes
@E_status
  new|done
@size
  width i
# enums
enum Colour: red|green
""",
)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("name s", Field("name", "string")),
        ("name! s50", Field("name", "string", required=True, limit=50)),
        ("name s50(min 4)", Field("name", "string", limit=50, shortest=4)),
        ("name s(min 1)", Field("name", "string", shortest=1)),
        ("on s /^a=b c$/", Field("on", "string", pattern="^a=b c$")),
        ("name s=any thing", ValueError),
        ('name s50="*"', Field("name", "string", limit=50, default="*")),
        ("email email70", Field("email", "email", limit=70)),
        ("count i", Field("count", "integer")),
        ("count i[1..]=1", Field("count", "integer", low=1, default="1")),
        ("count i64[-5..240]", Field("count", "integer", low=-5, high=240)),
        ("rate n:double[0.01..100]", Field("rate", "decimal", low=0.01, high=100)),
        ("rate n:decimal", Field("rate", "decimal")),
        ("at ts", Field("at", "time")),
        ("day date", Field("day", "date")),
        ("on b=false", Field("on", "boolean", default="false")),
        ("by a|b", Field("by", "enum", values=("a", "b"))),
        ('by a|b="a"', Field("by", "enum", values=("a", "b"), default="a")),
        ('by "date"', Field("by", "enum", values=("date",))),
        ("by dates", ValueError),
        ("by @E_status", Field("by", "enum", values=("new", "done"))),
        ("by enum:Colour", Field("by", "enum", values=("red", "green"))),
        ("names [s100]", Field("names", "string", many=True, limit=100)),
        ("names [a|b]", Field("names", "enum", many=True, values=("a", "b"))),
        ("extra map", Field("extra", "map")),
        ("extra any", Field("extra", "any")),
        ("size @size", Field("size", "group", fields=(Field("width", "integer"),))),
        ("sizes[] @size", Field("sizes", "group", many=True, fields=(Field("width", "integer"),))),
        ("order Order", Field("order", "group", resource="order")),
        ("orders [Order]", Field("orders", "group", many=True, resource="order")),
        ("old s ~", Field("old", "string", deprecated=True)),
        ("old b=true ~", Field("old", "boolean", default="true", deprecated=True)),
        ("?id filter", Field("id", "filter")),
        ("size @none", KeyError),
        ("by enum:None", KeyError),
        ("name string", ValueError),
        ("name  s", ValueError),
        ("name", ValueError),
        ("name ~", ValueError),
        ("a name of four words", ValueError),
    ],
)
def test_a_line_is_understood_as_its_notation_says(
    line: str, field: Field | type[Exception]
) -> None:
    if isinstance(field, Field):
        assert EXAMPLE.fields(f"  {line}") == (field,)
    else:
        with pytest.raises(field):
            EXAMPLE.fields(f"  {line}")


def test_lines_that_are_further_in_are_the_fields_of_a_group() -> None:
    text = "  box[]! ~\n    size\n      width i\n    name s\n  note s"

    width = Field("width", "integer")
    inner = (Field("size", "group", fields=(width,)), Field("name", "string"))
    box = Field("box", "group", many=True, required=True, fields=inner, deprecated=True)
    assert EXAMPLE.fields(text) == (box, Field("note", "string"))


def test_a_group_has_no_other_type() -> None:
    with pytest.raises(ValueError, match="box s"):
        EXAMPLE.fields("  box s\n    width i")


def test_an_operation_is_its_line_and_what_stands_below_it() -> None:
    change, listing, ping = EXAMPLE.operations
    status = Field("status", "group", fields=(Field("is", "enum", values=("new", "done")),))

    assert (change.method, change.path, change.name) == (
        "POST",
        "/orders/{order_id}/items/{id}",
        "order.change",
    )
    assert (change.template, change.ids) == ("/orders/{}/items/{}", ("order_id", "id"))
    assert (change.writes, change.lists, change.takes_more) == (True, False, True)
    assert (listing.writes, listing.lists, listing.takes_more) == (False, True, False)
    assert [one.deprecated for one in (change, listing, ping)] == [False, True, False]
    assert change.fields == (Field("note", "string", limit=600),)
    assert listing.fields == (status,)
    assert [shown.name for shown in change.shown] == ["order", "items", "due_at", "codes"]
    assert [shown.name for shown in listing.shown] == ["order", "item"]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("", ()),
        ("order, item?", (Shown("order", "order"), Shown("item", "item", optional=True))),
        ("items[]", (Shown("items", "item", many=True),)),
        ("items[]?", (Shown("items", "item", many=True, optional=True),)),
        ("due_at ts", (Shown("due_at", "due_at", field=Field("due_at", "time")),)),
        (
            "codes [s]",
            (Shown("codes", "codes", many=True, field=Field("codes", "string", many=True)),),
        ),
        ("due_at", ValueError),
        ("order,item", ValueError),
        ("lists[]", ValueError),
    ],
)
def test_an_answer_holds_what_its_notation_says(answer: str, shown: Any) -> None:
    if isinstance(shown, tuple):
        assert EXAMPLE.shown(answer) == shown
    else:
        with pytest.raises(shown):
            EXAMPLE.shown(answer)
