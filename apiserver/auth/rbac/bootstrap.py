"""Bootstrap: make the policy's roles and bindings where they are missing, and give back what was taken from them.

Only ever adds: rules, subjects, labels and annotations that an administrator added stay. One whose annotation
rbac.authorization.kubernetes.io/autoupdate is "false" is left alone. A binding to another role is made anew. What an aggregated
role allows is the controller's matter, except that its rules cannot wait for it: it is filled in when it is made.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation
component-helpers auth/rbac/reconciliation
"""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any

from apiserver.auth.rbac.index import RbacIndex
from apiserver.auth.rbac.policy import controllers, system, users
from apiserver.auth.rbac.policy.words import AUTOUPDATE
from apiserver.auth.rbac.rules import Rule, compact, uncovered
from apiserver.context import Server
from apiserver.storage.metadata import fill_new
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import AlreadyExists, ApiError, NotFound
from kube.api.types import ClusterRole, ClusterRoleBinding, Role, RoleBinding

AT_ONCE = 16
LOOK_SECONDS = 0.01

POLICY: tuple[tuple[type[Any], tuple[Tree, ...]], ...] = (
    (ClusterRole, (*users.ROLES, *system.ROLES, *controllers.ROLES)),
    (ClusterRoleBinding, (*system.BINDINGS, *controllers.BINDINGS)),
    (Role, system.NAMESPACE_ROLES),
    (RoleBinding, system.NAMESPACE_BINDINGS),
)


async def reconcile(server: Server) -> None:
    """Once, at the server's start; the namespaces are there. Raises what the store raises."""
    limit = asyncio.Semaphore(AT_ONCE)
    failed: BaseException | None = None

    async def one(kind: type[Any], tree: Tree) -> None:
        async with limit:
            await _reconcile_one(server, kind, tree)

    try:
        async with asyncio.TaskGroup() as tasks:
            for kind, trees in POLICY:
                for tree in trees:
                    tasks.create_task(one(kind, aggregated(tree)))
    except* ApiError as failures:
        failed = failures.exceptions[0]
    if failed is not None:
        raise failed
    await _known(server)


async def _known(server: Server) -> None:
    """Until the authorizer has heard of the roles: who comes right after the start is not turned away."""
    index: RbacIndex | None = server.state.get("rbac")
    keys = [Key(tree["metadata"].get("namespace", ""), tree["metadata"]["name"]) for _, trees in POLICY for tree in trees]
    while index is not None and not all(index.knows(key) for key in keys):  # noqa: ASYNC110 -- told by the watch, to nobody
        await asyncio.sleep(LOOK_SECONDS)


def aggregated(tree: Tree) -> Tree:
    """An aggregated role of the policy with the rules that the policy's own roles give it; another one as it is."""
    if "aggregationRule" not in tree:
        return tree
    (label,) = tree["aggregationRule"]["clusterRoleSelectors"][0]["matchLabels"]
    parts = [one for one in users.ROLES if label in one["metadata"]["labels"]]
    return {**tree, "rules": [rule for part in parts for rule in aggregated(part)["rules"]]}


async def _reconcile_one(server: Server, kind: type[Any], wanted: Tree) -> None:
    row = resource_of(kind)
    store = server.stores.store_for(row)
    key = Key(wanted["metadata"].get("namespace", ""), wanted["metadata"]["name"])
    found = store.cached(key)
    if found is not None and found.get("roleRef", {}) != wanted.get("roleRef", {}) and _is_kept(found):
        with contextlib.suppress(NotFound):  # another server did it
            await store.delete(key, {"preconditions": {"uid": found["metadata"]["uid"]}})
        found = None
    if found is not None:
        if mended(found, wanted) != found:
            await store.update(key, _mending(wanted))
        return
    tree = {"apiVersion": f"{row.group}/{row.version}", "kind": row.kind, **wanted, "metadata": {**wanted["metadata"]}}
    fill_new(tree, row, key.namespace, store.now())
    try:
        await store.create(tree)
    except AlreadyExists:
        return  # another server was faster


def _mending(wanted: Tree) -> Any:
    async def mend(current: Tree) -> Tree:
        return mended(current, wanted)

    return mend


def _is_kept(found: Tree) -> bool:
    return bool((found["metadata"].get("annotations") or {}).get(AUTOUPDATE) != "false")


def mended(found: Tree, wanted: Tree) -> Tree:
    """What is there, with everything that is wanted of it. Pure."""
    if not _is_kept(found):
        return found
    metadata = dict(found["metadata"])
    for field in ("labels", "annotations"):
        metadata[field] = {**wanted["metadata"][field], **(metadata.get(field) or {})}
    tree = {**found, "metadata": metadata}
    if "roleRef" in wanted:
        have = found.get("subjects") or []
        missing = [one for one in wanted["subjects"] if one not in have]
        return tree | {"subjects": [*have, *missing]} if missing else tree
    if "aggregationRule" in wanted:
        return tree | {"aggregationRule": _joined(found.get("aggregationRule") or {}, wanted["aggregationRule"])}
    rules = found.get("rules") or []
    missing_rules = uncovered(map(Rule.of, rules), map(Rule.of, wanted.get("rules") or ()))
    return tree | {"rules": [*rules, *(rule.tree() for rule in compact(missing_rules))]} if missing_rules else tree


def _joined(found: Tree, wanted: Tree) -> Tree:
    have: list[Tree] = found.get("clusterRoleSelectors") or []
    more: Iterable[Tree] = (one for one in wanted["clusterRoleSelectors"] if one not in have)
    return {**found, "clusterRoleSelectors": [*have, *more]}
