"""NamespaceLifecycle: nothing new in a namespace that is not there or is going; some namespaces never go.

It changes nothing, but stands first among those that do, as upstream: no other plugin meets such an object.
https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#namespacelifecycle
"""

from apiserver.context import AdmissionAttributes, Server
from kube.api.meta import Key
from kube.api.resources import resource_of
from kube.api.status import NotFound, is_forbidden, not_found
from kube.api.types import Namespace

_NAMESPACES = resource_of(Namespace)
ACCESS_REVIEW = "localsubjectaccessreviews"  # may ask about a namespace that is not there
IMMORTAL = ("default", "kube-system", "kube-public")


class NamespaceLifecycle:
    name = "NamespaceLifecycle"

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        row = attributes.resource
        if row.plural == "namespaces" and not row.group:
            if attributes.operation == "DELETE" and attributes.name in IMMORTAL:
                raise is_forbidden(row.plural, row.group, attributes.said_name, "this namespace may not be deleted")
            return
        if attributes.operation != "CREATE" or not row.namespaced or row.plural == ACCESS_REVIEW:
            return
        if await self._is_going(attributes.namespace, server):
            why = f"unable to create new content in namespace {attributes.namespace} because it is being terminated"
            error = is_forbidden(row.plural, row.group, attributes.said_name, why)
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {attributes.namespace} is being terminated",
                "field": "metadata.namespace",
            }
            error.details = {**(error.details or {}), "causes": [cause]}
            raise error

    async def _is_going(self, name: str, server: Server) -> bool:
        """By the cache, or by the newest state where the cache has none: it may have been made a moment ago."""
        store = server.stores.store_for(_NAMESPACES)
        found = store.cache.get(store.prefix + name)
        if found is None:
            try:
                found = await store.entry(Key("", name))
            except NotFound:
                raise not_found("namespaces", "", name) from None
        return found.metadata.deletion_timestamp is not None
