"""Logging: one line each, a constant message with key=value pairs."""

import asyncio
import logging
from contextlib import suppress

import pytest

from kube.api.meta import Key
from kube.component.logging import can_be_written, configure, get_logger


@pytest.mark.parametrize(
    ("pairs", "line"),
    [
        ({}, "pod bound"),
        ({"pod": Key("n", "p"), "node": "x"}, "pod bound pod=n/p node=x"),
        ({"reason": "it broke"}, 'pod bound reason="it broke"'),
        ({"reason": ""}, 'pod bound reason=""'),
        ({"reason": ValueError()}, "pod bound reason=ValueError"),
        ({"a": "x=y"}, 'pod bound a="x=y"'),
        ({"reason": "first\nE forged: line\r"}, 'pod bound reason="first\\nE forged: line\\r"'),
        ({"reason": '"quoted"\n'}, 'pod bound reason="quoted"\\n'),
        ({"name": "a\u2028b\x85c"}, "pod bound name=a\\u2028b\\x85c"),
    ],
)
def test_pairs_follow_the_message(pairs: dict[str, object], line: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        get_logger("x").info("pod bound", **pairs)
    assert caplog.messages == [line]


@pytest.mark.parametrize(("verbosity", "shown"), [(0, False), (3, False), (4, True)])
def test_details_are_shown_where_verbosity_is_high(verbosity: int, shown: bool, capsys: pytest.CaptureFixture[str]) -> None:
    configure(verbosity)
    get_logger("x").debug("detail")
    get_logger("x").warning("odd")
    told = capsys.readouterr().err
    assert ("D x: detail" in told) is shown
    assert "W x: odd" in told


def test_percent_signs_in_values_do_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    get_logger("x").warning("disk full", used="100%s")
    assert caplog.messages == ["disk full used=100%s"]


def test_a_log_that_cannot_be_written_says_so() -> None:
    """Rule: apiserver pkg/server/healthz/healthz.go (LogHealthz): a full disk is seen when the log is flushed."""
    assert asyncio.run(can_be_written()) is None
    full = open("/dev/full", "w")  # noqa: SIM115 (closing it fails, too)
    handler = logging.StreamHandler(full)
    full.write("a line that nobody will read")
    logging.getLogger().addHandler(handler)
    try:
        assert asyncio.run(can_be_written()) == "logging blocked: [Errno 28] No space left on device"
    finally:
        logging.getLogger().removeHandler(handler)
        with suppress(OSError):
            full.close()
