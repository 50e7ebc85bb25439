"""Names of computing resources, and which amounts each may have.

Names without a domain are Kubernetes' own and listed here; names with another domain are extended resources, which are counted
in whole pieces and never overcommitted. kubernetes pkg/apis/core/helper/helpers.go
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from kube.api import names, quantity
from kube.api.status import FieldError, invalid
from kube.api.validation import AT_LEAST_ZERO, complain

HUGE_PAGES = "hugepages-"
COMPUTE = frozenset({"cpu", "memory", "ephemeral-storage"})
COUNTED = frozenset({
    "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
    "services.nodeports", "services.loadbalancers",
})  # fmt: skip
AGGREGATED = frozenset({
    *(f"{side}.{name}" for side in ("requests", "limits") for name in COMPUTE), "requests.storage",
})  # fmt: skip
QUOTA = COMPUTE | COUNTED | AGGREGATED
STANDARD = QUOTA | {"storage"}


def is_huge_page(name: str) -> bool:
    return name.startswith(HUGE_PAGES)


def is_standard(name: str) -> bool:
    return name in STANDARD or _is_quota_huge_page(name)


def is_quota(name: str) -> bool:
    """Whether a quota may count it."""
    return name in QUOTA or _is_quota_huge_page(name)


def is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    return not is_native(name) and not name.startswith("requests.") and not names.qualified(f"requests.{name}")


def may_overcommit(name: str) -> bool:
    return is_native(name) and not is_huge_page(name)


def name_errors(name: str, path: str) -> Iterator[FieldError]:
    """Of any resource."""
    complaints = list(complain(path, name, names.qualified))
    yield from complaints
    if not complaints and "/" not in name and not is_standard(name):
        yield invalid(path, name, "must be a standard resource type or fully qualified")


def container_name_errors(name: str, path: str) -> Iterator[FieldError]:
    """Of what a container may ask for."""
    yield from name_errors(name, path)
    if "/" not in name and name not in COMPUTE and not is_huge_page(name):
        yield invalid(path, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        yield invalid(path, name, "doesn't follow extended resource name standard")


def quota_name_errors(name: str, path: str) -> Iterator[FieldError]:
    yield from name_errors(name, path)
    if "/" not in name and not is_quota(name):
        yield invalid(path, name, "must be a standard resource for quota")


def amount_errors(name: str, amount: str, path: str) -> Iterator[FieldError]:
    """Not negative; whole where pieces are counted."""
    value = quantity.parse(amount)
    if value < 0:
        yield invalid(path, quantity.canonical(amount), AT_LEAST_ZERO)
    if (name in COUNTED or is_extended(name)) and value != value.to_integral_value():
        yield invalid(path, quantity.canonical(amount), "must be an integer")


def huge_page_errors(name: str, amount: str, path: str) -> Iterator[FieldError]:
    """An amount of huge pages is a number of whole pages."""
    if not is_huge_page(name):
        return
    size = name.removeprefix(HUGE_PAGES)
    page = quantity.parse(size) if quantity.is_valid(size) else Decimal(0)
    if page <= 0 or Fraction(quantity.parse(amount)) % Fraction(page):
        text = f"{quantity.canonical(amount)} is not positive integer multiple of {name}"
        yield invalid(path, quantity.canonical(amount), text)


def _is_quota_huge_page(name: str) -> bool:
    return name.startswith((HUGE_PAGES, f"requests.{HUGE_PAGES}"))
