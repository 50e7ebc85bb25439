"""Record: which devices pods have, and which resources plugins told of, for a kubelet that starts again.

The file's form is upstream's `kubelet_internal_checkpoint`, as monitoring agents read it; its checksum is left 0.
Upstream: pkg/kubelet/cm/devicemanager/checkpoint
"""

import base64
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import orjson

FILE = "kubelet_internal_checkpoint"
NO_NUMA_NODE = "-1"


class Holding(NamedTuple):
    """Whose devices: a container's, of one resource."""

    uid: str  # the pod's
    container: str
    resource: str


class Grant(NamedTuple):
    devices: tuple[str, ...]
    answer: bytes | None = None  # what the plugin said to it; None: it was not asked yet


def written(grants: Mapping[Holding, Grant], resources: Collection[str]) -> bytes:
    """Pure."""
    entries = [
        {
            "PodUID": one.uid,
            "ContainerName": one.container,
            "ResourceName": one.resource,
            "DeviceIDs": {NO_NUMA_NODE: list(grant.devices)},
            "AllocResp": base64.b64encode(grant.answer).decode() if grant.answer is not None else None,
        }
        for one, grant in grants.items()
    ]
    data = {"PodDeviceEntries": entries, "RegisteredDevices": {name: [] for name in sorted(resources)}}
    return orjson.dumps({"Data": data, "Checksum": 0})


def read(content: bytes) -> tuple[dict[Holding, Grant], set[str]]:
    """Pure. Raises ValueError for what is no such file."""
    data = orjson.loads(content)["Data"]
    grants = {}
    for entry in data.get("PodDeviceEntries") or ():
        holding = Holding(entry["PodUID"], entry["ContainerName"], entry["ResourceName"])
        devices = tuple(one for ids in entry["DeviceIDs"].values() for one in ids)
        answer = entry["AllocResp"]
        grants[holding] = Grant(devices, base64.b64decode(answer) if answer is not None else None)
    return grants, set(data.get("RegisteredDevices") or ())


def load(directory: Path) -> tuple[dict[Holding, Grant], set[str]]:
    """A file that is missing or cannot be read says nothing. Blocks."""
    try:
        return read((directory / FILE).read_bytes())
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}, set()


def save(directory: Path, content: bytes) -> None:
    """Blocks."""
    directory.mkdir(parents=True, exist_ok=True)
    fresh = directory / f".{FILE}"
    fresh.write_bytes(content)
    fresh.replace(directory / FILE)
