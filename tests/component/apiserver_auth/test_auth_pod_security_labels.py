"""PodSecurity over HTTP: refused, warned of, and told of pods that are there."""

import asyncio

import pytest

from kube.api.meta import Key, Tree
from kube.api.status import Forbidden, Invalid
from kube.api.types import Deployment, Namespace, Pod, ServiceAccount
from kube.client.rest import Client

LABEL = "pod-security.kubernetes.io"


def a_pod(name: str, **spec: object) -> Tree:
    return {"metadata": {"name": name, "namespace": "n"}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


async def a_namespace(client: Client, **labels: str) -> None:
    await client.create(
        Namespace, {"metadata": {"name": "n", "labels": {f"{LABEL}/{mode}": level for mode, level in labels.items()}}}
    )
    await client.create(ServiceAccount, {"metadata": {"name": "default", "namespace": "n"}})


def test_pod_that_breaks_the_level_is_refused_and_others_are_warned_of(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/concepts/security/pod-security-admission/"""

    async def scenario() -> None:
        await a_namespace(client, enforce="baseline", warn="restricted")
        with pytest.raises(Forbidden) as refused:
            await client.create(Pod, a_pod("p", hostNetwork=True))
        text = 'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)'
        assert refused.value.message == text
        answer = await client.request("POST", "/api/v1/namespaces/n/pods", body={"kind": "Pod", "apiVersion": "v1", **a_pod("q")})
        assert 'would violate PodSecurity \\"restricted:latest\\": allowPrivilegeEscalation != false' in answer.headers["Warning"]
        template = {"metadata": {"labels": {"a": "b"}}, "spec": a_pod("x", hostNetwork=True)["spec"]}
        deployment = {
            "metadata": {"name": "d", "namespace": "n"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
        }
        body = {"kind": "Deployment", "apiVersion": "apps/v1", **deployment}
        answer = await client.request("POST", "/apis/apps/v1/namespaces/n/deployments", body=body)
        assert "host namespaces (hostNetwork=true)" in answer.headers["Warning"]
        assert await client.get(Deployment, "n", "d")

    runner.run(scenario())


def test_raising_the_level_tells_of_pods_that_break_it(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        await a_namespace(client)
        for name in ("p", "q"):
            await client.create(Pod, a_pod(name, hostPID=True))
        patch = b'{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"baseline"}}}'
        headers = {"Content-Type": "application/merge-patch+json"}
        answer = await client.request("PATCH", "/api/v1/namespaces/n", body=patch, headers=headers)
        warnings = answer.headers.getall("Warning")  # type: ignore[attr-defined]  # aiohttp's multidict
        assert 'existing pods in namespace \\"n\\" violate the new PodSecurity enforce level \\"baseline:latest\\"' in warnings[0]
        assert "p (and 1 other pod): host namespaces" in warnings[1]
        with pytest.raises(Invalid, match="must be one of privileged, baseline, restricted"):
            await client.patch(Namespace, Key("", "n"), {"metadata": {"labels": {f"{LABEL}/warn": "x"}}})

    runner.run(scenario())
