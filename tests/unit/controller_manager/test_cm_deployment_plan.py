"""Deployment: sizes, proportions, revisions, progress; and that no step ever breaks its bounds."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller_manager.controllers.deployment import plan, progress, revision, rolling
from controller_manager.controllers.deployment.revision import DESIRED, MAX, REVISION, Sets
from kube.api.types import Deployment, ReplicaSet
from tests.unit.controller_manager.cm_builders import NOW, a_deployment, a_replica_set, ago


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (4, "25%", "25%", (1, 1)),
        (3, "25%", "25%", (1, 0)),
        (10, "25%", "25%", (3, 2)),
        (1, "25%", "25%", (1, 0)),
        (10, 0, "5%", (0, 1)),
        (5, 2, 9, (2, 5)),
        (0, 1, 1, (1, 0)),
        (1, "0%", "0%", (0, 1)),
    ],
)
def test_surge_rounds_up_and_unavailable_down(replicas: int, surge: Any, unavailable: Any, expected: tuple[int, int]) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge"""
    deployment = a_deployment(replicas, surge=surge, unavailable=unavailable)
    assert (rolling.max_surge(deployment), rolling.max_unavailable(deployment)) == expected


@pytest.mark.parametrize(
    ("replicas", "surge", "old", "new", "expected"),
    [
        (10, 0, 10, 0, 0),
        (10, 2, 10, 0, 2),
        (10, 5, 5, 0, 10),
        (10, 2, 11, 1, 1),
        (2, 2, 10, 2, 2),
        (10, 2, 0, 12, 10),
    ],
)
def test_the_new_set_grows_by_what_the_surge_leaves(replicas: int, surge: int, old: int, new: int, expected: int) -> None:
    """Rule: pkg/controller/deployment NewRSNewReplicas"""
    deployment = a_deployment(replicas, surge=surge, unavailable=1, image="new")
    sets = Sets(a_replica_set("new", new, image="new"), [a_replica_set("old", old)])
    assert rolling.new_set_size(deployment, sets) == expected


def test_unhealthy_old_pods_go_before_healthy_ones_of_older_sets() -> None:
    deployment = a_deployment(10, surge=1, unavailable=2)
    older, newer = a_replica_set("older", 5, age=300), a_replica_set("newer", 5, age=200, available=1)
    sets = Sets(a_replica_set("new", 1, age=1, available=0), [older, newer])
    assert rolling.rolling_step(deployment, sets) == {"newer": 3}  # 11 - 8 - 1 of the new set unavailable = 2, all unhealthy


def test_old_sets_shrink_oldest_first_to_what_may_be_missing() -> None:
    deployment = a_deployment(10, surge=0, unavailable=4)
    older, newer = a_replica_set("older", 3, age=300), a_replica_set("newer", 7, age=200)
    sets = Sets(a_replica_set("new", 0, age=1), [older, newer])
    assert rolling.rolling_step(deployment, sets) == {"older": 0, "newer": 6}


SIZES = st.integers(0, 12)


@settings(max_examples=200, deadline=None)
@given(
    replicas=st.integers(1, 15),
    surge=st.one_of(st.integers(0, 6), st.sampled_from(["0%", "10%", "25%", "100%"])),
    unavailable=st.one_of(st.integers(0, 6), st.sampled_from(["0%", "10%", "25%", "100%"])),
    moods=st.lists(st.integers(0, 3), min_size=5, max_size=60),
)
def test_no_step_of_a_rollout_breaks_its_bounds(replicas: int, surge: Any, unavailable: Any, moods: list[int]) -> None:
    """From a working old set, whatever becomes ready when: never too many pods, never too few available; and it ends.

    Rule: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
    """
    deployment = a_deployment(replicas, surge=surge, unavailable=unavailable, image="new")
    sizes, able = {"old": replicas, "new": 0}, {"old": replicas, "new": 0}
    least = replicas - rolling.max_unavailable(deployment)
    for mood in (*moods, *([3] * (4 * replicas + 8))):
        sets = Sets(
            a_replica_set("new", sizes["new"], age=1, image="new", available=able["new"]),
            [a_replica_set("old", sizes["old"], available=able["old"])],
        )
        for name, size in rolling.rolling_step(deployment, sets).items():
            sizes[name] = size
            able[name] = min(able[name], size)  # the pods that go are the unavailable ones first
        assert sum(sizes.values()) <= rolling.most(deployment)
        assert sum(able.values()) >= least
        able["new"] = min(sizes["new"], able["new"] + mood)
    assert sizes == {"old": 0, "new": replicas}


@settings(max_examples=200, deadline=None)
@given(before=st.integers(1, 20), after=st.integers(1, 40), part=st.integers(0, 100))
def test_proportional_scaling_reaches_the_allowed_size_exactly(before: int, after: int, part: int) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#proportional-scaling"""
    was = a_deployment(before, surge=2)
    new = before * part // 100
    noted = {DESIRED: str(before), MAX: str(rolling.most(was))}
    deployment = a_deployment(after, surge=2, image="new", status={"replicas": before})
    sets = Sets(
        a_replica_set("new", new, age=1, image="new", available=0, annotations=noted),
        [a_replica_set("old", before - new + 2, annotations=noted)],
    )
    sizes = {one.metadata.name: one.spec.replicas for one in sets.all} | rolling.scaling_step(deployment, sets)
    if new:
        assert sum(sizes.values()) == rolling.most(deployment)
    assert all(size >= 0 for size in sizes.values())


def test_proportional_scaling_gives_the_remainder_to_the_largest() -> None:
    """The documentation's example: 10 pods with maxSurge 3, 8 old and 5 new, scaled to 15, become 11 and 7."""
    noted = {DESIRED: "10", MAX: "13"}
    deployment = a_deployment(15, surge=3, unavailable=2, image="new", status={"replicas": 13})
    new = a_replica_set("new", 5, age=1, image="new", available=0, annotations=noted)
    sets = Sets(new, [a_replica_set("old", 8, annotations=noted)])
    assert rolling.was_scaled(deployment, sets)
    assert rolling.scaling_step(deployment, sets) == {"old": 11, "new": 7}


def test_the_new_set_is_the_one_with_the_template_whatever_its_hash() -> None:
    deployment = a_deployment(image="b")
    old, new = a_replica_set("x", image="a"), a_replica_set("y", image="b", age=50)
    new.spec.template.metadata.labels[revision.HASH_LABEL] = "abc"
    assert revision.sort_out(deployment, [new, old]) == Sets(new, [old])


def test_a_new_set_carries_hash_and_revision_and_scaling_alone_changes_no_hash() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label"""
    old = a_replica_set("old", annotations={REVISION: "4"}, image="a")
    one = revision.new_replica_set(a_deployment(3, image="b"), Sets(None, [old]), 1, 4)
    two = revision.new_replica_set(a_deployment(9, image="b"), Sets(None, [old]), 1, 4)
    digest = one["metadata"]["labels"][revision.HASH_LABEL]
    assert one["metadata"]["name"] == f"d-{digest}"
    assert one["spec"]["selector"]["matchLabels"][revision.HASH_LABEL] == digest
    assert one["metadata"]["annotations"] == {REVISION: "5", DESIRED: "3", MAX: "4"}
    assert two["metadata"]["name"] == one["metadata"]["name"]
    collided = revision.new_replica_set(a_deployment(3, image="b", status={"collisionCount": 1}), Sets(None, [old]), 1, 4)
    assert collided["metadata"]["name"] != one["metadata"]["name"]


def test_going_back_raises_the_old_set_to_the_newest_revision() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-back-to-a-previous-revision"""
    back = a_replica_set("back", 0, image="a", annotations={REVISION: "1"})
    newer = a_replica_set("newer", 3, image="b", annotations={REVISION: "2"})
    wanted = revision.new_set_annotations(a_deployment(image="a"), Sets(back, [newer]))
    assert wanted == {REVISION: "3", revision.REVISION_HISTORY: "1"}


def test_history_beyond_its_limit_goes_lowest_revision_first_and_only_if_empty() -> None:
    sets = [a_replica_set(f"r{number}", 0, annotations={REVISION: str(number)}) for number in (3, 1, 2)]
    sets.append(a_replica_set("r0", 1, annotations={REVISION: "0"}))
    deployment = a_deployment(revisionHistoryLimit=1)
    assert [one.metadata.name for one in revision.superfluous(deployment, Sets(None, sets))] == ["r1", "r2"]


def planned(deployment: Deployment, new: ReplicaSet | None, old: list[ReplicaSet], *, old_pods: bool = False) -> Any:
    return plan(deployment, Sets(new, old), old_pods, [], NOW)


def test_recreate_waits_until_all_old_pods_are_gone() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#recreate-deployment"""
    deployment = a_deployment(3, recreate=True, image="new")
    assert planned(deployment, None, [a_replica_set("old", 3)], old_pods=True).sizes == {"old": 0}
    waiting = planned(deployment, None, [a_replica_set("old", 0)], old_pods=True)
    assert (waiting.create, waiting.sizes) == (None, {})
    assert planned(deployment, None, [a_replica_set("old", 0)]).create["spec"]["replicas"] == 3


def test_a_paused_deployment_makes_no_new_set() -> None:
    paused = a_deployment(3, paused=True, image="new")
    assert planned(paused, None, [a_replica_set("old", 2)]).create is None
    assert planned(paused, None, [a_replica_set("old", 2)]).sizes == {"old": 3}


def conditions_of(status: dict[str, Any], type: str = "Progressing") -> tuple[str, str]:
    found = next(one for one in status["conditions"] if one["type"] == type)
    return found["status"], found["reason"]


def a_progressing(reason: str, updated_ago: float) -> dict[str, str]:
    times = {"lastUpdateTime": ago(updated_ago), "lastTransitionTime": ago(updated_ago)}
    return {"type": "Progressing", "status": "True", "reason": reason, "message": "", **times}


def test_progress_is_told_and_its_deadline_kept() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment"""
    rs = a_replica_set("new", 3, available=1)
    same = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 1}
    moving = progress.rollout(a_deployment(3), Sets(rs, []), [a_progressing("NewReplicaSetCreated", 700)], NOW)
    assert conditions_of(moving) == ("True", "ReplicaSetUpdated")
    stuck = a_deployment(3, status=same)
    late = progress.rollout(stuck, Sets(rs, []), [a_progressing("ReplicaSetUpdated", 601)], NOW)
    assert conditions_of(late) == ("False", "ProgressDeadlineExceeded")
    early = progress.rollout(stuck, Sets(rs, []), [a_progressing("ReplicaSetUpdated", 500)], NOW)
    assert conditions_of(early) == ("True", "ReplicaSetUpdated")
    timeless = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}
    assert conditions_of(progress.rollout(stuck, Sets(rs, []), [timeless], NOW)) == ("False", "ProgressDeadlineExceeded")
    assert progress.seconds_until_deadline(stuck, early, NOW) == 101
    done = progress.rollout(a_deployment(3), Sets(a_replica_set("new", 3), []), [a_progressing("ReplicaSetUpdated", 601)], NOW)
    assert conditions_of(done) == ("True", "NewReplicaSetAvailable")
    assert conditions_of(done, "Available") == ("True", "MinimumReplicasAvailable")
    assert progress.seconds_until_deadline(stuck, done, NOW) is None


def test_pausing_stops_the_deadline() -> None:
    paused = a_deployment(3, paused=True)
    known = progress.pause(paused, [a_progressing("ReplicaSetUpdated", 601)], NOW)
    assert [(one["status"], one["reason"]) for one in known] == [("Unknown", "DeploymentPaused")]
    resumed = progress.pause(a_deployment(3), known, NOW + timedelta(seconds=5))
    assert [(one["status"], one["reason"]) for one in resumed] == [("Unknown", "DeploymentResumed")]


@pytest.mark.parametrize("text", ["²", "-1", "one", "1" * 5000])
def test_a_revision_that_is_no_number_counts_as_none(text: str) -> None:
    """Rule: pkg/controller/deployment/util/deployment_util.go (MaxRevision leaves it out)"""
    odd = a_replica_set("odd", annotations={REVISION: text})
    assert revision.revision_of(odd) == 0
    assert revision.new_set_annotations(a_deployment(), Sets(odd, []))[REVISION] == "1"
