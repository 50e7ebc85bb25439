"""Times of a CronJob: which one is due, and when the next one comes. Pure.

Of times that were missed only the most recent counts. The schedule is read in spec.timeZone, or else in the program's own zone. A
time counts from the last one that was started, from the CronJob's creation, or from startingDeadlineSeconds ago, whichever is
latest.
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#starting-deadline · kubernetes pkg/controller/cronjob/utils.go
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from kube.api.cron import Schedule
from kube.api.types import CronJob

MANY = 100  # missed times, beyond which somebody is told that the clock may be wrong


@dataclass(frozen=True)
class Due:
    """`moment`: the most recent time that has come and was not started yet. `next`: the one after now."""

    moment: datetime | None
    next: datetime | None
    missed: int = 0


def zone_of(cronjob: CronJob, local: tzinfo | None) -> tzinfo | None:
    """Raises ZoneInfoNotFoundError or ValueError for one that nobody knows."""
    return ZoneInfo(cronjob.spec.timeZone) if cronjob.spec.timeZone else local


def due(cronjob: CronJob, schedule: Schedule, now: datetime) -> Due:
    """`now` in the zone that the schedule is read in."""
    since = _since(cronjob, now).astimezone(now.tzinfo)
    first = schedule.next(since)
    if first is None or first > now:
        return Due(None, first)
    second = schedule.next(first)
    if second is None or second > now:
        return Due(first, second, 1)
    step = second - first
    moment = _most_recent(schedule, first, step, now)
    return Due(moment, schedule.next(moment), int((now - first) / step) + 1)


def too_late(cronjob: CronJob, moment: datetime, now: datetime) -> bool:
    limit = cronjob.spec.startingDeadlineSeconds
    return limit is not None and moment + timedelta(seconds=limit) < now


def _since(cronjob: CronJob, now: datetime) -> datetime:
    last: datetime = cronjob.status.lastScheduleTime or cronjob.metadata.creationTimestamp or now
    limit = cronjob.spec.startingDeadlineSeconds
    return last if limit is None else max(last, now - timedelta(seconds=limit))


def _most_recent(schedule: Schedule, first: datetime, step: timedelta, now: datetime) -> datetime:
    """Steps back from now, further each time, until a time lies between: no walk through years of missed minutes."""
    back, whole = step, int((now - first) / step)
    while whole > 1:
        start = max(first, first + whole * step - back)
        moment = schedule.next(start) if start > first else first
        if moment is not None and moment <= now:
            return _last_until(schedule, moment, now)
        if start == first:
            break
        back *= 2
    return _last_until(schedule, first, now)


def _last_until(schedule: Schedule, moment: datetime, now: datetime) -> datetime:
    while (following := schedule.next(moment)) is not None and following <= now:
        moment = following
    return moment
