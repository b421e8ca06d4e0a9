"""YAML as a tree that knows its lines, and refuses what would bring the process down.

Imported when the first fixture is read: PyYAML is not needed before.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from mock_server.resources.fixture import DEEPEST, TOO_DEEP, FixtureError, Path, twice

_MOST_VALUES: Final = 1_000_000
"""Values in a file, those behind aliases counted each time."""

_Dumper: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def compose(text: str) -> yaml.Node | None:
    """The tree of the text, None where it is empty; FixtureError where it is no YAML of ours."""
    try:
        _check_depth(text)
        loader = _Loader(text)
        try:
            root: yaml.Node | None = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise _no_yaml(error) from None
    if root is not None:
        _measure(root, {})
    return root


def construct(root: yaml.Node) -> Any:
    """The values of the tree; ValueError where one of them cannot be read."""
    loader = _Loader("")
    try:
        return loader.construct_document(root)
    except yaml.YAMLError as error:
        raise _no_yaml(error) from None
    finally:
        loader.dispose()


def dump(values: Any) -> str:
    """Plain values as YAML, in their order."""
    text: str = yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text


def line_of(root: yaml.Node, path: Path) -> int:
    """The line at which the value at the path begins, or would: then its parent's."""
    node, line = root, _line(root)
    for step in path:
        found = _step(node, step)
        if found is None:
            break
        node, line = found
    return line


def _no_yaml(error: yaml.YAMLError) -> FixtureError:
    if not isinstance(error, yaml.MarkedYAMLError):
        return FixtureError(f"is no YAML: {error}")
    mark = error.problem_mark or error.context_mark
    reason = f"is no YAML: {error.problem or error.context}"
    return FixtureError(reason, line=mark.line + 1 if mark else None)


def _check_depth(text: str) -> None:
    """FixtureError where it is too much for the composer, which would crash the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            mark = event.start_mark
            raise FixtureError(TOO_DEEP, line=mark.line + 1 if mark else None)


def _measure(node: yaml.Node, sizes: dict[int, int]) -> int:
    """How many values a node holds; FixtureError where a key is there twice, or it never ends."""
    size = sizes.get(id(node))
    if size == 0:
        raise FixtureError("refers to itself", line=_line(node))
    if size is not None:
        return size
    sizes[id(node)] = 0
    if isinstance(node, yaml.MappingNode):
        _check_keys(node)
        inner = [value for _, value in node.value]
    else:
        inner = node.value if isinstance(node, yaml.SequenceNode) else []
    sizes[id(node)] = size = 1 + sum(_measure(child, sizes) for child in inner)
    if size > _MOST_VALUES:
        raise FixtureError(f"holds more than {_MOST_VALUES} values", line=_line(node))
    return size


def _check_keys(node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise FixtureError("has a key that is no text", line=_line(key))
        if key.value in seen and key.value != "<<":
            raise FixtureError(twice(key.value), line=_line(key))
        seen.add(key.value)


def _step(node: yaml.Node, step: str | int) -> tuple[yaml.Node, int] | None:
    """The node below, and its line: that of the key for a mapping's."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return value, _line(key)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], _line(node.value[step])
    return None


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line + 1
    return line
