"""The informer against a server that breaks the protocol's good order; on virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from kube.api.types import ConfigMap
from kube.client.informer import LATE_SECONDS, LONGEST_PAUSE_SECONDS, WATCH_SECONDS, Informer
from kube.client.kubeconfig import Config
from kube.client.rest import Client
from kube.component.http_server import serve
from tests import virtual_time
from tests.component.kube_client.faults import Asked, Proxy, Scripted, client_of, cut

EXPIRED = {"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410, "message": "too old resource version: 5 (120)"}
Told = tuple[str, str]  # the versions before and after; "" where there is none


def an_object(name: str, version: int, uid: str = "") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "n", "uid": uid or f"{name}-uid", "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def an_event(type: str, name: str, version: int, uid: str = "") -> dict[str, Any]:
    return {"type": type, "object": an_object(name, version, uid)}


def bookmark(version: int) -> dict[str, Any]:
    return {"type": "BOOKMARK", "object": {"kind": "ConfigMap", "metadata": {"resourceVersion": str(version)}}}


def a_list(version: int, *objects: dict[str, Any], token: str = "") -> Callable[[Asked], Awaitable[None]]:
    async def respond(asked: Asked) -> None:
        assert "watch" not in asked.query, asked.query
        await asked.answer(200, {"metadata": {"resourceVersion": str(version), "continue": token}, "items": list(objects)})

    return respond


def a_watch(*events: dict[str, Any], and_then: str = "hang") -> Callable[[Asked], Awaitable[None]]:
    async def respond(asked: Asked) -> None:
        assert asked.query["watch"] == "true"
        assert asked.query["allowWatchBookmarks"] == "true"
        await asked.events(*events, and_then=and_then)

    return respond


async def failing(asked: Asked) -> None:
    await asked.answer(500, {"reason": "InternalError", "message": "no"})


async def expired(asked: Asked) -> None:
    await asked.answer(410, EXPIRED)


def follow(script: Scripted, seconds: float = 200.0) -> tuple[list[Told], Informer[ConfigMap]]:
    """Run an informer for a while; returns what it told, by resourceVersion."""
    told: list[Told] = []

    async def scenario() -> Informer[ConfigMap]:
        async with client_of(script) as client:
            informer = Informer(client, ConfigMap)
            informer.on_change(lambda old, new: told.append((version(old), version(new))))
            running = asyncio.ensure_future(informer.run())
            await asyncio.wait({running}, timeout=seconds)
            running.cancel()
            await asyncio.wait({running})
            return informer

    return told, virtual_time.run(scenario())


def version(view: ConfigMap | None) -> str:
    return str(view.metadata.resourceVersion) if view is not None else ""


def names(informer: Informer[ConfigMap]) -> set[str]:
    return {str(one.metadata.name) for one in informer.cache}


def watched_from(script: Scripted) -> list[str]:
    return [one.query["resourceVersion"] for one in script.asked if "watch" in one.query]


def test_list_in_pages_is_one_list() -> None:
    script = Scripted(a_list(5, an_object("a", 1), token="more"), a_list(5, an_object("b", 2)), a_watch())
    told, informer = follow(script)
    assert told == [("", "1"), ("", "2")]
    assert informer.synced.is_set()
    assert [one.query.get("continue") for one in script.asked] == [None, "more", None]
    assert watched_from(script) == ["5"]


def test_broken_watch_is_resumed_where_it_was() -> None:
    """What if the connection breaks in the middle of an event?"""
    script = Scripted(
        a_list(5, an_object("a", 1)),
        a_watch(an_event("MODIFIED", "a", 6), and_then="cut"),
        a_watch(an_event("MODIFIED", "a", 7)),
    )
    told, _ = follow(script)
    assert told == [("", "1"), ("1", "6"), ("6", "7")]
    assert watched_from(script) == ["5", "6"]


def test_cache_is_known_to_lag_from_trouble_until_the_next_word() -> None:
    """Rule: who must not read stale state can tell."""
    _, quiet = follow(Scripted(a_list(5, an_object("a", 1)), a_watch()))
    assert quiet.following
    _, broken = follow(Scripted(a_list(5, an_object("a", 1)), a_watch(an_event("MODIFIED", "a", 6), and_then="cut"), a_watch()))
    assert not broken.following
    _, resumed = follow(Scripted(a_list(5), a_watch(and_then="cut"), a_watch(an_event("ADDED", "a", 6))))
    assert resumed.following


def test_bookmark_moves_on_where_to_resume() -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#watch-bookmarks"""
    script = Scripted(a_list(5, an_object("a", 1)), a_watch(bookmark(90), and_then="end"), a_watch())
    told, _ = follow(script)
    assert told == [("", "1")]
    assert watched_from(script) == ["5", "90"]


def test_watch_that_ends_in_good_order_is_resumed_at_once() -> None:
    script = Scripted(a_list(5), a_watch(bookmark(6), and_then="end"), a_watch())
    follow(script)
    assert script.asked[2].at - script.asked[1].at < 0.1


def test_too_old_revision_means_a_new_list_whose_gaps_are_deletions() -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses"""
    gone_and_new = a_list(120, an_object("a", 1), an_object("c", 110))
    for fault in (expired, a_watch({"type": "ERROR", "object": EXPIRED}, and_then="end")):
        script = Scripted(a_list(5, an_object("a", 1), an_object("b", 2)), fault, gone_and_new, a_watch())
        told, informer = follow(script)
        assert told == [("", "1"), ("", "2"), ("2", ""), ("", "110")]
        assert names(informer) == {"a", "c"}
        assert watched_from(script) == ["5", "120"]


def test_other_object_under_the_same_name_is_a_deletion_and_an_addition() -> None:
    script = Scripted(a_list(5, an_object("a", 1, "u1")), expired, a_list(9, an_object("a", 8, "u2")), a_watch())
    told, _ = follow(script)
    assert told == [("", "1"), ("1", ""), ("", "8")]


def test_deletion_tells_the_last_form() -> None:
    script = Scripted(a_list(5, an_object("a", 1)), a_watch(an_event("DELETED", "a", 6), an_event("DELETED", "b", 7)))
    told, informer = follow(script)
    assert told == [("", "1"), ("6", "")]
    assert names(informer) == set()


def test_what_is_known_is_not_told_twice() -> None:
    script = Scripted(a_list(5, an_object("a", 1)), expired, a_list(9, an_object("a", 1)), a_watch())
    assert follow(script)[0] == [("", "1")]


def test_nonsense_in_a_watch_is_a_broken_connection() -> None:
    async def nonsense(asked: Asked) -> None:
        await asked.answer(200, b"<html>bad gateway</html>\n")

    script = Scripted(a_list(5), nonsense, a_watch(an_event("ADDED", "a", 6)))
    assert follow(script)[0] == [("", "6")]


def test_watch_that_never_ends_is_given_up() -> None:
    """What if the server is gone without a word, and the kernel does not notice?"""
    script = Scripted(a_list(5), a_watch())
    follow(script, seconds=2000)
    gaps = [later.at - earlier.at for earlier, later in zip(script.asked[1:], script.asked[2:], strict=False)]
    assert gaps
    assert all(WATCH_SECONDS[0] + LATE_SECONDS <= gap < WATCH_SECONDS[1] + LATE_SECONDS + 70 for gap in gaps)


def pauses(script: Scripted) -> list[float]:
    return [later.at - earlier.at for earlier, later in zip(script.asked, script.asked[1:], strict=False)]


def test_pauses_grow_while_the_server_fails() -> None:
    """Rule: client-go tools/cache/reflector.go: 0.8 s to 30 s, doubling, with jitter"""
    script = Scripted(failing)
    follow(script, seconds=600)
    found = pauses(script)
    assert 0.8 <= found[0] <= 1.7
    assert all(30 <= one <= 61 for one in found[6:])
    assert len(found) < 600 / LONGEST_PAUSE_SECONDS + 10


def test_server_that_ends_each_watch_at_once_is_not_asked_without_pause() -> None:
    script = Scripted(a_list(5), a_watch(and_then="end"))
    follow(script, seconds=600)
    assert len(script.asked) < 40


def test_pause_is_short_again_after_a_good_watch() -> None:
    good = a_watch(bookmark(6), and_then="cut")
    script = Scripted(a_list(5), *[failing] * 8, good, a_watch())
    follow(script, seconds=600)
    assert pauses(script)[8] > 20  # before the good watch
    assert pauses(script)[9] < 2


def test_failing_list_keeps_what_is_known() -> None:
    script = Scripted(a_list(5, an_object("a", 1)), expired, failing, cut, cut, cut, cut, a_list(9, an_object("a", 1)), a_watch())
    told, informer = follow(script)
    assert told == [("", "1")]
    assert names(informer) == {"a"}


def test_a_server_that_answers_anybody_again_is_watched_again_at_once() -> None:
    """A node that was cut off for minutes hears what it missed with its first heartbeat, not at the end of its longest pause."""

    async def answer(asked: Asked) -> None:
        if asked.path == "/version":
            await asked.answer(200, {})
        elif "watch" in asked.query:
            await asked.events(an_event("MODIFIED", "a", int(asked.query["resourceVersion"]) + 1), and_then="hang")
        else:
            await a_list(5, an_object("a", 1))(asked)

    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        server = await serve(Scripted(answer), "127.0.0.1", 0)
        async with Proxy(server.port) as proxy, Client(Config(server=f"http://127.0.0.1:{proxy.port}"), "test") as client:
            informer, heard = Informer(client, ConfigMap), asyncio.Event()
            running = asyncio.ensure_future(informer.run())
            await informer.synced.wait()
            proxy.refuses = True
            proxy.cut()
            await asyncio.wait({running}, timeout=10 * LONGEST_PAUSE_SECONDS)
            assert not informer.following
            informer.on_change(lambda old, new: heard.set() if old is not None else None)
            proxy.refuses = False
            since = loop.time()
            await client.request("GET", "/version")
            await heard.wait()
            running.cancel()
            await asyncio.wait({running})
        await server.close(within=0.1)
        return loop.time() - since

    assert virtual_time.run(scenario()) < 1.0
