"""Job: counting, back-off, ends, indexes, policies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller_manager.controllers.job import indexes, observe
from controller_manager.controllers.job import plan as planning
from controller_manager.controllers.job.accounting import FINALIZER, account
from controller_manager.controllers.job.backoff import remaining_seconds
from controller_manager.controllers.job.failure_policy import verdict
from controller_manager.controllers.job.plan import Plan
from kube.api.types import Job, Pod
from tests.unit.controller_manager.cm_builders import NOW, a_job, a_pod, ago


def a_job_pod(name: str, phase: str = "Running", *, tracked: bool = True, ended: float = 100, code: int = 1, **more: Any) -> Pod:
    state = {"terminated": {"exitCode": 0 if phase == "Succeeded" else code, "finishedAt": ago(ended)}}
    container = {"name": "c", "ready": False, "restartCount": 0, "image": "i", "imageID": ""}
    status = {"containerStatuses": [{**container, **({"state": state} if phase in ("Succeeded", "Failed") else {})}]}
    return a_pod(name, phase=phase, status=status, finalizers=[FINALIZER] if tracked else [], **more)


def decided(job: Job, *pods: Pod) -> Plan:
    return planning.plan(observe(job, pods, NOW), planning.known(job))


def target(job: Job, *pods: Pod) -> tuple[str, str] | None:
    found = decided(job, *pods).target
    return (found["type"], found["reason"]) if found is not None else None


def test_an_ended_pod_is_written_down_then_released_then_counted() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-tracking-with-finalizers"""
    first = account(a_job(), [a_job_pod("p", "Succeeded")])
    assert (first.succeeded, first.uncounted_succeeded, first.release) == (0, ["uid-p"], [])
    written = a_job(status={"uncountedTerminatedPods": {"succeeded": ["uid-p"]}})
    second = account(written, [a_job_pod("p", "Succeeded")])
    assert (second.succeeded, second.uncounted_succeeded, len(second.release)) == (0, ["uid-p"], 1)
    third = account(written, [a_job_pod("p", "Succeeded", tracked=False)])
    assert (third.succeeded, third.uncounted_succeeded, third.settled) == (1, [], True)
    assert account(written, []).succeeded == 1, "gone altogether is counted, too"


@given(st.lists(st.sampled_from(["stale job", "stale pods", "crash"]), max_size=8))
def test_each_pod_is_counted_once_whatever_is_stale(mishaps: list[str]) -> None:
    """The status is written only onto the form that was read, and finalizers go only after the status was written."""
    status: dict[str, Any] = {}
    held = {f"p{number}": True for number in range(3)}
    version = 0
    seen_status, seen_held, seen_version = status, dict(held), version
    for mishap in (*mishaps, "", "", "", "", ""):
        if mishap != "stale job":
            seen_status, seen_version = status, version
        if mishap != "stale pods":
            seen_held = dict(held)
        pods = [a_job_pod(name, "Succeeded", tracked=tracked) for name, tracked in seen_held.items()]
        books = account(a_job(status=seen_status), pods)
        if seen_version == version:
            status = {"succeeded": books.succeeded, "uncountedTerminatedPods": {"succeeded": books.uncounted_succeeded}}
            version += 1
        else:
            continue  # a conflict
        if mishap == "crash":
            continue
        for pod in books.release:
            held[pod.metadata.name] = False
    assert status["succeeded"] == 3
    assert status["uncountedTerminatedPods"]["succeeded"] == []


@pytest.mark.parametrize(
    ("failures", "since", "expected"), [(0, 0, 0), (1, 3, 7), (1, 10, 0), (2, 5, 15), (3, 5, 35), (10, 100, 500), (10, 600, 0)]
)
def test_the_back_off_doubles_to_ten_minutes(failures: int, since: float, expected: float) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy"""
    pods = [a_job_pod(f"p{number}", "Failed", ended=since + number) for number in range(failures)]
    assert remaining_seconds(a_job(), pods, NOW) == expected


def test_a_success_ends_the_back_off() -> None:
    pods = [a_job_pod("a", "Failed", ended=9), a_job_pod("b", "Succeeded", ended=1)]
    assert remaining_seconds(a_job(), pods, NOW) == 0


@pytest.mark.parametrize(
    ("spec", "succeeded", "running", "created", "deleted"),
    [
        ({"completions": 5, "parallelism": 2}, 0, 0, 2, 0),
        ({"completions": 5, "parallelism": 2}, 4, 0, 1, 0),
        ({"completions": 5, "parallelism": 2}, 4, 2, 0, 1),
        ({"completions": 5, "parallelism": 3}, 0, 3, 0, 0),
        ({"parallelism": 3}, 0, 1, 2, 0),
        ({"parallelism": 3}, 1, 2, 0, 0),
        ({"completions": 2, "parallelism": 2, "suspend": True}, 0, 2, 0, 2),
        ({"completions": 2, "parallelism": 0}, 0, 1, 0, 1),
    ],
)
def test_how_many_pods_run(spec: dict[str, Any], succeeded: int, running: int, created: int, deleted: int) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/job/#parallel-jobs"""
    pods = [a_job_pod(f"r{number}") for number in range(running)]
    planned = decided(a_job(status={"succeeded": succeeded}, **spec), *pods)
    assert (len(planned.create), len(planned.delete)) == (created, deleted)
    assert all(FINALIZER in tree["metadata"]["finalizers"] for tree in planned.create)


def test_a_job_ends_by_completions_failures_or_time() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup"""
    assert target(a_job(completions=2, status={"succeeded": 2})) == ("SuccessCriteriaMet", "CompletionsReached")
    assert target(a_job(status={"succeeded": 1})) == ("SuccessCriteriaMet", "CompletionsReached")
    assert target(a_job(status={"succeeded": 1}), a_job_pod("r")) is None, "a work queue job waits for its other pods"
    assert target(a_job(completions=2, backoffLimit=1, status={"failed": 2})) == ("FailureTarget", "BackoffLimitExceeded")
    assert target(a_job(completions=2, backoffLimit=1, status={"failed": 1})) is None
    late = a_job(activeDeadlineSeconds=30, status={"startTime": ago(31), "failed": 9})
    assert target(late) == ("FailureTarget", "BackoffLimitExceeded")
    assert target(a_job(activeDeadlineSeconds=30, status={"startTime": ago(31)})) == ("FailureTarget", "DeadlineExceeded")
    assert decided(a_job(activeDeadlineSeconds=30, status={"startTime": ago(10)}), a_job_pod("r")).again == 20


def test_restarts_count_as_failures_where_containers_restart() -> None:
    spec = {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "OnFailure"}
    job = a_job(backoffLimit=2, template={"spec": spec})
    assert target(job, a_pod("p", restarts=2)) == ("FailureTarget", "BackoffLimitExceeded")
    assert target(job, a_pod("p", restarts=1)) is None


def test_an_end_is_told_only_after_all_pods_have_ended_and_are_counted() -> None:
    """Rule: KEP-3939, conditions FailureTarget and Failed"""
    failing = {"type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded", "message": "m"}
    job = a_job(status={"conditions": [failing], "uncountedTerminatedPods": {"failed": ["uid-p"]}})

    def ends(*pods: Pod) -> set[str]:
        look = observe(job, pods, NOW)
        return {
            one["type"] for one in planning.end(look, planning.known(job), len([p for p in pods if p.status.phase == "Running"]))
        }

    assert ends(a_job_pod("p", "Failed", tracked=False), a_job_pod("r")) == {"FailureTarget"}
    assert ends(a_job_pod("p", "Failed")) == {"FailureTarget"}
    assert ends(a_job_pod("p", "Failed", tracked=False)) == {"FailureTarget", "Failed"}


def test_suspending_clears_the_start_time() -> None:
    job = a_job(suspend=True, status={"startTime": ago(50), "active": 1})
    assert "startTime" not in planning.status(observe(job, [], NOW), [], 0, 0)


@pytest.mark.parametrize(("found", "text"), [([], ""), ([3], "3"), ([0, 1], "0,1"), ([0, 1, 2, 3, 5, 7, 8], "0-3,5,7,8")])
def test_indexes_are_written_compressed(found: list[int], text: str) -> None:
    """Rule: JobStatus.completedIndexes"""
    assert indexes.compress(found) == text
    assert indexes.parse(text) == set(found)


@pytest.mark.parametrize("text", ["²", "-1", "one", "", "1" * 5000, "1 "])
def test_an_index_that_is_no_number_is_none(text: str) -> None:
    """Rule: pkg/controller/job/indexed_job_utils.go (getCompletionIndex)"""
    pod = a_pod(annotations={indexes.INDEX: text, indexes.FAILURES: text})
    assert indexes.index_of(pod) is None
    assert indexes.failures_of(pod) == 0


def test_indexed_pods_carry_their_index_everywhere() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode"""
    job = a_job(completionMode="Indexed", completions=4, parallelism=2, status={"completedIndexes": "0,2"})
    made = decided(job).create
    assert [tree["metadata"]["annotations"][indexes.INDEX] for tree in made] == ["1", "3"]
    assert made[1]["metadata"]["generateName"] == "j-3-"
    assert made[1]["spec"]["hostname"] == "j-3"
    assert made[1]["spec"]["containers"][0]["env"][0]["name"] == indexes.ENV
    assert target(a_job(completionMode="Indexed", completions=2, status={"completedIndexes": "0,1"})) == (
        "SuccessCriteriaMet",
        "CompletionsReached",
    )


def test_an_index_that_failed_too_often_is_given_up_and_the_others_go_on() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/job/#backoff-limit-per-index"""
    job = a_job(completionMode="Indexed", completions=2, parallelism=2, backoffLimitPerIndex=1, backoffLimit=None)
    again = a_job_pod("a", "Failed", ended=100, annotations={indexes.INDEX: "0", indexes.FAILURES: "0"})
    made = decided(job, again).create
    assert [one["metadata"]["annotations"].get(indexes.FAILURES) for one in made] == ["1", "0"]
    enough = a_job_pod("b", "Failed", annotations={indexes.INDEX: "0", indexes.FAILURES: "1"})
    assert [one["metadata"]["annotations"][indexes.INDEX] for one in decided(job, enough).create] == ["1"]
    done = a_job_pod("c", "Succeeded", annotations={indexes.INDEX: "1"})
    assert target(job, enough, done) == ("FailureTarget", "FailedIndexes")


def test_a_success_policy_ends_the_job_early() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/job/#success-policy"""
    policy = {"rules": [{"succeededIndexes": "0-1", "succeededCount": 1}]}
    job = a_job(completionMode="Indexed", completions=5, parallelism=5, successPolicy=policy, status={"completedIndexes": "1"})
    running = a_job_pod("r", annotations={indexes.INDEX: "4"})
    assert target(job, running) == ("SuccessCriteriaMet", "SuccessPolicy")
    assert decided(job, running).delete == [running]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}, "FailJob"),
        ({"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}, "Count"),
        ({"action": "Ignore", "onExitCodes": {"operator": "NotIn", "values": [1]}}, "Ignore"),
        ({"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42], "containerName": "x"}}, "Count"),
        ({"action": "Ignore", "onPodConditions": [{"type": "Ready", "status": "False"}]}, "Ignore"),
        ({"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}, "Count"),
    ],
)
def test_the_first_matching_rule_judges_a_failed_pod(rule: dict[str, Any], expected: str) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy"""
    job = a_job(podFailurePolicy={"rules": [rule]})
    found = verdict(job, a_job_pod("p", "Failed", code=42, ready=False))
    assert found.action == expected
    if expected == "FailJob":
        assert found.message == "Container c for pod default/p failed with exit code 42 matching FailJob rule at index 0"


def test_an_ignored_failure_is_released_and_not_counted() -> None:
    books = account(a_job(), [a_job_pod("p", "Failed")], ignored=["uid-p"])
    assert (books.all_failed, len(books.release)) == (0, 1)
