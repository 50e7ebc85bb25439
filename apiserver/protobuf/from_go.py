"""From Go: writes messages.txt, the numbers of the fields of every kind's protobuf form, out of upstream's Go types.

    python -m apiserver.protobuf.from_go <directory with k8s.io's api/ and apimachinery/> > apiserver/protobuf/messages.txt

Run again for a new version of upstream; the sources are in Debian's golang-k8s-api-dev and golang-k8s-apimachinery-dev. Only
the struct tags hold all that is needed: the number, the JSON name, whether it is a pointer, and whether it is inline in JSON.
"""

import re
import sys
from pathlib import Path

STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
ALIAS = re.compile(r"^type (\w+) ([\w.\[\]*]+)$", re.MULTILINE)
FIELD = re.compile(r'^\s*(?:(\w+)\s+)?([\w.\[\]*]+)\s+`json:"([^"]*)"[^`]*?\sprotobuf:"\w+,(\d+)[^"]*"', re.MULTILINE)
IMPORT = re.compile(r'^\s+(?:(\w+)\s+)?"k8s\.io/(?:api|apimachinery/pkg/apis)/([\w/]+)"', re.MULTILINE)
SCALARS = {
    "string": "string", "bool": "bool", "int": "int64", "int32": "int64", "int64": "int64", "float64": "double",
    "[]byte": "bytes", "types.UID": "string", "types.NodeName": "string", "resource.Quantity": "quantity",
    "intstr.IntOrString": "intorstring",
    "metav1.Time": "time", "metav1.MicroTime": "microtime", "metav1.Duration": "duration", "metav1.FieldsV1": "json",
    "runtime.RawExtension": "json", "time.Duration": "int64",
}  # fmt: skip
META = "meta/v1"
LISTS_AS_MESSAGES = ("ExtraValue", "Verbs")  # []string types that are messages of their own, with items = 1


class Package:
    """One API package, such as apps/v1."""

    def __init__(self, name: str, sources: str) -> None:
        self.name = name
        self.structs = dict(STRUCT.findall(sources))
        self.aliases = dict(ALIAS.findall(sources))
        self.imports = {alias or path.split("/")[-1]: path for alias, path in IMPORT.findall(sources)}


def main(root: Path) -> None:
    packages: dict[str, Package] = {}
    directories = [*(root / "api").glob("*/v[0-9]"), root / "apimachinery/pkg/apis/meta/v1"]
    for directory in sorted(directories):
        sources = "".join(file.read_text() for file in sorted(directory.glob("*types*.go")))
        name = f"{directory.parent.name}/{directory.name}"
        packages[name] = Package(name, sources)
    for name, package in packages.items():
        for struct, text in package.structs.items():
            lines = [_line(packages, package, *found) for found in FIELD.findall(text)]
            if lines:
                print(f"{name}.{struct}", *lines, sep="\n ")
        for alias in LISTS_AS_MESSAGES:
            if alias in package.aliases:
                print(f"{name}.{alias}\n 1 items [string")


def _line(packages: dict[str, Package], package: Package, _name: str, go_type: str, tag: str, number: str) -> str:
    json_name, *options = tag.split(",")
    kept = "" if "omitempty" in options or "omitzero" in options else "!"
    return f"{number} {json_name if 'inline' not in options else '-'} {kept}{_type(packages, package, go_type)}"


def _type(packages: dict[str, Package], package: Package, go_type: str) -> str:
    """`?T` may be absent, `[T` list, `{T` map from strings; scalars by name, messages as group/version.Name."""
    if package.name == META and go_type.lstrip("*[]") in ("Time", "MicroTime", "Duration", "FieldsV1"):
        go_type = re.sub(r"(\w+)$", r"metav1.\1", go_type)
    go_type = re.sub(r"\bv1\.(Time|MicroTime|Duration|FieldsV1)$", r"metav1.\1", go_type)
    if go_type in SCALARS:
        return SCALARS[go_type]
    if go_type.startswith("*"):
        return "?" + _type(packages, package, go_type[1:]).lstrip("?")
    if go_type.startswith("[]"):
        return "[" + _type(packages, package, go_type[2:])
    if go_type.startswith("map["):
        return "{" + _type(packages, package, go_type.partition("]")[2])
    if "." in go_type:
        alias, _, name = go_type.partition(".")
        return _type(packages, packages[package.imports[alias]], name)
    if go_type in package.aliases and go_type not in LISTS_AS_MESSAGES:
        return _type(packages, package, package.aliases[go_type])
    return f"{package.name}.{go_type}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
