"""Secret: settings that few may read: passwords, keys, tokens (v1).

Values are base64; `stringData` is a convenience for writers and is folded into `data`. Each type asks for keys of its own.
https://kubernetes.io/docs/concepts/configuration/secret/
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator

import orjson

from kube.api import names
from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, invalid, required, too_long
from kube.api.types import Secret

MAX_BYTES = 1024 * 1024
SERVICE_ACCOUNT_TOKEN = "kubernetes.io/service-account-token"
SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name"
JSON_KEYS = {"kubernetes.io/dockercfg": ".dockercfg", "kubernetes.io/dockerconfigjson": ".dockerconfigjson"}
REQUIRED_KEYS = {"kubernetes.io/ssh-auth": ("ssh-privatekey",), "kubernetes.io/tls": ("tls.crt", "tls.key")}


def set_defaults(tree: Tree) -> None:
    tree.setdefault("type", "Opaque")
    texts = tree.pop("stringData", None)
    if texts:
        data = tree.setdefault("data", {})
        for key, text in texts.items():
            data[key] = b64encode(text.encode()).decode()


def validate(new: Secret, old: Secret | None) -> Iterator[FieldError]:
    data = new.data or {}
    for key in data:
        for complaint in names.config_key(key):
            yield invalid(f"data[{key}]", key, complaint)
    if sum(len(text) * 3 // 4 for text in data.values()) > MAX_BYTES:
        yield too_long("data", MAX_BYTES)
    yield from _of_type(new)
    if old is None:
        return
    if new.type != old.type:
        yield invalid("type", new.type, "field is immutable")
    if old.immutable:
        if not new.immutable:
            yield forbidden("immutable", "field is immutable when `immutable` is set")
        if data != (old.data or {}):
            yield forbidden("data", "field is immutable when `immutable` is set")


def _of_type(secret: Secret) -> Iterator[FieldError]:
    data = secret.data or {}
    if secret.type == SERVICE_ACCOUNT_TOKEN and not (secret.metadata.annotations or {}).get(SERVICE_ACCOUNT_NAME):
        yield required(f"metadata.annotations[{SERVICE_ACCOUNT_NAME}]")
    if secret.type == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        yield required("data[username]")
        yield required("data[password]")
    for key in REQUIRED_KEYS.get(secret.type, ()):
        if key not in data:
            yield required(f"data[{key}]")
    key = JSON_KEYS.get(secret.type, "")
    if key and key not in data:
        yield required(f"data[{key}]")
    elif key and not _is_json(data[key]):
        yield invalid(f"data[{key}]", "<secret contents redacted>", "invalid character or unexpected end of JSON input")


def _is_json(encoded: str) -> bool:
    try:
        orjson.loads(b64decode(encoded))
    except (Base64Error, orjson.JSONDecodeError):
        return False
    return True


RESOURCE = Resource(
    view=Secret,
    group="",
    version="v1",
    kind="Secret",
    plural="secrets",
    has_generation=False,
    set_defaults=set_defaults,
    validate=validate,
    columns=(
        plain("Type", lambda secret: secret.type),
        plain("Data", lambda secret: str(len(secret.data or {}))),
        AGE,
    ),
    field_selectors={"type": lambda tree: tree.get("type") or ""},
)
