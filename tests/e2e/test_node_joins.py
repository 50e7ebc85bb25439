"""A node that joins with a token alone: it gets a certificate of its own, and may do what a node may."""

import sys
from pathlib import Path

import pytest
import yaml
from cryptography import x509

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
SERVE = """
import asyncio, sys
from pathlib import Path
from kube.client.rest import Client
from kube.component.clock import SystemClock
from kubelet.config import KubeletConfig
from kubelet.node_certificate import ServingCertificate, way

async def serve():
    config = KubeletConfig(kubeconfig=Path(sys.argv[1]), cert_dir=Path(sys.argv[2]), hostname_override="joined")
    async with Client(way(config), "kubelet") as client, asyncio.timeout(30):
        serving = ServingCertificate(config, client, ["192.0.2.7"], SystemClock())
        running = asyncio.create_task(serving.run())
        await serving.ready.wait()
        running.cancel()

asyncio.run(serve())
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
        given_a_serving_certificate(cluster, own)
    finally:
        cluster.run("kubectl delete node joined --ignore-not-found; kubectl delete clusterrolebinding join-0 join-1")
        cluster.run("kubectl delete serviceaccount joiner -n kube-system")


def given_a_serving_certificate(cluster: Cluster, own: Path) -> None:
    """Which people approve."""
    program, keys = cluster.state / "serve.py", cluster.state / "joined-pki"
    program.write_text(SERVE)
    with cluster.start(f"env -C {REPOSITORY} PYTHONPATH=. {sys.executable} {program} {own} {keys}") as asking:
        listed = "kubectl get csr -o jsonpath='{.items[?(@.spec.signerName==\"kubernetes.io/kubelet-serving\")].metadata.name}'"
        cluster.ok(f"kubectl certificate approve {cluster.until(listed, 'csr-')}")
        assert asking.wait(30) == 0, asking.communicate()[0]
    certificate = x509.load_pem_x509_certificate((keys / "kubelet-server-current.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one.value) for one in names] == ["joined", "192.0.2.7"]
