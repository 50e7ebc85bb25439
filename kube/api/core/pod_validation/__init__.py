"""The pod spec's rules: for pods and for every template of them, in upstream's order and words.

    containers environment mounts probes resources security windows    of containers
    volumes scheduling dns annotations                                 of the pod
    update                                                             what may change in a running pod

kubernetes pkg/apis/core/validation/validation.go (ValidatePodSpec)
"""

from collections.abc import Iterable, Iterator
from typing import Any

from kube.api import names
from kube.api.core.pod_validation import dns
from kube.api.core.pod_validation.annotations import annotation_rule_errors
from kube.api.core.pod_validation.containers import (
    PodContext,
    containers_errors,
    ephemeral_containers_errors,
    host_network_errors,
    image_errors,
    init_containers_errors,
)
from kube.api.core.pod_validation.resources import pod_claim_errors, pod_resource_errors, resource_errors
from kube.api.core.pod_validation.scheduling import affinity_errors, gate_errors, spread_errors, toleration_errors
from kube.api.core.pod_validation.security import pod_security_errors
from kube.api.core.pod_validation.volumes import volume_errors
from kube.api.core.pod_validation.windows import host_process_errors, system_errors
from kube.api.metadata import annotation_errors, label_errors
from kube.api.status import FieldError, forbidden, invalid, required, unsupported
from kube.api.types import PodSpec, ResourceRequirements
from kube.api.validation import complain

RESTART_POLICIES = ("Always", "OnFailure", "Never")
PREEMPTION_POLICIES = ("PreemptLowerPriority", "Never")
LONGEST_DEADLINE = 2**31 - 1


def pod_spec_errors(
    spec: PodSpec, path: str, *, claims: Iterable[str] = (), pod_name: str = "", of_pod: bool = False
) -> Iterator[FieldError]:
    """Everything that is wrong with a pod spec. `claims`: volumes that its controller adds; `of_pod`: not of a template."""
    if spec.terminationGracePeriodSeconds is None:
        yield required(f"{path}.terminationGracePeriodSeconds")
    volumes, errors = volume_errors(spec.volumes or (), f"{path}.volumes", pod_name, of_pod=of_pod)
    yield from errors
    yield from pod_claim_errors(spec.resourceClaims or (), f"{path}.resourceClaims")
    pod = PodContext(
        volumes={**dict.fromkeys(claims), **volumes},
        claims=tuple(claim.name for claim in spec.resourceClaims or () if claim.name),
        grace_seconds=spec.terminationGracePeriodSeconds,
        restart_policy=spec.restartPolicy,
        host_users=spec.hostUsers is not False,
        of_pod=of_pod,
    )
    yield from containers_errors(spec.containers or (), f"{path}.containers", pod)
    yield from init_containers_errors(spec.initContainers or (), f"{path}.initContainers", pod)
    yield from ephemeral_containers_errors(spec.ephemeralContainers or (), f"{path}.ephemeralContainers", pod)
    yield from pod_resource_errors(spec, f"{path}.resources")
    yield from host_network_errors(spec, path, of_pod=of_pod)
    if not spec.restartPolicy:
        yield required(f"{path}.restartPolicy")
    elif spec.restartPolicy not in RESTART_POLICIES:
        yield unsupported(f"{path}.restartPolicy", spec.restartPolicy, RESTART_POLICIES)
    yield from _policies(spec, path)
    yield from _references(spec, path)
    yield from system_errors(spec, path)


def _policies(spec: PodSpec, path: str) -> Iterator[FieldError]:
    """Names, selection and security, in upstream's order."""
    yield from dns.policy_errors(spec.dnsPolicy, f"{path}.dnsPolicy")
    yield from label_errors(spec.nodeSelector, f"{path}.nodeSelector")
    yield from pod_security_errors(spec, f"{path}.securityContext")
    yield from affinity_errors(spec.affinity, f"{path}.affinity")
    yield from dns.config_errors(spec, f"{path}.dnsConfig")
    for index, gate in enumerate(spec.readinessGates or ()):
        yield from complain(f"{path}.readinessGates[{index}].conditionType", gate.conditionType or "", names.qualified)
    yield from gate_errors(spec.schedulingGates or (), f"{path}.schedulingGates")
    yield from spread_errors(spec.topologySpreadConstraints or (), f"{path}.topologySpreadConstraints")
    yield from host_process_errors(spec, path)
    if spec.hostUsers is False:
        for field, told in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
            if getattr(spec, field):
                yield forbidden(f"{path}.{told}", "when `pod.Spec.HostUsers` is false")


def _references(spec: PodSpec, path: str) -> Iterator[FieldError]:
    """Other objects by their names, and the rest of the spec."""
    for field in ("serviceAccountName", "nodeName"):
        if getattr(spec, field):
            yield from complain(f"{path}.{field}", getattr(spec, field), names.subdomain)
    deadline = spec.activeDeadlineSeconds
    if deadline is not None and not 1 <= deadline <= LONGEST_DEADLINE:
        yield invalid(f"{path}.activeDeadlineSeconds", deadline, f"must be between 1 and {LONGEST_DEADLINE}, inclusive")
    yield from dns.own_name_errors(spec, path)
    yield from toleration_errors(spec.tolerations or (), f"{path}.tolerations")
    yield from dns.alias_errors(spec, f"{path}.hostAliases")
    if spec.priorityClassName:
        yield from complain(f"{path}.priorityClassName", spec.priorityClassName, names.subdomain)
    if spec.runtimeClassName is not None:
        yield from complain(f"{path}.runtimeClassName", spec.runtimeClassName, names.subdomain)
    policy = spec.preemptionPolicy
    if policy == "":
        yield required(f"{path}.preemptionPolicy")
    elif policy is not None and policy not in PREEMPTION_POLICIES:
        yield unsupported(f"{path}.preemptionPolicy", policy, PREEMPTION_POLICIES)
    if spec.overhead is not None:
        yield from resource_errors(ResourceRequirements(limits=spec.overhead), f"{path}.overhead")


def pod_errors(spec: PodSpec, annotations: dict[str, str] | None, pod_name: str) -> Iterator[FieldError]:
    """Of a pod: its spec, and what a template may leave open."""
    yield from annotation_rule_errors(annotations, spec, "metadata.annotations")
    yield from pod_spec_errors(spec, "spec", pod_name=pod_name, of_pod=True)
    for index, volume in enumerate((spec.volumes or ()) if not spec.serviceAccountName else ()):
        for place, source in enumerate((volume.projected.sources if volume.projected else None) or ()):
            if source.serviceAccountToken is not None:
                at = f"spec.volumes[{index}].projected.sources[{place}].serviceAccountToken"
                yield forbidden(at, "must not be specified when serviceAccountName is not set")
    for field in ("containers", "initContainers"):
        for index, container in enumerate(getattr(spec, field) or ()):
            yield from image_errors(container, f"spec.{field}[{index}]")


def template_errors(template: Any, path: str, *, claims: Iterable[str] = ()) -> Iterator[FieldError]:
    """Of a pod template: its metadata (told without the word) and its spec."""
    metadata = template.metadata
    annotations = metadata.annotations if metadata else None
    yield from label_errors(metadata.labels if metadata else None, f"{path}.labels")
    yield from annotation_errors(annotations, f"{path}.annotations")
    yield from annotation_rule_errors(annotations, template.spec, f"{path}.annotations")
    yield from pod_spec_errors(template.spec, f"{path}.spec", claims=claims)
    if template.spec.ephemeralContainers:
        yield forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def always_restarted_errors(spec: PodSpec, path: str, kind: str) -> Iterator[FieldError]:
    """Of a template whose pods are replaced as long as there is a `kind` of them."""
    if spec.restartPolicy != "Always":
        yield unsupported(f"{path}.restartPolicy", spec.restartPolicy or "", ("Always",))
    if spec.activeDeadlineSeconds is not None:
        yield forbidden(f"{path}.activeDeadlineSeconds", f"activeDeadlineSeconds in {kind} is not Supported")
