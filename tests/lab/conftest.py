"""A lab of four hosts for these tests, each with a disk of its own: made before the first of them, removed after the last.

`SKIFF_LAB=<state directory>` in the environment: use a lab that is up, and leave it so.
"""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from deploy.cluster import Cluster
from deploy.lab import power
from deploy.lab.plan import Lab as Plan
from deploy.programs import entering
from tests.e2e.conftest import OURS, UPSTREAM, add_tools, in_a_namespace
from tests.e2e.conftest import Cluster as Shell
from tests.lab import told
from tests.traces import left_behind, of_machine, of_network
from tests.wait import eventually_sync

UP_SECONDS, DOWN_SECONDS = 420, 90
# A small disk, upstream's way to say when it is full, and a node that tells soon after that it is not any more.
HOSTS = (
    "--nodes=4", "--disk=2G", "--flag=kubelet:eviction-hard=memory.available<100Mi,nodefs.available<10%,imagefs.available<10%",
    "--flag=kubelet:eviction-pressure-transition-period=10s",
)  # fmt: skip
KUBECTL = Path(__file__).parents[2] / ".venv" / "upstream" / "bin" / "kubectl"


@dataclass(frozen=True)
class Lab:
    """A shell beside the lab (its kubectl goes through the door) and one on each of its hosts."""

    state: Path

    def lab(self, *words: str, within: float = 60) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "deploy.lab", words[0], "--state", str(self.state), *words[1:]]
        return subprocess.run(command, capture_output=True, text=True, timeout=within, check=False)

    def on(self, node: str, *command: str, within: float = 30) -> "subprocess.CompletedProcess[str]":
        """What `lab exec` does, without the second it takes Python to begin."""
        one, words = self.environment(node), self.entering(node)
        return subprocess.run([*words, *command], env=one, capture_output=True, text=True, timeout=within, check=False)

    @property
    def plan(self) -> Plan:
        plan = Plan.known(self.state)
        assert plan is not None
        return plan

    def host(self, node: str) -> Cluster:
        found = self.plan.host(node)
        assert found is not None
        return found

    def entering(self, node: str) -> list[str]:
        return entering(self.host(node))

    def environment(self, node: str) -> dict[str, str]:
        return {**os.environ, **power.environment(self.host(node))}

    def kubectl(self, *words: str, within: float = 60) -> str:
        environment = {**os.environ, "KUBECONFIG": str(self.state / "admin.conf")}
        done = subprocess.run([KUBECTL, *words], capture_output=True, text=True, timeout=within, env=environment, check=False)
        assert done.returncode == 0, f"$ kubectl {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def create(self, *manifests: dict[str, Any]) -> None:
        self.apply(*manifests, verb="create")

    def apply(self, *manifests: dict[str, Any], verb: str = "apply") -> None:
        """Make them, or bring them into line."""
        environment = {**os.environ, "KUBECONFIG": str(self.state / "admin.conf")}
        tree = {"apiVersion": "v1", "kind": "List", "items": manifests}
        command = [str(KUBECTL), verb, "-f", "-"]
        done = subprocess.run(command, input=json.dumps(tree), capture_output=True, text=True, timeout=60, env=environment)
        assert done.returncode == 0, done.stderr

    def get(self, *words: str) -> Any:
        """What `kubectl get` finds: one object, or the items of a list."""
        found = json.loads(self.kubectl("get", *words, "-o", "json"))
        return found["items"] if found["kind"] == "List" else found

    def until(self, words: str, expected: str, *, within: float) -> str:
        """Repeat a kubectl command until its output is what is expected."""

        def look() -> str:
            printed = self.kubectl(*words.split())
            assert printed.strip() == expected, printed
            return printed

        return eventually_sync(look, within, f"kubectl {words}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure tells what the lab looked like."""
    report = yield
    one = item.funcargs.get("lab")
    if report.failed and isinstance(one, Lab):
        report.sections.append(("the lab", told.state(one.kubectl)))
    return report


@pytest.fixture(scope="package")
def lab() -> Iterator[Lab]:
    if os.geteuid() != 0:
        pytest.fail("these tests need root: a lab is made of network namespaces", pytrace=False)
    if "SKIFF_LAB" in os.environ:
        yield Lab(Path(os.environ["SKIFF_LAB"]))
        return
    one = Lab(Path(f"/tmp/skiff-lab-{os.getpid()}"))  # short: Unix sockets' paths are limited to 108 bytes
    port, name = 20000 + os.getpid() % 10000, f"lab{os.getpid()}"
    before = of_network() | of_machine(one.state, name)
    try:
        done = one.lab("up", "--name", name, "--door-port", str(port), *HOSTS, within=UP_SECONDS)
        if done.returncode != 0:
            pytest.fail(f"the lab does not come up:\n{done.stdout}{done.stderr}", pytrace=False)
        # Faults begin with a cluster that is whole: a metrics-server that is cut off before its first look has nothing to serve.
        metrics = "get apiservice v1beta1.metrics.k8s.io -o jsonpath={.status.conditions[0].status}"
        one.until(metrics, "True", within=120)
        yield one
    finally:
        gone = one.lab("down", "--purge", within=DOWN_SECONDS)
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert not one.state.exists()
    assert left_behind(before, of_network() | of_machine(one.state, name)) == {}


@pytest.fixture(scope="package")
def shell_on_node1(lab: Lab) -> Shell:
    """A shell on the control plane's host."""
    one = Shell(Plan.known(lab.state).control_plane.netns, lab.state / "node1")
    add_tools(one.state)
    return one


@pytest.fixture(scope="module")
def upstream(shell_on_node1: Shell, request: pytest.FixtureRequest) -> Iterator[Shell]:
    """A shell in a namespace of the module's own; `kubectl` is upstream's."""
    name = request.module.__name__.rpartition("test_walkthrough_")[2].replace("_", "-")
    with in_a_namespace(shell_on_node1, name) as shell:
        yield shell


@pytest.fixture(params=["upstream", "ours"])
def either(upstream: Shell, request: pytest.FixtureRequest) -> Shell:
    """The same shell, once with upstream's kubectl and once with ours."""
    return replace(upstream, kubectl=UPSTREAM if request.param == "upstream" else OURS)


from tests.lab.outage import outage  # noqa: E402,F401 -- a fixture, which needs this file's names
