"""A node that joins with a token alone: it gets a certificate of its own, and may do what a node may."""

import sys

import pytest
import yaml

from tests.e2e.conftest import REPOSITORY, Cluster

JOIN = """
import asyncio, sys
from pathlib import Path
from kube.component.clock import SystemClock
from kubelet.config import KubeletConfig
from kubelet.node_certificate import join
places = [Path(one) for one in sys.argv[1:]]
config = KubeletConfig(bootstrap_kubeconfig=places[0], kubeconfig=places[1], cert_dir=places[2], hostname_override="joined")
asyncio.run(asyncio.wait_for(join(config, SystemClock()), 30))
"""


@pytest.mark.root
def test_a_node_that_shows_a_bootstrap_token_becomes_a_node(cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/ · behaviour D.5"""
    cluster.ok("kubectl create serviceaccount joiner -n kube-system")
    for number, role in enumerate(("system:node-bootstrapper", "system:certificates.k8s.io:certificatesigningrequests:nodeclient")):
        cluster.ok(f"kubectl create clusterrolebinding join-{number} --clusterrole={role} --serviceaccount=kube-system:joiner")
    token = cluster.ok("kubectl create token joiner -n kube-system").strip()
    tree = yaml.safe_load(cluster.kubeconfig.read_text())
    tree["users"][0]["user"] = {"token": token}
    bootstrap, own = cluster.state / "bootstrap.conf", cluster.state / "joined.conf"
    bootstrap.write_text(yaml.safe_dump(tree))
    try:
        program = f"cd {REPOSITORY} && {sys.executable} - {bootstrap} {own} {cluster.state}/joined-pki"
        cluster.ok(program, stdin=JOIN)
        as_node = f"kubectl --kubeconfig={own}"
        assert "system:node:joined" in cluster.ok(f"{as_node} auth whoami")
        cluster.ok(
            f"{as_node} create -f -", stdin=yaml.safe_dump({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "joined"}})
        )
        assert cluster.ok(f"{as_node} get node joined -o name") == "node/joined\n"
        assert "forbidden" in cluster.fails(f"{as_node} delete node skiff")
    finally:
        cluster.run("kubectl delete node joined --ignore-not-found; kubectl delete clusterrolebinding join-0 join-1")
        cluster.run("kubectl delete serviceaccount joiner -n kube-system")
