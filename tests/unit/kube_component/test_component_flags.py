"""Flags: upstream's spellings, types from the dataclass, clear errors."""

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


def test_unknown_flag_is_told_in_upstreams_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(Config, ["--bogus=1"])
    assert ended.value.code == 1
    assert capsys.readouterr().err == "Error: unknown flag: --bogus=1\n"
