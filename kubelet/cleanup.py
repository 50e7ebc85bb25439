"""Clean-up: `kubelet --cleanup` leaves the host as it was before a kubelet ran there.

Takes away the pod network (bridge, rules, routes), what is mounted below --root-dir, pods' files and logs, the server's
certificate where the kubelet signed it itself, and pods' cgroups.
Containers are the engine's, and must be gone before; with them still there their cgroups stay, and this says so.
Our choice of name: kube-proxy has the flag, upstream's kubelet leaves this to `kubeadm reset`.
"""

import asyncio
import contextlib
import shutil
from pathlib import Path

from kube.component.logging import get_logger
from kubelet import node_certificate, pod_range
from kubelet.cgroups import MOUNT
from kubelet.config import KubeletConfig
from kubelet.csi.plugins import PLACES
from kubelet.devices import manager as devices
from kubelet.leftovers import uid_of
from kubelet.network.bridge import BridgeNetwork
from kubelet.network.cni_config import find_network
from kubelet.network.cni_network import CniNetwork
from kubelet.pod_files import link_directory, pods_on_disk
from kubelet.shutdown_sources import forget_drop_in
from kubelet.volumes.mounts import mounted_below, unmount_below

log = get_logger(__name__)

PODS_CGROUP = "kubepods"


async def cleanup(config: KubeletConfig) -> None:
    """Idempotent; needs neither the API server nor the engine."""
    await BridgeNetwork(config.cluster_cidr).cleanup()
    plugged = find_network(config.cni_conf_dir)
    if plugged is not None:
        await CniNetwork(plugged, config.cni_bin_dir, config.cni_cache_dir).cleanup()
    for entry in config.root_dir.resolve().glob("*"):  # not --root-dir itself: that may be the host's own mount
        await asyncio.to_thread(unmount_below, entry)
    await asyncio.to_thread(remove_files, config.root_dir.resolve(), config.log_dir.resolve())
    if config.tls_cert_file is None:
        remove_server_certificate(node_certificate.directory(config))
    remove_cgroups(config.cgroup_root)
    forget_drop_in()


def remove_files(root: Path, logs: Path) -> None:
    """Pods' directories, their logs (--log-dir may have others', too) and the links to these; where something is mounted still,
    nothing is removed.
    """
    left = mounted_below(root / "pods")
    if left:
        log.warning("a volume is still mounted, pods' files stay", path=left[0])
        return
    uids = set(pods_on_disk(root))
    ours = [directory for directory in logs.glob("*_*_*") if uid_of(directory) in uids]
    links = link_directory(logs)
    for link in links.glob("*.log"):
        if link.is_symlink() and any(link.readlink().is_relative_to(directory) for directory in ours):
            link.unlink(missing_ok=True)
    for directory in (*ours, root / "pods"):
        shutil.rmtree(directory, ignore_errors=True)
    for file in (root / pod_range.FILE, *(root / devices.DIRECTORY / name for name in devices.OWN_FILES)):
        file.unlink(missing_ok=True)
    if not mounted_below(root / "plugins"):
        shutil.rmtree(root / "plugins" / "kubernetes.io", ignore_errors=True)  # what else is there is the drivers' own
    for directory in (links, logs, *(root / name for name in (*PLACES, devices.DIRECTORY))):
        with contextlib.suppress(OSError):  # others use it too, or it was never made
            directory.rmdir()


def remove_server_certificate(directory: Path) -> None:
    """The one that was signed here; what says who this node is stays."""
    for name in ("kubelet.crt", "kubelet.key"):
        (directory / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        directory.rmdir()


def remove_cgroups(root: str, mount: Path = MOUNT) -> None:
    """Remove the tree of pods' cgroups, of every controller; one that still has processes stays."""
    for hierarchy in (mount, *(one for one in mount.iterdir() if one.is_dir() and not one.is_symlink())):
        top = hierarchy / root.strip("/") / PODS_CGROUP
        if not top.is_dir():
            continue
        for directory in sorted((one for one in top.rglob("*") if one.is_dir()), key=lambda one: len(one.parts), reverse=True):
            with contextlib.suppress(OSError):
                directory.rmdir()
        try:
            top.rmdir()
        except OSError as error:
            log.warning("cgroup is still in use", path=top, reason=error)
        if root.strip("/"):
            with contextlib.suppress(OSError):
                top.parent.rmdir()
