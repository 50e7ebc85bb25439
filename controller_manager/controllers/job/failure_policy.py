"""Pod failure policy: what a failed pod means for its job. Pure.

Rules are tried in order; the first that matches decides. Without a match the failure counts.
https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy · KEP-3329
"""

from typing import NamedTuple

from kube.api.types import Job, Pod, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule


class Verdict(NamedTuple):
    action: str  # Count, Ignore, FailIndex or FailJob
    message: str = ""  # why the job failed, with FailJob


def verdict(job: Job, pod: Pod) -> Verdict:
    """On a pod in phase Failed."""
    policy = job.spec.podFailurePolicy
    for number, rule in enumerate(policy.rules if policy is not None else ()):
        why = _by_exit_code(rule, pod) if rule.onExitCodes is not None else _by_condition(rule, pod)
        if why:
            return Verdict(rule.action, f"{why} matching {rule.action} rule at index {number}")
    return Verdict("Count")


def _by_exit_code(rule: PodFailurePolicyRule, pod: Pod) -> str:
    for status in (*(pod.status.initContainerStatuses or ()), *(pod.status.containerStatuses or ())):
        wanted = rule.onExitCodes
        ended = status.state.terminated if status.state is not None else None
        if ended is None or (wanted.containerName and wanted.containerName != status.name):
            continue
        if ended.exitCode != 0 and _matches(wanted, ended.exitCode):
            where = f"{pod.metadata.namespace}/{pod.metadata.name}"
            return f"Container {status.name} for pod {where} failed with exit code {ended.exitCode}"
    return ""


def _matches(wanted: PodFailurePolicyOnExitCodesRequirement, code: int) -> bool:
    return (code in wanted.values) == (wanted.operator == "In")


def _by_condition(rule: PodFailurePolicyRule, pod: Pod) -> str:
    for pattern in rule.onPodConditions or ():
        wanted = pattern.status or "True"
        for condition in pod.status.conditions or ():
            if condition.type == pattern.type and condition.status == wanted:
                return f"Pod {pod.metadata.namespace}/{pod.metadata.name} has condition {condition.type}"
    return ""
