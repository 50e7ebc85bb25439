"""Tokens: of service accounts, of machines that join; and how others verify them."""

import asyncio
import base64
from dataclasses import replace
from typing import Any

import jwt
import pytest

from kube.api.meta import Key, Tree
from kube.api.status import ApiError, BadRequest, Conflict, Invalid, NotFound, Unauthorized
from kube.api.types import Pod, Secret, SelfSubjectReview, ServiceAccount, TokenReview
from kube.client.rest import Client
from tests.component.conftest import RunningApi


async def whoami(apiserver: RunningApi, token: str) -> Any:
    async with Client(apiserver.config(token), "test") as client:
        return (await client.create(SelfSubjectReview, {}))["status"]["userInfo"]


async def an_account(client: Client, name: str, **fields: Any) -> Tree:
    return await client.create(ServiceAccount, {"metadata": {"name": name, "namespace": "default"}, **fields})


async def a_token(client: Client, **spec: Any) -> str:
    answer = await client.create_subresource(ServiceAccount, Key("default", "robot"), "token", {"spec": spec})
    return str(answer["status"]["token"])


def test_token_of_an_account_is_reviewed(runner: asyncio.Runner, client: Client) -> None:
    """Authenticated, without an error, for the audiences that it is meant for.

    Conformance: [sig-auth] ServiceAccounts should create a serviceAccountToken and ensure a successful TokenReview [Conformance]
    """

    async def scenario() -> None:
        account = await an_account(client, "robot")
        token = await a_token(client)
        assert token
        status = (await client.create(TokenReview, {"spec": {"token": token}}))["status"]
        assert status["authenticated"] is True
        assert "error" not in status
        assert status["user"]["username"] == "system:serviceaccount:default:robot"
        assert status["user"]["uid"] == account["metadata"]["uid"]
        groups = ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]
        assert status["user"]["groups"] == groups
        meant = await a_token(client, audiences=["vault", "other"])
        review = {"spec": {"token": meant, "audiences": ["vault", "elsewhere"]}}
        assert (await client.create(TokenReview, review))["status"]["audiences"] == ["vault"]
        assert "authenticated" not in (await client.create(TokenReview, {"spec": {"token": meant}}))["status"]
        assert (await client.create(TokenReview, {"spec": {"token": "x"}}))["status"]["error"] == "invalid bearer token"

    runner.run(scenario())


def test_tokens_that_cannot_be_are_refused_in_upstreams_words(runner: asyncio.Runner, client: Client) -> None:
    """Rule: kubernetes pkg/registry/core/serviceaccount/storage/token.go, pkg/apis/authentication/validation"""

    def bound(kind: str, name: str, **more: str) -> Tree:
        return {"boundObjectRef": {"apiVersion": "v1", "kind": kind, "name": name, **more}}

    refused: list[tuple[Tree, type[ApiError], str]] = [
        (
            {"expirationSeconds": 599},
            Invalid,
            "spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes",
        ),
        ({"expirationSeconds": (1 << 32) + 1}, Invalid, "may not specify a duration larger than 2^32 seconds"),
        (bound("ConfigMap", "c"), BadRequest, "cannot bind token to object of type /v1, Kind=ConfigMap"),
        (bound("Pod", "missing"), NotFound, 'pods "missing" not found'),
        (
            bound("Secret", "s", uid="old"),
            Conflict,
            'Operation cannot be fulfilled on Secret "s": the UID in the bound object reference (old)',
        ),
        (
            bound("Pod", "p"),
            BadRequest,
            'cannot bind token for serviceaccount "robot" to pod running with different serviceaccount name.',
        ),
    ]

    async def scenario() -> None:
        await an_account(client, "robot")
        await an_account(client, "default")
        await client.create(Secret, {"metadata": {"name": "s", "namespace": "default"}})
        pod = {"metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        await client.create(Pod, pod)
        for spec, kind, text in refused:
            with pytest.raises(kind) as error:
                await a_token(client, **spec)
            assert text in error.value.message
        assert await a_token(client, **bound("Secret", "s"))

    runner.run(scenario())


def test_token_ends_with_its_account(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    async def scenario() -> None:
        await an_account(client, "robot")
        token = await a_token(client)
        assert (await whoami(apiserver, token))["username"] == "system:serviceaccount:default:robot"
        await client.delete(ServiceAccount, Key("default", "robot"))
        with pytest.raises(Unauthorized):
            await whoami(apiserver, token)

    runner.run(scenario())


def test_issuer_tells_by_which_keys_its_tokens_are_verified(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """The documents lead a stranger from a token to its signature; every service account may read them.

    Conformance: [sig-auth] ServiceAccounts ServiceAccountIssuerDiscovery should support OIDC discovery of service account issuer [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        await an_account(client, "robot")
        token = await a_token(client, audiences=["oidc-discovery-test"])
        own = await a_token(client)
        async with Client(apiserver.config(own), "test") as stranger:
            document = (await stranger.request("GET", "/.well-known/openid-configuration")).tree()
            keys = jwt.PyJWKSet.from_dict((await stranger.request("GET", "/openid/v1/jwks")).tree())
        header = jwt.get_unverified_header(token)
        (key,) = (one for one in keys.keys if one.key_id == header["kid"])
        assert header["alg"] in document["id_token_signing_alg_values_supported"]
        claims = jwt.decode(token, key.key, algorithms=[header["alg"]], audience="oidc-discovery-test", issuer=document["issuer"])
        assert claims["sub"] == "system:serviceaccount:default:robot"
        assert document["jwks_uri"].endswith("/openid/v1/jwks")

    runner.run(scenario())


@pytest.mark.parametrize("of_account", [None, True, False])
@pytest.mark.parametrize("of_pod", [None, True, False])
def test_token_is_mounted_unless_somebody_does_not_want_it(
    runner: asyncio.Runner, client: Client, of_account: bool | None, of_pod: bool | None
) -> None:
    """The pod's word counts before the account's. Rule: behaviour E.5.55

    Conformance: [sig-auth] ServiceAccounts should allow opting out of API token automount [Conformance]
    """
    mounted = of_account is not False if of_pod is None else of_pod

    async def scenario() -> None:
        await an_account(client, "robot", **({} if of_account is None else {"automountServiceAccountToken": of_account}))
        spec: Tree = {"serviceAccountName": "robot", "containers": [{"name": "c", "image": "i"}]}
        spec |= {} if of_pod is None else {"automountServiceAccountToken": of_pod}
        pod = await client.create(Pod, {"metadata": {"name": "p", "namespace": "default"}, "spec": spec})
        mounts = pod["spec"]["containers"][0].get("volumeMounts") or []
        paths = [one["mountPath"] for one in mounts]
        assert paths == (["/var/run/secrets/kubernetes.io/serviceaccount"] if mounted else [])

    runner.run(scenario())


def test_bootstrap_token_names_who_joins(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/"""

    def encoded(**data: str) -> dict[str, str]:
        return {name.replace("_", "-"): base64.b64encode(value.encode()).decode() for name, value in data.items()}

    async def scenario() -> None:
        data = encoded(
            token_id="abcdef", token_secret="0123456789abcdef", usage_bootstrap_authentication="true",
            auth_extra_groups="system:bootstrappers:workers",
        )  # fmt: skip
        metadata = {"name": "bootstrap-token-abcdef", "namespace": "kube-system"}
        await client.create(Secret, {"metadata": metadata, "type": "bootstrap.kubernetes.io/token", "data": data})
        user = await whoami(apiserver, "abcdef.0123456789abcdef")
        assert user["username"] == "system:bootstrap:abcdef"
        assert user["groups"] == ["system:bootstrappers", "system:bootstrappers:workers", "system:authenticated"]
        over = encoded(expiration="2020-01-01T00:00:00Z")
        await client.patch(Secret, Key("kube-system", "bootstrap-token-abcdef"), {"data": over})
        await client.get(Secret, "kube-system", "bootstrap-token-abcdef")  # read past the change: the cache has it
        with pytest.raises(Unauthorized):
            await whoami(apiserver, "abcdef.0123456789abcdef")
        with pytest.raises(Unauthorized):
            await whoami(apiserver, "abcdef.0123456789abcdee")

    runner.run(scenario())


def test_anonymous_reads_what_is_public_only(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """Rule: role system:public-info-viewer"""

    async def scenario() -> None:
        async with Client(replace(apiserver.config(), token=""), "test") as client:
            for path in ("/healthz", "/livez", "/readyz", "/version"):
                assert (await client.request("GET", path)).status == 200

    runner.run(scenario())
