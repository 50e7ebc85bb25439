"""Abreast: what a request is judged by is never older than what somebody was told before.

Namespaces, roles, tokens, definitions, policies, ... are looked up in memory: the watch caches, and what is made of them by
`follow` (the RBAC index, the rows of custom resources, ...). With several workers, and several servers, a change that one
acknowledged reaches the others by etcd's watch, some milliseconds later. Two ways not to answer by what is older:

    with_workers    Every worker tells on the board the newest revision of such a change that it acknowledged or saw (`judges`). A
                    request begins once its worker has come that far, and all that follows has, too. Where it has, as nearly
                    always, this costs a comparison: no question to etcd. What upstream's informers promise is less.
    with_etcd       Before a refusal that another server's write would turn: as far as etcd is now.

Objects themselves need neither: a read of the newest state asks etcd (feed.py), a write is compared and swapped (store.py).
ResourceQuotas are not among these kinds: each create in their namespace changes them, and what they allow is compared and swapped.
"""

import asyncio
from collections.abc import Callable

from apiserver.storage.feed import Feed
from apiserver.workers.place import Place
from kube.api.status import Timeout
from kube.component.logging import get_logger

PATIENCE_SECONDS = 1.0
GROUPS = frozenset(
    (
        "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "flowcontrol.apiserver.k8s.io",
        "rbac.authorization.k8s.io", "scheduling.k8s.io",
    )
)  # fmt: skip
RESOURCES = frozenset(
    (
        ("", "limitranges"), ("", "namespaces"), ("", "secrets"), ("", "serviceaccounts"), ("networking.k8s.io", "ingressclasses"),
        ("node.k8s.io", "runtimeclasses"), ("storage.k8s.io", "storageclasses"),
    )
)  # fmt: skip

log = get_logger(__name__)


def judges(group: str, plural: str) -> bool:
    """Whether requests are judged by objects of this resource. Pure."""
    return group in GROUPS or (group, plural) in RESOURCES


class Abreast:
    """One worker's. `looks` are called to have what follows the caches follow now."""

    def __init__(self, feed: Feed, place: Place) -> None:
        self._feed = feed
        self._place = place
        self._seen = 0  # what is told up to here has been taken in
        self.looks: list[Callable[[], None]] = []

    @property
    def behind(self) -> bool:
        """Whether a request has to wait (`with_workers`)."""
        told = self._place.told()
        if told <= self._seen:
            return False
        if told > self._feed.revision:
            return True
        self._look()
        self._seen = told
        return False

    async def with_workers(self) -> None:
        """Come as far as every worker has told; not while etcd keeps it from us."""
        if not self.behind:
            return
        told = self._place.told()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._feed.reach(told)
        except (TimeoutError, Timeout):
            log.warning("this worker is behind the others", at=self._feed.revision, others=told)
        self._look()
        self._seen = max(self._seen, told)

    async def with_etcd(self) -> None:
        """Come as far as etcd is. Raises ApiError where it cannot be asked."""
        await self._feed.fresh()
        self._look()

    def _look(self) -> None:
        for look in self.looks:
            look()
