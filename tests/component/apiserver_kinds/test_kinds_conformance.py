"""What the official suite asks of kinds that need no running pod: unknown fields, namespaces, certificate requests, accounts."""

import asyncio
import json
from typing import Any

import pytest

from kube.api.meta import Key, Tree
from kube.api.resources import resource_for
from kube.api.status import BadRequest, InternalError, Invalid, NotFound
from kube.client.rest import Client, PatchType
from tests.certificate_request import encoded_request

NAMESPACE = resource_for("", "v1", "namespaces")
ACCOUNT = resource_for("", "v1", "serviceaccounts")
REQUEST = resource_for("certificates.k8s.io", "v1", "certificatesigningrequests")
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"

WITH_UNKNOWN = """{
  "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"app": "nginx"}},
  "spec": {
    "unknown1": "val1", "unknownDupe": "valDupe", "unknownDupe": "valDupe2", "paused": true, "paused": false,
    "selector": {"matchLabels": {"app": "nginx"}},
    "template": {"metadata": {"labels": {"app": "nginx"}}, "spec": {"containers": [
      {"name": "nginx", "image": "nginx:latest", "unknownNested": "val1", "imagePullPolicy": "Always", "imagePullPolicy": "Never"}
    ]}}
  }
}"""
WITH_UNKNOWN_METADATA = """{
  "apiVersion": "apps/v1", "kind": "Deployment",
  "metadata": {"name": "web", "unknownMeta": "foo", "labels": {"app": "nginx"}},
  "spec": {
    "selector": {"matchLabels": {"app": "nginx"}},
    "template": {"metadata": {"labels": {"app": "nginx"}, "unknownSubMeta": "bar"},
                 "spec": {"containers": [{"name": "nginx", "image": "nginx:latest"}]}}
  }
}"""
UNKNOWN = (
    'unknown field "spec.unknown1"', 'unknown field "spec.unknownDupe"', 'duplicate field "spec.paused"',
    'unknown field "spec.template.spec.containers[0].unknownNested"',
    'duplicate field "spec.template.spec.containers[0].imagePullPolicy"',
)  # fmt: skip
UNKNOWN_METADATA = ('unknown field "metadata.unknownMeta"', 'unknown field "spec.template.metadata.unknownSubMeta"')


async def _strictly(client: Client, method: str, path: str, body: str, content_type: str, **params: str) -> Tree:
    headers = {"Content-Type": content_type}
    strict = {"fieldValidation": "Strict", **params}
    return (await client.request(method, path, params=strict, body=body.encode(), headers=headers)).tree()


@pytest.mark.parametrize(("body", "expected"), [(WITH_UNKNOWN, UNKNOWN), (WITH_UNKNOWN_METADATA, UNKNOWN_METADATA)])
def test_unknown_and_duplicate_fields_of_a_deployment_are_refused_where_that_is_asked(
    runner: asyncio.Runner, client: Client, body: str, expected: tuple[str, ...]
) -> None:
    """Created, and applied by the server.

    Conformance: [sig-api-machinery] FieldValidation should detect unknown and duplicate fields of a typed object [Conformance]
    Conformance: [sig-api-machinery] FieldValidation should detect unknown metadata fields of a typed object [Conformance]
    Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
    """

    async def scenario() -> None:
        with pytest.raises(BadRequest, match="strict decoding error: ") as created:
            await _strictly(client, "POST", DEPLOYMENTS, body, "application/json")
        assert all(one in created.value.message for one in expected), created.value.message
        with pytest.raises(InternalError, match="field not declared in schema"):  # upstream's answer to an apply
            await _strictly(client, "PATCH", f"{DEPLOYMENTS}/web", body, "application/apply-patch+yaml", fieldManager="m")
        with pytest.raises(NotFound):
            await client.request("GET", f"{DEPLOYMENTS}/web")

    runner.run(scenario())


def test_a_namespace_is_updated_patched_and_finalized(runner: asyncio.Runner, client: Client) -> None:
    """Its labels, its status, and a finalizer of its spec, which only /finalize adds and removes.

    Conformance: [sig-api-machinery] Namespaces [Serial] should apply a finalizer to a Namespace [Conformance]
    Conformance: [sig-api-machinery] Namespaces [Serial] should apply an update to a Namespace [Conformance]
    Conformance: [sig-api-machinery] Namespaces [Serial] should apply changes to a namespace status [Conformance]
    Conformance: [sig-api-machinery] Namespaces [Serial] should patch a Namespace [Conformance]
    Rule: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
    """
    key = Key("", "room")

    async def scenario() -> None:
        made = await client.create(NAMESPACE, {"metadata": {"name": "room"}})
        made["metadata"]["labels"]["room"] = "updated"
        updated = await client.update(NAMESPACE, made)
        assert updated["metadata"]["labels"]["room"] == "updated"
        labelled: Tree = {"metadata": {"labels": {"testLabel": "testValue"}}}
        patched = await client.patch(NAMESPACE, key, labelled, type=PatchType.STRATEGIC)
        assert patched["metadata"]["labels"]["testLabel"] == "testValue"
        status = await client.get_tree(NAMESPACE, "", "room")
        assert status["status"]["phase"] == "Active"
        condition = {"type": "StatusPatch", "status": "True", "reason": "E2E", "message": "Patched by a test"}
        told = await client.patch_status(NAMESPACE, key, {"conditions": [condition]})
        assert told["status"]["conditions"][0]["reason"] == "E2E"
        assert told["status"]["phase"] == "Active"
        told["status"]["conditions"].append({**condition, "type": "StatusUpdate"})
        written = await client.update(NAMESPACE, told, subresource="status")
        assert [one["type"] for one in written["status"]["conditions"]] == ["StatusPatch", "StatusUpdate"]
        written["spec"]["finalizers"].append("e2e.example.com/fake")
        held = await client.update(NAMESPACE, written, subresource="finalize")
        assert held["spec"]["finalizers"] == ["kubernetes", "e2e.example.com/fake"]
        held["spec"]["finalizers"].remove("e2e.example.com/fake")
        freed = await client.update(NAMESPACE, held, subresource="finalize")
        assert freed["spec"]["finalizers"] == ["kubernetes"]

    runner.run(scenario())


def test_certificate_requests_have_every_operation_and_two_doors(runner: asyncio.Runner, client: Client) -> None:
    """Discovery, every verb, /approval and /status.

    Conformance: [sig-auth] Certificates API [Privileged:ClusterAdmin] should support CSR API operations [Conformance]
    Rule: https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
    """
    spec = {"request": encoded_request("e2e"), "signerName": "example.com/e2e", "usages": ["digital signature", "server auth"]}

    async def scenario() -> None:
        groups = (await client.request("GET", "/apis")).tree()["groups"]
        assert any(one["name"] == "certificates.k8s.io" for one in groups)
        listed = (await client.request("GET", "/apis/certificates.k8s.io/v1")).tree()["resources"]
        verbs = {one["name"]: set(one["verbs"]) for one in listed}
        every = {"create", "get", "list", "watch", "update", "patch", "delete", "deletecollection"}
        assert verbs["certificatesigningrequests"] == every
        for door in ("approval", "status"):
            assert verbs[f"certificatesigningrequests/{door}"] == {"get", "update", "patch"}
        body = {"metadata": {"generateName": "e2e-example-csr-", "labels": {"test": "e2e"}}, "spec": spec}
        first, second = [await client.create(REQUEST, body) for _ in range(2)]
        assert first["metadata"]["name"] != second["metadata"]["name"]
        key = Key("", first["metadata"]["name"])
        patched = await client.patch(REQUEST, key, {"metadata": {"annotations": {"patched": "true"}}}, type=PatchType.MERGE)
        patched["metadata"]["annotations"]["updated"] = "true"
        updated = await client.update(REQUEST, patched)
        assert updated["metadata"]["annotations"] == {"patched": "true", "updated": "true"}
        noted: Any = {"metadata": {"annotations": {"door": "approval"}}}
        noted["status"] = {"conditions": [{"type": "ApprovalPatch", "status": "True", "reason": "e2e"}]}
        patched = await client.patch(REQUEST, key, noted, type=PatchType.MERGE, subresource="approval")
        assert [one["type"] for one in patched["status"]["conditions"]] == ["ApprovalPatch"]
        assert patched["metadata"]["annotations"]["door"] == "approval"
        assert {"lastUpdateTime", "lastTransitionTime"} < patched["status"]["conditions"][0].keys()
        approval = {"type": "Approved", "status": "True", "reason": "E2E", "message": "Set from an e2e test"}
        updated = patched | {"status": {"conditions": [approval]}}
        approved = await client.update(REQUEST, updated, subresource="approval")
        assert approved["status"]["conditions"][0]["type"] == "Approved"
        approved["status"]["conditions"].append({"type": "StatusUpdate", "status": "True", "reason": "E2E"})
        told = await client.update(REQUEST, approved, subresource="status")
        assert [one["type"] for one in told["status"]["conditions"]] == ["Approved", "StatusUpdate"]
        for conditions, why in (
            ([{"type": "StatusUpdate", "status": "True"}], 'updates may not remove a condition of type "Approved"'),
            ([approval, approval], "Duplicate value"),
            ([approval, {"type": "Failed", "status": "False"}], 'supported values: "True"'),
        ):
            with pytest.raises(Invalid, match=why):
                await client.patch(REQUEST, key, {"status": {"conditions": conditions}}, type=PatchType.MERGE, subresource="status")
        await client.delete(REQUEST, key)
        with pytest.raises(NotFound):
            await client.get_tree(REQUEST, "", key.name)
        await client.request("DELETE", REQUEST.path(), params={"labelSelector": "test=e2e"})
        assert not (await client.list_tree(REQUEST, "", params={"labelSelector": "test=e2e"}))["items"]

    runner.run(scenario())


async def _watched(client: Client, params: dict[str, str], wanted: int) -> list[str]:
    """The types of the first events of a watch."""
    found: list[str] = []
    async with client.stream("GET", ACCOUNT.path("default"), params=params) as answer:
        async for line in answer.iter_lines():
            event: dict[str, Any] = json.loads(line)
            found.append(event["type"])
            if len(found) == wanted:
                break
    return found


def test_a_service_account_lives_is_watched_and_goes(runner: asyncio.Runner, client: Client) -> None:
    """Created with a label, patched, updated, listed and deleted, as a watch tells.

    Conformance: [sig-auth] ServiceAccounts should run through the lifecycle of a ServiceAccount [Conformance]
    Conformance: [sig-auth] ServiceAccounts should update a ServiceAccount [Conformance]
    Rule: https://kubernetes.io/docs/concepts/security/service-accounts/
    """
    key = Key("default", "testserviceaccount")

    async def scenario() -> None:
        version = (await client.list_tree(ACCOUNT, "default"))["metadata"]["resourceVersion"]
        labels = {"test-serviceaccount-static": "true"}
        made = await client.create(ACCOUNT, {"metadata": {"name": key.name, "namespace": "default", "labels": labels}})
        assert "automountServiceAccountToken" not in made
        patched = await client.patch(ACCOUNT, key, {"automountServiceAccountToken": False}, type=PatchType.STRATEGIC)
        assert patched["automountServiceAccountToken"] is False
        patched["automountServiceAccountToken"] = True
        assert (await client.update(ACCOUNT, patched))["automountServiceAccountToken"] is True
        selector = {"labelSelector": "test-serviceaccount-static=true"}
        found = (await client.list_tree(ACCOUNT, "", params=selector))["items"]
        assert [one["automountServiceAccountToken"] for one in found] == [True]
        await client.request("DELETE", ACCOUNT.path("default"), params=selector)
        params = {**selector, "watch": "1", "resourceVersion": version, "timeoutSeconds": "10"}
        assert await _watched(client, params, 4) == ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]

    runner.run(scenario())
