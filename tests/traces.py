"""What a cluster may leave on a host: links, addresses, routes, rules, kernel settings, mounts, cgroups, processes, files.

Taken before and after; what differs was left behind. Other clusters on the machine do not count: mounts, cgroups and processes are
known by the cluster's directory and name, the rest by the network namespace in which the question is asked.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.host import PATH
from deploy.programs import MARK

CGROUPS = Path("/sys/fs/cgroup")
# Where a Kubernetes host keeps files, if it is not told to keep them elsewhere.
PLACES = (
    "/etc/kubernetes", "/etc/cni/net.d", "/etc/systemd/logind.conf.d", "/var/lib/kubelet", "/var/lib/cni", "/var/lib/etcd",
    "/var/log/pods", "/var/log/containers",
)  # fmt: skip


def of_network(netns: str = "") -> dict[str, Any]:
    """Of a network namespace; "" is the one we are in."""
    links = json.loads(_in(netns, "ip", "-json", "address", "show"))
    tables = _in(netns, "iptables-save").splitlines()
    routes = _in(netns, "ip", "route", "show", "table", "all") + _in(netns, "ip", "rule")
    return {
        "links": sorted((one["ifname"], *(a["local"] for a in one["addr_info"])) for one in links),
        "routes": sorted(line for line in routes.splitlines() if "fe80:" not in line),  # the kernel makes these when it is ready
        "nft": _in(netns, "nft", "list", "ruleset"),
        "iptables": [line for line in tables if not line.startswith(("#", ":"))],
        "settings": _in(netns, "sysctl", "-a", "-r", "^net.ipv4.(ip_forward$|conf.(all|default|lo)[.])"),
    }


def of_machine(state: Path, name: str) -> dict[str, Any]:
    """Of one cluster or lab: by the directory that holds its state, and the name that its namespaces and cgroups begin with."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    loops = Path("/sys/block").glob("loop*/loop/backing_file")
    return {
        "mounts": [line for line in mounts if f" {state}/" in line],
        "disks": [text for one in loops if (text := _read(one).strip()).startswith(f"{state}/")],
        "cgroups": sorted(str(path) for path in CGROUPS.glob(f"**/{name}")),
        "namespaces": sorted(path.name for path in Path("/run/netns").glob("*") if f"{path.name}-".startswith(f"{name}-")),
        "processes": sorted(_processes(state, name)),
        "files": {place: sorted(str(path) for path in Path(place).rglob("*")) for place in PLACES},
    }


def left_behind(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What is there afterwards and was not before, or the other way round."""
    found = {}
    for what, now in after.items():
        if now != before[what]:
            lists = isinstance(now, list)
            found[what] = [one for one in (*now, *before[what]) if one not in now or one not in before[what]] if lists else now
    return found


def _processes(state: Path, name: str) -> Iterator[str]:
    """Those that the cluster started, in containers or not: by their environment, or by their cgroup."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
            marked = any(f"{one}/".startswith(f"{MARK}={state}/") for one in environment)
            if marked or f"/{name}" in (entry / "cgroup").read_text():
                yield (entry / "comm").read_text().strip()
        except OSError:
            continue  # it ended meanwhile


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # it was let go meanwhile


def _in(netns: str, *command: str) -> str:
    entering = ["nsenter", f"--net=/run/netns/{netns}"] if netns else []
    done = subprocess.run([*entering, *command], capture_output=True, text=True, timeout=30, env={"PATH": PATH})
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
