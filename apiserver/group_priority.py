"""Group priority: the order in which groups and their versions are told to clients; the first version is the preferred one.

A client that asks for a short name takes the first group that has it, so the order is part of the API. These are the numbers of
upstream's APIServices (groupPriorityMinimum, versionPriority): the higher comes first; of equal groups the name decides, of equal
versions their stability and number. https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/api-service-v1/
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

GROUPS = {
    "": 18000, "apps": 17800, "events.k8s.io": 17750, "authentication.k8s.io": 17700, "authorization.k8s.io": 17600,
    "autoscaling": 17500, "batch": 17400, "certificates.k8s.io": 17300, "networking.k8s.io": 17200, "policy": 17100,
    "rbac.authorization.k8s.io": 17000, "storage.k8s.io": 16800, "admissionregistration.k8s.io": 16700,
    "apiextensions.k8s.io": 16700, "scheduling.k8s.io": 16600, "coordination.k8s.io": 16500, "node.k8s.io": 16300,
    "discovery.k8s.io": 16200, "resource.k8s.io": 16200, "flowcontrol.apiserver.k8s.io": 16100,
}  # fmt: skip
VERSIONS = {
    ("", "v1"): 1, ("autoscaling", "v2"): 30, ("flowcontrol.apiserver.k8s.io", "v1"): 21, ("resource.k8s.io", "v1"): 20,
}  # fmt: skip
BUILT_IN_VERSION = 15
FIRST = "apiregistration.k8s.io"  # the aggregator's own group has no APIService and stands before all

_VERSION = re.compile(r"^v(\d+)(?:(alpha|beta)(\d+))?$")
_STABILITY = {"": 2, "beta": 1, "alpha": 0}


@dataclass(frozen=True)
class Priority:
    """Of a group version."""

    group: int
    version: int


CUSTOM = Priority(1000, 100)  # of a CustomResourceDefinition's: below all that is built in


def of(group: str, version: str) -> Priority:
    """What upstream's APIService of a group version that is served here says."""
    if group not in GROUPS:
        return CUSTOM
    return Priority(GROUPS[group], VERSIONS.get((group, version), BUILT_IN_VERSION))


def ordered(served: Iterable[tuple[str, str, Priority]]) -> dict[str, list[str]]:
    """Groups, each with its versions, both as clients are to see them; a group is as high as its highest version says."""
    versions: dict[str, dict[str, int]] = {}
    heights: dict[str, int] = {}
    for group, version, priority in served:
        versions.setdefault(group, {})[version] = priority.version
        heights[group] = max(heights.get(group, 0), priority.group)
    found = {}
    for group in sorted(versions, key=lambda one: (one != FIRST, -heights[one], one)):
        ranks = versions[group]
        found[group] = sorted(ranks, key=lambda one: (ranks[one], version_rank(one)), reverse=True)
    return found


def version_rank(version: str) -> tuple[int, int, int, str]:
    """The higher the better: v2, v1, v2beta1, v1beta2, v1alpha1; what is no such name comes last, by the alphabet."""
    match = _VERSION.match(version)
    if match is None:
        return -1, 0, 0, "".join(chr(0x10FFFF - ord(letter)) for letter in version)
    major, stability, minor = match.groups()
    return _STABILITY[stability or ""], int(major), int(minor or 0), ""
