"""TokenReview and SelfSubjectReview: whose token is this, and who am I (authentication.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/
"""

from kube.api.resource import Resource
from kube.api.types import SelfSubjectReview, TokenReview

TOKEN_REVIEW = Resource(
    view=TokenReview,
    group="authentication.k8s.io",
    version="v1",
    kind="TokenReview",
    plural="tokenreviews",
    namespaced=False,
    verbs=("create",),
    has_generation=False,
)

SELF_SUBJECT_REVIEW = Resource(
    view=SelfSubjectReview,
    group="authentication.k8s.io",
    version="v1",
    kind="SelfSubjectReview",
    plural="selfsubjectreviews",
    namespaced=False,
    verbs=("create",),
    has_generation=False,
)

RESOURCES = (SELF_SUBJECT_REVIEW, TOKEN_REVIEW)
