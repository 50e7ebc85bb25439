"""`make bench-node`: what a node adds to what its engine does alone. JSON in bench-results/node.json, and a table.

In one run, on a cluster in a network namespace of its own that is gone afterwards: pods from the POST to Running as a watcher
sees it, 1, 4 and 16 at once, beside a pause container and an app started by Docker's API; pods a second; what a node full of
pods costs its kubelet when nothing changes; how long an exec takes, how much of a log is followed in a second, and what a pod
that writes 10 MB/s costs. The pod network, DNS and Services are measured by their own modules; the aims stand in node_aims.py.
"""

import json
import os
import statistics
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker

from tests.bench import cluster, dns, node_aims, pod_network, services
from tests.bench.cluster import IMAGE, REPOSITORY, UPSTREAM, Machine
from tests.bench.cost import cpu_seconds, memory_mib

PAUSE = "registry.k8s.io/pause:3.10"
ROUNDS = {1: 6, 4: 3, 16: 1}  # how often that many pods are started at once
FULL = int(os.environ.get("BENCH_PODS", "110"))
IDLE_SECONDS = float(os.environ.get("BENCH_IDLE_SECONDS", "30"))
EXECS = 10
REACHED = 15
FLOOD_SECONDS = 20.0
LOG_SECONDS = 60.0
LINE, LINES = "0123456789" * 7, 900_000
LOG_BYTES = (len(LINE) + 1) * LINES
FLOOD = f"i=0; while :; do yes {LINE} | head -c 1000000; i=$((i+1)); echo $i > /tmp/rounds; usleep 85000; done"
LOGGER = f"yes {LINE} | head -n {LINES}; sleep 3600"


def pod_starts(machine: Machine, at_once: int) -> list[float]:
    seconds = []
    for _ in range(ROUNDS[at_once]):
        seconds += cluster.pod_starts(machine, at_once, at_once=True)
        cluster.wait_for(lambda: not machine.kubectl("get", "pods", "-l", "bench=pod", "-o", "name"), 60, "pods do not go")
    return seconds


def docker_starts(machine: Machine, at_once: int) -> list[float]:
    """The floor: the engine's API alone, through the same client as the kubelet's, with connections that are open already."""
    seconds: list[float] = []
    made: list[str] = []
    clients = [docker.APIClient(base_url=machine.environment["DOCKER_HOST"], version="auto") for _ in range(at_once)]

    def one(client: docker.APIClient, started: float) -> None:
        host = client.create_host_config(network_mode="none", ipc_mode="shareable")
        pause = client.create_container(PAUSE, host_config=host)["Id"]
        client.start(pause)
        host = client.create_host_config(network_mode=f"container:{pause}", ipc_mode=f"container:{pause}")
        app = client.create_container(IMAGE, host_config=host)["Id"]
        client.start(app)
        seconds.append(time.monotonic() - started)
        made.extend((app, pause))

    for _ in range(ROUNDS[at_once]):
        with ThreadPoolExecutor(at_once) as pool:
            started = time.monotonic()
            for done in [pool.submit(one, client, started) for client in clients]:
                done.result()
        while made:
            clients[0].remove_container(made.pop(0), force=True)
    for client in clients:
        client.close()
    return seconds


def starts(machine: Machine) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for at_once in ROUNDS:
        floor, pods = docker_starts(machine, at_once), pod_starts(machine, at_once)
        found[f"{at_once} at once"] = {
            "docker": cluster.percentiles(floor),
            "pod": cluster.percentiles(pods),
            "ratio_p50": statistics.median(pods) / statistics.median(floor),
            "pods_per_second": at_once / max(pods[-at_once:]),
            "docker_per_second": at_once / max(floor[-at_once:]),
        }
    return found


def exec_seconds(machine: Machine) -> dict[str, float]:
    """A whole kubectl process that runs `true`, and the part of it that is not exec: one that gets the pod."""
    machine.kubectl("run", "target", f"--image={IMAGE}", "--image-pull-policy=IfNotPresent")
    machine.kubectl("wait", "--for=condition=Ready", "pod/target", "--timeout=60s")

    def median(*words: str) -> float:
        taken = []
        for _ in range(EXECS):
            started = time.monotonic()
            machine.kubectl(*words)
            taken.append(time.monotonic() - started)
        return statistics.median(taken)

    return {"kubectl_exec_s": median("exec", "target", "--", "true"), "kubectl_get_s": median("get", "pod", "target")}


def log_speed(machine: Machine) -> dict[str, float]:
    """A pod that writes as fast as it can, followed from its beginning."""
    override = {"spec": {"containers": [{"name": "logger", "image": IMAGE, "command": ["sh", "-c", LOGGER]}]}}
    machine.kubectl("run", "logger", f"--image={IMAGE}", "--image-pull-policy=IfNotPresent", "--overrides", json.dumps(override))
    machine.kubectl("wait", "--for=condition=Ready", "pod/logger", "--timeout=60s")
    follower = subprocess.Popen(machine.command(UPSTREAM, "logs", "-f", "logger"), env=machine.environment, stdout=subprocess.PIPE)
    assert follower.stdout is not None
    timer = threading.Timer(LOG_SECONDS, follower.terminate)
    timer.start()
    started, last, received = time.monotonic(), time.monotonic(), 0
    while received < LOG_BYTES and (block := os.read(follower.stdout.fileno(), 1 << 20)):
        received += len(block)
        last = time.monotonic()
    timer.cancel()
    follower.terminate()
    follower.wait()
    return {"mb_per_s": received / 1e6 / max(last - started, 1e-9), "received_share": received / LOG_BYTES}


def full_node(machine: Machine) -> dict[str, float]:
    """The kubelet of a node with as many pods as it takes, when nothing changes."""
    there = len(machine.kubectl("get", "pods", "-A", "-o", "name").split())
    poster, watcher = cluster.Poster(machine), cluster.Watcher(machine)
    names = [f"full-{number}" for number in range(FULL - there)]
    started = time.monotonic()
    for name in names:
        poster.post(cluster.pod_tree(name))
    watcher.wait(names)
    took = time.monotonic() - started
    poster.close()
    watcher.close()
    pid = machine.pids()["kubelet"]
    time.sleep(10)  # statuses and events of the starts are sent
    before = cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    cpu = 100 * (cpu_seconds(pid) - before) / IDLE_SECONDS
    return {"pods": FULL, "sustained_pods_per_second": len(names) / took, "idle_cpu_percent": cpu, **memory_mib(pid)}


def reachable(machine: Machine) -> dict[str, float]:
    """From a pod being Ready, as a watcher sees it, to a connection through its Service; 0 where that came first."""
    form = 'jsonpath={.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}'
    words = machine.command(UPSTREAM, "get", "pods", "-l", "bench=pod", "--watch", "-o", form)
    ready: dict[str, float] = {}
    watch = subprocess.Popen(words, env=machine.environment, stdout=subprocess.PIPE, text=True)

    def read() -> None:
        assert watch.stdout is not None
        for line in watch.stdout:
            name, _, state = line.strip().partition(" ")
            if state == "True":
                ready.setdefault(name, time.monotonic())

    reader = threading.Thread(target=read)
    reader.start()
    poster, seconds = cluster.Poster(machine), []
    for number in range(REACHED):
        name = f"reach-{number}"
        machine.kubectl("create", "service", "clusterip", name, "--tcp=80:80")
        address = machine.kubectl("get", "service", name, "-o", "jsonpath={.spec.clusterIP}")
        asking = machine.command(cluster.PYTHON, "-m", "tests.bench.reach", address, "80")
        asker = subprocess.Popen(asking, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        tree = cluster.pod_tree(name)
        tree["metadata"]["labels"]["app"] = name
        poster.post(tree)
        connected = float(asker.communicate(timeout=90)[0])
        cluster.wait_for(lambda name=name: name in ready, 60, "the pod is not Ready")  # type: ignore[misc]
        seconds.append(max(0.0, connected - ready[name]))
    poster.close()
    watch.terminate()
    reader.join()
    watch.wait()
    machine.kubectl("delete", "pods", "-l", "bench=pod", "--grace-period=1")
    return cluster.percentiles(seconds)


def flood(machine: Machine) -> dict[str, float]:
    """A pod that writes 10 MB/s (as near as its sleeps allow): what its kubelet takes, and what is on disk in the end."""
    container = {"name": "flood", "image": IMAGE, "command": ["sh", "-c", FLOOD]}
    override = {"spec": {"containers": [container], "terminationGracePeriodSeconds": 1}}
    machine.kubectl("run", "flood", f"--image={IMAGE}", "--image-pull-policy=IfNotPresent", "--overrides", json.dumps(override))
    machine.kubectl("wait", "--for=condition=Ready", "pod/flood", "--timeout=60s")
    pid = machine.pids()["kubelet"]
    time.sleep(5)
    rounds, cpu, began = _rounds(machine), cpu_seconds(pid), time.monotonic()
    time.sleep(FLOOD_SECONDS)
    rounds, cpu, took = _rounds(machine) - rounds, cpu_seconds(pid) - cpu, time.monotonic() - began
    paths = [*(machine.state / "logs" / "pods").glob("*_flood_*/*/*"), *machine.state.glob("docker/containers/*/*-json.log*")]
    size = sum(one.stat().st_size for one in paths if one.is_file()) / 1e6
    found = {"mb_per_s": rounds / took, "kubelet_cpu_percent": 100 * cpu / took, "on_disk_mb": size, **memory_mib(pid)}
    machine.kubectl("delete", "pod", "flood", "--grace-period=1")
    return found


def _rounds(machine: Machine) -> int:
    return int(machine.kubectl("exec", "flood", "--", "cat", "/tmp/rounds").split()[-1])


def main() -> None:
    result: dict[str, Any] = {"pod network": pod_network.measure()}
    machine = Machine()
    subprocess.run(["ip", "netns", "add", machine.netns], check=True)
    try:
        machine.local("up", "--no-demo", *machine.own)
        result["starts"] = starts(machine)
        result["reachable"] = reachable(machine)
        result["exec"] = exec_seconds(machine)
        result["logs"] = log_speed(machine)
        result["flood"] = flood(machine)
        result["full node"] = full_node(machine)
    finally:
        machine.local("purge")
        subprocess.run(["ip", "netns", "del", machine.netns], check=True)
    result["dns"] = dns.measure()
    result["services"] = services.measure()
    path = REPOSITORY / "bench-results" / "node.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")
    print("\n".join(node_aims.table(result)), f"\n\n{path}")


if __name__ == "__main__":
    main()
