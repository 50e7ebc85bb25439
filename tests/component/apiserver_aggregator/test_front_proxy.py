"""Users that a trusted front proxy names in headers, over TLS with its certificate."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from apiserver.app import running
from apiserver.config import Config
from kube.api.status import Unauthorized
from kube.client import kubeconfig
from kube.client.rest import Client
from kube.component import http_server
from kube.component.tls import ServerTLS
from tests.certificates import Authority, Pair

HEADERS = {
    "X-Remote-User": "jane",
    "X-Remote-Uid": "7",
    "X-Remote-Group": "dev",
    "X-Remote-Extra-Scopes%2fs": "all",
}
JANE = {"username": "jane", "uid": "7", "groups": ["dev", "system:authenticated"], "extra": {"scopes/s": ["all"]}}


@pytest.fixture
def front_proxy(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "front-proxy-ca")


@pytest.fixture
def users(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "users-ca")


@pytest.fixture
def api_config(api_config: Config, front_proxy: Authority, users: Authority) -> Config:
    return replace(
        api_config,
        authorization_mode=("AlwaysAllow",),
        client_ca_file=users.certificate,
        requestheader_client_ca_file=front_proxy.certificate,
        requestheader_allowed_names=("aggregator",),
        requestheader_username_headers=("X-Remote-User",),
        requestheader_uid_headers=("X-Remote-Uid",),
        requestheader_group_headers=("X-Remote-Group",),
        requestheader_extra_headers_prefix=("X-Remote-Extra-",),
    )


async def whoami(config: Config, users: Authority, shown: Pair, headers: dict[str, str]) -> Any:
    """Whom a server takes the bearer of a certificate for; None: 401."""
    own = users.issue("apiserver")
    tls = ServerTLS(own.certificate, own.key, config.client_ca_file, config.requestheader_client_ca_file)
    async with running(config) as (_, app):
        listener = await http_server.serve(app, "127.0.0.1", 0, tls=tls)
        try:
            certificate, key = shown.pem
            way = kubeconfig.Config(f"https://127.0.0.1:{listener.port}", "", users.certificate.read_bytes(), certificate, key)
            async with Client(way, "test") as client:
                body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
                path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
                return (await client.request("POST", path, body=body, headers=headers)).tree()["status"]["userInfo"]
        except Unauthorized:
            return None
        finally:
            await listener.close(within=0.5)


def test_a_trusted_proxy_names_the_user(
    runner: asyncio.Runner, api_config: Config, front_proxy: Authority, users: Authority
) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#authenticating-proxy"""
    assert runner.run(whoami(api_config, users, front_proxy.issue("aggregator"), HEADERS)) == JANE


def test_a_proxy_of_another_name_is_refused(
    runner: asyncio.Runner, api_config: Config, front_proxy: Authority, users: Authority
) -> None:
    """Rule: --requestheader-allowed-names"""
    assert runner.run(whoami(api_config, users, front_proxy.issue("somebody"), HEADERS)) is None


def test_a_users_certificate_makes_no_proxy(
    runner: asyncio.Runner, api_config: Config, front_proxy: Authority, users: Authority
) -> None:
    """The user is told which certificate it was.

    Rule: the two authorities are told apart; KEP-4193
    """
    shown = users.issue("aggregator", "ops")
    user = runner.run(whoami(api_config, users, shown, HEADERS))
    fingerprint = x509.load_pem_x509_certificate(shown.pem[0]).fingerprint(hashes.SHA256()).hex()
    extra = {"authentication.kubernetes.io/credential-id": [f"X509SHA256={fingerprint}"]}
    assert user == {"username": "aggregator", "groups": ["ops", "system:authenticated"], "extra": extra}


def test_a_proxys_certificate_makes_no_user(
    runner: asyncio.Runner, api_config: Config, front_proxy: Authority, users: Authority
) -> None:
    """Rule: the two authorities are told apart"""
    user = runner.run(whoami(api_config, users, front_proxy.issue("aggregator"), {}))
    assert user["username"] == "system:anonymous"
