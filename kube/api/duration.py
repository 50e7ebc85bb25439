"""Durations: ages as people read them, and Go's way of writing lengths of time.

apimachinery pkg/util/duration (HumanDuration) · https://pkg.go.dev/time#ParseDuration
"""

import re

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_UNKNOWN = re.compile(r"(?:[0-9.]+(?:ns|us|µs|ms|s|m|h))*[0-9.]*[0-9][0-9.]*([^0-9.]+).*")
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")


def human(seconds: float) -> str:
    """An age, ever coarser: 90 is "90s", 150 is "2m30s", 4000 is "66m"; a second before now is "0s", more "<invalid>"."""
    whole = int(seconds // 1) if seconds >= 0 else -int(-seconds // 1)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 2 * MINUTE:
        return f"{whole}s"
    if whole < 10 * MINUTE:
        return _two(whole, MINUTE, "m", 1, "s")
    if whole < 3 * HOUR:
        return f"{whole // MINUTE}m"
    if whole < 8 * HOUR:
        return _two(whole, HOUR, "h", MINUTE, "m")
    if whole < 2 * DAY:
        return f"{whole // HOUR}h"
    if whole < 8 * DAY:
        return _two(whole, DAY, "d", HOUR, "h")
    if whole < 2 * YEAR:
        return f"{whole // DAY}d"
    if whole < 8 * YEAR:
        return _two(whole, YEAR, "y", DAY, "d")
    return f"{whole // YEAR}y"


def parse_go(text: str) -> float:
    """Seconds of "1h30m", "10s", "300ms". Raises ValueError for anything else."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0.0
    if rest.replace(".", "", 1).isdecimal():
        raise ValueError(f'time: missing unit in duration "{text}"')
    parts = _PART.findall(rest)
    unknown = _UNKNOWN.fullmatch(rest)
    if unknown and unknown[1] not in _UNITS:
        raise ValueError(f'time: unknown unit "{unknown[1]}" in duration "{text}"')
    if not parts or "".join(number + unit for number, unit in parts) != rest:
        raise ValueError(f'time: invalid duration "{text}"')
    return sign * sum(float(number) * _UNITS[unit] for number, unit in parts)


def _two(whole: int, large: int, large_name: str, small: int, small_name: str) -> str:
    """The larger unit, and the smaller one unless it is zero."""
    rest = whole % large // small
    return f"{whole // large}{large_name}" + (f"{rest}{small_name}" if rest else "")
