"""ResourceQuota: what a namespace may use in all. The last plugin: what it charges is about to be stored.

Each quota that the object concerns is charged in its status, by compare-and-swap, before the object is there: parallel requests,
also to several servers, never get more than the quota has. Nothing is ever paid back here; the controller counts what there
really is. Requests of one server queue up for a quota, since each race lost costs a round trip. A quota whose status says
nothing of a resource yet refuses: nobody knows what is used.
https://kubernetes.io/docs/concepts/policy/resource-quotas/ · apiserver pkg/admission/plugin/resourcequota
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from apiserver.context import AdmissionAttributes, Server
from kube.api import quota
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import ApiError, InternalError, NotFound, is_forbidden
from kube.api.types import ResourceQuota
from kube.api.views import lenient_view

_QUOTAS = resource_of(ResourceQuota)
WAIT_SECONDS = 10.0
ON_UPDATE = frozenset((("", "services"), ("", "persistentvolumeclaims")))  # others use no more after a change than before


class QuotaAdmission:
    name = "ResourceQuota"

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        if not _is_charged(attributes):
            return
        store = server.stores.store_for(_QUOTAS)
        quotas = store.cached_list(attributes.namespace) if store.cache else []
        if not quotas:
            return
        demand = Demand(attributes, store.now())
        concerned = [Key(attributes.namespace, one["metadata"]["name"]) for one in quotas if demand.charge(one) is not None]
        locks: dict[Key, asyncio.Lock] = server.state.setdefault("quota locks", {})
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                for key in concerned:
                    async with locks.setdefault(key, asyncio.Lock()):
                        await self._charge(server, key, demand, attributes.dry_run)
        except TimeoutError:
            raise InternalError("Internal error occurred: resource quota evaluation timed out") from None

    async def _charge(self, server: Server, key: Key, demand: "Demand", dry_run: bool) -> None:
        async def charged(current: Tree) -> Tree:
            return demand.charge(current) or current

        try:
            await server.stores.store_for(resource_of(ResourceQuota)).update(key, charged, dry_run)
        except NotFound:
            return  # the quota was deleted meanwhile: it limits nothing


def _is_charged(attributes: AdmissionAttributes) -> bool:
    row = attributes.resource
    if not row.namespaced or attributes.object is None:
        return False
    if attributes.operation == "UPDATE":
        resized = row.kind == "Pod" and attributes.subresource == "resize"
        return resized or ((row.group, row.plural) in ON_UPDATE and not attributes.subresource)
    return attributes.operation == "CREATE" and not attributes.subresource


class Demand:
    """What a request would take, and of which quotas."""

    def __init__(self, attributes: AdmissionAttributes, now: datetime) -> None:
        row = attributes.resource
        self._attributes = attributes
        self._what = (row.group, row.plural)
        self._object = _viewed(row.view, attributes.object)
        self._usage = quota.usage(*self._what, self._object, now)
        if attributes.old is not None:
            before = quota.usage(*self._what, _viewed(row.view, attributes.old), now)
            self._usage = {name: max(amount - before.get(name, Decimal(0)), Decimal(0)) for name, amount in self._usage.items()}

    def charge(self, tree: Tree) -> Tree | None:
        """The quota with this demand in its status; None where it takes nothing of it. Raises Forbidden."""
        one: Any = lenient_view(ResourceQuota, tree)
        hard = quota.parsed(one.status.hard if one.status is not None else None)
        limited = [name for name in hard if quota.concerns(*self._what, name)]
        if not limited or not quota.applies(one, *self._what, self._object):
            return None
        name = tree["metadata"]["name"]
        if self._what == ("", "pods") and (text := quota.unsaid(self._object, limited)):
            raise self._refused(f"failed quota: {name}: {text}")
        used = quota.parsed(one.status.used)
        unknown = sorted(resource for resource in limited if resource not in used)
        if unknown:
            raise self._refused(f"status unknown for quota: {name}, resources: {','.join(unknown)}")
        asked = {resource: self._usage[resource] for resource in limited if self._usage.get(resource)}
        exceeded = [resource for resource, amount in asked.items() if used[resource] + amount > hard[resource]]
        if exceeded:
            told = (("requested", asked), ("used", used), ("limited", hard))
            parts = (f"{word}: {_told(amounts, exceeded)}" for word, amounts in told)
            raise self._refused(f"exceeded quota: {name}, {', '.join(parts)}")
        if not asked:
            return None
        more = quota.rendered({resource: used[resource] + amount for resource, amount in asked.items()})
        return {**tree, "status": {**tree["status"], "used": {**tree["status"]["used"], **more}}}

    def _refused(self, why: str) -> ApiError:
        group, plural = self._what
        return is_forbidden(plural, group, self._attributes.said_name, why)


def _viewed(view: type[Any] | None, tree: Tree | None) -> Any:
    """Custom resources are only counted."""
    return lenient_view(view, tree) if view is not None and tree is not None else None


def _told(amounts: Mapping[str, Decimal], names: list[str]) -> str:
    """`cpu=1,pods=2`"""
    listed = quota.rendered({name: amounts[name] for name in names})
    return ",".join(f"{name}={amount}" for name, amount in listed.items())
