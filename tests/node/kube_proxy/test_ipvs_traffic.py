"""IPVS with real connections, in a user-mode Linux: Debian's package of it has the module ip_vs, which many kernels lack.

The kernel is downloaded and unpacked once, into the directory of the virtual environment; where it cannot be had, the test fails
and says why.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deploy import host
from deploy.progress import StepFailed
from kube_proxy import ipvs_mode

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]
REPOSITORY = Path(__file__).parents[3]
KERNEL = REPOSITORY / ".venv" / "user-mode-linux"
BOOT_SECONDS = 240  # 12 on a quiet machine
GATEWAY, POD, OUTSIDER = "10.244.1.1", "10.244.1.2", "192.0.2.20"
INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mkdir /run/bin
for name in iptables iptables-save iptables-restore; do ln -s /usr/sbin/xtables-legacy-multi /run/bin/$name; done
export PATH=/run/bin:/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH={repository} PYTHONDONTWRITEBYTECODE=1
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
    """From the node, which is seen as its gateway. Rule: https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-ipvs"""
    assert told["rr"].splitlines() == [
        "-A -t 10.96.0.10:80 -s rr",
        "-a -t 10.96.0.10:80 -r 10.244.1.2:8080 -m -w 1",
        "-a -t 10.96.0.10:80 -r 10.244.1.3:8080 -m -w 1",
    ]
    assert told["rr answers"] in ([f"a {GATEWAY}", f"b {GATEWAY}"] * 3, [f"b {GATEWAY}", f"a {GATEWAY}"] * 3)


def test_pod_is_seen_by_its_own_address_and_reaches_itself(told: dict[str, Any]) -> None:
    """Hairpin: what a pod sends to itself comes back through the node."""
    assert sorted(told["pod answers"]) == [f"a {GATEWAY}", f"b {POD}"]
    assert told["udp answer"] == f"b {POD}"


def test_endpoint_that_left_gets_no_connection(told: dict[str, Any]) -> None:
    assert told["one answers"] == [f"a {GATEWAY}"] * 3


def test_client_keeps_its_endpoint_by_a_persistent_virtual_server(told: dict[str, Any]) -> None:
    """Rule: https://kubernetes.io/docs/reference/networking/virtual-ips/#session-affinity"""
    assert told["sticky"] == "-A -t 10.96.0.10:80 -s rr -p 10800"
    assert len(told["sticky answers"]) == 6
    assert len(set(told["sticky answers"])) == 1


def test_service_without_endpoints_refuses_pods_and_the_node(told: dict[str, Any]) -> None:
    assert told["nobody answers"] == ["ConnectionRefusedError"] * 2


def test_what_comes_from_outside_follows_the_traffic_policy(told: dict[str, Any]) -> None:
    """By node port and by the load balancer's address: as the node, or (Local) as itself, and nowhere where no endpoint is here."""
    assert told["outside answers"] == [f"a {GATEWAY}"] * 2
    assert told["local answers"] == [f"a {OUTSIDER}"] * 2
    assert told["elsewhere answers"] == ["TimeoutError"]


def test_load_balancer_source_ranges_keep_others_out(told: dict[str, Any]) -> None:
    """The node port stays open."""
    assert told["guarded answers"] == ["TimeoutError", f"a {GATEWAY}"]


@pytest.mark.parametrize("scheduler", ["rr", "wrr", "lc", "wlc", "sed", "nq", "sh", "dh"])
def test_scheduler_spreads_connections_as_its_name_says(told: dict[str, Any], scheduler: str) -> None:
    """Four held at once: two each by turns or by load; one server for one source (sh) or destination (dh).

    Rule: https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-ipvs"""
    assert told[f"{scheduler} first line"] == f"-A -t 10.96.0.10:80 -s {scheduler}"
    one_by_one, at_once = (Counter(told[f"{scheduler} {how}"]) for how in ("one by one", "at once"))
    if scheduler in ("sh", "dh"):
        assert list(one_by_one.values()) == [4]
        assert at_once == one_by_one
    else:
        assert at_once == {f"a {GATEWAY}": 2, f"b {GATEWAY}": 2}


def test_clean_up_leaves_what_is_somebody_elses(told: dict[str, Any]) -> None:
    others = ("10.99.0.1", "192.0.2.10")
    assert sorted(told["whose"]) == sorted(others)
    assert told["left"] == "".join(f"-A -t {one}:80 -s rr\n-a -t {one}:80 -r 10.244.1.2:8080 -m -w 1\n" for one in others)
    assert (told["addresses"], told["rules"]) == ([], "0")
    assert told["settings"] == told["settings before"]


def test_kernel_without_ipvs_is_told_apart() -> None:
    """Whatever kernel this is: it has IPVS, or the reason is named."""
    assert Path("/proc/net/ip_vs").exists() or "ip_vs" in ipvs_mode.missing()
