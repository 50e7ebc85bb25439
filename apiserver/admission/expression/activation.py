"""Activation: the values of the variables for one request. Pure but for reading the cache of namespaces.

apiserver pkg/admission/plugin/cel/{activation,filter}.go
"""

from collections.abc import MutableMapping
from typing import Any

from apiserver.admission.expression.environment import REQUEST_RESOURCE
from apiserver.cel.libraries.authorizer import Answer, Authorizer, Question, ResourceCheck
from apiserver.context import AdmissionAttributes, Server
from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.resources import resource_of
from kube.api.types import Namespace

Answers = MutableMapping[Question, Answer]
_METADATA = (
    "name", "generateName", "namespace", "labels", "annotations", "creationTimestamp", "deletionGracePeriodSeconds",
    "deletionTimestamp", "generation", "resourceVersion", "finalizers",
)  # fmt: skip


def activation(
    attributes: AdmissionAttributes, row: Resource, new: Tree | None, old: Tree | None, server: Server, answers: Answers
) -> dict[str, Any]:
    """For expressions that see the objects in the version of `row`."""
    asked = Authorizer(answers)
    return {
        "object": new,
        "oldObject": old,
        "request": request(attributes, row, new, old),
        "namespaceObject": namespace(attributes, server),
        "authorizer": asked,
        REQUEST_RESOURCE: ResourceCheck(asked, _own_question(attributes)),
    }


def request(attributes: AdmissionAttributes, row: Resource, new: Tree | None, old: Tree | None) -> Tree:
    """The AdmissionRequest, without the objects."""
    asked, user = attributes.resource, attributes.user
    return {
        "kind": _kind(new or old, row),
        "resource": {"group": row.group, "version": row.version, "resource": row.plural},
        "subResource": attributes.subresource,
        "requestKind": _kind(attributes.object or attributes.old, asked),
        "requestResource": {"group": asked.group, "version": asked.version, "resource": asked.plural},
        "requestSubResource": attributes.subresource,
        "name": attributes.name,
        "namespace": attributes.namespace,
        "operation": attributes.operation,
        "userInfo": {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": dict(user.extra)},
        "dryRun": attributes.dry_run,
        "options": attributes.options or None,
    }


def namespace(attributes: AdmissionAttributes, server: Server) -> Tree | None:
    """What of the request's Namespace an expression may see."""
    if not attributes.namespace or (attributes.resource.group, attributes.resource.plural) == ("", "namespaces"):
        return None
    found = server.stores.store_for(resource_of(Namespace)).cached(Key("", attributes.namespace))
    if found is None:
        return None
    metadata = found["metadata"]
    return {
        "metadata": {key: metadata[key] for key in _METADATA if key in metadata} | {"UID": metadata.get("uid", "")},
        "spec": {"finalizers": (found.get("spec") or {}).get("finalizers") or []},
        "status": {"phase": (found.get("status") or {}).get("phase", "")},
    }


def _kind(tree: Tree | None, row: Resource) -> Tree:
    """Of the object itself: a subresource's may differ from its resource's."""
    group, _, version = str((tree or {}).get("apiVersion") or row.api_version).rpartition("/")
    return {"group": group, "version": version, "kind": (tree or {}).get("kind") or row.kind}


def _own_question(attributes: AdmissionAttributes) -> Question:
    row = attributes.resource
    return Question(
        group=row.group,
        resource=row.plural,
        subresource=attributes.subresource,
        namespace=attributes.namespace,
        name=attributes.name,
    )
