"""Workloads as the API has them: scale, status, collections and lifecycles that need no pod to run."""

import asyncio
from typing import Any

import pytest

from kube.api.meta import Tree
from kube.api.resources import resource_for
from kube.api.status import NotFound
from kube.client.rest import JSON, STRATEGIC, Client
from tests.component.apiserver_kinds.lifecycle import LABEL, Kind

APPS = ("apps", "v1")
POD: Tree = {"containers": [{"name": "c", "image": "busybox"}]}
TEMPLATE: Tree = {"metadata": {"labels": {"a": "b"}}, "spec": POD}
SPEC: Tree = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
REPLICATED: dict[str, Tree] = {
    "deployments": {"spec": {**SPEC, "replicas": 1}},
    "replicasets": {"spec": {**SPEC, "replicas": 1}},
    "statefulsets": {"spec": {**SPEC, "replicas": 1, "serviceName": "s"}},
    "replicationcontrollers": {"spec": {"replicas": 1, "selector": {"a": "b"}, "template": TEMPLATE}},
}


def _kind(client: Client, plural: str) -> Kind:
    return Kind(client, resource_for("", "v1", plural) or resource_for(*APPS, plural))


@pytest.mark.parametrize("plural", REPLICATED)
def test_replicas_are_changed_by_the_scale_subresource(runner: asyncio.Runner, client: Client, plural: str) -> None:
    """Read, updated and patched there, and seen in the object.

    Conformance: [sig-apps] Deployment Deployment should have a working scale subresource [Conformance]
    Conformance: [sig-apps] ReplicaSet Replicaset should have a working scale subresource [Conformance]
    Conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should have a working scale subresource [Conformance]
    Conformance: [sig-apps] ReplicationController should get and update a ReplicationController scale [Conformance]
    """  # noqa: E501
    kind = _kind(client, plural)

    async def scenario() -> None:
        made = await kind.make("one", REPLICATED[plural])
        scale = await kind.get("one", "scale")
        assert (scale["apiVersion"], scale["kind"], scale["spec"]) == ("autoscaling/v1", "Scale", {"replicas": 1})
        assert scale["metadata"]["uid"] == made["metadata"]["uid"]
        assert scale["status"] == {"replicas": 0, "selector": "a=b"}
        scale["metadata"]["resourceVersion"] = ""  # whatever happened meanwhile
        scale["spec"]["replicas"] = 2
        path = kind.row.path(kind.namespace, "one", "scale")
        answer = (await client.request("PUT", path, body=scale)).tree()
        assert (answer["kind"], answer["spec"]["replicas"]) == ("Scale", 2)
        assert (await kind.get("one"))["spec"]["replicas"] == 2
        patched = await client.patch(kind.row, kind.key("one"), {"spec": {"replicas": 4}}, subresource="scale", type=STRATEGIC)
        assert (patched["kind"], patched["spec"]["replicas"]) == ("Scale", 4)
        assert (await kind.get("one"))["spec"]["replicas"] == 4

    runner.run(scenario())


UPDATED: Tree = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test"}
WITH_STATUS: dict[str, Tree] = {**REPLICATED, "daemonsets": {"spec": SPEC}}


@pytest.mark.parametrize("plural", WITH_STATUS)
def test_a_status_is_read_updated_and_patched_by_its_own_path(runner: asyncio.Runner, client: Client, plural: str) -> None:
    """What is written there is seen by a watch of the objects, and nothing but the status changes.

    Conformance: [sig-apps] Deployment should validate Deployment Status endpoints [Conformance]
    Conformance: [sig-apps] ReplicaSet should validate Replicaset Status endpoints [Conformance]
    Conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should validate Statefulset Status endpoints [Conformance]
    Conformance: [sig-apps] Daemon set [Serial] should verify changes to a daemon set status [Conformance]
    """  # noqa: E501
    kind = _kind(client, plural)

    async def scenario() -> None:
        await kind.make("one", WITH_STATUS[plural])
        async with kind.watched() as watch:
            tree = await kind.get("one", "status")
            assert tree["kind"] == kind.row.kind
            tree["status"].setdefault("conditions", []).append(UPDATED)
            tree["spec"]["minReadySeconds"] = 17
            updated = await client.update(kind.row, tree, subresource="status")
            shown = {key: updated["status"]["conditions"][0][key] for key in UPDATED}
            assert shown == UPDATED
            assert updated["spec"].get("minReadySeconds", 0) == 0, "only the status is written there"
            assert updated["metadata"]["generation"] == 1
            assert await watch.until("MODIFIED") == updated
            patch: Tree = {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}}
            patched = await client.patch(kind.row, kind.key("one"), patch, subresource="status")
            assert [one["type"] for one in patched["status"]["conditions"]] == ["StatusPatched"]
            assert await watch.until("MODIFIED") == patched

    runner.run(scenario())


COLLECTIONS = [
    *WITH_STATUS,
    "controllerrevisions",
    "podtemplates",
    "poddisruptionbudgets",
    "jobs",
    "limitranges",
    "services",
    "pods",
]
BODIES: dict[str, tuple[str, Tree]] = {
    **{plural: ("apps" if plural != "replicationcontrollers" else "", body) for plural, body in WITH_STATUS.items()},
    "controllerrevisions": ("apps", {"revision": 1, "data": {"spec": {"template": TEMPLATE}}}),
    "podtemplates": ("", {"template": TEMPLATE}),
    "poddisruptionbudgets": ("policy", {"spec": {"selector": {"matchLabels": {"a": "b"}}, "minAvailable": 1}}),
    "jobs": ("batch", {"spec": {"suspend": True, "template": {**TEMPLATE, "spec": {**POD, "restartPolicy": "Never"}}}}),
    "limitranges": ("", {"spec": {"limits": [{"type": "Container", "default": {"cpu": "50m"}}]}}),
    "services": ("", {"spec": {"ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}}),
    "pods": ("", {"spec": {**POD, "terminationGracePeriodSeconds": 1}}),
}


@pytest.mark.parametrize("plural", BODIES)
def test_a_collection_is_listed_and_deleted_by_label(runner: asyncio.Runner, client: Client, plural: str) -> None:
    """Three are made, found in every namespace, one of them patched; the collection goes, and what has another label stays.

    Conformance: [sig-apps] ReplicaSet should list and delete a collection of ReplicaSets [Conformance]
    Conformance: [sig-apps] Daemon set [Serial] should list and delete a collection of DaemonSets [Conformance]
    Conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should list, patch and delete a collection of StatefulSets [Conformance]
    Conformance: [sig-apps] DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection of PodDisruptionBudgets [Conformance]
    Conformance: [sig-node] PodTemplates should delete a collection of pod templates [Conformance]
    Conformance: [sig-node] Pods should delete a collection of pods [Conformance]
    Conformance: [sig-scheduling] LimitRange should list, patch and delete a LimitRange by collection [Conformance]
    Conformance: [sig-network] Services should delete a collection of services [Conformance]
    Conformance: [sig-network] Services should find a service from listing all namespaces [Conformance]
    """  # noqa: E501
    group, body = BODIES[plural]
    kind = Kind(client, resource_for(group, "v1", plural))

    async def scenario() -> None:
        await client.create(resource_for("", "v1", "serviceaccounts"), {"metadata": {"name": "default", "namespace": "default"}})
        for name in ("one-0", "one-1", "one-2"):
            await kind.make(name, body)
        other = {**body, "metadata": {"name": "other", "labels": {LABEL: "no"}}}
        await client.create(kind.row, other, namespace="default")
        assert await kind.names(everywhere=True) == ["one-0", "one-1", "one-2"]
        await kind.marked("one-1", "patched")
        await kind.delete_collection(gracePeriodSeconds=0, propagationPolicy="Background")
        assert await kind.names(everywhere=True) == []
        assert (await kind.get("other"))["metadata"]["name"] == "other"

    runner.run(scenario())


@pytest.mark.parametrize("plural", ["controllerrevisions", "podtemplates", "replicationcontrollers", "jobs", "deployments"])
def test_the_life_of_one(runner: asyncio.Runner, client: Client, plural: str) -> None:
    """Made, watched, read, listed, patched, replaced and deleted.

    Conformance: [sig-apps] ControllerRevision [Serial] should manage the lifecycle of a ControllerRevision [Conformance]
    Conformance: [sig-apps] ReplicationController should test the lifecycle of a ReplicationController [Conformance]
    Conformance: [sig-node] PodTemplates should run the lifecycle of PodTemplates [Conformance]
    Conformance: [sig-node] PodTemplates should replace a pod template [Conformance]
    """
    group, body = BODIES[plural]
    kind = Kind(client, resource_for(group, "v1", plural))

    async def scenario() -> None:
        async with kind.watched() as watch:
            made = await kind.make("one", body)
            assert await watch.until("ADDED") == made
            assert await kind.names(everywhere=True) == ["one"]
            patch = [{"op": "add", "path": "/metadata/labels/one", "value": "patched"}]
            assert (await client.patch(kind.row, kind.key("one"), patch, type=JSON))["metadata"]["labels"]["one"] == "patched"
            labels: Tree = {"metadata": {"labels": {"one": "again"}}}
            patched = await client.patch(kind.row, kind.key("one"), labels, type=STRATEGIC)
            assert patched["metadata"]["labels"]["one"] == "again"
            await kind.updated("one", "replaced")
            assert (await watch.until("MODIFIED", mark="replaced"))["metadata"]["labels"]["one"] == "again"
            await kind.delete("one", propagation="Background")
            await watch.until("DELETED")
        with pytest.raises(NotFound):
            await kind.get("one")

    runner.run(scenario())


def test_the_data_of_a_revision_never_change(runner: asyncio.Runner, client: Client) -> None:
    """Rule: kubernetes pkg/apis/apps/validation ValidateControllerRevisionUpdate"""
    kind = _kind(client, "controllerrevisions")

    async def scenario() -> None:
        await kind.make("one", BODIES["controllerrevisions"][1])
        raised = await client.patch(kind.row, kind.key("one"), {"revision": 3})
        assert raised["revision"] == 3
        with pytest.raises(Exception, match=r"data: Invalid value: .*: field is immutable"):
            await client.patch(kind.row, kind.key("one"), {"data": {"spec": {"other": 1}}})

    runner.run(scenario())


def test_the_status_of_a_job(runner: asyncio.Runner, client: Client) -> None:
    """Patched with a condition and a start time, and what was patched is seen.

    Conformance: [sig-apps] Job should apply changes to a job status [Conformance]
    """
    kind = Kind(client, resource_for("batch", "v1", "jobs"))

    async def scenario() -> None:
        template: Any = {**TEMPLATE, "spec": {**POD, "restartPolicy": "Never"}}
        await kind.make("one", {"spec": {"parallelism": 2, "completions": 4, "backoffLimit": 6, "template": template}})
        start = "2026-01-01T00:00:00Z"
        condition = {"type": "CustomConditionType", "status": "True", "reason": "E2EPatched", "lastTransitionTime": start}
        patch: Tree = {
            "metadata": {"annotations": {"patchedstatus": "true"}},
            "status": {"conditions": [condition], "startTime": start},
        }
        patched = await client.patch(kind.row, kind.key("one"), patch, subresource="status")
        assert patched["status"]["startTime"] == start
        assert patched["status"]["conditions"][0]["type"] == "CustomConditionType"
        assert patched["metadata"]["annotations"]["patchedstatus"] == "true"
        patched["status"]["conditions"][0]["reason"] = "E2EUpdated"
        updated = await client.update(kind.row, patched, subresource="status")
        assert (await kind.get("one", "status"))["status"] == updated["status"]

    runner.run(scenario())
