"""The door to etcd, over both transports: what they answer is the same."""

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from apiserver.storage.etcd import TRANSPORT_VARIABLE, Compacted, Etcd, EtcdTLS, FutureRevision, UnexpectedEtcdError
from apiserver.storage.etcd_watch import Batch, EtcdWatch
from kube.api.status import ServiceUnavailable, TooLarge
from tests.certificates import Authority
from tests.component.etcd_member import EtcdMember, free_port
from tests.wait import eventually_sync


@pytest.fixture(params=["http2", "grpc"], autouse=True)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(TRANSPORT_VARIABLE, request.param)
    return str(request.param)


def run(member: EtcdMember, scenario: Callable[[Etcd], Awaitable[None]]) -> None:
    async def whole() -> None:
        etcd = Etcd([member.endpoint])
        try:
            await scenario(etcd)
        finally:
            await etcd.close()

    asyncio.run(whole())


def key(transport: str, name: str) -> str:
    return f"/door-{transport}-{os.getpid()}/{name}"


def test_a_write_is_guarded_and_tells_what_stands_there(etcd: EtcdMember, transport: str) -> None:
    """Rule: https://etcd.io/docs/v3.4/learning/api/#transaction"""

    async def scenario(door: Etcd) -> None:
        name = key(transport, "guarded")
        first = await door.put(name, b"one", 0)
        assert first.done
        second = await door.put(name, b"two", 0)
        assert not second.done
        assert second.current is not None
        assert (second.current.value, second.current.revision) == (b"one", first.revision)
        assert (await door.put(name, b"two", first.revision)).done
        found = await door.get(name)
        assert found is not None
        assert found.value == b"two"
        assert (await door.delete(name, found.revision)).done
        assert await door.get(name) is None

    run(etcd, scenario)


def test_large_values_and_ranges_pass(etcd: EtcdMember, transport: str) -> None:
    """Far more than the first windows of HTTP/2 (64 KiB) and than a message of gRPC by default (4 MiB).

    Rule: RFC 9113 section 5.2
    """

    async def scenario(door: Etcd) -> None:
        value = os.urandom(1_000_000)
        puts = [door.put(key(transport, f"large/{number}"), value, 0) for number in range(8)]
        assert all(outcome.done for outcome in await asyncio.gather(*puts))
        found = await door.range(key(transport, "large/"), key(transport, "large0"))
        assert [item.value for item in found.items] == [value] * 8

    run(etcd, scenario)


def test_many_calls_at_once_get_their_own_answers(etcd: EtcdMember, transport: str) -> None:
    """Rule: RFC 9113 section 5.1"""

    async def scenario(door: Etcd) -> None:
        names = [key(transport, f"many/{number}") for number in range(500)]
        await asyncio.gather(*(door.put(name, name.encode(), 0) for name in names))
        found = await asyncio.gather(*(door.get(name) for name in names))
        assert [item.value for item in found if item is not None] == [name.encode() for name in names]

    run(etcd, scenario)


def test_refusals_keep_their_meaning(etcd: EtcdMember, transport: str) -> None:
    """Rule: https://etcd.io/docs/v3.4/learning/api_guarantees/"""

    async def scenario(door: Etcd) -> None:
        with pytest.raises(FutureRevision):
            await door.range(key(transport, "x"), "", revision=10**12)
        outcome = await door.put(key(transport, "old"), b"1", 0)
        later = await door.put(key(transport, "old"), b"2", outcome.revision)
        await door.compact(later.revision)
        with pytest.raises(Compacted):
            await door.range(key(transport, "old"), "", revision=outcome.revision)
        with pytest.raises(TooLarge):
            await door.put(key(transport, "huge"), bytes(2_000_000), 0)
        with pytest.raises(UnexpectedEtcdError, match="key is not provided"):
            await door.get("")

    run(etcd, scenario)


def test_a_call_that_nobody_waits_for_harms_no_other(etcd: EtcdMember, transport: str) -> None:
    """Rule: RFC 9113 section 8.1.1 (RST_STREAM)"""

    async def scenario(door: Etcd) -> None:
        await door.put(key(transport, "kept"), b"x", 0)
        for _ in range(20):
            with suppress(TimeoutError):
                async with asyncio.timeout(0):  # given up at its first wait: the question is out, the answer is not in
                    await door.get(key(transport, "kept"))
        found = await door.get(key(transport, "kept"))
        assert found is not None

    run(etcd, scenario)


def test_a_watch_goes_on_after_the_member_was_killed(own_etcd: EtcdMember, transport: str) -> None:
    """Rule: https://etcd.io/docs/v3.4/learning/api_guarantees/#watch-apis"""

    async def scenario(door: Etcd) -> None:
        prefix = key(transport, "watched/")
        first = await door.put(prefix + "1", b"1", 0)
        seen: list[bytes | None] = []

        all_seen = asyncio.Event()

        def take(batch: Batch) -> None:
            seen.extend(change.value for change in batch.changes)
            if len(seen) == 3:
                all_seen.set()

        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            following = tasks.create_task(EtcdWatch(door, prefix, prefix + "~", first.revision).follow(take))
            await door.put(prefix + "2", b"2", 0)
            own_etcd.kill()
            with pytest.raises(ServiceUnavailable):
                await door.put(prefix + "never", b"", 0)
            await asyncio.to_thread(own_etcd.start)
            await door.put(prefix + "3", b"3", 0)
            await all_seen.wait()
            following.cancel()
        assert seen == [b"1", b"2", b"3"]

    run(own_etcd, scenario)


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[str, EtcdTLS]]:
    """An etcd that speaks TLS alone, and only to clients that it knows."""
    authority = Authority(tmp_path)
    server, client = authority.issue("etcd"), authority.issue("client")
    url, peer = (f"{scheme}://127.0.0.1:{free_port()}" for scheme in ("https", "http"))
    flags = {
        "--name": "one", "--data-dir": tmp_path / "data", "--logger": "zap", "--log-outputs": "stderr",
        "--listen-client-urls": url, "--advertise-client-urls": url, "--listen-peer-urls": peer,
        "--initial-advertise-peer-urls": peer, "--initial-cluster": f"one={peer}", "--client-cert-auth": "true",
        "--trusted-ca-file": authority.certificate, "--cert-file": server.certificate, "--key-file": server.key,
    }  # fmt: skip
    log = tmp_path / "etcd.log"
    with log.open("wb") as output:
        member = subprocess.Popen(["etcd", *(f"{name}={value}" for name, value in flags.items())], stdout=output, stderr=output)
    try:
        eventually_sync(lambda: b"serving client traffic securely" in log.read_bytes(), 20, "etcd serves")
        yield url, EtcdTLS(authority.certificate, client.certificate, client.key)
    finally:
        member.kill()
        member.wait()


def test_etcd_behind_mutual_tls(secured: tuple[str, EtcdTLS], transport: str) -> None:
    """Rule: https://etcd.io/docs/v3.4/op-guide/security/"""

    async def scenario() -> None:
        url, tls = secured
        door = Etcd([url], tls)
        try:
            assert (await door.put(key(transport, "tls"), b"x", 0)).done
            many = await asyncio.gather(*(door.get(key(transport, "tls")) for _ in range(400)))
            assert {item.value for item in many if item is not None} == {b"x"}
        finally:
            await door.close()

    asyncio.run(scenario())
