"""NodeRestriction: what a node may write, and upstream's words for what it may not."""

from typing import Any

import pytest

from apiserver.admission.node_restriction.rules import (
    Write,
    about_binding,
    about_claim,
    about_csi_node,
    about_eviction,
    about_lease,
    about_node,
    about_pod,
    about_pod_status,
    about_slice,
    about_token,
    forbidden_labels,
    projected_audiences,
)
from kube.api.meta import Tree

OWNER = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u", "controller": True}


def a_write(operation: str, new: Tree | None = None, old: Tree | None = None, *, name: str = "n", **more: Any) -> Write:
    return Write("n", operation, more.get("subresource", ""), more.get("namespace", "default"), name, new, old)


def a_node(*, labels: Tree | None = None, taints: Any = None, **metadata: Any) -> Tree:
    return {"metadata": {"name": "n", "labels": labels or {}, **metadata}, "spec": {"taints": taints} if taints else {}}


def a_pod(node: str = "n", *, mirror: bool = True, owners: Any = (OWNER,), status: Tree | None = None, **spec: Any) -> Tree:
    metadata: Tree = {"name": "p", "namespace": "default", "uid": "uid-p", "ownerReferences": list(owners)}
    metadata["annotations"] = {"kubernetes.io/config.mirror": "x"} if mirror else {}
    return {"metadata": metadata, "spec": {"nodeName": node, **spec}, "status": status or {}}


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (a_write("CREATE", a_node(labels={"kubernetes.io/hostname": "n", "team": "a", "x.node.kubernetes.io/y": "1"})), ""),
        (
            a_write("CREATE", a_node(labels={"node-role.kubernetes.io/worker": "", "x.k8s.io/a": "1"})),
            'node "n" is not allowed to set the following labels: node-role.kubernetes.io/worker, x.k8s.io/a',
        ),
        (a_write("CREATE", a_node(labels={"x.k8s.io/a": "1"}), name=""), 'node "n" is not allowed to modify node ""'),
        (
            a_write("CREATE", {**a_node(), "spec": {"configSource": {}}}),
            'node "n" is not allowed to create pods with a non-nil configSource',
        ),
        (a_write("UPDATE", a_node(), a_node(), name="m"), 'node "n" is not allowed to modify node "m"'),
        (a_write("DELETE", None, a_node(), name="m"), 'node "n" is not allowed to modify node "m"'),
        (a_write("UPDATE", a_node(taints=[{"key": "k"}]), a_node()), 'node "n" is not allowed to modify taints'),
        (
            a_write("UPDATE", a_node(), a_node(labels={"a.node-restriction.kubernetes.io/x": "1"})),
            "is not allowed to modify labels: a.node-restriction.kubernetes.io/x",
        ),
        (
            a_write("UPDATE", a_node(ownerReferences=[OWNER], labels={"x.k8s.io/a": "1"}), a_node()),
            'node "n" is not allowed to modify ownerReferences',
        ),
        (a_write("UPDATE", a_node(labels={"team": "b"}), a_node(labels={"team": "a"})), ""),
    ],
)
def test_a_node_writes_to_itself_and_not_who_it_is(write: Write, why: str) -> None:
    """Rule: kubernetes plugin/pkg/admission/noderestriction, admitNode"""
    assert about_node(write) == why


def test_labels_that_a_node_may_set_are_the_kubelets() -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction"""
    allowed = ["topology.kubernetes.io/zone", "node.kubernetes.io/x", "a.kubelet.kubernetes.io/x", "beta.kubernetes.io/os", "plain"]
    assert forbidden_labels(allowed) == []
    assert forbidden_labels(["kubernetes.io/x", "example.com/kubernetes.io", "a.kubernetes.io/x"]) == [
        "a.kubernetes.io/x",
        "kubernetes.io/x",
    ]


@pytest.mark.parametrize(
    ("pod", "why"),
    [
        (a_pod(), ""),
        (a_pod(mirror=False), 'pod does not have "kubernetes.io/config.mirror" annotation, node "n" can only create mirror pods'),
        (a_pod("m"), 'node "n" can only create pods with spec.nodeName set to itself'),
        (a_pod(owners=()), 'node "n" can only create pods with an owner reference set to itself'),
        (a_pod(owners=(OWNER, OWNER)), 'node "n" can only create pods with a single owner reference set to itself'),
        (a_pod(owners=({**OWNER, "name": "m"},)), 'node "n" can only create pods with an owner reference set to itself'),
        (
            a_pod(owners=({**OWNER, "controller": False},)),
            'node "n" can only create pods with a controller owner reference set to itself',
        ),
        (a_pod(owners=({**OWNER, "blockOwnerDeletion": True},)), 'node "n" must not set blockOwnerDeletion on an owner reference'),
        (a_pod(owners=({**OWNER, "uid": "old"},)), "node n UID mismatch: expected old got u"),
        (a_pod(serviceAccountName="a"), 'node "n" can not create pods that reference a service account'),
        (a_pod(volumes=[{"name": "v", "secret": {"secretName": "s"}}]), 'node "n" can not create pods that reference secrets'),
        (
            a_pod(containers=[{"envFrom": [{"configMapRef": {"name": "c"}}]}]),
            'node "n" can not create pods that reference configmaps',
        ),
        (
            a_pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]),
            'node "n" can not create pods that reference persistentvolumeclaims',
        ),
        (a_pod(resourceClaims=[{"name": "g"}]), 'node "n" can not create pods that reference resourceclaims'),
    ],
)
def test_a_node_creates_mirror_pods_that_read_nothing(pod: Tree, why: str) -> None:
    """Rule: kubernetes plugin/pkg/admission/noderestriction, admitPodCreate"""
    assert about_pod(a_write("CREATE", pod), "u") == why


def test_a_node_touches_no_pods_of_others() -> None:
    """Rule: kubernetes plugin/pkg/admission/noderestriction, admitPod, admitPodStatus, admitPodEviction"""
    own, other = a_pod(), a_pod("m")
    assert about_pod(a_write("DELETE", None, own), "u") == ""
    assert about_pod(a_write("DELETE", None, other), "u") == 'node "n" can only delete pods with spec.nodeName set to itself'
    assert about_pod(a_write("UPDATE", own, own), "u").endswith('node "n" can only create and delete mirror pods')
    assert about_pod_status(a_write("UPDATE", own, own)) == ""
    to_itself = 'node "n" can only update pod status for pods with spec.nodeName set to itself'
    assert about_pod_status(a_write("UPDATE", other, other)) == to_itself
    labelled = {**own, "metadata": {**own["metadata"], "labels": {"a": "b"}}}
    assert about_pod_status(a_write("UPDATE", labelled, own)) == 'node "n" cannot update labels through pod status'
    claimed = a_pod(status={"resourceClaimStatuses": [{"name": "g"}]})
    assert about_pod_status(a_write("UPDATE", claimed, own)) == 'node "n" cannot update resource claim statuses'
    claimed = a_pod(status={"extendedResourceClaimStatus": {"resourceClaimName": "g"}})
    assert about_pod_status(a_write("UPDATE", claimed, own)) == 'node "n" cannot update extended resource claim status'
    assert about_eviction(a_write("CREATE", {}), own) == ""
    assert about_eviction(a_write("CREATE", {}), other) == "node n can only evict pods with spec.nodeName set to itself"


def a_request(*audiences: str, **bound: Any) -> Tree:
    reference = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "uid-p", **bound}
    return {"spec": {"boundObjectRef": reference, "audiences": list(audiences)}}


@pytest.mark.parametrize(
    ("request_", "pod", "why"),
    [
        (a_request(), a_pod(), ""),
        (a_request("vault"), a_pod(), ""),
        (a_request("bank"), a_pod(), 'audience "bank" not found in pod spec volume'),
        (a_request("vault", "bank"), a_pod(), "node may only request 0 or 1 audiences"),
        (a_request(), a_pod("m"), "node requested token bound to a pod scheduled on a different node"),
        (
            a_request(uid="old"), a_pod(), "the UID in the bound object reference (old) does not match the UID in record. "
            "The object might have been deleted and then recreated",
        ),
    ],
)  # fmt: skip
def test_a_node_gets_tokens_for_its_own_pods_and_what_they_ask_for(request_: Tree, pod: Tree, why: str) -> None:
    """Rule: kubernetes plugin/pkg/admission/noderestriction, admitServiceAccount; KEP-4193"""
    sources = [{"serviceAccountToken": {"path": "t"}}, {"serviceAccountToken": {"path": "v", "audience": "vault"}}]
    pod["spec"]["volumes"] = [{"name": "v", "projected": {"sources": sources}}]
    assert about_token(a_write("CREATE", request_, subresource="token"), pod, projected_audiences(pod)) == why
    assert about_binding(request_["spec"]["boundObjectRef"]) == ""


def test_a_nodes_token_is_bound_to_a_pod_and_no_other_of_its_name() -> None:
    """Rule: kubernetes plugin/pkg/admission/noderestriction, admitServiceAccount"""
    for bound in ({}, {"apiVersion": "v1", "kind": "Secret", "name": "p", "uid": "u"}, {"apiVersion": "v1", "kind": "Pod"}):
        assert about_binding(bound) == "node requested token not bound to a pod"
    without = {"apiVersion": "v1", "kind": "Pod", "name": "p"}
    assert about_binding(without) == "node requested token with a pod binding without a uid"


def test_leases_slices_and_csi_nodes_are_a_nodes_own() -> None:
    """Rule: kubernetes plugin/pkg/admission/noderestriction"""
    assert about_lease(a_write("UPDATE", {}, namespace="kube-node-lease")) == ""
    assert about_lease(a_write("UPDATE", {})) == 'can only access leases in the "kube-node-lease" system namespace'
    other = about_lease(a_write("UPDATE", {}, namespace="kube-node-lease", name="m"))
    assert other == "can only access node lease with the same name as the requesting node"
    assert about_csi_node(a_write("CREATE", {}, name="m")) == "can only access CSINode with the same name as the requesting node"
    assert about_slice(a_write("CREATE", {"spec": {"nodeName": "n"}})) == ""
    why = "can only delete ResourceSlice with the same NodeName as the requesting node"
    assert about_slice(a_write("DELETE", None, {"spec": {"nodeName": "m"}})) == why
    assert about_claim(a_write("UPDATE", {}, {}, subresource="status")) == ""
    assert about_claim(a_write("UPDATE", {}, {}))
