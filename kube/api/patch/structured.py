"""Structured values: what server-side apply does with objects, knowing how each list and map of them merges.

    granular   objects and maps (each field is owned alone), lists with keys (each item is), sets (each value is)
    atomic     scalars and all else: one owner for the whole value

A field that the schema does not know is granular where it is an object, atomic where it is a list.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy · structured-merge-diff typed
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from kube.api.definitions import STRUCT, UNKNOWN, Type
from kube.api.meta import Tree
from kube.api.patch import field_set
from kube.api.patch.field_set import FieldSet, Path
from kube.api.status import BadRequest

ABSENT: Any = object()
NOTHING: Tree = {}
_STEP = re.compile(r"([^.\[\]]+)|\[([0-9]+)\]")
CONTAINERS = (dict, list)  # `dict | list` is made anew each time


@dataclass
class Comparison:
    """Paths of what differs between two objects."""

    added: FieldSet = field(default_factory=FieldSet)
    modified: FieldSet = field(default_factory=FieldSet)
    removed: FieldSet = field(default_factory=FieldSet)

    def __bool__(self) -> bool:
        return bool(self.added or self.modified or self.removed)


def fields_of(kind: Type, tree: Tree) -> FieldSet:
    """The paths that an object sets. Raises BadRequest where an item lacks its key."""
    found = FieldSet()
    _collect(kind, tree, found)
    return found


def fields_v1(kind: Type, tree: Any, empty: Tree = NOTHING) -> Tree:
    """As FieldsV1 everything that a new object, or a part of one, sets: what `compare` with its `empty` form finds, written at
    once."""
    found: Tree = {}
    if isinstance(tree, dict):
        for name in sorted(tree):
            one = tree[name]
            if name in empty:
                _add_changed(found, kind.field(name) or UNKNOWN, name, one, empty[name])
            else:
                found[f"f:{name}"] = _written(kind.field(name) or UNKNOWN, one) if isinstance(one, CONTAINERS) else {}
    else:
        parts = dict(_parts(kind, tree))
        for step in sorted(parts):
            found[step] = _written(kind.item, parts[step])
    return found


def _add_changed(found: Tree, kind: Type, name: str, value: Any, before: Any) -> None:
    """A field that is in the empty object too: who fills it did not make it."""
    if value == before:
        return
    if not _form(kind, value):
        found[f"f:{name}"] = {}
    elif below := fields_v1(kind, value, before or NOTHING):
        found[f"f:{name}"] = below


def _written(kind: Type, value: Any) -> Tree:
    """FieldsV1 below the step to a value."""
    if not value or not _form(kind, value):
        return {}
    return {field_set.SELF: {}, **fields_v1(kind, value)}


def faults(kind: Type, value: Any, path: Path = ()) -> Iterator[str]:
    """What of a list keeps its items from being told apart, in upstream's words: keys that are not there or there twice."""
    if _form(kind, value) == "object":
        for name, one in value.items():
            if isinstance(one, CONTAINERS):
                yield from faults(kind.field(name) or UNKNOWN, one, (*path, field_set.field(name)))
        return
    seen: set[str] = set()
    splits = _form(kind, value)
    for index, item in enumerate(value if splits else ()):
        try:
            step = field_set.value(item) if splits == "set" else _item_key(kind, item, index)
        except BadRequest as error:
            yield f"{field_set.shown(path)}: {error.message}"
            continue
        if step in seen:
            yield f"{field_set.shown(path)}: duplicate entries for key {field_set.shown((step,))}"
        seen.add(step)
        yield from faults(kind.item, item, (*path, step))


def keyed(kind: Type, tree: Any, place: str) -> str:
    """`spec.containers[0].foo` as `.spec.containers[name="c"].foo`."""
    told = ""
    for name, index in _STEP.findall(place):
        if index:
            item = tree[int(index)] if isinstance(tree, list) and int(index) < len(tree) else None
            known = kind.splits_lists == "list" and isinstance(item, dict)
            told += field_set.shown((_item_key(kind, item, int(index)),)) if known else f"[{index}]"
            kind, tree = kind.item, item
        else:
            told += f".{name}"
            kind, tree = kind.field(name) or UNKNOWN, tree.get(name) if isinstance(tree, dict) else None
    return told


def compare(kind: Type, old: Tree, new: Tree) -> Comparison:
    found = Comparison()
    if old != new:
        _compare(kind, old, new, (), found)
    return found


def merge(kind: Type, live: Any, applied: Any) -> Any:
    """`live` with everything that `applied` sets."""
    form = _form(kind, applied)
    if applied is ABSENT or (form and form == _form(kind, live) and live == applied):
        return live
    if not form or form != _form(kind, live):
        return applied
    have, want = dict(_parts(kind, live)), dict(_parts(kind, applied))
    if form == "object":
        return {
            step[2:]: merge(_part_kind(kind, step), have.get(step, ABSENT), want.get(step, ABSENT)) for step in {**have, **want}
        }
    return [merge(kind.item, have.get(step, ABSENT), want.get(step, ABSENT)) for step in _order(list(have), list(want))]


def remove(kind: Type, tree: Any, dropped: FieldSet, kept: FieldSet) -> Any:
    """`tree` without the paths in `dropped` at or below which nothing is in `kept`. A path goes with all that is below it."""
    form = _form(kind, tree)
    if not form:
        return tree
    result: list[tuple[str, Any]] = []
    for step, value in _parts(kind, tree):
        if not dropped.touches(step):
            result.append((step, value))
        elif kept.touches(step):
            result.append((step, remove(_part_kind(kind, step), value, dropped.at(step), kept.at(step))))
    if form == "object":
        return {step[2:]: value for step, value in result}
    return [value for _, value in result]


def _collect(kind: Type, tree: Any, found: FieldSet) -> None:
    for step, value in _parts(kind, tree):
        one = _part_kind(kind, step)
        below = FieldSet()
        if _form(one, value):
            _collect(one, value, below)
        if below:
            found.below[step] = below
        # Structs are there by what is in them; keys of maps and items of lists are something themselves.
        if not below or kind.form != STRUCT:
            found.members.add(step)


def _compare(kind: Type, old: Any, new: Any, path: Path, found: Comparison) -> None:
    """Of two values that differ."""
    form = _form(kind, new)
    if form and old is None:  # a list or map that Go writes as null where it is empty
        old = {} if form == "object" else []
    if not form or form != _form(kind, old):
        found.modified.insert(path)
        return
    if form == "object":
        for name, one in old.items():
            if name not in new:
                _whole(kind.field(name) or UNKNOWN, f"f:{name}", one, found.removed.down(path))
            elif one != new[name]:
                _compare(kind.field(name) or UNKNOWN, one, new[name], (*path, f"f:{name}"), found)
        for name, one in new.items():
            if name not in old:
                _whole(kind.field(name) or UNKNOWN, f"f:{name}", one, found.added.down(path))
    else:
        have, want = dict(_parts(kind, old)), dict(_parts(kind, new))
        for step, item in have.items():
            if step not in want:
                _whole(kind.item, step, item, found.removed.down(path))
            elif item != want[step]:
                _compare(kind.item, item, want[step], (*path, step), found)
        for step in [step for step in want if step not in have]:
            _whole(kind.item, step, want[step], found.added.down(path))


def _whole(kind: Type, step: str, value: Any, found: FieldSet) -> None:
    """A step that is on one side alone, and everything in it. A new object is all of this: so nothing is compared."""
    form = _form(kind, value)
    if not form or not value:
        found.members.add(step)
        return
    below = found.below[step] = FieldSet()
    if form == "object":
        for name, one in value.items():
            if isinstance(one, CONTAINERS):
                _whole(kind.field(name) or UNKNOWN, field_set.field(name), one, below)
            else:
                below.members.add(field_set.field(name))
    else:
        for key, one in dict(_parts(kind, value)).items():
            _whole(kind.item, key, one, below)
    found.members.add(step)


def _form(kind: Type, value: Any) -> str:
    """How the value falls apart: "object", "list" (with keys), "set"; empty where it is one piece."""
    if isinstance(value, dict):
        return "object" if kind.splits_objects else ""
    if isinstance(value, list):
        return kind.splits_lists
    return ""


def _parts(kind: Type, value: Any) -> Iterator[tuple[str, Any]]:
    """The steps into a value, and what is there."""
    match _form(kind, value):
        case "object":
            for name, one in value.items():
                yield field_set.field(name), one
        case "list":
            for index, item in enumerate(value):
                yield _item_key(kind, item, index), item
        case "set":
            for item in value:
                yield field_set.value(item), item


def _part_kind(kind: Type, step: str) -> Type:
    if step[0] == "f":
        return kind.field(step[2:]) or UNKNOWN
    return kind.item


def _item_key(kind: Type, item: Any, index: int) -> str:
    if len(kind.list_keys) == 1 and isinstance(item, dict) and isinstance(only := item.get(kind.list_keys[0]), str):
        return _key(kind.list_keys[0], only)
    keys = {name: item.get(name, default) for name, default in kind.key_defaults.items()} if isinstance(item, dict) else {}
    if not keys or all(one is None for one in keys.values()):
        name = next((one for one in kind.list_keys if keys.get(one) is None), "")
        omits = f'omits key field "{name}" (and doesn\'t have default value)'
        raise BadRequest(f"element {index}: associative list with keys has an element that {omits}")
    return field_set.key({name: one for name, one in keys.items() if one is not None})


@lru_cache(maxsize=4096)  # the same names come again and again
def _key(name: str, value: str) -> str:
    return field_set.key({name: value})


def _order(have: list[str], want: list[str]) -> list[str]:
    """The items of both lists: what is wanted in its order, what was there already staying among its neighbours."""
    result: list[str] = []
    old, new = list(have), list(want)
    while old and new:
        if old[0] == new[0]:
            result.append(new.pop(0))
            old.pop(0)
        elif old[0] not in want:
            result.append(old.pop(0))
        elif old[0] in result:
            old.pop(0)
        else:
            result.append(new.pop(0))
    return result + [step for step in [*old, *new] if step not in result]
