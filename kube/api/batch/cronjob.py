"""CronJob: Jobs made by the clock (batch/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
"""

from kube.api.resource import Resource
from kube.api.types import CronJob

RESOURCE = Resource(
    view=CronJob,
    group="batch",
    version="v1",
    kind="CronJob",
    plural="cronjobs",
    short_names=("cj",),
    categories=("all",),
    subresources=("status",),
)
