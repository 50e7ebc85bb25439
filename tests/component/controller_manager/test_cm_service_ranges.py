"""Ranges of Service addresses that are added and taken away while the cluster runs. The default range has two addresses."""

import asyncio
from dataclasses import replace

import pytest

from apiserver.config import Config
from kube.api.meta import Tree
from kube.api.status import InternalError, Invalid, NotFound
from kube.api.types import Service, ServiceCIDR
from kube.client.rest import Client
from tests.component.controller_manager.conftest import Cluster, at

MORE = "10.200.0.0/29"
GONE_SECONDS = 30.0  # the grace that API servers are given, and a busy machine


@pytest.fixture
def api_config(api_config: Config) -> Config:
    return replace(api_config, service_cluster_ip_range=("10.96.0.0/30",))


async def a_service(client: Client, name: str, **spec: str) -> str:
    """Its address."""
    tree: Tree = {"metadata": {"name": name, "namespace": "default"}, "spec": {"ports": [{"port": 80}], **spec}}
    return str((await client.create(Service, tree))["spec"]["clusterIP"])


async def readiness(client: Client) -> tuple[str, str, bool]:
    """Status and reason of the condition Ready, and whether a finalizer keeps the range."""
    block = await client.get(ServiceCIDR, "", "more")
    told = list((block.status.conditions if block.status is not None else None) or ())
    assert told
    (one,) = told
    return one.status, one.reason or "", "networking.k8s.io/service-cidr-finalizer" in (block.metadata.finalizers or ())


def test_services_get_addresses_of_a_range_that_was_added_until_it_goes(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/tasks/network/extend-service-ip-ranges/ (KEP-1880)"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        assert await a_service(client, "last") == "10.96.0.2"
        with pytest.raises(InternalError, match=r"range 10\.96\.0\.0/30 is full"):
            await a_service(client, "too-many")
        with pytest.raises(Invalid, match="is not in the valid range"):
            await a_service(client, "early", clusterIP="10.200.0.1")
        await client.create(ServiceCIDR, {"metadata": {"name": "more"}, "spec": {"cidrs": [MORE]}})

        async def state(*expected: object) -> None:
            async def look() -> bool:
                return await readiness(client) == expected

            await cluster.until(look, f"readiness {expected}")

        await state("True", "", True)
        assert (await a_service(client, "chosen")).startswith("10.200.0.")
        asked = "10.200.0.6" if (await client.get(Service, "default", "chosen")).spec.clusterIP != "10.200.0.6" else "10.200.0.5"
        assert await a_service(client, "asked", clusterIP=asked) == asked
        await client.delete(ServiceCIDR, at("more", ""))
        await state("False", "Terminating", True)
        with pytest.raises(InternalError, match="is full"):
            await a_service(client, "late")
        for name in ("chosen", "asked"):
            await client.delete(Service, at(name))

        async def gone() -> bool:
            try:
                await client.get(ServiceCIDR, "", "more")
            except NotFound:
                return True
            return False

        await cluster.until(gone, "the range to go", GONE_SECONDS)

    runner.run(scenario())
