"""kubectl completion and what its scripts ask: `kubectl __complete`."""

import subprocess
from pathlib import Path

import pytest

from kubectl.app import run
from kubectl.commands.completion import SCRIPTS


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = "{contexts: [{name: home, context: {cluster: c}}], clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]}"
    (tmp_path / "config").write_text(config)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["debu"], ["debug\tCreate debugging sessions for troubleshooting workloads and nodes", ":4"]),
        (["rollout", "unp"], [":4"]),
        (["rollout", "und"], ["undo\tUndo a previous rollout", ":4"]),
        (["get", "pods", "--all-n"], ["--all-namespaces\tIf present, list the requested object(s) across all namespaces", ":4"]),
        (["get", "-o", "js"], ["json", "jsonpath", ":4"]),
        (["--context", "h"], ["home", ":4"]),
        (["config", "use-context", ""], ["home", ":4"]),
        (["get", "pods", ""], [":4"]),  # nobody answers
        (["apply", "-f", "x"], [":0"]),
    ],
)
def test_the_words_that_may_come_next(words: list[str], lines: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Rule: cobra's __complete: candidates, then a directive."""
    if words[0].startswith("--"):
        words = ["get", *words]
    assert run(["__complete", *words]) == 0
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize(
    ("line", "replies"),
    [
        ("kubectl get po", ["pods", "podtemplates"]),
        ("kubectl get ", ["pods", "podtemplates"]),
        ("kubectl get pod/", ["pods", "podtemplates"]),
    ],
)
def test_the_script_for_bash_asks_and_offers(line: str, replies: list[str]) -> None:
    words = line.split(" ")
    shell = f"""{SCRIPTS["bash"]}
    kubectl() {{ [ "$*" = "__complete {" ".join(words[1:])}" ] && printf 'pods\\tmany\\npodtemplates\\n:4\\n'; }}
    COMP_LINE='{line}' COMP_POINT={len(line)} COMP_WORDS=({" ".join(repr(one) for one in words)}) COMP_CWORD={len(words) - 1}
    __start_kubectl
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=10)
    assert (done.stdout.split(), done.stderr) == (replies, "")


def test_a_shell_must_be_one_that_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion"]) == 1
    assert run(["completion", "tcsh"]) == 1
    said = capsys.readouterr().err
    assert "error: Shell not specified.\nSee 'kubectl completion -h' for help and examples" in said
    assert 'error: Unsupported shell type "tcsh".' in said
    for shell in SCRIPTS:
        assert run(["completion", shell]) == 0
        assert "__complete" in capsys.readouterr().out
