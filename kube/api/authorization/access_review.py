"""Access reviews: may somebody do this, and what may I do (authorization.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/
"""

from typing import Any

from kube.api.resource import Resource
from kube.api.types import LocalSubjectAccessReview, SelfSubjectAccessReview, SelfSubjectRulesReview, SubjectAccessReview


def _review(view: type[Any], plural: str, *, namespaced: bool = False) -> Resource:
    return Resource(
        view=view,
        group="authorization.k8s.io",
        version="v1",
        kind=view.__name__,
        plural=plural,
        namespaced=namespaced,
        verbs=("create",),
        has_generation=False,
    )


RESOURCES = (
    _review(LocalSubjectAccessReview, "localsubjectaccessreviews", namespaced=True),
    _review(SelfSubjectAccessReview, "selfsubjectaccessreviews"),
    _review(SelfSubjectRulesReview, "selfsubjectrulesreviews"),
    _review(SubjectAccessReview, "subjectaccessreviews"),
)
