"""LimitRanger: what a namespace's LimitRanges say of a new pod or a claim — defaults first, then least, most and ratio.

Pods' updates are not looked at: what a container asks for does not change in them.
https://kubernetes.io/docs/concepts/policy/limit-range/ · upstream plugin/pkg/admission/limitranger
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from apiserver.context import AdmissionAttributes, Server
from kube.api import pod_resources, quantity
from kube.api.meta import Tree
from kube.api.resources import resource_of
from kube.api.status import is_forbidden
from kube.api.types import LimitRange, Pod
from kube.api.views import view

ANNOTATION = "kubernetes.io/limit-ranger"

Amounts = Mapping[str, str]


class Usage(NamedTuple):
    """What something asks for."""

    requests: Amounts
    limits: Amounts


class LimitRanger:
    name = "LimitRanger"
    kinds = ("Pod", "PersistentVolumeClaim")

    def idle(self, server: Server) -> bool:
        return not server.stores.store_for(resource_of(LimitRange)).cache

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        if attributes.resource.kind != "Pod" or attributes.subresource or attributes.operation != "CREATE":
            return
        assert attributes.object is not None, "a create has an object"
        for limit_range in _limit_ranges(attributes, server):
            fill_in(attributes.object, limit_range)

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        new, row = attributes.object, attributes.resource
        if new is None or attributes.subresource or row.kind not in ("Pod", "PersistentVolumeClaim"):
            return
        if row.kind == "Pod" and attributes.operation != "CREATE":
            return
        problems = [text for one in _limit_ranges(attributes, server) for text in complaints(new, row.kind, one)]
        if problems:
            why = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
            raise is_forbidden(row.plural, row.group, attributes.said_name, why)


def fill_in(pod: Tree, limit_range: Tree) -> None:
    """Give containers the defaults for what they do not say, and note it in an annotation."""
    limits: dict[str, str] = {}
    requests: dict[str, str] = {}
    for item in limit_range["spec"].get("limits") or ():
        if item["type"] == "Container":
            limits |= item.get("default") or {}
            requests |= item.get("defaultRequest") or {}
    notes = []
    for group, word in (("containers", "container"), ("initContainers", "init container")):
        for container in pod["spec"].get(group) or ():
            for field, defaults, noun in (("requests", requests, "request"), ("limits", limits, "limit")):
                missing = sorted(defaults.keys() - ((container.get("resources") or {}).get(field) or {}).keys())
                if missing:
                    target = container.setdefault("resources", {}).setdefault(field, {})
                    target.update({name: defaults[name] for name in missing})
                    notes.append(f"{', '.join(missing)} {noun} for {word} {container['name']}")
    if notes:
        pod["metadata"].setdefault("annotations", {})[ANNOTATION] = f"LimitRanger plugin set: {'; '.join(notes)}"


def complaints(tree: Tree, kind: str, limit_range: Tree) -> Iterator[str]:
    """What a pod or a claim does against a LimitRange, in upstream's words. Pure."""
    for item in limit_range["spec"].get("limits") or ():
        for usage in _usages(tree, kind, item["type"]):
            of_requests = item["type"] == "PersistentVolumeClaim"
            yield from _too_little(item["type"], item.get("min") or {}, usage)
            yield from _too_much(item["type"], item.get("max") or {}, usage, of_requests)
            yield from _too_far_apart(item["type"], item.get("maxLimitRequestRatio") or {}, usage)


def _usages(tree: Tree, kind: str, type: str) -> Iterator[Usage]:
    """What a LimitRange of this type looks at."""
    spec = tree["spec"]
    if kind == type == "PersistentVolumeClaim":
        yield Usage((spec.get("resources") or {}).get("requests") or {}, {})
    elif kind == "Pod" and type == "Container":
        for container in (*spec["containers"], *(spec.get("initContainers") or ())):
            resources = container.get("resources") or {}
            yield Usage(resources.get("requests") or {}, resources.get("limits") or {})
    elif kind == type == "Pod":
        pod = view(Pod, tree)
        yield Usage(_texts(pod_resources.requests(pod)), _texts(pod_resources.limits(pod)))


def _texts(amounts: Mapping[str, int]) -> dict[str, str]:
    """Sums, as quantities."""
    return {
        name: quantity.canonical(f"{amount}m") if name == "cpu" else quantity.render(Decimal(amount), "binary")
        for name, amount in amounts.items()
    }


def _too_little(type: str, least: Amounts, usage: Usage) -> Iterator[str]:
    for name, bound in sorted(least.items()):
        said = f"minimum {name} usage per {type} is {bound}"
        request, limit = usage.requests.get(name), usage.limits.get(name)
        if request is None:
            yield f"{said}.  No request is specified"
        elif quantity.parse(request) < quantity.parse(bound):
            yield f"{said}, but request is {request}"
        elif limit is not None and quantity.parse(limit) < quantity.parse(bound):
            yield f"{said}, but limit is {limit}"


def _too_much(type: str, most: Amounts, usage: Usage, of_requests: bool) -> Iterator[str]:
    for name, bound in sorted(most.items()):
        said = f"maximum {name} usage per {type} is {bound}"
        request, limit = usage.requests.get(name), usage.limits.get(name)
        if limit is None and not of_requests:
            yield f"{said}.  No limit is specified"
        elif limit is not None and quantity.parse(limit) > quantity.parse(bound):
            yield f"{said}, but limit is {limit}"
        elif request is not None and quantity.parse(request) > quantity.parse(bound):
            yield f"{said}, but request is {request}"


def _too_far_apart(type: str, ratios: Amounts, usage: Usage) -> Iterator[str]:
    for name, bound in sorted(ratios.items()):
        said = f"{name} max limit to request ratio per {type} is {bound}"
        request, limit = quantity.parse(usage.requests.get(name, "0")), quantity.parse(usage.limits.get(name, "0"))
        if not request:
            yield f"{said}, but no request is specified or request is 0"
        elif not limit:
            yield f"{said}, but no limit is specified or limit is 0"
        elif limit / request > quantity.parse(bound):
            yield f"{said}, but provided ratio is {float(limit / request):f}"


def _limit_ranges(attributes: AdmissionAttributes, server: Server) -> list[Tree]:
    return server.stores.store_for(resource_of(LimitRange)).cached_list(attributes.namespace)
