"""Status: the conditions and accepted names of the definitions, written where they are not what they should be.

The first worker of every API server does this; what they write is the same, and the store lets only one of them. A definition
whose names were taken is looked at again when another one of its group changes or goes.
"""

import asyncio
from typing import TYPE_CHECKING

from apiserver.context import Server
from apiserver.crd import cleanup, conditions
from apiserver.crd.definition import DEFINITION
from apiserver.storage.deletion import utc_now
from kube.api.apiextensions.customresourcedefinition import CLEANUP
from kube.api.meta import Key, Tree
from kube.api.status import ApiError, NotFound
from kube.api.views import timestamp
from kube.component.logging import get_logger

if TYPE_CHECKING:
    from apiserver.crd.registry import Registry

RETRY_SECONDS = 1.0

log = get_logger(__name__)


class Worker:
    """Works through the definitions that somebody should look at, one after the other."""

    def __init__(self, server: Server, registry: "Registry") -> None:
        self._server = server
        self._registry = registry
        self._pending: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._cleaning: set[str] = set()

    def look_at(self, name: str, definition: Tree | None) -> None:
        self._pending[name] = None
        for one in self._registry.in_group(definition["spec"]["group"]) if definition is not None else ():
            if not conditions.is_true(one, conditions.NAMES_ACCEPTED):
                self._pending[one["metadata"]["name"]] = None
        self._wake.set()

    async def run(self) -> None:
        """For the server's life."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            names, self._pending = self._pending, {}
            for name in names:
                try:
                    await self._settle(name)
                except NotFound:
                    continue  # gone since
                except ApiError as error:
                    log.warning("a definition's status cannot be written", name=name, err=error)
                    asyncio.get_running_loop().call_later(RETRY_SECONDS, self.look_at, name, None)
                except Exception:  # the loop's top: one definition's trouble must end neither the server nor the others' work
                    log.exception("a definition is left as it is", name=name)

    async def _settle(self, name: str) -> None:
        definition = self._registry.find(name)
        if definition is None:
            return
        if definition["metadata"].get("deletionTimestamp"):
            self._clean(name, definition)
            return
        if self._settled(definition) != definition:
            store = self._server.stores.store_for(DEFINITION)
            await store.update(Key("", name), self._mutate)

    def _settled(self, definition: Tree) -> Tree:
        """The definition with the status that it should have."""
        copied: Tree = {**definition, "status": {**(definition.get("status") or {})}}
        status = copied["status"]
        status["acceptedNames"] = dict(status.get("acceptedNames") or {"plural": "", "kind": ""})
        status["conditions"] = [dict(one) for one in status.get("conditions") or ()]
        name, now = definition["metadata"]["name"], timestamp(utc_now())
        others = [one for one in self._registry.in_group(definition["spec"]["group"]) if one["metadata"]["name"] != name]
        conditions.named(copied, others, now)
        conditions.approved(copied, now)
        return copied

    async def _mutate(self, current: Tree) -> Tree:
        return current if current["metadata"].get("deletionTimestamp") else self._settled(current)

    def _clean(self, name: str, definition: Tree) -> None:
        if CLEANUP not in (definition["metadata"].get("finalizers") or ()) or name in self._cleaning:
            return
        self._cleaning.add(name)
        self._server.spawn(self._clean_up(name, definition), f"clean-up of {name}")

    async def _clean_up(self, name: str, definition: Tree) -> None:
        try:
            await cleanup.run(self._server, definition)
        finally:
            self._cleaning.discard(name)
