"""Rules by which the API of a site fails."""

from __future__ import annotations

from typing import Any

from pytest_chargebee_mock.handles.calls import Handle, Json, Mode, Steps, method, only


class Faults(Handle[Mode]):
    @method
    def add(self, /, **rule: Any) -> Steps[Json]:
        """A new rule; its attributes are those of `POST /_mock/faults`."""
        return only((yield self._mock("POST", "/faults", rule)))

    @method
    def list(self) -> Steps[list[Json]]:
        listed = yield self._mock("GET", "/faults")
        return [only(item) for item in listed["list"]]

    @method
    def clear(self) -> Steps[None]:
        """Remove all rules."""
        yield self._mock("DELETE", "/faults")
