"""Rules of security contexts: of the pod and of each container, on Linux and on Windows.

kubernetes pkg/apis/core/validation/validation.go (validatePodSpecSecurityContext, ValidateSecurityContext)
"""

import re
from collections.abc import Iterator
from typing import Any

from kube.api.core.local_path import descending_path_errors
from kube.api.core.pod_validation.windows import windows_option_errors
from kube.api.status import FieldError, duplicate, invalid, required, too_long, unsupported
from kube.api.views import tree_of

PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
PROC_MOUNTS = ("Default", "Unmasked")
OWNER_POLICIES, GROUP_POLICIES, LABEL_POLICIES = ("Always", "OnRootMismatch"), ("Merge", "Strict"), ("MountOption", "Recursive")
LONGEST_PROFILE = 4095
HIGHEST_ID = 2**31 - 1
_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
SYSCTL = rf"^({_SEGMENT}[\./])*{_SEGMENT}$"
SYSCTL_LENGTH = 253
IPC_SYSCTLS = ("kernel.msg", "kernel.sem", "kernel.shm", "fs.mqueue.")


def id_errors(number: int | None, path: str) -> Iterator[FieldError]:
    """Of a user or a group."""
    if number is not None and not 0 <= number <= HIGHEST_ID:
        yield invalid(path, number, f"must be between 0 and {HIGHEST_ID}, inclusive")


def pod_security_errors(spec: Any, path: str) -> Iterator[FieldError]:
    """`path`: of spec.securityContext."""
    context = spec.securityContext
    if context is None:
        return
    for field in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from id_errors(getattr(context, field), f"{path}.{field}")
    for index, group in enumerate(context.supplementalGroups or ()):
        yield from id_errors(group, f"{path}.supplementalGroups[{index}]")
    if spec.shareProcessNamespace and spec.hostPID:
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(f"{path}.shareProcessNamespace", True, text)
    yield from _sysctls(spec, f"{path}.sysctls")
    policy = context.fsGroupChangePolicy
    if policy is not None and policy not in OWNER_POLICIES:
        yield unsupported(f"{path}.fsGroupChangePolicy", policy, OWNER_POLICIES)
    yield from _seccomp(context.seccompProfile, f"{path}.seccompProfile")
    yield from windows_option_errors(context.windowsOptions, f"{path}.windowsOptions")
    yield from _app_armor(context.appArmorProfile, f"{path}.appArmorProfile")
    for field, supported in (("supplementalGroupsPolicy", GROUP_POLICIES), ("seLinuxChangePolicy", LABEL_POLICIES)):
        chosen = getattr(context, field)
        if chosen is not None and chosen not in supported:
            yield unsupported(f"{path}.{field}", chosen, supported)


def container_security_errors(context: Any, path: str, *, host_users: bool) -> Iterator[FieldError]:
    if context is None:
        return
    for field in ("runAsUser", "runAsGroup"):
        yield from id_errors(getattr(context, field), f"{path}.{field}")
    if context.procMount is not None:
        if context.procMount not in PROC_MOUNTS:
            yield unsupported(f"{path}.procMount", context.procMount, PROC_MOUNTS)
        if host_users and context.procMount == "Unmasked":
            yield invalid(f"{path}.procMount", context.procMount, "`hostUsers` must be false to use `Unmasked`")
    yield from _seccomp(context.seccompProfile, f"{path}.seccompProfile")
    if context.allowPrivilegeEscalation is False:
        if context.privileged:
            text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            yield invalid(path, shown_context(context), text)
        if "CAP_SYS_ADMIN" in ((context.capabilities.add if context.capabilities else None) or ()):
            text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            yield invalid(path, shown_context(context), text)
    yield from windows_option_errors(context.windowsOptions, f"{path}.windowsOptions")
    yield from _app_armor(context.appArmorProfile, f"{path}.appArmorProfile")


def shown_context(context: Any) -> dict[str, Any]:
    """As upstream's own form of it is printed: every field, by its Go name."""
    fields = (
        "capabilities", "privileged", "seLinuxOptions", "windowsOptions", "runAsUser", "runAsGroup", "runAsNonRoot",
        "readOnlyRootFilesystem", "allowPrivilegeEscalation", "procMount", "seccompProfile", "appArmorProfile",
    )  # fmt: skip
    names = {"seLinuxOptions": "SELinuxOptions"}
    shown = {names.get(field, field[0].upper() + field[1:]): tree_of(getattr(context, field)) for field in fields}
    if context.capabilities is not None:
        shown["Capabilities"] = {"Add": context.capabilities.add, "Drop": context.capabilities.drop}
    return shown


def _sysctls(spec: Any, path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, sysctl in enumerate(spec.securityContext.sysctls or ()):
        at, name = f"{path}[{index}].name", sysctl.name or ""
        if not name:
            yield required(at)
        elif len(name) > SYSCTL_LENGTH or not re.search(SYSCTL, name):
            yield invalid(at, name, f"must have at most {SYSCTL_LENGTH} characters and match regex {SYSCTL}")
        elif name in seen:
            yield duplicate(at, name)
        dotted = name.replace("/", ".")
        if spec.hostNetwork and dotted.startswith("net."):
            yield invalid(at, name, "may not be specified when 'hostNetwork' is true")
        elif spec.hostIPC and dotted.startswith(IPC_SYSCTLS):
            yield invalid(at, name, "may not be specified when 'hostIPC' is true")
        seen.add(name)


def _seccomp(profile: Any, path: str) -> Iterator[FieldError]:
    if profile is None:
        return
    if not profile.type:
        yield required(f"{path}.type", "type is required when seccompProfile is set")
    elif profile.type not in PROFILES:
        yield unsupported(f"{path}.type", profile.type, PROFILES)
    file, at = profile.localhostProfile, f"{path}.localhostProfile"
    if profile.type == "Localhost":
        if file is None:
            yield required(at, "must be set when seccomp type is Localhost")
        else:
            yield from descending_path_errors(file, at)
    elif file is not None:
        shown = {"Type": profile.type, "LocalhostProfile": file}
        yield invalid(at, shown, "can only be set when seccomp type is Localhost")


def _app_armor(profile: Any, path: str) -> Iterator[FieldError]:
    if profile is None:
        return
    name, at = profile.localhostProfile, f"{path}.localhostProfile"
    must = "must be set when AppArmor type is Localhost"
    if not profile.type:
        yield required(f"{path}.type", "type is required when appArmorProfile is set")
    elif profile.type not in PROFILES:
        yield unsupported(f"{path}.type", profile.type, PROFILES)
    elif profile.type != "Localhost":
        if name is not None:
            yield invalid(at, name, "can only be set when AppArmor type is Localhost")
    elif name is None:
        yield required(at, must)
    else:
        if name.strip() != name:
            yield invalid(at, name, "must not be padded with whitespace")
        elif not name:
            yield required(at, must)
        if len(name) > LONGEST_PROFILE:
            yield too_long(at, LONGEST_PROFILE)
