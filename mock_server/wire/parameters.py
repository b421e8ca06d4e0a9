"""Typed parameters: an operation declares a model, and a form either fits it or is refused.

The first parameter that does not fit, in the order of declaration, is the one that is named.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from mock_server.wire import errors
from mock_server.wire.errors import ApiError
from mock_server.wire.form import Nested

_DIGITS: Final = re.compile(r"-?[0-9]{1,19}")
_INT64: Final = 2**63 - 1
_LATEST: Final = 253_402_300_799
"""The end of the year 9999."""
_SEPARATORS: Final = r'@\s\x00-\x1f\x7f,;:<>()\[\]\\"'
"""What separates the addresses of an e-mail's header, or quotes a part of one."""
_EMAIL: Final = rf"^[^{_SEPARATORS}]+@[^.{_SEPARATORS}]+(\.[^.{_SEPARATORS}]+)*$"
_EMAIL_FORMAT: Final[dict[str, Any]] = {"format": "email"}


class Parameters(BaseModel):
    """Base of every operation's parameters and of the groups inside them.

    A value that is empty or only white space counts as None: blank where it is required, absent
    where it is not, and cleared by an update, which tells by `model_fields_set`.
    """

    model_config = ConfigDict(defer_build=True, extra="ignore")

    @classmethod
    def read(cls, values: Nested, ignored: list[str]) -> Self:
        """The typed parameters; names that this operation does not know are added to `ignored`.

        Raises the ApiError of the first parameter that is missing or does not fit, with the
        names added all the same: one of them may be the missing parameter, mistyped.
        """
        known = cls._known(values, (), ignored)
        try:
            return cls.model_validate(known)
        except ValidationError as error:
            raise _refusal(error.errors(include_url=False)[0]) from None

    @classmethod
    def _known(cls, values: Nested, path: tuple[str, ...], ignored: list[str]) -> dict[str, Any]:
        known: dict[str, Any] = {}
        for name, value in values.items():
            declared = cls.model_fields.get(name)
            if declared is None:
                ignored.extend(_leaves(value, (*path, name)))
            elif isinstance(value, str):
                known[name] = value if value and not value.isspace() else None
            elif (group := _group(declared.annotation)) is not None:
                known[name] = group._known(value, (*path, name), ignored)
            else:
                known[name] = value
        return known


def required(limit: int) -> Any:
    """Field of a string that must be there and not be blank, of at most `limit` characters."""
    return Field(max_length=limit)


def text(limit: int) -> Any:
    """Field of an optional string of at most `limit` characters."""
    return Field(default=None, max_length=limit)


def email(limit: int) -> Any:
    """Field of an optional e-mail address: one only, of something, an @ and a domain."""
    return Field(default=None, max_length=limit, pattern=_EMAIL, json_schema_extra=_EMAIL_FORMAT)


def required_email(limit: int) -> Any:
    return Field(max_length=limit, pattern=_EMAIL, json_schema_extra=_EMAIL_FORMAT)


def number(low: int, high: int = _INT64, default: int | None = None) -> Any:
    """Field of an optional number from `low` to `high`."""
    return Field(default=default, ge=low, le=high)


def timestamp() -> Any:
    """Field of an optional `Timestamp`."""
    return Field(default=None, ge=0, le=_LATEST, json_schema_extra={"format": "unix-time"})


def _digits(value: object) -> object:
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise ValueError("not a whole number")
    return value


Integer: TypeAlias = Annotated[int, BeforeValidator(_digits)]
"""A whole number, sent as decimal digits."""

Timestamp: TypeAlias = Integer
"""Whole seconds since 1970, UTC."""


def bracketed(path: tuple[str, ...]) -> str:
    """`("shipping_address", "city")` as clients write it: `shipping_address[city]`."""
    return path[0] + "".join(f"[{step}]" for step in path[1:])


def _group(annotation: object) -> type[Parameters] | None:
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, Parameters):
            return candidate
    return None


def _leaves(value: str | Nested, path: tuple[str, ...]) -> list[str]:
    if isinstance(value, str):
        return [bracketed(path)]
    return [leaf for key, inner in value.items() for leaf in _leaves(inner, (*path, key))]


def _refusal(error: ErrorDetails) -> ApiError:
    param = bracketed(tuple(str(step) for step in error["loc"]))
    context = error.get("ctx", {})
    value = error["input"]
    match error["type"]:
        case "missing":
            return errors.cannot_be_blank(param)
        case _ if value is None:
            return errors.cannot_be_blank(param)
        case "string_too_long":
            return errors.wrong_value(
                param, f"cannot be longer than {context['max_length']} characters"
            )
        case "literal_error" if isinstance(value, str):
            allowed = context["expected"].replace("'", "").replace(" or ", ", ")
            return errors.wrong_value(param, f"The value {value} is not one of {allowed}")
        case "greater_than_equal":
            return errors.wrong_value(param, f"cannot be less than {context['ge']}")
        case "less_than_equal":
            return errors.wrong_value(param, f"cannot be greater than {context['le']}")
        case _:
            return errors.wrong_format(param)
