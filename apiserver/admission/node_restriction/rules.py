"""What a node may write, by kind; each rule answers with upstream's words for why not, or with nothing. Pure.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
kubernetes plugin/pkg/admission/noderestriction/admission.go · kubelet pkg/apis/well_known_labels.go
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from apiserver.auth.node.graph import named_by
from kube.api.meta import Key, Tree

MIRROR = "kubernetes.io/config.mirror"
LEASES = "kube-node-lease"
OWN_LABELS = frozenset(
    (
        "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/arch",
        "topology.kubernetes.io/zone", "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region", "node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type",
        "node.kubernetes.io/windows-build",
    )
)  # fmt: skip
OWN_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
SYSTEM_DOMAINS = ("kubernetes.io", "k8s.io")
RESTRICTED_DOMAIN = "node-restriction.kubernetes.io"
CLAIMED = {"resourceClaimStatuses": "resource claim statuses", "extendedResourceClaimStatus": "extended resource claim status"}
NAMED = {"secrets": "secrets", "configmaps": "configmaps", "persistentvolumeclaims": "persistentvolumeclaims"}


@dataclass(frozen=True)
class Write:
    """What a node asks for."""

    node: str
    operation: str
    subresource: str
    namespace: str
    name: str
    new: Tree | None
    old: Tree | None


def about_node(write: Write) -> str:
    node, new = write.node, write.new
    if write.name != node:
        return f'node "{node}" is not allowed to modify node "{write.name}"'
    if new is not None and write.operation == "CREATE":
        return _about_new_node(node, new)
    if new is not None and write.old is not None and write.operation == "UPDATE":
        return _about_changed_node(node, new, write.old)
    return ""


def _about_new_node(node: str, new: Tree) -> str:
    if (new.get("spec") or {}).get("configSource") is not None:
        return f'node "{node}" is not allowed to create pods with a non-nil configSource'
    named = forbidden_labels(_changed(_labels(new), {}))
    return f'node "{node}" is not allowed to set the following labels: {", ".join(named)}' if named else ""


def _about_changed_node(node: str, new: Tree, old: Tree) -> str:
    wanted, had = new.get("spec") or {}, old.get("spec") or {}
    if wanted.get("configSource") not in (None, had.get("configSource")):
        return f'node "{node}" is not allowed to update configSource to a new non-nil configSource'
    if wanted.get("taints") != had.get("taints"):
        return f'node "{node}" is not allowed to modify taints'
    if new["metadata"].get("ownerReferences") != old["metadata"].get("ownerReferences"):
        return f'node "{node}" is not allowed to modify ownerReferences'
    named = forbidden_labels(_changed(_labels(new), _labels(old)))
    return f"is not allowed to modify labels: {', '.join(named)}" if named else ""


def forbidden_labels(names: Iterable[str]) -> list[str]:
    """Those of the system's labels that say who a node is, and that it may not say of itself."""
    return sorted(name for name in names if _is_forbidden(name))


def _is_forbidden(label: str) -> bool:
    domain, slash, _ = label.partition("/")
    if not slash:
        return False
    if _within(domain, (RESTRICTED_DOMAIN,)):
        return True
    return _within(domain, SYSTEM_DOMAINS) and label not in OWN_LABELS and not _within(domain, OWN_DOMAINS)


def _within(domain: str, parents: Iterable[str]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)


def _labels(tree: Tree) -> dict[str, str]:
    return dict(tree["metadata"].get("labels") or {})


def _changed(new: dict[str, str], old: dict[str, str]) -> Iterator[str]:
    return (name for name in {*new, *old} if new.get(name) != old.get(name))


def about_pod(write: Write, node_uid: str | None) -> str:
    """A pod itself. `node_uid`: of the node's object, where it is known."""
    node = write.node
    if write.operation == "CREATE" and write.new is not None:
        return _about_new_pod(write, write.new, node_uid)
    if write.operation == "DELETE":
        return "" if _is_on(write.old, node) else f'node "{node}" can only delete pods with spec.nodeName set to itself'
    return f'unexpected operation "{write.operation}", node "{node}" can only create and delete mirror pods'


def _about_new_pod(write: Write, pod: Tree, node_uid: str | None) -> str:
    node, spec = f'node "{write.node}"', pod["spec"]
    if MIRROR not in (pod["metadata"].get("annotations") or {}):
        return f'pod does not have "{MIRROR}" annotation, {node} can only create mirror pods'
    if not _is_on(pod, write.node):
        return f"{node} can only create pods with spec.nodeName set to itself"
    why = _about_owner(pod["metadata"].get("ownerReferences") or [], write.node, node_uid)
    if why:
        return why
    if spec.get("serviceAccountName"):
        return f"{node} can not create pods that reference a service account"
    kinds = {one.plural for one in named_by(Key(write.namespace, write.name), spec)}
    found = next((kind for kind in NAMED if kind in kinds), "")
    if found:
        return f"{node} can not create pods that reference {found}"
    return f"{node} can not create pods that reference resourceclaims" if spec.get("resourceClaims") else ""


def _about_owner(owners: list[Tree], name: str, uid: str | None) -> str:
    node = f'node "{name}"'
    if len(owners) > 1:
        return f"{node} can only create pods with a single owner reference set to itself"
    owner = owners[0] if owners else {}
    if (owner.get("apiVersion"), owner.get("kind"), owner.get("name")) != ("v1", "Node", name):
        return f"{node} can only create pods with an owner reference set to itself"
    if not owner.get("controller"):
        return f"{node} can only create pods with a controller owner reference set to itself"
    if owner.get("blockOwnerDeletion"):
        return f"{node} must not set blockOwnerDeletion on an owner reference"
    if uid is not None and owner.get("uid") != uid:
        return f"node {name} UID mismatch: expected {owner.get('uid')} got {uid}"
    return ""


def about_pod_status(write: Write) -> str:
    node, new, old = write.node, write.new, write.old
    if write.operation != "UPDATE":
        return f'unexpected operation "{write.operation}"'
    if not _is_on(old, node):
        return f'node "{node}" can only update pod status for pods with spec.nodeName set to itself'
    if new is None or old is None:
        return ""
    if _labels(new) != _labels(old):
        return f'node "{node}" cannot update labels through pod status'
    for field, what in CLAIMED.items():
        now, before = ((one.get("status") or {}).get(field) or None for one in (new, old))
        if now != before:
            return f'node "{node}" cannot update {what}'
    return ""


def about_eviction(write: Write, pod: Tree) -> str:
    if write.operation != "CREATE":
        return f"unexpected operation {write.operation}"
    return "" if _is_on(pod, write.node) else f"node {write.node} can only evict pods with spec.nodeName set to itself"


def about_binding(bound: Tree) -> str:
    """What a token shall be bound to."""
    if (bound.get("apiVersion"), bound.get("kind")) != ("v1", "Pod") or not bound.get("name"):
        return "node requested token not bound to a pod"
    return "" if bound.get("uid") else "node requested token with a pod binding without a uid"


def about_token(write: Write, pod: Tree, audiences: Iterable[str]) -> str:
    """A token for one of its pods; `pod` is the one that it shall be bound to, `audiences` those that this pod asks for."""
    spec: Tree = (write.new or {}).get("spec") or {}
    uid = spec["boundObjectRef"]["uid"]
    if pod["metadata"]["uid"] != uid:
        why = f"the UID in the bound object reference ({uid}) does not match the UID in record. "
        return why + "The object might have been deleted and then recreated"
    if not _is_on(pod, write.node):
        return "node requested token bound to a pod scheduled on a different node"
    wanted = spec.get("audiences") or [""]
    if len(wanted) > 1:
        return "node may only request 0 or 1 audiences"
    return "" if wanted[0] in set(audiences) else f'audience "{wanted[0]}" not found in pod spec volume'


def projected_audiences(pod: Tree) -> Iterator[str]:
    """The audiences of the tokens that a pod's projected volumes hold; "" is the server's own."""
    for volume in pod["spec"].get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            if source.get("serviceAccountToken") is not None:
                yield source["serviceAccountToken"].get("audience") or ""


def about_lease(write: Write) -> str:
    if write.namespace != LEASES:
        return f'can only access leases in the "{LEASES}" system namespace'
    return "" if write.name == write.node else "can only access node lease with the same name as the requesting node"


def about_csi_node(write: Write) -> str:
    return "" if write.name == write.node else "can only access CSINode with the same name as the requesting node"


def about_slice(write: Write) -> str:
    """A ResourceSlice is a node's by spec.nodeName."""
    tree = write.old or write.new or {}
    own = (tree.get("spec") or {}).get("nodeName") == write.node
    return "" if own else f"can only {write.operation.lower()} ResourceSlice with the same NodeName as the requesting node"


def about_claim(write: Write) -> str:
    """A node tells how far the growth of a volume is."""
    if write.subresource == "status":
        return ""
    return f'unexpected resource "persistentvolumeclaims", node "{write.node}" can only update their status'


def _is_on(pod: Tree | None, node: str) -> bool:
    return pod is not None and (pod.get("spec") or {}).get("nodeName") == node
