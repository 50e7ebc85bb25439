"""Rules of a Service's cluster IPs and their families: one of each at the most, and the first one stays.

kubernetes pkg/apis/core/validation/validation.go (ValidateServiceClusterIPsRelatedFields, validateUpgradeDowngradeClusterIPs)
"""

from collections.abc import Iterator

from kube.api.network_address import ip_complaints, is_ipv6
from kube.api.status import FieldError, duplicate, invalid, required, unsupported
from kube.api.types import ServiceSpec

HEADLESS = "None"
FAMILIES = ("IPv4", "IPv6")
FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
STAYS = "may not change once set"


def is_headless(spec: ServiceSpec) -> bool:
    return list(spec.clusterIPs or ()) == [HEADLESS] or (not spec.clusterIPs and spec.clusterIP == HEADLESS)


def cluster_ip_errors(spec: ServiceSpec) -> Iterator[FieldError]:
    if spec.type == "ExternalName":
        return
    addresses, families = list(spec.clusterIPs or ()), list(spec.ipFamilies or ())
    if spec.clusterIP and not addresses:
        yield required("spec.clusterIPs")
    elif spec.clusterIP and addresses[0] != spec.clusterIP:
        yield invalid("spec.clusterIPs", addresses, "first value must match `clusterIP`")
    elif addresses and not spec.clusterIP:
        yield invalid("spec.clusterIPs", addresses, "must be empty when `clusterIP` is not specified")
    for index, family in enumerate(families):
        if family not in FAMILIES:
            yield unsupported(f"spec.ipFamilies[{index}]", family, FAMILIES)
        if family in families[:index]:
            yield duplicate(f"spec.ipFamilies[{index}]", family)
    if spec.ipFamilyPolicy is not None and spec.ipFamilyPolicy not in FAMILY_POLICIES:
        yield unsupported("spec.ipFamilyPolicy", spec.ipFamilyPolicy, FAMILY_POLICIES)
    bad = list(_bad_addresses(addresses))
    yield from bad
    if len(addresses) > 2:
        yield invalid("spec.clusterIPs", addresses, "may only hold up to 2 values")
    if bad:
        return
    if len(addresses) > 1 and len({is_ipv6(one) for one in addresses}) < 2:
        yield invalid("spec.clusterIPs", addresses, "may specify no more than one IP for each IP family")
    for index, (address, family) in enumerate(zip(addresses, families, strict=False)):
        if address != HEADLESS and family in FAMILIES and is_ipv6(address) != (family == "IPv6"):
            text = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            yield invalid(f"spec.clusterIPs[{index}]", address, text)


def _bad_addresses(addresses: list[str]) -> Iterator[FieldError]:
    for index, address in enumerate(addresses):
        if index == 0 and address == HEADLESS:
            if len(addresses) > 1:
                yield invalid("spec.clusterIPs", addresses, "'None' must be the first and only value")
            continue
        for complaint in ip_complaints(address):
            yield invalid(f"spec.clusterIPs[{index}]", address, complaint)


def changed_address_errors(new: ServiceSpec, old: ServiceSpec) -> Iterator[FieldError]:
    """A second address may come and go; the first one stays, but for a change from or to ExternalName."""
    if "ExternalName" in (new.type, old.type) or (is_headless(new) and is_headless(old)):
        return
    yield from _changed(new, list(new.clusterIPs or ()), list(old.clusterIPs or ()), "clusterIPs", "clusterIP")
    if is_headless(new) == is_headless(old):
        yield from _changed(new, list(new.ipFamilies or ()), list(old.ipFamilies or ()), "ipFamilies", "ipFamily")


def _changed(spec: ServiceSpec, now: list[str], before: list[str], field: str, one: str) -> Iterator[FieldError]:
    if len(now) == len(before):
        for index, value in enumerate(before):
            if now[index] != value:
                yield invalid(f"spec.{field}[{index if field == 'clusterIPs' else 0}]", now, STAYS)
        return
    if before and not now:
        yield invalid(f"spec.{field}[0]", now, f"primary {one} can not be unset")
    elif before and now[0] != before[0]:
        yield invalid(f"spec.{field}[0]", now, STAYS)
    if len(before) > len(now) == 1 and spec.ipFamilyPolicy != "SingleStack":
        text = f"must be set to 'SingleStack' when releasing the secondary {one}"
        yield invalid("spec.ipFamilyPolicy", spec.ipFamilyPolicy, text)
