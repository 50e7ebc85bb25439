"""The plan for a pod, from one look at it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelet.plan import RemoveContainer, StartContainer, StartSandbox, StopContainer, StopSandbox
from kubelet.pod_state import CONTAINER_HASH, Health, Observed
from kubelet.runtime.runtime import RuntimeContainer
from tests.unit.kubelet.pods import LATER, NOW, a_container, a_look, a_pod, a_sandbox, an_end, ended, planned, running

SIDECAR = a_container("sidecar", restartPolicy="Always")
LIFECYCLE = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/"


def started(observed: Observed, **pod: object) -> list[tuple[str, int]]:
    actions = planned(a_pod(**pod), observed).actions  # type: ignore[arg-type]
    return [(one.container.name, one.attempt) for one in actions if isinstance(one, StartContainer)]


def test_a_new_pod_begins_with_its_sandbox() -> None:
    assert planned(a_pod(), Observed()).actions == (StartSandbox(0),)


def test_containers_start_in_order_once_the_sandbox_runs() -> None:
    plan = planned(a_pod("one", "two"), a_look())
    assert [(one.container.name, one.attempt) for one in plan.actions if isinstance(one, StartContainer)] == [
        ("one", 0),
        ("two", 0),
    ]


def test_nothing_starts_before_the_volumes_are_there() -> None:
    assert planned(a_pod(), a_look(volumes_ready=False)).actions == ()


def test_a_running_pod_needs_nothing() -> None:
    plan = planned(a_pod(), a_look(running("main")))
    assert (plan.actions, plan.wake_at, plan.ended) == ((), None, False)


def test_a_lost_sandbox_ends_what_still_runs_in_it_and_comes_anew() -> None:
    lost = a_sandbox(state="exited")
    plan = planned(a_pod(), a_look(running("main"), sandbox=lost))
    assert [type(one) for one in plan.actions] == [StopContainer]
    assert planned(a_pod(), a_look(ended("main", 137), sandbox=lost)).actions == (StartSandbox(1),)
    assert started(a_look(ended("main", 137), sandbox=a_sandbox(1))) == [("main", 1)]


@pytest.mark.parametrize(
    ("policy", "exit_code", "again"),
    [
        ("Always", 0, True),
        ("Always", 1, True),
        ("OnFailure", 0, False),
        ("OnFailure", 1, True),
        ("Never", 0, False),
        ("Never", 1, False),
    ],
)
def test_a_container_that_ended_is_started_again_by_restart_policy(policy: str, exit_code: int, again: bool) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy"""
    pod = a_pod("main", "other", restartPolicy=policy)
    plan = planned(pod, a_look(ended("main", exit_code), running("other")))
    assert [one.attempt for one in plan.actions if isinstance(one, StartContainer)] == ([1] if again else [])


def test_a_container_waits_for_its_back_off_and_the_plan_says_until_when() -> None:
    plan = planned(a_pod(), a_look(ended("main", 1), retry_at={"main": LATER}))
    assert (plan.actions, plan.wake_at) == ((), LATER)
    assert started(a_look(ended("main", 1), retry_at={"main": NOW - timedelta(seconds=1)})) == [("main", 1)]


def test_init_containers_run_one_by_one_to_success() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/"""
    inits = [a_container("first"), a_container("second")]
    assert started(a_look(), init=inits) == [("first", 0)]
    assert started(a_look(running("first")), init=inits) == []
    assert started(a_look(ended("first", 0)), init=inits) == [("second", 0)]
    assert started(a_look(ended("first", 0), ended("second", 0)), init=inits) == [("main", 0)]
    assert started(a_look(ended("first", 1)), init=inits) == [("first", 1)]


def test_init_containers_run_again_in_a_new_sandbox() -> None:
    look = a_look(ended("first", 0), ended("main", 137), sandbox=a_sandbox(1))
    assert started(look, init=[a_container("first")]) == [("first", 1)]


def test_a_sidecar_holds_up_what_follows_until_it_has_started() -> None:
    """Rule: KEP-753"""
    inits = [SIDECAR, a_container("second")]
    waiting = a_look(running("sidecar"), health={"sidecar-0": Health(started=False)})
    assert started(waiting, init=inits) == []
    assert started(a_look(running("sidecar")), init=inits) == [("second", 0)]


def test_a_sidecar_that_ended_is_started_again_whatever_the_pods_policy() -> None:
    """Rule: KEP-753"""
    look = a_look(ended("sidecar", 0), running("main"))
    assert started(look, init=[SIDECAR], restartPolicy="Never") == [("sidecar", 1)]


def test_an_ending_pod_stops_its_containers_at_once_then_its_sidecars_last_one_first_then_its_sandbox() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#sidecar-containers-and-pod-lifecycle"""
    pod = a_pod("one", "two", init=[SIDECAR, a_container("proxy", restartPolicy="Always")])

    def stopped(*left: RuntimeContainer) -> list[str]:
        plan = planned(pod, a_look(*left, ending=an_end()))
        return [one.name for one in plan.actions if isinstance(one, StopContainer)]

    sidecar, proxy = running("sidecar"), running("proxy")
    assert stopped(running("one"), running("two"), sidecar, proxy) == ["one", "two"]
    assert stopped(sidecar, proxy) == ["proxy"]
    assert stopped(sidecar) == ["sidecar"]
    assert planned(pod, a_look(ending=an_end())).actions == (StopSandbox("sandbox-0"),)
    assert planned(pod, a_look(sandbox=a_sandbox(state="exited"), ending=an_end())).ended


def test_a_stop_is_begun_anew_only_to_end_sooner() -> None:
    """Rule: a second deletion may only shorten the first's grace (apiserver registry/rest/delete.go)."""
    sooner, as_known = NOW + timedelta(seconds=1), {"main-0": LATER}
    assert planned(a_pod(), a_look(running("main"), ending=an_end(), stopping=as_known)).actions == ()
    look = a_look(running("main"), ending=an_end(), stopping={"main-0": LATER + timedelta(seconds=5)})
    assert len(planned(a_pod(), look).actions) == 1
    assert sooner < LATER


def test_a_pod_whose_work_is_done_ends_though_a_sidecar_runs() -> None:
    """Rule: KEP-753: sidecars do not hold up a Job."""
    pod = a_pod(init=[SIDECAR], restartPolicy="Never")
    plan = planned(pod, a_look(ended("main", 0), running("sidecar")))
    assert [one.name for one in plan.actions if isinstance(one, StopContainer)] == ["sidecar"]


def test_a_failed_init_container_of_a_pod_that_never_restarts_ends_it() -> None:
    plan = planned(a_pod(init=[a_container("first")], restartPolicy="Never"), a_look(ended("first", 1)))
    assert plan.actions == (StopSandbox("sandbox-0"),)


def test_a_container_whose_probe_gave_up_is_stopped_within_the_probes_grace() -> None:
    """Rule:
    https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#probe-level-terminationgraceperiodseconds
    """
    look = a_look(running("main"), health={"main-0": Health(must_restart="liveness", grace_seconds=5)})
    message = "Container main failed liveness probe, will be restarted"
    assert planned(a_pod(), look).actions == (StopContainer("main-0", "main", NOW + timedelta(seconds=5), message),)


def test_a_container_with_another_image_than_it_was_started_from_is_stopped() -> None:
    record = RuntimeContainer(**{**vars(running("main")), "labels": {CONTAINER_HASH: "old"}})
    actions = planned(a_pod(), a_look(record)).actions
    assert [one.message for one in actions if isinstance(one, StopContainer)] == [
        "Container main definition changed, will be restarted"
    ]


def test_only_the_newest_record_and_the_one_before_are_kept() -> None:
    look = a_look(running("main", 2), ended("main", 1, 1), ended("main", 1, 0))
    assert planned(a_pod(), look).actions == (RemoveContainer("main-0"),)
    assert planned(a_pod(), replace(look, dead_kept=2)).actions == ()
    assert planned(a_pod(), replace(look, dead_kept=0)).actions == (RemoveContainer("main-1"), RemoveContainer("main-0"))
    past = RuntimeContainer(**{**vars(ended("POD", 137, 0)), "is_sandbox": True})
    assert planned(a_pod(), replace(look, past_sandboxes=(past,))).actions[0] == RemoveContainer("POD-0")


RECORDS = st.builds(
    lambda name, code, attempt, alive: running(name, attempt) if alive else ended(name, code, attempt),
    st.sampled_from(["first", "sidecar", "main", "other"]), st.sampled_from([0, 1, 137]), st.integers(0, 3), st.booleans(),
)  # fmt: skip


@settings(deadline=None)  # what is decided counts, not how busy the machine is
@given(st.lists(RECORDS, max_size=6), st.sampled_from(["Always", "OnFailure", "Never"]))
def test_an_ending_pod_starts_nothing_whatever_is_seen(records: list[RuntimeContainer], policy: str) -> None:
    """Rule: a terminating pod never goes back to running."""
    pod = a_pod("main", "other", init=[a_container("first"), SIDECAR], restartPolicy=policy)
    actions = planned(pod, a_look(*records, ending=an_end())).actions
    assert not [one for one in actions if isinstance(one, StartContainer | StartSandbox)]


@settings(deadline=None)
@given(st.lists(RECORDS, max_size=6, unique_by=lambda one: one.id), st.sampled_from(["Always", "OnFailure", "Never"]))
def test_what_runs_is_never_started_beside_itself(records: list[RuntimeContainer], policy: str) -> None:
    pod = a_pod("main", "other", init=[a_container("first"), SIDECAR], restartPolicy=policy)
    newest = sorted(records, key=lambda one: -one.attempt)
    look = a_look(*newest)
    alive = {one.name for one in newest if look.newest(one.name) is one and one.running}
    assert not alive & {one.container.name for one in planned(pod, look).actions if isinstance(one, StartContainer)}
