"""Go's way to print a value (fmt's %v), which custom columns and go-templates show.

https://pkg.go.dev/fmt
"""

import json
from decimal import Decimal
from typing import Any

EXPONENT_FROM = 21  # %v writes a float this large with an exponent


def text(value: Any) -> str:
    """`map[a:1 b:2]`, `[x y]`, `<nil>`, `true`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "<nil>"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{text(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(map(text, value)) + "]"
    if isinstance(value, float):
        return number(value)
    return str(value)


def number(value: float) -> str:
    """%v of a float64: the shortest digits that read back, an exponent for the very large and small."""
    if value != value or value in (float("inf"), float("-inf")):
        return {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}[str(value)]
    exponent = Decimal(repr(value)).adjusted()
    if value == 0 or -5 < exponent < EXPONENT_FROM:
        return format(Decimal(repr(value)).normalize(), "f")
    digits, _, power = f"{Decimal(repr(value)).normalize():e}".partition("e")
    return f"{digits}e{power[0]}{power[1:]:0>2}"


def go_syntax(value: Any) -> str:
    """A value as Go source (fmt's %#v), as jsonpath's errors show the object."""
    if isinstance(value, dict):
        return (
            "map[string]interface {}{" + ", ".join(f"{json.dumps(name)}:{go_syntax(value[name])}" for name in sorted(value)) + "}"
        )
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(go_syntax, value)) + "}"
    return "interface {}(nil)" if value is None else json.dumps(value, ensure_ascii=False)
