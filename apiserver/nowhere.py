"""Nowhere: what is said of a path that leads nowhere, and of a method that a served path has not: upstream's router's words.

Upstream answers so below /api and its own groups. Elsewhere it has a page of text, which says as much; here it is a Status too, as
of all failures. Their details are empty, not absent. apiserver pkg/server/genericapiserver.go (serviceErrorHandler)
"""

from kube.api.status import NO_PATH, MethodNotAllowed, NotFound

NO_METHOD = "the server does not allow this method on the requested resource"


def nowhere() -> NotFound:
    return NotFound(NO_PATH, {})


def no_method() -> MethodNotAllowed:
    return MethodNotAllowed(NO_METHOD, {})
