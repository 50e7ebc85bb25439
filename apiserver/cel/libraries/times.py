"""Times: timestamp(), duration() and the parts of both, in UTC or a named zone.

https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from apiserver.cel import moments
from apiserver.cel.arithmetic import as_duration, as_timestamp
from apiserver.cel.functions import Overload, function, member
from apiserver.cel.moments import SECOND
from apiserver.cel.values import Duration, Timestamp


def to_timestamp(value: Any) -> Timestamp:
    if isinstance(value, str):
        return moments.parse_timestamp(value)
    return value if isinstance(value, Timestamp) else as_timestamp(value * SECOND)


def to_duration(value: Any) -> Duration:
    if isinstance(value, str):
        return moments.parse_duration(value)
    return value if isinstance(value, Duration) else as_duration(value)


def _part(read: Callable[[datetime], int]) -> Callable[..., int]:
    return lambda moment, zone="UTC": read(moments.local(moment, zone))


def _milliseconds(moment: Timestamp, zone: str = "UTC") -> int:
    moments.local(moment, zone)  # for the complaint about the zone
    return moment.nanos % SECOND // 10**6


def _whole(unit: int) -> Callable[[Duration], int]:
    return lambda length: abs(length.nanos) // unit * (1 if length.nanos >= 0 else -1)


PARTS: dict[str, Callable[..., int]] = {
    "getFullYear": _part(lambda moment: moment.year),
    "getMonth": _part(lambda moment: moment.month - 1),
    "getDate": _part(lambda moment: moment.day),
    "getDayOfMonth": _part(lambda moment: moment.day - 1),
    "getDayOfWeek": _part(lambda moment: moment.isoweekday() % 7),
    "getDayOfYear": _part(lambda moment: moment.timetuple().tm_yday - 1),
    "getHours": _part(lambda moment: moment.hour),
    "getMinutes": _part(lambda moment: moment.minute),
    "getSeconds": _part(lambda moment: moment.second),
    "getMilliseconds": _milliseconds,
}
LENGTHS: dict[str, Callable[[Duration], int]] = {
    "getHours": _whole(3600 * SECOND),
    "getMinutes": _whole(60 * SECOND),
    "getSeconds": _whole(SECOND),
    "getMilliseconds": lambda length: _whole(10**6)(length) % 1000 if length.nanos >= 0 else -(-length.nanos // 10**6 % 1000),
}

OVERLOADS: tuple[Overload, ...] = (
    *(function("timestamp", f"{one} -> timestamp", to_timestamp) for one in ("timestamp", "string", "int")),
    *(function("duration", f"{one} -> duration", to_duration) for one in ("duration", "string", "int")),
    *(member(name, "timestamp -> int", call) for name, call in PARTS.items()),
    *(member(name, "timestamp, string -> int", call) for name, call in PARTS.items()),
    *(member(name, "duration -> int", call) for name, call in LENGTHS.items()),
)
