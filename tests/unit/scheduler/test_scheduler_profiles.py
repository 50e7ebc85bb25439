"""Profiles: https://kubernetes.io/docs/reference/scheduling/config/"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from kube.component.run import StartupError
from scheduler.cycle import decide
from scheduler.framework import Profile
from scheduler.pod_info import PodInfo
from scheduler.profiles import profile_of, profiles_of
from tests.unit.scheduler.test_scheduler_decide import a_node, a_pod, a_snapshot

HEAD = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}
ZONE = "topology.kubernetes.io/zone"


def names(profile: Profile) -> tuple[list[str], dict[str, float]]:
    return [one.name for one in profile.filters], {one.name: weight for one, weight in profile.scores}


def with_arguments(plugin: str, **arguments: Any) -> Profile:
    return profile_of({"pluginConfig": [{"name": plugin, "args": arguments}]})


def test_the_default_profile_has_upstreams_plugins_and_weights() -> None:
    filters, scores = names(profile_of({}))
    assert {"NodeResourcesFit", "InterPodAffinity", "PodTopologySpread", "VolumeBinding", "TaintToleration"} <= set(filters)
    assert scores == {
        "TaintToleration": 3, "NodeAffinity": 2, "PodTopologySpread": 2, "InterPodAffinity": 2, "NodeResourcesFit": 1,
        "NodeResourcesBalancedAllocation": 1, "ImageLocality": 1,
    }  # fmt: skip


def test_plugins_are_taken_away_and_weighed_at_one_point_or_at_all() -> None:
    """Rule: `*` disables every one; what a point says comes after multiPoint."""
    scores = {"disabled": [{"name": "*"}], "enabled": [{"name": "NodeResourcesFit", "weight": 5}]}
    many = {"disabled": [{"name": "NodePorts"}], "enabled": [{"name": "ImageLocality", "weight": 9}]}
    found, weights = names(profile_of({"plugins": {"multiPoint": many, "score": scores}}))
    assert "NodePorts" not in found
    assert "NodeResourcesFit" in found
    assert weights == {"NodeResourcesFit": 5}
    assert names(profile_of({"plugins": {"multiPoint": many}}))[1]["ImageLocality"] == 9


def test_preemption_can_be_disabled() -> None:
    assert profile_of({}).preempts
    for point in ("multiPoint", "postFilter"):
        for name in ("DefaultPreemption", "*"):
            assert not profile_of({"plugins": {point: {"disabled": [{"name": name}]}}}).preempts
    both = {"multiPoint": {"disabled": [{"name": "*"}]}, "postFilter": {"enabled": [{"name": "DefaultPreemption"}]}}
    assert profile_of({"plugins": both}).preempts


def test_what_is_not_read_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Rule: a setting that does nothing says so."""
    with_arguments("NodeResourcesFit", scoringStrategy={"type": "MostAllocated"}, ignoredResources=["example.com/a"])
    profile_of({"plugins": {"queueSort": {"disabled": [{"name": "PrioritySort"}]}}})
    told = [record.getMessage() for record in caplog.records]
    assert [text for text in told if "ignoredResources" in text and "no effect" in text]
    assert [text for text in told if "PrioritySort" in text]
    assert not [text for text in told if "scoringStrategy" in text]


def test_pods_are_packed_where_the_strategy_says_so() -> None:
    """Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/"""
    snapshot = a_snapshot(a_node("a"), a_node("b"), placed={"a": [a_pod("there", cpu="500m")]})
    pod = PodInfo(a_pod(cpu="100m"))
    assert decide(pod, snapshot, profile_of({})).node == "b"
    plain = {"plugins": {"score": {"disabled": [{"name": "NodeResourcesBalancedAllocation"}]}}}

    def packed(**strategy: Any) -> str | None:
        arguments = {"name": "NodeResourcesFit", "args": {"scoringStrategy": strategy}}
        return decide(pod, snapshot, profile_of({**plain, "pluginConfig": [arguments]})).node

    assert packed(type="MostAllocated") == "a"
    shape = {"shape": [{"utilization": 0, "score": 0}, {"utilization": 30, "score": 10}, {"utilization": 100, "score": 0}]}
    assert packed(type="RequestedToCapacityRatio", requestedToCapacityRatio=shape, resources=[{"name": "cpu"}]) == "a"


def test_an_added_affinity_holds_for_every_pod_of_the_profile() -> None:
    term = {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["east"]}]}
    added = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    profile = with_arguments("NodeAffinity", addedAffinity=added)
    nodes = a_node("a", labels={ZONE: "west"}), a_node("b", labels={ZONE: "east"})
    assert decide(PodInfo(a_pod()), a_snapshot(*nodes), profile).node == "b"
    message = decide(PodInfo(a_pod()), a_snapshot(nodes[0]), profile).message
    assert message == "0/1 nodes are available: 1 node(s) didn't match scheduler-enforced node affinity."


def test_a_file_gives_profiles_by_name(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({**HEAD, "profiles": [{"schedulerName": "default-scheduler"}, {"schedulerName": "packer"}]}))
    assert list(profiles_of(path)) == ["default-scheduler", "packer"]
    assert list(profiles_of(None)) == ["default-scheduler"]


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"kind": "Foo", "apiVersion": "v1"}, 'no kind "Foo" is registered for version "v1" in scheme'),
        ({**HEAD, "profiles": [{}, {}]}, 'profiles[1].schedulerName: Duplicate value: "default-scheduler"'),
        ({**HEAD, "profiles": [{"plugins": {"score": {"enabled": [{"name": "Foo"}]}}}]}, 'plugin "Foo" does not exist'),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_ends_the_program_with_the_reason(tmp_path: Path, tree: dict[str, Any], words: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(tree))
    with pytest.raises(StartupError) as raised:
        profiles_of(path)
    assert words in str(raised.value)
