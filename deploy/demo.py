"""The demo: three web pods behind a NodePort Service, fetched from the host and from a pod.

Done with Skiff's own kubectl, as a process, so that what is shown is what a user can type.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

from deploy.cluster import Cluster
from deploy.progress import StepFailed

MANIFEST = Path(__file__).parent / "manifests" / "demo.yaml"
ROLLOUT_SECONDS = 60
FETCH_SECONDS = 10  # for the proxy's rules to follow the endpoints


def kubectl(cluster: Cluster, *words: str, check: bool = True, stdin: str = "", config: Path | None = None) -> str:
    """Run kubectl as the administrator (or by another kubeconfig); its standard output. Raises StepFailed where it fails."""
    command = [sys.executable, "-m", "kubectl", f"--kubeconfig={config or cluster.kubeconfig('admin')}", *words]
    done = subprocess.run(command, capture_output=True, text=True, input=stdin, env={**os.environ, "KUBECONFIG": ""})
    if check and done.returncode != 0:
        raise StepFailed(f"kubectl {words[0]}: {done.stderr.strip()}", "`make logs` shows what the programs said")
    return done.stdout


def apply(cluster: Cluster) -> None:
    kubectl(cluster, "apply", "-f", str(MANIFEST))


def wait_for_rollout(cluster: Cluster) -> None:
    kubectl(cluster, "rollout", "status", "deployment/web", f"--timeout={ROLLOUT_SECONDS}s")


def fetch_pages(cluster: Cluster) -> dict[str, str]:
    """The page by each way to it: ClusterIP and NodePort from the host, ClusterIP from a pod."""
    service = json.loads(kubectl(cluster, "get", "service", "web", "-o", "json"))["spec"]
    cluster_url = f"http://{service['clusterIP']}:{service['ports'][0]['port']}/"
    node_url = f"http://{cluster.node_ip}:{service['ports'][0]['nodePort']}/"
    return {
        f"ClusterIP, from the host  {cluster_url}": _get(cluster_url),
        f"NodePort, from the host   {node_url}": _get(node_url),
        f"ClusterIP, from a pod     {cluster_url}": kubectl(
            cluster, "exec", "deploy/web", "--", "timeout", "5", "wget", "-q", "-O-", cluster_url
        ).strip(),
    }


def _get(url: str) -> str:
    deadline = time.monotonic() + FETCH_SECONDS
    with httpx.Client(trust_env=False, timeout=3) as http:  # a proxy that the host is told to use knows no cluster addresses
        while True:
            try:
                return http.get(url).raise_for_status().text.strip()
            except httpx.HTTPError as error:
                if time.monotonic() > deadline:
                    raise StepFailed(f"{url} does not answer: {error}", "`make status`, then `make logs P=kube-proxy`") from error
                time.sleep(0.1)
