"""Conversions between types: int(x), uint(x), double(x), string(x), bytes(x), bool(x), dyn(x), type(x).

https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions · cel-go common/types
"""

import math
import re
from typing import Any

from apiserver.cel import moments
from apiserver.cel.errors import EvaluationError
from apiserver.cel.functions import Overload, function, traversal
from apiserver.cel.types import BOOL, BYTES, DOUBLE, INT, STRING, UINT, Type
from apiserver.cel.values import INT_MAX, INT_MIN, UINT_MAX, Duration, Timestamp, Uint, as_int, as_uint, type_of

_INTEGER = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[iI]nf(?:inity)?|[nN]a[nN])")
MOST_DIGITS = 40  # more fit into no integer
TRUE = ("1", "t", "true", "TRUE", "True", "T")
FALSE = ("0", "f", "false", "FALSE", "False", "F")


def to_int(value: Any) -> int:
    if isinstance(value, Timestamp):
        return value.nanos // moments.SECOND
    if isinstance(value, Duration):
        return value.nanos
    if isinstance(value, str):
        if _INTEGER.fullmatch(value) is None or len(value) > MOST_DIGITS:
            raise EvaluationError(f'strconv.ParseInt: parsing "{value}": invalid syntax')
        return as_int(int(value))
    if isinstance(value, float) and (math.isnan(value) or not INT_MIN < value < INT_MAX):
        raise EvaluationError("integer overflow")
    return as_int(int(value))


def to_uint(value: Any) -> Uint:
    if isinstance(value, str):
        if not value.isdigit() or not value.isascii() or len(value) > MOST_DIGITS:
            raise EvaluationError(f'strconv.ParseUint: parsing "{value}": invalid syntax')
        return as_uint(int(value))
    if isinstance(value, float) and (math.isnan(value) or not 0 <= value < UINT_MAX):
        raise EvaluationError("unsigned integer overflow")
    return as_uint(int(value))


def to_double(value: Any) -> float:
    if isinstance(value, str) and _FLOAT.fullmatch(value) is None:
        raise EvaluationError(f'strconv.ParseFloat: parsing "{value}": invalid syntax')
    return float(value)


def to_string(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return show_double(value)
    if isinstance(value, Timestamp):
        return moments.show_timestamp(value)
    if isinstance(value, Duration):
        return moments.show_duration(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string") from None
    return str(value)


def show_double(value: float) -> str:
    """As Go's strconv.FormatFloat(value, 'g', -1, 64): the shortest text that is read back as the same number."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    digits, _, exponent = f"{value!r}".partition("e")
    if exponent:
        power = int(exponent)
        if -5 <= power < 21:
            return f"{value:.0f}" if power >= 0 else f"{value!r}"
        return f"{digits.removesuffix('.0')}e{power:+03d}"
    if abs(value) >= 1e-4 or value == 0:
        return digits.removesuffix(".0")
    return f"{value:e}"


def to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise EvaluationError(f"type conversion error from 'string' to 'bool': {value}")


def to_bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def same(value: Any) -> Any:
    return value


TYPE_NAMES: dict[str, Type] = {
    "bool": BOOL, "bytes": BYTES, "double": DOUBLE, "int": INT, "string": STRING, "uint": UINT,
    "list": type_of([]), "map": type_of({}), "null_type": type_of(None), "type": type_of(INT), "dyn": Type("dyn"),
    "google.protobuf.Timestamp": Type("timestamp"), "google.protobuf.Duration": Type("duration"),
    "optional_type": Type("optional", parameters=(Type("dyn"),)),
}  # fmt: skip

OVERLOADS: tuple[Overload, ...] = (
    *(function("int", f"{one} -> int", to_int) for one in ("int", "uint", "double", "string", "timestamp", "duration")),
    *(function("uint", f"{one} -> uint", to_uint) for one in ("uint", "int", "double", "string")),
    *(function("double", f"{one} -> double", to_double) for one in ("double", "int", "uint", "string")),
    *(function("bool", f"{one} -> bool", to_bool) for one in ("bool", "string")),
    *(
        function("string", f"{one} -> string", to_string, traversal if one == "bytes" else None)
        for one in ("string", "bool", "bytes", "double", "duration", "int", "timestamp", "uint")
    ),
    function("bytes", "bytes -> bytes", to_bytes),
    function("bytes", "string -> bytes", to_bytes, traversal),
    function("dyn", "A -> dyn", same),
    function("type", "A -> type(A)", type_of),
)
