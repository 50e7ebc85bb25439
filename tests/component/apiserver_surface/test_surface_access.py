"""Authentication, authorization and tokens, asked over HTTP."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from apiserver.app import running
from apiserver.config import Config
from kube.api.meta import Key
from kube.api.resources import resource_for
from kube.api.status import Conflict, Forbidden, Unauthorized
from kube.api.types import CertificateSigningRequest, Pod, SelfSubjectReview, ServiceAccount
from kube.client import kubeconfig
from kube.client.rest import Client
from kube.component import http_server
from kube.component.tls import ServerTLS
from tests.certificate_request import encoded_request
from tests.certificates import Authority
from tests.component.conftest import NOBODY_TOKEN, RunningApi

REQUEST = encoded_request("somebody")


@pytest.fixture
def api_config(api_config: Config, tmp_path: Path) -> Config:
    """With a key that signs tokens."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "sa.key"
    pem = serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, pem, serialization.NoEncryption()))
    return replace(api_config, service_account_key_file=(path,), service_account_signing_key_file=path)


async def whoami(apiserver: RunningApi, token: str) -> Any:
    async with Client(apiserver.config(token), "test") as client:
        return (await client.create(SelfSubjectReview, {}))["status"]["userInfo"]


def test_token_names_its_user(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    async def scenario() -> None:
        user = await whoami(apiserver, NOBODY_TOKEN)
        assert (user["username"], user["uid"], user["groups"]) == ("nobody", "2", ["system:authenticated"])

    runner.run(scenario())


def test_certificate_names_user_and_groups(runner: asyncio.Runner, api_config: Config, tmp_path: Path) -> None:
    """Rule: behaviour E.7.75: CN is the user, each O a group."""
    authority = Authority(tmp_path)
    own, theirs = authority.issue("apiserver"), authority.issue("jane", "dev", "ops")

    async def scenario() -> None:
        tls = ServerTLS(own.certificate, own.key, authority.certificate)
        async with running(replace(api_config, authorization_mode=("AlwaysAllow",))) as (_, app):
            listener = await http_server.serve(app, "127.0.0.1", 0, tls=tls)
            certificate, key = theirs.pem
            trusted = authority.certificate.read_bytes()
            way = kubeconfig.Config(f"https://127.0.0.1:{listener.port}", "", trusted, certificate, key)
            async with Client(way, "test") as client:
                user = (await client.create(SelfSubjectReview, {}))["status"]["userInfo"]
            await listener.close(within=0.5)
        (shown,) = user.pop("extra")["authentication.kubernetes.io/credential-id"]
        assert shown.startswith("X509SHA256=")
        assert user == {"username": "jane", "groups": ["dev", "ops", "system:authenticated"]}

    runner.run(scenario())


def test_unknown_token_is_401_not_anonymous(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """Rule: 401 before 403."""

    async def scenario() -> None:
        with pytest.raises(Unauthorized, match="Unauthorized"):
            await whoami(apiserver, "wrong")

    runner.run(scenario())


def test_anonymous_may_see_version_but_not_pods(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    async def scenario() -> None:
        async with Client(replace(apiserver.config(), token=""), "test") as client:
            assert (await client.request("GET", "/version")).tree()["major"] == "1"
            with pytest.raises(Forbidden, match='User "system:anonymous" cannot list resource "pods"'):
                await client.list(Pod)

    runner.run(scenario())


def test_bound_token_dies_with_its_pod(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """Rule: KEP-1205: a token that was made for a pod is worthless once the pod is gone."""

    async def scenario() -> None:
        await client.create(ServiceAccount, {"metadata": {"name": "default", "namespace": "default"}})
        spec = {"containers": [{"name": "c", "image": "i"}]}
        pod = await client.create(Pod, {"metadata": {"name": "p", "namespace": "default"}, "spec": spec})
        bound = {"kind": "Pod", "apiVersion": "v1", "name": "p", "uid": pod["metadata"]["uid"]}
        request = {"spec": {"boundObjectRef": bound, "expirationSeconds": 600}}
        answer = await client.create_subresource(ServiceAccount, Key("default", "default"), "token", request)
        user = await whoami(apiserver, answer["status"]["token"])
        assert user["username"] == "system:serviceaccount:default:default"
        assert user["extra"]["authentication.kubernetes.io/pod-name"] == ["p"]
        await client.delete(Pod, Key("default", "p"))
        with pytest.raises(Unauthorized):
            await whoami(apiserver, answer["status"]["token"])

    runner.run(scenario())


def test_masters_may_act_as_somebody_else(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    async def scenario() -> None:
        config = replace(apiserver.config(), impersonate=(("Impersonate-User", "jane"),))
        async with Client(config, "test") as client:
            status = (await client.create(SelfSubjectReview, {}))["status"]
            assert status["userInfo"]["username"] == "jane"
            with pytest.raises(Forbidden):
                await client.list(Pod)

    runner.run(scenario())


def test_can_i_answers_what_the_authorizer_would(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    async def scenario() -> None:
        row = resource_for("authorization.k8s.io", "v1", "selfsubjectaccessreviews")
        assert row is not None
        wish = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "default"}}}
        for token, answer in (("admin-token", True), (NOBODY_TOKEN, False)):
            async with Client(apiserver.config(token), "test") as client:
                assert (await client.create(row, wish))["status"]["allowed"] is answer

    runner.run(scenario())


def test_certificate_request_tells_who_made_it_and_is_decided_at_its_own_door(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client
) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/"""

    async def scenario() -> None:
        spec = {"request": REQUEST, "signerName": "example.com/x", "usages": ["client auth"], "username": "somebody-else"}
        made = await client.create(CertificateSigningRequest, {"metadata": {"name": "c"}, "spec": spec})
        assert made["spec"]["username"] == "admin"
        assert "system:masters" in made["spec"]["groups"]
        approved = {"type": "Approved", "status": "True", "reason": "Because"}
        made["status"] = {"conditions": [approved], "certificate": "AAAA"}
        made["spec"]["signerName"] = "example.com/y"
        answer = await client.update(CertificateSigningRequest, made, subresource="approval")
        assert answer["status"]["conditions"][0]["lastUpdateTime"]
        assert "certificate" not in answer["status"]
        assert answer["spec"]["signerName"] == "example.com/x"
        with pytest.raises(Conflict):
            await client.update(CertificateSigningRequest, made, subresource="approval")

    runner.run(scenario())
