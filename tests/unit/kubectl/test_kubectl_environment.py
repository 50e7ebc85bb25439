"""Environment variables that `set env` reads and changes; KYAML; plugins on PATH; kubectl's words, as upstream 1.37 has them."""

from pathlib import Path
from typing import Any

import pytest

from kubectl.app import run
from kubectl.environment import changed, from_object, listed, parsed
from kubectl.errors import CommandError
from kubectl.printers.gotext import go_syntax
from kubectl.printers.kyaml import as_kyaml


def test_variables_come_from_arguments_and_standard_input() -> None:
    wanted = parsed(["A=1", "B-", "-"], lambda: "C=x=y\n")
    assert wanted.set == [{"name": "A", "value": "1"}, {"name": "C", "value": "x=y"}]
    assert wanted.remove == ["B"]
    with pytest.raises(CommandError, match='"bad name" is not a valid key name'):
        parsed(["bad name=1"], str)


def test_a_key_becomes_a_variables_name() -> None:
    """Rule: kubectl set env --from: capitals, underscores, a prefix; what changed is told."""
    told: list[str] = []
    source = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a.b": "1", "OK": "2"}}
    made = from_object(source, [], "P_", told.append)
    assert [one["name"] for one in made] == ["P_OK", "P_A_B"]
    assert made[1]["valueFrom"] == {"configMapKeyRef": {"name": "c", "key": "a.b"}}
    assert told == ["Warning: key a.b transferred to A_B"]


def test_a_value_is_kept_where_it_may_not_be_overwritten() -> None:
    container: dict[str, Any] = {"name": "web", "env": [{"name": "A", "value": "1"}]}
    changed(container, parsed(["B=2", "A-"], str), True, "deployments/web")
    assert container["env"] == [{"name": "B", "value": "2"}]
    with pytest.raises(CommandError, match=r"deployments/web 'B' already has a value \(2\), and --overwrite is false"):
        changed(container, parsed(["B=3"], str), False, "deployments/web")


def test_references_are_listed_or_resolved() -> None:
    reference = {"configMapKeyRef": {"name": "c", "key": "k"}}
    container = {"name": "web", "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": reference}]}
    assert list(listed("Pod", "p", container, None)) == ["# Pod p, container web", "A=1", "# B from configmap c, key k"]
    assert list(listed("Pod", "p", container, lambda kind, name, key: f"{kind}/{name}/{key}"))[2] == "B=configmap/c/k"


def test_kyaml_quotes_every_string_and_closes_every_line() -> None:
    """Rule: https://kep.k8s.io/5295"""
    tree = {"b": [{"x": 1}, {"z": None}], "a": "l1\n  l2\n", "no": True, "c": [1, [2]], "e": {}, "f-g.h/i": "é", "1": []}
    assert as_kyaml(tree).splitlines() == [
        *("---", "{", '  "1": [],', '  a: "\\', "     l1\\n\\", "    \\  l2\\n\\", '    ",'),
        *("  b: [{", "    x: 1,", "  }, {", "    z: null,", "  }],", "  c: [", "    1,", "    [", "      2,", "    ],", "  ],"),
        *("  e: {},", '  f-g.h/i: "é",', '  "no": true,', "}"),
    ]


def test_an_object_as_go_source() -> None:
    assert go_syntax({"b": [1, None], "a": "x"}) == 'map[string]interface {}{"a":"x", "b":[]interface {}{1, interface {}(nil)}}'


def test_plugins_are_listed_with_what_is_wrong_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Rule: https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/#listing-plugins"""
    for name, mode in (("kubectl-foo", 0o755), ("kubectl-get", 0o755), ("kubectl-text", 0o644), ("other", 0o755)):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(mode)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["plugin", "list", "--name-only"]) == 1
    out = capfd.readouterr()
    assert out.out == "The following compatible plugins are available:\n\nkubectl-foo\nkubectl-get\nkubectl-text\n"
    assert out.err.splitlines() == [
        '  - warning: kubectl-get overwrites existing command: "kubectl get"',
        f"  - warning: {tmp_path}/kubectl-text identified as a kubectl plugin, but it is not executable",
        "error: 2 plugin warnings were found",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("get --raw=/x pods", "error: arguments may not be passed when --raw is specified"),
        ("get --raw=/x -o yaml", "error: --raw and --output are mutually exclusive"),
        ("get --raw=x", 'error: --raw must be a valid URL path: parse "x": invalid URI for request'),
        ("get pods --output-watch-events", "error: --output-watch-events option can only be used with --watch or --watch-only"),
        ("set env", "error: one or more resources must be specified as <resource> <name> or <resource>/<name>"),
        ("label cm c k=b@d --local", 'error: invalid label value: "k=b@d": a valid label must be an empty string'),
        ("create cm a --validate=foo --dry-run=client", 'error: invalid - validate option "foo"; must be one of: strict'),
        ("create clusterrole r --verb=list --non-resource-url=/x", "error: invalid verb: 'list' for nonResourceURL"),
        ("create quota q --hard=cpu", "error: Invalid argument syntax cpu, expected <resource>=<value>"),
        ("create token x --bound-object-kind=Pod", "error: --bound-object-name is required if --bound-object-kind is provided"),
        ("run a --image=B@d --dry-run=client", 'error: invalid image name "B@d": invalid reference format'),
        ("run a --image=b --port=x --dry-run=client", "error: --port must be a number"),
        ("apply -f a -k b", "error: only one of -f or -k can be specified"),
        ("apply x y", "error: Unexpected args: [x y]"),
        ("set subject rolebinding x", "error: you must specify at least one value of user, group or serviceaccount"),
        ("set selector", "error: one selector is required"),
        ("help nope", "Unknown help topic [`nope`]"),
        ("--request-timeout=bad get cm", "error: Invalid timeout value."),
    ],
)
def test_refusals_that_need_no_server_have_upstreams_words(words: str, told: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Rule: what upstream's kubectl 1.37 says of the same command line."""
    run(words.split())
    assert capfd.readouterr().err.startswith(told)
