"""Conversion words: a value of a wrong type in the words of a strategic merge patch, which is not read from JSON but from a map.

    json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container
    cannot restore slice from string

apimachinery pkg/runtime/converter.go
"""

import re

_SAID = re.compile(r"json: cannot unmarshal (?P<found>\w+)(?: [^ ]+)? into Go struct field \S+ of type (?P<wanted>.+)")
_FOUND = {"string": "string", "bool": "bool", "number": "int64", "array": "slice", "object": "map"}
_NUMBERS = ("int32", "int64", "float64")


def conversion_words(text: str) -> str:
    """The same said as of a map; as it is where it says something else."""
    said = _SAID.fullmatch(text)
    if said is None:
        return text
    found, wanted = _FOUND.get(said["found"], said["found"]), said["wanted"]
    if wanted.startswith("map["):
        return f"cannot restore map from {found}"
    if wanted.startswith("[]"):
        return f"cannot restore slice from {found}"
    if found == "int64" and wanted in ("string", *_NUMBERS):
        return f"cannot convert {found} to {wanted}"
    if wanted in ("string", "bool", *_NUMBERS):
        return f"unrecognized type: {wanted}"
    return f"cannot restore struct from: {found}"
