"""Lease: a claim that must be renewed: leadership, a node's heartbeat (coordination.k8s.io/v1).

https://kubernetes.io/docs/concepts/architecture/leases/
"""

from collections.abc import Iterator

from kube.api import validation
from kube.api.columns import AGE, plain
from kube.api.resource import Resource
from kube.api.status import FieldError, required
from kube.api.types import Lease


def validate(new: Lease, old: Lease | None) -> Iterator[FieldError]:
    spec = new.spec
    if spec is None:
        return
    yield from validation.positive("spec.leaseDurationSeconds", spec.leaseDurationSeconds)
    yield from validation.not_negative("spec.leaseTransitions", spec.leaseTransitions)
    if spec.preferredHolder and not spec.strategy:
        yield required("spec.strategy", "must be set when preferredHolder is set")


RESOURCE = Resource(
    view=Lease,
    group="coordination.k8s.io",
    version="v1",
    kind="Lease",
    plural="leases",
    has_generation=False,
    create_on_update=True,
    unconditional_update=False,
    validate=validate,
    columns=(plain("Holder", lambda lease: (lease.spec.holderIdentity if lease.spec else None) or ""), AGE),
)
