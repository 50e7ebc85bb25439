"""What a cluster needs of its host, beyond processes: packages, a device for the node's address, and two safe routes.

The routes say that pod and Service addresses are unreachable, at the lowest preference: until the pod network and kube-proxy
have better ones, and again after they are gone, a packet to such an address ends here instead of leaving by the default route.
"""

import ipaddress
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from deploy.cluster import NODE_DEVICE, Cluster
from deploy.progress import StepFailed

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
LAST_RESORT = 9000  # metric: any route of the pod network or of kube-proxy is preferred
RESOLVER_FILE, BEHIND_STUB = Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf")
CLUSTER_DEVICES = (NODE_DEVICE, "cni0", "kube-svc0")

PACKAGES = {  # program: the Debian package that brings it
    "etcd": "etcd-server",
    "iptables": "iptables",
    "nft": "nftables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "busybox": "busybox-static",
}
ENGINE_PACKAGES = {"dockerd": "docker.io", "containerd": "containerd"}


def missing_packages(*, engine_answers: bool) -> list[str]:
    """The packages of programs that are not on this machine; the engine's only where none answers."""
    wanted = PACKAGES if engine_answers else {**PACKAGES, **ENGINE_PACKAGES}
    return sorted({package for program, package in wanted.items() if shutil.which(program, path=PATH) is None})


def install(packages: list[str]) -> None:
    """Install by apt-get, without starting the services that come with them."""
    _apt(["install", "-q", "-y", "--no-install-recommends", *packages], packages)


def unpack(package: str, directory: Path) -> None:
    """A package's files below a directory, installed nowhere."""
    directory.mkdir(parents=True, exist_ok=True)
    _apt(["download", "-q", package], [package], directory)
    for archive in directory.glob(f"{package}_*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(archive), str(directory)], check=True)
        archive.unlink()


def _apt(words: list[str], packages: list[str], directory: Path | None = None) -> None:
    names = " ".join(packages)
    if shutil.which("apt-get", path=PATH) is None:
        raise StepFailed(f"not on this machine: {names}", "install these with your package manager (there is no apt-get)")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PATH": PATH}
    for command in (["apt-get", "update", "-q"], ["apt-get", *words]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=directory)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise StepFailed(f"{' '.join(command[:2])} failed: {last}", f"mend apt, or install {names} by hand")


def clashing_routes(cluster: Cluster) -> list[str]:
    """Routes of this host, not ours, into the pod or Service range: a network there would be cut off."""
    ranges = [ipaddress.ip_network(cluster.pod_cidr), ipaddress.ip_network(cluster.service_cidr)]
    found = []
    for route in _ip_json("route", "show"):
        destination, device = route.get("dst", ""), route.get("dev", "")
        if destination in ("", "default") or device in ("", *CLUSTER_DEVICES) or device.startswith("veth"):
            continue
        if any(ipaddress.ip_network(destination).overlaps(one) for one in ranges):
            found.append(f"{destination} dev {device}")
    return found


def prepare_network(cluster: Cluster) -> None:
    """The node's device and the two routes of last resort; what is there already stays."""
    _ip("link", "set", "lo", "up")
    if all(link["ifname"] != NODE_DEVICE for link in _ip_json("link", "show")):
        _ip("link", "add", NODE_DEVICE, "type", "bridge")  # a bridge without ports: every kernel that runs pods has it
    _ip("addr", "replace", f"{cluster.node_ip}/32", "dev", NODE_DEVICE)
    _ip("link", "set", NODE_DEVICE, "up")
    for destination in (cluster.pod_cidr, cluster.service_cidr):
        _ip("route", "replace", "unreachable", destination, "metric", str(LAST_RESORT))


def restore_network(cluster: Cluster) -> None:
    """Take away what `prepare_network` made; what is gone already is no error."""
    for destination in (cluster.pod_cidr, cluster.service_cidr):
        _ip("route", "del", "unreachable", destination, "metric", str(LAST_RESORT), check=False)
    _ip("link", "del", NODE_DEVICE, check=False)


def resolver_file(ours: Path = RESOLVER_FILE, behind_stub: Path = BEHIND_STUB) -> Path:
    """What pods with dnsPolicy Default get: where the host asks a stub on its own loopback, the file of the servers behind it.

    In a pod's network the stub's address is the pod itself. https://github.com/kubernetes/kubeadm/issues/1162
    """
    try:
        servers = [line.split()[1] for line in ours.read_text().splitlines() if re.match(r"nameserver\s+\S", line)]
    except OSError:
        return ours
    only_stub = bool(servers) and all(one == "::1" or one.startswith("127.") for one in servers)
    return behind_stub if only_stub and behind_stub.exists() else ours


def unmount_below(directory: Path) -> None:
    """Unmount everything mounted below a directory, the deepest first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    inside = sorted((point for point in points if point.startswith(f"{directory}/")), key=len, reverse=True)
    for point in inside:
        subprocess.run(["umount", "--lazy", point.replace("\\040", " ")], capture_output=True, env={"PATH": PATH})


def _ip(*words: str, check: bool = True) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, env={"PATH": PATH})
    if check and done.returncode != 0:
        raise StepFailed(
            f"ip {' '.join(words)}: {done.stderr.strip()}", "the kernel must allow changes to its network (root, CAP_NET_ADMIN)"
        )


def _ip_json(*words: str) -> list[dict[str, Any]]:
    done = subprocess.run(["ip", "-json", *words], capture_output=True, text=True, env={"PATH": PATH})
    found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return found
