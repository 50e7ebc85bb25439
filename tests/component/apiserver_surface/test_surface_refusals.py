"""What writes are refused with, to the letter, as kube-apiserver does."""

import asyncio
from base64 import b64encode
from typing import Any

import aiohttp

from kube.api.meta import Tree
from tests.certificate_request import encoded_request
from tests.component.conftest import RunningApi
from tests.component.session import Session

NAMESPACE = "/api/v1/namespaces/default"
MERGE = "application/merge-patch+json"


def test_refusals(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    async def scenario() -> None:
        async with aiohttp.ClientSession(apiserver.url) as session:
            one = Session(session)
            await evictions(one)
            await certificates(one)
            await ports(one)
            await deletes(one)
            await priority_classes(one)
            await names_to_come(one)

    runner.run(scenario())


async def refused(one: Session, method: str, path: str, tree: Any, **headers: str) -> tuple[int, str, str]:
    """Code, reason and message."""
    code, _, answer = await one.told(method, path, tree, **headers)
    return code, answer.get("reason", ""), answer.get("message", "")


async def evictions(one: Session) -> None:
    """Rule: kubernetes pkg/registry/core/pod/storage/eviction.go; apimachinery pkg/runtime (conversion)"""
    await one.told("POST", f"{NAMESPACE}/serviceaccounts", {"metadata": {"name": "default"}})
    spec = {"containers": [{"name": "c", "image": "i"}]}
    assert (await one.told("POST", f"{NAMESPACE}/pods", {"metadata": {"name": "p", "labels": {"a": "b"}}, "spec": spec}))[0] == 201
    await one.told("PATCH", f"{NAMESPACE}/pods/p/status", {"status": {"phase": "Running"}}, Content_Type=MERGE)
    for name in ("x", "y"):
        budget = {"metadata": {"name": name}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}}
        await one.told("POST", "/apis/policy/v1/namespaces/default/poddisruptionbudgets", budget)
    path = f"{NAMESPACE}/pods/p/eviction"
    many = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    assert await refused(one, "POST", path, {"metadata": {"name": "p"}}) == (500, "", many)
    other = 'Pod in version "v1" cannot be handled as a Eviction: converting (v1.Pod) to (policy.Eviction): unknown conversion'
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    assert await refused(one, "POST", path, pod) == (400, "BadRequest", other)


async def certificates(one: Session) -> None:
    """Rule: kubernetes pkg/apis/certificates/validation/validation.go"""
    path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    spec = {"request": encoded_request("jane"), "signerName": "example.com/x", "usages": ["client auth"]}
    assert (await one.told("POST", path, {"metadata": {"name": "jane"}, "spec": spec}))[0] == 201
    start = (
        'CertificateSigningRequest.certificates.k8s.io "jane" is invalid: status.certificate: Invalid value: "<certificate data>": '
    )
    block = "-----BEGIN {0}-----\n{1}-----END {0}-----\n"
    for pem, why in (
        ("x", "must contain at least one CERTIFICATE PEM block"),
        (block.format("RSA PRIVATE KEY", "eA==\n"), 'only CERTIFICATE PEM blocks are allowed, found "RSA PRIVATE KEY"'),
        (block.format("CERTIFICATE", "a: b\n\neA==\n"), "no PEM block headers are permitted"),
    ):
        status: Tree = {"certificate": b64encode(pem.encode()).decode()}
        tree = {"metadata": {"name": "jane"}, "spec": spec, "status": status}
        assert await refused(one, "PUT", f"{path}/jane/status", tree) == (422, "Invalid", start + why)


async def ports(one: Session) -> None:
    """Rule: kubernetes pkg/registry/core/service/portallocator, pkg/registry/core/service/storage/alloc.go"""
    spec: Tree = {"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]}
    outside = "provided port is not in the valid range. The range of valid ports is 30000-32767"
    told = await refused(one, "POST", f"{NAMESPACE}/services", {"metadata": {"name": "s"}, "spec": spec})
    assert told == (422, "Invalid", f'Service "s" is invalid: spec.ports[0].nodePort: Invalid value: 80: {outside}')
    spec = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [{"port": 80}], "healthCheckNodePort": 5}
    told = await refused(one, "POST", f"{NAMESPACE}/services", {"metadata": {"name": "s"}, "spec": spec})
    assert told == (422, "Invalid", f'Service "s" is invalid: spec.healthCheckNodePort: Invalid value: 5: {outside}')


async def deletes(one: Session) -> None:
    """Upstream's code is 500; what a client does wrong is a 400 here.

    Rule: apiserver pkg/endpoints/handlers/delete.go
    """
    await one.told("POST", f"{NAMESPACE}/configmaps", {"metadata": {"name": "m"}})
    told = await refused(one, "DELETE", f"{NAMESPACE}/configmaps/m", {"apiVersion": "v1", "kind": "Pod"})
    scheme = "pkg/apis/meta/internalversion/scheme/register.go:27"
    assert told == (400, "BadRequest", f'no kind "Pod" is registered for version "v1" in scheme "{scheme}"')


async def priority_classes(one: Session) -> None:
    """Rule: kubernetes pkg/registry/scheduling/priorityclass"""
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    kept = "this is a system priority class and cannot be deleted"
    told = await refused(one, "DELETE", f"{path}/system-node-critical", None)
    assert told == (403, "Forbidden", f'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: {kept}')


async def names_to_come(one: Session) -> None:
    """What has no name yet is told by the beginning of its name; events are judged as core's.

    Rule: apiserver pkg/admission/errors.go (extractResourceName)
    """
    spec = {"serviceAccountName": "none", "containers": [{"name": "c", "image": "i"}]}
    told = await refused(one, "POST", f"{NAMESPACE}/pods", {"metadata": {"generateName": "web-"}, "spec": spec})
    why = 'error looking up service account default/none: serviceaccount "none" not found'
    assert told == (403, "Forbidden", f'pods "web-" is forbidden: {why}')
    event = {"metadata": {"name": "e"}, "regarding": {"namespace": "default"}}
    code, _, answer = await one.told("POST", "/apis/events.k8s.io/v1/namespaces/default/events", event)
    assert (code, answer["message"].partition(" is")[0], "group" in answer["details"]) == (422, 'Event "e"', False)
