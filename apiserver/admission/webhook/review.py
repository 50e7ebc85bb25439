"""Review: the AdmissionReview that a webhook is sent, and what its answer says. Pure.

Whatever is wrong with an answer is BadAnswer, in upstream's words.
https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#webhook-request-and-response
apiserver pkg/admission/plugin/webhook/request/admissionreview.go
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apiserver.context import AdmissionAttributes
from kube.api import go_json
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.schema import json_type

GROUP = "admission.k8s.io"
KNOWN_VERSIONS = ("v1", "v1beta1")
SCHEME = "pkg/util/webhook/client.go:71"  # what upstream calls its table of these kinds
OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}  # CONNECT has none
META = "meta.k8s.io/v1"


class BadAnswer(Exception):
    """The webhook's answer is none."""


class Undecoded(Exception):
    """What came is no AdmissionReview of the version that was sent."""


@dataclass(frozen=True)
class Verdict:
    """What an answer says."""

    allowed: bool
    operations: list[Any]  # of its JSON patch; empty: it changes nothing
    patch_type: str
    broken: str  # why its patch cannot be read; empty: it can
    status: Tree  # why it refuses; may be empty
    warnings: list[str]
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Objects:
    """What a webhook is shown: the objects in the version it asked for, and the row of that version."""

    row: Resource
    object: Tree | None
    old: Tree | None


def chosen_version(accepted: list[str]) -> str:
    """The first version that the webhook accepts and we speak. Raises BadAnswer."""
    found = next((one for one in accepted if one in KNOWN_VERSIONS), "")
    if not found:
        raise BadAnswer("could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)")
    return found


def review(attributes: AdmissionAttributes, objects: Objects, uid: str, version: str) -> Tree:
    """The AdmissionReview."""
    row, asked = objects.row, attributes.resource
    request: Tree = {
        "uid": uid,
        "kind": _kind(objects.object or objects.old, row),
        "resource": _resource(row),
        "requestKind": _kind(attributes.object or attributes.old, asked),
        "requestResource": _resource(asked),
        "operation": attributes.operation,
        "userInfo": _user(attributes),
        "object": objects.object,
        "oldObject": objects.old,
        "dryRun": attributes.dry_run,
        "options": options(attributes),
    }
    named = {
        "name": attributes.name if attributes.request.info.verb != "deletecollection" else "",
        "namespace": attributes.namespace,
        "subResource": attributes.subresource,
        "requestSubResource": attributes.subresource,
    }
    request |= {name: value for name, value in named.items() if value}
    return {"kind": "AdmissionReview", "apiVersion": f"{GROUP}/{version}", "request": request}


def options(attributes: AdmissionAttributes) -> Tree | None:
    """The CreateOptions, UpdateOptions or DeleteOptions; a patch has UpdateOptions."""
    kind = OPTIONS.get(attributes.operation)
    if kind is None:
        return None
    tree: Tree = {
        "kind": kind,
        "apiVersion": META,
        **{k: v for k, v in attributes.options.items() if k not in ("kind", "apiVersion")},
    }
    if kind != "DeleteOptions":
        given = {name: attributes.request.info.param(name) for name in ("fieldManager", "fieldValidation")}
        tree |= {name: value for name, value in given.items() if value}
    return tree


def verdict(answer: Tree, uid: str, version: str, *, mutating: bool) -> Verdict:
    """What the answer says. Raises BadAnswer and Undecoded."""
    _check_kind(answer, version)
    response = answer.get("response")
    if not isinstance(response, dict):
        raise BadAnswer("webhook response was absent")
    if version == "v1" and response.get("uid", "") != uid:
        raise BadAnswer(f'expected response.uid="{uid}", got "{response.get("uid", "")}"')
    data, kind = response.get("patch"), response.get("patchType")
    if version == "v1":
        _check_patch(bool(data), kind, mutating=mutating)
    operations, broken = _operations(data) if data and mutating else ([], "")
    return Verdict(
        allowed=bool(response.get("allowed")),
        operations=operations,
        patch_type=kind or "",
        broken=broken,
        status=dict(response.get("status") or {}),
        warnings=[str(one) for one in response.get("warnings") or ()],
        annotations=response.get("auditAnnotations") or {},
    )


def _check_kind(answer: Tree, asked: str) -> None:
    named, kind = str(answer.get("apiVersion") or ""), str(answer.get("kind") or "")
    group, _, version = named.rpartition("/")
    if (group, version, kind) == (GROUP, asked, "AdmissionReview"):
        return
    if named and kind:
        known = kind == "AdmissionReview" and group == GROUP and version in KNOWN_VERSIONS
        conversion = f"converting ({version}.AdmissionReview) to ({asked}.AdmissionReview): unknown conversion"
        raise Undecoded(conversion if known else f'no kind "{kind}" is registered for version "{named}" in scheme "{SCHEME}"')
    if asked == "v1":  # the older form may leave it out
        raise BadAnswer(f"expected webhook response of {GROUP}/v1, Kind=AdmissionReview, got {group}/{version}, Kind={kind}")


def _check_patch(patched: bool, kind: str | None, *, mutating: bool) -> None:
    if not mutating:
        if patched:
            raise BadAnswer("validating webhook may not return response.patch")
        if kind is not None:
            raise BadAnswer("validating webhook may not return response.patchType")
        return
    if patched and kind is None:
        raise BadAnswer("webhook returned response.patch but not response.patchType")
    if not patched and kind is not None:
        raise BadAnswer("webhook returned response.patchType but not response.patch")
    if kind == "":
        raise BadAnswer('webhook returned invalid response.patchType of ""')


def _operations(data: str) -> tuple[list[Any], str]:
    """The operations of a patch, or why it is none."""
    try:
        operations = go_json.loads(base64.b64decode(data, validate=True))
    except binascii.Error as error:
        raise Undecoded(str(error)) from None
    except go_json.Malformed as error:
        return [], str(error)
    if operations is not None and not isinstance(operations, list):
        return [], f"json: cannot unmarshal {json_type(operations)} into Go value of type jsonpatch.Patch"
    return operations or [], ""


def _kind(tree: Tree | None, row: Resource) -> Tree:
    """Of the object itself: a subresource's differs from its resource's."""
    api_version = str((tree or {}).get("apiVersion") or row.api_version)
    group, _, version = api_version.rpartition("/")
    return {"group": group, "version": version, "kind": (tree or {}).get("kind") or row.kind}


def _resource(row: Resource) -> Tree:
    return {"group": row.group, "version": row.version, "resource": row.plural}


def _user(attributes: AdmissionAttributes) -> Tree:
    user = attributes.user
    tree = {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": dict(user.extra)}
    return {name: value for name, value in tree.items() if value}
