"""Validation: the rules that many kinds share, with upstream's words.

apimachinery pkg/apis/meta/v1/validation, pkg/api/validation · kubernetes pkg/apis/core/validation
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from kube.api import intstr, labels, names
from kube.api.metadata import label_errors
from kube.api.status import NIL, FieldError, forbidden, invalid, required, unsupported
from kube.api.views import tree_of

AT_LEAST_ZERO = "must be greater than or equal to 0"
AT_LEAST_ONE = "must be greater than 0"
IMMUTABLE = "field is immutable"
PORT_RANGE = "must be between 1 and 65535, inclusive"
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")

PROTOCOLS = ("SCTP", "TCP", "UDP")

Rule = Callable[[str], Iterable[str]]


def complain(path: str, text: str, rule: Rule) -> Iterator[FieldError]:
    """What a rule of names says of a text."""
    for complaint in rule(text):
        yield invalid(path, text, complaint)


def not_negative(path: str, value: int | None) -> Iterator[FieldError]:
    if value is not None and value < 0:
        yield invalid(path, value, AT_LEAST_ZERO)


def positive(path: str, value: int | None) -> Iterator[FieldError]:
    if value is not None and value <= 0:
        yield invalid(path, value, AT_LEAST_ONE)


def port(path: str, value: int | None) -> Iterator[FieldError]:
    if value is not None and not 1 <= value <= 65535:
        yield invalid(path, value, PORT_RANGE)


def port_or_name(path: str, value: int | str | None) -> Iterator[FieldError]:
    """A port by its number, or by the name that a container gives it."""
    if isinstance(value, str):
        yield from complain(path, value, names.port_name)
    else:
        yield from port(path, value or 0)


def named(path: str, text: str | None, rule: Rule) -> Iterator[FieldError]:
    """A name that must be there and be good."""
    if not text:
        yield required(path)
        return
    yield from complain(path, text, rule)


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
            yield forbidden(f"{at}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        elif one.operator not in OPERATORS:
            yield invalid(f"{at}.operator", one.operator or "", "not a valid selector operator")
        yield from complain(f"{at}.key", one.key or "", names.qualified)
        for place, value in enumerate(one.values or ()):
            yield from complain(f"{at}.values[{place}]", value, names.label_value)


def workload_selector_errors(selector: Any, whose: str, path: str = "spec.selector") -> Iterator[FieldError]:
    """The selector of a workload: there, and not empty."""
    if selector is None:
        yield required(path)
        return
    yield from selector_errors(selector, path)
    if not selector.matchLabels and not selector.matchExpressions:
        yield invalid(path, tree_of(selector), f"empty selector is invalid for {whose}")


def matching_errors(
    selector: Any, template: Any, path: str = "spec.template", *, broken: str | None = None
) -> Iterator[FieldError]:
    """A selector, if it is one and not empty, must be true of the pods made from the template. `broken`: words for one that
    is none; without them nothing more is said of it here."""
    if any(True for _ in selector_errors(selector, "")):
        if broken is not None:
            yield invalid(path.replace("template", "selector"), tree_of(selector), broken)
        return
    parsed = labels.from_label_selector(selector)
    found = template.metadata.labels if template.metadata is not None else None
    if not parsed.empty and not parsed.matches(found):
        shown = NIL if found is None else found
        yield invalid(f"{path}.metadata.labels", shown, "`selector` does not match template `labels`")


def count_errors(
    status: Any, path: str, counts: Iterable[str], most: str = "", bounded: Iterable[str] = ()
) -> Iterator[FieldError]:
    """Counts in a status are not negative, and none of the `bounded` is above the one called `most`."""
    for field in counts:
        yield from not_negative(f"{path}.{field}", getattr(status, field))
    for field in bounded:
        if (getattr(status, field) or 0) > (getattr(status, most) or 0):
            yield invalid(f"{path}.{field}", getattr(status, field), f"cannot be greater than {path}.{most}")


def available_errors(status: Any, path: str, text: str = "readyReplicas") -> Iterator[FieldError]:
    if (status.availableReplicas or 0) > (status.readyReplicas or 0):
        yield invalid(f"{path}.availableReplicas", status.availableReplicas, f"cannot be greater than {text}")


def not_decremented(path: str, new: int | None, old: int | None) -> Iterator[FieldError]:
    if old is not None and (new is None or new < old):
        yield invalid(path, new or 0, "cannot be decremented")


def _is_percentage(text: str) -> bool:
    try:
        intstr.percentage(text)
    except ValueError:
        return False
    return True
