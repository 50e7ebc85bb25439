"""Admission and allocation, seen from outside."""

import asyncio
from typing import Any

import pytest

from apiserver.allocation import cluster_ip, node_port, service
from kube.api.meta import Key
from kube.api.status import Forbidden, Invalid, NotFound
from kube.api.types import (
    ConfigMap,
    Endpoints,
    LimitRange,
    Namespace,
    PersistentVolumeClaim,
    Pod,
    PriorityClass,
    Service,
    ServiceAccount,
    StorageClass,
)
from kube.client.rest import Client
from tests.component.conftest import RunningApi


def a_service(name: str, **spec: Any) -> dict[str, Any]:
    ports = spec.pop("ports", [{"port": 80}])
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"ports": ports, "selector": {"a": "b"}, **spec}}


def a_pod(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "i"}]
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"containers": containers, **spec}}


def test_every_cluster_has_its_first_objects(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        names = {one.metadata.name for one in await client.list(Namespace)}
        assert names == {"default", "kube-system", "kube-public", "kube-node-lease"}
        service = await client.get(Service, "default", "kubernetes")
        assert service.spec.clusterIP == "10.96.0.1"
        endpoints = await client.get(Endpoints, "default", "kubernetes")
        assert endpoints.subsets[0].addresses[0].ip == "192.0.2.1"

    runner.run(scenario())


def test_one_address_goes_to_one_service_however_many_ask_at_once(runner: asyncio.Runner, client: Client) -> None:
    """Rule: behaviour E.4.45: allocation survives races."""

    async def scenario() -> None:
        wishes = [client.create(Service, a_service(f"s{n}", clusterIP="10.96.5.5")) for n in range(8)]
        answers = await asyncio.gather(*wishes, return_exceptions=True)
        refusals = [answer for answer in answers if isinstance(answer, Invalid)]
        assert len(refusals) == 7
        assert "failed to allocate IP 10.96.5.5: provided IP is already allocated" in refusals[0].message

    runner.run(scenario())


def test_chosen_addresses_differ_and_come_back_when_a_service_goes(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        made = await asyncio.gather(*(client.create(Service, a_service(f"s{n}")) for n in range(10)))
        addresses = {tree["spec"]["clusterIP"] for tree in made}
        assert len(addresses) == 10
        first = made[0]["spec"]["clusterIP"]
        await client.delete(Service, Key("default", "s0"))
        again = await client.create(Service, a_service("again", clusterIP=first))
        assert again["spec"]["clusterIPs"] == [first]

    runner.run(scenario())


def test_node_port_is_kept_on_update_and_given_back_with_the_type(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        ports = [{"port": 80, "nodePort": 30080}]
        tree = await client.create(Service, a_service("web", type="NodePort", ports=ports))
        assert tree["spec"]["ports"][0]["nodePort"] == 30080
        with pytest.raises(Invalid, match=r"spec.ports\[0\].nodePort: Invalid value: 30080: provided port is already allocated"):
            await client.create(Service, a_service("other", type="NodePort", ports=ports))
        tree["spec"]["ports"] = [{"port": 80}]
        tree = await client.update(Service, tree)
        assert tree["spec"]["ports"][0]["nodePort"] == 30080
        tree["spec"]["type"] = "ClusterIP"
        tree = await client.update(Service, tree)
        assert "nodePort" not in tree["spec"]["ports"][0]
        assert await client.create(Service, a_service("other", type="NodePort", ports=ports))

    runner.run(scenario())


def test_node_port_outside_of_the_range_is_refused(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        wish = a_service("web", type="NodePort", ports=[{"port": 80, "nodePort": 80}])
        with pytest.raises(Invalid, match="The range of valid ports is 30000-32767"):
            await client.create(Service, wish)

    runner.run(scenario())


def test_headless_and_external_name_take_no_address(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        headless = await client.create(Service, a_service("h", clusterIP="None"))
        assert headless["spec"]["clusterIPs"] == ["None"]
        external = await client.create(Service, a_service("e", type="ExternalName", externalName="example.com", ports=[]))
        assert "clusterIP" not in external["spec"]

    runner.run(scenario())


def test_pod_gets_account_token_tolerations_and_priority(runner: asyncio.Runner, client: Client) -> None:
    """Rule: the admission plugins ServiceAccount, DefaultTolerationSeconds, Priority."""

    async def scenario() -> None:
        with pytest.raises(Forbidden, match='error looking up service account default/default: serviceaccount "default" not found'):
            await client.create(Pod, a_pod("early"))
        await client.create(ServiceAccount, {"metadata": {"name": "default", "namespace": "default"}})
        await client.create(PriorityClass, {"metadata": {"name": "high"}, "value": 1000})
        made = await client.create(Pod, a_pod("p", priorityClassName="high"))
        spec = made["spec"]
        without = {name: value for name, value in spec.items() if name not in ("priority", "preemptionPolicy")}
        assert (await client.update(Pod, {**made, "spec": without}))["spec"] == spec  # an update may leave them out
        assert spec["serviceAccountName"] == "default"
        assert spec["priority"] == 1000
        assert {one["key"]: one["tolerationSeconds"] for one in spec["tolerations"]} == {
            "node.kubernetes.io/not-ready": 300,
            "node.kubernetes.io/unreachable": 300,
        }
        volume = spec["volumes"][0]
        assert volume["name"].startswith("kube-api-access-")
        mount = {"name": volume["name"], "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
        assert spec["containers"][0]["volumeMounts"] == [mount]

    runner.run(scenario())


def test_nothing_new_in_a_namespace_that_goes(runner: asyncio.Runner, client: Client) -> None:
    """Rule: behaviour D.3, namespace terminating; some namespaces are immortal."""

    async def scenario() -> None:
        await client.create(Namespace, {"metadata": {"name": "going"}})
        await client.delete(Namespace, Key("", "going"))
        with pytest.raises(Forbidden, match="unable to create new content in namespace going because it is being terminated"):
            await client.create(ConfigMap, {"metadata": {"name": "c", "namespace": "going"}})
        with pytest.raises(Forbidden, match='namespaces "default" is forbidden: this namespace may not be deleted'):
            await client.delete(Namespace, Key("", "default"))

    runner.run(scenario())


def test_limit_ranges_and_default_classes_are_heeded(runner: asyncio.Runner, client: Client) -> None:
    """Rule: behaviour E.7.74."""

    async def scenario() -> None:
        await client.create(ServiceAccount, {"metadata": {"name": "default", "namespace": "default"}})
        item = {"type": "Container", "default": {"cpu": "1"}, "max": {"cpu": "2"}}
        await client.create(LimitRange, {"metadata": {"name": "l", "namespace": "default"}, "spec": {"limits": [item]}})
        resources = (await client.create(Pod, a_pod("p")))["spec"]["containers"][0]["resources"]
        assert resources == {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}
        greedy = [{"name": "c", "image": "i", "resources": {"limits": {"cpu": "3"}}}]
        with pytest.raises(Forbidden, match="maximum cpu usage per Container is 2, but limit is 3"):
            await client.create(Pod, a_pod("greedy", containers=greedy))
        annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
        await client.create(StorageClass, {"metadata": {"name": "fast", "annotations": annotations}, "provisioner": "p"})
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        claim = await client.create(PersistentVolumeClaim, {"metadata": {"name": "c", "namespace": "default"}, "spec": spec})
        assert claim["spec"]["storageClassName"] == "fast"

    runner.run(scenario())


def test_namespace_that_is_not_there_is_told_before_all_else(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        with pytest.raises(NotFound, match='namespaces "nowhere" not found'):
            await client.create(Pod, a_pod("p", "nowhere"))

    runner.run(scenario())


def test_ports_of_a_deleted_service_are_free_for_one_of_its_name(runner: asyncio.Runner, client: Client) -> None:
    # what if the old Service's port were given back after the new one of the same name had taken it?
    async def scenario() -> None:
        wish = a_service("web", type="NodePort", ports=[{"port": 80, "nodePort": 30081}])
        for _ in range(3):
            await client.create(Service, wish)
            await client.delete(Service, Key("default", "web"))
        await client.create(Service, wish)
        with pytest.raises(Invalid, match="provided port is already allocated"):
            await client.create(Service, a_service("other", type="NodePort", ports=[{"port": 80, "nodePort": 30081}]))

    runner.run(scenario())


def test_service_may_become_any_type(runner: asyncio.Runner, client: Client) -> None:
    """Rule: behaviour E.4.45: type changes allocate and release."""

    async def scenario() -> None:
        tree = await client.create(Service, a_service("web", type="LoadBalancer", externalTrafficPolicy="Local"))
        assert tree["spec"]["healthCheckNodePort"] >= 30000
        port = tree["spec"]["ports"][0]["nodePort"]
        key = Key("default", "web")
        external = await client.patch(Service, key, {"spec": {"type": "ExternalName", "externalName": "example.com",
                                                              "externalTrafficPolicy": None}})  # fmt: skip
        assert "clusterIP" not in external["spec"]
        assert "healthCheckNodePort" not in external["spec"]
        await client.create(Service, a_service("o", type="NodePort", ports=[{"port": 80, "nodePort": port}]))
        again = await client.patch(Service, key, {"spec": {"type": "ClusterIP", "externalName": None}})
        assert again["spec"]["clusterIP"].startswith("10.96.")

    runner.run(scenario())


def test_only_what_the_cluster_has_can_be_asked_for(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        with pytest.raises(Invalid, match="this cluster is not configured for dual-stack services"):
            await client.create(Service, a_service("d", ipFamilyPolicy="RequireDualStack"))
        with pytest.raises(Invalid, match=r'spec.ipFamilies\[0\]: Invalid value: "IPv6": not configured on this cluster'):
            await client.create(Service, a_service("s", ipFamilies=["IPv6"]))
        soft = await client.create(Service, a_service("p", ipFamilyPolicy="PreferDualStack"))
        assert soft["spec"]["ipFamilies"] == ["IPv4"]

    runner.run(scenario())


def test_what_no_service_holds_is_found(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    # what if a server were killed between taking an address or a port and storing the Service?
    async def scenario() -> None:
        server, gone = apiserver.server, Key("default", "gone")
        await client.create(Service, a_service("web", type="NodePort"))
        await cluster_ip.take(server, "10.96.9.9", gone, dry_run=False)
        owner = node_port.Owner("default/web", "of-another-life")
        await node_port.take(server, 30099, owner, dry_run=False)
        await server.stores.feed.fresh()
        assert await service.leaked(server) == {("10.96.9.9", gone), (30099, owner)}
        await cluster_ip.give_back(server, "10.96.9.9", gone)
        await node_port.give_back(server, 30099, owner)
        await server.stores.feed.fresh()
        assert await service.leaked(server) == set()

    runner.run(scenario())
