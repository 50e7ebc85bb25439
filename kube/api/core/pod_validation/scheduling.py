"""Rules of where a pod may run: node selection, affinity between pods, tolerations, spreading, gates.

kubernetes pkg/apis/core/validation/validation.go (validateAffinity, ValidateTolerations, validateTopologySpreadConstraints)
"""

from collections.abc import Iterable, Iterator
from typing import Any

from kube.api import names
from kube.api.core.label_keys import PREFERRED, REQUIRED
from kube.api.status import FieldError, duplicate, forbidden, invalid, required, unsupported
from kube.api.validation import complain, selector_errors

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
WEIGHTS = "must be in the range 1-100"
NOT_AN_OPERATOR = "not a valid selector operator"
MORE_THAN_ZERO = "must be greater than zero"
SPREAD_ACTIONS, NODE_POLICIES = ("DoNotSchedule", "ScheduleAnyway"), ("Honor", "Ignore")
SELECTED_ALREADY = "exists in both matchLabelKeys and labelSelector"


def affinity_errors(affinity: Any, path: str) -> Iterator[FieldError]:
    if affinity is None:
        return
    node = affinity.nodeAffinity
    if node is not None:
        if getattr(node, REQUIRED) is not None:
            yield from node_selector_errors(getattr(node, REQUIRED), f"{path}.nodeAffinity.{REQUIRED}")
        for index, term in enumerate(getattr(node, PREFERRED) or ()):
            at = f"{path}.nodeAffinity.{PREFERRED}[{index}]"
            if not 0 < term.weight <= 100:
                yield invalid(f"{at}.weight", term.weight, WEIGHTS)
            yield from _node_term(term.preference, f"{at}.preference", check_values=False)
    for field in ("podAffinity", "podAntiAffinity"):
        pods = getattr(affinity, field)
        for index, term in enumerate((getattr(pods, REQUIRED) if pods else None) or ()):
            yield from _pod_term(term, f"{path}.{field}.{REQUIRED}[{index}]")
        for index, term in enumerate((getattr(pods, PREFERRED) if pods else None) or ()):
            at = f"{path}.{field}.{PREFERRED}[{index}]"
            if not 0 < term.weight <= 100:
                yield invalid(f"{at}.weight", term.weight, WEIGHTS)
            yield from _pod_term(term.podAffinityTerm, f"{at}.podAffinityTerm")


def node_selector_errors(selector: Any, path: str) -> Iterator[FieldError]:
    """Of a NodeSelector, in pods and in PersistentVolumes."""
    if not selector.nodeSelectorTerms:
        yield required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")
    for index, term in enumerate(selector.nodeSelectorTerms or ()):
        yield from _node_term(term, f"{path}.nodeSelectorTerms[{index}]")


def _node_term(term: Any, path: str, *, check_values: bool = True) -> Iterator[FieldError]:
    for index, one in enumerate(term.matchExpressions or ()):
        yield from _expression(one, f"{path}.matchExpressions[{index}]", check_values)
    for index, one in enumerate(term.matchFields or ()):
        at = f"{path}.matchFields[{index}]"
        if one.operator not in ("In", "NotIn"):
            yield invalid(f"{at}.operator", one.operator, NOT_AN_OPERATOR)
        elif len(one.values or ()) != 1:
            text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            yield required(f"{at}.values", text)
        if one.key != "metadata.name":
            yield invalid(f"{at}.key", one.key, "not a valid field selector key")
            continue
        for place, value in enumerate(one.values or ()):
            yield from complain(f"{at}.values[{place}]", value, names.subdomain)


def _expression(one: Any, path: str, check_values: bool) -> Iterator[FieldError]:
    values = one.values or ()
    if one.operator in ("In", "NotIn"):
        if not values:
            yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif one.operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif one.operator in ("Gt", "Lt"):
        if len(values) != 1:
            yield required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
    else:
        yield invalid(f"{path}.operator", one.operator or "", NOT_AN_OPERATOR)
    yield from complain(f"{path}.key", one.key or "", names.qualified)
    for index, value in enumerate(values if check_values else ()):
        yield from complain(f"{path}.values[{index}]", value, names.label_value)


def _pod_term(term: Any, path: str) -> Iterator[FieldError]:
    yield from selector_errors(term.labelSelector, f"{path}.labelSelector")
    yield from selector_errors(term.namespaceSelector, f"{path}.namespaceSelector")
    for name in term.namespaces or ():
        yield from complain(f"{path}.namespace", name, names.label)
    yield from _label_keys(term.matchLabelKeys or (), term.mismatchLabelKeys or (), term.labelSelector, path)
    if not term.topologyKey:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from complain(f"{path}.topologyKey", term.topologyKey or "", names.qualified)


def _label_keys(match: Iterable[str], mismatch: Iterable[str], selector: Any, path: str) -> Iterator[FieldError]:
    """Of a term whose keys are in its selector already (kube.api.core.label_keys): a key that is there twice was there before.

    In a template, whose keys nobody has written into its selector yet, it goes unseen until a pod is made of it.
    """
    for field, keys in (("matchLabelKeys", match), ("mismatchLabelKeys", mismatch)):
        if keys and selector is None:
            yield forbidden(f"{path}.{field}", "must not be specified when labelSelector is not set")
            continue
        for index, key in enumerate(keys):
            yield from complain(f"{path}.{field}[{index}]", key, names.qualified)
    places = {key: index for index, key in enumerate(match)}
    seen = set((selector.matchLabels if selector else None) or ())
    for expression in (selector.matchExpressions if selector else None) or ():
        if expression.key in places and expression.key in seen:
            yield invalid(f"{path}[{places[expression.key]}]", expression.key, SELECTED_ALREADY)
        seen.add(expression.key)
    for index, key in enumerate(match):
        if key in mismatch:
            text = "exists in both matchLabelKeys and mismatchLabelKeys"
            yield invalid(f"{path}.matchLabelKeys[{index}]", key, text)


def toleration_errors(tolerations: Iterable[Any], path: str) -> Iterator[FieldError]:
    for index, one in enumerate(tolerations):
        at, operator = f"{path}[{index}]", one.operator or ""
        if one.key:
            yield from complain(f"{at}.key", one.key, names.qualified)
        elif operator != "Exists":
            text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            yield invalid(f"{at}.operator", operator, text)
        if one.tolerationSeconds is not None and one.effect != "NoExecute":
            yield invalid(f"{at}.effect", one.effect or "", "effect must be 'NoExecute' when `tolerationSeconds` is set")
        if operator in ("", "Equal"):
            if complaints := names.label_value(one.value or ""):
                yield invalid(f"{at}.operator", one.value, ";".join(complaints))
        elif operator == "Exists":
            if one.value:
                yield invalid(f"{at}.operator", one.value, "value must be empty when `operator` is 'Exists'")
        else:
            yield unsupported(f"{at}.operator", operator, ("Equal", "Exists"))
        if one.effect:
            yield from effect_errors(one.effect, f"{at}.effect")


def effect_errors(effect: str, path: str) -> Iterator[FieldError]:
    """Of a taint or a toleration."""
    if effect not in EFFECTS:
        yield unsupported(path, effect, EFFECTS)


def taint_errors(taints: Iterable[Any], path: str) -> Iterator[FieldError]:
    """Of a node's taints: one for each key and effect."""
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints):
        at = f"{path}[{index}]"
        yield from complain(f"{at}.key", taint.key or "", names.qualified)
        if complaints := names.label_value(taint.value or ""):
            yield invalid(f"{at}.value", taint.value, ";".join(complaints))
        if not taint.effect:
            yield required(f"{at}.effect")
        else:
            yield from effect_errors(taint.effect, f"{at}.effect")
        if (taint.key, taint.effect) in seen:
            shown = {"Key": taint.key, "Value": taint.value or "", "Effect": taint.effect, "TimeAdded": None}
            yield duplicate(at, shown, "taints must be unique by key and effect pair")
        seen.add((taint.key, taint.effect))


def spread_errors(constraints: Iterable[Any], path: str) -> Iterator[FieldError]:
    listed = list(constraints)
    for index, one in enumerate(listed):
        at, action = f"{path}[{index}]", one.whenUnsatisfiable or ""
        if (one.maxSkew or 0) <= 0:
            yield invalid(f"{at}.maxSkew", one.maxSkew or 0, MORE_THAN_ZERO)
        if not one.topologyKey:
            yield required(f"{at}.topologyKey", "can not be empty")
        if action not in SPREAD_ACTIONS:
            yield unsupported(f"{at}.whenUnsatisfiable", action, SPREAD_ACTIONS)
        if any((other.topologyKey, other.whenUnsatisfiable) == (one.topologyKey, action) for other in listed[index + 1 :]):
            yield duplicate(f"{at}.{{topologyKey, whenUnsatisfiable}}", f"{{{one.topologyKey}, {action}}}")
        if one.minDomains is not None:
            if one.minDomains <= 0:
                yield invalid(f"{at}.minDomains", one.minDomains, MORE_THAN_ZERO)
            if action != "DoNotSchedule":
                text = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
                yield invalid(f"{at}.minDomains", one.minDomains, text)
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            policy = getattr(one, field)
            if policy is not None and policy not in NODE_POLICIES:
                yield unsupported(f"{at}.{field}", policy, NODE_POLICIES)
        yield from _label_keys(one.matchLabelKeys or (), (), one.labelSelector, at)
        yield from selector_errors(one.labelSelector, f"{at}.labelSelector")


def gate_errors(gates: Iterable[Any], path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, gate in enumerate(gates):
        yield from complain(f"{path}[{index}]", gate.name or "", names.qualified)
        if gate.name in seen:
            yield duplicate(f"{path}[{index}]", gate.name)
        seen.add(gate.name)
