"""The API of policies and bindings: discovery and every verb, as the conformance suite goes through them."""

import asyncio

import pytest

from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.resources import resource_of
from kube.api.status import Invalid, NotFound
from kube.api.types import (
    MutatingAdmissionPolicy,
    MutatingAdmissionPolicyBinding,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
)
from kube.client.rest import Client
from tests.component.apiserver_policies.policies import CONFIG_MAPS, GROUP, a_binding, a_policy

LABEL = "special=here"
VERBS = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
MUTATION = {
    "patchType": "ApplyConfiguration",
    "applyConfiguration": {"expression": "Object{metadata: Object.metadata{labels: {'a': 'b'}}}"},
}


async def discovered(client: Client, plural: str, *subresources: str) -> None:
    groups = (await client.request("GET", "/apis")).tree()["groups"]
    group = next(one for one in groups if one["name"] == GROUP)
    assert {"groupVersion": f"{GROUP}/v1", "version": "v1"} in group["versions"]
    assert (await client.request("GET", f"/apis/{GROUP}")).tree()["name"] == GROUP
    resources = {one["name"]: one for one in (await client.request("GET", f"/apis/{GROUP}/v1")).tree()["resources"]}
    assert set(resources[plural]["verbs"]) == VERBS
    assert all(f"{plural}/{one}" in resources for one in subresources)


async def every_verb(client: Client, row: Resource, tree: Tree) -> None:
    """Create, get, list, watch, patch, update, delete and deletecollection of one kind."""
    path, named = row.path(), {**tree, "metadata": {"labels": {"special": "here"}}}
    made = [await client.create(row, {**named, "metadata": {**named["metadata"], "name": f"one-{place}"}}) for place in range(3)]
    assert await client.get_tree(row, "", "one-0") == made[0]
    listed = (await client.request("GET", path, params={"labelSelector": LABEL})).tree()
    assert [one["metadata"]["name"] for one in listed["items"]] == ["one-0", "one-1", "one-2"]
    patched = await client.patch(row, Key("", "one-0"), {"metadata": {"annotations": {"patched": "true"}}})
    assert patched["metadata"]["annotations"] == {"patched": "true"}
    assert patched["spec"] == made[0]["spec"]
    patched["metadata"]["annotations"]["updated"] = "true"
    updated = await client.update(row, patched)
    assert updated["metadata"]["annotations"] == {"patched": "true", "updated": "true"}
    query = {
        "watch": "true",
        "labelSelector": LABEL,
        "resourceVersion": listed["metadata"]["resourceVersion"],
        "timeoutSeconds": "1",
    }
    events = (await client.request("GET", path, params=query)).body
    assert events.count(b'"MODIFIED"') == 2
    await client.delete(row, Key("", "one-0"))
    with pytest.raises(NotFound) as refused:
        await client.get_tree(row, "", "one-0")
    assert (refused.value.details or {})["group"] == GROUP
    await client.request("DELETE", path, params={"labelSelector": LABEL})
    assert (await client.request("GET", path, params={"labelSelector": LABEL})).tree()["items"] == []


async def status_of(client: Client, row: Resource, tree: Tree) -> None:
    """The status subresource: get, patch and update of it leave the spec alone."""
    made = await client.create(row, tree)
    name = made["metadata"]["name"]
    condition = {
        "type": "StatusPatched", "status": "True", "reason": "Test", "message": "m", "lastTransitionTime": "2020-01-01T00:00:00Z",
    }  # fmt: skip
    patched = await client.patch_status(row, Key("", name), {"conditions": [condition]})
    assert patched["status"]["conditions"] == [condition]
    condition["type"] = "StatusUpdated"
    patched["status"]["conditions"].append(condition)
    updated = await client.update(row, patched, subresource="status")
    assert [one["type"] for one in updated["status"]["conditions"]] == ["StatusPatched", "StatusUpdated"]
    assert updated["spec"] == made["spec"]
    seen = (await client.request("GET", row.path("", name, "status"))).tree()
    assert seen == updated
    await client.delete(row, Key("", name))


def test_validating_policies_have_every_verb(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicy API operations [Conformance]
    Rule: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
    """  # noqa: E501

    async def scenario() -> None:
        row = resource_of(ValidatingAdmissionPolicy)
        await discovered(client, row.plural, "status")
        policy = a_policy(
            "one", CONFIG_MAPS, validations=[{"expression": "object.metadata.name != 'x'", "messageExpression": "'no'"}]
        )
        await status_of(client, row, policy)
        await every_verb(client, row, policy)

    runner.run(scenario())


def test_validating_bindings_have_every_verb(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicyBinding API operations [Conformance]
    Rule: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
    """  # noqa: E501

    async def scenario() -> None:
        row = resource_of(ValidatingAdmissionPolicyBinding)
        await discovered(client, row.plural)
        await every_verb(
            client, row, a_binding("one", "replicas", matchResources={"namespaceSelector": {"matchLabels": {"a": "b"}}})
        )

    runner.run(scenario())


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        ([], "spec.validationActions: Required value"),
        (["Shout"], 'spec.validationActions[0]: Unsupported value: "Shout": supported values: "Audit", "Deny", "Warn"'),
        (["Audit", "Audit"], 'spec.validationActions[1]: Duplicate value: "Audit"'),
        (["Deny", "Warn"], "must not contain both Deny and Warn"),
    ],
)
def test_a_binding_says_what_follows_from_a_failure(runner: asyncio.Runner, client: Client, actions: list[str], told: str) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#validation-actions"""

    async def scenario() -> None:
        with pytest.raises(Invalid) as refused:
            await client.create(ValidatingAdmissionPolicyBinding, a_binding("one", "p", validationActions=actions))
        assert told in refused.value.message

    runner.run(scenario())


def test_mutating_policies_have_every_verb(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should support MutatingAdmissionPolicy API operations [Conformance]
    Rule: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
    """  # noqa: E501

    async def scenario() -> None:
        row = resource_of(MutatingAdmissionPolicy)
        await discovered(client, row.plural)
        await every_verb(client, row, a_policy("one", CONFIG_MAPS, "MutatingAdmissionPolicy", mutations=[MUTATION]))

    runner.run(scenario())


def test_mutating_bindings_have_every_verb(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should support MutatingAdmissionPolicyBinding API operations [Conformance]
    Rule: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
    """  # noqa: E501

    async def scenario() -> None:
        row = resource_of(MutatingAdmissionPolicyBinding)
        await discovered(client, row.plural)
        await every_verb(client, row, a_binding("one", "labels", "MutatingAdmissionPolicyBinding"))

    runner.run(scenario())
