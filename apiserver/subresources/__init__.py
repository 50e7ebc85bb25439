"""Subresources beyond status and scale, and kinds without storage (an empty subresource): one handler each.

https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
"""

from collections.abc import Mapping

from apiserver.context import Handler
from apiserver.subresources import approval, binding, component_status, eviction, node_api, pod_parts, proxy, review, token
from apiserver.subresources import finalize as namespace_finalize

_POST, _OBJECT = frozenset(("POST",)), frozenset(("GET", "PUT", "PATCH"))
_STREAM, _ANY = frozenset(("GET", "POST")), frozenset(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"))
METHODS: Mapping[str, frozenset[str]] = {  # of the subresources below
    "approval": _OBJECT, "attach": _STREAM, "binding": _POST, "ephemeralcontainers": _OBJECT, "eviction": _POST, "exec": _STREAM,
    "finalize": frozenset(("PUT",)), "log": frozenset(("GET",)), "portforward": _STREAM, "proxy": _ANY, "resize": _OBJECT,
    "token": _POST,
}  # fmt: skip

SUBRESOURCES: Mapping[tuple[str, str, str], Handler] = {
    ("", "bindings", ""): binding.bind,
    ("", "componentstatuses", ""): component_status.read,
    ("", "namespaces", "finalize"): namespace_finalize.finalize,
    ("", "nodes", "proxy"): proxy.node,
    ("", "pods", "attach"): node_api.attach,
    ("", "pods", "binding"): binding.bind,
    ("", "pods", "ephemeralcontainers"): pod_parts.ephemeral_containers,
    ("", "pods", "eviction"): eviction.evict,
    ("", "pods", "exec"): node_api.execute,
    ("", "pods", "log"): node_api.log,
    ("", "pods", "portforward"): node_api.port_forward,
    ("", "pods", "proxy"): proxy.pod,
    ("", "pods", "resize"): pod_parts.resize,
    ("", "serviceaccounts", "token"): token.issue,
    ("", "services", "proxy"): proxy.service,
    ("authentication.k8s.io", "selfsubjectreviews", ""): review.self_subject,
    ("authentication.k8s.io", "tokenreviews", ""): review.token,
    ("authorization.k8s.io", "localsubjectaccessreviews", ""): review.subject_access,
    ("authorization.k8s.io", "selfsubjectaccessreviews", ""): review.self_subject_access,
    ("authorization.k8s.io", "selfsubjectrulesreviews", ""): review.self_subject_rules,
    ("authorization.k8s.io", "subjectaccessreviews", ""): review.subject_access,
    ("certificates.k8s.io", "certificatesigningrequests", "approval"): approval.approve,
}
