"""Rules: what a PolicyRule allows, whether some rules cover others, and how rules are told. Pure.

A rule for resources allows a verb on a resource of a group: `*` stands for any of them, `*/sub` for the subresource of any
resource, and `pods` says nothing of `pods/log`. resourceNames narrow it to requests that have one of these names, which creates
and whole collections have not. A rule for other paths allows them as written, or below a prefix that ends in `*`.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/ · kubernetes pkg/apis/rbac/v1/evaluation_helpers.go
component-helpers auth/rbac/validation/policy_comparator.go
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

import orjson

from apiserver.context import RequestInfo
from kube.api.meta import Tree

ALL = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """A PolicyRule, in tuples."""

    verbs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    @classmethod
    def of(cls, tree: Tree) -> "Rule":
        fields = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
        return cls(*(tuple(tree.get(field) or ()) for field in fields))

    def tree(self) -> Tree:
        fields = {
            "verbs": self.verbs, "apiGroups": self.groups, "resources": self.resources, "resourceNames": self.names,
            "nonResourceURLs": self.urls,
        }  # fmt: skip
        return {name: list(values) for name, values in fields.items() if values}

    def __str__(self) -> str:
        """In upstream's short form: {APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}."""
        fields = (
            ("APIGroups", self.groups), ("Resources", self.resources), ("NonResourceURLs", self.urls),
            ("ResourceNames", self.names), ("Verbs", self.verbs),
        )  # fmt: skip
        return "{" + ", ".join(f"{name}:{quoted(values)}" for name, values in fields if values) + "}"


def quoted(values: Iterable[str]) -> str:
    """A list as Go's %q prints it."""
    return "[" + " ".join(orjson.dumps(value).decode() for value in values) + "]"


class Rules:
    """The rules of one role, arranged so that a question meets only those that name its resource."""

    __slots__ = ("_by_resource", "_urls", "rules")

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._urls = tuple(rule for rule in self.rules if rule.urls)
        self._by_resource: dict[str, list[Rule]] = {}
        for rule in self.rules:
            for resource in dict.fromkeys(rule.resources):
                self._by_resource.setdefault(resource, []).append(rule)

    def allow(self, info: RequestInfo) -> bool:
        if not info.is_resource:
            return any(_allows_path(rule, info.verb, info.path) for rule in self._urls)
        by_resource, subresource = self._by_resource, info.subresource
        words = (f"{info.plural}/{subresource}", ALL, f"*/{subresource}") if subresource else (info.plural, ALL)
        for word in words:
            for rule in by_resource.get(word, ()):
                if (
                    (info.verb in rule.verbs or ALL in rule.verbs)
                    and (info.api_group in rule.groups or ALL in rule.groups)
                    and (not rule.names or info.name in rule.names)
                ):
                    return True
        return False


def _allows_path(rule: Rule, verb: str, path: str) -> bool:
    return (verb in rule.verbs or ALL in rule.verbs) and _path_in(rule.urls, path)


def _path_in(urls: tuple[str, ...], path: str) -> bool:
    return any(url in (ALL, path) or (url.endswith(ALL) and path.startswith(url.rstrip(ALL))) for url in urls)


def uncovered(owned: Iterable[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """What `wanted` allows and `owned` does not, each piece by itself."""
    have = tuple(owned)
    return [piece for rule in wanted for piece in pieces(rule) if not any(_covers(one, piece) for one in have)]


def pieces(rule: Rule) -> Iterator[Rule]:
    """The rule taken apart into rules of one verb on one thing."""
    for group, resource, verb in product(rule.groups, rule.resources, rule.verbs):
        for name in rule.names or ("",):
            yield Rule((verb,), (group,), (resource,), (name,) if name else ())
    for url, verb in product(rule.urls, rule.verbs):
        yield Rule((verb,), urls=(url,))


def _covers(owner: Rule, piece: Rule) -> bool:
    verb = piece.verbs[0]
    if verb not in owner.verbs and ALL not in owner.verbs:
        return False
    if piece.urls:
        return _path_in(owner.urls, piece.urls[0])
    group, resource = piece.groups[0], piece.resources[0]
    return (
        (group in owner.groups or ALL in owner.groups)
        and _covers_resource(owner.resources, resource)
        and (not owner.names or (bool(piece.names) and piece.names[0] in owner.names))
    )


def _covers_resource(owned: tuple[str, ...], resource: str) -> bool:
    if ALL in owned or resource in owned:
        return True
    _, slash, subresource = resource.partition("/")
    return bool(slash) and f"*/{subresource}" in owned


def compact(rules: Iterable[Rule]) -> list[Rule]:
    """Rules about the same one thing made one, with all their verbs, in the order of the first of each."""
    merged: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for rule in rules:
        verbs = merged.setdefault((rule.groups, rule.resources, rule.names, rule.urls), [])
        verbs += [verb for verb in rule.verbs if verb not in verbs]
    return [Rule(tuple(verbs), *about) for about, verbs in merged.items()]
