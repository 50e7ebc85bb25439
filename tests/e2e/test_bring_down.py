"""Down and purge leave the host as it was; up after down finds its data again. A cluster of its own, in a namespace of its own.

Rule: what a cluster makes on a host is taken away with it: links, addresses, routes, packet rules, kernel settings, mounts,
cgroups and processes.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import DOWN_SECONDS, UP_SECONDS, UPSTREAM, Cluster, local, tools_of

POD = """
apiVersion: v1
kind: Pod
metadata: {name: uses}
spec:
  terminationGracePeriodSeconds: 300
  volumes: [{name: memory, emptyDir: {medium: Memory}}, {name: host, hostPath: {path: /tmp}}]
  containers:
  - name: main
    image: busybox
    imagePullPolicy: Never
    command: [sh, -c, "trap '' TERM; sleep 3600"]
    ports: [{containerPort: 80, hostPort: 8088}]
    resources: {limits: {memory: 64Mi, cpu: 100m}}
    volumeMounts: [{name: memory, mountPath: /memory}, {name: host, mountPath: /host}]
"""


@pytest.fixture
def machine() -> Iterator[Cluster]:
    """Where a cluster may be brought up, and nothing is yet."""
    name = f"skiff-down-{os.getpid()}"
    state = Path(f"/tmp/{name}")
    subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
    machine = Cluster(name, state)
    try:
        tools = tools_of(state, UPSTREAM)
        tools.mkdir(parents=True)
        (tools / "kubectl").symlink_to(UPSTREAM)
        yield machine
    finally:
        machine.run(local(machine, "purge"), within=DOWN_SECONDS)
        subprocess.run(["ip", "netns", "del", name], check=True)
        shutil.rmtree(state, ignore_errors=True)


@pytest.mark.timeout(600)  # up and down, twice
def test_down_and_purge_leave_the_host_as_it_was(machine: Cluster) -> None:
    before = traces(machine)
    machine.ok(local(machine, "up"), within=UP_SECONDS)
    machine.ok("kubectl apply -f -", stdin=POD)
    machine.ok("kubectl wait --for=condition=Ready pod/uses --timeout=60s", within=70)
    assert traces(machine) != before
    machine.ok(local(machine, "down"), within=DOWN_SECONDS)
    assert traces(machine) == before
    assert (machine.state / "etcd").is_dir()
    machine.ok(local(machine, "up"), within=UP_SECONDS)
    machine.ok("kubectl wait --for=condition=Ready pod/uses --timeout=60s", within=70)
    machine.ok(local(machine, "purge"), within=DOWN_SECONDS)
    assert traces(machine) == before
    assert [path.name for path in machine.state.iterdir()] == ["tools"]  # this test's own


def test_status_tells_that_a_cluster_is_down(machine: Cluster) -> None:
    done = machine.run(local(machine, "status"))
    assert (done.code, done.out) == (1, "The cluster is down. `make up` starts it.\n")


def traces(machine: Cluster) -> dict[str, Any]:
    """All that a cluster may leave behind."""
    links = json.loads(machine.ok("ip -json address show"))
    rules = machine.ok("iptables-save").splitlines()
    return {
        "links": sorted((one["ifname"], *(a["local"] for a in one["addr_info"])) for one in links),
        "routes": sorted(machine.ok("ip route show table all; ip rule").splitlines()),
        "nft": machine.ok("nft list ruleset"),
        "iptables": [line for line in rules if not line.startswith(("#", ":"))],
        "settings": machine.ok("sysctl -a -r '^net.ipv4.(ip_forward$|conf.(all|default|lo)[.])'"),
        "mounts": [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f" {machine.state}/" in line],
        "cgroups": sorted(str(path) for path in Path("/sys/fs/cgroup").glob(f"**/{machine.netns}")),
        "processes": sorted(processes(machine)),
    }


def processes(machine: Cluster) -> Iterator[str]:
    """Those that the cluster started, in containers or not: by their environment, or by their cgroup."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            marked = f"SKIFF_STATE={machine.state}".encode() in (entry / "environ").read_bytes().split(b"\0")
            if marked or f"/{machine.netns}/" in (entry / "cgroup").read_text():
                yield (entry / "comm").read_text().strip()
        except OSError:
            continue  # it ended meanwhile
