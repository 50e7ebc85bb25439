"""Conversion: objects from one version of a custom resource to another — by name alone, or by a webhook.

Strategy None changes nothing but apiVersion. Strategy Webhook sends a ConversionReview with all objects that are in another version
and takes what comes back, after it was checked: as many objects, in the same order, of the wanted version; the same kind, name,
namespace and uid. Of the metadata the webhook may change labels and annotations; the rest stays as it was.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#webhook-conversion
apiextensions-apiserver pkg/apiserver/conversion
"""

import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

import orjson

from apiserver.webhooks.client import CallFailed
from kube.api.meta import Tree
from kube.api.status import ApiError

REVIEW_VERSION = "apiextensions.k8s.io/v1"
CHANGEABLE = ("labels", "annotations")  # of the metadata

Call = Callable[[Tree], Awaitable[Tree]]  # a ConversionReview to the webhook and back; raises CallFailed


class ConversionFailed(ApiError):
    """An object cannot be had in the version asked for."""


@dataclass(frozen=True)
class Converter:
    """The conversion of one definition. `versions`: those it has, as apiVersions."""

    group: str
    versions: frozenset[str]
    call: Call | None = None  # None: by name alone
    review_versions: tuple[str, ...] = field(default=("v1",))

    async def convert(self, trees: Sequence[Tree], wanted: str) -> list[Tree]:
        """The objects in version `wanted`; may change those it is given. Raises ConversionFailed."""
        for tree in trees:
            if tree["apiVersion"] not in self.versions:
                raise ConversionFailed(f"request to convert CR from an invalid group/version: {tree['apiVersion']}")
        if self.call is None:
            for tree in trees:
                tree["apiVersion"] = wanted
            return list(trees)
        others = [tree for tree in trees if tree["apiVersion"] != wanted]
        if not others:
            return list(trees)
        converted = iter(await self._asked(others, wanted, self.call))
        return [tree if tree["apiVersion"] == wanted else next(converted) for tree in trees]

    async def _asked(self, trees: list[Tree], wanted: str, call: Call) -> list[Tree]:
        who = f"conversion webhook for {_gvk(trees[0])}"
        review = _review(trees, wanted)
        try:
            answer = await call(review)
        except CallFailed as error:
            raise ConversionFailed(f"{who} failed: {error}") from None
        problem, converted = read_answer(answer, review["request"]["uid"])
        if problem:
            raise ConversionFailed(f"{who} failed: {problem}")
        if len(converted) != len(trees):
            raise ConversionFailed(f"{who} returned {len(converted)} objects, expected {len(trees)}")
        for index, (before, after) in enumerate(zip(trees, converted, strict=True)):
            if (why := unlike(before, after, wanted)) is not None:
                raise ConversionFailed(f"{who} returned invalid converted object at index {index}: {why}")
            keep_metadata(before, after)
        return converted


def read_answer(answer: Tree, uid: str) -> tuple[str, list[Tree]]:
    """What is wrong with a ConversionReview that came back, and its objects. Pure."""
    response = answer.get("response")
    if answer.get("kind") != "ConversionReview" or answer.get("apiVersion") != REVIEW_VERSION:
        return f"expected webhook response of {REVIEW_VERSION}, Kind=ConversionReview, got {_gvk(answer)}", []
    if not isinstance(response, dict):
        return "no response provided", []
    if response.get("uid") != uid:
        return f"expected response.uid={_quoted(uid)}, got {_quoted(response.get('uid') or '')}", []
    result = response.get("result") or {}
    if result.get("status") != "Success":
        return result.get("message") or "response.result.status was " + _quoted(result.get("status") or ""), []
    objects = response.get("convertedObjects") or []
    return "", [one if isinstance(one, dict) else {} for one in objects]


def unlike(before: Tree, after: Tree, wanted: str) -> str | None:
    """Why `after` cannot be `before` in version `wanted`; None: it can. Pure."""
    if after.get("apiVersion") != wanted:
        return f"invalid groupVersion (expected {wanted}, received {after.get('apiVersion') or ''})"
    if before["kind"] != after.get("kind"):
        return f"must have the same kind: {before['kind']} != {after.get('kind') or ''}"
    metadata = after.get("metadata")
    if not isinstance(metadata, dict):
        return "missing metadata in converted object"
    for name, words in (("name", "name"), ("namespace", "namespace"), ("uid", "UID")):
        was, now = before["metadata"].get(name, ""), metadata.get(name, "")
        if was != now:
            return f"must have the same {words}: {was} != {now}"
    return None


def keep_metadata(before: Tree, after: Tree) -> None:
    """Take labels and annotations from `after`, all other metadata from `before`. Pure but for `after`."""
    kept = {name: value for name, value in before["metadata"].items() if name not in CHANGEABLE}
    changed = {name: after["metadata"][name] for name in CHANGEABLE if after["metadata"].get(name)}
    after["metadata"] = {**kept, **changed}


def _review(trees: Iterable[Tree], wanted: str) -> Tree:
    request = {"uid": str(uuid.uuid4()), "desiredAPIVersion": wanted, "objects": list(trees)}
    return {"kind": "ConversionReview", "apiVersion": REVIEW_VERSION, "request": request}


def _gvk(tree: Tree) -> str:
    return f"{tree.get('apiVersion') or ''}, Kind={tree.get('kind') or ''}"


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()
