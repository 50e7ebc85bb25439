"""Rules of pods that name their operating system: what Windows has no such thing of, and Linux neither.

kubernetes pkg/apis/core/validation/validation.go (validateWindows, validateLinux, validateWindowsHostProcessPod)
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from kube.api import names
from kube.api.status import FieldError, forbidden, invalid, required, unsupported
from kube.api.validation import complain

SYSTEMS = ("linux", "windows")
CREDENTIAL_BYTES, DOMAIN_LENGTH, USER_LENGTH = 64 * 1024, 256, 104
NOT_ON_WINDOWS = "cannot be set for a windows pod"
_NETBIOS = r"[^\\/:*?\"<>|.][^\\/:*?\"<>|]{0,14}"
_DNS = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_POD_FIELDS = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls", "runAsUser",
    "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy",
)  # fmt: skip
_SPEC_FIELDS = ("hostUsers", "hostPID", "hostIPC", "shareProcessNamespace")
_CONTAINER_FIELDS = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
    "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
)  # fmt: skip


def containers_of(spec: Any, path: str) -> Iterator[tuple[Any, str]]:
    """Every container with its path, in upstream's order."""
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(getattr(spec, field) or ()):
            yield container, f"{path}.{field}[{index}]"


def system_errors(spec: Any, path: str) -> Iterator[FieldError]:
    """Of a pod that says which system it is for."""
    if spec.os is None:
        return
    if not spec.os.name:
        yield required(f"{path}.os.name", "cannot be empty")
    elif spec.os.name not in SYSTEMS:
        yield unsupported(f"{path}.os", spec.os.name, SYSTEMS)
    elif spec.os.name == "windows":
        yield from _windows(spec, path)
    else:
        contexts = [(spec.securityContext, path), *((one.securityContext, at) for one, at in containers_of(spec, path))]
        for context, at in contexts:
            if context is not None and context.windowsOptions is not None:
                text = "windows options cannot be set for a linux pod"
                yield forbidden(f"{at}.securityContext.windowsOptions", text)


def _windows(spec: Any, path: str) -> Iterator[FieldError]:
    for field in _SPEC_FIELDS:
        if getattr(spec, field) not in (None, *((False,) if field.startswith(("hostPID", "hostIPC")) else ())):
            yield forbidden(f"{path}.{field}", NOT_ON_WINDOWS)
    yield from _unset(spec.securityContext, _POD_FIELDS, f"{path}.securityContext")
    for container, at in containers_of(spec, path):
        yield from _unset(container.securityContext, _CONTAINER_FIELDS, f"{at}.securityContext")


def _unset(context: Any, fields: Iterable[str], path: str) -> Iterator[FieldError]:
    for field in fields if context is not None else ():
        if getattr(context, field) not in (None, []):
            yield forbidden(f"{path}.{field}", NOT_ON_WINDOWS)


def host_process_errors(spec: Any, path: str) -> Iterator[FieldError]:
    """Either every container is a process of the (Windows) host, or none is."""
    whole = _host_process(spec.securityContext)
    count = on_host = 0
    for container, at in containers_of(spec, path):
        own = _host_process(container.securityContext)
        count += 1
        on_host += bool(own if own is not None else whole)
        if None not in (whole, own) and whole != own:
            text = f"pod hostProcess value must be identical if both are specified, was {str(whole).lower()}"
            yield invalid(f"{at}.securityContext.windowsOptions.hostProcess", own, text)
    if not on_host:
        return
    if on_host != count:
        text = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
        yield invalid(path, "", text)
    if not spec.hostNetwork:
        text = "hostNetwork must be true if pod contains any hostProcess containers"
        yield invalid(f"{path}.hostNetwork", False, text)


def _host_process(context: Any) -> bool | None:
    options = context.windowsOptions if context is not None else None
    return None if options is None or options.hostProcess is None else bool(options.hostProcess)


def windows_option_errors(options: Any, path: str) -> Iterator[FieldError]:
    if options is None:
        return
    if options.gmsaCredentialSpecName is not None:
        yield from complain(f"{path}.gmsaCredentialSpecName", options.gmsaCredentialSpecName, names.subdomain)
    spec = options.gmsaCredentialSpec
    if spec == "":
        yield invalid(f"{path}.gmsaCredentialSpec", spec, "gmsaCredentialSpec cannot be an empty string")
    elif spec is not None and len(spec) > CREDENTIAL_BYTES:
        yield invalid(f"{path}.gmsaCredentialSpec", spec, "gmsaCredentialSpec size must be under 64 KiB")
    if options.runAsUserName is not None:
        for complaint in _user_complaints(options.runAsUserName):
            yield invalid(f"{path}.runAsUserName", options.runAsUserName, complaint)


def _user_complaints(name: str) -> Iterator[str]:
    """`DOMAIN\\user`, where the domain may be left out."""
    if not name:
        yield "runAsUserName cannot be an empty string"
    elif re.search(r"[\x00-\x1f\x7f]", name):
        yield "runAsUserName cannot contain control characters"
    elif name.count("\\") > 1:
        yield "runAsUserName cannot contain more than one backslash"
    else:
        domain, separator, user = name.rpartition("\\")
        if len(domain) >= DOMAIN_LENGTH:
            yield f"runAsUserName's Domain length must be under {DOMAIN_LENGTH} characters"
        if separator and not re.fullmatch(rf"{_NETBIOS}|{_DNS}(?:\.{_DNS})*", domain):
            yield "runAsUserName's Domain doesn't match the NetBios nor the DNS format"
        if not user:
            yield "runAsUserName's User cannot be empty"
        elif len(user) > USER_LENGTH:
            yield f"runAsUserName's User length must not be longer than {USER_LENGTH} characters"
        if re.fullmatch(r"[. ]+", user):
            yield "runAsUserName's User cannot contain only periods or spaces"
        if re.search(r'["/\\:;|=,+*?<>@\[\]]', user):
            yield "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]"
