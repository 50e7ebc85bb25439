"""When a node may lose an attached volume, and where one is attached."""

from typing import Any

import pytest

from controller_manager.controllers.attachdetach.plan import OUT_OF_SERVICE, UNMOUNT_SECONDS, may_lose, multi_attach, plan
from kube.api.types import Node, PersistentVolume, Pod, VolumeAttachment
from kube.api.views import view

NAME = "kubernetes.io/csi/disk.example.com^h"
TAINT = [{"key": OUT_OF_SERVICE, "value": "nodeshutdown", "effect": "NoExecute"}]


def a_node(*, ready: bool, in_use: bool, **spec: Any) -> Node:
    condition = {"type": "Ready", "status": "True" if ready else "Unknown", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    status = {"conditions": [condition], "volumesInUse": [NAME] if in_use else None}
    return view(Node, {"metadata": {"name": "n"}, "spec": spec, "status": status})


def a_volume(*modes: str) -> PersistentVolume:
    return view(PersistentVolume, {"metadata": {"name": "v"}, "spec": {"accessModes": list(modes)}})


def an_attachment(node: str, **metadata: Any) -> VolumeAttachment:
    spec = {"attacher": "disk.example.com", "nodeName": node, "source": {"persistentVolumeName": "v"}}
    return view(VolumeAttachment, {"metadata": {"name": f"on-{node}", **metadata}, "spec": spec})


def a_pod(name: str) -> Pod:
    return view(Pod, {"metadata": {"name": name}, "spec": {"containers": []}})


LONG, BRIEF = UNMOUNT_SECONDS, UNMOUNT_SECONDS - 1


@pytest.mark.parametrize(
    ("node", "waited", "by_force", "lost"),
    [
        (a_node(ready=True, in_use=False), 0, True, True),
        (a_node(ready=True, in_use=True), LONG, True, False),
        (a_node(ready=False, in_use=True), BRIEF, True, False),
        (a_node(ready=False, in_use=True), LONG, True, True),
        (a_node(ready=False, in_use=True), LONG, False, False),
        (a_node(ready=False, in_use=True, taints=TAINT), 0, False, True),
        (None, BRIEF, True, False),
        (None, LONG, True, True),
    ],
)
def test_a_node_that_uses_a_volume_loses_it_only_when_it_is_surely_down(
    node: Node | None, waited: float, by_force: bool, lost: bool
) -> None:
    """Rule: https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#storage-force-detach-on-timeout, KEP-2268"""
    assert may_lose(node, NAME, waited, by_force=by_force) is lost


def test_a_volume_for_one_node_waits_until_the_other_has_let_go() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes"""
    users, one = {"a": [a_pod("p")], "b": [a_pod("q")]}, an_attachment("a")
    assert plan(a_volume("ReadWriteOnce"), users, [one]).refused == ("b",)
    assert plan(a_volume("ReadWriteMany"), users, [one]).attach == ("b",)
    assert plan(a_volume("ReadWriteOnce"), {"b": users["b"]}, [one]).detach == (one,)
    leaving = an_attachment("a", deletionTimestamp="2026-01-01T00:00:00Z")
    assert plan(a_volume("ReadWriteOnce"), {"b": users["b"]}, [leaving]).detach == ()
    assert multi_attach(a_volume(), users, "b") == 'Multi-Attach error for volume "v" Volume is already used by pod(s) p'
