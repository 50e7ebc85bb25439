"""Descriptions, against what upstream's kubectl 1.37 printed of the same objects (described/*.txt of described/*.json)."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubectl.describe import Around, describe
from kubectl.describe.generic import words

FOLDER = Path(__file__).parent / "described"


@pytest.fixture
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are shown in the machine's zone."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.usefixtures("in_utc")
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_an_object_is_described_as_upstream_describes_it(path: Path) -> None:
    """Rule: kubectl describe (kubernetes/kubectl pkg/describe)."""
    tree = json.loads(path.read_text())
    group = tree["apiVersion"].rpartition("/")[0]
    described = describe(group, tree["kind"], tree, Around(datetime(2026, 11, 22, tzinfo=UTC)))
    assert described.splitlines() == path.with_suffix(".txt").read_text().splitlines()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        *(
            ("creationTimestamp", "Creation Timestamp"),
            ("podIP", "Pod IP"),
            ("nonResourceURLs", "Non Resource URLs"),
            ("uid", "UID"),
        ),
        *(("dnsPolicy", "Dns Policy"), ("apiVersion", "API Version"), ("a-b", "a-b")),
    ],
)
def test_a_fields_name_is_shown_in_words(name: str, shown: str) -> None:
    assert words(name) == shown
