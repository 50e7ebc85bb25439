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
from kube.api.core.configmap import decoded_size
from kube.api.defaults import fill
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, invalid, required, too_long
from kube.api.types import Secret

MAX_BYTES = 1024 * 1024
SERVICE_ACCOUNT_TOKEN = "kubernetes.io/service-account-token"
SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name"
JSON_KEYS = {"kubernetes.io/dockercfg": ".dockercfg", "kubernetes.io/dockerconfigjson": ".dockerconfigjson"}


def set_defaults(tree: Tree) -> None:
    fill(tree, type="Opaque")
    texts = tree.pop("stringData", None)
    if texts:
        data = tree.setdefault("data", {})
        for key, text in texts.items():
            data[key] = b64encode(text.encode()).decode()


def validate(new: Secret, old: Secret | None) -> Iterator[FieldError]:
    data = new.data or {}
    if old is not None:
        if new.type != old.type:
            yield invalid("type", new.type, "field is immutable")
        if old.immutable and not new.immutable:
            yield forbidden("immutable", "field is immutable when `immutable` is set")
        if old.immutable and data != (old.data or {}):
            yield forbidden("data", "field is immutable when `immutable` is set")
    for key in data:
        for complaint in names.config_key(key):
            yield invalid(f"data[{key}]", key, complaint)
    if sum(map(decoded_size, data.values())) > MAX_BYTES:
        yield too_long("data", MAX_BYTES)
    yield from _of_type(new)


def _of_type(secret: Secret) -> Iterator[FieldError]:
    data = secret.data or {}
    if secret.type == SERVICE_ACCOUNT_TOKEN and not (secret.metadata.annotations or {}).get(SERVICE_ACCOUNT_NAME):
        yield required(f"metadata.annotations[{SERVICE_ACCOUNT_NAME}]")
    if secret.type == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        yield required("data[username]")
        yield required("data[password]")
    if secret.type == "kubernetes.io/ssh-auth" and not data.get("ssh-privatekey"):
        yield required("data[ssh-privatekey]")
    for key in ("tls.crt", "tls.key") if secret.type == "kubernetes.io/tls" else ():
        if key not in data:
            yield required(f"data[{key}]")
    key = JSON_KEYS.get(secret.type or "", "")
    if key and key not in data:
        yield required(f"data[{key}]")
    elif key and (complaint := _json_complaint(data[key])):
        yield invalid(f"data[{key}]", "<secret contents redacted>", complaint)


def _json_complaint(encoded: str) -> str:
    """Why this is no JSON object, in the words of Go's decoder for what is seen most."""
    text = ""
    try:
        text = b64decode(encoded).decode(errors="replace").strip()
        found = orjson.loads(text)
    except (Base64Error, orjson.JSONDecodeError):
        if not text or text[0] in '{["':
            return "unexpected end of JSON input"
        return f"invalid character {text[0]!r} looking for beginning of value"
    kinds = {str: "string", list: "array", bool: "bool", int: "number", float: "number"}
    if found is None or isinstance(found, dict):
        return ""
    return f"json: cannot unmarshal {kinds[type(found)]} into Go value of type map[string]interface {{}}"


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
        plain("Data", lambda secret: len(secret.data or {})),
        AGE,
    ),
    field_selectors={"type": lambda tree: tree.get("type") or ""},
)
