"""What the controllers give to service accounts: the cluster's CA, and tokens in secrets that ask for one."""

import asyncio
import base64
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from apiserver.config import Config as ApiConfig
from controller_manager.config import Config
from kube.api.meta import Tree
from kube.api.status import NotFound, Unauthorized
from kube.api.types import ConfigMap, Namespace, Secret, SelfSubjectReview, ServiceAccount
from kube.client.rest import Client
from tests.component.conftest import RunningApi
from tests.component.controller_manager.conftest import Cluster, at


@pytest.fixture
def signing_key(tmp_path: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "sa.key"
    pem = serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, pem, serialization.NoEncryption()))
    return path


@pytest.fixture
def api_config(api_config: ApiConfig, signing_key: Path) -> ApiConfig:
    return replace(api_config, service_account_key_file=(signing_key,), service_account_signing_key_file=signing_key)


@pytest.fixture
def manager_config(manager_config: Config, signing_key: Path) -> Config:
    return replace(manager_config, service_account_private_key_file=signing_key)


def test_every_namespace_has_the_cluster_ca(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Made, made again when deleted, put right when changed.

    Conformance: [sig-auth] ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace [Conformance]
    """

    async def scenario() -> None:
        client, where = cluster.client, at("kube-root-ca.crt", "fresh")

        async def published() -> bool:
            return bool((await client.get(ConfigMap, *where)).data == {"ca.crt": "-----BEGIN CERTIFICATE-----\n"})

        await cluster.start_and_settle()
        await client.create(Namespace, {"metadata": {"name": "fresh"}})
        await cluster.until(published, "the CA")
        await client.delete(ConfigMap, where)
        await cluster.until(published, "the CA again")
        await client.patch(ConfigMap, where, {"data": {"ca.crt": "", "other": "x"}})
        await cluster.until(published, "the CA as it was")

    runner.run(scenario())


def test_secret_that_asks_gets_a_token_and_goes_with_its_account(
    runner: asyncio.Runner, apiserver: RunningApi, cluster: Cluster
) -> None:
    """Rule: https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets"""

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        account = await client.create(ServiceAccount, {"metadata": {"name": "robot", "namespace": "default"}})
        metadata: Tree = {"name": "s", "namespace": "default", "annotations": {"kubernetes.io/service-account.name": "robot"}}
        await client.create(Secret, {"metadata": metadata, "type": "kubernetes.io/service-account-token"})

        async def filled() -> str:
            data = (await client.get(Secret, "default", "s")).data or {}
            return data.get("token", "") if data.keys() == {"token", "ca.crt", "namespace"} else ""

        token = base64.b64decode(await cluster.until(filled, "a token")).decode()
        async with Client(apiserver.config(token), "test") as robot:
            user = (await robot.create(SelfSubjectReview, {}))["status"]["userInfo"]
            assert user["username"] == "system:serviceaccount:default:robot"
            assert user["uid"] == account["metadata"]["uid"]
            await client.delete(ServiceAccount, at("robot"))

            async def gone() -> bool:
                try:
                    await client.get(Secret, "default", "s")
                except NotFound:
                    return True
                return False

            await cluster.until(gone, "the secret to go")
            with pytest.raises(Unauthorized):
                await robot.create(SelfSubjectReview, {})

    runner.run(scenario())
