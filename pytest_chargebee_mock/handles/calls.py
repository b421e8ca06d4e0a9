"""Each call of the server described once, and run in two ways: blocking, or awaited.

The method of a handle is a generator: it yields the requests that it makes, is sent their answers,
and returns its result. `Blocking` and `Awaited` differ in how they send a request and in nothing
else, and the type of a handle says by which of them its methods run.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import (
    Any,
    Concatenate,
    Final,
    Generic,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    cast,
    overload,
)

import httpx2

from pytest_chargebee_mock.handles.errors import CallError, NoAnswerError

_TIMEOUT: Final = 60.0
"""Seconds for an answer, beside those that the server was asked to wait."""

Json: TypeAlias = dict[str, Any]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a site is and what opens it; without a site, the server itself.

    `ca_file` has the certificates that are trusted with https; without it, it is those of the
    machine, or of SSL_CERT_FILE.
    """

    url: str
    site: str | None = None
    api_key: str = ""
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `wait` is how many seconds the server may take beside the usual."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: tuple[str, str] | None = None
    wait: float = 0


Steps: TypeAlias = Generator[Request, Json, _T]
"""What a method does: the requests that it makes, their answers, and its result."""


class Blocking:
    """Runs each method to its end before it returns. Its connection is kept until `close`."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._client = httpx2.Client(**_options(place))

    def run(self, steps: Steps[_T]) -> _T:
        __tracebackhide__ = True
        go_on: Callable[[], Request] = partial(next, steps)
        while True:
            try:
                request = go_on()
            except StopIteration as done:
                result: _T = done.value
                return result
            try:
                with _answered(request, self.place):
                    answer = _read(self._client.request(**_sent(request)))
            except CallError as refused:
                go_on = partial(steps.throw, refused)
            else:
                go_on = partial(steps.send, answer)

    def close(self) -> None:
        self._client.close()


class Awaited:
    """Its methods are awaited, and the loop goes on while the server answers.

    Each request has a connection of its own, so there is nothing to close when the loop ends.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._options = _options(place)

    async def run(self, steps: Steps[_T]) -> _T:
        __tracebackhide__ = True
        go_on: Callable[[], Request] = partial(next, steps)
        while True:
            try:
                request = go_on()
            except StopIteration as done:
                result: _T = done.value
                return result
            try:
                with _answered(request, self.place):
                    async with httpx2.AsyncClient(**self._options) as client:
                        answer = _read(await client.request(**_sent(request)))
            except CallError as refused:
                go_on = partial(steps.throw, refused)
            else:
                go_on = partial(steps.send, answer)


Mode = TypeVar("Mode", bound=Blocking | Awaited)


class Handle(Generic[Mode]):
    """Some of a site's calls."""

    def __init__(self, calls: Mode) -> None:
        self._calls = calls

    def _api(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Request:
        """A call of Chargebee's API; `parameters` are nested as JSON would have them."""
        sent = _form(parameters or {})
        read = method == "GET"
        return Request(
            method,
            f"/api/v1{path}",
            query=sent if read else {},
            form=None if read else sent,
            headers=headers or {},
            auth=(self._calls.place.api_key, ""),
        )

    def _mock(
        self, method: str, path: str, json: Any = None, *, wait: float | None = None, **query: Any
    ) -> Request:
        """A call under /_mock about the site; a value of the query that is None is not sent."""
        asked = {"site": self._calls.place.site, "wait": wait, **query}
        return Request(
            method,
            f"/_mock{path}",
            query={name: value for name, value in asked.items() if value is not None},
            json=json,
            wait=wait or 0,
        )


class Method(Protocol[_P, _T_co]):
    """A method of a handle, as a reader of the handle's type sees it."""

    @overload
    def __get__(self, handle: Handle[Blocking], owner: Any = None) -> Callable[_P, _T_co]: ...
    @overload
    def __get__(
        self, handle: Handle[Awaited], owner: Any = None
    ) -> Callable[_P, Coroutine[Any, Any, _T_co]]: ...


class Attribute(Protocol[_T_co]):
    """An attribute that is asked of the server."""

    @overload
    def __get__(self, handle: Handle[Blocking], owner: Any = None) -> _T_co: ...
    @overload
    def __get__(self, handle: Handle[Awaited], owner: Any = None) -> Coroutine[Any, Any, _T_co]: ...


def method(describe: Callable[Concatenate[Any, _P], Steps[_T]]) -> Method[_P, _T]:
    """Makes a method of what describes its steps."""

    @wraps(describe)
    def run(handle: Handle[Any], *args: _P.args, **options: _P.kwargs) -> Any:
        __tracebackhide__ = True  # pytest shows where the method is called
        return handle._calls.run(describe(handle, *args, **options))

    return cast("Method[_P, _T]", run)


def attribute(describe: Callable[[Any], Steps[_T]]) -> Attribute[_T]:
    """Makes an attribute of what describes its steps."""
    return cast("Attribute[_T]", property(cast("Callable[[Any], Any]", method(describe))))


def ask(place: Place, request: Request) -> Json:
    """The answer to one request."""
    calls = Blocking(place)
    try:
        return calls.run(_once(request))
    finally:
        calls.close()


def only(wrapped: Json) -> Json:
    """What the one wrapper of an answer holds: `{"webhook": {…}}`."""
    (inner,) = wrapped.values()
    unwrapped: Json = inner
    return unwrapped


def _once(request: Request) -> Steps[Json]:
    return (yield request)


def _options(place: Place) -> dict[str, Any]:
    """Those of a client; without proxies, for the server is ours."""
    verify: ssl.SSLContext | bool = False  # to load certificates takes longer than a call
    if place.url.startswith("https:"):
        verify = ssl.create_default_context(cafile=place.ca_file)
    return {"base_url": place.url, "trust_env": False, "verify": verify}


def _sent(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "url": request.path,
        "params": request.query,
        "data": request.form,
        "json": request.json,
        "headers": request.headers,
        "auth": request.auth,
        "timeout": _TIMEOUT + request.wait,
    }


@contextmanager
def _answered(request: Request, place: Place) -> Iterator[None]:
    """NoAnswerError where the request gets none."""
    try:
        yield
    except httpx2.TransportError as error:
        reason = str(error) or type(error).__name__
        raise NoAnswerError(
            f"{request.method} {place.url}{request.path} got no answer: {reason}"
        ) from None


def _read(answer: httpx2.Response) -> Json:
    """The answer's JSON; CallError where it is a refusal."""
    try:
        body = answer.json()
    except ValueError:
        body = answer.text
    if not answer.is_success or not isinstance(body, dict):
        raise CallError(answer.request.method, answer.request.url.path, answer.status_code, body)
    return body


def _form(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as Chargebee's form has them: `{"a": {"b": 1}}` is `a[b]=1`."""
    sent: dict[str, str] = {}
    for name, value in parameters.items():
        if isinstance(value, dict):
            sent |= {f"{name}[{key}]": str(inner) for key, inner in value.items()}
        else:
            sent[name] = str(value)
    return sent
