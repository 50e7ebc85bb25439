"""Policies and bindings for the tests, and what they rule on."""

from typing import Any

from kube.api.meta import Tree
from kube.api.resources import resource_for_kind
from kube.client.rest import Client

GROUP = "admissionregistration.k8s.io"
DEPLOYMENTS = [{"operations": ["CREATE", "UPDATE"], "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"]}]
CONFIG_MAPS = [{"operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}]
MARKER = "policy-ready"


def a_policy(name: str, rules: list[Tree], kind: str = "ValidatingAdmissionPolicy", **spec: Any) -> Tree:
    spec = {"matchConstraints": {"resourceRules": rules}, **spec}
    if kind == "MutatingAdmissionPolicy":
        spec.setdefault("reinvocationPolicy", "Never")
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def a_binding(name: str, policy: str, kind: str = "ValidatingAdmissionPolicyBinding", **spec: Any) -> Tree:
    if kind.startswith("Validating"):
        spec.setdefault("validationActions", ["Deny"])
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name}, "spec": {"policyName": policy, **spec}}


def a_deployment(name: str, replicas: int, **metadata: Any) -> Tree:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def a_config_map(name: str, data: dict[str, str] | None = None, **metadata: Any) -> Tree:
    metadata = {"name": name, "namespace": "default", **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data or {}}


async def created(client: Client, *trees: Tree) -> Tree:
    """The last one, as the server has it."""
    made: Tree = {}
    for tree in trees:
        row = resource_for_kind(tree["apiVersion"], tree["kind"])
        assert row is not None, "the tests make served kinds"
        made = await client.create(row, tree)
    return made
