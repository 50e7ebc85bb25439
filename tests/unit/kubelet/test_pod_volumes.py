"""Pods' volumes: those of claims, what is told while one cannot be had, and whose the files are."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kube.api.types import EmptyDirVolumeSource, NFSVolumeSource, PersistentVolume, PersistentVolumeClaim, Pod, Volume
from kube.api.views import view
from kube.component.clock import SystemClock
from kubelet.claims import NoClaims, claim_name, unready
from kubelet.csi.plugins import Plugins
from kubelet.csi.record import Record, remember
from kubelet.downward import PodFacts
from kubelet.images import Images
from kubelet.objects import no_token
from kubelet.pod_events import LoggedEvents
from kubelet.pod_files import PodFiles
from kubelet.pod_volumes import MountedVolumes, PodVolumes, container_devices
from kubelet.pulled_images import PulledImages
from kubelet.runtime.runtime import Device, RuntimeFailure
from kubelet.volume_wait import LONGEST_RETRY, PATIENCE, VolumesFailed, VolumeWait, reason
from kubelet.volumes import empty_dir, mounts, nfs, ownership, volume_types
from kubelet.volumes.volume import ClaimNotReady, NotAttached, VolumeError
from tests.fake_runtime import FakeRuntime
from tests.unit.kubelet.pods import UID, WHO, a_container, a_pod

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OF_CLAIM = view(Volume, {"name": "data", "persistentVolumeClaim": {"claimName": "c"}})
EPHEMERAL = view(Volume, {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}})


def a_claim(phase: str = "Bound", volume: str = "v", **metadata: Any) -> PersistentVolumeClaim:
    head = {"name": "c", "namespace": "default", "uid": "uid-c", **metadata}
    return view(PersistentVolumeClaim, {"metadata": head, "spec": {"volumeName": volume}, "status": {"phase": phase}})


def test_a_claim_serves_a_pod_when_it_is_bound_and_stays() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#using"""
    pod = a_pod()
    assert unready(pod, OF_CLAIM, a_claim()) == ""
    assert unready(pod, OF_CLAIM, a_claim("Pending", "")) == "PVC is not bound"
    assert unready(pod, OF_CLAIM, a_claim("Lost")) == "PVC is not bound"
    assert unready(pod, OF_CLAIM, a_claim(deletionTimestamp="2026-01-01T00:00:00Z")) == "PVC is being deleted"


def test_a_pod_never_uses_a_claim_that_was_not_made_for_its_ephemeral_volume() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#persistentvolumeclaim-naming"""
    pod = a_pod()
    assert claim_name(pod, EPHEMERAL) == f"{pod.metadata.name}-scratch"
    owner = {"apiVersion": "v1", "kind": "Pod", "name": pod.metadata.name, "uid": UID, "controller": True}
    assert unready(pod, EPHEMERAL, a_claim(ownerReferences=[owner])) == ""
    assert "was not created for pod" in unready(pod, EPHEMERAL, a_claim())


def test_a_failing_volume_is_told_at_each_try_and_the_pod_as_a_whole_after_two_minutes() -> None:
    """Rule: https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/"""
    wait, now, told = VolumeWait(), NOW, []
    error = VolumesFailed({"data": VolumeError("MountVolume.SetUp failed"), "more": VolumeError("so it did")})
    while now <= NOW + PATIENCE + LONGEST_RETRY:
        told = wait.failed(error, now)
        assert told[:2] == ["MountVolume.SetUp failed", "so it did"]
        assert wait.retry_at is not None
        assert now < wait.retry_at <= now + LONGEST_RETRY
        if len(told) > 2:
            break
        now = wait.retry_at
    assert now - NOW >= PATIENCE
    assert told[2] == (
        "Unable to attach or mount volumes: unmounted volumes=[data more], unattached volumes=[], "
        "failed to process volumes=[]: context deadline exceeded"
    )
    wait.succeeded()
    assert wait.retry_at is None
    assert len(wait.failed(error, now)) == 2


def test_a_claim_that_is_not_bound_is_told_at_once_and_looked_at_again_soon() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#using"""
    wait = VolumeWait()
    for _ in range(10):
        told = wait.failed(VolumesFailed({"data": ClaimNotReady("error processing PVC default/c: PVC is not bound")}), NOW)
        assert wait.retry_at == NOW + timedelta(seconds=2)
    assert told == [
        "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], "
        "failed to process volumes=[data]: error processing PVC default/c: PVC is not bound"
    ]


def test_a_volume_that_is_not_attached_is_told_of_only_if_it_takes_long() -> None:
    """Rule: pkg/kubelet/volumemanager: an attach that is awaited is no failure"""
    wait, error = VolumeWait(), VolumesFailed({"data": NotAttached("volume is not attached")})
    assert wait.failed(error, NOW) == []
    assert wait.retry_at == NOW + timedelta(seconds=2)
    assert wait.failed(error, NOW + PATIENCE) == [
        "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[data], "
        "failed to process volumes=[]: context deadline exceeded"
    ]


def test_a_container_gets_the_block_devices_that_it_names() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#raw-block-volume-support"""
    pod = a_pod(containers=[a_container("main", volumeDevices=[{"name": "disk", "devicePath": "/dev/xvda"}])])
    container = pod.spec.containers[0]
    here = MountedVolumes({"disk": Path("/dev/loop3")}, None, frozenset({"disk"}))
    assert container_devices(container, here) == (Device("/dev/loop3", "/dev/xvda"),)
    with pytest.raises(VolumeError, match="volume disk is not a block device"):
        container_devices(container, MountedVolumes({"disk": Path("/srv")}, None))


def test_the_mount_program_is_asked_for_what_the_share_says() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/volumes/#nfs"""
    share = view(NFSVolumeSource, {"server": "10.0.0.1", "path": "/exports"})
    assert nfs.arguments(share, Path("/t"), ()) == ["-t", "nfs", "10.0.0.1:/exports", "/t"]
    assert nfs.arguments(share, Path("/t"), (), read_only=True)[2:4] == ["-o", "ro"]
    share = view(NFSVolumeSource, {"server": "fd00::1", "path": "/", "readOnly": True})
    assert nfs.arguments(share, Path("/t"), ["nfsvers=4.1"]) == ["-t", "nfs", "-o", "ro,nfsvers=4.1", "[fd00::1]:/", "/t"]


def test_a_volume_in_memory_is_no_larger_than_what_its_pod_may_use() -> None:
    """Rule: behaviour E.5.57, KEP-1967"""

    def size(stated: str | None, *limits: str | None, node: str = "8Gi") -> int:
        given = [{"resources": {"limits": {"memory": limit}}} if limit else {} for limit in limits]
        pod = a_pod(containers=[a_container(f"c{number}", **one) for number, one in enumerate(given)])
        return empty_dir.memory_size(pod, view(EmptyDirVolumeSource, {"sizeLimit": stated}), {"memory": node} if node else {})

    assert size("64Mi", "128Mi", "128Mi") == 64 << 20
    assert size("1Gi", "128Mi", "128Mi") == 256 << 20
    assert size(None, "128Mi", None) == 8 << 30
    assert size("0", None) == 8 << 30
    assert size(None, None, node="") == 0


def test_a_device_that_cannot_be_had_is_told_as_one(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#raw-block-volume-support"""

    class Bound(NoClaims):
        async def volume_of(self, pod: Pod, volume: Volume) -> PersistentVolume:
            spec = {"volumeMode": volume.name, "local": {"path": str(tmp_path / "absent")}}
            return view(PersistentVolume, {"metadata": {"name": "v"}, "spec": spec})

    told = {}
    images = Images(FakeRuntime(), LoggedEvents(), SystemClock(), PulledImages(tmp_path))
    for mode in ("Block", "Filesystem"):
        pod = a_pod(volumes=[{"name": mode, "persistentVolumeClaim": {"claimName": "c"}}])
        files = PodFiles(tmp_path, tmp_path / "logs", WHO)
        with pytest.raises(VolumesFailed) as failed:
            asyncio.run(PodVolumes(no_token, Bound(), images, SystemClock()).set_up(pod, files, {}, PodFacts()))
        told[reason(str(failed.value))] = str(failed.value)
    assert told["FailedMapVolume"].startswith('MapVolume.SetUpDevice failed for volume "v" : path ')
    assert told["FailedMount"].startswith('MountVolume.SetUp failed for volume "v" : path ')


@pytest.mark.root
def test_a_volume_of_huge_pages_has_pages_of_the_size_that_is_asked_for(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/tasks/manage-hugepages/scheduling-hugepages/"""
    small, large = ({"resources": {"limits": {f"hugepages-{size}": size}}} for size in ("2Mi", "1Gi"))
    pod = a_pod(containers=[a_container("main", **small)])
    assert empty_dir.page_size(pod, "HugePages") == empty_dir.page_size(pod, "HugePages-2Mi") == 2 << 20
    for other, medium in ((pod, "HugePages-1Gi"), (a_pod(), "HugePages"), (two_sizes(small, large), "HugePages")):
        with pytest.raises(VolumeError):
            empty_dir.page_size(other, medium)
    assert empty_dir.page_size(two_sizes(small, large), "HugePages-1Gi") == 1 << 30
    try:
        mounts.huge_pages(tmp_path, 2 << 20)
        assert os.statvfs(tmp_path).f_bsize == 2 << 20
    finally:
        mounts.unmount_below(tmp_path)


def two_sizes(*containers: dict[str, Any]) -> Pod:
    return a_pod(containers=[a_container(f"c{number}", **one) for number, one in enumerate(containers)])


def test_a_volume_for_one_pod_waits_until_the_other_has_given_it_back(tmp_path: Path) -> None:
    """Rule: KEP-2485, https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes"""

    class Bound(NoClaims):
        async def volume_of(self, pod: Pod, volume: Volume) -> PersistentVolume:
            csi = {"driver": "gone.example.com", "volumeHandle": "h"}
            spec = {"accessModes": ["ReadWriteOncePod"], "csi": csi}
            return view(PersistentVolume, {"metadata": {"name": "v"}, "spec": spec})

    clock, files = SystemClock(), PodFiles(tmp_path, tmp_path / "logs", WHO)
    images = Images(FakeRuntime(), LoggedEvents(), clock, PulledImages(tmp_path))
    volumes = PodVolumes(no_token, Bound(), images, clock, volume_types(Plugins(tmp_path, "n", None)))
    pod = a_pod(volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}])
    other = tmp_path / "pods" / "other" / "volumes" / "kubernetes.io~csi" / "v"
    other.mkdir(parents=True)
    with pytest.raises(VolumesFailed, match="uses the ReadWriteOncePod access mode and is already in use by another pod"):
        asyncio.run(volumes.set_up(pod, files, {}, PodFacts()))
    other.rmdir()
    with pytest.raises(VolumesFailed, match="not found in the list of registered CSI drivers"):  # as far as it gets here
        asyncio.run(volumes.set_up(pod, files, {}, PodFacts()))


@pytest.mark.root
def test_what_cannot_be_given_back_keeps_nothing_else_from_it(tmp_path: Path) -> None:
    """Rule: behaviour E.5.54 (a pod's end is tried again)"""
    files = PodFiles(tmp_path, tmp_path / "logs", WHO)
    for place in ("kubernetes.io~csi/stuck", "kubernetes.io~empty-dir/data"):
        (files.volumes / place).mkdir(parents=True)
    remember(files.volumes / "kubernetes.io~csi" / "stuck", Record("gone.example.com", "h"))
    plugins = Plugins(tmp_path, "n", None)
    images = Images(FakeRuntime(), LoggedEvents(), SystemClock(), PulledImages(tmp_path))
    volumes = PodVolumes(no_token, NoClaims(), images, SystemClock(), volume_types(plugins))
    with pytest.raises(RuntimeFailure, match=r'TearDown failed for volume "stuck" : .* gone\.example\.com not found'):
        asyncio.run(volumes.tear_down(a_pod(), files))
    assert not (files.volumes / "kubernetes.io~empty-dir" / "data").exists()


@pytest.mark.root
def test_a_volumes_files_are_given_to_the_pods_group_and_links_are_not_followed(tmp_path: Path) -> None:
    """With OnRootMismatch nothing below is touched where the top is right already.

    Rule: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#configure-volume-permission-and-ownership-change-policy-for-pods
    """
    if os.geteuid() != 0:
        pytest.fail("giving files away needs root")
    volume, outside = tmp_path / "volume", tmp_path / "outside"
    (volume / "sub").mkdir(parents=True)
    outside.mkdir(mode=0o700)
    (volume / "sub" / "file").write_text("x")
    (volume / "sub" / "file").chmod(0o600)
    (volume / "link").symlink_to(outside)
    ownership.give(volume, 2000)
    assert [path.stat().st_gid for path in (volume, volume / "sub", volume / "sub" / "file")] == [2000] * 3
    assert (volume / "sub" / "file").stat().st_mode & 0o7777 == 0o660
    assert (volume / "sub").stat().st_mode & 0o2070 == 0o2070
    assert (outside.stat().st_gid, outside.stat().st_mode & 0o777) == (0, 0o700)
    assert (volume / "link").lstat().st_gid == 2000
    os.chown(volume / "sub" / "file", 0, 0)
    ownership.give(volume, 2000, policy="OnRootMismatch")
    assert (volume / "sub" / "file").stat().st_gid == 0
    ownership.give(volume, 2000, policy="Always")
    assert (volume / "sub" / "file").stat().st_gid == 2000


@pytest.mark.parametrize(("top", "group", "mode"), [(0o1777, os.getgid(), 0o3777), (0o1755, None, 0o1777), (0o755, None, 0o777)])
def test_a_volume_in_memory_stays_sticky(tmp_path: Path, top: int, group: int | None, mode: int) -> None:
    """As the kernel makes a tmpfs; a part that is made in it gets the same mode.  Rule: upstream pkg/volume/emptydir (setupDir)"""
    empty_dir._make(tmp_path / "memory", lambda path: path.chmod(top), group)
    assert (tmp_path / "memory").stat().st_mode & 0o7777 == mode
