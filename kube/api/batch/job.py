"""Job: pods that run until enough of them succeed (batch/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from kube.api.resource import Resource
from kube.api.types import Job

RESOURCE = Resource(
    view=Job,
    group="batch",
    version="v1",
    kind="Job",
    plural="jobs",
    categories=("all",),
    subresources=("status",),
)
