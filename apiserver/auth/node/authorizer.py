"""The node authorizer: what a node may do, and to which objects.

A node is a user system:node:<name> in the group system:nodes. What it may do at all are the rules of the role system:node; for
secrets, configmaps, claims, volumes and service accounts the graph must lead from one of its pods to the object, and its own
Node, lease, CSINode and pods are all that it sees of these. There is no way to forbid: RBAC may grant more.
kubernetes plugin/pkg/auth/authorizer/node/node_authorizer.go
"""

from collections.abc import Callable

from apiserver.auth.decision import ALLOWED, NO_OPINION, Decision, Prompt
from apiserver.auth.node.graph import Graph, Object
from apiserver.auth.rbac.policy.system import NODE_RULES
from apiserver.auth.rbac.rules import Rule, Rules
from apiserver.context import RequestInfo, User
from kube.api import fields

PREFIX, GROUP = "system:node:", "system:nodes"
LEASES = "kube-node-lease"
READ, CHANGE = ("get", "list", "watch"), ("create", "update", "patch")


def node_of(user: User) -> str:
    """The name of the node that speaks, or nothing."""
    return user.name.removeprefix(PREFIX) if _is_node(user) else ""


def _is_node(user: User) -> bool:
    return user.name.startswith(PREFIX) and GROUP in user.groups


class NodeAuthorizer(Prompt):
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._rules = Rules(Rule.of(tree) for tree in NODE_RULES)
        self._special: dict[tuple[str, str], Callable[[str, RequestInfo], Decision]] = {
            ("", "secrets"): self._read,
            ("", "configmaps"): self._read,
            ("", "persistentvolumeclaims"): self._claim,
            ("", "persistentvolumes"): self._get,
            ("", "serviceaccounts"): self._account,
            ("", "nodes"): self._node,
            ("", "pods"): self._pod,
            ("storage.k8s.io", "volumeattachments"): self._get,
            ("storage.k8s.io", "csinodes"): self._csi_node,
            ("coordination.k8s.io", "leases"): self._lease,
        }

    def decided(self, user: User, info: RequestInfo) -> Decision:
        node = node_of(user)
        if not node:
            return Decision(None, f'unknown node for user "{user.name}"') if _is_node(user) else NO_OPINION
        special = self._special.get((info.api_group, info.plural)) if info.is_resource else None
        if special is not None:
            return special(node, info)
        return ALLOWED if self._rules.allow(info) else NO_OPINION

    def _reachable(self, node: str, info: RequestInfo) -> Decision:
        if not info.name:
            return Decision(None, "No Object name found")
        if self._graph.reaches(node, Object(info.plural, info.namespace, info.name)):
            return ALLOWED
        return Decision(None, f"no relationship found between node '{node}' and this object")

    def _read(self, node: str, info: RequestInfo) -> Decision:
        if info.verb not in READ:
            return Decision(None, "can only read resources of this type")
        if info.subresource:
            return Decision(None, "cannot read subresource")
        if not info.namespace:
            return Decision(None, "can only read namespaced object of this type")
        return self._reachable(node, info)

    def _get(self, node: str, info: RequestInfo) -> Decision:
        if info.verb != "get":
            return Decision(None, "can only get individual resources of this type")
        if info.subresource:
            return Decision(None, "cannot get subresource")
        return self._reachable(node, info)

    def _claim(self, node: str, info: RequestInfo) -> Decision:
        if info.subresource != "status":
            return self._get(node, info)
        if info.verb not in ("update", "patch"):
            return Decision(None, "can only get/update/patch this type")
        return self._reachable(node, info)

    def _account(self, node: str, info: RequestInfo) -> Decision:
        if info.verb == "get" and not info.subresource:  # for the plugins that fetch credentials for images
            return self._reachable(node, info)
        if info.verb != "create" or not info.name:
            return Decision(None, "can only create tokens for individual service accounts")
        if info.subresource != "token":
            return Decision(None, "can only create token subresource of serviceaccount")
        return self._reachable(node, info)

    def _node(self, node: str, info: RequestInfo) -> Decision:
        """Which Node it writes is NodeRestriction's matter."""
        if info.verb in READ and not info.subresource:
            if info.name == node:
                return ALLOWED
            what = f"'{info.name}'" if info.name else "all nodes"
            return Decision(None, f"node '{node}' cannot read {what}, only its own Node object")
        return ALLOWED if self._rules.allow(info) else NO_OPINION

    def _pod(self, node: str, info: RequestInfo) -> Decision:
        if info.verb not in READ or info.subresource:
            return ALLOWED if self._rules.allow(info) else NO_OPINION
        if info.verb == "get":
            return self._reachable(node, info)
        if _selected(info, "spec.nodeName") == node:
            return ALLOWED
        return Decision(None, "can only list/watch pods with spec.nodeName field selector")

    def _lease(self, node: str, info: RequestInfo) -> Decision:
        if info.verb not in ("get", *CHANGE, "delete"):
            return Decision(None, "can only get, create, update, patch, or delete a node lease")
        if info.namespace != LEASES:
            return Decision(None, f'can only access leases in the "{LEASES}" system namespace')
        if info.verb != "create" and info.name != node:
            return Decision(None, "can only access node lease with the same name as the requesting node")
        return ALLOWED

    def _csi_node(self, node: str, info: RequestInfo) -> Decision:
        if info.verb not in ("get", *CHANGE, "delete"):
            return Decision(None, "can only get, create, update, patch, or delete a CSINode")
        if info.subresource:
            return Decision(None, "cannot authorize CSINode subresources")
        if info.verb != "create" and info.name != node:
            return Decision(None, "can only access CSINode with the same name as the requesting node")
        return ALLOWED


def _selected(info: RequestInfo, field: str) -> str | None:
    """The one value of a field that the request's selector allows."""
    text = info.param("fieldSelector")
    if not text:
        return None
    try:
        return fields.parse(text).exactly(field)
    except ValueError:
        return None
