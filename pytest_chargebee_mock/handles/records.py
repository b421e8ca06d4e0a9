"""Lists of what the server recorded of a site."""

from __future__ import annotations

from typing import Any

from pytest_chargebee_mock.handles.calls import Handle, Json, Mode, Steps, method


class Records(Handle[Mode]):
    """A list of records, the latest first."""

    kind: str

    def _listed(self, filters: Json) -> Steps[list[Json]]:
        """Every item, whatever the number of pages."""
        found: list[Json] = []
        offset: str | None = None
        while True:
            asked = {"limit": 1000, **filters, "offset": offset}
            page = yield self._mock("GET", f"/{self.kind}s", **asked)
            found += [item[self.kind] for item in page["list"]]
            offset = page.get("next_offset")
            if offset is None:
                return found

    @method
    def list(self, /, **filters: Any) -> Steps[list[Json]]:
        """All that fit the filters, which are those of the call under /_mock."""
        return (yield from self._listed(filters))


class Events(Records[Mode]):
    kind = "event"


class Emails(Records[Mode]):
    kind = "email"
