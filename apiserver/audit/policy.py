"""Policy: how much of a request is recorded. Pure.

The first rule that fits decides the level: None, Metadata, Request (with what was sent) or RequestResponse (and what came back).
What no rule fits is not recorded. A rule fits where each of its lists that is not empty has what the request has.
https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#audit-policy · apiserver pkg/audit/policy/checker.go
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apiserver.context import RequestInfo, User
from kube.api.late import late
from kube.api.meta import Tree
from kube.component.run import StartupError

if TYPE_CHECKING:
    import yaml
else:
    yaml = late("yaml")

NONE, METADATA, REQUEST, REQUEST_RESPONSE = LEVELS = ("None", "Metadata", "Request", "RequestResponse")
STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
API_VERSION = "audit.k8s.io/v1"
RULE_FIELDS = {
    "level", "users", "userGroups", "verbs", "resources", "namespaces", "nonResourceURLs", "omitStages", "omitManagedFields",
}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    level: str
    omit_stages: frozenset[str] = frozenset()
    omit_managed_fields: bool = False


NOT_RECORDED = Verdict(NONE)


@dataclass(frozen=True)
class Policy:
    rules: tuple[Tree, ...]
    omit_stages: frozenset[str] = frozenset()
    omit_managed_fields: bool = False

    def verdict(self, user: User, info: RequestInfo) -> Verdict:
        for rule in self.rules:
            if fits(rule, user, info):
                stages = self.omit_stages | set(rule.get("omitStages") or ())
                bare = rule.get("omitManagedFields")
                return Verdict(rule["level"], frozenset(stages), self.omit_managed_fields if bare is None else bare)
        return NOT_RECORDED


def load(path: Path) -> Policy:
    """Raises StartupError, with what is wrong and where."""
    try:
        tree = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise StartupError(f"--audit-policy-file {path}: {error}") from error
    problem = "it is no object" if not isinstance(tree, dict) else _problem(tree)
    if problem:
        raise StartupError(f"--audit-policy-file {path}: {problem}")
    return Policy(tuple(tree["rules"]), frozenset(tree.get("omitStages") or ()), bool(tree.get("omitManagedFields")))


def _problem(tree: Mapping[str, Any]) -> str:
    if tree.get("apiVersion") != API_VERSION or tree.get("kind") != "Policy":
        return f"it must be a Policy of {API_VERSION}"
    if not tree.get("rules"):
        return "loaded illegal policy with 0 rules"
    for index, rule in enumerate(tree["rules"]):
        at = f"rules[{index}]"
        if rule.get("level") not in LEVELS:
            return f"{at}.level: Unsupported value: {rule.get('level')!r}: supported values: {', '.join(LEVELS)}"
        if unknown := sorted(rule.keys() - RULE_FIELDS):
            return f"{at}: unknown field {unknown[0]!r}"
        if rule.get("nonResourceURLs") and (rule.get("resources") or rule.get("namespaces")):
            return f"{at}.nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs"
    stages = [*(tree.get("omitStages") or ()), *(stage for rule in tree["rules"] for stage in rule.get("omitStages") or ())]
    wrong = [stage for stage in stages if stage not in STAGES]
    return f"omitStages: Invalid value: {wrong[0]!r}: must be one of {', '.join(STAGES)}" if wrong else ""


def fits(rule: Tree, user: User, info: RequestInfo) -> bool:
    if rule.get("users") and user.name not in rule["users"]:
        return False
    if rule.get("userGroups") and not set(rule["userGroups"]).intersection(user.groups):
        return False
    if rule.get("verbs") and info.verb not in rule["verbs"]:
        return False
    if rule.get("namespaces") or rule.get("resources"):
        return _fits_resource(rule, info)
    if rule.get("nonResourceURLs"):
        return not info.is_resource and any(_fits_path(one, info.path) for one in rule["nonResourceURLs"])
    return True


def _fits_resource(rule: Tree, info: RequestInfo) -> bool:
    if not info.is_resource:
        return False
    if rule.get("namespaces") and info.namespace not in rule["namespaces"]:
        return False
    return not rule.get("resources") or any(_fits_group(one, info) for one in rule["resources"])


def _fits_group(group: Tree, info: RequestInfo) -> bool:
    if (group.get("group") or "") != info.api_group:
        return False
    if not group.get("resources"):
        return True
    if group.get("resourceNames") and info.name not in group["resourceNames"]:
        return False
    words = {"*", info.plural} if not info.subresource else {
        "*", f"{info.plural}/{info.subresource}", f"{info.plural}/*", f"*/{info.subresource}",
    }  # fmt: skip
    return bool(words.intersection(group["resources"]))


def _fits_path(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))
