"""YAML as go-yaml writes it, byte for byte: what the API server answers in and kubectl prints.

Fields by name, lists not indented, long lines folded, and text in quotes where YAML 1.1 would read something else out of it.
https://yaml.org/spec/1.1/ · sigs.k8s.io/yaml (Marshal)
"""

import re
from typing import Any

import yaml

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
    """A tree of JSON's kinds as a YAML document."""
    text: str = yaml.dump(tree, Dumper=Dumper, default_flow_style=False, allow_unicode=True, sort_keys=True)
    return text.removesuffix("...\n")  # libyaml's mark after text that ends with empty lines; go-yaml has none
