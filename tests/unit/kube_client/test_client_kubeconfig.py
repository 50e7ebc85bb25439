"""kubeconfig: merging, choosing, and clear errors."""

from pathlib import Path

import pytest
import yaml

from kube.client import kubeconfig
from kube.client.kubeconfig import ConfigError

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


def test_credential_plugins_are_refused_clearly() -> None:
    tree = {**TREE, "users": [{"name": "u", "user": {"exec": {"command": "x"}}}]}
    with pytest.raises(ConfigError, match="exec"):
        kubeconfig.resolve(tree)
