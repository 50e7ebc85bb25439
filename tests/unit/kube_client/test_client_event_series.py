"""Event series: what is the same again, and when it is told. Rule: client-go tools/events/event_broadcaster.go (KEP-383)"""

from typing import Any

from kube.client.event_series import FINISH_SECONDS, REFRESH_SECONDS, REMEMBERED, SeriesBook


def an_event(note: str = "n", *, name: str = "x", reason: str = "R", at: str = "t0") -> dict[str, Any]:
    return {"eventTime": at, "type": "Normal", "action": "A", "reason": reason, "regarding": {"name": name}, "note": note}


def test_the_second_time_begins_a_series_and_the_third_is_only_counted() -> None:
    book = SeriesBook()
    first = book.tell(an_event(), 0)
    assert first is not None
    assert "series" not in first.event
    again = book.tell(an_event("another note", at="t1"), 1)
    assert again is not None
    assert again.event == {**an_event(), "series": {"count": 2, "lastObservedTime": "t1"}}
    assert book.tell(an_event(at="t2"), 2) is None
    assert book.tell(an_event(reason="other"), 3) is not None
    assert book.tell(an_event(name="y"), 3) is not None


def test_a_series_is_written_when_it_ends_and_every_half_hour() -> None:
    book = SeriesBook()
    for now in range(3):
        book.tell(an_event(at=f"t{now}"), now)
    book.tell(an_event(name="once"), 0)
    assert book.due(2 + FINISH_SECONDS) == []
    (ended,) = book.due(3 + FINISH_SECONDS)
    assert ended.event["series"] == {"count": 3, "lastObservedTime": "t2"}
    fresh = book.tell(an_event(), 4 + FINISH_SECONDS)
    assert fresh is not None
    assert fresh.count == 1, "what comes after its end is a new event"
    for now in range(0, int(REFRESH_SECONDS) + 600, 300):
        book.tell(an_event(name="often"), now)
        written = [told.event["regarding"]["name"] for told in book.due(now)]
        assert written == (["often"] if now == REFRESH_SECONDS + 300 else [])


def test_what_was_done_longest_ago_is_forgotten() -> None:
    book = SeriesBook()
    for number in range(REMEMBERED + 1):
        book.tell(an_event(name=str(number)), number)
    first = book.tell(an_event(name="0"), REMEMBERED)
    last = book.tell(an_event(name=str(REMEMBERED)), REMEMBERED)
    assert first is not None
    assert last is not None
    assert (first.count, last.count) == (1, 2)
