"""Paths of the API: a walk over their segments, which costs the same however many there are.

Empty segments do not count, so a slash at the end does not either. An id is one segment, as
Chargebee documents it; where no path fits that way, it may be several, as some SDKs send the
slashes of an id as they are, if that leads to something that takes the request: else a slip after
an id would be read as part of it. Literals come before ids, and an id ends as early as it can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from urllib.parse import unquote_to_bytes

Target = TypeVar("Target")

MOST_SLASHES: Final = 100
"""Slashes in a path that is looked for; no id has more than 50 of them."""


@dataclass(frozen=True, slots=True)
class Match(Generic[Target]):
    """What a path leads to, and the ids in it, in their order."""

    target: Target
    ids: tuple[str, ...]
    joined: bool = False
    """Whether an id in it has several segments: a slash in it was sent as it is."""


class Routes(Generic[Target]):
    """Targets by the templates of their paths, such as `/api/v1/orders/{order-id}`."""

    def __init__(self, targets: Mapping[str, Target]) -> None:
        self._root: _Node[Target] = _Node()
        for template, target in targets.items():
            node = self._root
            for segment in _split(template.encode()):
                node = node.child(None if segment.startswith("{") else segment)
            node.target = target

    def find(self, path: bytes, takes: Callable[[Target], bool]) -> Match[Target] | None:
        """What a path, as it was sent, leads to; None where there is no such path.

        `takes` says whether a target has to do with the request, of which an id may then have
        several segments.
        """
        if path.count(b"/") > MOST_SLASHES:
            return None
        segments = _split(path)
        walk: _Walk[Target] = _Walk(segments)  # `_Walk[Target](…)` costs four times as much
        found = walk.go(self._root)
        return found or _Walk(segments, takes).go(self._root)


def _split(path: bytes) -> list[str]:
    """The segments of a path, each unescaped."""
    return [
        (unquote_to_bytes(segment) if b"%" in segment else segment).decode("utf-8", "replace")
        for segment in path.split(b"/")
        if segment
    ]


class _Node(Generic[Target]):
    """A place in the tree of templates; `of_id` is what follows an id there."""

    __slots__ = ("literals", "of_id", "target")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[Target]] = {}
        self.of_id: _Node[Target] | None = None
        self.target: Target | None = None

    def child(self, literal: str | None) -> _Node[Target]:
        """The node below this one, of an id where there is no literal; made when it is new."""
        if literal is not None:
            return self.literals.setdefault(literal, _Node())
        if self.of_id is None:
            self.of_id = _Node()
        return self.of_id


class _Walk(Generic[Target]):
    """One search for segments in the tree.

    An id has one of them; with `takes`, which says where the search may end, it may have more.
    From no node is the same rest of the segments tried twice, so it ends soon, whatever they are.
    """

    def __init__(self, segments: list[str], takes: Callable[[Target], bool] | None = None) -> None:
        self._segments = segments
        self._takes = takes
        self._longest = 1 if takes is None else len(segments)
        self._in_vain: set[tuple[_Node[Target], int]] = set()

    def go(
        self, node: _Node[Target], start: int = 0, ids: tuple[str, ...] = ()
    ) -> Match[Target] | None:
        """The first match of the segments from `start` on below the node."""
        segments = self._segments
        if start == len(segments):
            return self._end(node.target, ids)
        if (node, start) in self._in_vain:
            return None
        literal = node.literals.get(segments[start])
        found = None if literal is None else self.go(literal, start + 1, ids)
        if found is None and node.of_id is not None:
            for end in range(start + 1, min(start + self._longest, len(segments)) + 1):
                found = self.go(node.of_id, end, (*ids, "/".join(segments[start:end])))
                if found is not None:
                    break
        if found is None:
            self._in_vain.add((node, start))
        return found

    def _end(self, target: Target | None, ids: tuple[str, ...]) -> Match[Target] | None:
        if target is None:
            return None
        if self._takes is None:
            return Match(target, ids)
        return Match(target, ids, joined=True) if self._takes(target) else None
