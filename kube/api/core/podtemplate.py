"""PodTemplate: a pod to be made later (v1).

https://kubernetes.io/docs/concepts/workloads/pods/#pod-templates
"""

from kube.api.resource import Resource
from kube.api.types import PodTemplate

RESOURCE = Resource(
    view=PodTemplate,
    group="",
    version="v1",
    kind="PodTemplate",
    plural="podtemplates",
)
