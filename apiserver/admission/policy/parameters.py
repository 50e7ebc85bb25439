"""Parameters: the objects that a binding hands to its policy — one by name, or all that a selector finds.

    no paramKind, or no paramRef    the policy is asked once, params is null
    found                           it is asked once for each
    not found                       parameterNotFoundAction Allow: it is not asked; Deny: its failurePolicy decides

A namespaced kind is looked for in paramRef.namespace, else in the request's.
https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#parameter-resources
apiserver pkg/admission/plugin/policy/generic/policy_dispatcher.go (CollectParams)
"""

from apiserver.admission.matching.versions import converted
from apiserver.admission.policy.definition import Binding, Policy
from apiserver.context import AdmissionAttributes, Server
from kube.api.labels import from_label_selector
from kube.api.meta import Key, Tree
from kube.api.resource import Resource

NOT_FOUND = "no params found for policy binding with `Deny` parameterNotFoundAction"


class Misconfigured(Exception):
    """The binding cannot be used for this request; the failurePolicy says what follows."""


async def parameters(policy: Policy, binding: Binding, attributes: AdmissionAttributes, server: Server) -> list[Tree | None]:
    """Raises Misconfigured."""
    if policy.param_kind is None or binding.param_ref is None:
        return [None]
    row = _row(policy.param_kind, server)
    if row is None:
        raise Misconfigured(f"paramKind kind `{_shown(policy.param_kind)}` not known")
    reference = binding.param_ref
    namespace = _namespace(row, reference, attributes)
    found = [await converted(one, _stored_row(one, row, server), row, server) for one in _chosen(row, reference, namespace, server)]
    if not found and reference.get("parameterNotFoundAction") == "Deny":
        raise Misconfigured(NOT_FOUND)
    return found


def _row(kind: tuple[str, str], server: Server) -> Resource | None:
    return next((one for one in server.routes.rows() if (one.api_version, one.kind) == kind), None)


def _stored_row(tree: Tree, row: Resource, server: Server) -> Resource:
    """The row of the version in which the cache has it."""
    return _row((str(tree.get("apiVersion") or row.api_version), row.kind), server) or row


def _namespace(row: Resource, reference: Tree, attributes: AdmissionAttributes) -> str:
    given = reference.get("namespace") or ""
    if not row.namespaced:
        if given:
            raise Misconfigured("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
        return ""
    if not given and not attributes.namespace:
        raise Misconfigured("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
    return str(given or attributes.namespace)


def _chosen(row: Resource, reference: Tree, namespace: str, server: Server) -> list[Tree]:
    store = server.stores.store_for(row)
    if reference.get("name"):
        one = store.cached(Key(namespace, reference["name"]))
        return [] if one is None else [one]
    selector = from_label_selector(reference.get("selector") or {})
    found = [one for one in store.cached_list(namespace) if selector.matches(one["metadata"].get("labels"))]
    return sorted(found, key=lambda one: (one["metadata"].get("namespace") or "", one["metadata"]["name"]))


def _shown(kind: tuple[str, str]) -> str:
    return f"{kind[0]}, Kind={kind[1]}"
