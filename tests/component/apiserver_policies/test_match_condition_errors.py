"""Match conditions that do not compile are refused with the configuration that has them."""

import asyncio

import pytest

from kube.api.meta import Tree
from kube.api.resources import resource_for_kind
from kube.api.status import ApiError
from kube.client.rest import Client

BAD = [{"name": "bad", "expression": "... [] bad expression"}]


def a_configuration(kind: str, conditions: list[Tree]) -> Tree:
    webhook = {
        "name": "one.example.com",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}],
        "matchConditions": conditions,
    }
    metadata = {"name": "one"}
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": metadata, "webhooks": [webhook]}


async def refusal(client: Client, tree: Tree) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await client.create(resource_for_kind(tree["apiVersion"], tree["kind"]), tree)
    return caught.value


def test_invalid_match_conditions_of_a_validating_webhook_are_refused(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should reject validating webhook configurations with invalid match conditions [Conformance]
    Rule: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchconditions
    """  # noqa: E501
    error = runner.run(refusal(client, a_configuration("ValidatingWebhookConfiguration", BAD)))
    assert error.code == 422
    assert "webhooks[0].matchConditions[0].expression: Invalid value" in error.message
    assert "compilation failed: ERROR: <input>:1:1: Syntax error" in error.message


def test_invalid_match_conditions_of_a_mutating_webhook_are_refused(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should reject mutating webhook configurations with invalid match conditions [Conformance]
    Rule: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchconditions
    """  # noqa: E501
    conditions = [{"name": "no bool", "expression": "object.metadata.name"}]
    error = runner.run(refusal(client, a_configuration("MutatingWebhookConfiguration", conditions)))
    assert "must evaluate to bool" in error.message
    assert "webhooks[0].matchConditions[0].name" in error.message
