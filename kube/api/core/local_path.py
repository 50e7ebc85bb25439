"""Paths below a volume: relative, and never out of it.

kubernetes pkg/apis/core/validation/validation.go (validateLocalDescendingPath, ValidateLocalNonReservedPath)
"""

from collections.abc import Iterator

from kube.api.status import FieldError, invalid


def no_backsteps_errors(text: str, path: str) -> Iterator[FieldError]:
    if ".." in text.split("/"):
        yield invalid(path, text, "must not contain '..'")


def descending_path_errors(text: str, path: str) -> Iterator[FieldError]:
    if text.startswith("/"):
        yield invalid(path, text, "must be a relative path")
    yield from no_backsteps_errors(text, path)


def unreserved_path_errors(text: str, path: str) -> Iterator[FieldError]:
    """Names that begin with two dots are the kubelet's own."""
    yield from descending_path_errors(text, path)
    if text.startswith("..") and not text.startswith("../"):
        yield invalid(path, text, "must not start with '..'")
