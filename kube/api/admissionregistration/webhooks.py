"""What both kinds of webhook configuration share: defaults, rules and columns.

kubernetes pkg/apis/admissionregistration/v1/defaults.go and validation · https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

from collections.abc import Iterator
from typing import Any

from kube.api import names, validation
from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.resource import Column
from kube.api.status import FieldError, duplicate, invalid, required, too_many, unsupported
from kube.api.webhook_client import SERVICE_PORT, port_errors, service_path_errors, url_errors

TIMEOUT_SECONDS = 10
LONGEST_SECONDS = 30
FAILURE_POLICIES = ("Fail", "Ignore")
MATCH_POLICIES = ("Equivalent", "Exact")
SIDE_EFFECTS = ("None", "NoneOnDryRun")
REINVOCATIONS = ("IfNeeded", "Never")
REVIEW_VERSIONS = ("v1", "v1beta1")
SCOPES = ("*", "Cluster", "Namespaced")
MAX_CONDITIONS = 64
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
    complaints = [*validation.named(f"{at}.name", webhook.name, names.subdomain)]
    yield from complaints
    if not complaints and webhook.name.count(".") < 2:
        yield invalid(f"{at}.name", webhook.name, "should be a domain with at least three segments separated by dots")
    for index, rule in enumerate(webhook.rules or ()):
        yield from rule_errors(rule, f"{at}.rules[{index}]")
    for field, supported in (("failurePolicy", FAILURE_POLICIES), ("matchPolicy", MATCH_POLICIES)):
        value = getattr(webhook, field)
        if value is not None and value not in supported:
            yield unsupported(f"{at}.{field}", value, supported)
    if not webhook.sideEffects:
        yield required(f"{at}.sideEffects", "must specify one of None, NoneOnDryRun")
    elif webhook.sideEffects not in SIDE_EFFECTS:
        yield unsupported(f"{at}.sideEffects", webhook.sideEffects, SIDE_EFFECTS)
    if webhook.timeoutSeconds is not None and not 1 <= webhook.timeoutSeconds <= LONGEST_SECONDS:
        text = f"the timeout value must be between 1 and {LONGEST_SECONDS} seconds"
        yield invalid(f"{at}.timeoutSeconds", webhook.timeoutSeconds, text)
    yield from validation.selector_errors(webhook.namespaceSelector, f"{at}.namespaceSelector")
    yield from validation.selector_errors(webhook.objectSelector, f"{at}.objectSelector")
    yield from client_config_errors(webhook.clientConfig, f"{at}.clientConfig")
    yield from _review_versions(webhook.admissionReviewVersions or (), f"{at}.admissionReviewVersions")
    reinvocation = getattr(webhook, "reinvocationPolicy", None)
    if reinvocation is not None and reinvocation not in REINVOCATIONS:
        yield unsupported(f"{at}.reinvocationPolicy", reinvocation, REINVOCATIONS)
    yield from condition_name_errors(webhook.matchConditions or (), f"{at}.matchConditions")


def condition_name_errors(conditions: Any, path: str) -> Iterator[FieldError]:
    """Of matchConditions, but for what their expressions mean."""
    if len(conditions) > MAX_CONDITIONS:
        yield too_many(path, len(conditions), MAX_CONDITIONS)
    seen: set[str] = set()
    for index, one in enumerate(conditions):
        if not (one.expression or "").strip():
            yield required(f"{path}[{index}].expression")
        if not one.name:
            yield required(f"{path}[{index}].name")
            continue
        yield from validation.complain(f"{path}[{index}].name", one.name, names.qualified)
        if one.name in seen:
            yield duplicate(f"{path}[{index}].name", one.name)
        seen.add(one.name)


def _review_versions(versions: Any, path: str) -> Iterator[FieldError]:
    if not versions:
        yield required(path, "must specify one of v1, v1beta1")
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield invalid(f"{path}[{index}]", version, "duplicate version")
        yield from validation.complain(f"{path}[{index}]", version, names.label1035)
    if not set(versions) & set(REVIEW_VERSIONS):
        yield invalid(path, list(versions), "must include at least one of v1, v1beta1")


def client_config_errors(config: Any, path: str) -> Iterator[FieldError]:
    """Where a webhook is: at a URL or behind a Service."""
    url, service = (config.url, config.service) if config is not None else (None, None)
    if (url is None) == (service is None):
        yield required(path, "exactly one of url or service is required")
    elif url is not None:
        yield from url_errors(url, f"{path}.url")
    else:
        for field in ("name", "namespace"):
            if not getattr(service, field):
                yield required(f"{path}.service.{field}", f"service {field} is required")
        if service.path is not None:
            yield from service_path_errors(service.path, f"{path}.service.path")
        if service.port is not None:
            yield from port_errors(service.port, f"{path}.service.port")


def rule_errors(rule: Any, at: str) -> Iterator[FieldError]:
    yield from _each_or_all(rule.operations, f"{at}.operations", "operations", may_be_empty=True)
    for index, operation in enumerate(rule.operations or ()):
        if operation not in OPERATIONS:
            yield unsupported(f"{at}.operations[{index}]", operation, OPERATIONS)
    yield from _each_or_all(rule.apiGroups, f"{at}.apiGroups", "API groups", may_be_empty=True)
    yield from _each_or_all(rule.apiVersions, f"{at}.apiVersions", "API versions")
    yield from _resources(rule.resources or (), f"{at}.resources")
    if rule.scope is not None and rule.scope not in SCOPES:
        yield unsupported(f"{at}.scope", rule.scope, SCOPES)


def _each_or_all(values: Any, path: str, what: str, *, may_be_empty: bool = False) -> Iterator[FieldError]:
    """A list of names, or a star alone."""
    if not values:
        yield required(path)
        return
    if len(values) > 1 and "*" in values:
        yield invalid(path, list(values), f"if '*' is present, must not specify other {what}")
    for index, value in enumerate(() if may_be_empty else values):
        if not value:
            yield required(f"{path}[{index}]")


def _resources(resources: Any, path: str) -> Iterator[FieldError]:
    """`pods`, `pods/log`, `*`, `pods/*`, `*/scale`, `*/*`."""
    if not resources:
        yield required(path)
    for index, resource in enumerate(resources):
        name, slash, sub = resource.partition("/")
        if not resource:
            yield required(f"{path}[{index}]")
        elif resource == "*/*" and len(resources) > 1:
            yield invalid(path, list(resources), "if '*/*' is present, must not specify other resources")
        elif slash and sub != "*" and f"{name}/*" in resources:
            yield invalid(f"{path}[{index}]", resource, f"if '{name}/*' is present, must not specify {resource}")
        elif slash and name != "*" and f"*/{sub}" in resources:
            yield invalid(f"{path}[{index}]", resource, f"if '*/{sub}' is present, must not specify {resource}")
    if "*" in resources and [one for one in resources if one and "/" not in one][-1] != "*":  # upstream looks at the last one
        text = "if '*' is present, must not specify other resources without subresources"
        yield invalid(path, list(resources), text)


WEBHOOK_COLUMNS: tuple[Column, ...] = (plain("Webhooks", lambda one: len(one.webhooks or ()), type="integer"), AGE)
