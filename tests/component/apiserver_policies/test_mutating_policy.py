"""MutatingAdmissionPolicy against a running server: both patch types, parameters, the order and the second round."""

import asyncio
import itertools
from collections.abc import Callable

import pytest

from kube.api.meta import Key, Tree
from kube.api.status import ApiError
from kube.api.types import ConfigMap, Deployment, MutatingAdmissionPolicyBinding
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

KIND, BINDING = "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"


def applying(expression: str) -> Tree:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patching(expression: str) -> Tree:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


async def rule(client: Client, name: str, rules: list[Tree], *mutations: Tree, **spec: object) -> None:
    await created(
        client, a_policy(name, rules, KIND, mutations=list(mutations), **spec), a_binding(name, name, BINDING)
    )  # fmt: skip


async def made_so(client: Client, tree: Tree, holds: Callable[[Tree], bool]) -> Tree:
    """Create such an object, again and again, until the policy shows."""
    kind = Deployment if tree["kind"] == "Deployment" else ConfigMap
    names = itertools.count()

    async def attempt() -> Tree | None:
        named = {**tree, "metadata": {**tree["metadata"], "name": f"{tree['metadata']['name']}-{next(names)}"}}
        made = await created(client, named)
        assert made == await client.get_tree(kind, "default", made["metadata"]["name"])
        return made if holds(made) else None

    found = await eventually(attempt, 5.0)
    assert found is not None
    return found


def test_deployment_is_mutated_by_an_apply_configuration(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should mutate a Deployment [Conformance]
    Rule: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/#patch-type-apply-configuration
    """

    async def scenario() -> None:
        await rule(client, "replicas", DEPLOYMENTS, applying("Object{spec: Object.spec{replicas: object.spec.replicas + 4}}"))
        made = await made_so(client, a_deployment("web", 1), lambda one: one["spec"]["replicas"] == 5)
        assert made["spec"]["template"]["spec"]["containers"][0]["image"] == "i"

    runner.run(scenario())


def test_deployment_gets_annotations(runner: asyncio.Runner, client: Client) -> None:
    """Conformance: [sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should mutate a Deployment with annotations [Conformance]
    Rule: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/#patch-type-json-patch
    """  # noqa: E501

    async def scenario() -> None:
        first = applying('Object{metadata: Object.metadata{annotations: {"my-foo-annotation": "myAnnotationValue"}}}')
        second = patching(
            '[JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("example.com/x"), value: "y"}]'
        )  # fmt: skip
        await rule(client, "annotations", DEPLOYMENTS, first, second)
        made = await made_so(client, a_deployment("web", 1), lambda one: "annotations" in one["metadata"])
        assert made["metadata"]["annotations"] == {"my-foo-annotation": "myAnnotationValue", "example.com/x": "y"}

    runner.run(scenario())


def test_json_patch_adds_objects_with_variables_and_conditions(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/#patch-type-json-patch"""

    async def scenario() -> None:
        sidecar = 'Object.spec.template.spec.containers{name: "mesh", image: variables.image}'
        condition = {"name": "no-mesh", "expression": "!object.spec.template.spec.containers.exists(c, c.name == 'mesh')"}
        added = patching(f'[JSONPatch{{op: "add", path: "/spec/template/spec/containers/-", value: {sidecar}}}]')
        await rule(
            client, "mesh", DEPLOYMENTS, added,
            variables=[{"name": "image", "expression": "'mesh:' + object.metadata.namespace"}], matchConditions=[condition],
        )  # fmt: skip
        made = await made_so(client, a_deployment("web", 1), lambda one: len(one["spec"]["template"]["spec"]["containers"]) == 2)
        mesh = made["spec"]["template"]["spec"]["containers"][1]
        assert (mesh["name"], mesh["image"], mesh["imagePullPolicy"]) == ("mesh", "mesh:default", "IfNotPresent")

    runner.run(scenario())


def test_earlier_policy_is_asked_again_after_a_later_change(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/ (reinvocationPolicy)"""

    async def scenario() -> None:
        counts = 'Object{metadata: Object.metadata{labels: {"keys": string(size(object.data))}}}'
        await rule(client, "a-counts", CONFIG_MAPS, applying(counts), reinvocationPolicy="IfNeeded")
        await rule(client, "b-adds", CONFIG_MAPS, applying('Object{data: {"added": "x"}}'))
        made = await made_so(client, a_config_map("one", {"given": "x"}), lambda one: "added" in one["data"])
        assert made["metadata"]["labels"] == {"keys": "2"}

    runner.run(scenario())


def test_failing_mutation_follows_the_failure_policy(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/ (failurePolicy)"""

    async def scenario() -> None:
        wrong = applying('Object{metadata: Object.data{labels: {"a": "b"}}}')
        await rule(client, "ignored", CONFIG_MAPS, wrong, failurePolicy="Ignore")
        await created(client, a_config_map("taken"))
        await rule(client, "wrong", CONFIG_MAPS, wrong)
        names = itertools.count()

        async def refusal() -> str:
            try:
                await created(client, a_config_map(f"one-{next(names)}"))
            except ApiError as error:
                return error.message
            return ""

        told = 'unexpected type name "Object.data", expected "Object.metadata"'
        assert told in await eventually(refusal, 5.0)

    runner.run(scenario())


@pytest.mark.parametrize(
    ("mutation", "told"),
    [
        (applying("Object{"), "spec.mutations[0].applyConfiguration.expression: Invalid value"),
        (applying("{'a': 1}"), "must evaluate to Object"),
        (patching("JSONPatch{op: 'add'}"), "must evaluate to list(JSONPatch)"),
        (patching("[JSONPatch{nope: 'add'}]"), "undefined field 'nope'"),
        ({"patchType": "Odd"}, "spec.mutations[0].patchType: Unsupported value"),
        ({"patchType": "JSONPatch"}, "spec.mutations[0].jsonPatch: Required value"),
    ],
)
def test_mutations_that_do_not_compile_are_refused(runner: asyncio.Runner, client: Client, mutation: Tree, told: str) -> None:
    """Rule: kubernetes pkg/apis/admissionregistration/validation"""

    async def scenario() -> None:
        with pytest.raises(ApiError) as caught:
            await created(client, a_policy("bad", CONFIG_MAPS, KIND, mutations=[mutation]))
        assert told in caught.value.message

    runner.run(scenario())


def test_policy_rules_nothing_once_its_binding_is_gone(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/"""

    async def scenario() -> None:
        await rule(client, "labels", CONFIG_MAPS, applying('Object{metadata: Object.metadata{labels: {"a": "b"}}}'))
        await made_so(client, a_config_map("one"), lambda one: "labels" in one["metadata"])
        await client.delete(MutatingAdmissionPolicyBinding, Key("", "labels"))
        await made_so(client, a_config_map("two"), lambda one: "labels" not in one["metadata"])

    runner.run(scenario())
