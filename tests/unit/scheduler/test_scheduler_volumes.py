"""What a pod's claims mean for the choice of a node."""

from typing import Any

from kube.api.meta import Tree
from kube.api.types import CSINode, Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass
from kube.api.views import view
from scheduler.cycle import decide
from scheduler.pod_info import PodInfo
from scheduler.profiles import profile_of
from scheduler.snapshot import Snapshot
from scheduler.storage import Storage, no_storage

ROOM = {"cpu": "4", "memory": "8Gi", "pods": "110"}
BOUND = {"pv.kubernetes.io/bind-completed": "yes"}

DEFAULT = profile_of({})


def a_pod(*claims: str, name: str = "p", **more: Any) -> Pod:
    volumes = [{"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in claims] + more.pop("volumes", [])
    spec = {"containers": [{"name": "c", "image": "i"}], "volumes": volumes, **more}
    return view(Pod, {"metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"}, "spec": spec, "status": {}})


def a_claim(name: str, volume: str = "", size: str = "1Gi", mode: str = "ReadWriteOnce", **more: Any) -> PersistentVolumeClaim:
    spec: Tree = {"accessModes": [mode], "resources": {"requests": {"storage": size}}, "storageClassName": more.pop("of", "local")}
    head = {"name": name, "namespace": "default", "uid": f"uid-{name}", "annotations": BOUND if volume else {}, **more}
    tree = {"metadata": head, "spec": {**spec, **({"volumeName": volume} if volume else {})}}
    return view(PersistentVolumeClaim, {**tree, "status": {"phase": "Bound" if volume else "Pending"}})


def a_volume(name: str, node: str = "", size: str = "1Gi", source: Tree | None = None, **metadata: Any) -> PersistentVolume:
    spec: Tree = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}, "storageClassName": "local"}
    spec |= source or {"local": {"path": "/srv"}}
    if node:
        expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    return view(PersistentVolume, {"metadata": {"name": name, **metadata}, "spec": spec, "status": {"phase": "Available"}})


def a_class(name: str, provisioner: str = "kubernetes.io/no-provisioner", **more: Any) -> StorageClass:
    return view(
        StorageClass,
        {"metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": "WaitForFirstConsumer", **more},
    )


def a_world(storage: Storage, nodes: int = 2, **labels: str) -> Snapshot:
    world = Snapshot(storage)
    for name in (f"n{number}" for number in range(nodes)):
        head = {"name": name, "labels": {"kubernetes.io/hostname": name, **labels}}
        world.set_node(view(Node, {"metadata": head, "spec": {}, "status": {"allocatable": ROOM}}))
    return world


def a_store(*objects: Any) -> Storage:
    storage = no_storage()
    caches: dict[Any, Any] = {
        PersistentVolumeClaim: storage.claims,
        PersistentVolume: storage.volumes,
        StorageClass: storage.classes,
        CSINode: storage.nodes,
    }
    for one in objects:
        caches[type(one)].set(one)
    return storage


def outcome(pod: Pod, world: Snapshot) -> str:
    """The node, or the message."""
    decision = decide(PodInfo(pod), world, DEFAULT)
    return decision.node or decision.message


def test_a_pod_waits_for_its_claims() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding"""
    world = a_world(a_store(a_claim("c", of=""), a_claim("going", "v", deletionTimestamp="2026-01-01T00:00:00Z")))
    assert outcome(a_pod("x"), world) == '0/2 nodes are available: persistentvolumeclaim "x" not found. not found'
    assert outcome(a_pod("c"), world) == "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    assert outcome(a_pod("going"), world) == '0/2 nodes are available: persistentvolumeclaim "going" is being deleted. not found'
    scratch = [{"name": "s", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]
    words = 'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-s"'
    assert outcome(a_pod(volumes=scratch), world) == f"0/2 nodes are available: {words}. not found"


def test_a_pod_goes_where_its_bound_volumes_are() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#node-affinity"""
    world = a_world(a_store(a_claim("c", "v"), a_volume("v", "n1"), a_claim("d", "w"), a_volume("w", "n0"), a_claim("e", "gone")))
    assert outcome(a_pod("c"), world) == "n1"
    both = outcome(a_pod("c", "d"), world)
    assert both == "0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity."
    gone = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
    assert outcome(a_pod("e"), world) == f"0/2 nodes are available: 2 {gone}."


def test_volumes_for_claims_that_wait_are_chosen_with_the_node() -> None:
    """Two pods decided one after the other never get one volume; two that share a claim go to one place.

    Rule: https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
    """
    storage = a_store(a_class("local"), a_claim("c"), a_claim("d"), a_volume("small", "n1"), a_volume("large", "n1", "9Gi"))
    world = a_world(storage)
    assert outcome(a_pod("c"), world) == "n1"
    choice = storage.choice(storage.wanted(a_pod("c", "d")), world.infos[1].node)
    assert choice is not None
    assert [(claim.metadata.name, volume.metadata.name) for claim, volume in choice.bind] == [("c", "small"), ("d", "large")]
    first = storage.choice(storage.wanted(a_pod("c")), world.infos[1].node)
    assert first is not None
    storage.assume(first)
    second = storage.choice(storage.wanted(a_pod("d")), world.infos[1].node)
    assert second is not None
    assert [volume.metadata.name for _, volume in second.bind] == ["large"]
    assert outcome(a_pod("c", name="q"), world) == "n1"
    storage.assume(second)
    storage.claims.set(a_claim("e"))
    words = "node(s) didn't find available persistent volumes to bind"
    assert outcome(a_pod("e"), world) == f"0/2 nodes are available: 2 {words}."
    storage.forget(second)
    assert outcome(a_pod("e"), world) == "n1"


def test_a_provisioner_is_asked_for_a_node_that_its_class_allows() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/storage-classes/#allowed-topologies"""
    topology = [{"matchLabelExpressions": [{"key": "kubernetes.io/hostname", "values": ["n1"]}]}]
    selected = {"volume.kubernetes.io/selected-node": "n0"}
    storage = a_store(
        a_class("disk", "example.com/disk", allowedTopologies=topology),
        a_class("any", "example.com/disk"),
        a_claim("c", of="disk"),
        a_claim("placed", of="any", annotations=selected),
    )
    world = a_world(storage)
    assert outcome(a_pod("c"), world) == "n1"
    assert outcome(a_pod("placed"), world) == "n0"
    choice = storage.choice(storage.wanted(a_pod("c")), world.infos[1].node)
    assert choice is not None
    assert [claim.metadata.name for claim in choice.provision] == ["c"]


def test_a_claim_for_one_pod_alone_keeps_the_second_pod_waiting() -> None:
    """Rule: KEP-2485"""
    world = a_world(a_store(a_claim("c", "v", mode="ReadWriteOncePod"), a_volume("v")))
    assert outcome(a_pod("c"), world).startswith("n")
    world.set_pod(PodInfo(a_pod("c", name="first")), "n0")
    words = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
    assert outcome(a_pod("c"), world) == f"0/2 nodes are available: 2 {words}."


def test_a_node_takes_as_many_volumes_as_its_driver_says() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/storage-limits/"""
    objects: list[Any] = []
    for name in ("a", "b", "c"):
        source = {"csi": {"driver": "example.com", "volumeHandle": name}}
        objects += [a_claim(name, f"v-{name}"), a_volume(f"v-{name}", source=source)]
    driver = {"name": "example.com", "nodeID": "n0", "allocatable": {"count": 2}}
    objects.append(view(CSINode, {"metadata": {"name": "n0"}, "spec": {"drivers": [driver]}}))
    world = a_world(a_store(*objects), nodes=1)
    assert outcome(a_pod("a", "b"), world) == "n0"
    world.set_pod(PodInfo(a_pod("a", "b", name="first")), "n0")
    assert outcome(a_pod("c"), world) == "0/1 nodes are available: 1 node(s) exceed max volume count."
    assert outcome(a_pod("a"), world) == "n0"


def test_a_volume_of_a_zone_is_used_in_that_zone() -> None:
    """Rule: https://kubernetes.io/docs/reference/labels-annotations-taints/#topologykubernetesiozone"""
    labels = {"topology.kubernetes.io/zone": "a__b"}
    storage = a_store(a_claim("c", "v"), a_volume("v", labels=labels))
    assert outcome(a_pod("c"), a_world(storage, 1, **{"topology.kubernetes.io/zone": "b"})) == "n0"
    elsewhere = outcome(a_pod("c"), a_world(storage, 1, **{"topology.kubernetes.io/zone": "z"}))
    assert elsewhere == "0/1 nodes are available: 1 node(s) had no available volume zone."
    assert outcome(a_pod("c"), a_world(storage, 1)) == "n0"
