"""StatefulSet: numbered pods with stable names and storage (apps/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
"""

from collections.abc import Iterator

from kube.api import storage_access, validation
from kube.api.columns import AGE, plain, template_columns
from kube.api.core.pod_spec import set_template_defaults
from kube.api.core.pod_validation import always_restarted_errors, template_errors
from kube.api.core.pod_warnings import template_warnings
from kube.api.defaults import fill
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, invalid, unsupported
from kube.api.types import RollingUpdateStatefulSetStrategy, StatefulSet, StatefulSetSpec
from kube.api.views import tree_of

POD_MANAGEMENT = ("OrderedReady", "Parallel")
RETENTIONS = ("Retain", "Delete")
MUTABLE = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)  # fmt: skip
IMMUTABLE = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    fill(spec, podManagementPolicy="OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("partition", 0)
        rolling.setdefault("maxUnavailable", 1)
    fill(spec.setdefault("persistentVolumeClaimRetentionPolicy", {}), whenDeleted="Retain", whenScaled="Retain")
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    set_template_defaults(spec.setdefault("template", {}))
    for claim in spec.get("volumeClaimTemplates") or ():
        claim |= {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        storage_access.set_claim_defaults(claim)
        claim.setdefault("status", {}).setdefault("phase", "Pending")


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"replicas": 0, "availableReplicas": 0}


def validate(new: StatefulSet, old: StatefulSet | None) -> Iterator[FieldError]:
    spec = new.spec
    if spec.podManagementPolicy not in POD_MANAGEMENT:
        yield invalid("spec.podManagementPolicy", spec.podManagementPolicy, "must be 'OrderedReady' or 'Parallel'")
    yield from _strategy(spec)
    retention = spec.persistentVolumeClaimRetentionPolicy
    for field, value in (("whenDeleted", retention.whenDeleted), ("whenScaled", retention.whenScaled)):
        if value not in RETENTIONS:
            yield unsupported(f"spec.persistentVolumeClaimRetentionPolicy.{field}", value, RETENTIONS)
    yield from validation.not_negative("spec.replicas", spec.replicas)
    yield from validation.not_negative("spec.minReadySeconds", spec.minReadySeconds)
    if spec.ordinals is not None:
        yield from validation.not_negative("spec.ordinals.start", spec.ordinals.start)
    yield from validation.workload_selector_errors(spec.selector, "statefulset")
    yield from validation.matching_errors(spec.selector, spec.template, broken="")
    yield from template_errors(spec.template, "spec.template", claims=_claim_names(spec))
    yield from always_restarted_errors(spec.template.spec, "spec.template.spec", "StatefulSet")
    if old is not None and _fixed(new) != _fixed(old):
        yield forbidden("spec", IMMUTABLE)


def validate_status(new: StatefulSet, old: StatefulSet) -> Iterator[FieldError]:
    bounded = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
    counts = ("replicas", *bounded, "observedGeneration", "collisionCount")
    yield from validation.count_errors(new.status, "status", counts, "replicas", bounded)
    yield from validation.available_errors(new.status, "status", "status.readyReplicas")
    yield from validation.not_decremented("status.collisionCount", new.status.collisionCount, old.status.collisionCount)


def _claim_names(spec: StatefulSetSpec) -> list[str]:
    return [claim.metadata.name for claim in spec.volumeClaimTemplates or () if claim.metadata]


def _fixed(one: StatefulSet) -> Tree:
    return {name: value for name, value in tree_of(one.spec).items() if name not in MUTABLE}


def _strategy(spec: StatefulSetSpec) -> Iterator[FieldError]:
    strategy, at = spec.updateStrategy, "spec.updateStrategy"
    rolling = strategy.rollingUpdate
    if strategy.type == "OnDelete":
        if rolling is not None:
            text = "only allowed for updateStrategy 'RollingUpdate'"
            yield invalid(f"{at}.rollingUpdate", _shown(rolling), text)
    elif strategy.type == "RollingUpdate":
        yield from validation.not_negative(f"{at}.rollingUpdate.partition", rolling.partition)
        yield from _unavailable(rolling.maxUnavailable, f"{at}.rollingUpdate.maxUnavailable")
    else:
        shown = {"Type": strategy.type, "RollingUpdate": _shown(rolling)}
        yield invalid(at, shown, "must be 'RollingUpdate' or 'OnDelete'")


def _unavailable(value: int | str | None, path: str) -> Iterator[FieldError]:
    if value is None:
        return
    yield from validation.amount_or_percentage(path, value)
    if validation.is_zero(value):
        yield invalid(path, value, "cannot be 0")
    yield from validation.not_over_hundred(path, value)


def _shown(rolling: RollingUpdateStatefulSetStrategy | None) -> Tree | None:
    """As upstream's own form of it is printed."""
    return None if rolling is None else {"Partition": rolling.partition or 0, "MaxUnavailable": rolling.maxUnavailable}


def warnings(new: StatefulSet, old: StatefulSet | None) -> Iterator[str]:
    yield from template_warnings(new, old)
    if (new.spec.revisionHistoryLimit or 0) < 0:
        text = "a negative value retains all historical revisions; a value >= 0 is recommended"
        yield f"spec.revisionHistoryLimit: {text}"


RESOURCE = Resource(
    view=StatefulSet,
    group="apps",
    version="v1",
    kind="StatefulSet",
    plural="statefulsets",
    short_names=("sts",),
    categories=("all",),
    subresources=("scale", "status"),
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
    warnings=warnings,
    validate_status=validate_status,
    columns=(
        plain("Ready", lambda one: f"{one.status.readyReplicas or 0}/{one.spec.replicas or 0}"),
        AGE,
        *template_columns(selector=False),
    ),
)
