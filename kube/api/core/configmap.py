"""ConfigMap: settings that pods read, as text or bytes (v1).

Keys become file names; all values together may take 1 MiB; an immutable one stays as it is for ever.
https://kubernetes.io/docs/concepts/configuration/configmap/
"""

from collections.abc import Iterator

from kube.api import names
from kube.api.columns import AGE, plain
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, invalid, too_long
from kube.api.types import ConfigMap

MAX_BYTES = 1024 * 1024


def validate(new: ConfigMap, old: ConfigMap | None) -> Iterator[FieldError]:
    data, binary = new.data or {}, new.binaryData or {}
    if old is not None and old.immutable:
        if not new.immutable:
            yield forbidden("immutable", "field is immutable when `immutable` is set")
        for field in ("data", "binaryData"):
            if (getattr(new, field) or {}) != (getattr(old, field) or {}):
                yield forbidden(field, "field is immutable when `immutable` is set")
    for field, values in (("data", data), ("binaryData", binary)):
        for key in values:
            for complaint in names.config_key(key):
                yield invalid(f"{field}[{key}]", key, complaint)
            if field == "data" and key in binary:
                yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    if sum(len(text.encode()) for text in data.values()) + sum(map(decoded_size, binary.values())) > MAX_BYTES:
        yield too_long("", MAX_BYTES)


def decoded_size(text: str) -> int:
    """Of base64, in bytes."""
    return len(text) // 4 * 3 - text[-2:].count("=")


RESOURCE = Resource(
    view=ConfigMap,
    group="",
    version="v1",
    kind="ConfigMap",
    plural="configmaps",
    short_names=("cm",),
    has_generation=False,
    validate=validate,
    columns=(plain("Data", lambda one: len(one.data or {}) + len(one.binaryData or {})), AGE),
)
