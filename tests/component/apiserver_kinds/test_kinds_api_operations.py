"""API operations: the tests of the official suite that do everything with a kind that can be done, without a running pod."""

import asyncio
from typing import Any

import pytest

from kube.api.meta import Tree
from kube.api.resources import resource_for
from kube.api.status import NotFound
from kube.client.rest import Client
from tests.component.apiserver_kinds.lifecycle import Kind, Watched, is_discovered

Made = tuple[tuple[str, Tree], ...]

TEMPLATE: Tree = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "busybox"}]}}
JOB = {"template": {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "OnFailure"}}}
BACKEND = {"service": {"name": "default-backend", "port": {"number": 80}}}
REQUEST = {"requests": [{"name": "req-0", "exactly": {"deviceClassName": "my-class"}}]}
CLAIM = {"devices": REQUEST}
POOL = {"name": "pool", "generation": 1, "resourceSliceCount": 1}


def named(body: Tree) -> Made:
    return tuple((f"one-{number}", body) for number in range(3))


CASES: list[tuple[str, str, Made]] = [
    ("batch/v1", "cronjobs",
     named({"spec": {"schedule": "*/1 * * * *", "concurrencyPolicy": "Allow", "jobTemplate": {"spec": JOB}}})),
    ("networking.k8s.io/v1", "ingresses", named({"spec": {"defaultBackend": BACKEND}})),
    ("networking.k8s.io/v1", "ingressclasses", named({"spec": {"controller": "example.com/controller"}})),
    ("networking.k8s.io/v1", "networkpolicies", named({"spec": {"podSelector": {"matchLabels": {"pod-name": "test-pod"}}}})),
    ("networking.k8s.io/v1", "servicecidrs",
     tuple((f"cidr-{number}", {"spec": {"cidrs": [f"10.9{number}.0.0/24"]}}) for number in range(3))),
    ("networking.k8s.io/v1", "ipaddresses",
     tuple((f"192.168.{number}.1", {"spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "a"}}})
           for number in range(3))),
    ("discovery.k8s.io/v1", "endpointslices", named({"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}]})),
    ("storage.k8s.io/v1", "csistoragecapacities", named({"storageClassName": "a", "capacity": "1Gi", "nodeTopology": {}})),
    ("node.k8s.io/v1", "runtimeclasses", named({"handler": "test-handler"})),
    ("resource.k8s.io/v1", "deviceclasses", named({"spec": {"selectors": [{"cel": {"expression": "true"}}]}})),
    ("resource.k8s.io/v1", "resourceclaims", named({"spec": CLAIM})),
    ("resource.k8s.io/v1", "resourceclaimtemplates", named({"spec": {"spec": CLAIM}})),
    ("resource.k8s.io/v1", "resourceslices",
     named({"spec": {"driver": "dra.example.com", "nodeName": "a", "pool": POOL, "devices": [{"name": "dev-0"}]}})),
]  # fmt: skip


@pytest.mark.parametrize(("version", "plural", "made"), CASES, ids=lambda one: one if isinstance(one, str) else "")
def test_all_operations_of_an_api(runner: asyncio.Runner, client: Client, version: str, plural: str, made: Made) -> None:
    """Discovery, create, get, list, watch, patch, update, delete and delete collection, in a namespace and across them.

    Conformance: [sig-apps] CronJob should support CronJob API operations [Conformance]
    Conformance: [sig-network] Ingress API should support creating Ingress API operations [Conformance]
    Conformance: [sig-network] IngressClass API should support creating IngressClass API operations [Conformance]
    Conformance: [sig-network] ServiceCIDR and IPAddress API should support ServiceCIDR API operations [Conformance]
    Conformance: [sig-network] ServiceCIDR and IPAddress API should support IPAddress API operations [Conformance]
    Conformance: [sig-network] EndpointSlice should support creating EndpointSlice API operations [Conformance]
    Conformance: [sig-storage] CSIStorageCapacity should support CSIStorageCapacities API operations [Conformance]
    Conformance: [sig-node] RuntimeClass should support RuntimeClasses API operations [Conformance]
    Conformance: [sig-node] [DRA] CRUD Tests resource.k8s.io/v1 DeviceClass [Conformance]
    Conformance: [sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim [Conformance]
    Conformance: [sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate [Conformance]
    Conformance: [sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice [Conformance]
    """
    group, _, number = version.partition("/")
    kind = Kind(client, resource_for(group, number, plural))
    names = [name for name, _ in made]

    async def scenario() -> None:
        await is_discovered(client, kind.row)
        async with kind.watched() as here, kind.watched(everywhere=True) as everywhere:
            for name, body in made:
                assert (await kind.make(name, body))["metadata"]["uid"]
            await _read_and_changed(kind, names, (here, everywhere))
            await _status(kind, names[0])
            await kind.delete(names[0])
            await here.until("DELETED")
            await everywhere.until("DELETED")
        with pytest.raises(NotFound):
            await kind.get(names[0])
        assert await kind.names() == names[1:]
        await kind.delete_collection()
        assert await kind.names(everywhere=True) == []

    runner.run(scenario())


async def _read_and_changed(kind: Kind, names: list[str], watches: tuple[Watched, ...]) -> None:
    assert (await kind.get(names[0]))["metadata"]["name"] == names[0]
    assert await kind.names() == await kind.names(everywhere=True) == names
    await kind.marked(names[0], "patched")
    updated = await kind.updated(names[0], "updated")
    for watch in watches:
        for _ in names:
            await watch.until("ADDED")
        assert (await watch.until("MODIFIED", mark="patched"))["metadata"]["name"] == names[0]
        assert await watch.until("MODIFIED", mark="updated") == updated


STATUS: dict[str, Any] = {
    "cronjobs": {"lastScheduleTime": "2026-01-01T00:00:00Z"},
    "ingresses": {"loadBalancer": {"ingress": [{"ip": "169.1.1.1"}]}},
    "servicecidrs": {"conditions": [{"type": "PatchedStatus", "status": "True", "reason": "E2EPatchedReason",
                                     "message": "Set from an e2e test", "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
    "resourceclaims": {"reservedFor": [{"resource": "pods", "name": "a", "uid": "b"}]},
}  # fmt: skip


async def _status(kind: Kind, name: str) -> None:
    """Where it has one: patched and updated by its own path, and read there."""
    if kind.row.plural not in STATUS:
        return
    wanted = STATUS[kind.row.plural]
    if kind.row.plural == "resourceclaims":  # in use only once it is allocated
        wanted = {**wanted, "allocation": {"devices": {"results": [
            {"request": "req-0", "driver": "dra.example.com", "pool": "pool", "device": "dev-0"}]}}}  # fmt: skip
    patch = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": wanted}
    patched = await kind.client.patch(kind.row, kind.key(name), patch, subresource="status")
    for field, value in wanted.items():
        if field != "conditions":
            assert patched["status"][field] == value
    assert patched["metadata"]["annotations"]["patchedstatus"] == "true"
    patched["metadata"]["annotations"]["patchedstatus"] = "updated"
    updated = await kind.client.update(kind.row, patched, subresource="status")
    assert updated["metadata"]["annotations"]["patchedstatus"] == "updated"
    assert (await kind.get(name, "status"))["status"] == updated["status"]
    if kind.row.plural == "resourceclaims":  # nobody uses it any more
        updated["status"] = {}
        await kind.client.update(kind.row, updated, subresource="status")
