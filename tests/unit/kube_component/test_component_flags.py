"""Flags: upstream's spellings, types from the dataclass, clear errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from kube.component.flags import Seconds, flag, parse


@dataclass(frozen=True)
class Config:
    """A program."""

    port: int = flag("--secure-port", 6443, "Where to listen.")
    elect: bool = flag("--leader-elect", True, "Whether to elect.")
    ttl: Seconds = flag("--event-ttl", Seconds(3600.0), "How long.")
    servers: tuple[str, ...] = flag("--etcd-servers", ("a",), "Which.")
    files: tuple[Path, ...] = flag("--key-file", (), "Keys.")
    labels: Mapping[str, str] = flag("--node-labels", {}, "Labels.")
    gates: Mapping[str, bool] = flag("--feature-gates", {"C": True}, "Gates.")
    ca: Path | None = flag("--client-ca-file", None, "Authority.")


def test_defaults_stand_where_nothing_is_given() -> None:
    assert parse(Config, []) == Config()


def test_both_spellings_of_a_value_are_understood() -> None:
    assert parse(Config, ["--secure-port=1"]).port == 1
    assert parse(Config, ["--secure-port", "2"]).port == 2


@pytest.mark.parametrize(("word", "value"), [("--leader-elect", True), ("--leader-elect=false", False)])
def test_boolean_may_stand_alone_or_take_a_value(word: str, value: bool) -> None:
    assert parse(Config, [word]).elect is value


def test_durations_are_written_as_in_go() -> None:
    assert parse(Config, ["--event-ttl=1h30m"]).ttl == 5400.0


def test_lists_come_by_commas_and_by_repetition_and_replace_the_default() -> None:
    assert parse(Config, ["--etcd-servers=b,c", "--etcd-servers", "d"]).servers == ("b", "c", "d")
    assert parse(Config, ["--key-file=x"]).files == (Path("x"),)
    assert parse(Config, ["--key-file=y"]).files == (Path("y"),)  # nothing is left of the parse before


def test_pairs_come_by_commas_and_by_repetition() -> None:
    assert parse(Config, ["--node-labels=a=1,b=", "--node-labels", "c=x=y"]).labels == {"a": "1", "b": "", "c": "x=y"}
    assert parse(Config, ["--feature-gates=A=true,B=false"]).gates == {"A": True, "B": False}
    assert parse(Config, []).gates == {"C": True}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--bogus=1"], "unknown flag: --bogus"),
        (["--secure-port=x"], 'invalid argument "x" for "--secure-port" flag: strconv.ParseInt: parsing "x": invalid syntax'),
        (["--leader-elect=x"], 'invalid argument "x" for "--leader-elect" flag: strconv.ParseBool: parsing "x": invalid syntax'),
        (["--event-ttl=1x"], 'invalid argument "1x" for "--event-ttl" flag: time: unknown unit "x" in duration "1x"'),
        (["--secure-port"], "flag needs an argument: --secure-port"),
        (["--node-labels=a"], 'invalid argument "a" for "--node-labels" flag: malformed pair, expect string=string: a'),
        (["stray"], '"kube-x" does not take any arguments, got ["stray"]'),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_told_in_upstreams_words(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rule: github.com/spf13/pflag errors.go"""
    with pytest.raises(SystemExit) as ended:
        parse(Config, argv, prog="kube-x")
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"Error: {words}\n"


def test_version_is_upstreams_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(Config, ["--version"])
    assert not ended.value.code
    assert capsys.readouterr().out.startswith("Kubernetes v1.36.0")


def test_help_names_every_flag_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(Config, ["--help"])
    shown = capsys.readouterr().out
    assert "--feature-gates" in shown
    assert "(default: 6443)" in shown
