"""Cluster DNS on several hosts."""

import json
import subprocess
import sys

import pytest

from tests.lab.conftest import Lab

# Ask over and over until there is nothing more to read; then tell how many were answered and how many were not.
ASK = """
import select, socket, sys
from addons.dns import wire
question = wire.question(wire.name_of("kubernetes.default.svc.cluster.local"), wire.A, ident=5)
told = lost = 0
while not select.select([sys.stdin], [], [], 0.01)[0]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(2)
        asker.sendto(question, ("10.96.0.10", 53))
        try:
            told += asker.recv(512)[6:8] == b"\\0\\1"
        except OSError:
            lost += 1
print(told, lost)
"""
PODS = ("get", "pods", "--namespace=kube-system", "--selector=k8s-app=kube-dns", "-o", "json")

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]  # the lab comes up before the first of them


def test_no_question_is_lost_while_a_dns_pod_is_replaced(lab: Lab) -> None:
    """It is taken out of the rules while it still answers; the two pods are on two hosts.
    Rule: https://coredns.io/plugins/health/ lameduck"""
    pods = json.loads(lab.kubectl(*PODS))["items"]
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 2
    command = [sys.executable, "-m", "deploy.lab", "exec", "--state", str(lab.state), "node2", "--", sys.executable, "-c", ASK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asker:
        lab.kubectl("delete", "pod", "--namespace=kube-system", pods[0]["metadata"]["name"], within=90)
        lab.kubectl("rollout", "status", "deployment/coredns", "--namespace=kube-system", "--timeout=60s", within=70)
        printed, _ = asker.communicate("", timeout=30)
    told, lost = map(int, printed.split())
    assert lost == 0, printed
    assert told, printed
