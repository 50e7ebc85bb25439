"""FieldSet: a set of paths into an object, the form in which managers own fields; read from and written as FieldsV1.

A path is a sequence of steps, each in FieldsV1's own spelling:

    f:replicas                                a field of an object
    k:{"name":"web"}                          the item of a list with these keys
    v:"kubernetes"                            this value in a list of values

A path in the set says nothing of the paths below it: `f:spec` and `f:spec f:replicas` are two members.
https://kubernetes.io/docs/reference/using-api/server-side-apply/ · structured-merge-diff fieldpath
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson

from kube.api.meta import Tree

Path = tuple[str, ...]
SELF = "."  # in FieldsV1: the path itself, where there are others below it


class FieldSet:
    """Which steps from here are members, and the sets below them. Not changed once it is shared."""

    __slots__ = ("below", "members")

    def __init__(self, members: set[str] | None = None, below: "dict[str, FieldSet] | None" = None) -> None:
        self.members = members or set()
        self.below = below or {}

    @classmethod
    def of(cls, *paths: Path) -> "FieldSet":
        found = cls()
        for path in paths:
            found.insert(path)
        return found

    def insert(self, path: Path) -> None:
        """Only while the set is being made."""
        self.down(path[:-1]).members.add(path[-1])

    def down(self, path: Path) -> "FieldSet":
        """The set below a path, which is there from now on. Only while the set is being made."""
        found = self
        for step in path:
            below = found.below.get(step)
            if below is None:
                below = found.below[step] = FieldSet()
            found = below
        return found

    def __bool__(self) -> bool:
        return bool(self.members or self.below)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FieldSet) and self.members == other.members and self.below == other.below

    def __repr__(self) -> str:
        return f"FieldSet({sorted(map(shown, self))})"

    def __or__(self, other: "FieldSet") -> "FieldSet":
        if not other:
            return self
        if not self:
            return other
        below = {
            step: self.below.get(step, EMPTY) | other.below.get(step, EMPTY) for step in self.below.keys() | other.below.keys()
        }
        return FieldSet(self.members | other.members, below)

    def __sub__(self, other: "FieldSet") -> "FieldSet":
        below = {step: rest for step, one in self.below.items() if (rest := one - other.below.get(step, EMPTY))}
        return FieldSet(self.members - other.members, below)

    def __and__(self, other: "FieldSet") -> "FieldSet":
        common = {step: one & other.below[step] for step, one in self.below.items() if step in other.below}
        return FieldSet(self.members & other.members, {step: one for step, one in common.items() if one})

    def overlaps(self, other: "FieldSet") -> bool:
        """Whether any path is in both; cheaper than making what is."""
        if not self.members.isdisjoint(other.members):
            return True
        for step, one in other.below.items():
            below = self.below.get(step)
            if below is not None and below.overlaps(one):
                return True
        return False

    def covers(self, other: "FieldSet") -> bool:
        """Whether every path of the other is in this one."""
        if not other.members <= self.members:
            return False
        for step, one in other.below.items():
            below = self.below.get(step)
            if below is None or not below.covers(one):
                return False
        return True

    def __iter__(self) -> Iterator[Path]:
        """Every path, in FieldsV1's order."""
        for step in self._steps():
            if step in self.members:
                yield (step,)
            for path in self.below.get(step, EMPTY):
                yield (step, *path)

    def at(self, step: str) -> "FieldSet":
        """The paths below a step."""
        return self.below.get(step, EMPTY)

    def touches(self, step: str) -> bool:
        """Whether this step, or anything below it, is in the set."""
        return step in self.members or bool(self.below.get(step))

    def without(self, *steps: str) -> "FieldSet":
        """Leaving out the steps and all below them."""
        if self.below.keys().isdisjoint(steps) and self.members.isdisjoint(steps):
            return self
        below = {step: one for step, one in self.below.items() if step not in steps}
        return FieldSet(self.members.difference(steps), below)

    def to_tree(self) -> Tree:
        """As FieldsV1."""
        if not self.below:
            return {step: {} for step in self._steps()}
        tree: Tree = {}
        for step in self._steps():
            rest = self.below.get(step)
            tree[step] = {} if rest is None else {SELF: {}, **rest.to_tree()} if step in self.members else rest.to_tree()
        return tree

    @classmethod
    def from_tree(cls, tree: Tree) -> "FieldSet":
        """From FieldsV1."""
        found = cls()
        for step, rest in tree.items():
            if step == SELF:
                continue
            if not rest or SELF in rest:
                found.members.add(step)
            below = cls.from_tree(rest)
            if below:
                found.below[step] = below
        return found

    def _steps(self) -> list[str]:
        """In FieldsV1's order: `f` before `k` before `v`, which is that of the letters too; indices come last."""
        steps = sorted(self.members | self.below.keys())
        if not steps or steps[0][0] == steps[-1][0]:
            return steps
        return [step for step in steps if step[0] != "i"] + [step for step in steps if step[0] == "i"]


EMPTY = FieldSet()


def parsed(tree: Tree) -> FieldSet:
    """As `FieldSet.from_tree`, but the same set for what was read lately: objects are written again and again."""
    return _parsed(orjson.dumps(tree))


@lru_cache(maxsize=2048)
def _parsed(data: bytes) -> FieldSet:
    return FieldSet.from_tree(orjson.loads(data))


def field(name: str) -> str:
    return f"f:{name}"


def key(values: Tree) -> str:
    return "k:" + orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()


def value(one: Any) -> str:
    return "v:" + orjson.dumps(one, option=orjson.OPT_SORT_KEYS).decode()


def shown(path: Path) -> str:
    """As conflicts show it: `.spec.containers[name="web"].image`."""
    return "".join(_shown_step(step) for step in path)


def _shown_step(step: str) -> str:
    kind, rest = step[0], step[2:]
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        keys = orjson.loads(rest)
        return "[" + ",".join(f"{name}={orjson.dumps(one).decode()}" for name, one in keys.items()) + "]"
    return f"[={rest}]"
