"""kubeconfig: merging, choosing, and clear errors."""

from pathlib import Path

import pytest
import yaml

from kube.api.meta import Tree
from kube.client import kubeconfig
from kube.client.kubeconfig import Config, ConfigError

TREE = {
    "clusters": [{"name": "c", "cluster": {"server": "http://c:1"}}, {"name": "d", "cluster": {"server": "http://d:2/"}}],
    "users": [{"name": "u", "user": {"token": "t"}}],
    "contexts": [
        {"name": "one", "context": {"cluster": "c", "user": "u", "namespace": "n"}},
        {"name": "two", "context": {"cluster": "d"}},
    ],
    "current-context": "one",
}


def test_current_context_decides() -> None:
    config = kubeconfig.resolve(TREE)
    assert (config.server, config.token, config.namespace) == ("http://c:1", "t", "n")


def test_command_line_wins_over_the_context() -> None:
    config = kubeconfig.resolve(TREE, context="two", namespace="m")
    assert (config.server, config.namespace) == ("http://d:2", "m")
    assert kubeconfig.resolve(TREE, server="http://other").server == "http://other"


def test_nothing_configured_is_localhost() -> None:
    """Rule: behaviour D.2: else localhost:8080."""
    assert kubeconfig.resolve({}).server == "http://localhost:8080"


def test_unknown_context_is_named() -> None:
    with pytest.raises(ConfigError, match="nope"):
        kubeconfig.resolve(TREE, context="nope")


def test_first_file_to_set_a_value_wins(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files"""
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text(yaml.safe_dump({"current-context": "two", "clusters": [{"name": "c", "cluster": {"server": "http://x"}}]}))
    second.write_text(yaml.safe_dump(TREE))
    merged = kubeconfig.read([first, tmp_path / "missing", second])
    assert merged["current-context"] == "two"
    assert kubeconfig.resolve(merged, context="one").server == "http://x"


def test_relative_paths_are_relative_to_their_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(b"PEM")
    tree = {**TREE, "clusters": [{"name": "c", "cluster": {"server": "https://c", "certificate-authority": "ca.pem"}}]}
    (tmp_path / "config").write_text(yaml.safe_dump(tree))
    assert kubeconfig.load(str(tmp_path / "config")).authority == b"PEM"


def test_explicit_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file or directory"):
        kubeconfig.load(str(tmp_path / "missing"))


@pytest.mark.parametrize(
    ("cluster", "user", "words"),
    [
        ({}, {"exec": {"command": "x"}}, "credential plugins"),
        ({}, {"username": "x", "password": "y"}, "not supported"),
        ({}, {"client-certificate-data": "eA=="}, "client-key-data or client-key must be specified for u"),
        ({"insecure-skip-tls-verify": True, "certificate-authority": "x"}, {}, "with the insecure flag is not allowed"),
        ({"certificate-authority": "/does/not/exist"}, {}, "unable to read certificate-authority /does/not/exist: No such file"),
    ],
)
def test_what_cannot_be_used_is_refused_clearly(cluster: Tree, user: Tree, words: str) -> None:
    """Rule: client-go tools/clientcmd/validation.go"""
    tree = {
        "clusters": [{"name": "c", "cluster": {"server": "https://c", **cluster}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    with pytest.raises(ConfigError, match=words):
        kubeconfig.resolve(tree)


def test_listed_files_are_merged_and_the_home_one_is_the_last_resort(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Rule: behaviour D.2: --kubeconfig alone, else $KUBECONFIG, else ~/.kube/config"""
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/a:{tmp_path}/b")
    assert kubeconfig.paths("/x") == [Path("/x")]
    assert kubeconfig.paths() == [tmp_path / "a", tmp_path / "b"]
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert kubeconfig.paths() == [tmp_path / ".kube" / "config"]


def test_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a: [")
    with pytest.raises(ConfigError, match=f'error loading config file "{tmp_path}/config"'):
        kubeconfig.load(str(tmp_path / "config"))


def test_pod_finds_its_server_by_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/"""
    for name, text in (("token", "t"), ("namespace", "n\n"), ("ca.crt", "PEM")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(kubeconfig, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    config = kubeconfig.load()
    assert (config.server, config.namespace, config.authority, config.bearer()) == ("https://10.96.0.1:443", "n", b"PEM", "t")


def test_key_material_that_is_none_is_told() -> None:
    config = kubeconfig.Config(server="https://c", authority=None, certificate=b"x", key=b"y")
    with pytest.raises(ConfigError, match="invalid certificate or key"):
        config.ssl_context()


def test_what_is_secret_is_not_shown_where_the_configuration_is_printed() -> None:
    """Rule: a log or a traceback never carries a credential"""
    shown = repr(Config(server="https://192.0.2.1", token="a-token", key=b"a-key"))
    assert "192.0.2.1" in shown
    assert "a-token" not in shown
    assert "a-key" not in shown
