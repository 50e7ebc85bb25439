"""What both kinds of webhook configuration share: defaults, rules and columns.

kubernetes pkg/apis/admissionregistration/v1/defaults.go and validation · https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

from collections.abc import Iterator
from typing import Any

from kube.api import names, validation
from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.resource import Column
from kube.api.status import FieldError, duplicate, invalid, required, unsupported

TIMEOUT_SECONDS = 10
LONGEST_SECONDS = 30
SERVICE_PORT = 443
FAILURE_POLICIES = ("Fail", "Ignore")
MATCH_POLICIES = ("Equivalent", "Exact")
SIDE_EFFECTS = ("None", "NoneOnDryRun")
OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")


def set_webhook_defaults(tree: Tree) -> None:
    for webhook in tree.get("webhooks") or ():
        webhook.setdefault("failurePolicy", "Fail")
        webhook.setdefault("matchPolicy", "Equivalent")
        webhook.setdefault("namespaceSelector", {})
        webhook.setdefault("objectSelector", {})
        webhook.setdefault("timeoutSeconds", TIMEOUT_SECONDS)
        set_rule_defaults(webhook.get("rules") or [])
        service = (webhook.get("clientConfig") or {}).get("service")
        if service:
            service.setdefault("port", SERVICE_PORT)


def set_rule_defaults(rules: list[Tree]) -> None:
    for rule in rules:
        rule.setdefault("scope", "*")


def webhook_errors(webhooks: Any) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, webhook in enumerate(webhooks or ()):
        at = f"webhooks[{index}]"
        yield from _webhook(webhook, at)
        if webhook.name in seen:
            yield duplicate(f"{at}.name", webhook.name)
        seen.add(webhook.name)


def _webhook(webhook: Any, at: str) -> Iterator[FieldError]:
    yield from validation.named(f"{at}.name", webhook.name, names.subdomain)
    if webhook.name and webhook.name.count(".") < 2:
        yield invalid(f"{at}.name", webhook.name, "should be a domain with at least three segments separated by dots")
    if not webhook.admissionReviewVersions:
        yield required(f"{at}.admissionReviewVersions", "must specify one of v1, v1beta1")
    if not webhook.sideEffects:
        yield required(f"{at}.sideEffects", "must specify one of None, NoneOnDryRun")
    elif webhook.sideEffects not in SIDE_EFFECTS:
        yield unsupported(f"{at}.sideEffects", webhook.sideEffects, SIDE_EFFECTS)
    if webhook.failurePolicy not in FAILURE_POLICIES:
        yield unsupported(f"{at}.failurePolicy", webhook.failurePolicy, FAILURE_POLICIES)
    if webhook.matchPolicy not in MATCH_POLICIES:
        yield unsupported(f"{at}.matchPolicy", webhook.matchPolicy, MATCH_POLICIES)
    if webhook.timeoutSeconds is not None and not 1 <= webhook.timeoutSeconds <= LONGEST_SECONDS:
        text = f"the timeout value must be between 1 and {LONGEST_SECONDS} seconds"
        yield invalid(f"{at}.timeoutSeconds", webhook.timeoutSeconds, text)
    yield from validation.selector_errors(webhook.namespaceSelector, f"{at}.namespaceSelector")
    yield from validation.selector_errors(webhook.objectSelector, f"{at}.objectSelector")
    config = webhook.clientConfig
    if (config.url is None) == (config.service is None):
        yield required(f"{at}.clientConfig", "exactly one of url or service is required")
    for index, rule in enumerate(webhook.rules or ()):
        yield from rule_errors(rule, f"{at}.rules[{index}]")


def rule_errors(rule: Any, at: str) -> Iterator[FieldError]:
    for field in ("operations", "apiGroups", "apiVersions", "resources"):
        if not getattr(rule, field):
            yield required(f"{at}.{field}")
    for index, operation in enumerate(rule.operations or ()):
        if operation not in OPERATIONS:
            yield unsupported(f"{at}.operations[{index}]", operation, OPERATIONS)


WEBHOOK_COLUMNS: tuple[Column, ...] = (plain("Webhooks", lambda one: len(one.webhooks or ()), type="integer"), AGE)
