"""What the cluster is given at its start to reach its API server, and the objects behind the addresses of Services."""

import asyncio

import pytest

from kube.api.meta import Key, Tree
from kube.api.resources import resource_for
from kube.api.status import Invalid, NotFound
from kube.client.rest import Client
from tests.component.apiserver_kinds.lifecycle import Kind

NETWORKING = ("networking.k8s.io", "v1")
SERVICE = resource_for("", "v1", "services")
ADDRESS = resource_for(*NETWORKING, "ipaddresses")
LABELS = {"ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}


def test_endpoints_point_to_the_api_server(runner: asyncio.Runner, client: Client) -> None:
    """Both forms, for one Service, with one address and port.

    Conformance: [sig-network] API Server should have Endpoints and EndpointSlices pointing to API Server [Conformance]
    """

    async def scenario() -> None:
        old = await client.get_tree(resource_for("", "v1", "endpoints"), "default", "kubernetes")
        (subset,) = old["subsets"]
        slices = await client.list_tree(
            resource_for("discovery.k8s.io", "v1", "endpointslices"), "default",
            params={"labelSelector": "kubernetes.io/service-name=kubernetes"},
        )  # fmt: skip
        (one,) = slices["items"]
        assert [address["ip"] for address in subset["addresses"]] == one["endpoints"][0]["addresses"] == ["192.0.2.1"]
        (port,) = subset["ports"]
        assert one["ports"] == [port]
        assert one["addressType"] == "IPv4"

    runner.run(scenario())


def test_the_range_of_services_is_an_object(runner: asyncio.Runner, client: Client) -> None:
    """Rule: KEP-1880; kubernetes pkg/controlplane/controller/defaultservicecidr"""

    async def scenario() -> None:
        found = await client.get_tree(resource_for(*NETWORKING, "servicecidrs"), "", "kubernetes")
        assert found["spec"] == {"cidrs": ["10.96.0.0/16"]}
        (ready,) = found["status"]["conditions"]
        assert (ready["type"], ready["status"], ready["message"]) == ("Ready", "True", "Kubernetes default Service CIDR is ready")
        (first,) = (await client.get_tree(SERVICE, "default", "kubernetes"))["spec"]["clusterIPs"]
        address = await client.get_tree(ADDRESS, "", first)
        assert address["spec"]["parentRef"] == {"resource": "services", "namespace": "default", "name": "kubernetes"}

    runner.run(scenario())


def test_each_address_of_a_service_is_an_object(runner: asyncio.Runner, client: Client) -> None:
    """Made with the Service, kept as long as it has the address, and gone with it.

    Rule: KEP-1880; kubernetes pkg/registry/core/service/ipallocator
    """
    kind = Kind(client, SERVICE)
    ports: Tree = {"ports": [{"port": 80}]}

    async def scenario() -> None:
        given = (await kind.make("one", {"spec": ports}))["spec"]["clusterIP"]
        held = await client.get_tree(ADDRESS, "", given)
        assert held["metadata"]["labels"] == LABELS
        assert held["spec"]["parentRef"]["name"] == "one"
        with pytest.raises(Invalid, match="provided IP is already allocated"):
            await kind.make("two", {"spec": {**ports, "clusterIP": given}})
        chosen = (await kind.make("two", {"spec": {**ports, "clusterIP": "10.96.0.77"}}))["spec"]["clusterIP"]
        assert (await client.get_tree(ADDRESS, "", chosen))["spec"]["parentRef"]["name"] == "two"
        await client.patch(SERVICE, Key("default", "two"), {"spec": {"type": "ExternalName", "externalName": "a.example.com"}})
        await kind.delete("one")
        for address in (given, chosen):
            with pytest.raises(NotFound):
                await client.get_tree(ADDRESS, "", address)

    runner.run(scenario())
