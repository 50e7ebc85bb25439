"""Definition: the CustomResourceDefinition's row with the rules about its rules — the CEL expressions in its schemas compile,
give what they should, and cannot cost too much.

The cost of a rule is estimated from the largest values that the schema allows, times how many such places an object may have.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#resource-use-by-validation-functions
apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go, cel_validation.go
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import orjson

from apiserver import cel
from apiserver.crd.expressions import Rule, compiled_rule, declared
from kube.api.apiextensions import definition_rules
from kube.api.apiextensions.customresourcedefinition import RESOURCE
from kube.api.apiextensions.structural import Schema, shared
from kube.api.meta import Tree
from kube.api.status import FieldError, forbidden, invalid, required, unsupported

RULE_LIMIT = 10_000_000  # StaticEstimatedCostLimit
DEFINITION_LIMIT = 100_000_000  # StaticEstimatedCRDCostLimit
MOST = 2**63
MESSAGE_LENGTH = 2048
REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
ADVICE = "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"


def errors(new: Tree, old: Tree | None) -> Iterator[FieldError]:
    """All rules about a definition; the expressions of a version are looked at when its schema changes."""
    yield from definition_rules.errors(new, old)
    yield from definition_rules.told_once(new, _expression_errors(new, old))


def _expression_errors(new: Tree, old: Tree | None) -> Iterator[FieldError]:
    before = {one.get("name"): one for one in ((old or {}).get("spec") or {}).get("versions") or ()}
    for index, version in enumerate(new["spec"].get("versions") or ()):
        raw = (version.get("schema") or {}).get("openAPIV3Schema")
        known = before.get(version.get("name")) or {}
        if isinstance(raw, dict) and version.get("schema") != known.get("schema"):
            yield from expression_errors(shared(raw), f"spec.versions[{index}].schema.openAPIV3Schema")


DEFINITION = replace(RESOURCE, validate=errors, validates_aside=True)


@dataclass
class _Total:
    """What the rules of one schema cost together."""

    cost: int = 0


@dataclass(frozen=True)
class _Place:
    """Where a node stands: how often an object may have it, and below what a value's earlier self cannot be told."""

    path: str
    times: int = 1
    uncorrelatable: str = ""


def expression_errors(schema: Schema, path: str) -> Iterator[FieldError]:
    total = _Total()
    yield from _node_errors(schema, _Place(path), total, root=True)
    if total.cost > DEFINITION_LIMIT:
        what = "x-kubernetes-validations estimated cost total for entire OpenAPIv3 schema"
        yield forbidden(path, too_much(what, total.cost, DEFINITION_LIMIT))


def too_much(what: str, cost: int, limit: int) -> str:
    factor = cost / limit
    shown = "more than 100x" if factor > 100 else f"{factor:f}x" if factor < 1.5 else f"{factor:.1f}x"
    return f"{what} exceeds budget by factor of {shown} {ADVICE}"


def _node_errors(schema: Schema, place: _Place, total: _Total, *, root: bool = False) -> Iterator[FieldError]:
    if not schema.below.rules:
        return
    kind = declared(schema, root=root)
    for index, told in enumerate(schema.rules):
        yield from _rule_errors(told, kind, replace(place, path=f"{place.path}.x-kubernetes-validations[{index}]"), total)
    for name, one in schema.properties.items():
        yield from _node_errors(one, replace(place, path=f"{place.path}.properties[{name}]"), total)
    times = min(place.times * (kind.max_size if kind.max_size is not None else 1), MOST)
    if schema.additional is not None:
        yield from _node_errors(schema.additional, replace(place, path=f"{place.path}.additionalProperties", times=times), total)
    if schema.items is not None:
        lost = place.uncorrelatable or ("" if schema.list_type == "map" else place.path)
        yield from _node_errors(schema.items, _Place(f"{place.path}.items", times, lost), total)


def _rule_errors(told: Tree, kind: cel.Declared, place: _Place, total: _Total) -> Iterator[FieldError]:
    path = place.path
    if not (told.get("rule") or "").strip():
        yield required(f"{path}.rule", "rule is not specified")
        return
    yield from _message_errors(told, path)
    if told.get("reason") is not None and told["reason"] not in REASONS:
        yield unsupported(f"{path}.reason", told["reason"], REASONS)
    yield from _field_path_errors(told, kind, path)
    if told.get("messageExpression") is not None and not told["messageExpression"].strip():
        yield required(f"{path}.messageExpression", "must be non-empty if specified")
        return
    try:
        rule = compiled_rule(told, kind)
    except cel.CompileError as error:
        yield _compile_error(told, kind, path, str(error))
        return
    if rule.is_transition and place.uncorrelatable:
        text = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {place.uncorrelatable}"
        yield invalid(f"{path}.rule", told["rule"], text)
    yield from _cost_errors(rule, place, total)


def _cost_errors(rule: Rule, place: _Place, total: _Total) -> Iterator[FieldError]:
    programs = (
        ("rule", "estimated rule cost", rule.program),
        ("messageExpression", "estimated messageExpression cost", rule.message),
    )
    for field, what, program in programs:
        if program is None:
            continue
        cost = min(program.estimated_cost.most * place.times, MOST)
        total.cost = min(total.cost + cost, MOST)
        if cost > RULE_LIMIT:
            yield forbidden(f"{place.path}.{field}", too_much(what, cost, RULE_LIMIT))


def _message_errors(told: Tree, path: str) -> Iterator[FieldError]:
    message = told.get("message")
    if message:
        if not message.strip():
            yield invalid(f"{path}.message", message, "message must be non-empty if specified")
        elif "\n" in message:
            yield invalid(f"{path}.message", message, "message must not contain line breaks")
        elif len(message) > MESSAGE_LENGTH:
            shown = message[:10] + "..."
            yield invalid(f"{path}.message", shown, f"message must have a maximum length of {MESSAGE_LENGTH} characters")
    elif "\n" in told["rule"].strip():
        yield required(f"{path}.message", "message must be specified if rule contains line breaks")


def _field_path_errors(told: Tree, kind: cel.Declared, path: str) -> Iterator[FieldError]:
    """The path leads from the node to a field that it has."""
    where = told.get("fieldPath")
    if where is None:
        return
    if not where.strip().startswith((".", "[")):
        yield invalid(f"{path}.fieldPath", where, f"fieldPath {where} must be a valid path: expected [ or . but got: {where}")
        return
    for name in where.strip().lstrip(".").replace("['", ".").replace("']", "").split("."):
        if kind.kind == "map":
            kind = kind.parameters[1]
            continue
        field = next((one for one in kind.fields.values() if one.key == name), None)
        if field is None:
            yield invalid(f"{path}.fieldPath", where, f"fieldPath {where} must be a valid path: does not refer to a valid field")
            return
        kind = field.type


def _compile_error(told: Tree, kind: cel.Declared, path: str, text: str) -> FieldError:
    """Upstream prints the whole rule, as Go does."""
    field, words = "rule", "cel expression must evaluate to a bool" if "must evaluate" in text else f"compilation failed: {text}"
    if told.get("messageExpression") and _compiles({**told, "messageExpression": None}, kind):
        field = "messageExpression"
        words = "messageExpression must evaluate to a string" if "must evaluate" in text else f"messageExpression {words}"
    return FieldError(f"{path}.{field}", "FieldValueInvalid", f"Invalid value: {_go_rule(told)}: {words}")


def _compiles(told: Tree, kind: cel.Declared) -> bool:
    try:
        compiled_rule(told, kind)
    except cel.CompileError:
        return False
    return True


def _go_rule(told: Tree) -> str:
    texts = [
        f"{name}:{orjson.dumps(told.get(field) or '').decode()}"
        for name, field in (("Rule", "rule"), ("Message", "message"), ("MessageExpression", "messageExpression"))
    ]
    reason = "(*apiextensions.FieldValueErrorReason)(nil)" if told.get("reason") is None else orjson.dumps(told["reason"]).decode()
    optional = "(*bool)(nil)" if told.get("optionalOldSelf") is None else str(told["optionalOldSelf"]).lower()
    fields = [*texts, f"Reason:{reason}", f"FieldPath:{orjson.dumps(told.get('fieldPath') or '').decode()}"]
    return "apiextensions.ValidationRule{" + ", ".join([*fields, f"OptionalOldSelf:{optional}"]) + "}"
