"""A pod that fills its node's disk, and one that writes ten megabytes of log a second: who suffers, and who does not.

The nodes of the lab have small disks of their own.
"""

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab.conftest import KUBECTL, Lab
from tests.lab.faults import asking, on_node, pid, processor_seconds, web
from tests.wait import eventually_sync

LOGGING, FULL = "node2", "node3"
BLOCK = 1_000_000  # bytes, ten of them a second at most; each begins with its number
WRITE = f"""
yes $(head -c 900 /dev/zero | tr '\\0' x) | head -c {BLOCK - 20} > /tmp/block
n=0; while true; do n=$((n+1)); echo block $n; cat /tmp/block; echo; usleep 100000; done
"""
LOG_BYTES = 5 * 10 << 20  # the engine keeps five files of 10 MiB, and the kubelet as much, packed but for the newest
WRITTEN = 60  # blocks that the reader must see

pytestmark = [pytest.mark.root, pytest.mark.timeout(240)]


def test_a_pod_that_writes_without_end_fills_no_disk_and_disturbs_nobody(lab: Lab) -> None:
    """Rule: behaviour E.5.61 (10 Mi x 5), field lesson: container logs fill the disk"""
    lab.apply(*web("neighbour", 1, on_node(LOGGING)), pod("writer", LOGGING, WRITE))
    kubelet = pid(lab, LOGGING, "kubelet")
    try:
        lab.kubectl("rollout", "status", "deployment/neighbour", "--timeout=60s", within=70)
        lab.kubectl("wait", "--for=condition=Ready", "pod/writer", "--timeout=30s")
        address = lab.get("service", "neighbour")["spec"]["clusterIP"]
        uid = lab.get("pod", "writer")["metadata"]["uid"]
        since, used = time.monotonic(), processor_seconds(kubelet)
        with asking(lab, LOGGING, address) as asked:
            blocks = followed(lab, uid)
        share = (processor_seconds(kubelet) - used) / (time.monotonic() - since)
        print(f"logs -f saw {len(blocks)} blocks in {time.monotonic() - since:.0f} s; kubelet {share:.0%} of a core")
        assert asked.told
        assert asked.lost == []
        assert share < 0.9
        assert lab.get("pod", "writer")["status"]["containerStatuses"][0]["restartCount"] == 0
    finally:
        lab.kubectl("delete", "pod/writer", "deployment/neighbour", "service/neighbour", "--now")


def followed(lab: Lab, uid: str) -> list[int]:
    """The numbers of the blocks that `logs -f` sees, none missing; the disk is looked at meanwhile."""
    environment = {**os.environ, "KUBECONFIG": str(lab.state / "admin.conf")}
    command = [str(KUBECTL), "logs", "--follow", "--tail=1", "writer"]
    blocks: list[int] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as reader:
        try:
            assert reader.stdout is not None
            for line in reader.stdout:
                if found := re.fullmatch(r"block (\d+)\n", line):
                    blocks.append(int(found[1]))
                    assert taken(lab, uid) < 2 * LOG_BYTES + (20 << 20)
                if len(blocks) == WRITTEN:
                    break
        finally:
            reader.kill()
    assert blocks == list(range(blocks[0], blocks[0] + WRITTEN))
    return blocks


def taken(lab: Lab, uid: str) -> int:
    """By the pod's logs, the engine's and the kubelet's."""
    host = lab.host(LOGGING)
    ours = (host.logs / "pods").glob(f"default_writer_{uid}/**/*")
    engines = (host.state / "docker" / "containers").glob("*/*-json.log*")
    return sum(size(path) for path in (*ours, *engines))


def size(path: Path) -> int:
    try:
        found = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return 0  # it was rotated away
    return found.st_blocks * 512 if path.is_file() and not path.is_symlink() else 0


def test_a_full_disk_is_told_costs_the_pod_that_filled_it_and_is_recovered_from(lab: Lab) -> None:
    """The one that takes most beyond what it asked for goes first; the node is tainted, and takes pods again afterwards.
    Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/, behaviour E.5.61"""
    disk = os.statvfs(lab.host(FULL).state)
    fill = (disk.f_bavail - disk.f_blocks // 20) * disk.f_frsize >> 20  # MiB: a twentieth is left
    greedy = pod("greedy", FULL, f"fallocate -l {fill}m /data/file; sleep 3600")
    greedy["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
    greedy["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    lab.apply(pod("modest", FULL, "sleep 3600"), greedy)
    try:
        lab.kubectl("wait", "--for=condition=Ready", "pod/modest", "--timeout=30s")
        lab.kubectl("wait", "--for=condition=DiskPressure", f"node/{FULL}", "--timeout=40s")
        status = eventually_sync(lambda: evicted(lab, "greedy"), 40, "the greedy pod is evicted")
        words = "The node was low on resource: ephemeral-storage. Threshold quantity: "
        assert status["message"].startswith(words)
        disrupted = [one["reason"] for one in status["conditions"] if one["type"] == "DisruptionTarget"]
        assert disrupted == ["TerminationByKubelet"]
        events = lab.kubectl("get", "events", "--field-selector=involvedObject.name=greedy")
        assert "Evicted" in events
        lab.kubectl("wait", "--for=condition=DiskPressure=false", f"node/{FULL}", "--timeout=60s")
        eventually_sync(lambda: "taints" not in lab.get("node", FULL)["spec"], 20, "the node is taken again")
        modest = lab.get("pod", "modest")["status"]
        assert (modest["phase"], modest["containerStatuses"][0]["restartCount"]) == ("Running", 0)
        lab.apply(pod("after", FULL, "sleep 3600"))
        lab.kubectl("wait", "--for=condition=Ready", "pod/after", "--timeout=30s")
    finally:
        lab.kubectl("delete", "pod", "modest", "greedy", "after", "--now", "--ignore-not-found")


def evicted(lab: Lab, name: str) -> Any:
    status = lab.get("pod", name)["status"]
    return status if (status["phase"], status.get("reason")) == ("Failed", "Evicted") else None


def pod(name: str, node: str, script: str) -> dict[str, Any]:
    main = {"name": "main", "image": "busybox", "imagePullPolicy": "Never", "command": ["sh", "-c", script]}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [main], **on_node(node)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
