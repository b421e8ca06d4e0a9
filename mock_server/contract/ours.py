"""Our own facts, `ours.facts`: what the vendor's leave out, in which order answers have their keys.

`# adds` has attributes that answers have and the vendor's facts have not, `# values` adds to an
enum of theirs, `# names` has an attribute that v1 calls otherwise than the documents do; each has
its reason. `# order` has the keys of a resource, or of a part of it, as recorded answers have them:
`object` is what says what it is, `object=…` what a part says that it is, `cf_` the place of custom
fields. A line of another form is a ValueError.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

_REASON: Final = r"  (?:C|C-|D|A): \S.*"
_LINES: Final = {
    "adds": re.compile(
        rf"(?P<version>v[12]) (?P<path>[\w.]+)\.(?P<name>\w+) (?P<type>\S+){_REASON}"
    ),
    "values": re.compile(rf"(?P<version>v[12]) (?P<path>@E_\w+) (?P<values>\S+){_REASON}"),
    "names": re.compile(rf"(?P<path>[\w.]+)\.(?P<name>\w+) (?P<source>\w+){_REASON}"),
    "order": re.compile(
        r"(?P<version>v[12]) (?P<path>[\w.]+): (?P<keys>\w+(?:=\w+)?(?: \w+(?:=\w+)?)*)"
    ),
}
_PART: Final = "object="


@dataclass(frozen=True)
class OurFacts:
    """What our own facts say of one version."""

    added: dict[str, list[str]] = field(default_factory=dict)
    """Lines of facts by the path of what they add to: `order`, `customer.relationship`."""
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By the name of an enum's shape: the values that we add to it."""
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    """By path: the attributes that are called otherwise, and what documents call them."""
    order: dict[str, list[str]] = field(default_factory=dict)
    """By path: the keys in their order, `object` and `cf_` among them."""
    parts: dict[str, str] = field(default_factory=dict)
    """By path: the `object` of a part of a resource."""


@lru_cache
def our_facts(version: str) -> OurFacts:
    """Our facts of `v1` or `v2`."""
    return read_ours(version, Path(__file__).with_name("ours.facts").read_text("utf-8"))


def read_ours(version: str, text: str) -> OurFacts:
    """What such a text says of a version."""
    ours = OurFacts()
    section = ""
    for line in text.splitlines():
        if line.startswith("# "):
            section = line.removeprefix("# ")
            continue
        if not line:
            continue
        match = _LINES[section].fullmatch(line) if section in _LINES else None
        if match is None:
            raise ValueError(f"{line!r} is no line of ours.facts under {section!r}")
        if match.groupdict().get("version", "v1") == version:
            _add(ours, section, match)
    return ours


def _add(ours: OurFacts, section: str, line: re.Match[str]) -> None:
    path = line["path"]
    match section:
        case "adds":
            ours.added.setdefault(path, []).append(f"  {line['name']} {line['type']}")
        case "values":
            ours.values[path] = tuple(line["values"].split("|"))
        case "names":
            ours.names.setdefault(path, {})[line["name"]] = line["source"]
        case "order":
            words = line["keys"].split()
            ours.order[path] = [word.partition("=")[0] for word in words]
            part = next((word for word in words if word.startswith(_PART)), None)
            if part is not None:
                ours.parts[path] = part.removeprefix(_PART)
