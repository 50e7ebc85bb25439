"""Lease: a claim that must be renewed: leadership, a node's heartbeat (coordination.k8s.io/v1).

https://kubernetes.io/docs/concepts/architecture/leases/
"""

from kube.api.resource import Resource
from kube.api.types import Lease

RESOURCE = Resource(
    view=Lease,
    group="coordination.k8s.io",
    version="v1",
    kind="Lease",
    plural="leases",
    has_generation=False,
    create_on_update=True,
    unconditional_update=False,
)
