"""Chargebee's parameters: form bodies and query strings into nested values.

`shipping_address[city]=Oslo` becomes `{"shipping_address": {"city": "Oslo"}}` and
`addons[id][0]=a` becomes `{"addons": {"id": {"0": "a"}}}`. Everything malformed is refused with
an ApiError of status 400 or 413; nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from mock_server.wire import errors
from mock_server.wire.ceiling import exceeds

Nested: TypeAlias = "dict[str, str | Nested]"

MAX_BODY: Final = 1 << 20
"""Bytes of a request body."""
MAX_PARAMETERS: Final = 1000
MAX_DEPTH: Final = 4
"""Brackets in one name; Chargebee itself uses two."""

URLENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"

_LONGEST_TYPE: Final = 100
"""Characters of a media type that are worth telling."""

_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NAME: Final = re.compile(r"\w[\w.-]*(\[[^\[\]]*\])*", re.ASCII)
"""What names of parameters look like; no JSON and no XML begins like this."""
_BRACKETED: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")


@dataclass(slots=True)
class Form:
    """What a request carried: nested values and the names that were not used.

    `unread` is the media type of a body that Chargebee does not read ("" when it named none);
    None when there was no such body.
    """

    values: Nested = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    unread: str | None = None


async def read_body(receive: Receive, declared: bytes | None) -> bytes:
    """The whole body of a request, at most MAX_BODY bytes; a longer one is refused (413).

    ClientDisconnect where the client left before all of it was there.
    """
    if declared is not None and exceeds(declared, MAX_BODY):
        raise errors.body_too_large(MAX_BODY)
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise errors.body_too_large(MAX_BODY)
        more = message.get("more_body", False)
    return body


def parse(method: str, query: bytes, content_type: bytes = b"", body: bytes = b"") -> Form:
    """The parameters of a request: those of its query, and of a POST first those of its body.

    Of a name that is in both, the body's value counts.
    """
    if method != "POST":
        return nest(parse_urlencoded(query))
    pairs, unread = _parse_body(content_type, body)
    if query:
        pairs += parse_urlencoded(query)
        if len(pairs) > MAX_PARAMETERS:
            raise _too_many()
    form = nest(pairs)
    form.unread = unread
    return form


def _parse_body(content_type: bytes, body: bytes) -> tuple[list[tuple[str, str]], str | None]:
    """Names and values of a body, by the media type that is named; that type where it is not read.

    Some clients name none, and send a form all the same.
    """
    if content_type == b"application/x-www-form-urlencoded":  # what clients send, nearly always
        return parse_urlencoded(body), None
    media_type = content_type.decode("latin-1").partition(";")[0].strip().lower()
    if media_type == URLENCODED:
        return parse_urlencoded(body), None
    if media_type == MULTIPART:
        return _parse_multipart(content_type, body), None
    if not body:
        return [], None
    if not media_type and (pairs := _parse_unnamed(body)):
        return pairs, None
    return [], media_type[:_LONGEST_TYPE]


def _parse_unnamed(body: bytes) -> list[tuple[str, str]]:
    """Names and values of a body whose type is not named; none where it looks like no form."""
    try:
        pairs = parse_urlencoded(body)
    except errors.ApiError:
        return []
    is_form = b"=" in body and all(_NAME.fullmatch(name) for name, _ in pairs)
    return pairs if is_form else []


def parse_urlencoded(encoded: bytes) -> list[tuple[str, str]]:
    """Names and values of a query string or an urlencoded body, in the order sent."""
    try:
        text = encoded.decode("utf-8")
        if "%" in text and _BROKEN_ESCAPE.search(text):
            raise errors.wrong_format(None, "A % in the parameters is not followed by two digits")
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except UnicodeDecodeError:
        raise errors.wrong_format(None, "The parameters are not valid UTF-8") from None
    except ValueError:
        raise _too_many() from None
    return pairs


def nest(pairs: list[tuple[str, str]]) -> Form:
    """Bracketed names into nested values.

    Of a name sent twice the first value counts and the name is listed as ignored. A name whose
    brackets make no sense stays as it is, and so is no parameter of any operation.
    """
    form = Form()
    values = form.values
    for name, value in pairs:
        if "\0" in value or "\0" in name:
            raise errors.wrong_format(name.replace("\0", ""), "has a NUL character")
        if "[" not in name:
            if name not in values:
                values[name] = value
            elif isinstance(values[name], str):
                form.ignored.append(name)
            else:
                raise _plain_and_nested(name)
        elif (match := _BRACKETED.fullmatch(name)) is None:
            form.ignored.append(name)
        else:
            _put(form, name, match[1], match[2][1:-1].split("]["), value)
    return form


def flatten(values: Nested) -> dict[str, str]:
    """Nested values by their bracketed names: what `nest` was made of."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, str):
            flat[name] = value
            continue
        for path, inner in flatten(value).items():
            step, bracket, rest = path.partition("[")
            flat[f"{name}[{step}]{bracket}{rest}"] = inner
    return flat


def bracketed(path: tuple[str, ...]) -> str:
    """`("shipping_address", "city")` as clients write it: `shipping_address[city]`."""
    return path[0] + "".join(f"[{step}]" for step in path[1:])


def _put(form: Form, name: str, root: str, path: list[str], value: str) -> None:
    if len(path) > MAX_DEPTH:
        raise errors.wrong_format(name, f"has more than {MAX_DEPTH} levels of brackets")
    node = form.values
    for step in (root, *path[:-1]):
        child = node.setdefault(step, {})
        if isinstance(child, str):
            raise _plain_and_nested(name)
        node = child
    last = path[-1] or str(len(node))  # `a[]=x&a[]=y` numbers itself
    if last not in node:
        node[last] = value
    elif isinstance(node[last], str):
        form.ignored.append(name)
    else:
        raise _plain_and_nested(name)


def _parse_multipart(content_type: bytes, body: bytes) -> list[tuple[str, str]]:
    _, options = parse_options_header(content_type)
    if not options.get(b"boundary"):
        raise errors.wrong_format(None, "The multipart body names no boundary")

    pairs: list[tuple[str, str]] = []
    header = bytearray()
    disposition = bytearray()
    content = bytearray()
    complete = False

    def on_part_begin() -> None:
        disposition.clear()
        content.clear()

    def on_header_field(data: bytes, start: int, end: int) -> None:
        header.extend(data[start:end])

    def on_header_value(data: bytes, start: int, end: int) -> None:
        if bytes(header).lower() == b"content-disposition":
            disposition.extend(data[start:end])

    def on_part_data(data: bytes, start: int, end: int) -> None:
        content.extend(data[start:end])

    def on_part_end() -> None:
        _, described = parse_options_header(bytes(disposition))
        name = described.get(b"name", b"").decode("utf-8")
        if b"filename" in described:
            raise errors.wrong_format(name or None, "is a file, where a text is expected")
        pairs.append((name, content.decode("utf-8")))
        if len(pairs) > MAX_PARAMETERS:
            raise _too_many()

    def on_end() -> None:
        nonlocal complete
        complete = True

    try:
        parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": on_part_begin,
                "on_header_field": on_header_field,
                "on_header_value": on_header_value,
                "on_header_end": header.clear,
                "on_part_data": on_part_data,
                "on_part_end": on_part_end,
                "on_end": on_end,
            },
        )
        parser.write(body)
        parser.finalize()
    except UnicodeDecodeError:
        raise errors.wrong_format(None, "The parameters are not valid UTF-8") from None
    except FormParserError:
        complete = False
    if not complete:
        raise errors.wrong_format(None, "The multipart body is broken")
    return pairs


def _plain_and_nested(name: str) -> errors.ApiError:
    return errors.wrong_format(name, "is sent both as a value and as a group")


def _too_many() -> errors.ApiError:
    return errors.wrong_format(None, f"There are more than {MAX_PARAMETERS} parameters")
