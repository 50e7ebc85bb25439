"""Packing: what is kept packed reads as it was written, and what is read most is not packed."""

import random

import orjson
import pytest

from apiserver.storage import codec, packing
from apiserver.storage.entry import Entry
from apiserver.storage.watch_cache import Position, Selection, WatchCache

PREFIX = "/registry/pods/"


def stored(name: str, text: str) -> bytes:
    tree = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name, "labels": {"app": "x"}}, "spec": {"image": text * 8}}
    return codec.encode(tree)


def is_packed(entry: Entry) -> bool:
    return len(entry._bytes) < len(entry.data)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> WatchCache:
    monkeypatch.setattr(packing, "WARM_BYTES", 8_000)
    monkeypatch.setattr(packing, "PAST_BYTES", 2_000)
    monkeypatch.setattr(packing, "AT_ONCE_BYTES", 1_000)
    position = Position()
    position.revision = 1
    cache = WatchCache(PREFIX, position)
    cache.fill((), 1)
    return cache


def test_what_was_written_last_is_kept_as_it_is_and_the_rest_packed(cache: WatchCache) -> None:
    """Rule: apiserver/storage/packing.py"""
    for number in range(100):
        cache.apply(f"{PREFIX}{number:03}", stored(str(number), f"image-{number}"), number + 2)
    entries = list(cache.below(PREFIX))
    assert [orjson.loads(entry.data)["metadata"]["name"] for entry in entries] == [str(number) for number in range(100)]
    warm = [entry for entry in entries if not is_packed(entry)]
    assert warm == entries[-len(warm) :]
    assert 8_000 >= sum(len(entry.data) for entry in warm) > 8_000 - 1_000 - 500


def test_whatever_happens_to_objects_their_bytes_stay(cache: WatchCache) -> None:
    """Rule: apiserver/storage/packing.py; the watch cache equals etcd"""
    chance = random.Random(1)
    held: dict[str, bytes] = {}
    told: list[bytes] = []
    watcher = cache.watch(Selection(PREFIX), 1)
    for revision in range(2, 1_500):
        key = f"{PREFIX}{chance.randrange(60):03}"
        if chance.random() < 0.2 and key in held:
            told.append(codec.served(held.pop(key), revision))
            cache.apply(key, None, revision)
            continue
        data = stored(key, chance.choice(("a", "bb", chance.randbytes(chance.choice((4, 400))).hex())))
        cache.apply(key, data, revision)
        held[key] = codec.served(data, revision)
        told.append(held[key])
        assert {entry.key: entry.data for entry in cache.below(PREFIX)} == held
    assert [event.entry.data for event in watcher.queued()] == told
    assert [event.entry.data for event in cache.watch(Selection(PREFIX), 1).queued()] == told, "as the history has it"


def test_what_a_registry_begins_with_is_packed_as_what_is_written(cache: WatchCache) -> None:
    """Rule: apiserver/storage/packing.py"""
    entries = [Entry(f"{PREFIX}{number:03}", codec.served(stored(str(number), "y"), 5), 5) for number in range(100)]
    before = [entry.data for entry in entries]
    cache.fill(entries, 5)
    assert [entry.data for entry in cache.below(PREFIX)] == before
    assert is_packed(entries[0])
    assert not is_packed(entries[-1])


def test_bytes_that_would_not_become_fewer_stay() -> None:
    """Rule: apiserver/storage/packing.py"""
    data = random.Random(2).randbytes(500)
    entry = Entry("x", data, 1)
    samples = packing.Samples([b"{}"])
    entry.pack(samples.packed(data), samples)
    assert entry.data is data


def test_a_kind_that_is_gone_can_still_be_packed(cache: WatchCache) -> None:
    """Rule: apiserver/storage/packing.py"""
    for revision in range(2, 60, 2):
        cache.apply(f"{PREFIX}a", stored("a", "z" * 50), revision)
        cache.apply(f"{PREFIX}a", None, revision + 1)
    events = cache.watch(Selection(PREFIX), 1).queued()
    assert [event.type for event in events] == ["ADDED", "DELETED"] * 29
    assert {orjson.loads(event.entry.data)["spec"]["image"] for event in events} == {"z" * 400}
