"""`make bench`: how long a cluster takes, what a pod costs, what the programs cost when nothing happens.

Prints a table and writes the same as JSON to bench-results/. Everything is measured in one run, beside its floor: a pod's two
containers started with nothing but `docker run`. The cluster lives in a network namespace of its own and is gone afterwards.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.cost import cpu_seconds, memory_mib

REPOSITORY = Path(__file__).parents[2]
PYTHON = sys.executable
IDLE_SECONDS = float(os.environ.get("BENCH_IDLE_SECONDS", "120"))
ONE_BY_ONE, AT_ONCE = 10, 20
POD_SECONDS = 120
PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
IMAGE = "nginx:alpine"
UPSTREAM = str(Path(PYTHON).parent.parent / "upstream" / "bin" / "kubectl")


class Machine:
    """A network namespace with a cluster in it."""

    def __init__(self) -> None:
        self.netns = f"skiff-bench-{os.getpid()}"
        self.state = Path(f"/tmp/{self.netns}")
        self.own = ("--docker-socket", f"{self.state}/run/docker.sock", "--cgroup-root", f"/{self.netns}")
        self.environment = {
            **os.environ,
            "KUBECONFIG": str(self.state / "kubeconfig" / "admin.conf"),
            "DOCKER_HOST": f"unix://{self.state}/run/docker.sock",
        }

    def command(self, *words: str) -> list[str]:
        return ["nsenter", f"--net=/run/netns/{self.netns}", *words]

    def run(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(
            self.command(*words), env=self.environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=300
        )
        if check and done.returncode != 0:
            raise SystemExit(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def local(self, verb: str, *more: str) -> str:
        return self.run(PYTHON, "-m", "deploy.local", verb, "--state", str(self.state), *more)

    def kubectl(self, *words: str) -> str:
        return self.run(UPSTREAM, *words)

    def pids(self) -> dict[str, int]:
        control = str(Path(PYTHON).with_name("supervisorctl"))
        config = str(self.state / "supervisord.conf")
        return {name: int(self.run(control, "-c", config, "pid", name)) for name in (*PROGRAMS, "etcd")}


def bring_up(machine: Machine) -> dict[str, float]:
    """Seconds from the command to the node being Ready and to the first page, with everything installed."""
    started = time.monotonic()
    process = subprocess.Popen(
        machine.command(
            PYTHON, "-m", "deploy.local", "up", "--state", str(machine.state), *machine.own,
        ),
        env=machine.environment, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    found: dict[str, float] = {}
    assert process.stdout is not None
    for line in process.stdout:
        for words, name in (("node ready", "ready_s"), ("page fetched", "page_s")):
            if words in line:
                found[name] = time.monotonic() - started
    if process.wait() != 0 or len(found) < 2:
        raise SystemExit("the cluster does not come up")
    return found


def pod_tree(name: str) -> dict[str, Any]:
    container = {"name": "c", "image": IMAGE, "imagePullPolicy": "IfNotPresent"}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"bench": "pod"}}, "spec": spec}


class Watcher:
    """When each pod was first seen Running, by a `kubectl get --watch` that is there before the pods are."""

    def __init__(self, machine: Machine) -> None:
        self.running: dict[str, float] = {}
        form = 'jsonpath={.metadata.name} {.status.phase}{"\\n"}'
        self._process = subprocess.Popen(
            machine.command(UPSTREAM, "get", "pods", "-l", "bench=pod", "--watch", "-o", form),
            env=machine.environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            name, _, phase = line.strip().partition(" ")
            if phase == "Running":
                self.running.setdefault(name, time.monotonic())

    def wait(self, names: list[str]) -> None:
        wait_for(lambda: all(name in self.running for name in names), POD_SECONDS, "pods do not run")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def wait_for(done: Callable[[], bool], seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(otherwise)
        time.sleep(0.005)


def pod_starts(machine: Machine, count: int, *, at_once: bool) -> list[float]:
    """Seconds from the POST to Running as a watcher sees it."""
    watcher = Watcher(machine)
    posted: dict[str, float] = {}
    names = [f"bench-{'many' if at_once else 'one'}-{number}" for number in range(count)]
    proxy = Poster(machine)
    try:
        for batch in [names] if at_once else [[name] for name in names]:
            for name in batch:
                posted[name] = time.monotonic()
                proxy.post(pod_tree(name))
            watcher.wait(batch)
    finally:
        watcher.close()
        proxy.close()
    machine.kubectl("delete", "pods", "-l", "bench=pod", "--grace-period=1")
    return [watcher.running[name] - posted[name] for name in names]


class Poster:
    """POSTs from inside the namespace: a child process that keeps one connection and takes a pod a line."""

    def __init__(self, machine: Machine) -> None:
        self._process = subprocess.Popen(
            machine.command(PYTHON, "-m", "tests.bench.poster", machine.environment["KUBECONFIG"]),
            env=machine.environment, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self._process.stdout.readline()  # connected

    def post(self, tree: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(tree) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


def docker_starts(machine: Machine, count: int) -> list[float]:
    """The floor: a pause container and one that joins its namespaces, by the docker command line."""
    pause, seconds = "registry.k8s.io/pause:3.10", []
    for number in range(count):
        names = (f"bench-pause-{number}", f"bench-app-{number}")
        started = time.monotonic()
        machine.run("docker", "run", "-d", "--name", names[0], "--network", "none", pause)
        machine.run("docker", "run", "-d", "--name", names[1], "--network", f"container:{names[0]}", IMAGE)
        seconds.append(time.monotonic() - started)
        machine.run("docker", "rm", "-f", *names)
    return seconds


def docker_at_once(machine: Machine, count: int) -> list[float]:
    """The same for many at once: seconds from the common start until each pair runs."""
    seconds: list[float] = []
    started = time.monotonic()

    def one(number: int) -> None:
        names = (f"bench-pause-{number}", f"bench-app-{number}")
        machine.run("docker", "run", "-d", "--name", names[0], "--network", "none", "registry.k8s.io/pause:3.10")
        machine.run("docker", "run", "-d", "--name", names[1], "--network", f"container:{names[0]}", IMAGE)
        seconds.append(time.monotonic() - started)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(count):
        machine.run("docker", "rm", "-f", f"bench-pause-{number}", f"bench-app-{number}")
    return seconds


def idle(machine: Machine) -> dict[str, dict[str, float]]:
    """CPU per cent of one core over the idle time, and memory at its end, of each program."""
    pids = machine.pids()
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    time.sleep(IDLE_SECONDS)
    return {
        name: {"cpu_percent": 100 * (cpu_seconds(pid) - before[name]) / IDLE_SECONDS, **memory_mib(pid)}
        for name, pid in pids.items()
    }


def percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {"p50_s": statistics.median(ordered), "p99_s": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]}


def main() -> None:
    machine = Machine()
    subprocess.run(["ip", "netns", "add", machine.netns], check=True)
    result: dict[str, Any] = {}
    try:
        machine.local("up", "--no-demo", *machine.own)  # everything installed, certificates made
        machine.local("down")
        result["bring_up"] = bring_up(machine)
        result["pod_one_by_one"] = percentiles(pod_starts(machine, ONE_BY_ONE, at_once=False))
        result["docker_one_by_one"] = percentiles(docker_starts(machine, ONE_BY_ONE))
        result["pod_20_at_once"] = percentiles(pod_starts(machine, AT_ONCE, at_once=True))
        result["docker_20_at_once"] = percentiles(docker_at_once(machine, AT_ONCE))
        for how in ("one_by_one", "20_at_once"):
            pod, docker = result[f"pod_{how}"], result[f"docker_{how}"]
            result[f"ratio_{how}"] = {key: pod[key] / docker[key] for key in pod}
        result["idle"] = idle(machine)
    finally:
        machine.local("purge")
        subprocess.run(["ip", "netns", "del", machine.netns], check=True)
    report(result)


def report(result: dict[str, Any]) -> None:
    directory = REPOSITORY / "bench-results"
    directory.mkdir(exist_ok=True)
    path = directory / "cluster.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    for name, values in result.items():
        if name != "idle":
            print(f"{name:<20}" + "".join(f"{key} {value:8.2f}   " for key, value in values.items()))
    print(f"\nidle over {IDLE_SECONDS:.0f} s     CPU %    RSS MiB    PSS MiB")
    ours = {name: values for name, values in result["idle"].items() if name in PROGRAMS}
    for name, values in result["idle"].items():
        print(f"{name:<26}{values['cpu_percent']:6.2f}{values['rss_mib']:11.1f}{values['pss_mib']:11.1f}")
    total = [sum(values[key] for values in ours.values()) for key in ("cpu_percent", "rss_mib", "pss_mib")]
    print(f"{'our five together':<26}{total[0]:6.2f}{total[1]:11.1f}{total[2]:11.1f}\n\n{path}")


if __name__ == "__main__":
    main()
