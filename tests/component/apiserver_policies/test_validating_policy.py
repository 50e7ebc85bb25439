"""ValidatingAdmissionPolicy against a running server: what is denied, in which words, and what is only told."""

import asyncio
import itertools

import pytest

from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import ApiError
from kube.api.types import ConfigMap, Deployment, ValidatingAdmissionPolicy
from kube.client.rest import Client
from tests.component.apiserver_policies.policies import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    a_binding,
    a_config_map,
    a_deployment,
    a_policy,
    created,
)
from tests.wait import eventually

REPLICAS = resource_of(Deployment)


async def refused(client: Client, tree: Tree) -> ApiError:
    """What the server says once it refuses; until then what it took is deleted again."""

    async def refusal() -> ApiError | None:
        try:
            made = await created(client, tree)
        except ApiError as error:
            return error
        row = resource_of(ConfigMap) if made["kind"] == "ConfigMap" else REPLICAS
        await client.delete(row, Key(made["metadata"]["namespace"], made["metadata"]["name"]))
        return None

    found = await eventually(refusal, 5.0)
    assert found is not None
    return found


def test_deployment_that_breaks_a_policy_is_denied(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should validate against a Deployment [Conformance]
    Rule: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
    """  # noqa: E501

    async def scenario() -> None:
        validations = [
            {
                "expression": "object.spec.replicas > 1",
                "messageExpression": "'wants more than 1 replica, has ' + string(object.spec.replicas)",
            },
            {"expression": "namespaceObject.metadata.name == 'default'", "message": "wrong namespace"},
        ]
        policy = a_policy("replicas", DEPLOYMENTS, validations=validations)
        await created(client, policy, a_binding("everywhere", "replicas"))
        error = await refused(client, a_deployment("web", 1))
        assert error.code == 422
        assert error.status()["reason"] == "Invalid"
        told = "ValidatingAdmissionPolicy 'replicas' with binding 'everywhere' denied request: wants more than 1 replica, has 1"
        assert error.message == f'deployments.apps "web" is forbidden: {told}'
        assert (error.details or {})["causes"] == [{"message": told}]
        await created(client, a_deployment("web", 2))

    runner.run(scenario())


def test_expressions_refer_to_variables(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should allow expressions to refer variables. [Conformance]
    Rule: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#variable-composition
    """  # noqa: E501

    async def scenario() -> None:
        variables = [
            {"name": "replicas", "expression": "object.spec.replicas"},
            {"name": "oddReplicas", "expression": "variables.replicas % 2 == 1"},
            {"name": "never", "expression": "object.spec.nothing.at.all"},
        ]
        validations = [{"expression": "variables.replicas > 1"}, {"expression": "variables.oddReplicas", "reason": "Forbidden"}]
        policy = a_policy("odd", DEPLOYMENTS, variables=variables, validations=validations)
        await created(client, policy, a_binding("odd", "odd"))
        error = await refused(client, a_deployment("web", 2))
        assert error.code == 403
        assert error.message.endswith("denied request: failed expression: variables.oddReplicas")
        error = await refused(client, a_deployment("web", 1))
        assert error.message.endswith("denied request: failed expression: variables.replicas > 1")
        await created(client, a_deployment("web", 3))

    runner.run(scenario())


def test_warn_and_audit_do_not_deny(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#validation-actions"""

    async def scenario() -> None:
        policy = a_policy("keys", CONFIG_MAPS, validations=[{"expression": "size(object.data) < 1", "message": "has data"}])
        await created(client, policy, a_binding("keys", "keys", validationActions=["Warn", "Audit"]))
        names = itertools.count()

        async def warning() -> str:
            tree = a_config_map(f"one-{next(names)}", {"a": "b"})
            answer = await client.request("POST", resource_of(ConfigMap).path("default"), body=tree)
            assert answer.status == 201
            return answer.headers.get("Warning", "")

        text = "Validation failed for ValidatingAdmissionPolicy 'keys' with binding 'keys': has data"
        assert await eventually(warning, 5.0) == f'299 - "{text}"'

    runner.run(scenario())


def test_parameters_come_from_the_binding(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#parameter-resources"""

    async def scenario() -> None:
        told = "'at most ' + params.data.most"
        policy = a_policy(
            "most", DEPLOYMENTS, paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
            validations=[{"expression": "object.spec.replicas <= int(params.data.most)", "messageExpression": told}],
        )  # fmt: skip
        reference = {"name": "limits", "namespace": "default", "parameterNotFoundAction": "Deny"}
        await created(client, policy, a_binding("most", "most", paramRef=reference))
        error = await refused(client, a_deployment("web", 9))
        why = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
        assert error.message.endswith(f"denied request: {why}")
        await created(client, a_config_map("limits", {"most": "3"}))
        error = await refused(client, a_deployment("web", 9))
        assert error.message.endswith("denied request: at most 3")
        await created(client, a_deployment("web", 3))

    runner.run(scenario())


def test_authorizer_and_match_conditions_are_asked(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library"""

    async def scenario() -> None:
        secrets = "authorizer.serviceAccount('default', 'nobody').group('').resource('secrets').namespace('default')"
        policy = a_policy(
            "asks", CONFIG_MAPS,
            matchConditions=[{"name": "is-named", "expression": "object.metadata.name == 'guarded'"}],
            validations=[
                {"expression": "authorizer.requestResource.check('create').allowed()"},
                {"expression": f"{secrets}.check('get').allowed()", "message": "may not"},
            ],
        )  # fmt: skip
        await created(client, policy, a_binding("asks", "asks"))
        error = await refused(client, a_config_map("guarded"))
        assert error.message.endswith("denied request: may not")
        await created(client, a_config_map("other"))

    runner.run(scenario())


def test_errors_follow_the_failure_policy(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#failure-policy"""

    async def scenario() -> None:
        expression = "object.data.missing == 'x'"
        fails = a_policy("fails", CONFIG_MAPS, validations=[{"expression": expression}])
        ignores = a_policy("ignores", CONFIG_MAPS, validations=[{"expression": expression}], failurePolicy="Ignore")
        await created(client, ignores, a_binding("ignores", "ignores"))
        await created(client, a_config_map("taken"))
        await created(client, fails, a_binding("fails", "fails"))
        error = await refused(client, a_config_map("one", {"a": "b"}))
        assert error.message.endswith(f"denied request: expression '{expression}' resulted in error: no such key: missing")

    runner.run(scenario())


def test_type_checking_is_told_in_the_status(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#type-checking"""

    async def scenario() -> None:
        validations = [{"expression": "object.spec.replicas > '1'"}, {"expression": "object.spec.replicas > 1"}]
        made = await created(client, a_policy("typed", DEPLOYMENTS, validations=validations))
        found = await client.get_tree(ValidatingAdmissionPolicy, "", "typed")
        assert found["status"]["observedGeneration"] == made["metadata"]["generation"] == 1
        text = "found no matching overload for '_>_' applied to '(int, string)'"
        warning = f"apps/v1, Kind=Deployment: ERROR: <input>:1:22: {text}\n | object.spec.replicas > '1'\n | .....................^"
        expected = [{"fieldRef": "spec.validations[0].expression", "warning": warning}]
        assert found["status"]["typeChecking"]["expressionWarnings"] == expected

    runner.run(scenario())


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"validations": [{"expression": "object.x +"}]}, "spec.validations[0].expression: Invalid value"),
        ({"validations": [{"expression": "object.x"}]}, "must evaluate to bool"),
        ({"validations": [{"expression": "variables.x"}]}, "undefined field 'x'"),
        ({"validations": [{"expression": "params.x == 1"}]}, "undeclared reference to 'params'"),
        ({"validations": [{"expression": "true", "messageExpression": "1"}]}, "must evaluate to string"),
        ({"validations": [{"expression": "true", "reason": "Odd"}]}, "spec.validations[0].reason: Unsupported value"),
        ({"validations": [{"expression": "true"}], "variables": [{"name": "1a", "expression": "1"}]}, "not a valid CEL identifier"),
        ({"auditAnnotations": [{"key": "k", "valueExpression": "1"}]}, "spec.auditAnnotations[0].valueExpression"),
    ],
)
def test_policies_that_do_not_compile_are_refused(runner: asyncio.Runner, client: Client, spec: Tree, told: str) -> None:
    """Rule: kubernetes pkg/apis/admissionregistration/validation"""

    async def scenario() -> None:
        with pytest.raises(ApiError) as caught:
            await created(client, a_policy("bad", CONFIG_MAPS, **spec))
        assert caught.value.code == 422
        assert told in caught.value.message

    runner.run(scenario())
