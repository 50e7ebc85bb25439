"""Record: `vol_data.json` beside a published volume: for whom it is there, so that a kubelet started since can give it back.

It is written before anything is asked of the driver, and goes when nothing of the volume is left. Upstream's file and names
(pkg/volume/csi/csi_util.go), and whether the volume is staged, a device, and ready.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kube.api.attachment_name import volume_name
from kube.component.private_file import write_private

FILE = "vol_data.json"
PLUGIN = "kubernetes.io~csi"


@dataclass(frozen=True)
class Record:
    driver: str
    handle: str
    volume: str = ""  # the PersistentVolume's name, or the pod's for it
    attachment: str = ""  # the VolumeAttachment's name; empty where there is none
    staged: bool = False
    device: bool = False  # a block device, not a file system
    ready: bool = True  # published, and its files given to the pod's group

    @property
    def in_use(self) -> str:
        """The volume's name in the node's status; empty for one that is not attached."""
        return volume_name(self.driver, self.handle) if self.attachment else ""


def remember(place: Path, record: Record) -> None:
    place.mkdir(parents=True, exist_ok=True)
    tree = {
        "driverName": record.driver,
        "volumeHandle": record.handle,
        "specVolID": record.volume,
        "attachmentID": record.attachment,
        "staged": record.staged,
        "volumeMode": "Block" if record.device else "Filesystem",
        "ready": record.ready,
    }
    write_private(place / FILE, json.dumps(tree).encode())  # half a record would leave the volume staged and attached for ever


def recall(place: Path) -> Record | None:
    try:
        tree = json.loads((place / FILE).read_text())
        return Record(
            driver=tree["driverName"],
            handle=tree["volumeHandle"],
            volume=tree.get("specVolID") or place.name,
            attachment=tree.get("attachmentID", ""),
            staged=bool(tree.get("staged")),
            device=tree.get("volumeMode") == "Block",
            ready=tree.get("ready", True),
        )
    except (FileNotFoundError, ValueError, KeyError):
        return None


def forget(place: Path) -> None:
    (place / FILE).unlink(missing_ok=True)


def records(root: Path) -> Iterator[tuple[Path, Record]]:
    """All below --root-dir, by the volume's place in its pod."""
    for path in root.glob(f"pods/*/volumes/{PLUGIN}/*/{FILE}"):
        record = recall(path.parent)
        if record is not None:
            yield path.parent, record


def used_by_others(root: Path, place: Path, record: Record) -> bool:
    """Whether another pod of the node has the volume."""
    wanted = record.driver, record.handle
    return any((one.driver, one.handle) == wanted for other, one in records(root) if other != place)
