"""Escalation: nobody grants, by a role or by a binding, what they may not do themselves.

Who may `escalate` the role, or `bind` to it, may all the same; so may system:masters. A role that gathers others' rules can
come to allow anything, so that whoever writes its aggregationRule must be allowed everything. What only ends an object's life
(finalizers, owners) is not looked at.
Our choice of place: upstream does this between admission and storage; here it is the first of the validating plugins.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
kubernetes pkg/registry/rbac
"""

from apiserver.auth.rbac.authorizer import RbacAuthorizer
from apiserver.auth.rbac.index import GROUP, index_of
from apiserver.auth.rbac.rules import ALL, Rule, compact, quoted, uncovered
from apiserver.context import AdmissionAttributes, RequestInfo, Server, User
from kube.api.meta import Key, Tree
from kube.api.status import Forbidden, NotFound, is_forbidden, not_found

MASTERS = "system:masters"
ROLES = {"Role": "roles", "ClusterRole": "clusterroles"}
BINDINGS = ("RoleBinding", "ClusterRoleBinding")
FULL_AUTHORITY = (Rule((ALL,), (ALL,), (ALL,)), Rule((ALL,), urls=(ALL,)))
AGGREGATION = "must have cluster-admin privileges to use the aggregationRule"


class RoleEscalation:
    name = "RoleEscalation"
    kinds = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        row, new = attributes.resource, attributes.object
        if row.group != GROUP or new is None or attributes.subresource or MASTERS in attributes.user.groups:
            return
        if attributes.old is not None and _same(new, attributes.old):
            return
        if row.kind in ROLES:
            await _check_role(attributes, new, server)
        elif row.kind in BINDINGS:
            await _check_binding(attributes, new, server)


async def _check_role(attributes: AdmissionAttributes, new: Tree, server: Server) -> None:
    user, kind = attributes.user, attributes.resource.kind
    if await _may(server, user, "escalate", kind, attributes.name, attributes.namespace):
        return
    old = attributes.old or {}
    if new.get("aggregationRule") or old.get("aggregationRule"):
        wanted: tuple[Rule, ...] = FULL_AUTHORITY
    else:
        wanted = tuple(Rule.of(rule) for rule in new.get("rules") or ())
    why = refusal(server, user, attributes.namespace, wanted)
    if why:
        raise _refused(attributes, AGGREGATION if wanted is FULL_AUTHORITY else why)


async def _check_binding(attributes: AdmissionAttributes, new: Tree, server: Server) -> None:
    user, reference = attributes.user, new["roleRef"]
    kind, name, namespace = reference["kind"], reference["name"], attributes.namespace
    if await _may(server, user, "bind", kind, name, namespace):
        return
    rules = index_of(server).rules_of(Key(namespace if kind == "Role" else "", name))
    if rules is None:
        raise _missing(kind, name)
    why = refusal(server, user, namespace, rules.rules)
    if why:
        raise _refused(attributes, why)


def refusal(server: Server, user: User, namespace: str, wanted: tuple[Rule, ...]) -> str:
    """What the user would grant without having it, in upstream's words; or nothing."""
    owned, unknown = RbacAuthorizer(index_of(server)).rules(user, namespace)
    lacking = compact(uncovered(owned, wanted))
    if not lacking:
        return ""
    listed = "\n".join(sorted(str(rule) for rule in lacking))
    who = f"user {quoted([user.name])[1:-1]} (groups={quoted(user.groups)})"
    text = f"{who} is attempting to grant RBAC permissions not currently held:\n{listed}"
    return text + (f"; resolution errors: [{' '.join(unknown)}]" if unknown else "")


async def _may(server: Server, user: User, verb: str, kind: str, name: str, namespace: str) -> bool:
    info = RequestInfo(
        verb, "", "", {}, is_resource=True, api_group=GROUP, api_version="v1", plural=ROLES[kind], namespace=namespace, name=name
    )  # fmt: skip
    try:
        await server.authorizer.authorize(user, info)
    except Forbidden:
        return False
    return True


def _same(new: Tree, old: Tree) -> bool:
    fields = ("rules", "aggregationRule", "roleRef", "subjects")
    labels = new["metadata"].get("labels"), old["metadata"].get("labels")
    return labels[0] == labels[1] and all(new.get(field) == old.get(field) for field in fields)


def _missing(kind: str, name: str) -> NotFound:
    return not_found(ROLES[kind], GROUP, name)


def _refused(attributes: AdmissionAttributes, why: str) -> Forbidden:
    return is_forbidden(attributes.resource.plural, GROUP, attributes.said_name, why)
