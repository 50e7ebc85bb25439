"""A lab of three hosts for these tests: made before the first of them, removed after the last."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.wait import eventually_sync

UP_SECONDS, DOWN_SECONDS = 240, 60
KUBECTL = Path(__file__).parents[2] / ".venv" / "upstream" / "bin" / "kubectl"


@dataclass(frozen=True)
class Lab:
    """A shell beside the lab (its kubectl goes through the door) and one on each of its hosts."""

    state: Path

    def lab(self, *words: str, within: float = 60) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "deploy.lab", words[0], "--state", str(self.state), *words[1:]]
        return subprocess.run(command, capture_output=True, text=True, timeout=within, check=False)

    def on(self, node: str, *command: str, within: float = 30) -> "subprocess.CompletedProcess[str]":
        return self.lab("exec", node, "--", *command, within=within)

    def kubectl(self, *words: str, within: float = 60) -> str:
        environment = {**os.environ, "KUBECONFIG": str(self.state / "admin.conf")}
        done = subprocess.run([KUBECTL, *words], capture_output=True, text=True, timeout=within, env=environment, check=False)
        assert done.returncode == 0, f"$ kubectl {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def until(self, words: str, expected: str, *, within: float) -> str:
        """Repeat a kubectl command until its output is what is expected."""

        def look() -> str:
            printed = self.kubectl(*words.split())
            assert printed.strip() == expected, printed
            return printed

        return eventually_sync(look, within, f"kubectl {words}")


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    if os.geteuid() != 0:
        pytest.fail("these tests need root: a lab is made of network namespaces", pytrace=False)
    one = Lab(Path(f"/tmp/skiff-lab-{os.getpid()}"))  # short: Unix sockets' paths are limited to 108 bytes
    port = 20000 + os.getpid() % 10000
    try:
        done = one.lab("up", "--name", f"lab{os.getpid()}", "--door-port", str(port), within=UP_SECONDS)
        if done.returncode != 0:
            pytest.fail(f"the lab does not come up:\n{done.stdout}{done.stderr}", pytrace=False)
        yield one
    finally:
        gone = one.lab("down", "--purge", within=DOWN_SECONDS)
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert not one.state.exists()
