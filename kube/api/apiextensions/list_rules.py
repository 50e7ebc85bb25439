"""List rules: what x-kubernetes-list-type, -list-map-keys and -map-type may say about a node.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
apiextensions-apiserver pkg/apis/apiextensions/validation (ValidateCustomResourceDefinitionOpenAPISchema)
"""

from collections.abc import Iterator

from kube.api.meta import Tree
from kube.api.status import FieldError, forbidden, invalid, required, unsupported

LIST_TYPE, KEYS, MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"


def list_errors(raw: Tree, path: str) -> Iterator[FieldError]:
    """Of one node."""
    kind, list_type, keys, map_type = (raw.get(name) for name in ("type", LIST_TYPE, KEYS, MAP_TYPE))
    if map_type is not None:
        if kind != "object":
            yield _wrong_type(raw, path, "must be object if x-kubernetes-map-type is specified")
        if map_type not in ("atomic", "granular"):
            yield unsupported(f"{path}.{MAP_TYPE}", map_type, ("atomic", "granular"))
    if list_type is not None and kind != "array":
        yield _wrong_type(raw, path, "must be array if x-kubernetes-list-type is specified")
    elif list_type is not None and list_type not in ("atomic", "set", "map"):
        yield unsupported(f"{path}.{LIST_TYPE}", list_type, ("atomic", "set", "map"))
    if keys and list_type != "map":
        text = "must be map if x-kubernetes-list-map-keys is non-empty"
        yield invalid(f"{path}.{LIST_TYPE}", list_type, text) if list_type else required(f"{path}.{LIST_TYPE}", text)
    if list_type == "map":
        yield from _map_errors(raw, list(keys or ()), path)
    elif list_type == "set":
        yield from _set_errors(raw.get("items") or {}, path)


def _map_errors(raw: Tree, keys: list[str], path: str) -> Iterator[FieldError]:
    if not keys:
        yield required(f"{path}.{KEYS}", "must not be empty if x-kubernetes-list-type is map")
    items = raw.get("items")
    if not isinstance(items, dict):
        yield required(f"{path}.items", "must have a schema if x-kubernetes-list-type is map")
        return
    if items.get("type") != "object":
        yield _wrong_type(items, f"{path}.items", "must be object if parent array's x-kubernetes-list-type is map")
    properties = items.get("properties") or {}
    for index, key in enumerate(keys):
        at = f"{path}.items.properties[{key}]"
        one = properties.get(key)
        if key in keys[:index]:
            yield invalid(f"{path}.{KEYS}[{index}]", key, "must not contain duplicate entries")
        elif one is None:
            yield invalid(f"{path}.{KEYS}[{index}]", key, "entries must all be names of item properties")
        elif one.get("type") in ("array", "object"):
            text = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            yield invalid(f"{at}.type", one["type"], text)
        elif one.get("nullable"):
            yield forbidden(f"{at}.nullable", "this property is in x-kubernetes-list-map-keys, so it cannot be nullable")
        elif "default" not in one and key not in (items.get("required") or ()):
            text = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            yield required(f"{at}.default", text)


def _set_errors(items: Tree, path: str) -> Iterator[FieldError]:
    text = "must be atomic as item of a list with x-kubernetes-list-type=set"
    if items.get("nullable"):
        yield forbidden(f"{path}.items.nullable", "cannot be nullable when x-kubernetes-list-type is set")
    if items.get("type") == "array" and items.get(LIST_TYPE) not in (None, "atomic"):
        yield invalid(f"{path}.items.{LIST_TYPE}", items[LIST_TYPE], text)
    if items.get("type") == "object" and items.get(MAP_TYPE) != "atomic":
        at = f"{path}.items.{MAP_TYPE}"
        yield required(at, text) if items.get(MAP_TYPE) is None else invalid(at, items[MAP_TYPE], text)


def _wrong_type(raw: Tree, path: str, text: str) -> FieldError:
    return invalid(f"{path}.type", raw["type"], text) if raw.get("type") else required(f"{path}.type", text)
