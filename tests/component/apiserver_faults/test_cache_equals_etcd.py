"""The watch cache equals etcd at every revision, whatever is done to either: hypothesis looks for what breaks it.

A machine of rules acts on two readers of one registry. It creates, changes and deletes objects behind their backs, one at a time
or several in one revision; it compacts; it writes keys that are nobody's; it cuts a reader's connection, breaks off its watch,
or keeps it away until what it missed is compacted. After each write it notes what etcd holds at that revision. Always:
- each cache holds what etcd held at the cache's revision, byte for byte;
- a watcher that applies its events to what it began with goes through exactly the states that etcd went through.
"""

import asyncio
import base64
import bisect
import itertools
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from apiserver.storage import codec, etcd_watch, feed, packing
from apiserver.storage.entry import Entry
from apiserver.storage.etcd import Compacted, Etcd
from apiserver.storage.stores import Stores
from apiserver.storage.watch_cache import Selection, prefix_end
from kube.api.resource import Resource
from kube.api.status import Expired
from tests.component.etcd_member import EtcdMember
from tests.component.kube_client.faults import Proxy

WIDGET = Resource("example.com", "v1", "Widget", "widgets")
BUDGET = settings(
    max_examples=15, stateful_step_count=40, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
State = dict[str, bytes]  # key -> what clients get

names = st.sampled_from(("a", "b", "c", "d"))
several = st.sets(names, min_size=2)
readers = st.sampled_from((0, 1))

_numbers = itertools.count(1)


def test_the_watch_cache_equals_etcd_at_every_revision(etcd: EtcdMember, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: issue 3 (Show); KEP-2340, KEP-4988"""
    monkeypatch.setattr(etcd_watch, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(feed, "QUIET_SECONDS", 0.05)
    monkeypatch.setattr(packing, "WARM_BYTES", 300)  # the widgets are more
    monkeypatch.setattr(packing, "PAST_BYTES", 300)
    monkeypatch.setattr(packing, "AT_ONCE_BYTES", 100)
    Machine.member = etcd
    run_state_machine_as_test(Machine, settings=BUDGET)


class Reader:
    """A server's caches of the registry behind a connection that may break, and a watcher of the widgets."""

    def __init__(self, member: EtcdMember, root: str) -> None:
        self._root = root
        self._port = int(member.endpoint.rpartition(":")[2])

    async def start(self) -> None:
        self.proxy = await Proxy(self._port).__aenter__()
        self._etcd = Etcd([f"http://127.0.0.1:{self.proxy.port}"])
        stores = Stores(self._etcd, self._root, [WIDGET], {})
        self.feed, self.store = stores.feed, stores.store_for(WIDGET)
        self._feeding = asyncio.ensure_future(self.feed.run())
        await self.feed.ready.wait()
        self.watch_from_now()

    async def end(self) -> None:
        self._feeding.cancel()
        with suppress(asyncio.CancelledError):
            await self._feeding
        await self._etcd.close()
        await self.proxy.__aexit__()

    def watch_from_now(self) -> None:
        present, self.watcher = self.store.cache.watch_from_now(Selection(self.store.prefix))
        self.seen: State = {event.entry.key: event.entry.data for event in present}

    def watch_from(self, revision: int, state: State) -> None:
        """Resume where another watch was; Expired is an answer too."""
        try:
            watcher = self.store.cache.watch(Selection(self.store.prefix), revision)
        except Expired:
            return
        self.watcher.close()
        self.watcher, self.seen = watcher, dict(state)

    def cached(self) -> State:
        return {entry.key: entry.data for entry in self.store.cache.below(self.store.prefix)}

    def replayed(self) -> Iterable[tuple[int, State]]:
        """Each revision that the watcher was told of since the last time, and the state that its events make."""
        for revision, events in itertools.groupby(self.watcher.queued(), key=lambda event: event.entry.revision):
            for event in events:
                known = event.entry.key in self.seen
                assert known == (event.type != "ADDED"), f"{event.type} of {event.entry.key} at {revision}"
                if event.type == "DELETED":
                    del self.seen[event.entry.key]
                else:
                    self.seen[event.entry.key] = event.entry.data
            yield revision, self.seen
        if self.watcher.cut:
            self.watch_from_now()


class Machine(RuleBasedStateMachine):
    member: EtcdMember

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        root = f"/machine-{next(_numbers)}/"
        self.prefix = f"{root}example.com/widgets/"
        self.door = Etcd([self.member.endpoint])
        self.readers = [Reader(self.member, root) for _ in range(2)]
        self.states: dict[int, State] = {}  # by the revision that made it
        self.written = 0
        self.runner.run(self._start())

    async def _start(self) -> None:
        self.states[await self.door.revision()] = {}
        for reader in self.readers:
            await reader.start()

    def teardown(self) -> None:
        async def end() -> None:
            for reader in self.readers:
                await reader.end()
            await self.door.close()

        try:
            self.look()
        finally:
            self.runner.run(end())
            self.runner.close()

    # -- what is done

    @rule(name=names)
    def write(self, name: str) -> None:
        self._transact({name})

    @rule(name=names)
    def delete(self, name: str) -> None:
        self._transact(set(), {name})

    @rule(put=several, deleted=several)
    def write_several_in_one_revision(self, put: set[str], deleted: set[str]) -> None:
        self._transact(put, deleted - put)

    @rule()
    def write_what_is_not_ours(self) -> None:
        self.member.call("kv/put", {"key": _coded("/somebody-else"), "value": _coded("x")})

    @rule()
    def compact(self) -> None:
        async def compact() -> None:
            with suppress(Compacted):
                await self.door.compact(await self.door.revision())

        self.runner.run(compact())

    @rule(which=readers)
    def cut_the_connection(self, which: int) -> None:
        self.readers[which].proxy.cut()

    @rule(which=readers)
    def break_off_the_watch(self, which: int) -> None:
        if self.readers[which].feed._watch is not None:
            self.readers[which].feed._watch.begin_anew()

    @rule(which=readers, put=several)
    def keep_away_until_it_is_compacted(self, which: int, put: set[str]) -> None:
        proxy = self.readers[which].proxy
        proxy.refuses = True
        proxy.cut()
        self._transact(put)
        self.compact()
        self._transact(put)
        proxy.refuses = False

    @rule(which=readers, back=st.integers(0, 10))
    def resume_a_watch(self, which: int, back: int) -> None:
        known = [revision for revision in sorted(self.states) if revision <= self.readers[which].feed.revision]
        revision = known[max(0, len(known) - 1 - back)]
        self.readers[which].watch_from(revision, self.states[revision])

    @rule()
    def look(self) -> None:
        """Whoever reads now sees all that was written."""
        for reader in self.readers:
            assert self.runner.run(reader.feed.fresh()) >= max(self.states)
            self._check(reader)
            assert reader.seen == self.states[max(self.states)]

    # -- what must be

    @invariant()
    def what_is_seen_was_in_etcd(self) -> None:
        for reader in self.readers:
            self._check(reader)

    def _check(self, reader: Reader) -> None:
        assert reader.cached() == self._state_at(reader.feed.revision)
        for revision, state in reader.replayed():
            assert state == self.states[revision], f"after the events of {revision}"

    def _state_at(self, revision: int) -> State:
        known = sorted(self.states)
        return self.states[known[bisect.bisect_right(known, revision) - 1]]

    # -- how

    def _transact(self, put: set[str], deleted: Iterable[str] = ()) -> None:
        """One transaction; and note what etcd holds after it."""
        self.written += 1
        operations: list[dict[str, Any]] = [{"request_delete_range": {"key": _coded(self.prefix + name)}} for name in deleted]
        for name in sorted(put):
            tree = {"kind": "Widget", "apiVersion": "example.com/v1", "metadata": {"name": name}, "spec": {"n": self.written}}
            operations.append({"request_put": {"key": _coded(self.prefix + name), "value": _coded(codec.encode(tree).decode())}})
        self.member.call("kv/txn", {"success": operations})
        self.runner.run(self._note())

    async def _note(self) -> None:
        held = await self.door.range(self.prefix, prefix_end(self.prefix))
        entries = [Entry(item.key, codec.served(item.value, item.revision), item.revision) for item in held.items]
        self.states[held.revision] = {entry.key: entry.data for entry in entries}


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
