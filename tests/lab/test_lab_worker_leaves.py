"""A worker that leaves the cluster: `kube-proxy --cleanup` and `kubelet --cleanup` give its host back as they found it."""

import subprocess
from pathlib import Path

import pytest

from deploy.lab import power
from deploy.programs import cleanup_commands
from deploy.supervise import Supervisor
from tests.lab.conftest import Lab
from tests.lab.faults import on_node, web
from tests.traces import left_behind, of_network
from tests.wait import eventually_sync

NODE = "node4"

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]


def test_clean_up_leaves_a_worker_as_it_was(lab: Lab) -> None:
    """Rules, links, addresses, routes to other nodes, kernel settings, mounts and cgroups; with pods, a host port and a policy.
    Rule: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-proxy/ --cleanup; field lesson: uninstall"""
    host = lab.host(NODE)
    power.off(host)
    power.on(lab.plan, host)
    before = of_network(host.netns)
    assert lab.lab("start", NODE, within=120).returncode == 0
    lab.kubectl("wait", "--for=condition=Ready", f"node/{NODE}", "--timeout=60s", within=70)
    ports = {"ports": [{"containerPort": 80, "hostPort": 18182}]}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "leaves"}}
    lab.apply(*web("leaves", 1, on_node(NODE), **ports), policy | {"spec": {"podSelector": {"matchLabels": {"app": "leaves"}}}})
    try:
        lab.kubectl("rollout", "status", "deployment/leaves", "--timeout=60s", within=70)
        eventually_sync(lambda: "18182" in lab.on(NODE, "nft", "list", "ruleset").stdout, 20, "the host port leads to the pod")
        supervisor = Supervisor(host)
        for program in ("kubelet", "kube-proxy"):
            supervisor.stop_program(program)
        running = lab.on(NODE, "docker", "ps", "--quiet").stdout.split()
        assert lab.on(NODE, "docker", "rm", "--force", *running).returncode == 0
        for command in cleanup_commands(host):
            subprocess.run(command, check=True, capture_output=True, timeout=60)
        assert left_behind(before, of_network(host.netns)) == {}
        assert f" {host.state}/kubelet/" not in Path("/proc/self/mountinfo").read_text()
        assert not list(power.CGROUPS.glob(f"**{host.cgroup_root}/kubepods"))
    finally:
        lab.kubectl("delete", "deployment/leaves", "service/leaves", "networkpolicy/leaves", "--wait=false")
        assert lab.lab("start", NODE, within=120).returncode == 0
    ready = f"get node {NODE} -o jsonpath={{.status.conditions[?(@.type=='Ready')].status}}"
    lab.until(ready, "True", within=90)
    eventually_sync(lambda: not lab.get("pods", "--selector=app=leaves"), 60, "the pods are gone")
