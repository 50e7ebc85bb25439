"""CronJob: which time is due, what its Job looks like, which ended Jobs go."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller_manager.controllers.cronjob.jobs import job_for, job_name, last_success, superfluous
from controller_manager.controllers.cronjob.times import Due, due, too_late, zone_of
from kube.api import cron
from kube.api.types import CronJob, Job
from kube.api.views import timestamp, view
from tests.unit.controller_manager.cm_builders import ago

NOON = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)


def a_cronjob(*, last: datetime | None = None, made: datetime | None = None, **spec: Any) -> CronJob:
    template = {
        "metadata": {"labels": {"app": "tick"}},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}},
    }
    metadata = {"name": "tick", "namespace": "default", "uid": "uid-tick", "creationTimestamp": timestamp(made or NOON)}
    status = {"lastScheduleTime": timestamp(last)} if last is not None else {}
    tree = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "status": status}
    return view(CronJob, {**tree, "spec": {"schedule": "* * * * *", "jobTemplate": template, **spec}})


def a_job(name: str, end: str = "", *, age: float = 100) -> Job:
    conditions = [{"type": end, "status": "True"}] if end else []
    status = {"conditions": conditions, "startTime": ago(age), **({"completionTime": ago(age - 1)} if end == "Complete" else {})}
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "creationTimestamp": ago(age)}
    return view(Job, {"metadata": metadata, "spec": {"template": {"spec": {"containers": []}}}, "status": status})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "last", "expected"),
    [
        ("* * * * *", "2026-01-01T12:00:00", Due(None, at("2026-01-01T12:01:00"))),
        ("* * * * *", "2026-01-01T11:59:00", Due(at("2026-01-01T12:00:00"), at("2026-01-01T12:01:00"), 1)),
        ("* * * * *", "2026-01-01T11:50:00", Due(at("2026-01-01T12:00:00"), at("2026-01-01T12:01:00"), 10)),
        ("0 * * * *", "2026-01-01T02:00:00", Due(at("2026-01-01T12:00:00"), at("2026-01-01T13:00:00"), 10)),
        ("0 0 30 2 *", "2026-01-01T02:00:00", Due(None, None)),
        ("@every 1h", "2026-01-01T10:30:00", Due(at("2026-01-01T11:30:00"), at("2026-01-01T12:30:00"), 1)),
    ],
)
def test_only_the_most_recent_missed_time_counts(schedule: str, last: str, expected: Due) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#job-creation"""
    assert due(a_cronjob(last=at(last), schedule=schedule), cron.parse(schedule), NOON) == expected


def test_years_of_missed_times_are_no_work() -> None:
    """Rule: kubernetes pkg/controller/cronjob/utils.go, mostRecentScheduleTime"""
    found = due(a_cronjob(last=NOON - timedelta(days=4000)), cron.parse("* * * * *"), NOON)
    assert found.moment == NOON.replace(second=0)
    assert found.missed > 5_000_000


def test_a_deadline_bounds_how_late_a_job_starts() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#starting-deadline"""
    late = a_cronjob(last=NOON - timedelta(hours=10), schedule="0 * * * *", startingDeadlineSeconds=20)
    assert due(late, cron.parse("0 * * * *"), NOON).moment is None
    assert too_late(late, NOON - timedelta(seconds=21), NOON)
    assert not too_late(late, NOON - timedelta(seconds=20), NOON)
    in_time = a_cronjob(last=NOON - timedelta(hours=10), startingDeadlineSeconds=200)
    assert due(in_time, cron.parse("* * * * *"), NOON).missed <= 4


def test_a_schedule_is_read_in_its_zone() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones"""
    cronjob = a_cronjob(timeZone="Asia/Tokyo", last=NOON - timedelta(days=1), schedule="0 21 * * *")
    found = due(cronjob, cron.parse("0 21 * * *"), NOON.astimezone(zone_of(cronjob, UTC)))
    assert found.moment == at("2026-01-01T12:00:00")
    moment = datetime(2026, 1, 1, 21, 0, tzinfo=ZoneInfo("Asia/Tokyo"))
    told = job_for(cronjob, moment)["metadata"]["annotations"]
    assert told == {"batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T21:00:00+09:00"}


def test_a_job_is_named_by_its_minute_and_owned() -> None:
    """Rule: behaviour E.3.40"""
    cronjob, moment = a_cronjob(), at("2026-01-01T12:00:00")
    tree = job_for(cronjob, moment)
    assert tree["metadata"]["name"] == job_name(cronjob, moment) == f"tick-{int(moment.timestamp()) // 60}"
    assert tree["metadata"]["labels"] == {"app": "tick"}
    assert tree["metadata"]["ownerReferences"][0]["controller"] is True
    assert tree["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"] == "2026-01-01T12:00:00Z"


def test_the_oldest_ended_jobs_go_beyond_the_history() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#jobs-history-limits"""
    ended = [a_job(f"good-{age}", "Complete", age=age) for age in (10, 30, 20)]
    jobs = [*ended, a_job("bad-1", "Failed", age=5), a_job("bad-2", "Failed", age=50), a_job("running", age=500)]
    cronjob = a_cronjob(successfulJobsHistoryLimit=1, failedJobsHistoryLimit=0)
    assert [job.metadata.name for job in superfluous(cronjob, jobs)] == ["good-30", "good-20", "bad-2", "bad-1"]
    assert not list(superfluous(a_cronjob(), jobs))
    assert last_success(cronjob, jobs) == ended[0].status.completionTime


SCHEDULES = st.sampled_from(("* * * * *", "*/7 * * * *", "0 */5 * * *", "30 4 * * 1-5", "0 0 1 * *", "15 3 * * 6,0", "@every 90m"))


@settings(max_examples=150, deadline=None)
@given(schedule=SCHEDULES, back=st.integers(0, 60 * 24 * 12))
def test_the_short_way_finds_what_a_walk_through_all_times_finds(schedule: str, back: int) -> None:
    """Rule: kubernetes pkg/controller/cronjob/utils.go, mostRecentScheduleTime"""
    parsed, last = cron.parse(schedule), NOON - timedelta(minutes=back)
    walked, moment = None, parsed.next(last)
    while moment is not None and moment <= NOON:
        walked, moment = moment, parsed.next(moment)
    found = due(a_cronjob(last=last, schedule=schedule), parsed, NOON)
    if schedule.startswith("@every"):  # each is counted from the one before: any of the row is as good
        assert (found.moment is None) == (walked is None)
    else:
        assert (found.moment, found.next) == (walked, moment)
