"""Write options: the query parameters of a create, an update and a patch, checked before the body is looked at.

    dryRun            All, or nothing
    fieldManager      at most 128 bytes that can be printed; of an apply it must be there
    fieldValidation   Ignore, Warn (the default) or Strict
    force             of an apply alone

apimachinery pkg/apis/meta/v1/validation/validation.go
"""

from collections.abc import Iterator, Mapping

from apiserver.context import Request
from apiserver.storage.listing import invalid_options
from kube.api.status import FieldError, forbidden, go_quoted, invalid, required, too_long, unsupported

KINDS = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions", "delete": "DeleteOptions"}
VALIDATIONS = ("", "Ignore", "Strict", "Warn")
MAX_MANAGER_BYTES = 128
APPLY = "application/apply-patch+yaml"

Query = Mapping[str, list[str]]


def check(request: Request, media_type: str = "") -> None:
    """Raises Invalid. `media_type`: of a patch."""
    query = request.info.query
    if not query and media_type != APPLY:
        return
    errors = [*_of_patch(query, media_type), *_of_manager(query), *dry_run_errors(query.get("dryRun", [])), *_of_validation(query)]
    if errors:
        raise invalid_options(KINDS.get(request.info.verb, "CreateOptions"), errors)


def field_validation(request: Request) -> str:
    """The checked parameter."""
    return request.info.param("fieldValidation") or "Warn"


def dry_run_errors(values: list[str]) -> Iterator[FieldError]:
    if any(value != "All" for value in values):
        shown = ", ".join(map(go_quoted, values))
        text = f'Unsupported value: []string{{{shown}}}: supported values: "All"'
        yield FieldError("dryRun", "FieldValueNotSupported", text)


def _of_patch(query: Query, media_type: str) -> Iterator[FieldError]:
    if media_type == APPLY:
        if not _first(query, "fieldManager"):
            yield required("fieldManager", "is required for apply patch")
    elif media_type and "force" in query:
        yield forbidden("force", "may not be specified for non-apply patch")


def _of_manager(query: Query) -> Iterator[FieldError]:
    name = _first(query, "fieldManager")
    if len(name.encode("utf-8", "replace")) > MAX_MANAGER_BYTES:
        yield too_long("fieldManager", MAX_MANAGER_BYTES)
    place = 0
    for character in name:
        if not character.isprintable():
            yield invalid("fieldManager", name, f"invalid character U+{ord(character):04X} (at position {place})")
        place += len(character.encode("utf-8", "replace"))


def _of_validation(query: Query) -> Iterator[FieldError]:
    value = _first(query, "fieldValidation")
    if value not in VALIDATIONS:
        yield unsupported("fieldValidation", value, VALIDATIONS)


def _first(query: Query, name: str) -> str:
    values = query.get(name)
    return values[0] if values else ""
