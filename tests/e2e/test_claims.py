"""Claims over a whole cluster: bound when their pod is placed, mounted once, given back, and their data never touched."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubelet.volumes.mounts import mounted_below
from tests.e2e.conftest import MANIFESTS, Cluster
from tests.e2e.test_pod_life import namespace
from tests.wait import eventually_sync

WITHIN = 60


@pytest.fixture(scope="module")
def device(cluster: Cluster) -> Iterator[str]:
    """A disk of 64 KiB."""
    disk = cluster.state / "claimed.disk"
    disk.write_bytes(bytes(1 << 16))
    made = cluster.ok(f"losetup --find --show {disk}").strip()
    yield made
    cluster.ok(f"losetup --detach {made}")  # it goes with its last user


@pytest.fixture(scope="module")
def claims(cluster: Cluster, device: str) -> Iterator[Cluster]:
    (directory(cluster) / "local").mkdir(parents=True)
    (directory(cluster) / "local" / "before").write_text("before")
    (directory(cluster) / "made").mkdir()
    (directory(cluster) / "made" / "readme").write_text("readme\n")
    shell = namespace(cluster, "claims")
    manifest = (MANIFESTS / "volume-claims.yaml").read_text().replace("HOST_DIRECTORY", str(directory(cluster)))
    shell.ok("kubectl apply -f -", stdin=manifest.replace("HOST_DEVICE", device))
    yield shell
    shell.ok("kubectl delete namespace claims --wait=false")
    shell.ok("kubectl delete pv --all --wait=false; kubectl delete storageclass local")


def directory(cluster: Cluster) -> Path:
    return cluster.state / "claims"


def mounted(cluster: Cluster) -> list[Path]:
    """Where pods have local volumes."""
    return [path for path in mounted_below(cluster.state) if "kubernetes.io~local-volume" in path.parts]


@pytest.mark.root
def test_a_pod_keeps_its_data_in_claimed_volumes(claims: Cluster) -> None:
    """The claim whose class waits is bound when the pod is placed; its files belong to the pod's group; a claim mounted read-only
    is. Killed in between, the kubelet lets go of the volume when it is back; what is in the volume stays, and the claim in use;
    but what is to be recycled is emptied.

    Rule: behaviour E.7.78, https://kubernetes.io/docs/concepts/storage/persistent-volumes/
    """
    claims.ok(f"kubectl wait --for=condition=Ready pod/writer --timeout={WITHIN}s", within=WITHIN + 10)
    rows = claims.ok("kubectl get pvc local-claim directory-claim --no-headers").split("\n")
    assert [row.split()[1:3] for row in rows if row] == [["Bound", "local-volume"], ["Bound", "directory"]]
    assert claims.ok("kubectl logs writer -c raw").split() == ["65536", "written"]
    log = claims.until("kubectl logs writer -c main", "Read-only file system")
    assert "readme" in log
    local = directory(claims) / "local"
    assert (local / "file").read_text() == "kept\n"
    assert (local / "deep" / "er" / "file").read_text() == "part\n"
    assert {(local / name).stat().st_gid for name in ("file", "before", "deep")} == {2000}
    assert len(mounted(claims)) == 1
    claims.ok("kubectl delete pvc local-claim --wait=false")
    claims.until("kubectl get pvc local-claim -o jsonpath='{.metadata.finalizers}'", "kubernetes.io/pvc-protection")
    os.kill(claims.pid("kubelet"), 9)
    claims.ok("kubectl delete pod writer", within=WITHIN)
    claims.until("kubectl get pv local-volume -o jsonpath='{.status.phase}'", "Released", within=WITHIN)
    assert claims.run("kubectl get pvc local-claim").code != 0
    claims.ok("kubectl delete pvc directory-claim --wait=false")
    eventually_sync(lambda: not mounted(claims), WITHIN, "the kubelet to let go")
    assert sorted(path.name for path in local.iterdir()) == ["before", "deep", "file"]
    claims.until("kubectl get pv directory -o jsonpath='{.status.phase}'", "Available", within=WITHIN)
    assert list((directory(claims) / "made").iterdir()) == []


@pytest.mark.root
def test_what_cannot_be_mounted_is_told_as_upstream_tells_it(claims: Cluster) -> None:
    """A share without its server, a path that climbs out of its volume, a claim that is not there.

    Rule: behaviour E.5.57, https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/
    """
    shared = claims.until("kubectl describe pod shared", "MountVolume.SetUp failed", within=WITHIN)
    assert 'MountVolume.SetUp failed for volume "share" : mount failed: exit status ' in shared
    assert "Mounting arguments: -t nfs 127.0.0.1:/exports" in shared
    climber = claims.until("kubectl describe pod climber", "failed to prepare subPath", within=WITHIN)
    assert 'failed to prepare subPath for volumeMount "v" of container "main"' in climber
    assert "CreateContainerConfigError" in climber
    summary = "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: "
    hasty = claims.until("kubectl describe pod hasty", summary, within=WITHIN)
    assert 'error processing PVC claims/absent: failed to fetch PVC from API server: persistentvolumeclaims "absent"' in hasty


@pytest.mark.root
def test_an_images_files_are_a_volume_that_nobody_writes_to(claims: Cluster) -> None:
    """Rule: KEP-4639, https://kubernetes.io/docs/concepts/storage/volumes/#image"""
    log = claims.until("kubectl logs pictured", "Read-only file system", within=WITHIN)
    assert {"same", "busybox"} <= set(log.splitlines())
    told = claims.until("kubectl describe pod blank", "ErrImageNeverPull", within=WITHIN)
    words = 'Container image "absent" is not present with pull policy of Never'
    assert f'MountVolume.SetUp failed for volume "files" : ErrImageNeverPull: {words}' in told
