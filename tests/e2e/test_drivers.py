"""A storage driver's volumes through a whole pod: attached, staged, published, measured, grown, and given back in that order.

The driver is this test, on a socket in the node's plugin registry, and so is its attacher.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kube.api.attachment_name import volume_name
from kubelet.csi import messages
from kubelet.csi.plugins import REGISTRY
from kubelet.volumes.mounts import mounted_below, unmount_below
from tests.csi_driver import DRIVER, MemoryDriver
from tests.e2e.conftest import MANIFESTS, Cluster, in_a_namespace
from tests.wait import eventually_sync

WITHIN = 60
CAPABILITIES = (messages.STAGE_UNSTAGE, messages.EXPAND_VOLUME, messages.GET_VOLUME_STATS)
ATTACHED = """'{"status":{"attached":true,"attachmentMetadata":{"lun":"4"}}}'"""
IN_USE = [volume_name(DRIVER, "files"), volume_name(DRIVER, "raw")]


@pytest.fixture
def driver(cluster: Cluster) -> Iterator[MemoryDriver]:
    one = MemoryDriver(cluster.state / "kubelet" / REGISTRY / "memory-reg.sock", capabilities=CAPABILITIES)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def shared(cluster: Cluster) -> Iterator[Path]:
    """A directory whose mounts others see, as those of a whole machine are."""
    directory = cluster.state / "shared"
    directory.mkdir()
    subprocess.run(["mount", "--bind", "--make-shared", directory, directory], check=True)
    yield directory
    unmount_below(directory)


@pytest.fixture
def drivers(cluster: Cluster, driver: MemoryDriver, shared: Path) -> Iterator[Cluster]:
    with in_a_namespace(cluster, "drivers") as shell:
        shell.until("kubectl get serviceaccount default -o name", "default")
        shell.until("kubectl get csinode skiff -o jsonpath='{.spec.drivers[*].name}'", DRIVER)
        manifest = (MANIFESTS / "volume-drivers.yaml").read_text().replace("HOST_DIRECTORY", str(shared))
        shell.ok("kubectl apply -f -", stdin=manifest)
        yield shell
        driver.refuses.clear()
        shell.ok("kubectl delete pod driven --now --ignore-not-found", within=WITHIN)
        shell.ok(f"kubectl delete csidriver/{DRIVER} pvc/files pvc/raw pv/driven-files pv/driven-raw --wait=false")


def attachments(shell: Cluster) -> list[str]:
    return shell.ok("kubectl get volumeattachments -o jsonpath='{.items[*].metadata.name}'").split()


def mounted(cluster: Cluster) -> list[Path]:
    root = cluster.state / "kubelet"
    return [path for path in mounted_below(root) if "kubernetes.io~csi" in path.parts or path.is_relative_to(root / "plugins")]


def of_node(shell: Cluster, path: str) -> list[str]:
    return shell.ok(f"kubectl get node skiff -o jsonpath='{{.status.{path}}}'").split()


@pytest.mark.root
def test_a_drivers_volumes_live_as_long_as_their_pod_and_are_never_taken_from_under_it(
    drivers: Cluster, driver: MemoryDriver, shared: Path
) -> None:
    """Mounts that a container makes are seen by the host and by other containers, where both say so. A pod that was deleted by
    force keeps its volumes attached until its node has let go of them.

    Rule: behaviour E.5.56 (fsGroup), E.5.57 (mount propagation), https://kubernetes.io/docs/concepts/storage/volumes/#csi, KEP-1855
    """
    eventually_sync(lambda: len(attachments(drivers)) == 2, WITHIN, "the volumes to be asked for")
    for name in attachments(drivers):
        drivers.ok(f"kubectl patch volumeattachment {name} --subresource=status --type=merge -p {ATTACHED}")
    drivers.ok(f"kubectl wait --for=condition=Ready pod/driven --timeout={WITHIN}s", within=WITHIN + 10)
    eventually_sync(lambda: of_node(drivers, "volumesAttached[*].name") == IN_USE, 5, "the node to say what is attached")
    assert of_node(drivers, "volumesInUse[*]") == IN_USE
    assert drivers.ok("kubectl logs driven -c user").split() == ["/files/file=2000", "/inline/file=2000"]
    assert drivers.ok("kubectl logs driven -c root").split() == ["65536", "written"]
    drivers.until("kubectl logs driven -c looker", "seen")
    assert (shared / "inside" / "file").read_text() == "seen\n"
    published_with_what_was_asked_for(driver)
    measured(drivers)
    grown(drivers)
    driver.refuses["NodeUnpublishVolume"] = "busy"
    drivers.ok("kubectl delete pod driven --force --grace-period=0", within=WITHIN)
    eventually_sync(lambda: driver.named("NodeUnpublishVolume"), WITHIN, "the node to try to let go")
    assert (len(attachments(drivers)), of_node(drivers, "volumesInUse[*]")) == (2, IN_USE)
    driver.refuses.clear()
    eventually_sync(lambda: not attachments(drivers), WITHIN, "the volumes to be detached")
    assert mounted(drivers) == []
    assert {one["volume_id"] for one in driver.named("NodeUnstageVolume")} == {"files", "raw"}
    assert of_node(drivers, "volumesAttached[*].name") == of_node(drivers, "volumesInUse[*]") == []


def published_with_what_was_asked_for(driver: MemoryDriver) -> None:
    published = {one["volume_id"]: one for one in driver.named("NodePublishVolume")}
    assert [one["publish_context"] for one in driver.named("NodeStageVolume")] == [{"lun": "4"}] * 2
    assert published["files"]["secrets"] == {"key": "open sesame"}
    assert "block" in published["raw"]["volume_capability"]
    inline = next(one for name, one in published.items() if name.startswith("csi-"))["volume_context"]
    info = {name: inline[f"csi.storage.k8s.io/{name}"] for name in ("pod.name", "pod.namespace", "ephemeral")}
    assert info == {"pod.name": "driven", "pod.namespace": "drivers", "ephemeral": "true"}
    assert inline["size"] == "small"
    tokens = json.loads(inline["csi.storage.k8s.io/serviceAccount.tokens"])
    assert tokens["vault"]["token"].count(".") == 2


def measured(shell: Cluster) -> None:
    """As the driver tells it."""
    summary = json.loads(shell.ok("kubectl get --raw /api/v1/nodes/skiff/proxy/stats/summary"))
    pod = next(one for one in summary["pods"] if one["podRef"]["name"] == "driven")
    of_claims = {one["name"]: one for one in pod["volume"] if "pvcRef" in one}
    assert of_claims.keys() == {"files"}
    assert of_claims["files"]["pvcRef"] == {"name": "files", "namespace": "drivers"}
    assert (of_claims["files"]["usedBytes"], of_claims["files"]["inodesFree"]) == (300, 7)
    metrics = shell.ok("kubectl get --raw /api/v1/nodes/skiff/proxy/metrics")
    assert 'kubelet_volume_stats_capacity_bytes{namespace="drivers",persistentvolumeclaim="files"} 1000' in metrics


def grown(shell: Cluster) -> None:
    """The resizer's part, then the node's: at the next look at the pod, within a minute."""
    shell.ok("""kubectl patch pv driven-files -p '{"spec":{"capacity":{"storage":"2Gi"}}}'""")
    shell.ok("kubectl annotate pod driven looked=at")
    shell.until("kubectl get pvc files -o jsonpath='{.status.capacity.storage}'", "2Gi", within=WITHIN)
    shell.until("kubectl get events", "FileSystemResizeSuccessful")
