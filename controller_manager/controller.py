"""Controller: the loop that every controller is — events become keys, keys are reconciled, one worker a key at a time.

A controller states as data which kinds it needs:
- `reconciles`: its own kind; an event enqueues the object's key;
- `owns`: what it creates; an event enqueues the owner (by controller reference, matched by UID), ticks off expectations, and,
  where `adopts` is set, an object without a controller enqueues every owner in its namespace whose selector matches it;
- `reads`: kinds whose cache it reads and whose events do not matter to it;
- `extra()`: any other mapping from an event to keys.
Reconciling is level-based: it looks at what is, never at which event came. Nothing is reconciled before the caches are filled.
https://kubernetes.io/docs/concepts/architecture/controller/ · controller-runtime pkg/internal/controller
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from controller_manager import metrics
from controller_manager.adoption import claim, selector_of
from controller_manager.config import Config
from controller_manager.expectations import Expectations
from kube.api.meta import Key, Tree, controller_of, key_of
from kube.api.status import ApiError, Conflict, NotFound
from kube.api.types import Pod
from kube.client.cache import Cache
from kube.client.events import EventRecorder
from kube.client.informer import Informer, Informers
from kube.client.queue import ShutDown, WorkQueue
from kube.client.rest import Client, Unreachable
from kube.component.clock import Clock
from kube.component.logging import get_logger

log = get_logger(__name__)

V = TypeVar("V")
K = TypeVar("K", bound=Any)

ORPHANS = "orphans"  # the index of objects without a controller, by namespace


@dataclass(frozen=True)
class Context:
    """What the program gives to each of its controllers."""

    client: Client
    informers: Informers
    clock: Clock
    config: Config


@dataclass(frozen=True)
class Watch:
    """An event of `kind` enqueues `keys(object)`: of the form before the change and of the one after it."""

    kind: type[Any]
    keys: Callable[[Any], Iterable[Any]]


class Controller(ABC, Generic[K]):
    name: ClassVar[str]  # upstream's, as --controllers takes it
    component: ClassVar[str] = ""  # who its events come from; empty: the name
    reconciles: type[Any] | None = None
    owns: tuple[type[Any], ...] = ()
    expects: type[Any] = Pod  # of the kinds it owns, the one that expectations are about
    adopts: ClassVar[bool] = False
    reads: tuple[type[Any], ...] = ()

    def __init__(self, context: Context) -> None:
        self.client = context.client
        self.clock = context.clock
        self.config = context.config
        self.queue: WorkQueue[Any] = WorkQueue()
        self.expectations = Expectations(context.clock.monotonic)
        self.recorder = EventRecorder(context.client, self.component or self.name)
        self._informers = context.informers
        self._private: list[Informer[Any]] = []
        self._superseded: dict[Key, str] = {}  # the resourceVersions that statuses we wrote replaced
        self._subscribe()

    @abstractmethod
    async def reconcile(self, key: K) -> float | None:
        """Bring what the key names to its wanted state.

        Raise: tried again after a pause that doubles each time. Return seconds: again after that long. Return None: done, until
        the next event. Never called for one key twice at a time.
        """

    @property
    def workers(self) -> int:
        """How many keys are worked on at a time."""
        return 5

    def extra(self) -> tuple[Watch, ...]:
        """Mappings beyond `reconciles` and `owns`."""
        return ()

    def cache(self, kind: type[V]) -> Cache[V]:
        """The shared cache of a kind."""
        return self._informers.of(kind).cache

    def informer(self, kind: type[V], **selection: Any) -> Informer[V]:
        """An informer of this controller's own, for some objects of a kind; it runs with the controller."""
        made = Informer(self.client, kind, **selection)
        self._private.append(made)
        return made

    def candidates(self, kind: type[V], owner: Any) -> list[V]:
        """The owner's objects and those without a controller in its namespace: what there is to claim."""
        cache = self.cache(kind)
        return cache.owned_by(owner.metadata.uid) + cache.by_index(ORPHANS, owner.metadata.namespace or "")

    async def write_status(self, obj: Any, patch: Tree) -> None:
        """Merge a patch into the object's status, if it says anything, and only onto the form that was looked at.

        A patch is a difference: on top of another form it would mix the one's fields with the other's.
        """
        if not patch:
            return
        key, version = key_of(obj), obj.metadata.resourceVersion
        body = {"metadata": {"uid": obj.metadata.uid, "resourceVersion": version}, "status": patch}
        written = await self.client.patch(type(obj), key, body, subresource="status")
        if written["metadata"]["resourceVersion"] != version:
            self._superseded[key] = version

    def behind(self, obj: Any) -> bool:
        """Whether this is the form that our last status replaced: the cache is behind, and an event is on its way."""
        key = key_of(obj)
        if self._superseded.get(key) == obj.metadata.resourceVersion:
            return True
        self._superseded.pop(key, None)
        return False

    async def prepare(self, tasks: asyncio.TaskGroup) -> None:
        """What else must be there before the first key is reconciled; may start tasks that run beside the work."""
        return

    async def run(self) -> None:
        """Work until cancelled."""
        metrics.DEPTH.labels(self.name).set_function(self.queue.__len__)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.recorder.run())
            for informer in self._private:
                tasks.create_task(informer.run())
            for informer in self._private:
                await informer.synced.wait()
            await self._informers.wait_synced()
            await self.prepare(tasks)
            for _ in range(self.workers):
                tasks.create_task(self._work())

    # --- from events to keys -----------------------------------------------------------------------------------------

    def _subscribe(self) -> None:
        if self.reconciles is not None:
            self._informers.of(self.reconciles).on_change(self._own_event)
        for kind in self.owns:
            informer = self._informers.of(kind)
            informer.cache.add_index(ORPHANS, _orphan_namespace)
            informer.on_change(self._owned_event)
        for kind in self.reads:
            self._informers.of(kind)
        for watch in self.extra():
            self._informers.of(watch.kind).on_change(self._handler(watch))

    def _own_event(self, old: Any, new: Any) -> None:
        if new is None:
            self.expectations.forget(old.metadata.uid)
            self._superseded.pop(key_of(old), None)
        self.queue.add(key_of(old if new is None else new))

    def _handler(self, watch: Watch) -> Callable[[Any, Any], None]:
        def handle(old: Any, new: Any) -> None:
            for obj in (old, new):
                if obj is not None:
                    for key in watch.keys(obj):
                        self.queue.add(key)

        return handle

    def _owned_event(self, old: Any, new: Any) -> None:
        self._tick_off(old, new)
        for obj in (old, new):
            if obj is None:
                continue
            controller = controller_of(obj.metadata)
            if controller is not None:
                self._enqueue_owner(Key(obj.metadata.namespace or "", controller.name), controller.uid)
            elif self.adopts and obj is new and new.metadata.deletionTimestamp is None:
                self._enqueue_matching(new)

    def _tick_off(self, old: Any, new: Any) -> None:
        last = old if new is None else new
        controller = controller_of(last.metadata)
        if controller is None or not isinstance(last, self.expects):
            return
        if old is None:
            self.expectations.created(controller.uid)
        if new is None or new.metadata.deletionTimestamp is not None:
            self.expectations.deleted(controller.uid, last.metadata.uid)

    def _enqueue_owner(self, key: Key, uid: str) -> None:
        owner: Any = self.cache(self.reconciles).get(key) if self.reconciles is not None else None
        if owner is not None and owner.metadata.uid == uid:
            self.queue.add(key)

    def _enqueue_matching(self, orphan: Any) -> None:
        """Owners that may adopt it."""
        assert self.reconciles is not None, "only a controller with a kind of its own can adopt"
        for owner in self.cache(self.reconciles).list(orphan.metadata.namespace or ""):
            if claim(owner, selector_of(owner), (orphan,)).adopt:
                self.queue.add(key_of(owner))

    # --- from keys to work -------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            try:
                key = await self.queue.get()
            except ShutDown:
                return
            started = self.clock.monotonic()
            try:
                again = await self.reconcile(key)
            except (Conflict, NotFound) as error:  # the cache was behind: usual, and soon over
                log.debug("retrying", controller=self.name, key=key, reason=error)
                self.queue.retry(key)
            except (ApiError, Unreachable) as error:
                log.warning("retrying", controller=self.name, key=key, reason=error)
                self.queue.retry(key)
            except Exception:  # a loop top: one object's trouble must not end the work on the others
                log.exception("reconcile failed", controller=self.name, key=key)
                self.queue.retry(key)
            else:
                self.queue.forget(key)
                if again is not None:
                    self.queue.add_after(key, again)
            finally:
                self.queue.done(key)
                metrics.WORK_SECONDS.labels(self.name).observe(self.clock.monotonic() - started)


def _orphan_namespace(obj: Any) -> Iterable[str]:
    return () if controller_of(obj.metadata) is not None else (obj.metadata.namespace or "",)
