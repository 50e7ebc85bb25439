"""What the official suite asks of Endpoints, EndpointSlices and their mirror, without a node: addresses are made up by the test."""

import asyncio
import statistics
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from kube.api.meta import Key, Tree, key_of
from kube.api.status import AlreadyExists, NotFound
from kube.api.types import Endpoints, EndpointSlice, Event, Node, Pod, Service
from kube.client.informer import Informer
from kube.client.rest import Client
from tests.component.controller_manager.conftest import Cluster, a_template, at

OF_SERVICE = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
SERVICES, MOST_SECONDS = 100, 20.0  # what the suite makes, and allows at the median


async def a_service(client: Client, name: str, selector: dict[str, str] | None, *ports: Tree, **more: Any) -> Tree:
    spec = {"ports": list(ports), **({"selector": selector} if selector else {}), **more}
    return await client.create(Service, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})


async def a_backend(cluster: Cluster, name: str, address: str, labels: dict[str, str], ports: list[Tree]) -> Pod:
    """A pod with an address that is not ready."""
    container = {"name": "container1", "image": "web", "ports": ports}
    metadata = {"name": name, "namespace": "default", "labels": labels}
    await cluster.client.create(Pod, {"metadata": metadata, "spec": {"containers": [container]}})
    pod = await cluster.client.get(Pod, "default", name)
    await cluster.set_phase(pod, "Pending", podIP=address, podIPs=[{"ip": address}])
    return pod


async def slices(client: Client, service: str) -> list[EndpointSlice]:
    return list(await client.list(EndpointSlice, "default", label_selector=f"{OF_SERVICE}={service}"))


async def gone(client: Client, service: str) -> bool:
    try:
        await client.get(Endpoints, "default", service)
    except NotFound:
        return not await slices(client, service)
    return False


def told_by_slices(found: Iterable[EndpointSlice]) -> list[tuple[str, str, list[tuple[str, int]]]]:
    """Each endpoint's address, the uid of its pod, and its ports."""
    return sorted(
        (one.addresses[0], one.targetRef.uid, [(port.name, port.port) for port in slice_.ports])
        for slice_ in found
        for one in slice_.endpoints or ()
    )


def told_by_endpoints(found: Endpoints) -> list[tuple[str, str, list[tuple[str, int]]]]:
    return sorted(
        (one.ip, one.targetRef.uid, [(port.name, port.port) for port in subset.ports])
        for subset in found.subsets or ()
        for one in (*(subset.addresses or ()), *(subset.notReadyAddresses or ()))
    )


def test_service_whose_selector_matches_nothing_has_empty_objects_that_go_with_it(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: behaviour E.4.46

    Conformance: [sig-network] EndpointSlice should create and delete EndpointSlices for a Service with a selector that matches no pods [Conformance]
    Conformance: [sig-network] EndpointsController should create and delete Endpoints for a Service with a selector that matches no pods [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        await a_service(client, "empty", {"does-not": "match"}, {"name": "example", "port": 80, "protocol": "TCP"})

        async def there() -> bool:
            (one,) = await slices(client, "empty")
            assert one.metadata.labels[MANAGED_BY] == "endpointslice-controller.k8s.io"
            assert not one.endpoints
            return not (await client.get(Endpoints, "default", "empty")).subsets

        async def seen() -> bool:
            return bool(await slices(client, "empty")) and await there()

        await cluster.until(seen, "an empty slice and empty Endpoints")
        await client.delete(Service, at("empty"))
        await cluster.until(lambda: gone(client, "empty"), "both to go with the service")

    runner.run(scenario())


def test_pods_are_told_by_the_ports_that_each_has(runner: asyncio.Runner, cluster: Cluster) -> None:
    """A port's number; a port's name, which is another number in each pod; nobody; and slices that somebody deleted are made again.

    Conformance: [sig-network] EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service [Conformance]
    Conformance: [sig-network] EndpointsController should create Endpoints for Pods matching a Service [Conformance]
    """

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        number = {"name": "example", "port": 80, "targetPort": 3000, "protocol": "TCP"}
        name = {"name": "http", "port": 80, "targetPort": "example-name", "protocol": "TCP"}
        nobody = {"name": "example-no-match", "port": 80, "targetPort": 8080, "protocol": "TCP"}
        await a_service(client, "example-int-port", {"pod1": "on"}, number, publishNotReadyAddresses=True)
        await a_service(client, "example-named-port", {"shared12": "on"}, name, publishNotReadyAddresses=True)
        await a_service(client, "example-no-match", {"pod3": "on"}, nobody, publishNotReadyAddresses=True)
        first = [{"name": "example-name", "containerPort": 3000}]
        second = [{"name": "example-name", "containerPort": 3001}, {"name": "other-port", "containerPort": 3002}]
        one = await a_backend(cluster, "pod1", "10.244.1.11", {"pod1": "on", "shared12": "on"}, first)
        two = await a_backend(cluster, "pod2", "10.244.1.12", {"pod2": "on", "shared12": "on"}, second)
        both = [
            ("10.244.1.11", one.metadata.uid, [("http", 3000)]),
            ("10.244.1.12", two.metadata.uid, [("http", 3001)]),
        ]

        async def tell(service: str, count: int, expected: list[Any]) -> None:
            async def look() -> bool:
                found = await slices(client, service)
                assert len(found) == count
                assert told_by_slices(found) == expected
                endpoints = await client.get(Endpoints, "default", service)
                assert len(endpoints.subsets or ()) == len(expected)
                return told_by_endpoints(endpoints) == expected

            await cluster.until(look, f"the endpoints of {service}")

        await tell("example-int-port", 1, [("10.244.1.11", one.metadata.uid, [("example", 3000)])])
        await tell("example-named-port", 2, both)
        await tell("example-no-match", 1, [])
        assert not (await slices(client, "example-no-match"))[0].ports
        before = {slice_.metadata.uid for slice_ in await slices(client, "example-named-port")}
        for slice_ in await slices(client, "example-named-port"):
            await client.delete(EndpointSlice, key_of(slice_))
        await tell("example-named-port", 2, both)
        assert not before & {slice_.metadata.uid for slice_ in await slices(client, "example-named-port")}

    runner.run(scenario())


async def a_node(client: Client, name: str, zone: str, ready: str = "True") -> None:
    labels = {"topology.kubernetes.io/zone": zone}
    status = {"allocatable": {"cpu": "2"}, "conditions": [{"type": "Ready", "status": ready, "reason": "Test"}]}
    with suppress(AlreadyExists):
        await client.create(Node, {"metadata": {"name": name, "labels": labels}})
    await client.patch(Node, Key("", name), {"status": status}, subresource="status")


def test_endpoints_are_shared_out_among_zones_while_these_can_bear_it(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/topology-aware-routing/"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        for number, zone in enumerate("ab"):
            await a_node(client, f"node-{zone}", zone)
            metadata = {"name": f"pod-{zone}", "namespace": "default", "labels": {"app": "zoned"}}
            spec = {"containers": [{"name": "c", "image": "web"}], "nodeName": f"node-{zone}"}
            await client.create(Pod, {"metadata": metadata, "spec": spec})
            address = f"10.244.7.{number + 1}"
            pod = await client.get(Pod, "default", f"pod-{zone}")
            await cluster.set_phase(pod, "Running", podIP=address, podIPs=[{"ip": address}])
        await a_service(client, "zoned", {"app": "zoned"}, {"port": 80})
        auto = {"metadata": {"annotations": {"service.kubernetes.io/topology-mode": "Auto"}}}
        await client.patch(Service, at("zoned"), auto)

        async def hints() -> list[str]:
            (one,) = await slices(client, "zoned")
            return sorted(zone.name for endpoint in one.endpoints for zone in (endpoint.hints.forZones if endpoint.hints else ()))

        async def events() -> list[str]:
            return [one.reason for one in await client.list(Event, "default") if one.involvedObject.name == "zoned"]

        async def shared_out() -> bool:
            return await hints() == ["a", "b"] and "TopologyAwareHintsEnabled" in await events()

        await cluster.until(shared_out, "an endpoint for each zone")
        await a_node(client, "node-b", "b", ready="False")

        async def for_all() -> bool:
            return await hints() == [] and "TopologyAwareHintsDisabled" in await events()

        await cluster.until(for_all, "every endpoint for everybody")

    runner.run(scenario())


def test_mirror_follows_hand_made_endpoints_to_their_end(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#endpointslice-mirroring

    Conformance: [sig-network] EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        await a_service(client, "custom", None, {"name": "example", "port": 80, "protocol": "TCP"})

        def of(*addresses: str) -> Tree:
            subsets = [{"addresses": [{"ip": one} for one in addresses], "ports": [{"port": 80}]}]
            return {
                "apiVersion": "v1",
                "kind": "Endpoints",
                "metadata": {"name": "custom", "namespace": "default"},
                "subsets": subsets,
            }

        async def mirrored(*addresses: str) -> None:
            async def look() -> bool:
                found = await slices(client, "custom")
                assert len(found) == 1
                assert [port.port for port in found[0].ports] == [80]
                assert found[0].metadata.labels[MANAGED_BY] == "endpointslicemirroring-controller.k8s.io"
                return [one.addresses for one in found[0].endpoints] == [[one] for one in addresses]

            await cluster.until(look, f"a mirror of {addresses}")

        await client.create(Endpoints, of("10.1.2.3"))
        await mirrored("10.1.2.3")
        await client.update(Endpoints, of("10.2.3.4"))
        await mirrored("10.2.3.4")
        await client.patch(Endpoints, at("custom"), {"metadata": {"labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}})
        await cluster.until(lambda: nobody(client), "the mirror of what is not to be mirrored any more to go")
        await client.patch(Endpoints, at("custom"), {"metadata": {"labels": {"endpointslice.kubernetes.io/skip-mirror": None}}})
        await mirrored("10.2.3.4")
        await client.delete(Endpoints, at("custom"))
        await cluster.until(lambda: gone(client, "custom"), "the mirror to go")

    async def nobody(client: Client) -> bool:
        return not await slices(client, "custom")

    runner.run(scenario())


def test_endpoints_of_a_new_service_are_not_long_in_coming(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-network] Service endpoints latency should not be very high [Conformance]
    """

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        pod = await a_backend(cluster, "pause", "10.244.1.11", {"name": "svc-latency"}, [])
        await cluster.set_phase(pod, "Running", podIP="10.244.1.11", podIPs=[{"ip": "10.244.1.11"}])
        informer: Informer[Endpoints] = Informer(client, Endpoints, namespace="default")
        seen: dict[Key, float] = {}

        def note(_: Endpoints | None, new: Endpoints | None) -> None:
            if new is not None and new.subsets:
                seen.setdefault(key_of(new), time.monotonic())

        informer.on_change(note)
        watching = asyncio.ensure_future(informer.run())
        await informer.synced.wait()
        made: dict[Key, float] = {}
        for number in range(SERVICES):
            made[at(f"latency-svc-{number}")] = time.monotonic()
            await a_service(client, f"latency-svc-{number}", {"name": "svc-latency"}, {"port": 80, "protocol": "TCP"})

        async def all_seen() -> bool:
            return made.keys() <= seen.keys()

        await cluster.until(all_seen, "the endpoints of every service")
        watching.cancel()
        await asyncio.wait([watching])
        assert statistics.median(seen[key] - began for key, began in made.items()) < MOST_SECONDS

    runner.run(scenario())


def test_placeholder_becomes_the_first_slice(runner: asyncio.Runner, cluster: Cluster) -> None:
    """So that nobody sees a Service's slice without ports beside one with them."""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        await a_service(client, "web", {"app": "web"}, {"port": 80, "targetPort": 8080})

        async def only() -> EndpointSlice:
            found = await slices(client, "web")
            assert len(found) == 1
            return found[0]

        placeholder = await cluster.until(only, "a placeholder")
        async with cluster.pods_get_ready():
            await client.create(
                Pod, {"metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}}, "spec": a_template()["spec"]}
            )

            async def filled() -> EndpointSlice:
                one = await only()
                assert one.endpoints
                return one

            first = await cluster.until(filled, "an endpoint")
        assert first.metadata.uid == placeholder.metadata.uid
        assert [port.port for port in first.ports] == [8080]

    runner.run(scenario())
