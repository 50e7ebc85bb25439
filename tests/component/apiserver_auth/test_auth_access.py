"""Roles, reviews, escalation and impersonation, asked over HTTP."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from kube.api.meta import Key, Tree
from kube.api.status import ApiError, Forbidden, InternalError, Invalid, NotFound
from kube.api.types import (
    ClusterRole,
    ConfigMap,
    LocalSubjectAccessReview,
    Pod,
    Role,
    RoleBinding,
    Secret,
    SelfSubjectAccessReview,
    SelfSubjectReview,
    SelfSubjectRulesReview,
    ServiceAccount,
    SubjectAccessReview,
)
from kube.client.rest import Client
from tests.component.apiserver_auth.conftest import GROUP, a_rule, gone, grant, known
from tests.component.conftest import NOBODY_TOKEN, RunningApi


def as_user(apiserver: RunningApi, name: str, *headers: tuple[str, str]) -> Client:
    return Client(replace(apiserver.config(), impersonate=(("Impersonate-User", name), *headers)), "test")


def nobody(apiserver: RunningApi) -> Client:
    return Client(apiserver.config(NOBODY_TOKEN), "test")


def a_role(name: str, *rules: Tree) -> Tree:
    return {"metadata": {"name": name, "namespace": "default"}, "rules": list(rules)}


def a_binding(name: str, role: str, user: str, kind: str = "Role") -> Tree:
    reference = {"apiGroup": GROUP, "kind": kind, "name": role}
    subjects = [{"kind": "User", "apiGroup": GROUP, "name": user}]
    return {"metadata": {"name": name, "namespace": "default"}, "roleRef": reference, "subjects": subjects}


def test_binding_gives_and_takes(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """Rule: behaviour E.7.75"""

    async def scenario() -> None:
        async with nobody(apiserver) as someone:
            with pytest.raises(Forbidden) as refused:
                await someone.list(Pod, "default")
            text = 'pods is forbidden: User "nobody" cannot list resource "pods" in API group "" in the namespace "default"'
            assert refused.value.message == text
            await client.create(Role, a_role("reader", a_rule("get list", "core", "pods")))
            await client.create(RoleBinding, a_binding("b", "reader", "nobody"))
            await known(apiserver, "reader", "b", namespace="default")
            assert await someone.list(Pod, "default") == []
            with pytest.raises(Forbidden, match="at the cluster scope"):
                await someone.list(Pod)
            await client.delete(Role, Key("default", "reader"))
            await gone(apiserver, "reader", namespace="default")
            with pytest.raises(Forbidden, match=r'namespace "default": RBAC: role.rbac.authorization.k8s.io "reader" not found$'):
                await someone.list(Pod, "default")

    runner.run(scenario())


def test_nobody_grants_what_they_do_not_have(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping"""

    async def scenario() -> None:
        writing = a_rule("create update patch", GROUP, "roles rolebindings clusterroles")
        await grant(apiserver, client, "writer", "nobody", writing, a_rule("get", "core", "pods"))
        async with nobody(apiserver) as someone:
            await someone.create(Role, a_role("small", a_rule("get", "core", "pods")))
            with pytest.raises(Forbidden) as refused:
                await someone.create(Role, a_role("big", a_rule("get list delete", "core", "pods secrets")))
            assert refused.value.message == (
                'roles.rbac.authorization.k8s.io "big" is forbidden: user "nobody" (groups=["system:authenticated"]) is '
                "attempting to grant RBAC permissions not currently held:\n"
                '{APIGroups:[""], Resources:["pods"], Verbs:["list" "delete"]}\n'
                '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list" "delete"]}'
            )
            with pytest.raises(Forbidden, match="attempting to grant RBAC permissions not currently held"):
                await someone.create(RoleBinding, a_binding("b", "admin", "nobody", "ClusterRole"))
            with pytest.raises(NotFound):
                await someone.create(RoleBinding, a_binding("b", "missing", "nobody"))
            gathering = {"metadata": {"name": "all"}, "aggregationRule": {"clusterRoleSelectors": [{}]}}
            with pytest.raises(Forbidden, match="must have cluster-admin privileges to use the aggregationRule"):
                await someone.create(ClusterRole, gathering)
            await grant(apiserver, client, "binder", "nobody", a_rule("bind", GROUP, "clusterroles", "admin"))
            await someone.create(RoleBinding, a_binding("b", "admin", "nobody", "ClusterRole"))

    runner.run(scenario())


def test_reviews_answer_as_the_server_acts(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """A service account is asked about, and what it is told is what it can do.

    Conformance: [sig-auth] SubjectReview should support SubjectReview API operations [Conformance]
    """

    async def scenario() -> None:
        await client.create(ServiceAccount, {"metadata": {"name": "robot", "namespace": "default"}})
        robot = "system:serviceaccount:default:robot"
        wish = {"verb": "list", "resource": "configmaps", "namespace": "default", "version": "v1"}
        review = {"spec": {"user": robot, "resourceAttributes": wish}}
        async with as_user(apiserver, robot) as someone:
            assert (await client.create(SubjectAccessReview, review))["status"]["allowed"] is False
            with pytest.raises(Forbidden):
                await someone.list(ConfigMap, "default")
            await grant(apiserver, client, "lister", robot, a_rule("list", "core", "configmaps"))
            local = {"metadata": {"namespace": "default"}, **review}
            status = (await client.create(LocalSubjectAccessReview, local))["status"]
            assert status["allowed"] is True
            assert status["reason"] == f'RBAC: allowed by ClusterRoleBinding "lister" of ClusterRole "lister" to User "{robot}"'
            assert await someone.list(ConfigMap, "default") == []
            elsewhere = {"user": robot, "resourceAttributes": {**wish, "namespace": "other"}}
            with pytest.raises(ApiError, match=r"must match metadata\.namespace"):
                await client.create(LocalSubjectAccessReview, {"metadata": {"namespace": "default"}, "spec": elsewhere})
            with pytest.raises(Invalid, match="exactly one of nonResourceAttributes or resourceAttributes must be specified"):
                await client.create(SubjectAccessReview, {"spec": {"user": robot}})

    runner.run(scenario())


def test_rules_review_lists_what_one_may(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """Rule: `kubectl auth can-i --list`"""

    async def scenario() -> None:
        await grant(apiserver, client, "reader", "nobody", a_rule("get", "core", "pods"))
        async with nobody(apiserver) as someone:
            status = (await someone.create(SelfSubjectRulesReview, {"spec": {"namespace": "default"}}))["status"]
            assert {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]} in status["resourceRules"]
            assert any("/healthz" in rule["nonResourceURLs"] for rule in status["nonResourceRules"])
            assert status["incomplete"] is False
        status = (await client.create(SelfSubjectRulesReview, {"spec": {"namespace": "default"}}))["status"]
        assert {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]} in status["resourceRules"]

    runner.run(scenario())


def test_impersonation_is_a_right_of_its_own(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation"""

    async def whoami(*headers: tuple[str, str]) -> Any:
        async with Client(replace(apiserver.config(NOBODY_TOKEN), impersonate=headers), "test") as someone:
            return (await someone.create(SelfSubjectReview, {}))["status"]["userInfo"]

    async def scenario() -> None:
        jane = ("Impersonate-User", "jane")
        with pytest.raises(Forbidden) as refused:
            await whoami(jane)
        text = 'users "jane" is forbidden: User "nobody" cannot impersonate resource "users" in API group "" at the cluster scope'
        assert refused.value.message == text
        rules = (
            a_rule("impersonate", "core", "users", "jane"),
            a_rule("impersonate", "core", "groups", "dev"),
            a_rule("impersonate", "core", "serviceaccounts"),
            a_rule("impersonate", "authentication.k8s.io", "userextras/team"),
        )
        await grant(apiserver, client, "actor", "nobody", *rules)
        user = await whoami(jane, ("Impersonate-Group", "dev"), ("Impersonate-Extra-Team", "a"))
        assert user == {"username": "jane", "groups": ["dev", "system:authenticated"], "extra": {"team": ["a"]}}
        user = await whoami(("Impersonate-User", "system:serviceaccount:default:robot"))
        assert user["groups"] == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]
        with pytest.raises(Forbidden, match='cannot impersonate resource "groups"'):
            await whoami(jane, ("Impersonate-Group", "system:masters"))
        with pytest.raises(Forbidden, match=r'cannot impersonate resource "uids" in API group "authentication.k8s.io"'):
            await whoami(jane, ("Impersonate-Uid", "1"))
        with pytest.raises(InternalError, match="without impersonating a user"):
            await whoami(("Impersonate-Group", "dev"))

    runner.run(scenario())


def test_names_narrow_what_may_be_read(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """Also lists and watches, where a field selector chooses the one name.

    Rule: behaviour E.7.75
    """

    async def scenario() -> None:
        await grant(apiserver, client, "one", "nobody", a_rule("get list", "core", "secrets", "mine"))
        await client.create(Secret, {"metadata": {"name": "mine", "namespace": "default"}})
        async with nobody(apiserver) as someone:
            assert await someone.get(Secret, "default", "mine")
            assert await someone.list(Secret, "default", field_selector="metadata.name=mine")
            for refused in (someone.get(Secret, "default", "other"), someone.list(Secret, "default")):
                with pytest.raises(Forbidden):
                    await refused

    runner.run(scenario())


def test_may_i_is_answered_with_the_reason(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    async def scenario() -> None:
        async with nobody(apiserver) as someone:
            wish = {"spec": {"nonResourceAttributes": {"verb": "get", "path": "/version"}}}
            status = (await someone.create(SelfSubjectAccessReview, wish))["status"]
            assert status["allowed"] is True
            assert 'ClusterRole "system:' in status["reason"]
            wish = {"spec": {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}}}
            assert (await someone.create(SelfSubjectAccessReview, wish))["status"] == {"allowed": False}

    runner.run(scenario())


def test_owners_are_named_by_who_may_delete(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#ownerreferencespermissionenforcement"""

    async def scenario() -> None:
        await grant(apiserver, client, "editor", "nobody", a_rule("create patch", "core", "configmaps"))
        await client.create(ConfigMap, {"metadata": {"name": "c", "namespace": "default"}})
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u"}
        async with nobody(apiserver) as someone:
            with pytest.raises(Forbidden, match="cannot set an ownerRef on a resource you can't delete"):
                await someone.patch(ConfigMap, Key("default", "c"), {"metadata": {"ownerReferences": [owner]}})
            blocking = {"name": "d", "namespace": "default", "ownerReferences": [{**owner, "blockOwnerDeletion": True}]}
            with pytest.raises(Forbidden, match="cannot set blockOwnerDeletion"):
                await someone.create(ConfigMap, {"metadata": blocking})

    runner.run(scenario())
