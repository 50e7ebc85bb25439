"""Plain reads: the short way's answers are the long way's, byte for byte, and as true."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from apiserver.app import App
from apiserver.plain_reads import PlainReads
from kube.api.meta import Key, Tree
from kube.api.resources import resource_for
from kube.client.rest import Client
from kube.component import http_server
from kube.component.short_way import Brief
from tests.component.conftest import ADMIN_TOKEN, NOBODY_TOKEN, RunningApi
from tests.wait import eventually

CONFIG_MAP = resource_for("", "v1", "configmaps")
ROLE = resource_for("rbac.authorization.k8s.io", "v1", "clusterroles")
BINDING = resource_for("rbac.authorization.k8s.io", "v1", "clusterrolebindings")
BASE = "/api/v1/namespaces/default/configmaps"
GROUP = "rbac.authorization.k8s.io"
NEW_EACH_TIME = re.compile(rb"(date|audit-id): [^\r]+")


class Noted(PlainReads):
    """Tells which way the last request went."""

    short = False

    def take(self, brief: Brief) -> bool:
        self.short = super().take(brief)
        return self.short


class Asking:
    """One connection, raw."""

    def __init__(self, way: Noted, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._way = way
        self._reader = reader
        self._writer = writer

    async def get(self, path: str, token: str = ADMIN_TOKEN, more: str = "") -> tuple[bytes, bool]:
        """The whole answer, and whether it went the short way."""
        self._way.short = False
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{more}\r\n".encode())
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 10)
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None, head
        return head + await self._reader.readexactly(int(length[1])), self._way.short


@asynccontextmanager
async def asking(api: RunningApi) -> AsyncIterator[Asking]:
    way = Noted(api.server)
    listener = await http_server.serve(App(api.server), "127.0.0.1", 0, short_way=way)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    try:
        yield Asking(way, reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()
        await listener.close(within=1)


def a_config_map(name: str, value: str) -> Tree:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": {"value": value}}


def test_short_and_long_way_answer_alike(runner: asyncio.Runner, client: Client, apiserver: RunningApi) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-a-single-resource"""

    async def scenario() -> None:
        await client.create(CONFIG_MAP, a_config_map("one", "1"))
        async with asking(apiserver) as door:
            for path, plain in ((f"{BASE}/one", True), (f"{BASE}/none", True), (f"{BASE}/one?pretty=1", False), (BASE, False),
                                ("/api/v1/namespaces/default", True), ("/api/v1/namespaces/default/events/x", True),
                                ("/apis/events.k8s.io/v1/namespaces/default/events/x", False), ("/version", False)):  # fmt: skip
                first, again = await door.get(path), await door.get(path)
                while plain and not again[1]:  # the server's own objects are still being made, and each is waited for
                    again = await door.get(path)
                assert NEW_EACH_TIME.sub(b"", first[0]) == NEW_EACH_TIME.sub(b"", again[0])
                assert (first[1], again[1]) == (False, plain), path

    runner.run(scenario())


def test_what_is_asked_in_another_form_or_as_somebody_else_goes_the_long_way(
    runner: asyncio.Runner, client: Client, apiserver: RunningApi
) -> None:
    async def scenario() -> None:
        await client.create(CONFIG_MAP, a_config_map("two", "1"))
        async with asking(apiserver) as door:
            for more in ("Accept: application/yaml\r\n", "Accept: application/json;as=Table;g=meta.k8s.io;v=v1\r\n",
                         "Impersonate-User: jane\r\n", "Accept: image/png\r\n"):  # fmt: skip
                first, again = [await door.get(f"{BASE}/two", more=more) for _ in range(2)]
                assert NEW_EACH_TIME.sub(b"", first[0]) == NEW_EACH_TIME.sub(b"", again[0])
                assert not again[1]

    runner.run(scenario())


def test_a_plain_read_sees_every_write_before_it(runner: asyncio.Runner, client: Client, apiserver: RunningApi) -> None:
    """Rule: KEP-2340 (what was acknowledged before the request came is seen)"""

    async def scenario() -> None:
        tree = await client.create(CONFIG_MAP, a_config_map("three", "0"))
        async with asking(apiserver) as door:
            await door.get(f"{BASE}/three")
            for number in range(30):
                tree["data"]["value"] = str(number)
                tree = await client.update(CONFIG_MAP, tree)
                answer, short = await door.get(f"{BASE}/three")
                assert answer.endswith(b'"data":{"value":"%d"}}' % number)
                assert short
            await client.delete(CONFIG_MAP, Key("default", "three"))
            assert (await door.get(f"{BASE}/three"))[0].startswith(b"HTTP/1.1 404 ")

    runner.run(scenario())


def test_rights_count_anew_for_each_plain_read(runner: asyncio.Runner, client: Client, apiserver: RunningApi) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/rbac/"""

    async def scenario() -> None:
        await client.create(CONFIG_MAP, a_config_map("four", "1"))
        rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]
        version = f"{GROUP}/v1"
        await client.create(ROLE, {"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": "r"}, "rules": rules})
        binding = {
            "apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": "b"},
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": "r"},
            "subjects": [{"apiGroup": GROUP, "kind": "User", "name": "nobody"}],
        }  # fmt: skip
        async with asking(apiserver) as door:

            async def answered(code: bytes) -> bool:
                answer, _ = await door.get(f"{BASE}/four", NOBODY_TOKEN)
                return answer.startswith(b"HTTP/1.1 " + code)

            assert await answered(b"403")
            await client.create(BINDING, binding)
            await eventually(lambda: answered(b"200"), 5)
            assert (await door.get(f"{BASE}/four", NOBODY_TOKEN))[1]
            await client.delete(BINDING, Key("", "b"))
            await eventually(lambda: answered(b"403"), 5)
            assert (await door.get(f"{BASE}/four", "unknown"))[0].startswith(b"HTTP/1.1 401 ")
            assert (await door.get(f"{BASE}/four", "unknown"))[0].startswith(b"HTTP/1.1 401 ")

    runner.run(scenario())


def test_plain_reads_are_counted_and_give_their_seat_back(runner: asyncio.Runner, client: Client, apiserver: RunningApi) -> None:
    async def counted() -> int:
        text = (await client.request("GET", "/metrics")).body.decode()
        found = re.search(r'apiserver_request_total\{code="200",component="apiserver",dry_run="",group="",resource="configmaps",'
                          r'scope="resource",subresource="",verb="GET",version="v1"\} ([0-9.e+]+)', text)  # fmt: skip
        return int(float(found[1])) if found else 0

    async def scenario() -> None:
        await client.create(CONFIG_MAP, a_config_map("five", "1"))
        before = await counted()
        async with asking(apiserver) as door:
            for _ in range(5):
                await door.get(f"{BASE}/five")
            named, short = await door.get(f"{BASE}/five", more="Audit-ID: mine\r\n")
            again, short_again = await door.get(f"{BASE}/five", more="Audit-ID: mine\r\n")
            assert (short, short_again) == (False, True)
            assert b"\r\naudit-id: mine\r\n" in named
            assert b"\r\naudit-id: mine\r\n" in again
        assert await counted() == before + 7
        assert apiserver.server.in_flight == [0, 0]

    runner.run(scenario())
