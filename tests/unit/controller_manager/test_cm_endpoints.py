"""Endpoints and EndpointSlices: who is in, and how little is written."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller_manager.controllers import endpoints, endpointslicemirroring
from controller_manager.controllers.endpointslice import plan, wanted
from controller_manager.slices import PER_SLICE, Changes, Wanted, changes
from kube.api.meta import Tree
from kube.api.types import Endpoints, Pod, Service
from kube.api.views import view
from tests.unit.controller_manager.cm_builders import a_pod, a_service, a_slice, ago

PORTS = [{"name": "", "port": 8080, "protocol": "TCP"}]
METADATA: Tree = {"labels": {"kubernetes.io/service-name": "svc"}}


def an_address(number: int) -> str:
    return f"10.244.{number // 250}.{number % 250 + 1}"


def a_backend(number: int, **more: Any) -> Pod:
    status = {"podIP": an_address(number), "podIPs": [{"ip": an_address(number)}]}
    return a_pod(f"p{number}", status=status, **more)


def no_zone(node: str) -> str:
    return ""


def made(service: Service, *pods: Pod) -> Tree:
    (one,) = plan(service, wanted(service, pods, no_zone), []).create
    return one


def test_a_slice_tells_the_state_of_each_pod() -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions"""
    ready, unready = a_backend(1), a_backend(2, ready=False)
    leaving = a_backend(3, deletionTimestamp=ago(1))
    ended, bare = a_backend(4, phase="Succeeded"), a_pod("bare")
    one = made(a_service(), ready, unready, leaving, ended, bare)
    states = [tuple(endpoint["conditions"].values()) for endpoint in one["endpoints"]]
    assert states == [(True, True, False), (False, False, False), (False, True, True)]
    assert one["metadata"]["labels"] == {
        "team": "a",
        "kubernetes.io/service-name": "svc",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    published = made(a_service(publishNotReadyAddresses=True), unready)
    assert published["endpoints"][0]["conditions"]["ready"] is True


@pytest.mark.parametrize(
    ("wish", "hints"),
    [
        (None, None),
        ("PreferClose", {"forZones": [{"name": "a"}]}),
        ("PreferSameZone", {"forZones": [{"name": "a"}]}),
        ("PreferSameNode", {"forZones": [{"name": "a"}], "forNodes": [{"name": "n"}]}),
    ],
)
def test_ready_endpoints_are_for_their_zone_or_node_where_the_service_wishes_it(wish: str | None, hints: Tree | None) -> None:
    """Rule: KEP-4444, KEP-3015"""
    service = a_service(**({"trafficDistribution": wish} if wish else {}))
    (one,) = plan(service, wanted(service, [a_backend(1), a_backend(2, ready=False)], lambda _: "a"), []).create
    assert [endpoint.get("hints") for endpoint in one["endpoints"]] == [hints, None]


def test_named_ports_are_looked_up_in_each_pod() -> None:
    service = a_service(ports=[{"name": "web", "port": 80, "targetPort": "http", "protocol": "TCP"}])
    container = {"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": 8081}]}
    other = {"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": 8082}]}
    pods = [a_backend(1, spec={"containers": [container]}), a_backend(2, spec={"containers": [other]})]
    found = plan(service, wanted(service, pods, no_zone), []).create
    assert sorted(one["ports"][0]["port"] for one in found) == [8081, 8082]


def test_a_service_without_pods_has_one_empty_slice_and_a_headless_one_is_labelled() -> None:
    one = made(a_service(clusterIP="None", ports=[]))
    assert (one["endpoints"], one["ports"]) == ([], [])
    assert one["metadata"]["labels"]["service.kubernetes.io/headless"] == ""


def test_a_pod_with_a_host_name_below_the_service_is_told_with_it() -> None:
    pod = a_backend(1, spec={"hostname": "db-0", "subdomain": "svc"})
    assert made(a_service(), pod)["endpoints"][0]["hostname"] == "db-0"


def some(count: int, start: int = 0) -> list[Tree]:
    return [{"addresses": [an_address(number)]} for number in range(start, start + count)]


def packed(existing: list[list[Tree]], wanted: list[Tree]) -> Changes:
    slices = [a_slice(f"s{number}", part, PORTS, METADATA["labels"]) for number, part in enumerate(existing)]
    return changes(slices, [Wanted("IPv4", PORTS, wanted)], METADATA)


def test_what_is_as_it_should_be_is_not_written() -> None:
    found = packed([some(100), some(50, 100)], some(150))
    assert (found.create, found.update, found.delete) == ([], [], [])


def test_new_endpoints_fill_the_fullest_slice_that_has_room() -> None:
    found = packed([some(20), some(60, 100)], some(20) + some(60, 100) + some(3, 300))
    assert [(one.metadata.name, len(patch["endpoints"])) for one, patch in found.update] == [("s1", 63)]


def test_new_endpoints_go_where_something_is_written_anyway() -> None:
    found = packed([some(20), some(60, 100)], some(19) + some(60, 100) + some(1, 300))
    assert [(one.metadata.name, len(patch["endpoints"])) for one, patch in found.update] == [("s0", 20)]


def test_an_emptied_slice_goes_but_the_last_one_stays() -> None:
    assert [one.metadata.name for one in packed([some(10), some(10, 100)], some(10)).delete] == ["s1"]
    emptied = packed([some(10)], [])
    assert (emptied.delete, emptied.update[0][1]["endpoints"]) == ([], [])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sets(st.integers(0, 320)), min_size=1, max_size=6))
def test_slices_always_hold_what_is_wanted_and_never_too_much(steps: list[set[int]]) -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#distribution-of-endpointslices"""
    held: list[list[Tree]] = []
    for step in steps:
        wanted = [{"addresses": [an_address(number)]} for number in sorted(step)]
        found = packed(held, wanted)
        patched = {one.metadata.name: patch for one, patch in found.update}
        gone = {one.metadata.name for one in found.delete}
        after = [patched.get(f"s{n}", {"endpoints": part})["endpoints"] for n, part in enumerate(held) if f"s{n}" not in gone]
        held = after + [one["endpoints"] for one in found.create]
        assert all(len(part) <= PER_SLICE for part in held)
        addresses = [endpoint["addresses"][0] for part in held for endpoint in part]
        assert sorted(addresses) == sorted(one["addresses"][0] for one in wanted)
        assert len(held) >= 1


def test_endpoints_part_ready_from_unready_and_stop_at_a_thousand() -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/service/#over-capacity-endpoints"""
    tree = endpoints.plan(a_service(), [a_backend(1), a_backend(2, ready=False), a_backend(3, deletionTimestamp=ago(1))])
    (subset,) = tree["subsets"]
    assert [one["ip"] for one in subset["addresses"]] == ["10.244.0.2"]
    assert [one["ip"] for one in subset["notReadyAddresses"]] == ["10.244.0.3"]
    assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]
    many = endpoints.plan(a_service(), [a_backend(number) for number in range(1001)])
    assert len(many["subsets"][0]["addresses"]) == 1000
    assert many["metadata"]["annotations"] == {"endpoints.kubernetes.io/over-capacity": "truncated"}


def test_endpoints_as_they_should_be_are_not_written() -> None:
    tree = endpoints.plan(a_service(), [a_backend(1)])
    assert endpoints.difference(view(Endpoints, tree), tree) == {}
    assert endpoints.difference(view(Endpoints, tree), endpoints.plan(a_service(), [])) == {"subsets": []}


def test_only_hand_made_endpoints_are_mirrored() -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#endpointslice-mirroring"""
    subsets = [{"addresses": [{"ip": "192.0.2.1"}], "notReadyAddresses": [{"ip": "2001:db8::1"}], "ports": [{"port": 80}]}]
    tree: Tree = {"metadata": {"name": "svc", "namespace": "default", "uid": "u"}, "subsets": subsets}
    by_hand = view(Endpoints, tree)
    bare = a_service(selector=None)
    found = endpointslicemirroring.plan(by_hand, bare, []).create
    assert [(one["addressType"], one["endpoints"][0]["conditions"]) for one in found] == [
        ("IPv4", {"ready": True}),
        ("IPv6", {"ready": False}),
    ]
    skipped = view(Endpoints, {**tree, "metadata": {**tree["metadata"], "labels": {endpointslicemirroring.SKIP: "true"}}})
    for endpoint, service in ((skipped, bare), (by_hand, a_service()), (by_hand, None)):
        assert endpointslicemirroring.plan(endpoint, service, []).create == []
