"""Refusals and reviews to the letter, as kube-apiserver gives them."""

import asyncio
import base64
import json
from typing import Any

import aiohttp

from tests.component.conftest import ADMIN_TOKEN, NOBODY_TOKEN, RunningApi
from tests.component.session import Session

NAMESPACE = "/api/v1/namespaces/default"
REVIEWS = "/apis/authorization.k8s.io/v1"
ISSUER = "https://kubernetes.default.svc.cluster.local"


def test_words(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    async def scenario() -> None:
        async with aiohttp.ClientSession(apiserver.url) as session:
            one = Session(session)
            await refusals(one)
            await headers_of_authorization(one)
            await impersonation_of_nobody(one)
            await access_reviews(one)
            await other_reviews(one)
            await token_requests(one)
            await logs(one)
            await bindings(one)
            await namespaces_that_go(one)
            await tokens_of_pods(one)
            await secrets_of_an_account(one)
            await paths_beside(one)

    runner.run(scenario())


async def refusals(one: Session) -> None:
    """Rule: apiserver pkg/endpoints/handlers/responsewriters/errors.go, pkg/endpoints/request/requestinfo.go"""
    code, headers, answer = await one.told("GET", "/foo", token=NOBODY_TOKEN)
    assert (code, headers["X-Content-Type-Options"], answer["details"]) == (403, "nosniff", {})
    code, headers, answer = await one.told("OPTIONS", f"{NAMESPACE}/pods", token=NOBODY_TOKEN)
    assert (code, headers["X-Content-Type-Options"], answer["details"]) == (403, "nosniff", {"kind": "pods"})
    assert answer["message"].endswith('cannot  resource "pods" in API group "" in the namespace "default"')


async def headers_of_authorization(one: Session) -> None:
    """Rule: apiserver pkg/authentication/request/bearertoken"""
    assert (await one.told("GET", f"{NAMESPACE}/pods", Authorization=f"Bearer {ADMIN_TOKEN} more"))[0] == 200
    code, headers, answer = await one.told("GET", f"{NAMESPACE}/pods", Authorization=f"Bearer  {ADMIN_TOKEN}")
    assert (code, 'User "system:anonymous"' in answer["message"]) == (403, True)
    warning = "the provided Authorization header contains extra space before the bearer token, and is ignored"
    assert headers["Warning"] == f'299 - "{warning}"'


async def impersonation_of_nobody(one: Session) -> None:
    """Rule: apiserver pkg/endpoints/filters/impersonation"""
    code, headers, text = await one.told("GET", f"{NAMESPACE}/pods?a=b", Impersonate_Group="g")
    assert (code, headers["Content-Type"]) == (500, "text/plain; charset=utf-8")
    start = f'Internal Server Error: "{NAMESPACE}/pods?a=b": requested ['
    assert text == start + "{Group  g    }] without impersonating a user\n"


async def access_reviews(one: Session) -> None:
    """Rule: kubernetes pkg/apis/authorization/validation; apiserver pkg/registry/rest/meta.go"""
    resource, path = {"namespace": "default", "verb": "get", "resource": "pods"}, {"path": "/"}

    async def reviewed(kind: str, **tree: Any) -> tuple[int, Any]:
        code, _, answer = await one.told("POST", f"{REVIEWS}/{kind}", {"spec": {"user": "u", **tree.pop("spec")}, **tree})
        return code, answer.get("message", answer)

    both = 'spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":""}: '
    start, local = '.authorization.k8s.io "" is invalid: ', "namespaces/default/localsubjectaccessreviews"
    told = await reviewed("subjectaccessreviews", spec={"resourceAttributes": resource, "nonResourceAttributes": path})
    assert told == (422, f"{start}{both}cannot be specified in combination with resourceAttributes")
    assert await reviewed(local, spec={"nonResourceAttributes": path}) == (422, f"{start}{both}disallowed on this kind of request")
    elsewhere = 'spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace'
    assert await reviewed(local, spec={"resourceAttributes": {**resource, "namespace": "other"}}) == (422, start + elsewhere)
    code, why = await reviewed("subjectaccessreviews", spec={"resourceAttributes": resource}, metadata={"name": "x"})
    assert (code, why.startswith(f"{start}metadata: Invalid value: "), why.endswith(": must be empty")) == (422, True, True)
    code, answer = await reviewed("subjectaccessreviews", spec={"resourceAttributes": resource}, metadata={"namespace": "n"})
    assert (code, *answer["metadata"]) == (201, "managedFields")


async def other_reviews(one: Session) -> None:
    """Rule: kubernetes pkg/registry/authentication, pkg/registry/authorization; apiserver pkg/authentication/authenticator"""
    reviewed = (await one.told("POST", f"{REVIEWS}/selfsubjectrulesreviews", {"spec": {"namespace": "default"}}))[2]
    assert (reviewed["metadata"], reviewed["spec"]) == ({}, {})
    identity = "/apis/authentication.k8s.io/v1"
    assert "creationTimestamp" in (await one.told("POST", f"{identity}/selfsubjectreviews", {}))[2]["metadata"]
    for audiences, found in (([], [ISSUER]), ([ISSUER, "x"], [ISSUER]), (["x"], None)):
        review = {"spec": {"token": NOBODY_TOKEN, "audiences": audiences}}
        status = (await one.told("POST", f"{identity}/tokenreviews", review))[2]["status"]
        assert status.get("audiences") == found
        assert status.get("error") == (None if found else "invalid bearer token")


async def token_requests(one: Session) -> None:
    """Rule: kubernetes pkg/registry/core/serviceaccount/storage/token.go"""
    uid = (await one.told("POST", f"{NAMESPACE}/serviceaccounts", {"metadata": {"name": "robot"}}))[2]["metadata"]["uid"]
    path = f"{NAMESPACE}/serviceaccounts/robot/token"
    assert (await one.told("POST", path, {}))[2]["metadata"]["uid"] == uid
    code, _, answer = await one.told("POST", path, {"metadata": {"name": "other"}})
    start, why = 'TokenRequest.authentication.k8s.io "robot" is invalid: ', "must match the service account name if specified"
    assert (code, answer["message"]) == (422, f'{start}metadata.name: Invalid value: "other": {why}')
    code, _, answer = await one.told("POST", path, {"metadata": {"uid": "old"}})
    start = 'Operation cannot be fulfilled on TokenRequest.authentication.k8s.io "robot": '
    why = f"the UID in the token request (old) does not match the UID of the service account ({uid})"
    assert (code, answer["message"]) == (409, start + why)


async def logs(one: Session) -> None:
    """Rule: kubernetes pkg/apis/core/validation (ValidatePodLogOptions), pkg/registry/core/pod/strategy.go"""
    containers = [{"name": "c", "image": "i"}, {"name": "d", "image": "i"}]
    spec = {
        "serviceAccountName": "robot",
        "nodeName": "nowhere",
        "containers": containers,
        "initContainers": [{"name": "i", "image": "i"}],
    }
    assert (await one.told("POST", f"{NAMESPACE}/pods", {"metadata": {"name": "p"}, "spec": spec}))[0] == 201
    at_most = "[]: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
    for query, code, text in (
        ("tailLines=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("sinceTime=x", 400, 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
        ("tailLines=-1", 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("limitBytes=0", 422, "limitBytes: Invalid value: 0: must be greater than 0"),
        ("sinceSeconds=5&sinceTime=2020-01-01T00:00:00Z", 422, at_most),
        ("", 400, "a container name must be specified for pod p, choose one of: [i c d]"),
        ("container=c", 404, 'pods "nowhere" not found'),
    ):
        told, _, answer = await one.told("GET", f"{NAMESPACE}/pods/p/log?{query}")
        words = f'PodLogOptions "p" is invalid: {text}' if code == 422 else text
        assert (told, answer["message"]) == (code, words)


async def bindings(one: Session) -> None:
    """Upstream's code is 500; what a client does wrong is a 400 here.

    Rule: kubernetes pkg/registry/core/pod/storage, pkg/apis/core/validation (ValidatePodBinding)
    """
    kind = 'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"'
    for target, text in (({}, "target.name: Required value"), ({"kind": "Pod", "name": "x"}, kind)):
        binding = {"metadata": {"name": "p"}, "target": target}
        code, _, answer = await one.told("POST", f"{NAMESPACE}/pods/p/binding", binding)
        assert (code, answer["message"]) == (400, text)


async def namespaces_that_go(one: Session) -> None:
    """Nothing is made in it, no token either; questions may be asked about it. Who finalizes it gives it its metadata.

    Rule: apiserver pkg/admission/plugin/namespace/lifecycle; kubernetes pkg/registry/core/namespace/strategy.go
    """
    await one.told("POST", "/api/v1/namespaces", {"metadata": {"name": "going", "labels": {"a": "b"}}})
    path = "/api/v1/namespaces/going"
    await one.told("POST", f"{path}/serviceaccounts", {"metadata": {"name": "robot"}})
    assert (await one.told("DELETE", path))[0] == 200
    code, _, answer = await one.told("POST", f"{path}/serviceaccounts/robot/token", {})
    why = "unable to create new content in namespace going because it is being terminated"
    assert (code, answer["message"]) == (403, f'serviceaccounts "robot" is forbidden: {why}')
    for namespace in ("going", "nowhere"):
        review = {"spec": {"user": "u", "resourceAttributes": {"namespace": namespace, "verb": "get", "resource": "pods"}}}
        review_path = f"{REVIEWS}/namespaces/{namespace}/localsubjectaccessreviews"
        assert (await one.told("POST", review_path, review))[0] == 201
    finalized = {"metadata": {"name": "going", "labels": {"c": "d"}}, "spec": {"finalizers": ["kubernetes"]}}
    metadata = (await one.told("PUT", f"{path}/finalize", finalized))[2]["metadata"]
    assert metadata["labels"] == {"c": "d", "kubernetes.io/metadata.name": "going"}
    assert metadata["deletionTimestamp"]


async def tokens_of_pods(one: Session) -> None:
    """One that is mounted counts for a year and says when a newer one is due; it names the node, though it is not there.

    Rule: kubernetes pkg/serviceaccount/claims.go, pkg/registry/core/serviceaccount/storage/token.go (KEP-1205, KEP-4193)
    """
    path, bound = f"{NAMESPACE}/serviceaccounts/robot/token", {"apiVersion": "v1", "kind": "Pod", "name": "p"}
    for seconds, lives, warns in ((3607, 365 * 24 * 3600, 3607), (3600, 3600, None)):
        spec = {"expirationSeconds": seconds, "boundObjectRef": bound}
        token = (await one.told("POST", path, {"spec": spec}))[2]["status"]["token"]
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        private = claims["kubernetes.io"]
        assert claims["exp"] - claims["iat"] == lives
        assert private.get("warnafter") == (claims["iat"] + warns if warns else None)
        assert private["node"] == {"name": "nowhere"}
        user = (await one.told("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, token=token))[2]["status"][
            "userInfo"
        ]
        assert user["extra"]["authentication.kubernetes.io/node-name"] == ["nowhere"]
        assert "authentication.kubernetes.io/node-uid" not in user["extra"]


async def secrets_of_an_account(one: Session) -> None:
    """Rule: upstream plugin/pkg/admission/serviceaccount (kubernetes.io/enforce-mountable-secrets)"""
    annotations = {"kubernetes.io/enforce-mountable-secrets": "true"}
    account = {"metadata": {"name": "careful", "annotations": annotations}, "secrets": [{"name": "known"}]}
    await one.told("POST", f"{NAMESPACE}/serviceaccounts", account)
    refused = "is not allowed because service account careful does not reference that secret"
    env = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "other", "key": "k"}}}
    for spec, why in (
        ({"volumes": [{"name": "v", "secret": {"secretName": "other"}}]}, f'volume with secret.secretName="other" {refused}'),
        ({"env": [env]}, f'container c with envVar A referencing secret.secretName="other" {refused}'),
        ({"imagePullSecrets": [{"name": "x"}]}, f'imagePullSecrets[0].name="x" {refused.replace("secret", "imagePullSecret")}'),
        ({"volumes": [{"name": "v", "secret": {"secretName": "known"}}]}, ""),
    ):
        container = {"name": "c", "image": "i", "env": spec.pop("env", [])}
        pod = {"metadata": {"name": "q"}, "spec": {"serviceAccountName": "careful", "containers": [container], **spec}}
        code, _, answer = await one.told("POST", f"{NAMESPACE}/pods?dryRun=All", pod)
        assert (code, answer.get("message")) == ((403, f'pods "q" is forbidden: {why}') if why else (201, None))
    mirrors: list[tuple[Any, str]] = [
        ({"serviceAccountName": "careful"}, "reference service accounts"),
        ({"imagePullSecrets": [{"name": "x"}]}, "reference secrets"),
    ]
    for more, what in mirrors:
        metadata = {"name": "q", "annotations": {"kubernetes.io/config.mirror": "x"}}
        pod = {"metadata": metadata, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}], **more}}
        told = await one.told("POST", f"{NAMESPACE}/pods?dryRun=All", pod)
        assert (told[0], told[2]["message"]) == (403, f'pods "q" is forbidden: a mirror pod may not {what}')


async def paths_beside(one: Session) -> None:
    """Rule: apiserver pkg/server/routes/index.go, pkg/server/healthz"""
    paths = (await one.told("GET", "/"))[2]["paths"]
    assert {"/api/v1", "/apis", "/apis/apps/v1", "/livez/etcd", "/readyz/poststarthook/rbac/bootstrap-roles", "/version"} <= {
        *paths
    }
    code, headers, text = await one.told("GET", "/healthz/poststarthook/rbac/bootstrap-roles")
    assert (code, text, "X-Content-Type-Options" in headers) == (200, "ok", False)
    assert (await one.told("POST", "/healthz"))[0] == 200
    assert (await one.told("GET", "/healthz/"))[0] == (await one.told("GET", "/healthz/nothing"))[0] == 404
