"""Validation: the rules that many kinds share, with upstream's words.

apimachinery pkg/apis/meta/v1/validation, pkg/api/validation · kubernetes pkg/apis/core/validation
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from kube.api import intstr, labels, names
from kube.api.metadata import annotation_errors, label_errors
from kube.api.status import FieldError, invalid, required, unsupported
from kube.api.views import tree_of

AT_LEAST_ZERO = "must be greater than or equal to 0"
AT_LEAST_ONE = "must be greater than 0"
IMMUTABLE = "field is immutable"
PORT_RANGE = "must be between 1 and 65535, inclusive"
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")

Rule = Callable[[str], Iterable[str]]


def not_negative(path: str, value: int | None) -> Iterator[FieldError]:
    if value is not None and value < 0:
        yield invalid(path, value, AT_LEAST_ZERO)


def positive(path: str, value: int | None) -> Iterator[FieldError]:
    if value is not None and value <= 0:
        yield invalid(path, value, AT_LEAST_ONE)


def port(path: str, value: int | None) -> Iterator[FieldError]:
    if value is not None and not 1 <= value <= 65535:
        yield invalid(path, value, PORT_RANGE)


def named(path: str, text: str | None, rule: Rule) -> Iterator[FieldError]:
    """A name that must be there and be good."""
    if not text:
        yield required(path)
        return
    for complaint in rule(text):
        yield invalid(path, text, complaint)


def one_of(path: str, value: str | None, supported: Sequence[str]) -> Iterator[FieldError]:
    """A choice that must be made. Upstream lists what is supported in order."""
    if not value:
        yield required(path)
    elif value not in supported:
        yield unsupported(path, value, sorted(supported))


def unchanged(path: str, new: Any, old: Any) -> Iterator[FieldError]:
    if new != old:
        yield invalid(path, tree_of(new), IMMUTABLE)


def amount_or_percentage(path: str, value: int | str | None) -> Iterator[FieldError]:
    """An IntOrString: not negative, or a percentage."""
    if isinstance(value, int):
        yield from not_negative(path, value)
    elif value is not None and not _is_percentage(value):
        text = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
        yield invalid(path, value, f"{text}validation is '[0-9]+%')")


def not_over_hundred(path: str, value: int | str | None) -> Iterator[FieldError]:
    if isinstance(value, str) and _is_percentage(value) and intstr.percentage(value) > 100:
        yield invalid(path, value, "must not be greater than 100%")


def is_zero(value: int | str | None) -> bool:
    return value in (0, "0%", None)


def selector_errors(selector: Any, path: str) -> Iterator[FieldError]:
    """Of a LabelSelector."""
    if selector is None:
        return
    yield from label_errors(selector.matchLabels, f"{path}.matchLabels")
    for index, one in enumerate(selector.matchExpressions or ()):
        at = f"{path}.matchExpressions[{index}]"
        if one.operator in ("In", "NotIn") and not one.values:
            yield required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif one.operator in ("Exists", "DoesNotExist") and one.values:
            yield FieldError(
                f"{at}.values",
                "FieldValueForbidden",
                "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )
        elif one.operator not in OPERATORS:
            yield invalid(f"{at}.operator", one.operator, "not a valid selector operator")
        for complaint in names.qualified(one.key or ""):
            yield invalid(f"{at}.key", one.key or "", complaint)


def template_metadata_errors(template: Any, path: str) -> Iterator[FieldError]:
    """Labels and annotations of what is made from a template."""
    if template is not None and template.metadata is not None:
        yield from label_errors(template.metadata.labels, f"{path}.metadata.labels")
        yield from annotation_errors(template.metadata.annotations, f"{path}.metadata.annotations")


def workload_selector_errors(selector: Any, template: Any, whose: str, path: str = "spec") -> Iterator[FieldError]:
    """The selector of a workload: there, not empty, and true of the pods made from its template."""
    if selector is None or not tree_of(selector):
        yield required(f"{path}.selector")
        return
    yield from selector_errors(selector, f"{path}.selector")
    parsed = labels.from_label_selector(selector)
    if parsed.empty:
        yield invalid(f"{path}.selector", tree_of(selector), f"empty selector is invalid for {whose}")
        return
    found = template.metadata.labels if template is not None and template.metadata is not None else None
    if not parsed.matches(found):
        yield invalid(f"{path}.template.metadata.labels", found or {}, "`selector` does not match template `labels`")


def _is_percentage(text: str) -> bool:
    try:
        intstr.percentage(text)
    except ValueError:
        return False
    return True
