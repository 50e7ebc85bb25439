"""OwnerReferencesPermissionEnforcement: who names owners could have the object deleted, or keep the owner from going.

To change an object's owners one must be allowed to delete it; to block an owner's deletion, to set the owner's finalizers. Off
unless --enable-admission-plugins names it.
https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#ownerreferencespermissionenforcement
kubernetes plugin/pkg/admission/gc
"""

from collections.abc import Iterator

from apiserver.context import AdmissionAttributes, RequestInfo, Server
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import ApiError, Forbidden, is_forbidden


class OwnerReferencesPermissionEnforcement:
    name = "OwnerReferencesPermissionEnforcement"
    by_default = False

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        new, old = attributes.object, attributes.old
        if new is None or attributes.subresource == "status" or _owners(new) == _owners(old):
            return
        row = attributes.resource
        if attributes.operation != "CREATE" and not await self._may(server, attributes, row, "delete", attributes.name):
            raise _refused(attributes, "cannot set an ownerRef on a resource you can't delete: ")
        for owner in newly_blocking(_owners(new), _owners(old)):
            found = _row_of(server, owner)
            if found is None or not await self._may(server, attributes, found, "update", owner["name"], "finalizers"):
                text = "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: "
                raise _refused(attributes, text)

    async def _may(
        self, server: Server, attributes: AdmissionAttributes, row: Resource, verb: str, name: str, subresource: str = ""
    ) -> bool:
        info = RequestInfo(
            verb, "", "", {}, is_resource=True, api_group=row.group, api_version=row.version, plural=row.plural, name=name,
            namespace=attributes.namespace if row.namespaced else "", subresource=subresource,
        )  # fmt: skip
        try:
            await server.authorizer.authorize(attributes.user, info)
        except Forbidden:
            return False
        return True


def newly_blocking(owners: list[Tree], before: list[Tree]) -> Iterator[Tree]:
    """The owners whose deletion is blocked now and was not. Pure."""
    blocked = {one.get("uid") for one in before if one.get("blockOwnerDeletion")}
    return (one for one in owners if one.get("blockOwnerDeletion") and one.get("uid") not in blocked)


def _owners(tree: Tree | None) -> list[Tree]:
    return ((tree or {}).get("metadata") or {}).get("ownerReferences") or []


def _row_of(server: Server, owner: Tree) -> Resource | None:
    version, kind = owner.get("apiVersion"), owner.get("kind")
    return next((row for row in server.routes.rows() if row.api_version == version and row.kind == kind), None)


def _refused(attributes: AdmissionAttributes, why: str) -> ApiError:
    return is_forbidden(attributes.resource.plural, attributes.resource.group, attributes.said_name, why)
