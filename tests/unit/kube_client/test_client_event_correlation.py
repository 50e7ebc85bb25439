"""Event correlation: counting, gathering, cutting. Rule: client-go tools/record/events_cache.go"""

from typing import Any

from kube.api.meta import Key
from kube.client.event_correlation import BURST, COMBINED, SIMILAR_LIMIT, SIMILAR_SECONDS, Correlator, Verdict


def an_event(message: str = "m", *, name: str = "x", reason: str = "R", field: str = "") -> dict[str, Any]:
    about = {"kind": "Pod", "namespace": "n", "name": name, "uid": f"{name}-uid", "apiVersion": "v1", "fieldPath": field}
    return {"involvedObject": about, "type": "Normal", "reason": reason, "message": message}


def judged(correlator: Correlator, event: dict[str, Any], now: float = 0.0) -> Verdict:
    verdict = correlator.judge(event, now)
    assert verdict is not None
    return verdict


def test_first_event_is_made_and_the_same_again_counts_it_up() -> None:
    correlator = Correlator()
    first = judged(correlator, an_event())
    assert (first.key, first.count) == (None, 1)
    correlator.told(first, Key("n", "e"))
    again = judged(correlator, an_event(), now=1)
    assert (again.key, again.count, again.message) == (Key("n", "e"), 2, "m")


def test_another_object_reason_message_or_container_is_another_event() -> None:
    correlator = Correlator()
    correlator.told(judged(correlator, an_event()), Key("n", "e"))
    for other in (an_event(name="y"), an_event(reason="S"), an_event("other"), an_event(field="spec.containers{c}")):
        assert judged(correlator, other).key is None


def test_messages_that_keep_differing_are_gathered_in_one_event() -> None:
    correlator = Correlator()
    for number in range(SIMILAR_LIMIT - 1):
        assert judged(correlator, an_event(f"m{number}")).message == f"m{number}"
    tenth = judged(correlator, an_event("m10"))
    assert (tenth.message, tenth.key) == (f"{COMBINED}m10", None)
    correlator.told(tenth, Key("n", "combined"))
    eleventh = judged(correlator, an_event("m11"))
    assert (eleventh.message, eleventh.key, eleventh.count) == (f"{COMBINED}m11", Key("n", "combined"), 2)


def test_message_from_before_the_gathering_still_counts_its_own_event() -> None:
    correlator = Correlator()
    correlator.told(judged(correlator, an_event("m0")), Key("n", "e0"))
    for number in range(1, SIMILAR_LIMIT + 1):
        correlator.judge(an_event(f"m{number}"), 0)
    assert judged(correlator, an_event("m0")).key == Key("n", "e0")


def test_silence_ends_the_gathering() -> None:
    correlator = Correlator()
    for number in range(SIMILAR_LIMIT):
        correlator.judge(an_event(f"m{number}"), 0)
    assert judged(correlator, an_event("later"), now=SIMILAR_SECONDS + 1).message == "later"


def test_flood_about_one_object_is_cut_and_others_are_not() -> None:
    correlator = Correlator()
    assert all(correlator.judge(an_event(), 0) for _ in range(BURST))
    assert correlator.judge(an_event(), 0) is None
    assert correlator.judge(an_event(name="y"), 0) is not None


def test_one_event_in_five_minutes_gets_through_and_tells_the_whole_count() -> None:
    correlator = Correlator()
    for _ in range(BURST + 5):
        correlator.judge(an_event(), 0)
    assert judged(correlator, an_event(), now=301).count == BURST + 6
    assert correlator.judge(an_event(), 302) is None
