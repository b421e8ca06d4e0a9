"""A fault as a rule: which requests it is about, which of them it spoils, and how."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from mock_server import wildcard
from mock_server.sandbox.body import Text, Wildcard
from mock_server.sandbox.planned_answers import (
    BROKEN_ANSWERS,
    LIMIT_EXCEEDED,
    PlannedAnswer,
)
from mock_server.wire import errors
from mock_server.wire.errors import ApiError

LONGEST_DELAY: Final = 300.0
"""Seconds; what a distribution draws beyond them is cut off."""

_MAX_COUNT: Final = 1_000_000_000
_RETRY_AFTER: Final = 60
"""Seconds until Chargebee's limit resets, as its documentation has it."""

Seconds: TypeAlias = Annotated[float, Field(ge=0, le=LONGEST_DELAY)]
Moment: TypeAlias = Annotated[int, Field(ge=0, le=253_402_300_799)]
"""Whole seconds since 1970 on the site's clock."""
Count: TypeAlias = Annotated[int, Field(ge=1, le=_MAX_COUNT)]
Patterns: TypeAlias = Annotated[dict[Text, Wildcard | None], Field(max_length=100)]
"""Values by name; None for absence."""


class Uniform(BaseModel):
    """Seconds between `low` and `high`, each as likely as the other."""

    model_config = ConfigDict(extra="forbid")

    distribution: Literal["uniform"]
    low: Seconds
    high: Seconds

    @field_validator("high")
    @classmethod
    def _not_below_low(cls, high: float, info: ValidationInfo) -> float:
        if high < info.data.get("low", 0):
            raise ValueError("is less than low")
        return high

    def draw(self, chance: random.Random) -> float:
        return chance.uniform(self.low, self.high)


class Lognormal(BaseModel):
    """Seconds as networks have them: half of them below `median`, with a long tail above.

    `sigma` is the standard deviation of their logarithm; 0.5 is a calm network, 2 a bad one.
    """

    model_config = ConfigDict(extra="forbid")

    distribution: Literal["lognormal"]
    median: Seconds
    sigma: Annotated[float, Field(ge=0, le=5)]

    def draw(self, chance: random.Random) -> float:
        return self.median * chance.lognormvariate(0, self.sigma)


def _kind_of_delay(delay: Any) -> str:
    named = delay.get("distribution") if isinstance(delay, dict) else delay
    if isinstance(named, Uniform | Lognormal):
        return named.distribution
    return named if isinstance(named, str) else "fixed"


Delay: TypeAlias = Annotated[
    Annotated[Seconds, Tag("fixed")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[Lognormal, Tag("lognormal")],
    Discriminator(
        _kind_of_delay,
        custom_error_type="delay",
        custom_error_message="Give seconds, or a distribution: uniform or lognormal",
    ),
]


class NewFault(BaseModel):
    """A rule to be made. A request must have all that is named; without any, each request has it.

    `method`, `path`, `operation`, `params` and `headers` say which requests; in a path and in
    values `*` stands for any characters, and null asks that a parameter or header is not there.
    `start_time` and `end_time` say when, on the site's clock; both seconds are included. Of
    the requests that match, the first `skip` pass; of the others each `every`-th is spoiled with
    this `probability`, and no more than `times` in all. `seed` makes what is drawn repeatable.

    `answer` is an `api_error_code` of Chargebee's, or `cut` (no answer: the connection ends),
    `half_body` (the connection ends in the middle of the body), `bad_json` (a body that is no
    JSON) or `bad_gateway` (an empty 502, as proxies send it); or an object: `recorded` names an
    error that the real service answered, `status`, `body` and `content_type` spell out any other.
    Without it only `delay`, in seconds, is added. With `after` the request is carried out first:
    only its answer is delayed or lost.

    With an `api_error_code`, `message`, `param`, `error_code` and `type` are the error's, where
    they are not to be as usual; a `type` of null leaves it out.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"operation": "create_an_order", "times": 1, "answer": "lock_timeout"}
        },
    )

    method: Literal["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"] | None = None
    path: Annotated[Wildcard, Field(pattern=r"^(/api/|\*)")] | None = None
    operation: Text | None = None
    params: Patterns = {}
    headers: Patterns = {}
    start_time: Moment | None = None
    end_time: Moment | None = None

    skip: Annotated[int, Field(ge=0, le=_MAX_COUNT)] = 0
    every: Count = 1
    times: Count | None = None
    probability: Annotated[float, Field(ge=0, le=1)] = 1
    seed: Annotated[int, Field(ge=0, le=2**53)] | None = None

    delay: Delay | None = None
    answer: Annotated[PlannedAnswer | None, Field(validate_default=True)] = None
    after: bool = False
    message: Annotated[Text, Field(min_length=1)] | None = None
    param: Annotated[Text, Field(min_length=1, max_length=100)] | None = None
    error_code: Annotated[Text, Field(min_length=1, max_length=100)] | None = None
    type: Literal["invalid_request", "operation_failed", "payment"] | None = None
    retry_after: Annotated[int, Field(ge=0, le=86_400)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_chargebee_limits(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("answer") in LIMIT_EXCEEDED:
            return {"retry_after": _RETRY_AFTER, **given}
        return given

    @field_validator("end_time")
    @classmethod
    def _not_before_the_start(cls, end: int | None, info: ValidationInfo) -> int | None:
        start = info.data.get("start_time")
        if end is not None and start is not None and end < start:
            raise ValueError("is less than start_time")
        return end

    @field_validator("answer")
    @classmethod
    def _does_something(cls, answer: Any, info: ValidationInfo) -> Any:
        if answer is None and info.data.get("delay", 0) is None:
            raise ValueError("is missing, and so is a delay")
        return answer

    @field_validator("message", "param", "error_code", "type")
    @classmethod
    def _of_an_error(cls, value: Any, info: ValidationInfo) -> Any:
        answer = info.data.get("answer")
        if value is not None and (answer in BROKEN_ANSWERS or not isinstance(answer, str)):
            raise ValueError("goes with an api_error_code as answer only")
        return value

    @field_validator("retry_after")
    @classmethod
    def _of_an_answer(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and info.data.get("answer") in (None, *BROKEN_ANSWERS):
            raise ValueError("goes with an answer that comes as a whole only")
        return value


@dataclass(frozen=True, slots=True)
class Asked:
    """What rules ask of a request: `now` is on the site's clock, names of headers in lower case."""

    method: str
    path: str
    operation: str | None
    params: Mapping[str, str]
    headers: Mapping[str, str]
    now: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was made."""

    id: str
    given: NewFault

    def matches(self, asked: Asked) -> bool:
        given = self.given
        return (
            given.method in (None, asked.method)
            and given.operation in (None, asked.operation)
            and (given.path is None or wildcard.fits(given.path, asked.path))
            and (given.start_time is None or int(asked.now) >= given.start_time)
            and (given.end_time is None or int(asked.now) <= given.end_time)
            and _all_match(given.params, asked.params)
            and _all_match({name.lower(): p for name, p in given.headers.items()}, asked.headers)
        )

    def fires(self, number: int, fired: int) -> bool:
        """Whether it spoils its match of this number (from 1), having spoiled `fired` before."""
        given = self.given
        counted = number - given.skip
        return (
            counted > 0
            and counted % given.every == 0
            and (given.times is None or fired < given.times)
            and self._chance("fires", number).random() < given.probability
        )

    def delay(self, number: int) -> float:
        """Seconds by which it holds up its match of this number."""
        delay = self.given.delay
        if not isinstance(delay, Uniform | Lognormal):
            return delay or 0.0
        return min(delay.draw(self._chance("delay", number)), LONGEST_DELAY)

    def error(self) -> ApiError:
        """The error that it answers, where `answer` is an `api_error_code`."""
        given, code = self.given, self.given.answer
        assert isinstance(code, str)
        status, usual_type = errors.CODES[code]
        return ApiError(
            status,
            code,
            given.message or _wording(code),
            type=given.type if "type" in given.model_fields_set else usual_type,
            param=given.param,
            error_code=given.error_code,
            headers=self.headers,
        )

    @property
    def headers(self) -> dict[str, str]:
        """The headers that its answer has beside those of every answer."""
        seconds = self.given.retry_after
        return {} if seconds is None else {"Retry-After": str(seconds)}

    def _chance(self, what: str, number: int) -> random.Random:
        """Chance that depends on the seed and the match alone, not on who answers it, or when."""
        return random.Random(f"{self.given.seed} {what} {number}")  # noqa: S311


def _wording(api_error_code: str) -> str:
    words = api_error_code.replace("_", " ").replace("api ", "API ")
    return words[0].upper() + words[1:]


def _all_match(patterns: Patterns, values: Mapping[str, str]) -> bool:
    return all(_match(pattern, values.get(name)) for name, pattern in patterns.items())


def _match(pattern: str | None, value: str | None) -> bool:
    if pattern is None or value is None:
        return pattern is value
    return wildcard.fits(pattern, value)
