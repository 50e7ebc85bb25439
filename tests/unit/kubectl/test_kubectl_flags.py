"""The command line's flags, as upstream's library reads them."""

import pytest

from kubectl.flags import Flag, UsageError, first_argument, parse, with_global

FLAGS = with_global(
    [
        Flag("output", short="o"),
        Flag("watch", "bool", "w"),
        Flag("wait", "bool", default="true"),
        Flag("stdin", "bool", "i"),
        Flag("tty", "bool", "t"),
        Flag("dry-run", default="none"),
        Flag("replicas", "int"),
        Flag("filename", "slice", "f"),
        Flag("from-literal", "list"),
    ]
)


def test_flags_and_arguments_mix() -> None:
    parsed = parse(FLAGS, ["pods", "-o", "wide", "web", "--namespace=x", "-w"])
    assert parsed.arguments == ["pods", "web"]
    assert parsed.values == {"output": "wide", "namespace": "x", "watch": True}


@pytest.mark.parametrize("words", [["-oyaml"], ["-o=yaml"], ["-o", "yaml"], ["--output", "yaml"], ["--output=yaml"]])
def test_a_value_may_stand_in_five_ways(words: list[str]) -> None:
    assert parse(FLAGS, words).values == {"output": "yaml"}


def test_short_booleans_cluster() -> None:
    assert parse(FLAGS, ["-it", "x"]).values == {"stdin": True, "tty": True}


def test_a_boolean_takes_its_value_only_after_an_equals_sign() -> None:
    parsed = parse(FLAGS, ["--wait=false", "--watch", "true"])
    assert parsed.values == {"wait": False, "watch": True}
    assert parsed.arguments == ["true"]


def test_dry_run_may_stand_bare() -> None:
    assert parse(FLAGS, ["--dry-run", "x"]).values == {"dry-run": "unchanged"}


def test_what_follows_two_dashes_is_argument() -> None:
    parsed = parse(FLAGS, ["x", "-i", "--", "sh", "-c", "ls"])
    assert (parsed.arguments, parsed.dash) == (["x", "sh", "-c", "ls"], 1)


def test_commas_divide_some_lists_and_not_others() -> None:
    parsed = parse(FLAGS, ["-f", "a,b", "-f", "c", "--from-literal", "x=1,2"])
    assert parsed.values == {"filename": ["a", "b", "c"], "from-literal": ["x=1,2"]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--foo"], "unknown flag: --foo"),
        (["-z"], "unknown shorthand flag: 'z' in -z"),
        (["-o"], "flag needs an argument: 'o' in -o"),
        (["--output"], "flag needs an argument: --output"),
        (["--replicas=x"], 'invalid argument "x" for "--replicas" flag: strconv.ParseInt: parsing "x": invalid syntax'),
    ],
)
def test_errors_are_told_in_upstreams_words(words: list[str], message: str) -> None:
    """Expectations are what an upstream kubectl printed."""
    with pytest.raises(UsageError) as caught:
        parse(FLAGS, words)
    assert str(caught.value) == message


def test_the_command_is_the_first_word_that_is_no_flag_and_no_flags_value() -> None:
    assert first_argument(with_global(()), ["-n", "x", "--context=y", "get", "pods"]) == 3
    assert first_argument(with_global(()), ["-n", "x"]) is None
