"""The kubelet as a process, with Docker and a network of its own, and static pods: no API server is needed to run them."""

import contextlib
import gzip
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

from kubelet.cri_log import rotated
from kubelet.volumes.mounts import mounted_below
from tests.node.conftest import Engine
from tests.wait import eventually_sync

pytestmark = pytest.mark.timeout(240)

WITHIN = 60.0  # seconds
NETWORK = "ip -o link | cut -d' ' -f2; ip -o addr; ip route; ip rule; nft -s list ruleset; iptables-save -t filter | grep ^-; true"
MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {name: pod}
spec:
  terminationGracePeriodSeconds: 1
  initContainers:
  - name: first
    image: busybox
    imagePullPolicy: Never
    command: [sh, -c, "echo written > /data/file"]
    volumeMounts: [{name: data, mountPath: /data}]
  containers:
  - name: main
    image: busybox
    imagePullPolicy: Never
    command: [sh, -c, "cat /data/file /single /etc/hostname; exec sleep 1000"]
    resources: {limits: {memory: 32Mi}}
    volumeMounts: [{name: data, mountPath: /data}, {name: data, mountPath: /single, subPath: file}, {name: memory, mountPath: /m}]
  volumes: [{name: data, emptyDir: {}}, {name: memory, emptyDir: {medium: Memory}}]
"""


def plain(name: str) -> dict[str, Any]:
    container = {"name": "main", "image": "busybox", "imagePullPolicy": "Never", "command": ["sleep", "1000"]}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


class Node:
    """A kubelet process that can be killed and started again."""

    def __init__(self, engine: Engine, directory: Path, **flags: object) -> None:
        self._engine = engine
        self._more = flags
        self.root, self.manifests = directory / "root", directory / "manifests"
        self.manifests.mkdir()
        self._log = (directory / "kubelet.log").open("ab")
        self.docker = docker.APIClient(base_url=engine.endpoint, version="auto")
        self.start()

    def start(self) -> None:
        argv = [sys.executable, "-m", "kubelet", *self.flags()]
        self.process = subprocess.Popen(self._engine.inside(*argv), stdout=self._log, stderr=self._log)

    def flags(self) -> list[str]:
        flags = {
            "hostname-override": "node",
            "node-ip": "127.0.0.1",
            "root-dir": self.root,
            "log-dir": self.root / "logs",
            "pod-manifest-path": self.manifests,
            "container-runtime-endpoint": self._engine.endpoint,
            "cluster-cidr": "10.244.0.0/16",
            "pod-cidr": "10.244.3.0/24",
            "cgroup-root": "/skiff-test",
            "container-log-max-size": "400Ki",
            "port": _free_port(),
            "healthz-port": 0,
            **self._more,
        }
        return [f"--{name}={value}" for name, value in flags.items()]

    @property
    def cleanup(self) -> list[str]:
        return [sys.executable, "-m", "kubelet", "--cleanup", *self.flags()]

    def run(self, *argv: str) -> str:
        """A command's output, in the node's network."""
        return subprocess.run(self._engine.inside(*argv), capture_output=True, text=True, check=True).stdout

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def containers(self) -> dict[str, dict[str, Any]]:
        """By container name, running or not; the pause container is POD."""
        found: dict[str, dict[str, Any]] = {}
        for row in reversed(self.docker.containers(all=True)):  # the newest last: of two attempts it counts
            with contextlib.suppress(docker.errors.NotFound):  # removed since it was listed
                found[row["Labels"]["io.kubernetes.container.name"]] = self.docker.inspect_container(row["Id"])
        return found

    def log(self) -> str:
        """What the kubelet said so far."""
        return Path(self._log.name).read_text()

    def runs(self, name: str) -> bool:
        return bool(self.containers().get(name, {}).get("State", {}).get("Running"))

    def close(self) -> None:
        self.kill()
        self.docker.close()
        self._log.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def node(docker_engine: Engine, tmp_path: Path) -> Iterator[Node]:
    with running(Node(docker_engine, tmp_path)) as node:
        yield node


@contextlib.contextmanager
def serving(engine: Engine, directory: Path, port: int) -> Iterator[None]:
    """The directory over HTTP, beside the engine."""
    argv = engine.inside(sys.executable, "-m", "http.server", "--bind=127.0.0.1", f"--directory={directory}", str(port))
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            yield
        finally:
            server.terminate()


@contextlib.contextmanager
def running(node: Node) -> Iterator[Node]:
    """A node that is ended with all of its pods."""
    yield node
    for path in node.manifests.iterdir():
        path.unlink()
    try:
        eventually_sync(lambda: not node.containers(), WITHIN, "no containers left")
    finally:
        node.close()


@pytest.mark.root
def test_a_static_pod_runs_survives_the_kubelet_and_leaves_nothing_behind(node: Node) -> None:
    """Its subPath, too, is there again after a restart.

    Rule: https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/, behaviour E.5.57"""
    manifest = node.manifests / "pod.yaml"
    manifest.write_text(MANIFEST)
    eventually_sync(lambda: node.runs("main"), WITHIN, "the container running")
    log = eventually_sync(lambda: node.docker.logs(node.containers()["main"]["Id"]), WITHIN, "its output")
    assert log == b"written\nwritten\npod-node\n"
    before = {name: (one["Id"], one["State"]["StartedAt"]) for name, one in node.containers().items()}

    node.kill()
    node.start()
    manifest.touch()
    assert {name: (one["Id"], one["State"]["StartedAt"]) for name, one in node.containers().items()} == before

    node.docker.kill(before["main"][0])
    eventually_sync(lambda: node.runs("main") and node.containers()["main"]["Id"] != before["main"][0], WITHIN, "a new attempt")
    assert eventually_sync(lambda: node.docker.logs(node.containers()["main"]["Id"]), WITHIN, "its output") == log
    uid = node.containers()["main"]["Config"]["Labels"]["io.kubernetes.pod.uid"]
    assert (node.root / "pods" / uid).is_dir()

    manifest.unlink()
    eventually_sync(lambda: not node.containers(), WITHIN, "the containers gone")
    eventually_sync(lambda: not (node.root / "pods" / uid).exists(), WITHIN, "the pod's directory gone")
    assert mounted_below(node.root) == []
    assert not list(Path("/sys/fs/cgroup").glob(f"**/skiff-test/**/pod{uid}"))


@pytest.mark.root
def test_static_pods_are_those_that_a_url_says_as_long_as_it_answers(docker_engine: Engine, tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/#pods-created-via-http · behaviour E.5.62"""
    site, port = tmp_path / "site", _free_port()
    site.mkdir()
    manifest = site / "pods.yaml"
    manifest.write_text(yaml.safe_dump(plain("pod")))
    flags = {"manifest-url": f"http://127.0.0.1:{port}/pods.yaml", "http-check-frequency": "500ms"}
    with serving(docker_engine, site, port), running(Node(docker_engine, tmp_path, **flags)) as node:
        eventually_sync(lambda: node.runs("main"), WITHIN, "the pod of the URL")
        first = node.containers()["main"]
        assert first["Config"]["Labels"]["io.kubernetes.pod.name"] == "pod-node"

        manifest.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "PodList", "items": [plain("other")]}))
        eventually_sync(lambda: node.runs("main") and node.containers()["main"]["Id"] != first["Id"], WITHIN, "another pod instead")
        second = node.containers()["main"]
        assert second["Config"]["Labels"]["io.kubernetes.pod.name"] == "other-node"

        manifest.unlink()
        complaints = node.log().count(manifest.name)
        node.kill()
        node.start()
        eventually_sync(lambda: node.log().count(manifest.name) > complaints, WITHIN, "the kubelet told that there is no answer")
        assert node.containers()["main"]["Id"] == second["Id"]
        manifest.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "PodList", "items": []}))
        eventually_sync(lambda: not node.containers(), WITHIN, "no pod any more")


@pytest.mark.root
def test_a_log_is_written_for_collectors_across_rotations_and_kubelets_without_a_gap_or_a_repeat(node: Node) -> None:
    """Rule: https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-rotation · behaviour E.5.61"""
    lines = 20_000
    counting = f"i=0; while [ $i -lt {lines} ]; do echo line $i; i=$((i+1)); done; exec sleep 1000"
    manifest = node.manifests / "pod.yaml"
    manifest.write_text(MANIFEST.replace("cat /data/file /single /etc/hostname; exec sleep 1000", counting))
    directory = node.root / "logs"
    eventually_sync(lambda: list(directory.glob("*/main/0.log")), WITHIN, "its log file")
    node.kill()
    node.start()
    path = next(directory.glob("*/main/0.log"))

    def written() -> list[bytes]:
        found = [gzip.decompress(one.read_bytes()) if one.suffix == ".gz" else one.read_bytes() for one in (*rotated(path), path)]
        return b"".join(found).splitlines()

    last = f" stdout F line {lines - 1}".encode()
    eventually_sync(lambda: path.read_bytes().endswith(last + b"\n") or last in b"".join(written()), WITHIN, "its last line")
    assert [line.partition(b" ")[2] for line in written()] == [f"stdout F line {number}".encode() for number in range(lines)]
    assert rotated(path)
    links = list((node.root / "containers").glob("pod-node_default_main-*.log"))
    assert [link.resolve() for link in links] == [path.resolve()]

    manifest.unlink()
    eventually_sync(lambda: not list(directory.iterdir()) and not links[0].is_symlink(), WITHIN, "the files gone with their pod")


@pytest.mark.root
def test_a_container_beyond_its_memory_is_killed_and_told_so(node: Node) -> None:
    """Rule: https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/"""
    greedy = MANIFEST.replace("cat /data/file /single /etc/hostname; exec sleep 1000", "tail /dev/zero")
    (node.manifests / "pod.yaml").write_text(greedy)
    eventually_sync(
        lambda: node.containers().get("main", {}).get("State", {}).get("OOMKilled"), WITHIN, "an end for lack of memory"
    )


@pytest.mark.root
def test_cleanup_leaves_links_rules_mounts_cgroups_and_files_as_they_were(node: Node) -> None:
    """Rule: `kubelet --cleanup`: what was before the first pod is there after the last"""

    def host() -> dict[str, object]:
        top = Path("/sys/fs/cgroup")
        return {
            "network": node.run("sh", "-c", NETWORK),
            "mounts": mounted_below(node.root),
            "cgroups": sorted(str(one) for one in top.glob("*/skiff-test*")),
            "files": sorted(str(one.relative_to(node.root)) for one in node.root.rglob("*")),
        }

    node.kill()
    node.run(*node.cleanup)
    before = host()
    node.start()
    (node.manifests / "pod.yaml").write_text(MANIFEST)
    eventually_sync(lambda: node.runs("main") and list(node.root.glob("logs/*/main/0.log")), WITHIN, "the container, and its log")
    assert host() != before
    node.kill()
    (node.manifests / "pod.yaml").unlink()
    for record in node.containers().values():
        node.docker.remove_container(record["Id"], force=True)
    node.run(*node.cleanup)
    assert host() == before
