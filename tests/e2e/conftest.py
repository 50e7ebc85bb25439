"""A whole cluster for the e2e tests: every program a process, brought up by `deploy.local` as `make up` does.

It lives in a network namespace of its own, so it meets neither a cluster that runs on this machine nor the network outside.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import yaml

from tests.terminal import Terminal, on_a_terminal
from tests.wait import eventually_sync

REPOSITORY = Path(__file__).parents[2]
UPSTREAM = REPOSITORY / ".venv" / "upstream" / "bin" / "kubectl"
OURS = Path(sys.executable).with_name("kubectl")
MANIFESTS = Path(__file__).parent / "manifests"
UP_SECONDS, DOWN_SECONDS = 180, 90
FETCH = """#!{python}
# fetch [-I] URL: the page, or its status and headers. Errors as curl would word them, exit 1.
import http.client, sys, urllib.parse
url = urllib.parse.urlsplit(sys.argv[-1])
try:
    connection = http.client.HTTPConnection(url.netloc, timeout=3)
    connection.request("GET", url.path or "/")
    answer = connection.getresponse()
    print(f"{{answer.status}}\\n{{answer.headers}}" if sys.argv[1] == "-I" else answer.read().decode(), end="")
except OSError as error:
    sys.exit(str(error))
"""


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Cluster:
    """A running cluster, and a shell on its machine."""

    netns: str
    state: Path
    kubectl: Path = UPSTREAM
    namespace: str = "default"
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig" / "admin.conf"

    def run(self, line: str, *, within: float = 60, stdin: str = "") -> Done:
        """Type a line into a shell inside the cluster's machine, with `kubectl` being the one under test."""
        command = ["nsenter", f"--net=/run/netns/{self.netns}", "bash", "-c", line]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=within, cwd=MANIFESTS, env=self._environment(), input=stdin
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def ok(self, line: str, *, within: float = 60, stdin: str = "") -> str:
        """The output of a line that must succeed."""
        done = self.run(line, within=within, stdin=stdin)
        assert done.code == 0, f"$ {line}\nexit {done.code}\n{done.out}{done.err}"
        return done.out

    def fails(self, line: str, *, code: int = 1) -> str:
        """The standard error of a line that must fail."""
        done = self.run(line)
        assert done.code == code, f"$ {line}\nexit {done.code}\n{done.out}{done.err}"
        return done.err

    def until(self, line: str, expected: str, *, within: float = 30) -> str:
        """Repeat a line until its output holds the expected text."""

        def look() -> str:
            done = self.run(line)
            assert expected in done.out, f"$ {line}\n{done.out}{done.err}"
            return done.out or " "

        return eventually_sync(look, within, line)

    def start(self, line: str) -> "subprocess.Popen[str]":
        """A line that goes on; the caller ends it."""
        command = ["nsenter", f"--net=/run/netns/{self.netns}", "bash", "-c", f"exec {line}"]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=MANIFESTS, env=self._environment()
        )

    def terminal(self, line: str) -> AbstractContextManager[Terminal]:
        """A line that runs on a terminal."""
        command = ["nsenter", f"--net=/run/netns/{self.netns}", "bash", "-c", f"exec {line}"]
        return on_a_terminal(command, self._environment(), MANIFESTS)

    def control(self, words: str) -> str:
        """The line that asks the cluster's supervisor."""
        return f"{Path(sys.executable).with_name('supervisorctl')} -c {self.state}/supervisord.conf {words}"

    def pid(self, program: str) -> int:
        """The process id of one of the cluster's programs, as the supervisor knows it; 0: not running."""
        return int(self.ok(self.control(f"pid {program}")).strip())

    def _environment(self) -> dict[str, str]:
        tools = tools_of(self.state, self.kubectl)
        return {
            **os.environ,
            "PATH": f"{tools}:{tools.parent}:/usr/local/sbin:/usr/sbin:/sbin:{os.environ.get('PATH', '')}",
            "KUBECONFIG": str(self.environment.get("KUBECONFIG", self.kubeconfig)),
            "DOCKER_HOST": f"unix://{self.state}/run/docker.sock",
            **self.environment,
        }


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Up before the first test that asks for it, purged after the last."""
    if os.geteuid() != 0:
        pytest.fail("e2e tests need root: they make network namespaces and containers", pytrace=False)
    state = Path(f"/tmp/skiff-e2e-{os.getpid()}")  # short: Unix sockets' paths are limited to 108 bytes
    netns = f"skiff-e2e-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", netns], check=True)
    made = Cluster(netns, state)
    try:
        add_tools(state)
        done = made.run(local(made, "up"), within=UP_SECONDS)
        print(done.out)
        if done.code != 0:
            pytest.fail(f"the cluster does not come up:\n{done.out}{done.err}\n{_last_words(state)}", pytrace=False)
        yield made
    finally:
        gone = made.run(local(made, "purge"), within=DOWN_SECONDS)
        subprocess.run(["ip", "netns", "del", netns], check=True)
        shutil.rmtree(state, ignore_errors=True)
    assert gone.code == 0, gone.out + gone.err


def add_tools(state: Path) -> None:
    """What a shell finds beside the system's programs: a kubectl of either kind, and `fetch`."""
    for kubectl in (UPSTREAM, OURS):
        directory = tools_of(state, kubectl)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "kubectl").unlink(missing_ok=True)
        (directory / "kubectl").symlink_to(kubectl)
    (state / "tools" / "fetch").write_text(FETCH.format(python=sys.executable))
    (state / "tools" / "fetch").chmod(0o755)


def tools_of(state: Path, kubectl: Path) -> Path:
    """A directory in which `kubectl` is this one."""
    return state / "tools" / ("upstream" if kubectl == UPSTREAM else "ours")


def local(cluster: Cluster, command: str) -> str:
    """The line that `make up` or `make purge` would run, for this cluster."""
    extra = f"--docker-socket {cluster.state}/run/docker.sock --cgroup-root /{cluster.netns}" if command == "up" else ""
    return f"cd {REPOSITORY} && {sys.executable} -m deploy.local {command} --state {cluster.state} {extra}"


@pytest.fixture(params=["upstream", "ours"])
def shell(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Cluster]:
    """A shell in a namespace of the test's own, once with upstream's kubectl and once with ours."""
    kubectl = UPSTREAM if request.param == "upstream" else OURS
    name = request.node.originalname.removeprefix("test_").replace("_", "-")[:40].strip("-") + f"-{request.param}"
    with in_a_namespace(replace(cluster, kubectl=kubectl), name) as shell:
        yield shell


@contextmanager
def in_a_namespace(cluster: Cluster, name: str) -> Iterator[Cluster]:
    """A shell whose kubectl is in a namespace that is there for as long."""
    cluster.ok(f"{UPSTREAM} create namespace {name}")
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = name
    path = cluster.state / f"{name}.conf"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config))
    try:
        yield replace(cluster, namespace=name, environment={"KUBECONFIG": str(path)})
    finally:
        cluster.ok(f"{UPSTREAM} delete namespace {name} --wait=false")
        path.unlink()


def _last_words(state: Path) -> str:
    found = []
    for log in sorted((state / "logs").glob("*.log")):
        found.append(f"==> {log.name} <==\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:]))
    return "\n".join(found)
