"""Preflight: everything that would make a bring-up fail half-way, found before anything is started.

Pure checks over what `observe` read of the host; each problem says what, why and what to do, on one line.
"""

import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from deploy import host
from deploy.cluster import Cluster

LEAST_FREE_BYTES = 1 << 30  # etcd alone may grow to more; below this a cluster does not come up well


@dataclass(frozen=True)
class Observed:
    """What was read of the host."""

    user: int
    free_bytes: int
    ports_taken: frozenset[int]
    clashing_routes: tuple[str, ...]
    missing: tuple[str, ...]  # packages
    can_install: bool


def observe(cluster: Cluster, *, running: bool, engine_answers: bool) -> Observed:
    """Read the host. Ports are not looked at while the cluster runs: they are its own."""
    existing = next(path for path in (cluster.state, *cluster.state.parents) if path.exists())
    return Observed(
        user=os.geteuid(),
        free_bytes=shutil.disk_usage(existing).free,
        ports_taken=frozenset() if running else frozenset(port for port in cluster.ports if port_taken(port)),
        clashing_routes=tuple(host.clashing_routes(cluster)) if shutil.which("ip", path=host.PATH) else (),
        missing=tuple(host.missing_packages(engine_answers=engine_answers)),
        can_install=shutil.which("apt-get", path=host.PATH) is not None,
    )


def problems(cluster: Cluster, seen: Observed) -> list[str]:
    """One line for each thing that must be mended first."""
    found = []
    if seen.user != 0:
        found.append("not root: a cluster changes the machine's network and mounts; run `sudo make up`")
    if seen.missing and not seen.can_install:
        names = " ".join(seen.missing)
        found.append(f"not on this machine, and there is no apt-get to install it: {names}; install it, then try again")
    if seen.free_bytes < LEAST_FREE_BYTES:
        free, least = seen.free_bytes >> 20, LEAST_FREE_BYTES >> 20
        found.append(f"disk full: {free} MiB free at {cluster.state}, {least} MiB needed; make room, or set STATE=DIRECTORY")
    for port in sorted(seen.ports_taken):
        who = cluster.ports[port]
        found.append(taken_by_another(port, who))
    for route in seen.clashing_routes:
        ranges = f"{cluster.pod_cidr}, {cluster.service_cidr}"
        found.append(f"the host's route {route} overlaps the cluster's ranges ({ranges}); set POD_CIDR= or SERVICE_CIDR=")
    return found


def secure_state(directory: Path) -> None:
    """Make the state directory, for its owner alone."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)


def taken_by_another(port: int, who: str) -> str:
    return f"port {port} is taken, and {who} needs it; `ss -ltnp 'sport = :{port}'` tells who has it: stop that"


def port_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return True
    return False
