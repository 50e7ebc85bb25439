"""One API server of several processes is to its clients what one process would be (decision 0012)."""

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from apiserver.config import Config
from tests.component.apiserver_crd.crds import CRDS, definition, schema
from tests.component.apiserver_faults.load import PATH, Watching, Writers, listed, more
from tests.component.apiserver_faults.server_process import ServerProcess
from tests.component.apiserver_workers.lines import Line, connections, lines
from tests.component.conftest import NOBODY_TOKEN, TOKENS
from tests.component.etcd_member import EtcdMember
from tests.wait import eventually

WITHIN_SECONDS = 20.0
WORKERS = 3
LISTS = r'apiserver_request_total\{.*code="200".*resource="configmaps".*verb="LIST".*\}'
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def flags(directory: Path) -> dict[str, str]:
    """Several workers, roles, and a key that signs tokens."""
    key = directory / "sa.key"
    key.write_bytes(
        rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return {
        "--worker-processes": str(WORKERS), "--authorization-mode": "Node,RBAC", "--service-account-key-file": str(key),
        "--service-account-signing-key-file": str(key), "--shutdown-delay-duration": "2s",
    }  # fmt: skip


@pytest.fixture(scope="module")
def running(etcd: EtcdMember, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One for all tests that leave it as it was."""
    directory = tmp_path_factory.mktemp("workers")
    tokens = directory / "tokens.csv"
    tokens.write_text(TOKENS)
    config = replace(
        Config(), etcd_servers=(etcd.endpoint,), etcd_prefix="/registry-of-workers", token_auth_file=tokens,
        service_cluster_ip_range=("10.96.0.0/16",), advertise_address="192.0.2.1",
    )  # fmt: skip
    one = ServerProcess(config, directory, flags(directory))
    asyncio.run(one.start())
    yield one
    one.remove()


@pytest.fixture
def process(api_config: Config, tmp_path: Path) -> Iterator[ServerProcess]:
    """One to kill."""
    one = ServerProcess(api_config, tmp_path, flags(tmp_path))
    yield one
    one.remove()


async def created(line: Line, path: str, tree: object) -> None:
    answer = await line.ask("POST", path, tree)
    assert answer.status == 201, answer


def test_what_one_worker_acknowledged_counts_at_every_other_at_once(runner: asyncio.Runner, running: ServerProcess) -> None:
    """A namespace and what is made in it, a role's binding and its end, a definition and its objects, labels that forbid.

    Rule: decision 0012; https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list (Most Recent)
    """

    async def scenario() -> None:
        async with lines(running.port, WORKERS) as each:
            assert [connections(pid, running.port) for pid in running.workers] == [1] * WORKERS
            for turn in range(4 * WORKERS):
                one, other = each[turn % WORKERS], each[(turn + 1 + turn // WORKERS) % WORKERS]
                await _namespace(one, other, f"n{turn}")
                await _permission(one, other, f"p{turn}")
                await _definition(one, other, turn)

    runner.run(scenario())


async def _namespace(one: Line, other: Line, name: str) -> None:
    await created(one, "/api/v1/namespaces", {"metadata": {"name": name}})
    await created(other, f"/api/v1/namespaces/{name}/configmaps", {"metadata": {"name": "x"}})
    assert (await one.ask("GET", f"/api/v1/namespaces/{name}/configmaps/x")).status == 200
    forbids = {"metadata": {"name": name, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    assert (await other.ask("PUT", f"/api/v1/namespaces/{name}", forbids)).status == 200
    await created(other, f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}})
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    refused = await one.ask("POST", f"/api/v1/namespaces/{name}/pods", pod)
    assert "violates PodSecurity" in refused.tree["message"]


async def _permission(one: Line, other: Line, name: str) -> None:
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "nobody"}
    assert (await other.ask("GET", PATH, token=NOBODY_TOKEN)).status == 403
    await created(one, f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": [rule]})
    await created(one, f"{RBAC}/clusterrolebindings", {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]})
    assert (await other.ask("GET", PATH, token=NOBODY_TOKEN)).status == 200
    assert (await other.ask("DELETE", f"{RBAC}/clusterrolebindings/{name}")).status == 200
    assert (await one.ask("GET", PATH, token=NOBODY_TOKEN)).status == 403


async def _definition(one: Line, other: Line, turn: int) -> None:
    tree = definition("gadgets", f"g{turn}.example.com", schema(size={"type": "integer"}))
    await created(one, CRDS, tree)
    path = f"{CRDS}/gadgets.g{turn}.example.com"

    async def established() -> bool:
        told = (await one.ask("GET", path)).tree.get("status", {}).get("conditions") or ()
        return any((condition["type"], condition["status"]) == ("Established", "True") for condition in told)

    await eventually(established, WITHIN_SECONDS, "it is established")
    group = f"/apis/g{turn}.example.com"
    assert (await other.ask("GET", f"{group}/v1")).status == 200
    await created(other, f"{group}/v1/namespaces/default/gadgets", {
        "apiVersion": f"g{turn}.example.com/v1", "kind": "Gadget", "metadata": {"name": "x"}, "spec": {"size": 1},
    })  # fmt: skip
    assert len((await one.ask("GET", f"{group}/v1/gadgets")).tree["items"]) == 1


def test_a_token_made_by_one_worker_counts_at_the_others(runner: asyncio.Runner, running: ServerProcess) -> None:
    """At once, and nowhere once its account is gone. Rule: KEP-1205"""

    async def scenario() -> None:
        async with lines(running.port, WORKERS) as each:
            for turn in range(2 * WORKERS):
                one, other = each[turn % WORKERS], each[(turn + 1) % WORKERS]
                path = f"/api/v1/namespaces/default/serviceaccounts/robot-{turn}"
                await created(one, path.rpartition("/")[0], {"metadata": {"name": f"robot-{turn}"}})
                token = (await other.ask("POST", f"{path}/token", {"spec": {}})).tree["status"]["token"]
                whoami = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
                said = (await one.ask("POST", whoami, {}, token=token)).tree
                assert said["status"]["userInfo"]["username"] == f"system:serviceaccount:default:robot-{turn}"
                assert (await other.ask("DELETE", path)).status == 200
                assert (await one.ask("POST", whoami, {}, token=token)).status == 401

    runner.run(scenario())


def test_each_watch_has_every_event_once_whichever_worker_serves_it(runner: asyncio.Runner, running: ServerProcess) -> None:
    """Writers and watches at all of them. Rule: issue 3: watches without a gap or a duplicate."""

    async def scenario() -> None:
        url = running.url
        start = (await listed(url))["metadata"]["resourceVersion"]
        watching = [Watching(lambda: url, start) for _ in range(2 * WORKERS)]
        tasks = [asyncio.ensure_future(one.run()) for one in watching]
        writers = Writers(lambda: url)
        writing = writers.start(6)
        await eventually(partial(more, writers.acknowledged, 200), WITHIN_SECONDS, "writes")
        writers.stopping = True
        await asyncio.gather(*writing)
        names = sorted(writers.acknowledged)
        for one in watching:
            await eventually(partial(more, one.added, len(names)), WITHIN_SECONDS, "every event")
            assert sorted(one.added) == names
            assert one.revisions == sorted(set(one.revisions))
        for task in tasks:
            task.cancel()

    runner.run(scenario())


def test_metrics_are_the_sum_of_all_workers(runner: asyncio.Runner, running: ServerProcess) -> None:
    """Whichever worker is asked. Rule: https://kubernetes.io/docs/reference/instrumentation/metrics/"""

    async def scenario() -> None:
        async with lines(running.port, WORKERS) as each:
            before = await _metrics(each[0], LISTS)
            for one in each:
                for _ in range(5):
                    assert (await one.ask("GET", f"{PATH}?limit=7")).status == 200
            namespaces = (await each[0].ask("GET", "/api/v1/namespaces")).tree["items"]
            for one in each:
                assert sum(await _metrics(one, LISTS)) - sum(before) == 5 * WORKERS
                assert await _metrics(one, r'apiserver_storage_objects\{resource="namespaces"\}') == [len(namespaces)]
                seats = await _metrics(one, r"apiserver_flowcontrol_nominal_limit_seats\{.*\}")
                assert 600 <= sum(seats) < 600 + (WORKERS + 1) * len(seats)

    runner.run(scenario())


async def _metrics(line: Line, series: str) -> list[float]:
    text = (await line.ask("GET", "/metrics")).body.decode()
    return [float(value) for value in re.findall(rf"^{series} (\S+)", text, re.M)]


def test_the_end_of_a_worker_is_the_end_of_the_server_and_no_write_is_lost(runner: asyncio.Runner, process: ServerProcess) -> None:
    """Under load, one of them is killed: the others finish what they began, the exit code is 1, and the reason is told.

    Rule: issue 3: no acknowledged write is lost.
    """

    async def scenario() -> None:
        await process.start()
        writers = Writers(lambda: process.url)
        tasks = writers.start(6)
        await eventually(partial(more, writers.acknowledged, 100), WITHIN_SECONDS, "writes")
        victim = process.workers[-1]
        os.kill(victim, signal.SIGKILL)
        assert await asyncio.to_thread(process.ended) == 1
        told = process.log.read_text().splitlines()[-1]
        assert told == f"kube-apiserver: worker {WORKERS - 1} (pid {victim}) was killed by SIGKILL: the server ends with it"
        await process.start()
        done = len(writers.acknowledged)
        await eventually(lambda: more(writers.acknowledged, done + 50), WITHIN_SECONDS, "writes go on")
        writers.stopping = True
        await asyncio.gather(*tasks)
        names = {one["metadata"]["name"] for one in (await listed(process.url))["items"]}
        assert writers.wrong == []
        assert writers.acknowledged <= names

    runner.run(scenario())


def test_the_workers_end_with_the_first_however_it_ends(runner: asyncio.Runner, process: ServerProcess) -> None:
    """Killed, it leaves nobody behind; asked to end, it ends all step by step, and signals to the others change nothing.

    Rule: decision 0012; prctl(2), PR_SET_PDEATHSIG;
    https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (--shutdown-delay-duration)
    """

    async def scenario() -> None:
        await process.start()
        _, *others = process.workers
        assert len(others) == WORKERS - 1
        process.kill()
        await eventually(partial(_gone, others), WITHIN_SECONDS, "no worker is left")
        await process.start()
        _, *others = process.workers
        for pid in others:
            os.kill(pid, signal.SIGTERM)
        async with lines(process.port, WORKERS) as each:
            for one in each:
                assert (await one.ask("GET", "/readyz")).status == 200
        await _drains(process)
        assert await _gone(others)

    runner.run(scenario())


async def _gone(pids: list[int]) -> bool:
    running = {int(one) for one in os.listdir("/proc") if one.isdecimal()}
    return running.isdisjoint(pids)


async def _goes(line: Line) -> bool:
    answer = await line.ask("GET", "/readyz")
    return (answer.status, answer.headers.get("connection")) == (500, "close")


async def _drains(process: ServerProcess) -> None:
    """It says that it ends, answers for as long as it said, ends watches in good order, and then itself."""
    count = WORKERS
    async with lines(process.port, count) as each, lines(process.port, count) as asked, lines(process.port, count) as watches:
        for one in watches:
            await one.watch(f"{PATH}?watch=1")
        process.terminate()
        for one in asked:
            await eventually(partial(_goes, one), WITHIN_SECONDS, "each worker says that it is not ready")
        names = [f"last-{number}" for number in range(WORKERS)]
        for name, one in zip(names, each, strict=True):
            last = await one.ask("POST", PATH, {"metadata": {"name": name}})
            assert (last.status, last.headers["connection"]) == (201, "close")
        for one in watches:
            events = [orjson.loads(line) async for chunk in one.chunks() for line in chunk.splitlines()]
            assert [event["object"]["metadata"]["name"] for event in events][-WORKERS:] == names
    assert await asyncio.to_thread(process.ended) == 0


def test_an_address_that_is_taken_is_told_in_a_line(runner: asyncio.Runner, running: ServerProcess, api_config: Config) -> None:
    """By another server of several workers, too. Rule: kube/component/run.py: what a user can mend is one line."""

    async def scenario() -> None:
        second = ServerProcess(api_config, running.log.parent / "second", {"--worker-processes": "2"}, port=running.port)
        second.log.parent.mkdir()
        second.launch()
        assert await asyncio.to_thread(second.ended) == 1
        told = [line for line in second.log.read_text().splitlines() if line.startswith("kube-apiserver: ")]
        assert len(told) == 1
        assert told[0].endswith(f"error while attempting to bind on address ('127.0.0.1', {running.port}): address already in use")

    runner.run(scenario())


def test_what_no_worker_can_do_is_told_once(runner: asyncio.Runner, api_config: Config, tmp_path: Path) -> None:
    """Rule: kube/component/run.py: what a user can mend is one line."""
    process = ServerProcess(api_config, tmp_path, {"--worker-processes": "2", "--authorization-mode": "Whoever"})
    try:
        process.launch()
        assert process.ended() == 1
        told = [line for line in process.log.read_text().splitlines() if "Whoever" in line]
        assert told == [
            "kube-apiserver: --authorization-mode: ['Whoever'] is not one of AlwaysAllow, AlwaysDeny, Node, RBAC, Webhook"
        ]
    finally:
        process.remove()
