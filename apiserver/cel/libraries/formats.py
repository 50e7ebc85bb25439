"""Format: named formats of text, `format.dns1123Label().validate("a_b")` — optional.none() where it is right, else what is wrong.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-format-library
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from functools import partial
from uuid import UUID

from apiserver.cel import moments
from apiserver.cel.errors import EvaluationError
from apiserver.cel.functions import Overload, function, member, traversal
from apiserver.cel.libraries import url
from apiserver.cel.values import NONE, Optional
from kube.api import names

Rule = Callable[[str], Iterable[str]]


class Format:
    type_name = "kubernetes.NamedFormat"
    __slots__ = ("name", "rule")

    def __init__(self, name: str, rule: Rule) -> None:
        self.name = name
        self.rule = rule


def _prefix(rule: Rule, text: str) -> Iterable[str]:
    """A name that generateName continues may end in a dash."""
    return rule(names.masked(text))


def _parsed(parse: Callable[[str], object], complaint: str, text: str) -> Iterable[str]:
    try:
        parse(text)
    except (EvaluationError, ValueError, binascii.Error) as error:
        return [complaint or str(error)]
    return []


def _uuid(text: str) -> UUID:
    if re.fullmatch(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", text) is None:
        raise ValueError
    return UUID(text)


FORMATS: dict[str, Format] = {
    name: Format(name, rule)
    for name, rule in (
        ("dns1123Label", names.label),
        ("dns1123Subdomain", names.subdomain),
        ("dns1035Label", names.label1035),
        ("qualifiedName", names.qualified),
        ("dns1123LabelPrefix", partial(_prefix, names.label)),
        ("dns1123SubdomainPrefix", partial(_prefix, names.subdomain)),
        ("dns1035LabelPrefix", partial(_prefix, names.label1035)),
        ("labelValue", names.label_value),
        ("uri", partial(_parsed, url.parse, "invalid URI")),
        ("uuid", partial(_parsed, _uuid, "does not match the UUID format")),
        ("byte", partial(_parsed, partial(base64.b64decode, validate=True), "invalid base64")),
        ("date", partial(_parsed, moments.parse_date, "invalid date")),
        ("datetime", partial(_parsed, moments.parse_timestamp, "invalid datetime")),
    )
}


def named(name: str) -> Optional:
    found = FORMATS.get(name)
    return NONE if found is None else Optional(found)


def validate(form: Format, text: str) -> Optional:
    complaints = list(form.rule(text))
    return Optional(complaints) if complaints else NONE


OVERLOADS: tuple[Overload, ...] = (
    *(function(f"format.{name}", "-> kubernetes.NamedFormat", lambda form=form: form) for name, form in FORMATS.items()),
    function("format.named", "string -> optional(kubernetes.NamedFormat)", named),
    member("validate", "kubernetes.NamedFormat, string -> optional(list(string))", validate, lambda _, text: traversal(text)),
)
