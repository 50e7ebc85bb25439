"""A storage driver on hosts of the lab, which the tests are, as they are its attacher; and a pod that has a volume of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kubelet.csi.plugins import REGISTRY
from tests.csi_driver import DRIVER, MemoryDriver
from tests.lab.conftest import Lab
from tests.lab.faults import web

VOLUME = "kept"


@contextmanager
def drivers_on(lab: Lab, *nodes: str) -> Iterator[dict[str, MemoryDriver]]:
    """By node; one may be stopped and another put into its place meanwhile."""
    drivers = {node: driver_on(lab, node) for node in nodes}
    try:
        yield drivers
    finally:
        for driver in drivers.values():
            driver.stop()


def driver_on(lab: Lab, node: str) -> MemoryDriver:
    """Serves until it is stopped: before the power of its host is."""
    driver = MemoryDriver(lab.host(node).state / "kubelet" / REGISTRY / "memory-reg.sock")
    driver.start()
    return driver


def a_volume_and_its_pod(**pod: Any) -> list[dict[str, Any]]:
    """For one node at a time. `pod`: fields of the pod's spec."""
    size, modes = {"storage": "1Gi"}, {"accessModes": ["ReadWriteOnce"], "storageClassName": VOLUME}
    about = {"metadata": {"name": VOLUME}}
    volume = {**modes, "capacity": size, "csi": {"driver": DRIVER, "volumeHandle": VOLUME}}
    claimed = {"volumes": [{"name": VOLUME, "persistentVolumeClaim": {"claimName": VOLUME}}]}
    deployment, _ = web(VOLUME, 1, pod | claimed, volumeMounts=[{"name": VOLUME, "mountPath": "/kept"}])
    return [
        {"apiVersion": "v1", "kind": "PersistentVolume", **about, "spec": volume},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **about, "spec": {**modes, "resources": {"requests": size}}},
        deployment,
    ]


def attached_to(lab: Lab) -> list[str]:
    """The nodes that have the volume, attached now where it was wanted."""
    found = lab.get("volumeattachments")
    for one in found:
        if not one.get("status", {}).get("attached"):
            status = json.dumps({"status": {"attached": True}})
            name = one["metadata"]["name"]
            lab.kubectl("patch", "volumeattachment", name, "--subresource=status", "--type=merge", "-p", status)
    return [one["spec"]["nodeName"] for one in found]


def remove(lab: Lab) -> None:
    kinds = ("deployment", "persistentvolumeclaim", "persistentvolume")
    lab.kubectl("delete", *(f"{kind}/{VOLUME}" for kind in kinds), "--wait=false")
