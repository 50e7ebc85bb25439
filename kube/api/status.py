"""Status and ApiError: how every failure is told, with upstream's reasons, codes and words.

    ApiError
    ├── BadRequest 400        ├── Unauthorized 401       ├── Forbidden 403          ├── NotFound 404
    ├── MethodNotAllowed 405  ├── NotAcceptable 406      ├── AlreadyExists 409      ├── Conflict 409
    ├── Expired 410           ├── TooLarge 413           ├── UnsupportedMediaType 415
    ├── Invalid 422           ├── TooManyRequests 429    ├── InternalError 500      ├── ServerTimeout 500
    ├── ServiceUnavailable 503 └── Timeout 504

A client raises what the server answered (`from_status`); the server answers what its code raised (`ApiError.status`).
https://kubernetes.io/docs/reference/using-api/api-concepts/ · apimachinery pkg/api/errors
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson

from kube.api.meta import Tree


class ApiError(Exception):
    """An expected failure; `details` is Status.details (name, group, kind = plural, causes, retryAfterSeconds)."""

    reason: ClassVar[str] = ""
    code: ClassVar[int] = 500

    def __init__(self, message: str, details: Tree | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def status(self) -> Tree:
        """The Status object to answer with."""
        tree: Tree = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            tree["reason"] = self.reason
        if self.details is not None:  # upstream's errors of its router have empty ones
            tree["details"] = self.details
        tree["code"] = self.code
        return tree


class BadRequest(ApiError):
    reason, code = "BadRequest", 400


class Unauthorized(ApiError):
    reason, code = "Unauthorized", 401

    def __init__(self, message: str = "Unauthorized", details: Tree | None = None) -> None:
        super().__init__(message, details)


class Forbidden(ApiError):
    reason, code = "Forbidden", 403


class NotAuthorized(Forbidden):
    """Forbidden by an authorizer, not by what looks at objects: its words may repeat the path that was asked for."""


class NotFound(ApiError):
    reason, code = "NotFound", 404


class MethodNotAllowed(ApiError):
    reason, code = "MethodNotAllowed", 405


class NotAcceptable(ApiError):
    reason, code = "NotAcceptable", 406


class AlreadyExists(ApiError):
    reason, code = "AlreadyExists", 409


class Conflict(ApiError):
    reason, code = "Conflict", 409


class Expired(ApiError):
    reason, code = "Expired", 410


class TooLarge(ApiError):
    reason, code = "RequestEntityTooLarge", 413


class UnsupportedMediaType(ApiError):
    reason, code = "UnsupportedMediaType", 415


class Invalid(ApiError):
    reason, code = "Invalid", 422


class TooManyRequests(ApiError):
    reason, code = "TooManyRequests", 429


class InternalError(ApiError):
    reason, code = "InternalError", 500


class ServerTimeout(ApiError):
    reason, code = "ServerTimeout", 500


class ServiceUnavailable(ApiError):
    reason, code = "ServiceUnavailable", 503


class Timeout(ApiError):
    reason, code = "Timeout", 504


@dataclass(frozen=True)
class FieldError:
    """One invalid field: `path` as upstream prints it (`spec.containers[0].name`), `cause` a FieldValue... reason."""

    path: str
    cause: str
    message: str  # without the path: "Required value", 'Invalid value: "x": why'

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


OMIT: Any = object()  # as a value: the message does not show it
NIL: Any = orjson.Fragment(b"null")  # as a value: a map or list that is not there


def required(path: str, detail: str = "") -> FieldError:
    return FieldError(path, "FieldValueRequired", _with("Required value", detail))


def invalid(path: str, value: Any, detail: str) -> FieldError:
    text = "Invalid value" if value is OMIT else f"Invalid value: {_quoted(value)}"
    return FieldError(path, "FieldValueInvalid", _with(text, detail))


def unsupported(path: str, value: Any, supported: Sequence[str]) -> FieldError:
    """Supported values are listed in upstream's order, which is sorted."""
    listed = ", ".join(_quoted(one) for one in supported)
    return FieldError(path, "FieldValueNotSupported", f"Unsupported value: {_quoted(value)}: supported values: {listed}")


def duplicate(path: str, value: Any, detail: str = "") -> FieldError:
    text = "Duplicate value" if value is OMIT else f"Duplicate value: {_quoted(value)}"
    return FieldError(path, "FieldValueDuplicate", _with(text, detail))


def missing(path: str, value: Any) -> FieldError:
    return FieldError(path, "FieldValueNotFound", f"Not found: {_quoted(value)}")


def forbidden(path: str, detail: str) -> FieldError:
    return FieldError(path, "FieldValueForbidden", _with("Forbidden", detail))


def too_long(path: str, limit: int) -> FieldError:
    return FieldError(path, "FieldValueTooLong", f"Too long: may not be more than {limit} bytes")


def too_many(path: str, actual: int, limit: int) -> FieldError:
    items = "item" if limit == 1 else "items"
    return FieldError(path, "FieldValueTooMany", f"Too many: {actual}: must have at most {limit} {items}")


def wrong_type(path: str, value: Any, detail: str) -> FieldError:
    return FieldError(path, "FieldValueTypeInvalid", _with(f"Invalid value: {_quoted(value)}", detail))


def invalid_object(kind: str, group: str, name: str, errors: Iterable[FieldError]) -> Invalid:
    """`Pod "x" is invalid: spec.a: ...`; several errors are listed as `[a, b]`, each once. Here details.kind is the Kind."""
    found = list(errors)
    texts = list(dict.fromkeys(map(str, found)))
    text = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    qualified = f"{kind}.{group}" if group else kind
    details: Tree = {"name": name, "group": group, "kind": kind, "causes": [*map(cause_of, found)]}
    return Invalid(f'{qualified} "{name}" is invalid: {text}', {k: v for k, v in details.items() if v})


def cause_of(error: FieldError) -> Tree:
    return {"reason": error.cause, "message": error.message, "field": error.path}


def not_found(resource: str, group: str, name: str) -> NotFound:
    return NotFound(f'{_qualified(resource, group)} "{name}" not found', _about(resource, group, name))


def already_exists(resource: str, group: str, name: str) -> AlreadyExists:
    return AlreadyExists(f'{_qualified(resource, group)} "{name}" already exists', _about(resource, group, name))


def conflict(resource: str, group: str, name: str, why: str) -> Conflict:
    message = f'Operation cannot be fulfilled on {_qualified(resource, group)} "{name}": {why}'
    return Conflict(message, _about(resource, group, name))


def is_forbidden(resource: str, group: str, name: str, why: str) -> Forbidden:
    """`pods "x" is forbidden: why`, or `pods is forbidden: why` where there is no name."""
    named = f' "{name}"' if name else ""
    return Forbidden(f"{_qualified(resource, group)}{named} is forbidden: {why}", _about(resource, group, name))


NO_PATH = "the server could not find the requested resource"  # client-go's words for a 404 that says nothing
OBJECT_MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"

_BY_REASON: dict[str, type[ApiError]] = {
    cls.reason: cls
    for cls in (
        BadRequest, Unauthorized, Forbidden, NotFound, MethodNotAllowed, NotAcceptable, AlreadyExists, Conflict, Expired,
        TooLarge, UnsupportedMediaType, Invalid, TooManyRequests, InternalError, ServerTimeout, ServiceUnavailable, Timeout,
    )
}  # fmt: skip


class UnknownError(ApiError):
    """An answer with a reason or code that this library has no name for; `actual_code` is the HTTP status."""

    def __init__(self, message: str, details: Tree | None = None, actual_code: int = 500) -> None:
        super().__init__(message, details)
        self.actual_code = actual_code


def from_status(http_code: int, tree: Tree) -> ApiError:
    """The error that a Status body tells; a body that is no Status (a proxy's page) keeps its text as the message."""
    message = str(tree.get("message") or f"the server responded with HTTP status {http_code}")
    cls = _BY_REASON.get(str(tree.get("reason") or ""))
    if cls is None:
        cls = next((one for one in _BY_REASON.values() if one.code == http_code), None)
    if cls is None:
        return UnknownError(message, tree.get("details"), http_code)
    return cls(message, tree.get("details"))


def _qualified(resource: str, group: str) -> str:
    return f"{resource}.{group}" if group else resource


def _about(resource: str, group: str, name: str) -> Tree:
    about = {"name": name, "group": group, "kind": resource}
    return {field: value for field, value in about.items() if value}


def _with(text: str, detail: str) -> str:
    return f"{text}: {detail}" if detail else text


def _quoted(value: Any) -> str:
    """Strings are quoted, numbers and booleans bare, the rest is JSON (apimachinery field.Error.ErrorBody)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return '"null"'
    if isinstance(value, str):
        return go_quoted(value)
    if isinstance(value, int | float):
        return str(value)
    return orjson.dumps(value, default=str).decode().translate(_JSON_ESCAPES)


_JSON_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_GO_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", '"': '\\"', "\\": "\\\\"}


def go_quoted(text: str) -> str:
    """As Go's %q writes it: what cannot be printed is escaped, letters of any script are left."""
    return '"' + "".join(map(_go_character, text)) + '"'


def _go_character(character: str) -> str:
    if character in _GO_ESCAPES:
        return _GO_ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
