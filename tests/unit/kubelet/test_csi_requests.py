"""What a storage driver is asked with, and how far a claim's file system has to grow."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kube.api.types import CSIDriver, CSIPersistentVolumeSource, PersistentVolume, PersistentVolumeClaim
from kube.api.views import view
from kubelet.claim_growth import grown, status_of_grown
from kubelet.csi import messages
from kubelet.csi.plugins import Driver
from kubelet.csi.record import Record, recall, remember
from kubelet.downward import PodFacts
from kubelet.volumes import csi_request as request
from kubelet.volumes.volume import Token, VolumeContext
from tests.unit.kubelet.pods import a_pod

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_context(persistent: PersistentVolume | None, **pod: Any) -> VolumeContext:
    async def none(*_: Any) -> Any:
        raise AssertionError("nothing is asked for")

    return VolumeContext(a_pod(**pod), Path("/pods/u/volumes/p/v"), {}, PodFacts(), none, none, NOW, persistent)


def a_volume(*modes: str, **spec: Any) -> PersistentVolume:
    return view(PersistentVolume, {"metadata": {"name": "v"}, "spec": {"accessModes": list(modes), **spec}})


def a_source(**more: Any) -> CSIPersistentVolumeSource:
    return view(CSIPersistentVolumeSource, {"driver": "d", "volumeHandle": "h", **more})


def told(**spec: Any) -> CSIDriver:
    return view(CSIDriver, {"metadata": {"name": "d"}, "spec": spec})


def a_driver(*capabilities: int) -> Driver:
    return Driver("d", "/socket", "node", {}, 0, frozenset(capabilities))


@pytest.mark.parametrize(
    ("policy", "source", "modes", "given"),
    [
        ("File", {}, ["ReadWriteMany"], True),
        ("File", {"readOnly": True}, ["ReadWriteMany"], False),
        ("None", {"fsType": "ext4"}, ["ReadWriteOnce"], False),
        ("ReadWriteOnceWithFSType", {"fsType": "ext4"}, ["ReadWriteOnce"], True),
        ("ReadWriteOnceWithFSType", {"fsType": "ext4"}, ["ReadWriteOncePod"], True),
        ("ReadWriteOnceWithFSType", {"fsType": "ext4"}, ["ReadWriteMany"], False),
        ("ReadWriteOnceWithFSType", {"fsType": "ext4", "readOnly": True}, ["ReadWriteOnce"], False),
        ("ReadWriteOnceWithFSType", {}, ["ReadWriteOnce"], False),
        (None, {"fsType": "ext4"}, ["ReadWriteOnce"], True),
    ],
)
def test_files_are_given_to_the_pods_group_as_the_driver_says(
    policy: str | None, source: dict[str, Any], modes: list[str], given: bool
) -> None:
    """Rule: https://kubernetes-csi.github.io/docs/support-fsgroup.html"""
    driver = told(fsGroupPolicy=policy) if policy else None
    assert request.wants_group(driver, a_source(**source), a_context(a_volume(*modes))) is given


def test_a_driver_is_told_how_the_volume_is_used() -> None:
    """A driver that mounts with the group itself is told the group; one that tells one pod from several is told which it is.

    Rule: https://github.com/container-storage-interface/spec/blob/master/spec.md#nodestagevolume
    """
    context = a_context(a_volume("ReadWriteOncePod", mountOptions=["noatime"]), securityContext={"fsGroup": 7})
    plain = {"fs_type": "xfs", "mount_flags": ["noatime"]}
    source = a_source(fsType="xfs")
    assert request.capability(source, context, a_driver()) == {"mount": plain, "access_mode": {"mode": 1}}
    fine = a_driver(messages.SINGLE_NODE_MULTI_WRITER, messages.VOLUME_MOUNT_GROUP)
    grouped = {**plain, "volume_mount_group": "7"}
    assert request.capability(source, context, fine) == {"mount": grouped, "access_mode": {"mode": 6}}
    raw = a_context(a_volume("ReadWriteMany", volumeMode="Block"))
    assert request.capability(source, raw, fine) == {"block": {}, "access_mode": {"mode": 5}}


def test_a_driver_gets_volumes_of_the_modes_that_it_takes() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#csi-ephemeral-volumes"""
    assert request.refusal(None, "d", inline=False) == ""
    assert request.refusal(None, "d", inline=True) == 'volume mode "Ephemeral" not supported by driver d (no CSIDriver object)'
    words = 'volume mode "Ephemeral" not supported by driver d (only supports ["Persistent"])'
    assert request.refusal(told(), "d", inline=True) == words
    assert request.refusal(told(volumeLifecycleModes=["Persistent", "Ephemeral"]), "d", inline=True) == ""


def test_a_drivers_tokens_are_among_the_attributes_or_among_the_secrets() -> None:
    """Rule: KEP-1855, KEP-5538"""
    tokens = [("", Token("a", NOW)), ("vault", Token("b", NOW))]
    words, secrets = request.tokens_told(told(), tokens)
    expires = {"expirationTimestamp": "2026-01-01T00:00:00Z"}
    assert json.loads(words[request.TOKENS]) == {"": {"token": "a", **expires}, "vault": {"token": "b", **expires}}
    assert secrets == {}
    assert request.tokens_told(told(serviceAccountTokenInSecrets=True), tokens) == ({}, words)
    assert request.tokens_told(told(), []) == ({}, {})


def test_a_record_outlives_its_kubelet_also_one_of_an_older_form(tmp_path: Path) -> None:
    record = Record("d", "h", "v", attachment="csi-x", staged=True, device=True)
    remember(tmp_path / "v", record)
    assert (recall(tmp_path / "v"), record.in_use) == (record, "kubernetes.io/csi/d^h")
    (tmp_path / "v" / "vol_data.json").write_text('{"driverName": "d", "volumeHandle": "h", "staged": true}')
    assert recall(tmp_path / "v") == Record("d", "h", "v", staged=True)
    (tmp_path / "v" / "vol_data.json").write_text("{")
    assert recall(tmp_path / "v") is None


def test_a_record_is_there_whole_at_every_moment_of_its_writing(tmp_path: Path) -> None:
    """Rule: a kubelet may be killed at any point; without its record a volume would never be given back."""
    remember(tmp_path, Record("d", "h", "v", ready=False))
    with (tmp_path / "vol_data.json").open() as before:
        remember(tmp_path, Record("d", "h", "v"))
        assert json.load(before)["ready"] is False, "the old one is replaced, never written over"
    assert recall(tmp_path) == Record("d", "h", "v")


def test_a_file_system_grows_to_the_size_of_its_volume_and_the_claim_then_says_so() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#resizing-an-in-use-persistentvolumeclaim, KEP-1790"""

    def a_claim(**status: Any) -> PersistentVolumeClaim:
        return view(
            PersistentVolumeClaim, {"metadata": {"name": "c"}, "spec": {}, "status": {"capacity": {"storage": "1Gi"}, **status}}
        )

    assert grown(a_claim(), "2Gi") == 2 << 30
    assert grown(a_claim(), "1Gi") == 0
    assert grown(a_claim(allocatedResourceStatuses={"storage": "NodeResizeInfeasible"}), "2Gi") == 0
    pending = [{"type": kind, "status": "True"} for kind in ("FileSystemResizePending", "ModifyVolumeError")]
    patch = status_of_grown(a_claim(conditions=pending), "2Gi")
    assert patch["capacity"] == {"storage": "2Gi"}
    assert [one["type"] for one in patch["conditions"]] == ["ModifyVolumeError"]
    assert status_of_grown(a_claim(conditions=pending[:1]), "2Gi")["conditions"] is None
