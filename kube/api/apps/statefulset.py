"""StatefulSet: numbered pods with stable names and storage (apps/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
"""

from collections.abc import Iterator

from kube.api import storage_access, validation
from kube.api.columns import AGE, plain, template_columns
from kube.api.core.pod_spec import set_template_defaults
from kube.api.core.pod_validation import pod_spec_errors
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, required, unsupported
from kube.api.types import StatefulSet, StatefulSetSpec
from kube.api.views import tree_of

POD_MANAGEMENT = ("OrderedReady", "Parallel")
STRATEGIES = ("OnDelete", "RollingUpdate")
RETENTIONS = ("Delete", "Retain")
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
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention.setdefault("whenDeleted", "Retain")
    retention.setdefault("whenScaled", "Retain")
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    set_template_defaults(spec.setdefault("template", {}))
    for claim in spec.get("volumeClaimTemplates") or ():
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("kind", "PersistentVolumeClaim")
        storage_access.set_claim_defaults(claim)
        claim.setdefault("status", {}).setdefault("phase", "Pending")


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"replicas": 0, "availableReplicas": 0}


def validate(new: StatefulSet, old: StatefulSet | None) -> Iterator[FieldError]:
    spec = new.spec
    if spec.podManagementPolicy not in POD_MANAGEMENT:
        yield unsupported("spec.podManagementPolicy", spec.podManagementPolicy, POD_MANAGEMENT)
    yield from _strategy(spec)
    retention = spec.persistentVolumeClaimRetentionPolicy
    for field, value in (("whenDeleted", retention.whenDeleted), ("whenScaled", retention.whenScaled)):
        if value not in RETENTIONS:
            yield unsupported(f"spec.persistentVolumeClaimRetentionPolicy.{field}", value, RETENTIONS)
    yield from validation.not_negative("spec.replicas", spec.replicas)
    yield from validation.not_negative("spec.minReadySeconds", spec.minReadySeconds)
    if spec.ordinals is not None:
        yield from validation.not_negative("spec.ordinals.start", spec.ordinals.start)
    yield from validation.workload_selector_errors(spec.selector, spec.template, "statefulset")
    yield from validation.template_metadata_errors(spec.template, "spec.template")
    yield from pod_spec_errors(spec.template.spec, "spec.template.spec", claims=_claim_names(spec))
    if spec.template.spec.restartPolicy != "Always":
        yield unsupported("spec.template.spec.restartPolicy", spec.template.spec.restartPolicy, ("Always",))
    if old is not None and _fixed(new) != _fixed(old):
        yield forbidden("spec", IMMUTABLE)


def _claim_names(spec: StatefulSetSpec) -> list[str]:
    return [claim.metadata.name for claim in spec.volumeClaimTemplates or () if claim.metadata]


def _fixed(one: StatefulSet) -> Tree:
    return {name: value for name, value in tree_of(one.spec).items() if name not in MUTABLE}


def _strategy(spec: StatefulSetSpec) -> Iterator[FieldError]:
    strategy, at = spec.updateStrategy, "spec.updateStrategy"
    if not strategy.type:
        yield required(at)
    elif strategy.type not in STRATEGIES:
        yield FieldError(at, "FieldValueInvalid", "Invalid value: must be 'RollingUpdate' or 'OnDelete'")
    rolling = strategy.rollingUpdate
    if rolling is None:
        return
    if strategy.type == "OnDelete":
        text = "only allowed for updateStrategy 'RollingUpdate'"
        yield FieldError(f"{at}.rollingUpdate", "FieldValueInvalid", f"Invalid value: {text}")
    yield from validation.not_negative(f"{at}.rollingUpdate.partition", rolling.partition)
    yield from validation.amount_or_percentage(f"{at}.rollingUpdate.maxUnavailable", rolling.maxUnavailable)


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
    columns=(
        plain("Ready", lambda one: f"{one.status.readyReplicas or 0}/{one.spec.replicas or 0}"),
        AGE,
        *template_columns(selector=False),
    ),
)
