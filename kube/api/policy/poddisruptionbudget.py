"""PodDisruptionBudget: how many pods of a set may be down by choice at once (policy/v1).

https://kubernetes.io/docs/tasks/run-application/configure-pdb/
"""

from kube.api.resource import Resource
from kube.api.types import PodDisruptionBudget

RESOURCE = Resource(
    view=PodDisruptionBudget,
    group="policy",
    version="v1",
    kind="PodDisruptionBudget",
    plural="poddisruptionbudgets",
    short_names=("pdb",),
    subresources=("status",),
    unconditional_update=False,
)
