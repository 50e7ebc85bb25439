"""The watch cache's index of fields: it finds what looking at every entry finds, whatever happened before."""

from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.storage.watch_cache import Position, Selection, WatchCache
from kube.api import fields

PREFIX = "/registry/pods/"
NODES = ("", "a", "b", "c")
Step = tuple[str, str, str | None]  # namespace, name, node; None: deleted

steps = st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from("1234"), st.sampled_from((*NODES, None))), max_size=40)


def a_cache() -> WatchCache:
    cache = WatchCache(PREFIX, Position())
    cache.getters["spec.nodeName"] = lambda tree: tree["spec"].get("nodeName", "")
    return cache


def stored(namespace: str, name: str, node: str) -> bytes:
    head = '{"kind":"Pod","apiVersion":"v1","metadata":{'
    return f'{head}"name":"{name}","namespace":"{namespace}"}},"spec":{{"nodeName":"{node}"}}}}'.encode()


def on_node(cache: WatchCache, node: str, prefix: str) -> Selection:
    return Selection(prefix, fields=fields.parse(f"spec.nodeName={node}"), getters=cache.getters)


def found(cache: WatchCache, selection: Selection, after: str) -> tuple[list[str], list[str]]:
    """By the index, and by looking at each."""
    indexed = [one.key for one in cache.candidates(selection, after) if selection.matches(one)]
    looked_at = [one.key for one in cache.below(selection.prefix, after) if selection.matches(one)]
    return indexed, looked_at


@settings(max_examples=100, deadline=None)
@given(steps, steps)
def test_index_finds_what_looking_at_every_entry_finds(before: list[Step], after: list[Step]) -> None:
    """Rule: https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/"""
    cache = a_cache()
    for revision, (namespace, name, node) in enumerate((*before, *after), 1):
        if revision == len(before):  # the first question comes in between
            indexed, looked_at = found(cache, on_node(cache, "a", PREFIX), "")
            assert indexed == looked_at
        cache.apply(f"{PREFIX}{namespace}/{name}", stored(namespace, name, node) if node is not None else None, revision)
    for node in NODES:
        for prefix in (PREFIX, f"{PREFIX}x/", f"{PREFIX}y/"):
            for start in ("", f"{PREFIX}x/3", f"{PREFIX}y/2"):
                indexed, looked_at = found(cache, on_node(cache, node, prefix), start)
                assert indexed == looked_at


def test_a_list_of_one_nodes_pods_looks_at_no_others() -> None:
    cache = a_cache()
    for number in range(100):
        cache.apply(f"{PREFIX}x/{number:03}", stored("x", f"{number:03}", f"node-{number % 10}"), number + 1)
    selection = on_node(cache, "node-3", PREFIX)
    assert len(list(cache.candidates(selection))) == 10
    assert [event.entry.key for event in cache.watch_from_now(selection)[0]] == [f"{PREFIX}x/{n:03}" for n in range(3, 100, 10)]


def test_entries_read_anew_are_indexed_anew() -> None:
    cache = a_cache()
    cache.apply(f"{PREFIX}x/1", stored("x", "1", "a"), 1)
    assert len(list(cache.candidates(on_node(cache, "a", PREFIX)))) == 1
    cache.fill((), 2)
    assert list(cache.candidates(on_node(cache, "a", PREFIX))) == []
