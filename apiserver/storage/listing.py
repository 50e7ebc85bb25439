"""Listing: what resourceVersion, resourceVersionMatch, limit and continue ask for, and the continue token. Pure.

    nothing given        newest          RV=0                any state the cache has
    RV=N                 not older       RV=N with limit     exactly N (as does resourceVersionMatch=Exact)
    continue             exactly the first page's revision, from the key after its last

https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
apimachinery pkg/apis/meta/internalversion/validation
"""

import base64
import re
from dataclasses import dataclass
from enum import Enum, auto

import orjson

from apiserver.storage.watch_cache import Selection
from kube.api import go_json
from kube.api.status import BadRequest, Expired, FieldError, Invalid, forbidden, unsupported

TOKEN_VERSION = "meta.k8s.io/v1"
UINT64_DIGITS = 20
_NOT_BASE64 = re.compile("[^A-Za-z0-9_-]")
LATEST = -1  # a token's revision that asks for the rest of the list as it is now, whatever came before


class Freshness(Enum):
    NEWEST = auto()
    ANY = auto()
    NOT_OLDER = auto()
    EXACT = auto()


@dataclass(frozen=True)
class Ask:
    """One list request."""

    selection: Selection
    freshness: Freshness
    revision: int = 0
    limit: int = 0  # 0: everything
    after: str = ""  # start at this key, relative to the resource's prefix; set with a continue token alone


def parse_version(text: str) -> int:
    """A resourceVersion as a number; 0 where none is given."""
    if not text:
        return 0
    wrong = ""
    if not (text.isascii() and text.isdecimal()):
        wrong = "invalid syntax"
    elif len(text) > UINT64_DIGITS or int(text) >= 2**64:
        wrong = "value out of range"
    if wrong:
        raise BadRequest(f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": {wrong}')
    return int(text)


def parse_ask(selection: Selection, version: str, match: str, limit: int, token: str) -> Ask:
    """Raises Invalid where the parameters do not go together, BadRequest where one cannot be read."""
    limit = max(limit, 0)  # upstream takes one below zero for none
    errors = _problems(version, match, bool(token))
    if errors:
        raise invalid_options("ListOptions", errors)
    if token:
        revision, after = decode_token(token)
        if version not in ("", "0"):
            raise BadRequest("specifying resource version is not allowed when using continue")
        freshness = Freshness.NEWEST if revision == LATEST else Freshness.EXACT
        return Ask(selection, freshness, max(revision, 0), limit, after)
    revision = parse_version(version)
    if not version:
        freshness = Freshness.NEWEST
    elif revision == 0:
        freshness, limit = Freshness.ANY, 0  # upstream's cache, which answers this, gives all there is
    elif match == "Exact" or (not match and limit):
        freshness = Freshness.EXACT
    else:
        freshness = Freshness.NOT_OLDER
    return Ask(selection, freshness, revision, limit)


def invalid_options(kind: str, errors: list[FieldError]) -> Invalid:
    """Query parameters (or DeleteOptions) that do not go together."""
    causes = [{"reason": error.cause, "message": error.message, "field": error.path} for error in errors]
    listed = str(errors[0]) if len(errors) == 1 else "[" + ", ".join(map(str, errors)) + "]"
    return Invalid(f'{kind}.meta.k8s.io "" is invalid: {listed}', {"group": "meta.k8s.io", "kind": kind, "causes": causes})


def _problems(version: str, match: str, continues: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    if match:
        if not version:
            errors.append(forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"))
        if continues:
            errors.append(_match_forbidden("resourceVersionMatch is forbidden when continue is provided"))
        if match not in ("Exact", "NotOlderThan"):
            errors.append(unsupported("resourceVersionMatch", match, ("Exact", "NotOlderThan", "")))
        if match == "Exact" and version == "0":
            errors.append(forbidden("resourceVersionMatch", 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    return errors


def _match_forbidden(text: str) -> FieldError:
    return forbidden("resourceVersionMatch", text)


def encode_token(revision: int, start: str) -> str:
    """`start` is the key to begin with, relative to the resource's prefix."""
    text = orjson.dumps({"v": TOKEN_VERSION, "rv": revision, "start": start})
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def decode_token(token: str) -> tuple[int, str]:
    """The revision, and the key to begin with. Raises BadRequest."""
    strange = _NOT_BASE64.search(token)
    if strange or len(token) % 4 == 1:
        raise _bad_token(f"illegal base64 data at input byte {strange.start() if strange else len(token) - 1}")
    try:
        tree = go_json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        version, revision, start = (tree or {}).get("v") or "", tree.get("rv") or 0, tree.get("start") or ""
    except (go_json.Malformed, AttributeError) as error:
        raise _bad_token(str(error)) from None
    if version != TOKEN_VERSION:
        raise _bad_token(f'server does not recognize this encoded version "{version}"')
    if not isinstance(revision, int) or not (revision == LATEST or 0 < revision < 2**63):
        raise _bad_token("incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
    if not isinstance(start, str) or not start:
        raise _bad_token("encoded start key empty (version meta.k8s.io/v1)")
    return revision, start


def _bad_token(why: str) -> BadRequest:
    return BadRequest(f"invalid continue token: continue key is not valid: {why}")


def token_expired(after: str) -> Expired:
    """A continue token whose revision was compacted; the answer carries one for the rest of the list as it is now."""
    error = Expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
        "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
        "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted "
        "between the time the first chunk was returned and now may show up in the list."
    )
    return ExpiredToken(error.message, encode_token(LATEST, after))


class ExpiredToken(Expired):
    """Expired, with `metadata.continue` in its Status."""

    def __init__(self, message: str, token: str) -> None:
        super().__init__(message)
        self._token = token

    def status(self) -> dict[str, object]:
        return super().status() | {"metadata": {"continue": self._token}}


def version_expired() -> Expired:
    return Expired("The resourceVersion for the provided list is too old.")
