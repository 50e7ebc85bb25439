"""Where a webhook is: the rules that admission's webhooks and a definition's conversion share.

apiserver pkg/util/webhook/validation.go · https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#contacting-the-webhook
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from kube.api import names, validation
from kube.api.status import FieldError, invalid, required

SERVICE_PORT = 443
FORM = "; desired format: https://host[/path]"


def url_errors(text: str, path: str) -> Iterator[FieldError]:
    try:
        url = urlsplit(text)
    except ValueError as error:
        yield required(path, f"url must be a valid URL: {error}{FORM}")
        return
    if url.scheme != "https":
        yield invalid(path, url.scheme, f"'https' is the only allowed URL scheme{FORM}")
    if not url.netloc:
        yield invalid(path, url.netloc, f"host must be provided{FORM}")
    if "@" in url.netloc:
        yield invalid(path, url.netloc.rpartition("@")[0], "user information is not permitted in the URL")
    for value, what in ((url.fragment, "fragments are"), (url.query, "query parameters are")):
        if value:
            yield invalid(path, value, f"{what} not permitted in the URL")


def service_path_errors(text: str, path: str) -> Iterator[FieldError]:
    """An empty path is the root, as `/` is."""
    if text in ("", "/"):
        return
    if text == "//":
        yield invalid(path, text, "segment[0] may not be empty")
        return
    if not text.startswith("/"):
        yield invalid(path, text, "must start with a '/'")
    for index, segment in enumerate(text[1:].removesuffix("/").split("/")):
        if not segment:
            yield invalid(path, text, f"segment[{index}] may not be empty")
        for complaint in names.subdomain(segment) if segment else ():
            yield invalid(path, text, f"segment[{index}]: {complaint}")


def port_errors(port: int, path: str) -> Iterator[FieldError]:
    if not 1 <= port <= 65535:
        yield invalid(path, port, f"port is not valid: {validation.PORT_RANGE}")
