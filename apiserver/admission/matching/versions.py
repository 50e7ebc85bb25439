"""Versions: one object, several served versions — which of them rules may name, and the object in that one.

    built in   rows of one kind that share their storage (events, autoscaling) convert through the stored form
    custom     the versions of one CustomResourceDefinition convert as that says
A subresource that has a kind of its own (Scale, Binding, PodExecOptions) is the same in all of them.
https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchpolicy
"""

from apiserver.context import Server
from apiserver.storage import codec
from apiserver.storage.entry import Entry
from apiserver.storage.served_form import ServedForm
from kube.api.meta import Tree
from kube.api.resource import Resource


def equivalents(row: Resource, server: Server) -> list[Resource]:
    """The other rows that are the same resource in another group or version."""
    home = server.stores.prefix(row)
    return [
        one for one in server.routes.rows()
        if one is not row and one.kind == row.kind and "create" in one.verbs and server.stores.prefix(one) == home
    ]  # fmt: skip


async def converted(tree: Tree | None, source: Resource, target: Resource, server: Server) -> Tree | None:
    """A tree of the row `source` as one of the row `target`; of another kind, or none at all, it stays as it is."""
    if tree is None or source is target or tree.get("kind") != source.kind:
        return tree
    if source.served_form is not None and target.served_form is not None:
        return await _custom(tree, source.served_form, target.served_form)
    stored = source.stored_tree(tree) if source.stored_tree else tree
    shown = target.view_tree(stored) if target.view_tree else stored
    return {**shown, "apiVersion": target.api_version, "kind": target.kind}


async def _custom(tree: Tree, source: ServedForm, target: ServedForm) -> Tree:
    """A custom resource by way of its stored form. Raises ApiError where it cannot be converted."""
    stored = await source.stored(tree)
    [entry] = await target.entries([Entry("", codec.encode(stored), 0)])
    converted = entry.tree()
    version = tree["metadata"].get("resourceVersion")
    if version is not None:
        converted["metadata"]["resourceVersion"] = version
    else:
        converted["metadata"].pop("resourceVersion", None)
    return converted
