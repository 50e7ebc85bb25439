"""Claims and volumes come together, each once, and part again as the volume's policy says."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from controller_manager.controllers.volumeexpand import NO_PLUGIN
from kube.api.attachment_name import attachment_name, volume_name
from kube.api.meta import Key, Tree
from kube.api.status import Forbidden, NotFound
from kube.api.types import Event, Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass, VolumeAttachment
from tests.component.controller_manager.conftest import Cluster, at


def a_claim(name: str, size: str = "1Gi", **spec: Any) -> Tree:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


def a_volume(name: str, size: str = "1Gi", path: str = "/srv", **spec: Any) -> Tree:
    spec = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}, "hostPath": {"path": path}, **spec}
    return {"metadata": {"name": name}, "spec": spec}


async def claim_phase(cluster: Cluster, name: str, phase: str) -> PersistentVolumeClaim:
    async def there() -> PersistentVolumeClaim | None:
        found = await cluster.client.get(PersistentVolumeClaim, "default", name)
        return found if found.status.phase == phase else None

    found: PersistentVolumeClaim = await cluster.until(there, f"claim {name} {phase}")
    return found


async def volume_phase(cluster: Cluster, name: str, phase: str) -> PersistentVolume:
    async def there() -> PersistentVolume | None:
        found = await cluster.client.get(PersistentVolume, "", name)
        return found if found.status.phase == phase else None

    found: PersistentVolume = await cluster.until(there, f"volume {name} {phase}")
    return found


async def told(cluster: Cluster, reason: str, message: str) -> None:
    async def look() -> bool:
        events = await cluster.client.list(Event, "default")
        return any(one.reason == reason and one.message == message for one in events)

    await cluster.until(look, f"event {reason}")


async def gone(cluster: Cluster, kind: type[Any], key: Key) -> None:
    async def look() -> bool:
        try:
            await cluster.client.get(kind, *key)
        except NotFound:
            return True
        return False

    await cluster.until(look, f"{key} to go")


def test_a_claim_is_bound_to_the_smallest_volume_that_fits_and_both_say_so(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Also a volume that comes later than its claim is found; the volume stays Released when the claim is gone, and nobody else
    gets it. A claim of no class cannot grow.

    Rule: behaviour E.7.78, https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
    """

    async def scenario() -> None:
        client = cluster.client
        await client.create(PersistentVolume, a_volume("large", "10Gi"))
        await client.create(PersistentVolume, a_volume("small", "2Gi"))
        await cluster.start_and_settle()
        await volume_phase(cluster, "small", "Available")
        await volume_phase(cluster, "large", "Available")
        await client.create(PersistentVolumeClaim, a_claim("one"))
        one = await claim_phase(cluster, "one", "Bound")
        assert (one.spec.volumeName, one.status.capacity) == ("small", {"storage": "2Gi"})
        assert one.status.accessModes == ["ReadWriteOnce"]
        assert one.metadata.annotations == {
            "pv.kubernetes.io/bind-completed": "yes",
            "pv.kubernetes.io/bound-by-controller": "yes",
        }
        small = await volume_phase(cluster, "small", "Bound")
        assert (small.spec.claimRef.name, small.spec.claimRef.uid) == ("one", one.metadata.uid)
        assert small.metadata.annotations == {"pv.kubernetes.io/bound-by-controller": "yes"}
        await client.create(PersistentVolumeClaim, a_claim("big", "50Gi"))
        await told(cluster, "FailedBinding", "no persistent volumes available for this claim and no storage class is set")
        await client.create(PersistentVolume, a_volume("huge", "100Gi"))
        assert (await claim_phase(cluster, "big", "Bound")).spec.volumeName == "huge"
        await client.delete(PersistentVolumeClaim, at("one"))
        await gone(cluster, PersistentVolumeClaim, at("one"))
        assert (await volume_phase(cluster, "small", "Released")).spec.claimRef.name == "one"
        await client.create(PersistentVolumeClaim, a_claim("next", "2Gi"))
        assert (await claim_phase(cluster, "next", "Bound")).spec.volumeName == "large"
        with pytest.raises(Forbidden, match="only dynamically provisioned pvc can be resized"):
            await client.patch(PersistentVolumeClaim, at("next"), {"spec": {"resources": {"requests": {"storage": "3Gi"}}}})

    runner.run(scenario())


def test_claims_made_at_once_never_share_a_volume(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Not even when the manager is killed in the midst and another goes on.

    Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
    """

    async def scenario() -> None:
        client = cluster.client
        for number in range(12):
            await client.create(PersistentVolume, a_volume(f"v{number}"))
            await client.create(PersistentVolumeClaim, a_claim(f"c{number}"))
        first = cluster.start()

        async def some_bound() -> bool:
            return any(one.status.phase == "Bound" for one in await client.list(PersistentVolumeClaim, "default"))

        await cluster.until(some_bound, "the first binding")
        await cluster.kill(first)
        cluster.start()
        names = [(await claim_phase(cluster, f"c{number}", "Bound")).spec.volumeName for number in range(12)]
        assert len(set(names)) == 12

    runner.run(scenario())


def test_a_deleted_volume_of_a_claim_with_the_delete_policy_goes_with_its_directory(
    runner: asyncio.Runner, cluster: Cluster, tmp_path: Path
) -> None:
    """What cannot be deleted is Failed, and says why; a claim whose volume was forced away is Lost.

    Rule: behaviour E.7.78, https://kubernetes.io/docs/concepts/storage/persistent-volumes/#delete
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        (tmp_path / "data").mkdir()
        await client.create(
            PersistentVolume,
            a_volume("temporary", path=str(tmp_path / "data"), persistentVolumeReclaimPolicy="Delete", storageClassName="a"),
        )
        await client.create(
            PersistentVolume, a_volume("kept", path="/srv/x", persistentVolumeReclaimPolicy="Delete", storageClassName="b")
        )
        await client.create(PersistentVolumeClaim, a_claim("a", storageClassName="a"))
        await client.create(PersistentVolumeClaim, a_claim("b", storageClassName="b"))
        await claim_phase(cluster, "a", "Bound")
        await claim_phase(cluster, "b", "Bound")
        for name in ("a", "b"):
            await client.delete(PersistentVolumeClaim, at(name))
        await gone(cluster, PersistentVolume, Key("", "temporary"))
        assert not (tmp_path / "data").exists()
        failed = await volume_phase(cluster, "kept", "Failed")
        assert failed.status.message == "host_path deleter only supports /tmp/.+ but received provided /srv/x"
        await client.create(PersistentVolume, a_volume("pulled", storageClassName="c"))
        await client.create(PersistentVolumeClaim, a_claim("c", storageClassName="c"))
        await claim_phase(cluster, "c", "Bound")
        await client.delete(PersistentVolume, Key("", "pulled"))
        await client.patch(PersistentVolume, Key("", "pulled"), {"metadata": {"finalizers": None}})
        await claim_phase(cluster, "c", "Lost")

    runner.run(scenario())


def test_a_volume_to_recycle_is_emptied_by_a_pod_and_is_available_again(runner: asyncio.Runner, cluster: Cluster) -> None:
    """A pod that fails leaves the volume Failed, with the reason.

    Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#recycle
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        for name, phase, message in (("good", "Succeeded", None), ("bad", "Failed", "disk on fire")):
            recycled = {"persistentVolumeReclaimPolicy": "Recycle", "storageClassName": name}
            await client.create(PersistentVolume, a_volume(name, **recycled))
            await client.create(PersistentVolumeClaim, a_claim(name, storageClassName=name))
            await claim_phase(cluster, name, "Bound")
            await client.delete(PersistentVolumeClaim, at(name))
            pod = at(f"recycler-for-{name}")

            async def there(pod: Key = pod) -> Pod:
                return await client.get(Pod, *pod)

            found = await cluster.until(there, "the pod that empties the volume")
            assert [one.hostPath.path for one in found.spec.volumes if one.hostPath is not None] == ["/srv"]
            assert (await client.get(PersistentVolume, "", name)).status.phase == "Released"
            await cluster.set_phase(found, phase, message=message)
            await gone(cluster, Pod, pod)
        assert (await volume_phase(cluster, "good", "Available")).spec.claimRef is None
        assert (await volume_phase(cluster, "bad", "Failed")).status.message == "Recycle failed: disk on fire"
        await told(cluster, "VolumeRecycled", "Volume recycled")
        await told(cluster, "VolumeFailedRecycle", "Recycle failed: disk on fire")

    runner.run(scenario())


def test_a_claim_whose_class_waits_is_bound_once_its_volume_names_it(runner: asyncio.Runner, cluster: Cluster) -> None:
    """A claim without a class gets the default one when there is one; an external provisioner is asked by annotations.

    Rule: behaviour E.7.78, https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode, KEP-3333
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        wait = {"provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer"}
        await client.create(StorageClass, {"metadata": {"name": "local"}, **wait})
        await client.create(PersistentVolume, a_volume("v", storageClassName="local"))
        await volume_phase(cluster, "v", "Available")
        await client.create(PersistentVolumeClaim, a_claim("c", storageClassName="local"))
        await told(cluster, "WaitForFirstConsumer", "waiting for first consumer to be created before binding")
        assert (await client.get(PersistentVolumeClaim, "default", "c")).status.phase == "Pending"
        reference = {"namespace": "default", "name": "c"}
        await client.patch(PersistentVolume, Key("", "v"), {"spec": {"claimRef": reference}})
        assert (await claim_phase(cluster, "c", "Bound")).spec.volumeName == "v"
        await client.create(PersistentVolumeClaim, a_claim("early"))
        await told(cluster, "FailedBinding", "no persistent volumes available for this claim and no storage class is set")
        default = {"storageclass.kubernetes.io/is-default-class": "true"}
        metadata = {"name": "disk", "annotations": default}
        await client.create(StorageClass, {"metadata": metadata, "provisioner": "example.com/disk"})

        async def asked() -> bool:
            claim = await client.get(PersistentVolumeClaim, "default", "early")
            asked_for = (claim.metadata.annotations or {}).get("volume.kubernetes.io/storage-provisioner")
            return claim.spec.storageClassName == "disk" and asked_for == "example.com/disk"

        await cluster.until(asked, "the provisioner to be asked")

    runner.run(scenario())


def test_a_claim_in_use_and_its_volume_stay_until_the_pod_is_gone(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: behaviour E.7.78, https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection"""

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        await client.create(PersistentVolume, a_volume("v"))
        await client.create(PersistentVolumeClaim, a_claim("c"))
        await claim_phase(cluster, "c", "Bound")
        volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}]
        spec = {"containers": [{"name": "c", "image": "i"}], "volumes": volumes, "nodeName": "n"}
        await client.create(Pod, {"metadata": {"name": "p", "namespace": "default"}, "spec": spec})
        await client.delete(PersistentVolumeClaim, at("c"))
        await client.delete(PersistentVolume, Key("", "v"))
        await client.create(PersistentVolumeClaim, a_claim("other", "9Gi"))  # a claim after it is seen to: so was this one
        await told(cluster, "FailedBinding", "no persistent volumes available for this claim and no storage class is set")
        assert (await client.get(PersistentVolumeClaim, "default", "c")).metadata.deletionTimestamp is not None
        assert (await client.get(PersistentVolume, "", "v")).status.phase == "Bound"
        await client.delete(Pod, at("p"), grace_seconds=0)
        await gone(cluster, PersistentVolumeClaim, at("c"))
        await gone(cluster, PersistentVolume, Key("", "v"))

    runner.run(scenario())


def test_a_driver_volume_is_attached_where_pods_use_it_and_to_one_node_at_a_time(runner: asyncio.Runner, cluster: Cluster) -> None:
    """The node's status says what is attached. A node that says it uses the volume keeps it, also when its pod was deleted by
    force. A claim that asks for more room than it has is told that somebody else has to make it.

    Rule: https://kubernetes.io/docs/concepts/storage/volumes/#csi, https://kubernetes.io/docs/reference/node/node-status/
    """

    async def scenario() -> None:
        client = cluster.client
        for node in ("n1", "n2"):
            await client.create(Node, {"metadata": {"name": node}})
        await cluster.start_and_settle()
        csi = {"driver": "disk.example.com", "volumeHandle": "h"}
        spec = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "csi": csi, "storageClassName": "grows"}
        await client.create(PersistentVolume, {"metadata": {"name": "v"}, "spec": spec})
        grows = {"provisioner": "disk.example.com", "allowVolumeExpansion": True}
        await client.create(StorageClass, {"metadata": {"name": "grows"}, **grows})
        await client.create(PersistentVolumeClaim, a_claim("c", storageClassName="grows"))
        await claim_phase(cluster, "c", "Bound")
        volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}]
        for name, node in (("p", "n1"), ("q", "n2")):
            inside = {"containers": [{"name": "c", "image": "i"}], "volumes": volumes, "nodeName": node}
            await client.create(Pod, {"metadata": {"name": name, "namespace": "default"}, "spec": inside})

            async def at_first() -> bool:
                return [one.spec.nodeName for one in await client.list(VolumeAttachment)] == ["n1"]

            await cluster.until(at_first, "the volume to be attached to n1 alone")
        await told(cluster, "FailedAttachVolume", 'Multi-Attach error for volume "v" Volume is already used by pod(s) p')
        name = volume_name("disk.example.com", "h")

        async def shown_as_attached() -> list[str]:
            return [one.name for one in (await client.get(Node, "", "n1")).status.volumesAttached or ()]

        async def shown() -> bool:
            return await shown_as_attached() == [name]

        async def not_shown() -> bool:
            return await shown_as_attached() == []

        first = attachment_name("h", "disk.example.com", "n1")
        await client.patch_status(VolumeAttachment, Key("", first), {"attached": True})
        await cluster.until(shown, "the node to say that the volume is attached")
        await told(cluster, "SuccessfulAttachVolume", 'AttachVolume.Attach succeeded for volume "v"')
        await client.patch_status(Node, Key("", "n1"), {"volumesInUse": [name]})
        await client.delete(Pod, at("p"), grace_seconds=0)
        why = "Volume is already exclusively attached to one node and can't be attached to another"
        await told(cluster, "FailedAttachVolume", f'Multi-Attach error for volume "v" {why}')
        assert await shown()
        assert (await client.get(VolumeAttachment, "", first)).metadata.deletionTimestamp is None
        await client.patch_status(Node, Key("", "n1"), {"volumesInUse": None})

        async def moved() -> bool:
            found = await client.list(VolumeAttachment)
            return [(one.spec.nodeName, one.metadata.name) for one in found] == [
                ("n2", attachment_name("h", "disk.example.com", "n2"))
            ]

        await cluster.until(moved, "the volume to be attached to n2")
        await cluster.until(not_shown, "n1 to say that it has no volume")
        await client.patch(PersistentVolumeClaim, at("c"), {"spec": {"resources": {"requests": {"storage": "2Gi"}}}})
        await told(cluster, "ExternalExpanding", NO_PLUGIN)

    runner.run(scenario())
