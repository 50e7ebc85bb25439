"""Policies: keeps this node's packet filter as NetworkPolicies, pods and namespaces say.

Policies are always watched; the cluster's pods and namespaces from the first policy on. Changes that come together are one
transaction, which holds only what differs. A new pod is isolated before it is connected: its address and its labels are known
here, and `cover` returns once its rules stand. A kubelet that starts again leaves the rules as they are until it knows
everything, then replaces them as one; where there is no policy, there is no table. `policy` decides, `policy_text` says it.
"""

import asyncio
from collections.abc import Callable, Sequence

from kube.api.types import Namespace, NetworkPolicy, Pod
from kube.client.informer import Informer
from kube.client.rest import Client
from kube.component.logging import get_logger
from kubelet.network import packet_filter, policy_text
from kubelet.network.policy import Filter, Peer, peers_of, policy_filter
from kubelet.pod_network import NetworkFailure

log = get_logger(__name__)

LOOK_SECONDS = 30.0  # between two looks whether somebody flushed the rules
KNOWN_SECONDS = 5.0  # how long a new pod waits until the policies are known: without the API server, pods start, too
NOTHING = Filter()


class Policies:
    """`local` tells this node's pods with their addresses, the newest pod included."""

    def __init__(self, client: Client, local: Callable[[], Sequence[Peer]]) -> None:
        self._policies = Informer(client, NetworkPolicy)
        self._pods = Informer(client, Pod)
        self._namespaces = Informer(client, Namespace)
        self._local = local
        self._applied: Filter | None = None  # None: not known
        self._changed = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._first_policy = asyncio.Event()
        self._policies.on_change(lambda old, new: self._first_policy.set())
        for informer in (self._policies, self._pods, self._namespaces):
            informer.on_change(lambda old, new: self.wake())

    def wake(self) -> None:
        """Something that decides has changed."""
        self._changed.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._policies.run(), name="network policies")
            tasks.create_task(self._follow_world(), name="pods and namespaces of network policies")
            await self._policies.synced.wait()
            await self.look()  # also where there is no policy: an earlier run may have left rules
            while True:
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._changed.wait()
                    await self.look()
                except TimeoutError:
                    await self._restore()

    async def cover(self) -> None:
        """Until the rules for this node's pods stand. Raises NetworkFailure where they cannot be made."""
        try:
            async with asyncio.timeout(KNOWN_SECONDS):
                await self._policies.synced.wait()
                for informer in (self._pods, self._namespaces) if len(self._policies.cache) else ():
                    await informer.synced.wait()
        except TimeoutError:
            log.warning("network policies are not known yet, a pod starts without them")
            return
        await self._apply()

    async def look(self) -> None:
        """Bring the kernel to what is known now; nothing as long as not all is known."""
        self._changed.clear()
        try:
            await self._apply()
        except NetworkFailure as error:
            log.warning("cannot apply network policies, trying again later", reason=error, seconds=LOOK_SECONDS)

    async def _follow_world(self) -> None:
        await self._first_policy.wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pods.run(), name="pods")
            tasks.create_task(self._namespaces.run(), name="namespaces")

    async def _restore(self) -> None:
        if self._applied not in (None, NOTHING) and not await asyncio.to_thread(packet_filter.table_exists, policy_text.TABLE):
            log.warning("somebody removed the rules of the network policies, making them anew")
            self._applied = None
        await self.look()

    async def _apply(self) -> None:
        async with self._one_at_a_time:
            known = self._policies.synced.is_set() and (
                not len(self._policies.cache) or (self._pods.synced.is_set() and self._namespaces.synced.is_set())
            )
            if not known:
                return
            wanted = self._wanted()
            text = _transaction(self._applied, wanted)
            if not text:
                return
            self._applied = None
            await asyncio.to_thread(packet_filter.apply, text)
            self._applied = wanted
            log.debug("network policies applied", isolated=len(wanted.ingress.keys() | wanted.egress.keys()))

    def _wanted(self) -> Filter:
        policies = list(self._policies.cache.list())
        if not policies:
            return NOTHING
        return policy_filter(policies, self._namespaces.cache.list(), self._local(), peers_of(self._pods.cache.list()))


def _transaction(applied: Filter | None, wanted: Filter) -> str:
    """What brings one to the other; where there are no rules, there is no table."""
    if wanted == NOTHING:
        return "" if applied == NOTHING else policy_text.removal()
    if applied is None or applied == NOTHING:
        return policy_text.whole(wanted)
    return policy_text.change(applied, wanted)
