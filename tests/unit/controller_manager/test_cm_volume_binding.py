"""Which volume a claim gets, what a claim without one is told, and what becomes of a volume whose claim is gone."""

from pathlib import Path
from typing import Any

import pytest

from controller_manager.config import Config
from controller_manager.controllers.persistentvolume import claims, recycling, volumes
from kube.api import volume_matching as matching
from kube.api.meta import Tree
from kube.api.types import Node, PersistentVolume, PersistentVolumeClaim, StorageClass
from kube.api.views import view

BOUND = {matching.BIND_COMPLETED: "yes"}


def a_claim(size: str = "1Gi", **more: Any) -> PersistentVolumeClaim:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **more.pop("spec", {})}
    head = {"name": "c", "namespace": "default", "uid": "uid-c", **more}
    return view(PersistentVolumeClaim, {"metadata": head, "spec": spec, "status": {"phase": "Pending"}})


def a_volume(name: str = "v", size: str = "1Gi", phase: str = "Available", **more: Any) -> PersistentVolume:
    source: Tree = more.pop("source", {"hostPath": {"path": "/srv"}})
    spec = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}, **source, **more.pop("spec", {})}
    return view(PersistentVolume, {"metadata": {"name": name, **more}, "spec": spec, "status": {"phase": phase}})


def a_class(provisioner: str = "example.com/disk", mode: str = "Immediate") -> StorageClass:
    return view(StorageClass, {"metadata": {"name": "fast"}, "provisioner": provisioner, "volumeBindingMode": mode})


def a_reference(name: str = "c", uid: str = "uid-c") -> Tree:
    return {"claimRef": {"namespace": "default", "name": name, **({"uid": uid} if uid else {})}}


def chosen(claim: PersistentVolumeClaim, *found: PersistentVolume, **how: Any) -> str | None:
    best = matching.best_match(claim, found, **how)
    return best.metadata.name if best is not None else None


def test_the_smallest_volume_that_is_large_enough_is_chosen() -> None:
    """Rule: behaviour E.7.78, https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding"""
    assert chosen(a_claim("2Gi"), a_volume("a", "1Gi"), a_volume("b", "10Gi"), a_volume("c", "3Gi")) == "c"
    assert chosen(a_claim("20Gi"), a_volume("a", "1Gi"), a_volume("b", "10Gi")) is None


@pytest.mark.parametrize(
    ("wanted", "offered"),
    [
        ({"accessModes": ["ReadWriteMany"]}, {}),
        ({"storageClassName": "fast"}, {}),
        ({"storageClassName": ""}, {"storageClassName": "fast"}),
        ({"volumeMode": "Block"}, {}),
        ({"selector": {"matchLabels": {"tier": "gold"}}}, {}),
        ({"volumeAttributesClassName": "gold"}, {}),
        ({}, a_reference("other", "uid-o")),
    ],
)
def test_a_volume_that_lacks_what_is_asked_for_is_never_chosen(wanted: Tree, offered: Tree) -> None:
    """Rule: behaviour E.7.78, https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding"""
    assert chosen(a_claim(spec=wanted), a_volume(spec=offered)) is None
    assert chosen(a_claim(), a_volume()) == "v"


def test_only_an_available_volume_that_stays_is_chosen() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#phase"""
    assert chosen(a_claim(), a_volume(phase="Released"), a_volume(phase="Pending")) is None
    assert chosen(a_claim(), a_volume(deletionTimestamp="2026-01-01T00:00:00Z")) is None
    assert chosen(a_claim(), a_volume("a"), a_volume("b"), taken={"a"}) == "b"


def test_a_volume_set_aside_for_the_claim_comes_first_whatever_its_class() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reserving-a-persistentvolume"""
    reserved = a_volume("mine", "5Gi", spec={**a_reference(uid=""), "storageClassName": "slow"})
    assert chosen(a_claim(), a_volume("small"), reserved) == "mine"
    assert chosen(a_claim(), reserved, delayed=True) == "mine"
    assert chosen(a_claim("6Gi"), reserved) is None


def test_a_delayed_claim_is_matched_with_a_node_alone() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode"""
    only = {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "host", "operator": "In", "values": ["n1"]}]}]}}
    local = a_volume(spec={"nodeAffinity": only})
    near, far = (view(Node, {"metadata": {"name": name, "labels": {"host": name}}}) for name in ("n1", "n2"))
    assert chosen(a_claim(), local, delayed=True) is None
    assert chosen(a_claim(), local, node=near) == "v"
    assert chosen(a_claim(), local, node=far) is None


def test_a_claim_without_a_volume_is_told_why() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding"""

    def told(claim: PersistentVolumeClaim, storage_class: StorageClass | None, pod: str = "") -> tuple[str, str]:
        decision = claims.decide(claim, None, (), storage_class, pod)
        assert isinstance(decision, claims.Wait)
        assert decision.why is not None
        return decision.why.reason, decision.why.message

    classed = a_claim(spec={"storageClassName": "fast"})
    nothing = "no persistent volumes available for this claim and no storage class is set"
    assert told(a_claim(), None) == ("FailedBinding", nothing)
    assert told(classed, None) == ("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')
    by_hand = a_class(matching.NO_PROVISIONER)
    assert told(classed, by_hand) == ("ProvisioningFailed", "no volume plugin matched name: kubernetes.io/no-provisioner")
    waiting = a_class(matching.NO_PROVISIONER, "WaitForFirstConsumer")
    first = "waiting for first consumer to be created before binding"
    assert told(classed, waiting) == ("WaitForFirstConsumer", first)
    assert told(classed, waiting, "p") == ("WaitForPodScheduled", "waiting for pod p to be scheduled")


def test_an_external_provisioner_is_asked_at_once_or_when_a_node_is_chosen() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/storage-classes/#provisioner"""
    now = claims.decide(a_claim(spec={"storageClassName": "fast"}), None, (), a_class())
    assert isinstance(now, claims.Wait)
    assert now.provisioner == "example.com/disk"
    assert now.why is not None
    assert now.why.reason == "ExternalProvisioning"
    placed = a_claim(spec={"storageClassName": "fast"}, annotations={matching.SELECTED_NODE: "n1"})
    later = claims.decide(placed, None, (), a_class(mode="WaitForFirstConsumer"))
    assert isinstance(later, claims.Wait)
    assert later.provisioner == "example.com/disk"


def test_a_claim_that_names_its_volume_gets_that_or_waits() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reserving-a-persistentvolume"""
    claim = a_claim(spec={"volumeName": "v"})
    assert claims.decide(claim, None, (), None) == claims.Wait()
    assert isinstance(claims.decide(claim, a_volume(), (), None), claims.Bind)
    small = claims.decide(claim, a_volume(size="1Mi"), (), None)
    message = 'Cannot bind to requested volume "v": requested PV is too small'
    assert small == claims.Wait(claims.Told("Warning", "VolumeMismatch", message))
    theirs = claims.decide(claim, a_volume(spec=a_reference("other", "uid-o")), (), None)
    message = 'volume "v" already bound to a different claim.'
    assert theirs == claims.Wait(claims.Told("Warning", "FailedBinding", message))


def test_a_bound_claim_without_its_volume_is_lost() -> None:
    """Rule: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/persistent-volume-claim-v1/"""
    claim = a_claim(annotations=BOUND, spec={"volumeName": "v"})
    gone = claims.decide(claim, None, (), None)
    assert isinstance(gone, claims.Lose)
    assert gone.why.reason == "ClaimLost"
    taken = claims.decide(claim, a_volume(spec=a_reference("other", "uid-o")), (), None)
    assert isinstance(taken, claims.Lose)
    assert taken.why.reason == "ClaimMisbound"


def test_a_volume_follows_its_claim() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#phase"""
    assert volumes.decide(a_volume(), None) == volumes.Phase("Available")
    assert volumes.decide(a_volume(spec=a_reference(uid="")), a_claim()) == volumes.Phase("Available")
    taken = a_volume(spec=a_reference())
    assert volumes.decide(taken, a_claim(spec={"volumeName": "v"})) == volumes.Phase("Bound")
    assert volumes.decide(taken, a_claim(spec={"volumeName": "w"})) == volumes.Unbind()
    assert volumes.decide(taken, a_claim()) == volumes.Leave()
    assert volumes.decide(taken, None) == volumes.Release()


def test_what_becomes_of_a_released_volume_is_its_policys_matter() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming"""

    def outcome(policy: str, path: str = "/srv", **more: Any) -> Any:
        spec = {"persistentVolumeReclaimPolicy": policy}
        return volumes.reclaim(a_volume(phase="Released", spec=spec, source={"hostPath": {"path": path}}, **more))

    assert outcome("Retain") is None
    assert outcome("Delete", "/tmp/data") == volumes.Remove("/tmp/data")
    refused = "host_path deleter only supports /tmp/.+ but received provided /srv"
    assert outcome("Delete") == volumes.Fail("VolumeFailedDelete", refused)
    assert isinstance(outcome("Delete", "/tmp/../etc"), volumes.Fail)
    assert outcome("Delete", annotations={matching.PROVISIONED_BY: "example.com/disk"}) is None
    assert outcome("Recycle") == volumes.Scrub()
    local = a_volume(phase="Released", spec={"persistentVolumeReclaimPolicy": "Recycle"}, source={"local": {"path": "/srv"}})
    assert volumes.reclaim(local) == volumes.Fail("VolumeFailedRecycle", "No recycler plugin found for the volume!")


def test_a_recycler_is_the_flags_pod_with_the_volume_in_it(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#recycle"""
    volume = a_volume(size="2Gi", source={"nfs": {"server": "10.0.0.1", "path": "/exports"}})
    tree = recycling.pod_tree(volume, recycling.template_of(volume, Config()))
    assert (tree["metadata"]["name"], tree["metadata"]["namespace"]) == ("recycler-for-v", "default")
    assert tree["spec"]["volumes"] == [{"name": "vol", "nfs": {"server": "10.0.0.1", "path": "/exports"}}]
    assert tree["spec"]["activeDeadlineSeconds"] == 300 + 2 * 30
    template = tmp_path / "pod.yaml"
    template.write_text(
        "{metadata: {labels: {a: b}}, spec: {volumes: [{name: x, hostPath: {path: /any}}], containers: [{name: c}]}}"
    )
    config = Config(pv_recycler_pod_template_filepath_hostpath=template)
    tree = recycling.pod_tree(a_volume(), recycling.template_of(a_volume(), config))
    assert tree["spec"]["volumes"] == [{"name": "x", "hostPath": {"path": "/srv"}}]
    assert (tree["metadata"]["labels"], tree["spec"]["containers"]) == ({"a": "b"}, [{"name": "c"}])
