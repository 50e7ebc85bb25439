"""URL: parts of an absolute URL or path, `url("https://host:80/path?a=b")`.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-url-library
"""

import re
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from apiserver.cel.errors import EvaluationError
from apiserver.cel.functions import Overload, function, member, traversal

_BAD = re.compile(r"[\x00-\x20\x7f]|%(?![0-9a-fA-F]{2})")
_PATH_SAFE = "/!$&'()*+,;=:@~-._"


class URL:
    type_name = "kubernetes.URL"
    __slots__ = ("parts",)

    def __init__(self, parts: SplitResult) -> None:
        self.parts = parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, URL) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)


def parse(text: str) -> URL:
    complaint = f"URL parse error during conversion from string: parse {_quoted(text)}: invalid URI for request"
    if _BAD.search(text.partition("?")[0]) is not None or not text:
        raise EvaluationError(complaint)
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # raises where it is no number
    except ValueError:
        raise EvaluationError(complaint) from None
    if not parts.scheme and not text.startswith("/"):
        raise EvaluationError(complaint)
    return URL(parts)


def is_url(text: str) -> bool:
    try:
        parse(text)
    except EvaluationError:
        return False
    return True


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _host(url: URL) -> str:
    """With its port, without the user."""
    return url.parts.netloc.rpartition("@")[2]


def _hostname(url: URL) -> str:
    host = _host(url)
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _escaped_path(url: URL) -> str:
    return quote(unquote(url.parts.path), safe=_PATH_SAFE)


OVERLOADS: tuple[Overload, ...] = (
    function("url", "string -> kubernetes.URL", parse, traversal),
    function("isURL", "string -> bool", is_url, traversal),
    member("getScheme", "kubernetes.URL -> string", lambda url: url.parts.scheme),
    member("getHost", "kubernetes.URL -> string", _host),
    member("getHostname", "kubernetes.URL -> string", _hostname),
    member("getPort", "kubernetes.URL -> string", lambda url: "" if url.parts.port is None else str(url.parts.port)),
    member("getEscapedPath", "kubernetes.URL -> string", _escaped_path),
    member(
        "getQuery", "kubernetes.URL -> map(string, list(string))", lambda url: parse_qs(url.parts.query, keep_blank_values=True)
    ),
)
