"""Lifecycles of the kinds of storage, as the official suite goes through them without a driver."""

import asyncio

import pytest

from kube.api.meta import Tree
from kube.api.resources import resource_for
from kube.api.status import Invalid, NotFound
from kube.client.rest import STRATEGIC, Client
from tests.component.apiserver_kinds.lifecycle import Kind, account

STORAGE = ("storage.k8s.io", "v1")
DRIVER = {"name": "csi.example.com", "nodeID": "node-1", "topologyKeys": None}
ATTACHMENT: Tree = {
    "spec": {"attacher": "e2e-test.csi.example.com", "nodeName": "node-1", "source": {"persistentVolumeName": "e2e-pv"}}
}
BODIES: dict[str, Tree] = {
    "storageclasses": {"provisioner": "e2e-fake-provisioner", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
    "csidrivers": {"spec": {"volumeLifecycleModes": ["Ephemeral"]}},
    "csinodes": {"spec": {"drivers": [DRIVER]}},
    "volumeattachments": ATTACHMENT,
    "volumeattributesclasses": {"driverName": "e2e-fake-csi-driver", "parameters": {"foo": "bar"}},
}


@pytest.mark.parametrize("plural", BODIES)
def test_the_life_of_one(runner: asyncio.Runner, client: Client, plural: str) -> None:
    """Made, read, patched, deleted; made anew, updated, and deleted as a collection.

    Conformance: [sig-storage] StorageClasses CSI Conformance should run through the lifecycle of a StorageClass [Conformance]
    Conformance: [sig-storage] CSIInlineVolumes should run through the lifecycle of a CSIDriver [Conformance]
    Conformance: [sig-storage] CSINodes CSI Conformance should run through the lifecycle of a csinode [Conformance]
    Conformance: [sig-storage] VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment [Conformance]
    Conformance: [sig-storage] VolumeAttributesClass [FeatureGate:VolumeAttributesClass] should run through the lifecycle of a VolumeAttributesClass [Conformance]
    """  # noqa: E501
    kind = Kind(client, resource_for(*STORAGE, plural))

    async def scenario() -> None:
        made = await kind.make("one.example.com", BODIES[plural])
        assert await kind.get("one.example.com") == made
        await kind.marked("one.example.com", "patched")
        await kind.delete("one.example.com")
        with pytest.raises(NotFound):
            await kind.get("one.example.com")
        await kind.make("two.example.com", BODIES[plural])
        await kind.updated("two.example.com", "updated")
        assert await kind.names() == ["two.example.com"]
        await kind.delete_collection()
        assert await kind.names() == []

    runner.run(scenario())


@pytest.mark.parametrize(
    ("plural", "patch", "complaint"),
    [
        ("storageclasses", {"provisioner": "other"}, "provisioner: Forbidden: updates to provisioner are forbidden."),
        ("storageclasses", {"reclaimPolicy": "Retain"}, "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden."),
        ("storageclasses", {"parameters": {"a": "b"}}, "parameters: Forbidden: updates to parameters are forbidden."),
        ("volumeattributesclasses", {"driverName": "other"}, "driverName: Forbidden: updates to driverName are forbidden."),
        ("volumeattributesclasses", {"parameters": {"foo": "x"}}, "parameters: Forbidden: updates to parameters are forbidden."),
        ("volumeattachments", {"spec": {"nodeName": "other"}}, "field is immutable"),
        ("csidrivers", {"spec": {"attachRequired": False}}, "spec.attachedRequired: Invalid value: .*: field is immutable"),
    ],
)
def test_what_drivers_rely_on_stays(runner: asyncio.Runner, client: Client, plural: str, patch: Tree, complaint: str) -> None:
    """Rule: kubernetes pkg/apis/storage/validation"""
    kind = Kind(client, resource_for(*STORAGE, plural))

    async def scenario() -> None:
        await kind.make("one.example.com", BODIES[plural])
        with pytest.raises(Invalid, match=complaint):
            await client.patch(kind.row, kind.key("one.example.com"), patch)

    runner.run(scenario())


def test_the_status_of_an_attachment(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-storage] VolumeAttachment Conformance should apply changes to a volumeattachment status [Conformance]"""
    kind = Kind(client, resource_for(*STORAGE, "volumeattachments"))

    async def scenario() -> None:
        made = await kind.make("one", ATTACHMENT)
        assert made["status"] == {"attached": False}
        patched = await client.patch_status(kind.row, kind.key("one"), {"attached": True})
        assert patched["status"] == {"attached": True}
        patched["status"]["attached"] = False
        updated = await client.update(kind.row, patched, subresource="status")
        assert (await kind.get("one", "status"))["status"] == updated["status"] == {"attached": False}
        await kind.delete_collection()

    runner.run(scenario())


VOLUME: Tree = {
    "spec": {
        "capacity": {"storage": "10Mi"}, "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Retain",
        "csi": {"driver": "e2e-driver", "volumeHandle": "e2e"}, "storageClassName": "e2e-class",
    }
}  # fmt: skip
CLAIM: Tree = {
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}, "storageClassName": "e2e-class"}
}


@pytest.mark.parametrize(("plural", "body"), [("persistentvolumes", VOLUME), ("persistentvolumeclaims", CLAIM)])
def test_volumes_and_claims(runner: asyncio.Runner, client: Client, plural: str, body: Tree) -> None:
    """Made, read, patched, updated, and gone once their finalizer is.

    Conformance: [sig-storage] PersistentVolumes CSI Conformance should run through the lifecycle of a PV and a PVC [Conformance]
    Conformance: [sig-storage] PersistentVolumes CSI Conformance should apply changes to a pv/pvc status [Conformance]
    """
    kind = Kind(client, resource_for("", "v1", plural))

    async def scenario() -> None:
        async with kind.watched() as watch:
            made = await kind.make("one", body)
            assert (made["status"]["phase"], made["spec"]["volumeMode"]) == ("Pending", "Filesystem")
            assert await kind.names(everywhere=True) == ["one"]
            await kind.marked("one", "patched")
            await kind.updated("one", "updated")
            condition = {"type": "StatusPatched", "status": "True", "reason": "E2E patchStatus", "message": "Set by e2e test"}
            status: Tree = {"message": "StatusPatched", "reason": "E2E patchStatus", "phase": "Pending"}
            if plural == "persistentvolumeclaims":
                status = {"conditions": [condition]}
            patched = await client.patch(kind.row, kind.key("one"), {"status": status}, subresource="status", type=STRATEGIC)
            assert {name: patched["status"][name] for name in status}.keys() == status.keys()
            if "conditions" in status:
                assert patched["status"]["conditions"][0]["type"] == "StatusPatched"
                patched["status"]["conditions"][0]["type"] = "StatusUpdated"
            else:
                patched["status"]["message"] = "StatusUpdated"
            updated = await client.update(kind.row, patched, subresource="status")
            assert "StatusUpdated" in str((await kind.get("one", "status"))["status"])
            assert updated["spec"] == made["spec"]
            await kind.delete("one")
            if made["metadata"].get("finalizers"):
                await client.patch(kind.row, kind.key("one"), {"metadata": {"finalizers": None}})
            await watch.until("DELETED")

    runner.run(scenario())


def test_a_pod_has_a_volume_of_a_driver_inline(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-storage] CSIInlineVolumes should support CSIVolumeSource in Pod API [Conformance]"""
    kind = Kind(client, resource_for("", "v1", "pods"))
    source: Tree = {"driver": "e2e.example.com", "volumeAttributes": {"foo": "bar"}}

    async def scenario() -> None:
        await account(client)
        mounts = [{"name": "v", "mountPath": "/x"}]
        container: Tree = {"name": "c", "image": "i", "volumeMounts": mounts}
        made = await kind.make("one", {"spec": {"containers": [container], "volumes": [{"name": "v", "csi": source}]}})
        assert made["spec"]["volumes"][0] == {"name": "v", "csi": source}
        assert (await kind.get("one"))["spec"]["volumes"][0]["csi"] == source
        await kind.marked("one", "patched")
        await kind.updated("one", "updated")
        await kind.delete_collection(gracePeriodSeconds=0)
        assert await kind.names(everywhere=True) == []

    runner.run(scenario())
