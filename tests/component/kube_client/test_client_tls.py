"""The client over TLS: shows its certificate, trusts only its authority, leaves no key behind."""

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvloop
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from kube.api.meta import Tree
from kube.client import kubeconfig
from kube.client.rest import Client, Unreachable
from kube.component.http_server import Server, serve
from kube.component.tls import ServerTLS
from tests.certificates import Authority, Pair


async def who(scope: Any, receive: Any, send: Any) -> None:
    """Tells whose certificate the client showed, and which."""
    subject = scope.get("extensions", {}).get("tls", {}).get("subject") or {}
    told = {**subject, "certificate": hashlib.sha256(subject.get("certificate", b"")).hexdigest()}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": orjson.dumps(told)})


def fingerprint(pair: Pair) -> str:
    return x509.load_pem_x509_certificate(pair.pem[0]).fingerprint(hashes.SHA256()).hex()


def written(path: Path, server: str, authority: Path, pair: Pair, **cluster: Any) -> str:
    """A kubeconfig with everything inline."""
    certificate, key = (base64.b64encode(part).decode() for part in pair.pem)
    trusted = base64.b64encode(authority.read_bytes()).decode()
    tree = {
        "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority-data": trusted, **cluster}}],
        "users": [{"name": "u", "user": {"client-certificate-data": certificate, "client-key-data": key}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path.write_text(yaml.safe_dump(tree))
    return str(path)


async def ask(config: kubeconfig.Config) -> Tree:
    async with Client(config, "test") as client:
        return (await client.request("GET", "/")).tree()


async def listening(authority: Authority, host: str = "127.0.0.1") -> Server:
    pair = authority.issue("server", host=host)
    return await serve(who, "127.0.0.1", 0, tls=ServerTLS(pair.certificate, pair.key, authority.certificate))


def test_certificate_in_the_kubeconfig_is_shown_and_its_key_left_nowhere(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    memory = Path("/dev/shm")
    before = set(os.listdir(memory)) if memory.is_dir() else set()
    me = authority.issue("me", "dev")

    async def scenario() -> Tree:
        server = await listening(authority)
        try:
            path = written(tmp_path / "k", f"https://127.0.0.1:{server.port}", authority.certificate, me)
            return await ask(kubeconfig.load(path))
        finally:
            await server.close(within=1)

    assert uvloop.run(scenario()) == {"CN": "me", "O": ["dev"], "certificate": fingerprint(me)}
    assert not any(name.startswith("skiff-") for name in (set(os.listdir(memory)) if before else set()) - before)


def test_server_of_another_authority_is_not_trusted(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "other")

    async def scenario() -> None:
        server = await listening(authority)
        try:
            path = written(tmp_path / "k", f"https://127.0.0.1:{server.port}", other.certificate, authority.issue("me"))
            with pytest.raises(Unreachable, match="certificate verify failed"):
                await ask(kubeconfig.load(path))
        finally:
            await server.close(within=1)

    uvloop.run(scenario())


def test_server_name_to_expect_may_be_another_than_the_host(tmp_path: Path) -> None:
    """Rule: kubeconfig's tls-server-name"""
    authority = Authority(tmp_path)
    me = authority.issue("me")

    async def scenario() -> Tree:
        server = await listening(authority, host="192.0.2.7")
        try:
            url = f"https://127.0.0.1:{server.port}"
            with pytest.raises(Unreachable, match="IP address mismatch"):
                await ask(kubeconfig.load(written(tmp_path / "k", url, authority.certificate, me)))
            named = {"tls-server-name": "192.0.2.7"}
            return await ask(kubeconfig.load(written(tmp_path / "k", url, authority.certificate, me, **named)))
        finally:
            await server.close(within=1)

    assert uvloop.run(scenario()) == {"CN": "me", "O": [], "certificate": fingerprint(me)}
