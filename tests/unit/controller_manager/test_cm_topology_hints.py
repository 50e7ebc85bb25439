"""Endpoints shared out among zones, and since when slices should say what they say."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller_manager.slices import Wanted, changes
from controller_manager.topology_hints import OVERLOAD, NoHints, asks_for_hints, shares, with_hints
from controller_manager.trigger_times import ANNOTATION, TriggerTimes, noted
from kube.api.meta import Key, Tree
from kube.api.types import EndpointSlice, Node, Service
from kube.api.views import timestamp, view
from tests.unit.controller_manager.cm_builders import NOW, a_pod, ago


def a_node(zone: str, cpu: str = "4", *, ready: str = "True", **labels: str) -> Node:
    all_labels = {"topology.kubernetes.io/zone": zone, **labels} if zone else labels
    status = {"allocatable": {"cpu": cpu}, "conditions": [{"type": "Ready", "status": ready}]}
    return view(Node, {"metadata": {"name": "n", "labels": all_labels}, "spec": {}, "status": status})


def annotated(name: str = "", value: str = "") -> Service:
    metadata = {"name": "svc", "namespace": "default", "creationTimestamp": ago(90), "annotations": {name: value} if name else {}}
    return view(Service, {"metadata": metadata, "spec": {}})


def endpoints(**zones: int) -> list[Tree]:
    """So many ready ones in each zone; `nowhere` in none."""
    found: list[Tree] = []
    for zone, count in zones.items():
        for _ in range(count):
            one: Tree = {"addresses": [f"10.244.0.{len(found)}"], "conditions": {"ready": True}}
            found.append(one | ({"zone": zone} if zone != "nowhere" else {}))
    return found


def meant_for(found: list[Tree]) -> Counter[str]:
    return Counter(one["hints"]["forZones"][0]["name"] for one in found if "hints" in one)


def test_zones_count_by_the_processors_of_their_ready_workers() -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/topology-aware-routing/#how-it-works"""
    control_plane = {"node-role.kubernetes.io/control-plane": ""}
    nodes = [a_node("a", "3"), a_node("b", "500m"), a_node("b", "500m"), a_node("a", ready="False"), a_node("c", **control_plane)]
    assert shares(nodes) == {"a": 0.75, "b": 0.25}
    assert shares([a_node("a"), a_node("")]) == {}


@pytest.mark.parametrize("annotation", ["service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints"])
def test_a_service_asks_by_its_annotation(annotation: str) -> None:
    """Rule: https://kubernetes.io/docs/reference/labels-annotations-taints/#servicekubernetesiotopology-mode"""
    assert asks_for_hints(annotated(annotation, "Auto"))
    assert not asks_for_hints(annotated(annotation, "Disabled"))


def test_endpoints_are_for_their_own_zone_unless_another_would_have_too_few() -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/topology-aware-routing/ · KEP-2433 (20 % overload)"""
    even = {"a": 0.5, "b": 0.5}
    assert meant_for(with_hints(endpoints(a=2, b=2), even)) == {"a": 2, "b": 2}
    assert meant_for(with_hints(endpoints(a=4), even)) == {"a": 2, "b": 2}
    assert meant_for(with_hints(endpoints(a=5, c=1), {"a": 0.75, "b": 0.25})) == {"a": 4, "b": 2}
    mixed = [*endpoints(a=2, b=2), {"addresses": ["10.0.0.9"], "conditions": {"ready": False}, "zone": "a"}]
    assert "hints" not in with_hints(mixed, even)[-1]


@pytest.mark.parametrize(
    ("zones", "parts", "message"),
    [
        ({"a": 2}, {}, "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"),
        ({"a": 2}, {"a": 1.0}, "Nodes only ready in one zone"),
        ({"a": 1}, {"a": 0.5, "b": 0.5}, "Insufficient number of endpoints (1 endpoints, 2 zones)"),
        ({"a": 3, "nowhere": 1}, {"a": 0.5, "b": 0.5}, "One or more endpoints do not have a zone specified"),
        ({"a": 3}, {"a": 0.5, "b": 0.5}, "without exceeding overload threshold (3 endpoints, 2 zones)"),
    ],
)
def test_where_endpoints_cannot_be_shared_out_it_is_said_why(zones: dict[str, int], parts: dict[str, float], message: str) -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/topology-aware-routing/#safeguards"""
    with pytest.raises(NoHints) as told:
        with_hints(endpoints(**zones), parts)
    assert message in str(told.value)


ZONES = st.sampled_from("abcd")


@settings(deadline=None)  # what is shared out counts, not how busy the machine is
@given(st.dictionaries(ZONES, st.integers(1, 9), min_size=2), st.dictionaries(ZONES, st.integers(0, 40), min_size=1))
def test_nobody_has_much_more_to_do_than_the_average(cpus: dict[str, int], there: dict[str, int]) -> None:
    """Rule: KEP-2433 (20 % overload)"""
    parts = {zone: cpu / sum(cpus.values()) for zone, cpu in cpus.items()}
    every = endpoints(**there)
    try:
        found = meant_for(with_hints(every, parts))
    except NoHints:
        return
    assert found.total() == len(every)
    assert all(share * len(every) / found[zone] <= 1 + OVERLOAD + 1e-6 for zone, share in parts.items())


def test_slices_tell_since_when_they_should_say_what_they_say() -> None:
    """Rule: behaviour E.4.46 · staging/src/k8s.io/endpointslice/trigger_time_tracker.go"""
    service, times = annotated(), TriggerTimes()
    old, new, newer = (a_pod(name, ready_for=seconds) for name, seconds in (("old", 60), ("new", 30), ("newer", 20)))
    assert times.of(service, [old]) == NOW - timedelta(seconds=90)
    assert times.of(service, [old, new, newer]) == NOW - timedelta(seconds=30)
    assert times.of(service, [old, newer]) is None
    assert times.of(service, [a_pod("old", ready_for=10), newer]) == NOW - timedelta(seconds=10)
    times.forget(Key("default", "svc"))
    assert times.of(service, [old]) == NOW - timedelta(seconds=90)

    made = noted(changes([], [Wanted("IPv4", [], endpoints(a=1))], {"labels": {}}), NOW)
    assert made.create[0]["metadata"] == {"labels": {}, "annotations": {ANNOTATION: timestamp(NOW)}}
    known = view(EndpointSlice, {**made.create[0], "metadata": {**made.create[0]["metadata"], "resourceVersion": "1"}})
    for moment, stamp in ((NOW, timestamp(NOW)), (None, None)):
        updated = noted(changes([known], [Wanted("IPv4", [], endpoints(a=2))], {"labels": {}}), moment)
        assert [patch["metadata"]["annotations"] for _, patch in updated.update] == [{ANNOTATION: stamp}]
