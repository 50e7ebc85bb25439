"""Rules of the annotations that mean something to a pod: mirrors, deletion cost, AppArmor.

kubernetes pkg/apis/core/validation/validation.go (ValidatePodSpecificAnnotations)
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kube.api.core.local_path import descending_path_errors
from kube.api.core.pod_validation.windows import containers_of
from kube.api.status import FieldError, forbidden, invalid

MIRROR = "kubernetes.io/config.mirror"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP_POD, SECCOMP_CONTAINER = "seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/"
GOOD_SECCOMP = ("runtime/default", "docker/default", "unconfined")
GOOD_APP_ARMOR = ("", "runtime/default", "unconfined")


def annotation_rule_errors(annotations: Mapping[str, str] | None, spec: Any, path: str) -> Iterator[FieldError]:
    """`path`: of the annotations."""
    found = annotations or {}
    if MIRROR in found and not spec.nodeName:
        yield invalid(f"{path}[{MIRROR}]", found[MIRROR], "must set spec.nodeName if mirror pod annotation is set")
    cost = found.get(DELETION_COST)
    if cost is not None and not _is_cost(cost):
        yield invalid(f"{path}[{DELETION_COST}]", cost, "must be a 32bit integer")
    for key, profile in found.items():
        if key == SECCOMP_POD or key.startswith(SECCOMP_CONTAINER):
            yield from _seccomp(profile, f"{path}.{key}")
    names = {container.name for container, _ in containers_of(spec, "")}
    for key, profile in found.items():
        if not key.startswith(APP_ARMOR):
            continue
        name = key.removeprefix(APP_ARMOR)
        if name not in names:
            yield invalid(f"{path}[{key}]", name, "container not found")
        if profile not in GOOD_APP_ARMOR and not profile.startswith("localhost/"):
            yield invalid(f"{path}[{key}]", profile, f'invalid AppArmor profile name: "{profile}"')


def changed_annotation_errors(new: Mapping[str, str] | None, old: Mapping[str, str] | None, path: str) -> Iterator[FieldError]:
    """What says how a pod was started stays as it was."""
    now, before = new or {}, old or {}
    for key in before:
        if now.get(key) == before[key]:
            continue
        if key.startswith(APP_ARMOR):
            yield forbidden(f"{path}[{key}]", "may not remove or update AppArmor annotations")
        if key == MIRROR:
            yield forbidden(f"{path}[{key}]", "may not remove or update mirror pod annotation")
    for key in now.keys() - before.keys():
        if key.startswith(APP_ARMOR):
            yield forbidden(f"{path}[{key}]", "may not add AppArmor annotations")
        if key == MIRROR:
            yield forbidden(f"{path}[{key}]", "may not add mirror pod annotation")


def _seccomp(profile: str, path: str) -> Iterator[FieldError]:
    if profile.startswith("localhost/"):
        yield from descending_path_errors(profile.removeprefix("localhost/"), path)
    elif profile not in GOOD_SECCOMP:
        yield invalid(path, profile, "must be a valid seccomp profile")


def _is_cost(text: str) -> bool:
    """A number of 32 bits without a plus sign or leading zeros."""
    return re.fullmatch(r"0|-?[1-9][0-9]*", text) is not None and -(2**31) <= int(text) < 2**31
