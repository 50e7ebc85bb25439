"""Moments: timestamps and durations to and from text, and the parts of a timestamp in a time zone.

RFC 3339 with nanoseconds; durations as Go writes them (`1h30m`), shown in seconds (`5400s`). A zone is an IANA name or `+hh:mm`.
https://github.com/google/cel-spec/blob/master/doc/langdef.md#timestamps-and-durations
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apiserver.cel.arithmetic import as_duration, as_timestamp
from apiserver.cel.errors import EvaluationError
from apiserver.cel.values import Duration, Timestamp

SECOND = 10**9
_UNITS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND,
}  # fmt: skip
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9})[0-9]*)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_OFFSET = re.compile(r"([+-]?)([0-9]{2}):([0-9]{2})")


def parse_timestamp(text: str) -> Timestamp:
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        raise EvaluationError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse')
    try:
        moment = datetime(*(int(part) for part in found.groups()[:6]), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError as error:
        raise EvaluationError(f'parsing time "{text}": {error}') from None
    nanos = _nanos(moment) + int((found[7] or "").ljust(9, "0"))
    zone = found[8]
    if zone not in "Zz":
        ahead = (int(zone[1:3]) * 60 + int(zone[4:6])) * 60 * SECOND
        nanos -= ahead if zone[0] == "+" else -ahead
    return as_timestamp(nanos)


def parse_date(text: str) -> Timestamp:
    """A schema's `date`: midnight of the day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise EvaluationError(f"invalid date {text}") from None
    return Timestamp(_nanos(datetime(day.year, day.month, day.day, tzinfo=UTC)))


def show_timestamp(moment: Timestamp) -> str:
    seconds, nanos = divmod(moment.nanos, SECOND)
    shown = _utc(seconds)
    fraction = f".{nanos:09}".rstrip("0") if nanos else ""
    return f"{shown.year:04}-{shown.month:02}-{shown.day:02}T{shown:%H:%M:%S}{fraction}Z"


def parse_duration(text: str) -> Duration:
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return Duration(0)
    parts = _PART.findall(rest)
    if not parts or "".join(number + unit for number, unit in parts) != rest:
        raise EvaluationError(f'time: invalid duration "{text}"')
    return as_duration(sign * sum(int(Decimal(number) * _UNITS[unit]) for number, unit in parts))


def show_duration(length: Duration) -> str:
    seconds, nanos = divmod(abs(length.nanos), SECOND)
    fraction = f".{nanos:09}".rstrip("0") if nanos else ""
    return f"{'-' if length.nanos < 0 else ''}{seconds}{fraction}s"


def local(moment: Timestamp, zone: str = "UTC") -> datetime:
    """In a zone. The nanoseconds are lost."""
    try:
        return _utc(moment.nanos // SECOND).astimezone(_zone(zone))
    except OverflowError:  # before the first year, or after the last
        raise EvaluationError("timestamp overflow") from None


def _utc(seconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def _nanos(moment: datetime) -> int:
    whole = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (whole.days * 86400 + whole.seconds) * SECOND


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    if name in ("", "UTC"):
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-ahead if offset[1] == "-" else ahead)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise EvaluationError(f"unknown time zone {name}") from None
