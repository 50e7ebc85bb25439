"""IPVS with real connections, in a user-mode Linux: Debian's package of it has the module ip_vs, which many kernels lack.

The kernel is downloaded and unpacked once, into the directory of the virtual environment; where it cannot be had, the test fails
and says why.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy import host
from deploy.progress import StepFailed
from kube_proxy import ipvs_mode

pytestmark = pytest.mark.root
REPOSITORY = Path(__file__).parents[3]
KERNEL = REPOSITORY / ".venv" / "user-mode-linux"
BOOT_SECONDS = 60
FIRST, SECOND = "127.0.0.11", "127.0.0.12"
INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH={repository} PYTHONDONTWRITEBYTECODE=1
exec {python} -m tests.node.kube_proxy.uml.run_ipvs {modules}
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the run inside said."""
    linux = KERNEL / "usr" / "bin" / "linux.uml"
    if not linux.exists():
        try:
            host.unpack("user-mode-linux", KERNEL)
        except StepFailed as failure:
            pytest.fail(f"no user-mode-linux, so IPVS is not tested: {failure.why}; {failure.remedy}", pytrace=False)
    init = tmp_path_factory.mktemp("uml") / "init"
    modules = next((KERNEL / "usr" / "lib" / "uml" / "modules").iterdir())
    init.write_text(INIT.format(repository=REPOSITORY, python=sys.executable, modules=modules))
    init.chmod(0o755)
    words = ["mem=512M", "rootfstype=hostfs", "rootflags=/", "ro", "quiet", f"init={init}", "con=null", "con0=fd:0,fd:1"]
    done = subprocess.run([linux, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BOOT_SECONDS)
    found: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            found.update(json.loads(line))
    assert found.get("end"), f"the run inside broke off:\n{done.stdout}{done.stderr}"
    return found


def test_connections_go_to_the_endpoints_in_turn(told: dict[str, Any]) -> None:
    """Rule: https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-ipvs"""
    assert told["rr"].splitlines() == [
        "-A -t 10.96.0.10:80 -s rr",
        f"-a -t 10.96.0.10:80 -r {FIRST}:8080 -m -w 1",
        f"-a -t 10.96.0.10:80 -r {SECOND}:8080 -m -w 1",
    ]
    assert told["rr answers"] in ([FIRST, SECOND] * 3, [SECOND, FIRST] * 3)


def test_endpoint_that_left_gets_no_connection(told: dict[str, Any]) -> None:
    assert (told["one"].count(" -r "), told["one answers"]) == (1, [FIRST] * 3)


def test_client_keeps_its_endpoint_by_a_persistent_virtual_server(told: dict[str, Any]) -> None:
    """Rule: https://kubernetes.io/docs/reference/networking/virtual-ips/#session-affinity"""
    assert told["sticky"].startswith("-A -t 10.96.0.10:80 -s rr -p 360\n")
    assert len(told["sticky answers"]) == 6
    assert len(set(told["sticky answers"])) == 1


@pytest.mark.parametrize("scheduler", ["wrr", "lc", "sh", "dh", "sed", "nq", "wlc"])
def test_scheduler_may_be_any_of_the_kernels(told: dict[str, Any], scheduler: str) -> None:
    assert told[f"scheduler {scheduler}"] == f"-A -t 10.96.0.10:80 -s {scheduler}"


def test_nothing_is_left_of_a_service_that_is_gone(told: dict[str, Any]) -> None:
    assert (told["gone"], told["addresses"]) == ("", [])


def test_kernel_without_ipvs_is_told_apart() -> None:
    """Whatever kernel this is: it has IPVS, or the reason is named."""
    assert Path("/proc/net/ip_vs").exists() or "ip_vs" in ipvs_mode.missing()
