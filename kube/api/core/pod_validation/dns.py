"""Rules of the names that a pod knows: its own, its name servers', and those of /etc/hosts.

kubernetes pkg/apis/core/validation/validation.go (validatePodDNSConfig, ValidateHostAliases) · KEP-4427 (search paths)
"""

from collections.abc import Iterator
from typing import Any

from kube.api import names
from kube.api.network_address import ip_complaints
from kube.api.status import FieldError, invalid, required, too_long, unsupported
from kube.api.validation import complain

POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
NAMESERVERS, SEARCH_PATHS, SEARCH_LENGTH, HOST_NAME_LENGTH = 3, 32, 2048, 64


def policy_errors(policy: str | None, path: str) -> Iterator[FieldError]:
    if not policy:
        yield required(path)
    elif policy not in POLICIES:
        yield unsupported(path, policy, POLICIES)


def config_errors(spec: Any, path: str) -> Iterator[FieldError]:
    """Of spec.dnsConfig."""
    config = spec.dnsConfig
    if spec.dnsPolicy == "None":
        if config is None:
            yield required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not config.nameservers:
            yield required(f"{path}.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")
            return
    if config is None:
        return
    servers, searches = config.nameservers or (), config.searches or ()
    if len(servers) > NAMESERVERS:
        yield invalid(f"{path}.nameservers", servers, f"must not have more than {NAMESERVERS} nameservers")
    for index, server in enumerate(servers):
        yield from complain(f"{path}.nameservers[{index}]", server, ip_complaints)
    if len(searches) > SEARCH_PATHS:
        yield invalid(f"{path}.searches", searches, f"must not have more than {SEARCH_PATHS} search paths")
    if len(" ".join(searches)) > SEARCH_LENGTH:
        text = f"must not have more than {SEARCH_LENGTH} characters (including spaces) in the search list"
        yield invalid(f"{path}.searches", searches, text)
    for index, search in enumerate(searches):
        if search != ".":
            yield from complain(f"{path}.searches[{index}]", search.removesuffix("."), names.subdomain_underscored)
    for index, option in enumerate(config.options or ()):
        if not option.name:
            yield required(f"{path}.options[{index}]", "must not be empty")


def own_name_errors(spec: Any, path: str) -> Iterator[FieldError]:
    for field in ("hostname", "subdomain"):
        if getattr(spec, field):
            yield from complain(f"{path}.{field}", getattr(spec, field), names.label)
    override = getattr(spec, "hostnameOverride", None)
    if override is None:
        return
    at = f"{path}.hostnameOverride"
    yield from complain(at, override, names.subdomain)
    if len(override) > HOST_NAME_LENGTH:
        yield too_long(at, HOST_NAME_LENGTH)
    if spec.hostNetwork:
        yield invalid(at, override, "may not be specified when hostNetwork is true")
    if spec.setHostnameAsFQDN:
        yield invalid(at, override, "may not be specified when setHostnameAsFQDN is true")


def alias_errors(spec: Any, path: str) -> Iterator[FieldError]:
    """Of spec.hostAliases."""
    for index, alias in enumerate(spec.hostAliases or ()):
        yield from complain(f"{path}[{index}].ip", alias.ip or "", ip_complaints)
        for place, name in enumerate(alias.hostnames or ()):
            yield from complain(f"{path}[{index}].hostnames[{place}]", name, names.subdomain)
