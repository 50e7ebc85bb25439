"""Names: what may be called how, and the words for what may not.

Each check returns upstream's complaints; none means good.
https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ · apimachinery pkg/util/validation
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

LABEL_LENGTH = 63
SUBDOMAIN_LENGTH = 253
SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: no accidental words
GENERATED_SUFFIX = 5
GENERATED_BASE = LABEL_LENGTH - GENERATED_SUFFIX

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_WILDCARD = rf"\*\.{_SUBDOMAIN}"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_SUBDOMAIN_UNDERSCORED = r"[a-z0-9_]([-_a-z0-9]*[a-z0-9_])?(\.[a-z0-9_]([-_a-z0-9]*[a-z0-9_])?)*"
_HTTP_HEADER = "[-A-Za-z0-9]+"

_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
    "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '%s')"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'example.com', regex used for validation is '%s')"
)
_WILDCARD_TEXT = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case "
    "alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for "
    "validation is '%s')"
)
_LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end "
    "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '%s')"
)
_QUALIFIED_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '%s')"
)
_LABEL_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '%s')"
)
_CONFIG_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '%s')"
)
_ENV_TEXT = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_SUBDOMAIN_UNDERSCORED_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'example.com', regex used for validation is '%s')"
)
_HTTP_HEADER_TEXT = (
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '%s')"
)


def label(text: str) -> list[str]:
    """RFC 1123 label: namespaces, containers, ports of pods."""
    return _complaints(text, LABEL_LENGTH, _LABEL, _LABEL_TEXT)


def subdomain(text: str) -> list[str]:
    """RFC 1123 subdomain: most objects' names."""
    return _complaints(text, SUBDOMAIN_LENGTH, _SUBDOMAIN, _SUBDOMAIN_TEXT)


def wildcard_subdomain(text: str) -> list[str]:
    """A subdomain whose first label is a star."""
    return _length(text, SUBDOMAIN_LENGTH) + _form(text, _WILDCARD, _WILDCARD_TEXT)


def subdomain_underscored(text: str) -> list[str]:
    """A subdomain whose labels may hold underscores: DNS search paths."""
    return _length(text, SUBDOMAIN_LENGTH) + _form(text, _SUBDOMAIN_UNDERSCORED, _SUBDOMAIN_UNDERSCORED_TEXT)


def subdomain_prefix(text: str) -> list[str]:
    """What a subdomain may begin with."""
    return subdomain(masked(text))


def masked(prefix: str) -> str:
    """A name as it could be made from a prefix: one dash at the end is no mistake."""
    return prefix[:-2] + "a" if len(prefix) > 1 and prefix.endswith("-") else prefix


def label1035(text: str) -> list[str]:
    """RFC 1035 label: Services, which become host names."""
    return _length(text, LABEL_LENGTH) + _form(text, _LABEL_1035, _LABEL_1035_TEXT)


def path_segment(text: str) -> list[str]:
    """Names that may hold colons and capitals (RBAC): anything that is one segment of a path."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{mark}'" for mark in ("/", "%") if mark in text]


def qualified(text: str) -> list[str]:
    """The key of a label, annotation or taint: an optional prefix (a subdomain) and a name."""
    prefix, slash, name = text.rpartition("/")
    complaints = []
    if slash and "/" in prefix:
        return [
            "a qualified name " + _QUALIFIED_TEXT % _QUALIFIED + " with an optional DNS subdomain prefix and '/' "
            "(e.g. 'example.com/MyName')"
        ]
    if slash:
        complaints += ["prefix part must be non-empty"] if not prefix else ["prefix part " + c for c in subdomain(prefix)]
    if not name:
        complaints.append("name part must be non-empty")
    elif len(name) > LABEL_LENGTH:
        complaints.append(f"name part must be no more than {LABEL_LENGTH} bytes")
    return complaints + _form(name, _QUALIFIED, "name part " + _QUALIFIED_TEXT)


def domain_prefixed_path(text: str) -> list[str]:
    """`acme.io/foo`: a domain, and a path below it that is not empty."""
    if not text:
        return ["must be non-empty"]
    domain, slash, path = text.partition("/")
    if not slash or not domain or not path:
        return ['must be a domain-prefixed path (such as "acme.io/foo")']
    bad = (
        []
        if re.fullmatch(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", path)
        else ["a valid path must consist of alphanumeric characters, '-', '_', '.', '~', or '/'"]
    )
    return subdomain(domain) + bad


def label_value(text: str) -> list[str]:
    return _length(text, LABEL_LENGTH) + (_form(text, _QUALIFIED, _LABEL_VALUE_TEXT, f"({_QUALIFIED})?") if text else [])


def config_key(text: str) -> list[str]:
    """A key of a ConfigMap or Secret, which becomes a file name."""
    complaints = _complaints(text, SUBDOMAIN_LENGTH, _CONFIG_KEY, _CONFIG_KEY_TEXT)
    if text in (".", ".."):
        complaints.append(f"must not be '{text}'")
    elif text.startswith(".."):
        complaints.append("must not start with '..'")
    return complaints


def env_name(text: str) -> list[str]:
    return [] if text.isascii() and text.isprintable() and "=" not in text else [_ENV_TEXT]


def http_header(text: str) -> list[str]:
    return _form(text, _HTTP_HEADER, _HTTP_HEADER_TEXT)


def port_name(text: str) -> list[str]:
    """IANA service name: up to 15 characters, with at least one letter."""
    complaints = []
    if len(text) > 15:
        complaints.append("must be no more than 15 bytes")
    if not re.fullmatch(r"[-a-z0-9]+", text):
        complaints.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search(r"[a-z]", text):
        complaints.append("must contain at least one letter (a-z)")
    if "--" in text:
        complaints.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        complaints.append("must not begin or end with a hyphen")
    return complaints


def generate(base: str, choose: Callable[[Sequence[str]], str]) -> str:
    """A name from metadata.generateName; `choose` picks one of the characters it is given (random.choice, in a program)."""
    return base[:GENERATED_BASE] + "".join(choose(SAFE_ALPHABET) for _ in range(GENERATED_SUFFIX))


def _complaints(text: str, limit: int, form: str, complaint: str) -> list[str]:
    """Of length and form. What fits a form is ASCII: a character is a byte."""
    if len(text) <= limit and _fits(text, form):
        return []
    return _length(text, limit) + _form(text, form, complaint)


def _length(text: str, limit: int) -> list[str]:
    return [f"must be no more than {limit} bytes"] if len(text.encode()) > limit else []


def _form(text: str, form: str, complaint: str, shown: str = "") -> list[str]:
    fits = _fits(text, form) if len(text) <= SUBDOMAIN_LENGTH else re.fullmatch(form, text)
    return [] if fits else [complaint % (shown or form)]


@lru_cache(maxsize=4096)  # the same labels and names come again and again
def _fits(text: str, form: str) -> bool:
    return re.fullmatch(form, text) is not None
