"""Compactor: forgets revisions older than five minutes, once for the whole cluster however many API servers run.

The servers race to write `compact_rev_key`, each guarded on the version it saw last; who wins compacts up to the revision noted
one interval ago, the others learn the new version and wait. The key stands below the registry's prefix, so that the feed sees
its revision pass.
apiserver pkg/storage/etcd3/compact.go
"""

import asyncio
from typing import NamedTuple

from apiserver.storage.etcd import Compacted, Etcd
from kube.api.status import ApiError
from kube.component.logging import get_logger

COMPACT_KEY = "compact_rev_key"
INTERVAL_SECONDS = 300.0  # --etcd-compaction-interval

log = get_logger(__name__)


class Seen(NamedTuple):
    version: int = 0  # how often the key was written
    revision: int = 0  # of the store at that time: what to compact to the next time


async def run(etcd: Etcd, root: str, interval_seconds: float = INTERVAL_SECONDS) -> None:
    """For ever; a failed round is tried again an interval later."""
    seen = Seen()
    while True:
        await asyncio.sleep(interval_seconds)
        try:
            seen = await compact_once(etcd, root, seen)
        except ApiError as error:
            log.warning("compaction failed", err=error)


async def compact_once(etcd: Etcd, root: str, seen: Seen) -> Seen:
    """One round: compact to `seen.revision` where no other server did so since `seen`."""
    won, version, revision = await etcd.put_version(root + COMPACT_KEY, str(seen.revision).encode(), seen.version)
    if won and seen.revision:
        try:
            await etcd.compact(seen.revision)
        except Compacted:
            log.info("revision already compacted", revision=seen.revision)
        else:
            log.info("compacted", revision=seen.revision)
    return Seen(version, revision)
