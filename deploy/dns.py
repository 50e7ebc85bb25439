"""Cluster DNS as part of a bring-up: its image, its objects, the wait until it answers.

The Corefile is created once and never touched again; the other objects are applied where the Deployment is missing or has another
image than this release's. So a second bring-up changes nothing, and what an administrator changed stays until the next release.
https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/
"""

import json
from pathlib import Path
from string import Template
from typing import Any

from deploy.cluster import Cluster
from deploy.demo import kubectl
from deploy.engine import Engine
from deploy.images import python

MANIFESTS = Path(__file__).parent / "manifests"
NAMESPACE = "--namespace=kube-system"
PROGRAM = python.Program(
    name="cluster-dns",
    module="addons.dns",
    packages=("kube", "addons"),
    distributions=(
        "aiohttp", "cryptography", "google-re2", "httptools", "jsonschema-rs", "lightkube", "lightkube-models", "msgspec", "orjson",
        "prometheus-client", "PyYAML", "uvicorn", "uvloop", "wsproto",
    ),
)  # fmt: skip
AVAILABLE_SECONDS = 90


def load_image(engine: Engine) -> int:
    """Where the engine has it not; returns how many were loaded."""
    if engine.has_image(python.tag(PROGRAM)):
        return 0
    engine.load(python.tar(PROGRAM))
    return 1


def manifest(name: str, cluster: Cluster, replicas: int = 1) -> str:
    words = {"DOMAIN": cluster.domain, "DNS_IP": cluster.dns_ip, "REPLICAS": replicas, "IMAGE": python.tag(PROGRAM)}
    return Template((MANIFESTS / name).read_text()).substitute(words)


def apply(cluster: Cluster, *, nodes: int = 1, config: Path | None = None) -> bool:
    """One pod on one node; two where there are several, as kubeadm has it. Returns whether anything was to be done."""
    what = ("configmap/coredns", "deployment/coredns", NAMESPACE, "--ignore-not-found", "--output=json")
    found = json.loads(kubectl(cluster, "get", *what, config=config) or "{}")
    known = {one["kind"]: one for one in found.get("items", [found] if found else [])}
    if "ConfigMap" not in known:
        kubectl(cluster, "create", "-f", "-", stdin=manifest("dns-corefile.yaml", cluster), config=config)
    if "Deployment" in known and _image(known["Deployment"]) == python.tag(PROGRAM):
        return "ConfigMap" not in known
    kubectl(cluster, "apply", "-f", "-", stdin=manifest("dns.yaml", cluster, min(nodes, 2)), config=config)
    return True


def _image(deployment: Any) -> str:
    image: str = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    return image


def wait_until_available(cluster: Cluster, *, config: Path | None = None) -> None:
    """Raises StepFailed."""
    kubectl(
        cluster, "rollout", "status", "deployment/coredns", NAMESPACE, f"--timeout={AVAILABLE_SECONDS}s",
        config=config,
    )  # fmt: skip
