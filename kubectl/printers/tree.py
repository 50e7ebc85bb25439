"""Whole objects: JSON, YAML and names, byte for byte as upstream writes them.

Objects that kubectl made itself print as JSON in the order of their fields; those that came from a file or the server, by name.
"""

import json
import re
from typing import Any

import yaml

from kube.api.meta import Tree
from kubectl.printers.jsonpath import escape_html

STRING = "tag:yaml.org,2002:str"
# Text that YAML would read as something else, and that go-yaml therefore puts in double quotes.
AMBIGUOUS = re.compile(
    r"""(?: ~ | null | Null | NULL | true | True | TRUE | false | False | FALSE | <<
    | y | Y | yes | Yes | YES | n | N | no | No | NO | on | On | ON | off | Off | OFF
    | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN)
    | [-+]?[0-9][0-9_]* | [-+]?0b[01_]+ | [-+]?0o[0-7_]+ | [-+]?0x[0-9a-fA-F_]+
    | [-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?
    | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
    | \d{4}-\d\d?-\d\d?(?:(?:[Tt]|\s+)\d\d?:\d\d:\d\d(?:\.\d*)?\s*(?:Z|[-+]\d\d?(?::?\d\d)?)?)? )?""",
    re.VERBOSE,
)


class Dumper(yaml.CDumper):
    """libyaml, told where go-yaml chooses another style."""


def _string(dumper: Dumper, text: str) -> yaml.ScalarNode:
    if "\n" in text:
        return dumper.represent_scalar(STRING, text, style="|")
    return dumper.represent_scalar(STRING, text, style='"' if AMBIGUOUS.fullmatch(text) else None)


def _float(dumper: Dumper, value: float) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:float", repr(value).removesuffix(".0"))


Dumper.yaml_implicit_resolvers = {first: found for first, found in yaml.CDumper.yaml_implicit_resolvers.items() if first != "="}
Dumper.add_representer(str, _string)
Dumper.add_representer(float, _float)
Dumper.ignore_aliases = lambda self, data: True  # type: ignore[method-assign]  # the same list twice is written twice


def as_yaml(tree: Any) -> str:
    text: str = yaml.dump(tree, Dumper=Dumper, default_flow_style=False, allow_unicode=True, sort_keys=True)
    return text.removesuffix("...\n")  # libyaml's mark after text that ends with empty lines; go-yaml has none


def as_json(tree: Any, *, sort_keys: bool = True) -> str:
    return escape_html(json.dumps(tree, indent=4, ensure_ascii=False, sort_keys=sort_keys)) + "\n"


def name_of(tree: Tree) -> str:
    """`pod/x`, `deployment.apps/x`."""
    group = tree.get("apiVersion", "").rpartition("/")[0]
    kind = tree.get("kind", "").lower()
    return f"{kind}{'.' if group else ''}{group}/{tree.get('metadata', {}).get('name', '')}"


def without_managed_fields(tree: Tree) -> Tree:
    """The object without metadata.managedFields, also within a List."""
    if isinstance(tree.get("items"), list):
        return {**tree, "items": [without_managed_fields(item) for item in tree["items"]]}
    if "managedFields" not in (tree.get("metadata") or {}):
        return tree
    return {**tree, "metadata": {name: value for name, value in tree["metadata"].items() if name != "managedFields"}}
