"""The kit: expectations, slow start, adoption, conditions, status patches, which controllers there are."""

import asyncio
from pathlib import Path

import pytest

import controller_manager.controllers
from controller_manager.adoption import claim, selector_of
from controller_manager.conditions import condition, with_condition
from controller_manager.config import Config
from controller_manager.controllers import CONTROLLERS
from controller_manager.expectations import TIMEOUT_SECONDS, Expectations
from controller_manager.slow_start import slow_start
from controller_manager.start import chosen_controllers
from controller_manager.status_patch import status_patch, without_empty
from kube.api.status import Forbidden
from kube.component.run import StartupError
from tests.unit.controller_manager.cm_builders import NOW, a_job, a_pod, a_replica_set, ago, owned


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_expected_creations_hold_back_until_all_were_seen() -> None:
    """Rule: client-go controller.ControllerExpectations"""
    expectations = Expectations(Watch())
    expectations.expect_creations("rs", 2)
    expectations.created("rs")
    assert not expectations.satisfied("rs")
    expectations.created("rs")
    assert expectations.satisfied("rs")
    expectations.created("rs")  # seen once more than expected: no credit for the next time
    expectations.expect_creations("rs", 1)
    assert not expectations.satisfied("rs")


def test_expected_deletions_go_by_uid() -> None:
    """A deletion is told twice: when it begins and when the object is gone."""
    expectations = Expectations(Watch())
    expectations.expect_deletions("rs", ["a", "b"])
    expectations.deleted("rs", "a")
    expectations.deleted("rs", "a")
    assert not expectations.satisfied("rs")
    expectations.deleted("rs", "b")
    assert expectations.satisfied("rs")


def test_a_lost_event_holds_back_for_five_minutes_at_most() -> None:
    watch = Watch()
    expectations = Expectations(watch)
    expectations.expect_creations("rs", 1)
    watch.seconds = TIMEOUT_SECONDS + 1
    assert expectations.satisfied("rs")
    expectations.expect_creations("rs", 1)  # what was lost does not count any more
    expectations.created("rs")
    assert expectations.satisfied("rs")


@pytest.mark.parametrize(("allowed", "tried"), [(100, 20), (0, 1), (1, 3), (5, 7)])
def test_slow_start_doubles_and_ends_with_the_first_failing_batch(allowed: int, tried: int) -> None:
    """Rule: pkg/controller/replicaset slowStartBatch"""
    attempts = []

    async def create(number: int) -> None:
        attempts.append(number)
        if number >= allowed:
            raise Forbidden("exceeded quota")

    done, failure = asyncio.run(slow_start(list(range(20)), create))
    assert len(attempts) == tried
    assert done == min(allowed, 20)
    assert (failure is None) == (allowed >= 20)


def test_orphans_are_adopted_strangers_left_and_strays_released() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#non-template-pod-acquisitions"""
    rs = a_replica_set()
    mine, stray = a_pod("mine", **owned("ReplicaSet", "uid-rs")), a_pod("stray", labels={}, **owned("ReplicaSet", "uid-rs"))
    orphan, foreign, other = a_pod("orphan"), a_pod("foreign", **owned("ReplicaSet", "uid-x")), a_pod("other", labels={"app": "db"})
    going = a_pod("going", deletionTimestamp=ago(0))
    claimed = claim(rs, selector_of(rs), [mine, stray, orphan, foreign, other, going])
    assert (claimed.keep, claimed.adopt, claimed.release) == ([mine], [orphan], [stray])


def test_an_owner_that_is_being_deleted_adopts_and_releases_nothing() -> None:
    rs = a_replica_set()
    rs.metadata.deletionTimestamp = NOW
    claimed = claim(rs, selector_of(rs), [a_pod("orphan"), a_pod("stray", labels={}, **owned("ReplicaSet", "uid-rs"))])
    assert (claimed.keep, claimed.adopt, claimed.release) == ([], [], [])


def test_a_condition_changes_its_time_only_with_its_status() -> None:
    """Rule: api-conventions.md#typical-status-properties"""
    old = [{**condition("Available", "True", "A", "a", NOW), "lastTransitionTime": ago(100)}]
    assert with_condition(old, condition("Available", "True", "A", "b", NOW)) is old
    renamed = with_condition(old, condition("Available", "True", "B", "b", NOW))
    assert renamed[0]["lastTransitionTime"] == ago(100)
    turned = with_condition(old, condition("Available", "False", "B", "b", NOW))
    assert turned[0]["lastTransitionTime"] == ago(0)


def test_a_status_that_did_not_change_is_not_written() -> None:
    status = a_replica_set(replicas=2).status
    assert status_patch(status, {"replicas": 2, "availableReplicas": 2, "observedGeneration": 1}) == {}
    assert status_patch(status, {"replicas": 3, "observedGeneration": 1}) == {"replicas": 3, "availableReplicas": None}
    job = a_job(status={"uncountedTerminatedPods": {"succeeded": ["a"], "failed": ["b"]}}).status
    wanted = {"uncountedTerminatedPods": {"failed": ["b"]}}
    assert status_patch(job, wanted) == {"uncountedTerminatedPods": {"succeeded": None}}, "an empty object would clear nothing"
    assert without_empty({"replicas": 0, "readyReplicas": 0, "conditions": []}, always=("replicas",)) == {"replicas": 0}


def test_every_module_of_the_folder_is_in_the_list() -> None:
    folder = Path(controller_manager.controllers.__file__).parent
    modules = {path.stem for path in folder.iterdir() if path.stem != "__init__" and path.name != "__pycache__"}
    listed = {one.__module__.removeprefix("controller_manager.controllers.") for one in CONTROLLERS}
    assert modules == listed
    assert len({one.name for one in CONTROLLERS}) == len(CONTROLLERS)


def test_controllers_are_chosen_by_name() -> None:
    """Rule: --controllers of kube-controller-manager"""
    everything = {one.name for one in chosen_controllers(Config())}
    assert "deployment-controller" in everything
    assert not {"node-ipam-controller", "root-ca-certificate-publisher-controller"} & everything  # they need flags of their own
    without = {one.name for one in chosen_controllers(Config(controllers=("*", "-job-controller")))}
    assert everything - without == {"job-controller"}
    assert [one.name for one in chosen_controllers(Config(controllers=("job-controller",)))] == ["job-controller"]
    with pytest.raises(StartupError, match='"foo" is not in the list of known controllers'):
        chosen_controllers(Config(controllers=("foo",)))
    with pytest.raises(StartupError, match="there is no such file"):
        chosen_controllers(Config(root_ca_file=Path("/nowhere/ca.crt")))
