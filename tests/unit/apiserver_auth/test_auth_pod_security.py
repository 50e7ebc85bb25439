"""The Pod Security Standards, in upstream's words."""

from typing import Any

import pytest

from apiserver.admission.pod_security.plugin import label_errors, policy_of
from apiserver.admission.pod_security.standards import NEWEST, findings, told
from kube.api.meta import Tree

SAFE: Tree = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def complaint(level: str, container: Tree | None = None, annotations: Tree | None = None, minor: int = NEWEST, **spec: Any) -> str:
    pod = {"containers": [{"name": "c", **(container or {})}], **spec}
    return told(findings(level, {"annotations": annotations or {}}, pod, minor))


def context(**values: Any) -> Tree:
    return {"securityContext": values}


@pytest.mark.parametrize(
    ("container", "spec", "text"),
    [
        (context(privileged=True), {}, 'privileged (container "c" must not set securityContext.privileged=true)'),
        ({}, {"hostNetwork": True, "hostPID": True}, "host namespaces (hostNetwork=true, hostPID=true)"),
        ({}, {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, 'hostPath volumes (volume "v")'),
        ({"ports": [{"containerPort": 1, "hostPort": 80}]}, {}, 'hostPort (container "c" uses hostPort 80)'),
        (
            context(capabilities={"add": ["SYS_ADMIN", "CHOWN", "BPF"]}),
            {},
            'non-default capabilities (container "c" must not include "BPF", "SYS_ADMIN" in securityContext.capabilities.add)',
        ),
        (context(procMount="Unmasked"), {}, 'procMount (container "c" must not set securityContext.procMount to "Unmasked")'),
        (
            {},
            context(seccompProfile={"type": "Unconfined"}),
            'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
        ),
        (
            context(seLinuxOptions={"type": "x", "user": "u"}),
            {},
            'seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: type "x"; user may not be set)',
        ),
        ({}, context(sysctls=[{"name": "kernel.msgmax", "value": "1"}]), "forbidden sysctls (kernel.msgmax)"),
        (
            {},
            context(windowsOptions={"hostProcess": True}),
            "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
        ),
    ],
)
def test_baseline(container: Tree, spec: Tree, text: str) -> None:
    """Rule: https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"""
    assert complaint("baseline", container, **spec) == text
    assert complaint("privileged", container, **spec) == ""


def test_plain_pod_is_baseline_but_not_restricted() -> None:
    assert complaint("baseline") == ""
    assert complaint("restricted") == (
        'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), '
        'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), '
        'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), '
        'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
    )


def test_safe_pod_is_restricted() -> None:
    assert complaint("restricted", {"securityContext": SAFE}) == ""


@pytest.mark.parametrize(
    ("changes", "spec", "text"),
    [
        ({"runAsUser": 0}, {}, 'runAsUser=0 (container "c" must not set runAsUser=0)'),
        ({"runAsNonRoot": False}, {}, 'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false)'),
        (
            {},
            {"volumes": [{"name": "v", "nfs": {}}]},
            'restricted volume types (volume "v" uses restricted volume type "nfs")',
        ),
    ],
)
def test_restricted(changes: Tree, spec: Tree, text: str) -> None:
    """Rule: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    assert complaint("restricted", {"securityContext": {**SAFE, **changes}}, **spec) == text


def test_labels_that_say_no_level_are_refused_and_count_as_restricted() -> None:
    labels = {"pod-security.kubernetes.io/enforce": "strict", "pod-security.kubernetes.io/warn-version": "v1"}
    assert [str(one) for one in label_errors(labels)] == [
        'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": '
        "must be one of privileged, baseline, restricted",
        'metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "v1": must be "latest" or "v1.x"',
    ]
    assert policy_of(labels)[:3] == ("restricted", "privileged", "privileged")


@pytest.mark.parametrize(
    ("level", "first", "allowed_before", "container", "spec"),
    [
        ("baseline", 34, True, {"livenessProbe": {"httpGet": {"port": 1, "host": "h"}}}, {}),
        ("baseline", 35, False, context(procMount="Unmasked"), {"hostUsers": False}),
        ("baseline", 27, False, {}, context(sysctls=[{"name": "net.ipv4.ip_local_reserved_ports"}])),
        ("baseline", 32, False, {}, context(sysctls=[{"name": "net.ipv4.tcp_rmem"}])),
        ("baseline", 31, False, context(seLinuxOptions={"type": "container_engine_t"}), {}),
        ("restricted", 35, False, context(**SAFE | {"runAsUser": 0, "runAsNonRoot": None}), {"hostUsers": False}),
        ("restricted", 23, True, context(**SAFE | {"runAsUser": 0}), {}),
        ("restricted", 25, False, context(runAsNonRoot=True), {"os": {"name": "windows"}}),
    ],
)
def test_a_level_is_meant_as_of_its_version(level: str, first: int, allowed_before: bool, container: Tree, spec: Tree) -> None:
    """Rule: https://kubernetes.io/docs/concepts/security/pod-security-admission/#pod-security-admission-labels-for-namespaces"""
    assert bool(complaint(level, container, minor=first - 1, **spec)) is not allowed_before
    assert bool(complaint(level, container, minor=first, **spec)) is allowed_before
    assert bool(complaint(level, container, **spec)) is allowed_before


def test_labels_say_the_version_of_each_level() -> None:
    policy = policy_of({"pod-security.kubernetes.io/enforce-version": "v1.24", "pod-security.kubernetes.io/warn-version": "vX"})
    assert [policy.minor(mode) for mode in range(3)] == [24, NEWEST, NEWEST]
