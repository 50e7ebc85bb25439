"""Lifecycles of core's kinds, priorities and leases, as the official suite goes through them without a running pod."""

import asyncio
import base64
from typing import Any

import pytest

from kube.api.meta import Tree
from kube.api.resources import resource_for
from kube.api.status import Forbidden, Invalid, NotFound
from kube.client.rest import JSON, STRATEGIC, Client
from tests.component.apiserver_kinds.lifecycle import Kind, account

POD: Tree = {"spec": {"containers": [{"name": "c", "image": "busybox"}]}}


def _core(client: Client, plural: str) -> Kind:
    return Kind(client, resource_for("", "v1", plural))


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("plural", "value", "other"),
    [("configmaps", "value", "other"), ("secrets", _encoded("value"), _encoded("other"))],
)
def test_the_life_of_data(runner: asyncio.Runner, client: Client, plural: str, value: str, other: str) -> None:
    """Made, watched, patched, listed across namespaces, updated, deleted as a collection; an empty key is refused.

    Conformance: [sig-node] ConfigMap should run through a ConfigMap lifecycle [Conformance]
    Conformance: [sig-node] ConfigMap should update ConfigMap successfully [NodeConformance] [Conformance]
    Conformance: [sig-node] ConfigMap should fail to create ConfigMap with empty key [Conformance]
    Conformance: [sig-node] Secrets should patch a secret [Conformance]
    Conformance: [sig-node] Secrets should fail to create secret due to empty secret key [Conformance]
    """
    kind = _core(client, plural)

    async def scenario() -> None:
        async with kind.watched() as watch:
            await kind.make("one", {"data": {"key": value}})
            await watch.until("ADDED")
            patch: Tree = {"metadata": {"labels": {"patched": "true"}}, "data": {"key": other}}
            patched = await client.patch(kind.row, kind.key("one"), patch, type=STRATEGIC)
            assert (patched["data"], patched["metadata"]["labels"]["patched"]) == ({"key": other}, "true")
            assert (await watch.until("MODIFIED"))["data"] == {"key": other}
            assert await kind.names(everywhere=True) == ["one"]
            patched["data"]["more"] = value
            assert (await client.update(kind.row, patched))["data"] == {"key": other, "more": value}
            await kind.delete_collection()
            await watch.until("DELETED")
        with pytest.raises(NotFound):
            await kind.get("one")
        with pytest.raises(Invalid, match=r'data\[\]: Invalid value: "": a valid config key must consist of'):
            await kind.make("two", {"data": {"": value}})

    runner.run(scenario())


@pytest.mark.parametrize("plural", ["configmaps", "secrets"])
def test_immutable_data_stay(runner: asyncio.Runner, client: Client, plural: str) -> None:
    """Neither the data nor the mark can be changed once it is immutable; metadata can, and it can be deleted.

    Conformance: [sig-storage] ConfigMap should be immutable if `immutable` field is set [Conformance]
    Conformance: [sig-storage] Secrets should be immutable if `immutable` field is set [Conformance]
    """
    kind = _core(client, plural)

    async def scenario() -> None:
        made = await kind.make("one", {"data": {"one": _encoded("1"), "two": _encoded("2")}})
        made["data"]["three"] = _encoded("3")
        made = await client.update(kind.row, made)
        made["immutable"] = True
        made = await client.update(kind.row, made)
        with pytest.raises(Invalid, match=r"immutable: Forbidden: field is immutable when `immutable` is set"):
            await client.update(kind.row, {**made, "immutable": False})
        with pytest.raises(Invalid, match=r"data: Forbidden: field is immutable when `immutable` is set"):
            await client.update(kind.row, {**made, "data": {"one": _encoded("4")}})
        await kind.marked("one", "still")
        await kind.delete("one")

    runner.run(scenario())


AMOUNTS = ("cpu", "memory", "ephemeral-storage")


def _list(*amounts: str) -> Tree:
    return dict(zip(AMOUNTS, amounts, strict=False))


def _pod(requests: Tree, limits: Tree) -> Tree:
    return {"spec": {"containers": [{"name": "c", "image": "i", "resources": {"requests": requests, "limits": limits}}]}}


def test_a_limit_range_gives_defaults_and_refuses_what_is_beyond(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-scheduling] LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied. [Conformance]"""  # noqa: E501
    ranges, pods = _core(client, "limitranges"), _core(client, "pods")
    least, most = _list("50m", "100Mi", "100Gi"), _list("500m", "500Mi", "500Gi")
    request, limit = _list("100m", "200Mi", "200Gi"), _list("500m", "500Mi", "500Gi")

    async def scenario() -> None:
        await account(client)
        async with ranges.watched() as watch:
            item = {"type": "Container", "min": least, "max": most, "default": limit, "defaultRequest": request}
            await ranges.make("limits", {"spec": {"limits": [{**item, "maxLimitRequestRatio": {}}]}})
            await watch.until("ADDED")
        resources = (await pods.make("bare", POD))["spec"]["containers"][0]["resources"]
        assert resources == {"requests": request, "limits": limit}
        half = await pods.make("partial", _pod(_list("300m", "150Mi"), {"cpu": "300m"}))
        found = half["spec"]["containers"][0]["resources"]
        assert found["requests"] == {"cpu": "300m", "memory": "150Mi", "ephemeral-storage": "200Gi"}
        assert found["limits"] == {"cpu": "300m", "memory": "500Mi", "ephemeral-storage": "500Gi"}
        with pytest.raises(Forbidden, match=r"minimum cpu usage per Container is 50m, but request is 10m"):
            await pods.make("less", _pod(_list("10m", "50Mi", "50Gi"), {}))
        with pytest.raises(Forbidden, match=r"maximum memory usage per Container is 500Mi, but limit is 600Mi"):
            await pods.make("more", _pod({}, _list("600m", "600Mi", "600Gi")))
        tree = await ranges.get("limits")
        tree["spec"]["limits"][0]["min"] = _list("9m", "49Mi", "49Gi")
        await client.update(ranges.row, tree)

        await pods.make("less", _pod(_list("10m", "50Mi", "50Gi"), {}))
        await ranges.delete("limits")
        await pods.make("more", _pod({}, _list("600m", "600Mi", "600Gi")))

    runner.run(scenario())


def test_a_priority_class_keeps_its_value(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-scheduling] SchedulerPreemption [Serial] PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP methods [Conformance]"""  # noqa: E501
    kind = Kind(client, resource_for("scheduling.k8s.io", "v1", "priorityclasses"))

    async def scenario() -> None:
        for name, value in (("p1", 1), ("p2", 2)):
            await kind.make(name, {"value": value})
        assert await kind.names() == ["p1", "p2"]
        for patch in ({"value": 10}, [{"op": "replace", "path": "/value", "value": 10}]):
            with pytest.raises(Invalid, match=r"Value: Forbidden"):
                await client.patch(kind.row, kind.key("p1"), patch, type=JSON if isinstance(patch, list) else STRATEGIC)
        found = await client.patch(kind.row, kind.key("p1"), {"description": "updated description"})
        assert (found["description"], found["value"], found["preemptionPolicy"]) == (
            "updated description",
            1,
            "PreemptLowerPriority",
        )
        with pytest.raises(Invalid):
            await client.update(kind.row, {**found, "value": 5})
        await kind.updated("p1", "x")
        await kind.delete_collection()
        assert await kind.names() == []

    runner.run(scenario())


def test_leases_are_made_changed_and_deleted(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-node] Lease lease API should be available [Conformance]"""
    kind = Kind(client, resource_for("coordination.k8s.io", "v1", "leases"))
    spec: Tree = {
        "holderIdentity": "holder", "leaseDurationSeconds": 30, "leaseTransitions": 0,
        "acquireTime": "2026-01-01T00:00:00.000002Z", "renewTime": "2026-01-01T00:00:05.000000Z",
    }  # fmt: skip

    async def scenario() -> None:
        made = await kind.make("one", {"spec": spec})
        assert made["spec"] == spec
        assert (await kind.get("one"))["spec"] == spec
        changed = {**spec, "holderIdentity": "holder2", "leaseDurationSeconds": 60, "leaseTransitions": 1}
        assert (await client.update(kind.row, {**made, "spec": changed}))["spec"] == changed
        patched = await client.patch(kind.row, kind.key("one"), {"spec": {"leaseDurationSeconds": 50}}, type=STRATEGIC)
        assert patched["spec"] == {**changed, "leaseDurationSeconds": 50}
        await kind.make("two", {"spec": spec})
        assert await kind.names() == ["one", "two"]
        await kind.delete_collection()
        assert await kind.names() == []
        with pytest.raises(NotFound):
            await kind.get("one")

    runner.run(scenario())


def test_the_life_of_a_node(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-node] Node Lifecycle should run through the lifecycle of a node [Conformance]"""
    kind = _core(client, "nodes")

    async def scenario() -> None:
        condition = {"type": "Ready", "status": "Unknown", "reason": "a", "message": "b"}
        made = await kind.make("fake", {"spec": {"unschedulable": True}, "status": {"phase": "Running", "conditions": [condition]}})
        assert made["status"]["phase"] == "Running", "a node may bring a status"
        assert (await kind.get("fake"))["metadata"]["uid"] == made["metadata"]["uid"]
        await kind.marked("fake", "patched")
        await kind.updated("fake", "updated")
        assert await kind.names() == ["fake"]
        patched = await client.patch_status(kind.row, kind.key("fake"), {"capacity": {"example.com/foo": "5"}})
        assert patched["status"]["capacity"] == {"example.com/foo": "5"}
        await kind.delete_collection()
        assert await kind.names() == []

    runner.run(scenario())


def test_the_life_of_endpoints(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-network] Endpoints should test the lifecycle of an Endpoint [Conformance]"""
    kind = _core(client, "endpoints")
    subset: Tree = {"addresses": [{"ip": "10.0.0.24"}], "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}

    async def scenario() -> None:
        async with kind.watched() as watch:
            made = await kind.make("one", {"subsets": [subset]})
            await watch.until("ADDED")
            assert await kind.names(everywhere=True) == ["one"]
            made["metadata"]["labels"]["updated"] = "true"
            await client.update(kind.row, made)
            await watch.until("MODIFIED")
            changed = {
                **subset,
                "addresses": [{"ip": "10.0.0.25"}],
                "ports": [{"name": "http-test", "port": 8080, "protocol": "TCP"}],
            }
            patch: Tree = {"metadata": {"labels": {"patched": "true"}}, "subsets": [changed]}
            await client.patch(kind.row, kind.key("one"), patch, type=STRATEGIC)
            assert (await watch.until("MODIFIED"))["subsets"] == [changed]
            await kind.delete_collection()
            await watch.until("DELETED")
        with pytest.raises(NotFound):
            await kind.get("one")

    runner.run(scenario())


def test_the_status_of_a_service(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-network] Services should complete a service status lifecycle [Conformance]"""
    kind = _core(client, "services")

    async def scenario() -> None:
        spec = {"type": "LoadBalancer", "ports": [{"name": "http", "protocol": "TCP", "port": 80, "targetPort": 80}]}
        async with kind.watched() as watch:
            await kind.make("one", {"spec": {**spec, "loadBalancerClass": "example.com/internal-vip"}})
            made = await watch.until("ADDED")
            assert made["status"] == {"loadBalancer": {}}
            balancer: Tree = {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}
            patch: Tree = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": balancer}
            patched = await client.patch(kind.row, kind.key("one"), patch, subresource="status")
            assert patched["status"]["loadBalancer"]["ingress"][0]["ip"] == "203.0.113.1"
            assert await watch.until("MODIFIED") == patched
            tree = await kind.get("one", "status")
            condition = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test"}
            tree["status"]["conditions"] = [{**condition, "lastTransitionTime": "2026-01-01T00:00:00Z"}]
            updated = await client.update(kind.row, tree, subresource="status")
            assert updated["status"]["conditions"][0]["type"] == "StatusUpdate"
            await watch.until("MODIFIED")
            label: Tree = {"metadata": {"labels": {"test-service": "patched"}}}
            await client.patch(kind.row, kind.key("one"), label)
            assert (await watch.until("MODIFIED"))["metadata"]["labels"]["test-service"] == "patched"
            await kind.delete("one")
            await watch.until("DELETED")

    runner.run(scenario())


def test_the_cluster_reaches_its_api_server_as_a_service(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-network] API Server should provide secure master service [Conformance]"""
    kind = _core(client, "services")

    async def scenario() -> None:
        found = await kind.get("kubernetes")
        assert {"https", 443} <= {value for port in found["spec"]["ports"] for value in (port["name"], port["port"])}

    runner.run(scenario())


def test_the_status_of_a_pod_is_patched(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-node] Pods should patch a pod status [Conformance]"""
    kind = _core(client, "pods")

    async def scenario() -> None:
        await account(client)
        await kind.make("one", POD)
        condition = {"type": "CustomConditionType", "status": "True", "message": "Patched by e2e test"}
        status: Tree = {"status": {"message": "Patched by e2e test", "reason": "E2E", "conditions": [condition]}}
        patched = await client.patch(kind.row, kind.key("one"), status, subresource="status", type=STRATEGIC)
        assert (patched["status"]["message"], patched["status"]["reason"]) == ("Patched by e2e test", "E2E")
        assert "CustomConditionType" in [one["type"] for one in patched["status"]["conditions"]]

    runner.run(scenario())


RESOURCES = {"cpu": "100m", "memory": "100Mi"}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"requests": RESOURCES, "limits": RESOURCES}, "Guaranteed"),
        ({"requests": RESOURCES}, "Burstable"),
        ({}, "BestEffort"),
    ],
)
def test_the_class_of_service_of_a_pod(runner: asyncio.Runner, client: Client, resources: Tree, expected: str) -> None:
    """Conformance: [sig-node] Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu [Conformance]"""  # noqa: E501
    kind = _core(client, "pods")

    async def scenario() -> None:
        await account(client)
        container: Any = {"name": "c", "image": "busybox", "resources": resources}
        made = await kind.make("one", {"spec": {"containers": [container]}})
        assert made["status"]["qosClass"] == expected

    runner.run(scenario())


def test_the_generation_of_a_pod_counts_changes_of_its_spec(runner: asyncio.Runner, client: Client) -> None:
    """It starts at one whatever the client says, and grows with what changes the spec alone.

    Conformance: [sig-node] Pods Extended (pod generation) Pod Generation pod generation should start at 1 and increment per update [MinimumKubeletVersion:1.34] [Conformance]
    Conformance: [sig-node] Pods Extended (pod generation) Pod Generation custom-set generation on new pods and graceful delete [Conformance]
    Rule: KEP-5067
    """  # noqa: E501
    kind = _core(client, "pods")

    async def scenario() -> None:
        await account(client)
        made = await kind.make("one", {**POD, "metadata": {"generation": 100}, "spec": {**POD["spec"], "nodeName": "n"}})
        assert made["metadata"]["generation"] == 1
        await kind.marked("one", "x")
        await client.patch_status(kind.row, kind.key("one"), {"message": "x"})
        assert (await client.update(kind.row, await kind.get("one")))["metadata"]["generation"] == 1, "nothing of the spec changed"
        image: Tree = {"spec": {"containers": [{"name": "c", "image": "other"}]}}
        changed = await client.patch(kind.row, kind.key("one"), image, type=STRATEGIC)
        assert changed["metadata"]["generation"] == 2
        toleration: Tree = {"spec": {"tolerations": [*changed["spec"]["tolerations"], {"key": "k", "operator": "Exists"}]}}
        assert (await client.patch(kind.row, kind.key("one"), toleration))["metadata"]["generation"] == 3
        both: Tree = {"spec": {"activeDeadlineSeconds": 1000, "containers": [{"name": "c", "image": "third"}]}}
        assert (await client.patch(kind.row, kind.key("one"), both, type=STRATEGIC))["metadata"]["generation"] == 4
        deleted = await kind.delete("one", grace_seconds=30)
        assert deleted["metadata"]["generation"] == 5, "its grace period is part of what is wanted"
        await kind.delete("one", grace_seconds=0)

    runner.run(scenario())
