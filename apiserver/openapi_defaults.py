"""OpenAPI defaults: what version 3 says a field is when nobody says it. Pure.

Upstream's documents name the zero value of a field that is always there (a struct that is no pointer, a scalar that is written
even when empty) and what the API's own defaulting puts into some. Which fields are which, messages.txt knows; of groups that are
not in it, a required field is always there. Its package has no defaults, so those of the second sort are written here.
https://kubernetes.io/docs/reference/using-api/api-concepts/ · kube-openapi pkg/generators (`+default`)
"""

from functools import cache
from pathlib import Path
from typing import Any

from apiserver import protobuf
from kube.api.definitions import BOOLEAN, BYTES, INTEGER, LIST, MAP, NUMBER, STRING, definitions, named
from kube.api.meta import Tree

API, META = "io.k8s.api.", "io.k8s.apimachinery.pkg.apis.meta.v1."
CRD = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
API_SERVICE = "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService"
ZEROS: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False}
EMPTIES = (STRING, BYTES, INTEGER, NUMBER, BOOLEAN, LIST, MAP)  # forms that `omitempty` leaves out when they are empty
# Of a type, by field.
OWN: dict[str, dict[str, Any]] = {
    "core.v1.ContainerPort": {"protocol": "TCP"},
    "core.v1.ServicePort": {"protocol": "TCP"},
    "core.v1.ISCSIVolumeSource": {"iscsiInterface": "default"},
    "core.v1.ISCSIPersistentVolumeSource": {"iscsiInterface": "default"},
    "core.v1.RBDVolumeSource": {"keyring": "/etc/ceph/keyring", "pool": "rbd", "user": "admin"},
    "core.v1.RBDPersistentVolumeSource": {"keyring": "/etc/ceph/keyring", "pool": "rbd", "user": "admin"},
    "core.v1.ScaleIOVolumeSource": {"fsType": "xfs", "storageMode": "ThinProvisioned"},
    "core.v1.ScaleIOPersistentVolumeSource": {"fsType": "xfs", "storageMode": "ThinProvisioned"},
    "core.v1.AzureDiskVolumeSource": {"cachingMode": "ReadWrite", "fsType": "ext4", "kind": "Shared", "readOnly": False},
    "core.v1.ReplicationControllerSpec": {"replicas": 1, "minReadySeconds": 0},
    "core.v1.FileKeySelector": {"optional": False},
    "core.v1.GRPCAction": {"service": ""},
    "autoscaling.v1.ScaleSpec": {"replicas": 0},
    **{f"core.v1.{one}": {"name": ""} for one in (
        "ConfigMapEnvSource", "ConfigMapKeySelector", "ConfigMapProjection", "ConfigMapVolumeSource", "LocalObjectReference",
        "SecretEnvSource", "SecretKeySelector", "SecretProjection",
    )},
    "resource.v1.DeviceToleration": {"operator": "Equal"},
    CRD: {"metadata": {}, "status": {}},
    f"{CRD}List": {"metadata": {}},
    f"{CRD}Status": {"acceptedNames": {}},
    API_SERVICE: {"metadata": {}, "spec": {}, "status": {}},
    f"{API_SERVICE}List": {"metadata": {}},
}  # fmt: skip


def with_defaults(name: str, schema: Tree) -> Tree:
    """A definition of version 3 with its defaults."""
    if "properties" not in schema:
        return schema
    known = fields_of(name)
    own, required = OWN.get(name.removeprefix(API), {}), schema.get("required", ())
    fields = {}
    for field, raw in schema["properties"].items():
        default = own[field] if field in own else _zero(raw, known.get(field), field in required)
        fields[field] = _with(raw, default) if default is not None else raw
    return {**schema, "properties": fields}


def fields_of(name: str) -> dict[str, str]:
    """The Go types of a definition's fields, as messages.txt writes them; empty where that does not know it."""
    return _fields(_message_name(name))


def always_written(name: str) -> dict[str, Any]:
    """The fields of a definition that are in each object's JSON, and what is in them if nobody says it."""
    schema = with_defaults(name, definitions()[name])
    known, fields, required = fields_of(name), schema.get("properties", {}), schema.get("required", ())
    return {
        field: raw["default"]
        for field, raw in fields.items()
        if "default" in raw
        and (raw["default"] or raw["default"] == {} or known.get(field, "!" if field in required else "")[:1] in ("!", "?"))
    }


def left_out_when_empty(name: str) -> frozenset[str]:
    """The fields of a definition that JSON has only if something is in them: no pointers, no structs, `omitempty`."""
    known = _fields(_message_name(name))
    fields = named(name).fields
    return frozenset(
        field
        for field, go_type in known.items()
        if go_type[:1] not in ("!", "?") and field in fields and fields[field].form in EMPTIES
    )


def null_when_empty(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The fields of a definition that JSON has as null where nothing is in them: lists and maps, and pointers, all without
    `omitempty`. What is stored has no empty list: it reads as none at all.
    """
    known = {field: go_type[1:] for field, go_type in fields_of(name).items() if go_type.startswith("!")}
    own = OWN.get(name.removeprefix(API), {})
    pointers = frozenset(field for field, go_type in known.items() if go_type.startswith("?") and field not in own)
    return frozenset(field for field, go_type in known.items() if go_type.startswith(("[", "{"))), pointers


def _zero(raw: Tree, go_type: str | None, required: bool) -> Any:
    if go_type is None:
        always = required
        pointer = not required
    else:
        always = go_type.startswith("!")
        pointer = go_type.lstrip("!").startswith("?")
    if reference := _reference(raw):
        return {} if is_struct(reference) and not pointer else None
    if not always or pointer or raw.get("format") == "byte":
        return None
    kind = raw.get("type", "")  # of definitions a list: ["string", "null"]
    return ZEROS.get(kind if isinstance(kind, str) else kind[0])


def _with(raw: Tree, default: Any) -> Tree:
    if "$ref" not in raw:
        return {**raw, "default": default}
    rest = {name: value for name, value in raw.items() if name != "$ref"}
    return {**rest, "allOf": [{"$ref": raw["$ref"]}], "default": default}  # beside a reference nothing else counts


def _reference(raw: Tree) -> str:
    found = raw.get("$ref") or next((one.get("$ref", "") for one in raw.get("allOf", ())), "")
    return str(found).rpartition("/")[2]


def is_struct(name: str) -> bool:
    return "properties" in definitions()[name]


def _message_name(name: str) -> str:
    """`io.k8s.api.core.v1.Pod` is `core/v1.Pod` among the messages."""
    if name.startswith(META):
        return f"meta/v1.{name.removeprefix(META)}"
    group, _, rest = name.removeprefix(API).partition(".")
    return f"{group}/{rest}"


def _fields(message: str) -> dict[str, str]:
    """With those of a message that stands inline."""
    found = _messages().get(message, {})
    return {**_fields(found["-"].lstrip("!?")), **found} if "-" in found else found


@cache
def _messages() -> dict[str, dict[str, str]]:
    """Message -> field -> its type, `!` before it where it is written even when empty, `?` where it is a pointer."""
    found: dict[str, dict[str, str]] = {}
    message: dict[str, str] = {}
    for line in (Path(protobuf.__file__).parent / "messages.txt").read_text().splitlines():
        if line.startswith(" "):
            _, field, kind = line.split()
            message[field] = kind
        else:
            message = found.setdefault(line, {})
    return found
