"""YAML as go-yaml writes it."""

from kube.api.go_yaml import as_yaml


def test_yaml_quotes_as_upstream_does() -> None:
    """What would be read as another type stands in double quotes; what is no plain text in single ones.

    Rule: upstream kubectl get -o yaml.
    """
    values = {
        "a": "x<y\nz",
        "b": "yes",
        "c": "a: b",
        "d": " x",
        "f": "tab\tx",
        "g": "2024-01-01",
        "h": "x\n\n",
        "j": "1_000",
        "l": "it's",
        "n": "@x",
        "p": "",
        "s": "1:30",
        "u": "=",
        "v": "12e03",
        "w": "1.2.3",
    }
    assert as_yaml(values) == (
        "a: |-\n  x<y\n  z\n"
        'b: "yes"\n'
        "c: 'a: b'\n"
        "d: ' x'\n"
        'f: "tab\\tx"\n'
        'g: "2024-01-01"\n'
        "h: |+\n  x\n\n"
        'j: "1_000"\n'
        "l: it's\n"
        "\"n\": '@x'\n"
        'p: ""\n'
        's: "1:30"\n'
        "u: =\n"
        'v: "12e03"\n'
        "w: 1.2.3\n"
    )
