"""What a fault answers: an error of Chargebee's, one that was recorded, any other, or a wreck."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
)
from pydantic_core import to_json

from mock_server.sandbox.body import Text
from mock_server.wire import errors

BROKEN_ANSWERS: Final = ("cut", "half_body", "bad_json", "bad_gateway")
"""What a fault may answer that is no error of Chargebee's: see `fault_rules.NewFault.answer`."""
LIMIT_EXCEEDED: Final = ("api_request_limit_exceeded", {"recorded": "request_limit"})
"""The answers that tell a client to try again later, as Chargebee's do."""

_MAX_BODY: Final = 64 * 1024
_WITHOUT_BODY: Final = frozenset({204, 205, 304})
_RECORDED: Final = "recorded_errors.jsonl"
"""A line an error: its name, the situation, when it was seen, its grade as in docs/fidelity.md,
and its body; `completed` are the keys that were not seen, in the form of the other bodies."""


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """An answer that is sent as it stands."""

    status: int
    body: bytes
    content_type: str | None
    """None for JSON of Chargebee's, which has Chargebee's headers."""


@cache
def recorded_errors() -> dict[str, WrittenAnswer]:
    """The recorded errors by their names."""
    lines = files("mock_server.sandbox").joinpath(_RECORDED).read_text("utf-8").splitlines()
    return {
        line["name"]: WrittenAnswer(
            line["status"],
            line["body"].encode() if isinstance(line["body"], str) else to_json(line["body"]),
            line.get("content_type"),
        )
        for line in map(json.loads, lines)
    }


def _is_known(answer: str) -> str:
    if answer not in errors.CODES and answer not in BROKEN_ANSWERS:
        raise ValueError(f"is no api_error_code, nor one of {', '.join(BROKEN_ANSWERS)}")
    return answer


def _is_recorded(name: str) -> str:
    if name not in recorded_errors():
        raise ValueError(f"is none of {', '.join(recorded_errors())}")
    return name


NamedAnswer: TypeAlias = Annotated[
    Text,
    AfterValidator(_is_known),
    Field(json_schema_extra={"enum": [*errors.CODES, *BROKEN_ANSWERS]}),
]


class RecordedAnswer(BaseModel):
    """An error as the real service once answered it, by its name."""

    model_config = ConfigDict(extra="forbid")

    recorded: Annotated[
        Text,
        AfterValidator(_is_recorded),
        Field(json_schema_extra=lambda schema: schema.update(enum=list(recorded_errors()))),
    ]

    def __str__(self) -> str:
        return self.recorded

    @property
    def written(self) -> WrittenAnswer:
        return recorded_errors()[self.recorded]


class OtherAnswer(BaseModel):
    """An answer spelled out, such as a proxy's: `body` is a text, or JSON.

    `content_type` is `application/json;charset=utf-8` for JSON and `text/plain;charset=utf-8` for
    a text, unless given.
    """

    model_config = ConfigDict(extra="forbid")

    status: Annotated[int, Field(ge=200, le=599)]
    body: str | dict[str, Any] | list[Any] = ""
    content_type: Annotated[str, Field(pattern=r"^[!-~]+/[ -~]+$", max_length=200)] | None = None

    @field_validator("body")
    @classmethod
    def _can_be_sent(cls, body: Any, info: ValidationInfo) -> Any:
        try:
            sent = _sent(body)
            json.dumps(body, allow_nan=False)
        except (ValueError, RecursionError):  # half a surrogate pair, a number without end
            raise ValueError("has what neither text nor JSON can say") from None
        if len(sent) > _MAX_BODY:
            raise ValueError(f"is longer than {_MAX_BODY} bytes")
        if sent and info.data.get("status") in _WITHOUT_BODY:
            raise ValueError("is there, where an answer of this status has none")
        return body

    def __str__(self) -> str:
        return str(self.status)

    @property
    def written(self) -> WrittenAnswer:
        kind = "text/plain" if isinstance(self.body, str) else "application/json"
        content_type = self.content_type or f"{kind};charset=utf-8"
        return WrittenAnswer(self.status, _sent(self.body), content_type)


def _sent(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else to_json(body)


def _kind(answer: Any) -> str:
    if isinstance(answer, RecordedAnswer):
        return "recorded"
    if isinstance(answer, OtherAnswer):
        return "other"
    if isinstance(answer, dict):
        return "recorded" if "recorded" in answer else "other"
    return "named"


PlannedAnswer: TypeAlias = Annotated[
    Annotated[NamedAnswer, Tag("named")]
    | Annotated[RecordedAnswer, Tag("recorded")]
    | Annotated[OtherAnswer, Tag("other")],
    Discriminator(_kind),
]
