"""Values: what expressions work on, beyond what JSON has, and the three questions asked of all of them.

Values are plain: bool, int (64 bit), float, str, bytes, None, list, dict — and the classes here, which Python lacks. Numbers of
different types are equal when they are the same number; a bool is never a number.

    equal(a, b)    never raises: what cannot be compared is different
    compare(a, b)  -1, 0, 1; no such overload where there is no order
    type_of(v)     the runtime type, as type(v) tells it

https://github.com/google/cel-spec/blob/master/doc/langdef.md#values
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apiserver.cel import types
from apiserver.cel.errors import EvaluationError, no_such_overload
from apiserver.cel.types import Type

INT_MIN, INT_MAX, UINT_MAX = -(2**63), 2**63 - 1, 2**64 - 1


class Uint(int):
    """An unsigned integer. Arithmetic on it is arithmetic.py's."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    nanos: int  # since 1970 in UTC


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    nanos: int


class Optional:
    """A value that may be missing: optional.of(v), or NONE."""

    __slots__ = ("present", "value")

    def __init__(self, value: Any = None, present: bool = True) -> None:
        self.value = value
        self.present = present

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Optional) or self.present != other.present:
            return False
        return not self.present or equal(self.value, other.value)

    def __hash__(self) -> int:
        return hash(self.present)


NONE = Optional(present=False)


class SetList(list[Any]):
    """A list whose schema says list-type set: order does not count."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, list) and len(self) == len(other) and all(contains(other, one) for one in self)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def plus(self, other: list[Any]) -> "SetList":
        return SetList([*self, *(one for one in other if not contains(self, one))])


class MapList(list[Any]):
    """A list whose schema says list-type map: items are told apart by their keys, and order does not count."""

    __slots__ = ("keys",)

    def __init__(self, items: list[Any], keys: tuple[str, ...]) -> None:
        super().__init__(items)
        self.keys = keys

    def _by_key(self, items: list[Any]) -> dict[tuple[Any, ...], Any]:
        return {tuple(item.get(key) for key in self.keys): item for item in items}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list) or len(self) != len(other):
            return False
        theirs = self._by_key(other)
        return all(key in theirs and equal(item, theirs[key]) for key, item in self._by_key(self).items())

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def plus(self, other: list[Any]) -> "MapList":
        """Theirs in the place of ours where the keys are the same; the others after."""
        return MapList(list((self._by_key(self) | self._by_key(other)).values()), self.keys)


class ObjectValue(dict[str, Any]):
    """What `Object.spec{...}` makes: the fields, and the name it was made by."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str) -> None:
        super().__init__()
        self.type_name = type_name


NUMBERS = (int, Uint, float)


def equal(one: Any, other: Any) -> bool:
    kind, other_kind = type(one), type(other)
    if kind is other_kind:
        if kind is list:
            return len(one) == len(other) and all(map(equal, one, other))
        if kind is dict:
            return len(one) == len(other) and all(key in other and equal(value, other[key]) for key, value in one.items())
        return bool(one == other)
    if kind in NUMBERS:
        return other_kind in NUMBERS and one == other
    if isinstance(one, list) and isinstance(other, list):
        return bool(other == one if kind is list else one == other)
    return False


def contains(items: Any, wanted: Any) -> bool:
    return any(equal(one, wanted) for one in items)


def compare(one: Any, other: Any) -> int:
    kind, other_kind = type(one), type(other)
    ordered = kind is other_kind and kind in (str, bytes, bool, Timestamp, Duration)
    if not ordered and not (kind in NUMBERS and other_kind in NUMBERS):
        raise no_such_overload()
    if one != one or other != other:
        raise EvaluationError("NaN values cannot be ordered")
    return int(one > other) - int(one < other)


RUNTIME_TYPES: dict[type, Type] = {
    bool: types.BOOL, int: types.INT, Uint: types.UINT, float: types.DOUBLE, str: types.STRING, bytes: types.BYTES,
    type(None): types.NULL, list: types.list_of(types.DYN), dict: types.map_of(types.DYN, types.DYN),
    SetList: types.list_of(types.DYN), MapList: types.list_of(types.DYN), Timestamp: types.TIMESTAMP, Duration: types.DURATION,
    Type: types.TYPE, Optional: types.optional_of(types.DYN),
}  # fmt: skip


def type_of(value: Any) -> Type:
    found = RUNTIME_TYPES.get(type(value))
    return found if found is not None else types.opaque(type(value).type_name)


def as_int(number: int) -> int:
    if not INT_MIN <= number <= INT_MAX:
        raise EvaluationError("integer overflow")
    return number


def as_uint(number: int) -> Uint:
    if not 0 <= number <= UINT_MAX:
        raise EvaluationError("unsigned integer overflow")
    return Uint(number)


Test = Callable[[Any], bool]
LISTS = (list, SetList, MapList)
_CLASSES: dict[str, tuple[type, ...]] = {
    "bool": (bool,), "int": (int,), "uint": (Uint,), "double": (float,), "string": (str,), "bytes": (bytes,), "null": (type(None),),
    "list": LISTS, "timestamp": (Timestamp,), "duration": (Duration,), "type": (Type,), "optional": (Optional,),
}  # fmt: skip


def accepting(kind: Type) -> Test | None:
    """Whether a value may be handed to a function that takes this type; None: any may. Lists and maps are not looked into."""
    if kind.kind in ("dyn", "parameter", "error"):
        return None
    if kind.kind in ("map", "object"):
        return lambda value: isinstance(value, dict)
    if kind.kind == "opaque":
        name = kind.name
        return lambda value: getattr(type(value), "type_name", "") == name
    classes = _CLASSES[kind.kind]
    return lambda value: type(value) in classes


MOST_PARTS = 1_000_000  # that a value may have: a request holds fewer


def weight(value: Any) -> int:
    """How many elements and tens of characters a value has, all through; what is shared counts wherever it is.

    TOO_MUCH from MOST_PARTS on: so that looking is bounded, too.
    """
    total, rest = 0, [value]
    while rest and total < MOST_PARTS:
        one = rest.pop()
        if isinstance(one, str | bytes):
            total += len(one) // 10 + 1
        elif isinstance(one, list):
            total += 1
            rest.extend(one)
        elif isinstance(one, dict):
            total += len(one) + 1
            rest.extend(one.values())
        else:
            total += 1
    return total if total < MOST_PARTS else TOO_MUCH


TOO_MUCH = 2**63  # a weight that no limit allows
