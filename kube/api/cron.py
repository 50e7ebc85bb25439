"""Cron schedules: `minute hour day-of-month month day-of-week`, names and steps allowed, and the @macros.

Where both days are restricted, either will do. `@every 1h30m` counts from the time that is asked about.
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax · github.com/robfig/cron/v3
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kube.api import duration

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
FAR_AHEAD = timedelta(days=5 * 366)  # a schedule that has no time within five years has none (30 February)


@dataclass(frozen=True)
class Schedule:
    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    any_day: bool = True  # day of the month is unrestricted
    any_weekday: bool = True
    every_seconds: float = 0.0  # of an @every schedule; the rest is empty then

    def next(self, after: datetime) -> datetime | None:
        """The first time after this one, in its time zone; None if there is none."""
        if self.every_seconds:
            return after.replace(microsecond=0) + timedelta(seconds=max(1, int(self.every_seconds)))
        moment = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
        end = moment + FAR_AHEAD
        while moment < end:
            if moment.month not in self.months or not self._on(moment):
                moment = moment.replace(hour=0, minute=0) + timedelta(days=1)
            elif moment.hour not in self.hours:
                moment = moment.replace(minute=0) + timedelta(hours=1)
            elif moment.minute not in self.minutes:
                moment += timedelta(minutes=1)
            else:
                return moment
        return None

    def _on(self, moment: datetime) -> bool:
        day, weekday = moment.day in self.days, moment.isoweekday() % 7 in self.weekdays
        return (day and weekday) if self.any_day or self.any_weekday else (day or weekday)


def parse(text: str) -> Schedule:
    """Raises ValueError, with what is wrong."""
    text = text.strip()
    if text.startswith("@every "):
        return Schedule(every_seconds=duration.parse_go(text.removeprefix("@every ").strip()))
    if text.startswith("@"):
        if text not in MACROS:
            raise ValueError(f"unrecognized descriptor: {text}")
        text = MACROS[text]
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    minute, hour, day, month, weekday = fields
    return Schedule(
        minutes=_values(minute, 0, 59),
        hours=_values(hour, 0, 23),
        days=_values(day, 1, 31),
        months=_values(month, 1, 12, MONTHS, 1),
        weekdays=_values(weekday, 0, 6, WEEKDAYS, 0),
        any_day=_starred(day),
        any_weekday=_starred(weekday),
    )


def _starred(field: str) -> bool:
    return any(part.partition("/")[0] in ("*", "?") for part in field.split(","))


def _values(field: str, low: int, high: int, words: tuple[str, ...] = (), first: int = 0) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        start_text, dash, end_text = span.partition("-")
        if start_text in ("*", "?"):
            start, end = low, high
        else:
            start = _number(start_text, words, first)
            end = _number(end_text, words, first) if dash else high if slash else start
        step = _number(step_text, (), 0) if slash else 1
        if start < low:
            raise ValueError(f"beginning of range ({start}) below minimum ({low}): {part}")
        if end > high:
            raise ValueError(f"end of range ({end}) above maximum ({high}): {part}")
        if start > end:
            raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {part}")
        if step == 0:
            raise ValueError(f"step of range should be a positive number: {part}")
        found.update(range(start, end + 1, step))
    return frozenset(found)


def _number(text: str, words: tuple[str, ...], first: int) -> int:
    if text.lower() in words:
        return words.index(text.lower()) + first
    if not text.isdecimal():
        raise ValueError(f"failed to parse int from {text}")
    return int(text)
