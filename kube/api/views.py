"""Views: typed, read-only forms of API objects, decoded by msgspec into the Structs of lightkube-models.

What a view promises: field names are the API's own; unknown fields are ignored; timestamps are aware `datetime`s;
`metadata` is always there, and so is `status` where the type has one (an empty one, if the server sent none). Every other
absent field is None, lists and maps included: write `view.spec.tolerations or ()`.
A view is never changed and never written back: writes are trees (`create`, `patch`, `apply`).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

import msgspec

from kube.api.meta import Tree
from kube.api.types import LabelSelector, ObjectMeta

V = TypeVar("V")


def decode(cls: type[V], data: bytes) -> V:
    """A view of JSON bytes. Raises msgspec.ValidationError where a field has the wrong JSON type.

    What a type requires and the object lacks reads as Go's zero value: whoever may write a status may leave out what he wants.
    """
    try:
        decoded: V = _decoder(cast("Any", cls)).decode(data)
    except msgspec.ValidationError:
        return view(cls, _filled(msgspec.inspect.type_info(cls), msgspec.json.decode(data)))
    return _complete(cls, decoded)


def view(cls: type[V], tree: Tree) -> V:
    """A view of a tree. Raises msgspec.ValidationError where a field has the wrong JSON type."""
    return _complete(cls, msgspec.convert(tree, cls))


def lenient_view(cls: type[V], tree: Tree) -> V:
    """A view of a tree that may lack required fields, for those who tell what is missing: they read as empty.

    But a selector that is missing is None: an empty one selects everything.
    """
    try:
        return view(cls, tree)
    except msgspec.ValidationError:
        made: Any = view(cls, _filled(msgspec.inspect.type_info(cls), tree))
    spec = getattr(made, "spec", None)
    if isinstance(getattr(spec, "selector", None), LabelSelector) and not isinstance(tree["spec"].get("selector"), dict):
        spec.selector = None
    return cast("V", made)


def tree_of(obj: Any) -> Any:
    """The JSON tree of a view or a part of one (a pod template, say); absent fields are left out."""
    if isinstance(obj, msgspec.Struct):
        names = zip(obj.__struct_encode_fields__, obj.__struct_fields__, strict=True)  # structs.fields reads every annotation anew
        return {encoded: tree_of(value) for encoded, name in names if (value := getattr(obj, name)) is not None}
    if isinstance(obj, dict):
        return {name: tree_of(value) for name, value in obj.items()}
    if isinstance(obj, list | tuple):
        return [tree_of(value) for value in obj]
    if isinstance(obj, datetime):
        return timestamp(obj)
    return obj


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as metav1.Time is written."""
    return f"{(moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat()[:19]}Z"  # strftime takes ten times as long


def micro_timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with six digits of a second, as metav1.MicroTime is written (leases, events)."""
    return f"{(moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat(timespec='microseconds')[:26]}Z"


@cache
def _decoder(cls: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cls)


def _complete(cls: type[V], obj: V) -> V:
    for name, make in _always_present(cast("Any", cls)):
        if getattr(obj, name) is None:
            setattr(obj, name, make())
    return obj


@cache
def _always_present(cls: Any) -> tuple[tuple[str, Callable[[], Any]], ...]:
    """The fields filled with an empty value when absent: `metadata`, and a `status` that requires at most counts."""
    found: list[tuple[str, Callable[[], Any]]] = []
    hints = get_type_hints(cls)
    if "metadata" in hints:
        found.append(("metadata", ObjectMeta))
    if "status" in hints:
        status = next((arg for arg in getattr(hints["status"], "__args__", ()) if arg is not type(None)), None)
        if status is not None and (make := _maker(cast("type[Any]", status))) is not None:
            found.append(("status", make))
    return tuple(found)


def _maker(cls: type[Any]) -> Callable[[], Any] | None:
    """Makes an empty status: counts that must be there are 0. None for a status that needs more than counts."""
    if not issubclass(cls, msgspec.Struct):
        return None
    required = [field for field in msgspec.structs.fields(cls) if field.required]
    if any(field.type is not int for field in required):
        return None
    zeros = {field.name: 0 for field in required}
    return lambda: cls(**zeros)


def _filled(kind: Any, value: Any) -> Any:
    """The value with every required field below it, as Go's zero values are."""
    match kind:
        case msgspec.inspect.UnionType():
            inner = [one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType)]
            return value if value is None or len(inner) > 1 else _filled(inner[0], value)
        case msgspec.inspect.ListType() if isinstance(value, list):
            return [_filled(kind.item_type, item) for item in value]
        case msgspec.inspect.DictType() if isinstance(value, dict):
            return {name: _filled(kind.value_type, item) for name, item in value.items()}
        case msgspec.inspect.StructType() if isinstance(value, dict):
            filled = dict(value)
            for field in kind.fields:
                if value.get(field.encode_name) is not None:
                    filled[field.encode_name] = _filled(field.type, value[field.encode_name])
                elif field.required:  # null says as little as nothing does
                    filled[field.encode_name] = _zero(field.type)
            return filled
    return value


def _zero(kind: Any) -> Any:
    match kind:
        case msgspec.inspect.StrType():
            return ""
        case msgspec.inspect.BoolType():
            return False
        case msgspec.inspect.ListType():
            return []
        case msgspec.inspect.StructType():
            return _filled(kind, {})
        case msgspec.inspect.DictType():
            return {}
        case msgspec.inspect.DateTimeType():
            return datetime(1, 1, 1, tzinfo=UTC)
        case msgspec.inspect.UnionType():
            return None if any(isinstance(one, msgspec.inspect.NoneType) for one in kind.types) else 0
    return 0
