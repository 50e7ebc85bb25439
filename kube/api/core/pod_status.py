"""Rules of a pod's status: what the kubelet may tell, and what cannot be taken back.

kubernetes pkg/apis/core/validation/validation.go (ValidatePodStatusUpdate)
"""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Any

from kube.api import names
from kube.api.core.pod_validation.annotations import changed_annotation_errors
from kube.api.core.pod_validation.security import id_errors
from kube.api.network_address import ip_complaints
from kube.api.status import FieldError, duplicate, forbidden, invalid
from kube.api.types import Pod
from kube.api.validation import IMMUTABLE, complain
from kube.api.views import tree_of

SYSTEM_CONDITIONS = ("PodScheduled", "Ready", "Initialized")
OF_CONTAINERS = (("containerStatuses", "containers"), ("initContainerStatuses", "initContainers"))


def status_errors(new: Pod, old: Pod) -> Iterator[FieldError]:
    status, before = new.status, old.status
    yield from changed_annotation_errors(new.metadata.annotations, old.metadata.annotations, "metadata.annotations")
    for index, condition in enumerate(status.conditions or ()):
        if condition.type not in SYSTEM_CONDITIONS:
            yield from complain(f"metadata.conditions[{index}].Type", condition.type or "", names.qualified)
    nominated = status.nominatedNodeName or ""
    if nominated and nominated != before.nominatedNodeName:
        yield from complain("status.nominatedNodeName", nominated, names.subdomain)
    if (status.qosClass or "") != (before.qosClass or ""):
        yield invalid("status.qosClass", status.qosClass or "", IMMUTABLE)
    yield from _ended(status.containerStatuses, before.containerStatuses, "status.containerStatuses", old, ())
    sidecars = tuple(one.name for one in old.spec.initContainers or () if one.restartPolicy == "Always")
    yield from _ended(status.initContainerStatuses, before.initContainerStatuses, "status.initContainerStatuses", old, sidecars)
    claims = {claim.name for claim in new.spec.resourceClaims or ()}
    for index, claim in enumerate(status.resourceClaimStatuses or ()):
        if claim.name not in claims:
            text = "must match the name of an entry in `spec.resourceClaims`"
            yield invalid(f"status.resourceClaimStatuses[{index}].name", claim.name, text)
    yield from _addresses([one.ip or "" for one in status.podIPs or ()], status.podIPs, "status.podIPs")
    hosts = [one.ip or "" for one in status.hostIPs or ()]
    if hosts and hosts[0] != (status.hostIP or ""):
        yield invalid("status.hostIPs[0].ip", hosts[0], "must be equal to `hostIP`")
    yield from _addresses(hosts, status.hostIPs, "status.hostIPs")
    for field, _ in OF_CONTAINERS:
        for index, one in enumerate(getattr(status, field) or ()):
            user = one.user.linux if one.user is not None else None
            if user is not None:
                yield from id_errors(user.uid, f"status.{field}[{index}].linux.uid")
                yield from id_errors(user.gid, f"status.{field}[{index}].linux.gid")


def _ended(
    new: Iterable[Any] | None, old: Iterable[Any] | None, path: str, pod: Pod, sidecars: Iterable[str]
) -> Iterator[FieldError]:
    """What has ended for good does not run again."""
    if pod.spec.restartPolicy == "Always":
        return
    for index, before in enumerate(old or ()):
        ended = before.state.terminated if before.state else None
        if ended is None or before.name in sidecars or (ended.exitCode and pod.spec.restartPolicy == "OnFailure"):
            continue
        if _restarts_itself(before.name, pod):
            continue
        for now in new or ():
            if now.name == before.name and (now.state is None or now.state.terminated is None):
                yield forbidden(f"{path}[{index}].state", "may not be transitioned to non-terminated state")


def _restarts_itself(name: str, pod: Pod) -> bool:
    """A container with a restart policy of its own (KEP-5307)."""
    own = next((one for one in (*pod.spec.containers, *(pod.spec.initContainers or ())) if one.name == name), None)
    return (own is not None and (own.restartPolicy or "Never") != "Never") or bool(getattr(own, "restartPolicyRules", None))


def _addresses(found: list[str], shown: Any, path: str) -> Iterator[FieldError]:
    """At most one of each family."""
    bad = False
    for index, address in enumerate(found):
        for complaint in ip_complaints(address):
            bad = True
            yield invalid(f"{path}[{index}]", address, complaint)
    if len(found) < 2 or bad:
        return
    if len(found) > 2 or len({ip_address(one).version for one in found}) != len(found):
        listed = [{"IP": one["ip"]} for one in tree_of(shown)]
        yield invalid(path, listed, "may specify no more than one IP for each IP family")
    for index, address in enumerate(found):
        if address in found[:index]:
            yield duplicate(f"{path}[{index}]", {"IP": address})
