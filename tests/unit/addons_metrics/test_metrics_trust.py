"""Whom metrics-server believes about the user: who the cluster says, as it says it now."""

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

from addons.metrics.access import Access, Proxies
from addons.metrics.start import believe, tls_of
from kube.api.types import ConfigMap
from kube.api.views import view
from kube.client.kubeconfig import Config
from kube.client.rest import Client
from kube.component.http_server import serve
from tests.certificates import Authority, Pair


def told(authority: Authority) -> ConfigMap:
    data = {
        "requestheader-client-ca-file": authority.certificate.read_text(),
        "requestheader-allowed-names": json.dumps(["front-proxy-client"]),
        "requestheader-username-headers": json.dumps(["X-Remote-User"]),
    }
    return view(ConfigMap, {"metadata": {"name": "extension-apiserver-authentication"}, "data": data})


async def answer(port: int, proxy: Pair) -> bytes:
    """What is said to who shows this certificate; empty: the handshake failed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(proxy.certificate, proxy.key)
    writer = None
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Remote-User: joe\r\nConnection: close\r\n\r\n")
        return (await reader.read()).rpartition(b"\r\n")[2]
    except (ssl.SSLError, ConnectionError):
        return b""
    finally:
        if writer is not None:
            writer.close()


def test_another_front_proxy_authority_is_believed_without_a_restart(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/ (rotation of the request header CA)"""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    old, new = Authority(tmp_path / "old"), Authority(tmp_path / "new")
    first, second = old.issue("front-proxy-client"), new.issue("front-proxy-client")
    own = tmp_path / "own"

    async def story() -> None:
        client = Client(Config("http://127.0.0.1:1"), "metrics-server")
        access = Access(client, Proxies(""))

        async def app(scope: Any, receive: Any, send: Any) -> None:
            headers = [(key.decode(), value.decode()) for key, value in scope["headers"]]
            subject = scope["extensions"]["tls"]["subject"]
            user = access.proxies.user_of(subject, headers) if subject is not None else None
            body = user.name.encode() if user is not None else b"nobody"
            length = [(b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": length})
            await send({"type": "http.response.body", "body": body})

        server = await serve(app, "127.0.0.1", 0, tls=tls_of(own))
        try:
            assert await answer(server.port, first) == b""
            believe(access, told(old), own)
            assert (await answer(server.port, first), await answer(server.port, second)) == (b"joe", b"")
            believe(access, told(new), own)
            assert (await answer(server.port, first), await answer(server.port, second)) == (b"", b"joe")
        finally:
            await server.close()

    asyncio.run(story())
