"""The node authorizer: a node sees what its pods need."""

import asyncio

import pytest

from apiserver.auth.node.authorizer import NodeAuthorizer
from apiserver.auth.node.graph import Graph
from apiserver.context import RequestInfo, User
from kube.api.meta import Key, Tree

NODE, OTHER = User("system:node:n", ("system:nodes",)), User("system:node:m", ("system:nodes",))

POD: Tree = {
    "metadata": {"name": "p", "namespace": "d"},
    "spec": {
        "nodeName": "n",
        "serviceAccountName": "robot",
        "imagePullSecrets": [{"name": "pull"}],
        "containers": [
            {
                "name": "c",
                "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "env", "key": "k"}}}],
                "envFrom": [{"configMapRef": {"name": "settings"}}],
            }
        ],
        "volumes": [
            {"name": "a", "secret": {"secretName": "vol"}},
            {"name": "b", "projected": {"sources": [{"configMap": {"name": "projected"}}]}},
            {"name": "c", "persistentVolumeClaim": {"claimName": "claim"}},
        ],
    },
}
VOLUME: Tree = {
    "metadata": {"name": "pv"},
    "spec": {
        "claimRef": {"namespace": "d", "name": "claim"},
        "csi": {"nodePublishSecretRef": {"name": "csi", "namespace": "storage"}},
    },
}


def asks(verb: str, what: str, name: str = "", namespace: str = "d", api_group: str = "", selector: str = "") -> RequestInfo:
    plural, _, subresource = what.partition("/")
    query = {"fieldSelector": [selector]} if selector else {}
    return RequestInfo(
        verb, "", "", query, is_resource=True, api_group=api_group, plural=plural, subresource=subresource, name=name,
        namespace=namespace,
    )  # fmt: skip


@pytest.fixture
def authorizer() -> NodeAuthorizer:
    graph = Graph()
    graph.set_pod(Key("d", "p"), POD)
    graph.set_volume(Key("", "pv"), VOLUME)
    return NodeAuthorizer(graph)


def allowed(authorizer: NodeAuthorizer, user: User, info: RequestInfo) -> bool:
    return bool(asyncio.run(authorizer.decide(user, info)).allowed)


OF_THE_POD = [
    asks("get", "secrets", "pull"),
    asks("watch", "secrets", "env"),
    asks("list", "secrets", "vol"),
    asks("get", "configmaps", "settings"),
    asks("get", "configmaps", "projected"),
    asks("get", "persistentvolumeclaims", "claim"),
    asks("get", "persistentvolumes", "pv", ""),
    asks("get", "secrets", "csi", "storage"),
    asks("create", "serviceaccounts/token", "robot"),
    asks("get", "pods", "p"),
]


@pytest.mark.parametrize("info", OF_THE_POD)
def test_node_reads_what_its_pods_refer_to_and_no_other_node_does(authorizer: NodeAuthorizer, info: RequestInfo) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/node/"""
    assert allowed(authorizer, NODE, info)
    decision = asyncio.run(authorizer.decide(OTHER, info))
    assert decision.allowed is None
    assert decision.reason == "no relationship found between node 'm' and this object"


@pytest.mark.parametrize("info", [asks("list", "secrets"), asks("update", "secrets", "pull"), asks("get", "secrets", "else")])
def test_node_reads_nothing_else(authorizer: NodeAuthorizer, info: RequestInfo) -> None:
    assert not allowed(authorizer, NODE, info)


def test_what_a_pod_no_longer_needs_is_out_of_reach(authorizer: NodeAuthorizer) -> None:
    graph = Graph()
    graph.set_pod(Key("d", "p"), POD)
    graph.set_pod(Key("d", "p"), None)
    assert not any(allowed(NodeAuthorizer(graph), NODE, info) for info in OF_THE_POD)


def test_mirror_pod_leads_nowhere() -> None:
    graph = Graph()
    annotated = {**POD["metadata"], "annotations": {"kubernetes.io/config.mirror": "x"}}
    graph.set_pod(Key("d", "p"), {**POD, "metadata": annotated})
    assert not allowed(NodeAuthorizer(graph), NODE, asks("get", "secrets", "pull"))
    assert allowed(NodeAuthorizer(graph), NODE, asks("get", "pods", "p"))


def test_node_has_its_own_lease_node_and_pods(authorizer: NodeAuthorizer) -> None:
    leases = {"namespace": "kube-node-lease", "api_group": "coordination.k8s.io"}
    assert allowed(authorizer, NODE, asks("update", "leases", "n", **leases))
    assert not allowed(authorizer, NODE, asks("update", "leases", "m", **leases))
    assert not allowed(authorizer, NODE, asks("get", "leases", "n", "kube-system", "coordination.k8s.io"))
    assert allowed(authorizer, NODE, asks("watch", "nodes", "n", ""))
    assert not allowed(authorizer, NODE, asks("list", "nodes", "", ""))
    assert allowed(authorizer, NODE, asks("patch", "nodes/status", "n", ""))
    assert allowed(authorizer, NODE, asks("watch", "pods", "", "", selector="spec.nodeName=n"))
    assert not allowed(authorizer, NODE, asks("watch", "pods", "", "", selector="spec.nodeName=m"))
    assert allowed(authorizer, NODE, asks("patch", "pods/status", "p"))


@pytest.mark.parametrize(
    ("user", "info", "reason"),
    [
        (User("system:node:", ("system:nodes",)), asks("get", "nodes", "n", ""), 'unknown node for user "system:node:"'),
        (NODE, asks("get", "persistentvolumeclaims/status", "claim"), "can only get/update/patch this type"),
        (NODE, asks("update", "serviceaccounts", "robot"), "can only create tokens for individual service accounts"),
        (NODE, asks("list", "serviceaccounts"), "can only create tokens for individual service accounts"),
        (NODE, asks("create", "serviceaccounts/other", "robot"), "can only create token subresource of serviceaccount"),
    ],
)
def test_what_a_node_may_not_is_told_why(authorizer: NodeAuthorizer, user: User, info: RequestInfo, reason: str) -> None:
    """Rule: kubernetes plugin/pkg/auth/authorizer/node; the reason stands in the refusal unless RBAC allows it."""
    decision = asyncio.run(authorizer.decide(user, info))
    assert (decision.allowed, decision.reason) == (None, reason)
    assert allowed(authorizer, NODE, asks("get", "serviceaccounts", "robot"))


def test_others_are_none_of_its_business(authorizer: NodeAuthorizer) -> None:
    for user in (User("system:node:n"), User("n", ("system:nodes",))):
        assert asyncio.run(authorizer.decide(user, asks("get", "secrets", "pull"))).allowed is None
