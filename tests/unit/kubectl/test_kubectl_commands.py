"""The list of commands, command lines that need no server, and errors in upstream's words."""

import importlib
from pathlib import Path
from typing import Any

import pytest

import kubectl.commands
from kube.api.status import AlreadyExists, NotFound, Unauthorized, invalid, invalid_object
from kubectl.app import run
from kubectl.commands import COMMANDS
from kubectl.config_file import put, set_path, unset_path
from kubectl.credentials import plugin_of, provider_of
from kubectl.describe.pod import tolerations
from kubectl.describe.words import events, selector_text
from kubectl.errors import CommandError, message
from kubectl.flags import Misused
from kubectl.metadata import divided, parsed
from kubectl.transport import Unreachable


def test_every_module_is_a_listed_command_and_every_command_has_its_module() -> None:
    folder = Path(kubectl.commands.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert modules == {row.module or row.name.replace("-", "_") for row in COMMANDS}
    for name in sorted(modules):
        assert hasattr(importlib.import_module(f"kubectl.commands.{name}"), "app")


@pytest.mark.parametrize(
    ("line", "stderr"),
    [
        ("foo", 'error: unknown command "foo" for "kubectl"\n'),
        ("get --foo", "error: unknown flag: --foo\nSee 'kubectl get --help' for usage.\n"),
        ("rollout foo", "error: unknown command \"foo\"\nSee 'kubectl rollout -h' for help and examples\n"),
        ("scale deploy web", 'error: required flag(s) "replicas" not set\n'),
        ("create", "error: must specify one of -f and -k\n"),
        ("create -f /nonexistent", 'error: the path "/nonexistent" does not exist\n'),
        ("create ns a b", "error: exactly one NAME is required, got 2\nSee 'kubectl create namespace -h' for help and examples\n"),
        ("create ns a --dry-run=foo", 'error: Invalid dry-run value (foo). Must be "none", "server", or "client".\n'),
        ("run x --image=a --rm", "error: --rm should only be used for attached containers\n"),
        ("run x --image=a -t", "error: -i/--stdin is required for containers with -t/--tty=true\n"),
        ("exec p", "error: you must specify at least one command for the container\n"),
        ("patch deploy web", "error: must specify --patch or --patch-file containing the contents of the patch\n"),
    ],
)
def test_bad_command_lines_end_with_1_and_upstreams_words(line: str, stderr: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line.split()) == 1
    assert capsys.readouterr().err.startswith(stderr)


def test_a_mistyped_diff_is_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    """Rule: kubectl diff: exit status 1 means differences, more than 1 a failure."""
    assert run(["diff", "--nope"]) == 2
    assert capsys.readouterr().err == "error: unknown flag: --nope\nSee 'kubectl diff -h' for help and examples\n"


def test_generators_need_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["create", "deployment", "x", "--image=a:b", "--dry-run=client", "-o", "yaml"]) == 0
    assert capsys.readouterr().out == (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  labels:\n    app: x\n  name: x\nspec:\n  replicas: 1\n"
        "  selector:\n    matchLabels:\n      app: x\n  strategy: {}\n  template:\n    metadata:\n      labels:\n        app: x\n"
        "    spec:\n      containers:\n      - image: a:b\n        name: a\n        resources: {}\nstatus: {}\n"
    )
    assert run(["run", "x", "--image=a", "--dry-run=client", "-o", "yaml", "--port=80", "--", "sh"]) == 0
    assert capsys.readouterr().out == (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    run: x\n  name: x\nspec:\n  containers:\n  - args:\n    - sh\n"
        "    image: a\n    name: x\n    ports:\n    - containerPort: 80\n    resources: {}\n  dnsPolicy: ClusterFirst\n"
        "  restartPolicy: Always\nstatus: {}\n"
    )
    assert run(["create", "ns", "a", "--dry-run=client"]) == 0
    assert capsys.readouterr().out == "namespace/a created (dry run)\n"


def test_errors_are_told_as_upstream_tells_them() -> None:
    """Rule: kubernetes/kubectl pkg/cmd/util/helpers.go StandardErrorMessage"""
    assert message(NotFound('pods "x" not found')) == 'Error from server (NotFound): pods "x" not found'
    assert message(AlreadyExists("y")) == "Error from server (AlreadyExists): y"
    assert message(Unauthorized()) == "error: You must be logged in to the server (Unauthorized)"
    assert message(CommandError("z")) == "error: z"
    refused = Unreachable("", refused=True)
    assert message(refused, "https://h:1/x") == (
        "The connection to the server h:1 was refused - did you specify the right host or port?"
    )
    one = invalid_object("Pod", "", "p", [invalid("spec.a", 1, "no")])
    assert message(one) == 'The Pod "p" is invalid: spec.a: Invalid value: 1: no'
    two = invalid_object("Pod", "", "p", [invalid("spec.a", 1, "no"), invalid("spec.b", "c", "no")])
    assert message(two) == ('The Pod "p" is invalid: \n* spec.a: Invalid value: 1: no\n* spec.b: Invalid value: "c": no')


def test_label_arguments_divide_into_resources_and_changes() -> None:
    assert divided(["pods", "foo", "a=b", "c-"]) == (["pods", "foo"], ["a=b", "c-"])
    assert parsed(["a=b", "c-", "d="], "label") == ({"a": "b", "d": ""}, ("c",))
    with pytest.raises(CommandError, match="can not both modify and remove a label in the same command"):
        parsed(["a=b", "a-"], "label")


def test_kubeconfig_entries_are_merged_and_kept_in_order() -> None:
    tree: dict[str, object] = {"contexts": [{"name": "b", "context": {"cluster": "c", "namespace": "n"}}]}
    put(tree, "contexts", "a", {"cluster": "x", "user": None})
    put(tree, "contexts", "b", {"namespace": ""})
    assert tree["contexts"] == [
        {"name": "a", "context": {"cluster": "x", "user": ""}},
        {"name": "b", "context": {"cluster": "c", "user": ""}},
    ]
    set_path(tree, "clusters.k.server", "https://x")
    set_path(tree, "clusters.k.insecure-skip-tls-verify", "true")
    unset_path(tree, "clusters.k.server")
    assert tree["clusters"] == [{"name": "k", "cluster": {"insecure-skip-tls-verify": True}}]


def test_descriptions_share_their_words() -> None:
    from datetime import UTC, datetime

    selector = {"matchLabels": {"b": "2"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["y", "x"]}]}
    assert selector_text(selector) == "a in (x,y),b=2"
    spec = {"tolerations": [{"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]}
    assert tolerations(spec) == "Tolerations:\tk:NoExecute op=Exists for 300s\n"
    now = datetime(2026, 1, 1, 0, 20, tzinfo=UTC)
    event = {
        "type": "Normal",
        "reason": "Killing",
        "count": 3,
        "message": "bye",
        "source": {"component": "kubelet"},
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:15:00Z",
    }
    assert events([event], now).splitlines()[-1] == "  Normal\tKilling\t5m (x3 over 20m)\tkubelet\tbye"
    assert events([], now) == "Events:\t<none>\n"


def test_credentials_of_a_plugin_and_of_a_provider_are_merged() -> None:
    """Rule: kubectl config set-credentials: environment and arguments of a provider are merged, arguments of a plugin replaced."""
    none = {"exec_command": "", "exec_api_version": "", "exec_arg": [], "exec_env": [], "exec_interactive_mode": ""}
    flags: dict[str, Any] = {**none, "exec_provide_cluster_info": None}
    first = plugin_of(None, {**flags, "exec_command": "x", "exec_arg": ["a"], "exec_env": ["k=v", "z=1"]})
    assert first is not None
    assert plugin_of(first, {**flags, "exec_env": ["k-"]}) == {
        "command": "x", "args": ["a"], "env": [{"name": "z", "value": "1"}], "provideClusterInfo": False,
    }  # fmt: skip
    assert plugin_of(None, flags) is None
    assert provider_of({"name": "oidc", "config": {"a": "b"}}, "", ["c=d", "a-"]) == {"name": "oidc", "config": {"c": "d"}}
    with pytest.raises(Misused, match="invalid exec-env format: bad"):
        plugin_of(first, {**flags, "exec_env": ["bad"]})


def test_a_property_of_a_kubeconfig_is_checked() -> None:
    """Rule: kubectl config set: only known fields of entries; what is binary is base64."""
    tree: dict[str, Any] = {"clusters": []}
    set_path(tree, "clusters.a.server", "https://x")
    assert tree["clusters"] == [{"name": "a", "cluster": {"server": "https://x"}}]
    with pytest.raises(CommandError, match="can't set a map to a value: a"):
        set_path(tree, "clusters.a.nope", "x")
    with pytest.raises(CommandError, match="illegal base64 data at input byte 0"):
        set_path(tree, "clusters.a.certificate-authority-data", "!!!")
    with pytest.raises(CommandError, match=r"unable to parse foo\.bar after"):
        set_path(tree, "foo.bar", "x")
