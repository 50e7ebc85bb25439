"""`make bench-node`: what a node adds to what its engine does alone. JSON in bench-results/node.json, and a table.

In one run, on a cluster in a network namespace of its own that is gone afterwards: pods from the POST to Running as a watcher
sees it, 1, 4 and 16 at once, beside a pause container and an app started by Docker's API; pods a second; what a node full of
pods costs its kubelet when nothing changes; how long an exec takes and how much of a log is followed in a second. DNS and
Services are measured by their own modules, and told here too.
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

from tests.bench import cluster, dns
from tests.bench.cluster import IMAGE, REPOSITORY, UPSTREAM, Machine

PAUSE = "registry.k8s.io/pause:3.10"
ROUNDS = {1: 6, 4: 3, 16: 1}  # how often that many pods are started at once
FULL = int(os.environ.get("BENCH_PODS", "110"))
IDLE_SECONDS = float(os.environ.get("BENCH_IDLE_SECONDS", "30"))
EXECS = 10
LOG_SECONDS = 60.0
LINE, LINES = "0123456789" * 7, 900_000
LOG_BYTES = (len(LINE) + 1) * LINES
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
    before = cluster.cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    cpu = 100 * (cluster.cpu_seconds(pid) - before) / IDLE_SECONDS
    return {"pods": FULL, "sustained_pods_per_second": len(names) / took, "idle_cpu_percent": cpu, **cluster.memory_mib(pid)}


def main() -> None:
    machine = Machine()
    subprocess.run(["ip", "netns", "add", machine.netns], check=True)
    result: dict[str, Any] = {}
    try:
        machine.local("up", "--no-demo", *machine.own)
        result["starts"] = starts(machine)
        result["exec"] = exec_seconds(machine)
        result["logs"] = log_speed(machine)
        result["full node"] = full_node(machine)
    finally:
        machine.local("purge")
        subprocess.run(["ip", "netns", "del", machine.netns], check=True)
    result["dns"] = dns.measure()
    report(result)


def report(result: dict[str, Any]) -> None:
    directory = REPOSITORY / "bench-results"
    directory.mkdir(exist_ok=True)
    path = directory / "node.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{'':14}{'docker p50':>12}{'p99':>8}{'pod p50':>12}{'p99':>8}{'ratio':>8}{'pods/s':>8}{'docker/s':>10}")
    for name, one in result["starts"].items():
        told = (*one["docker"].values(), *one["pod"].values(), one["ratio_p50"], one["pods_per_second"], one["docker_per_second"])
        print(f"{name:14}" + "".join(f"{value:{width}.2f}" for value, width in zip(told, (12, 8, 12, 8, 8, 8, 10), strict=True)))
    for name in ("exec", "logs", "full node"):
        print(f"{name:14}" + "  ".join(f"{key} {value:.3f}" for key, value in result[name].items()))
    print(f"{'dns':14}{result['dns']}\n\n{path}")


if __name__ == "__main__":
    main()
