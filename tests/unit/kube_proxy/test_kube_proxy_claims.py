"""Who holds which slot, and what changes."""

from hypothesis import given
from hypothesis import strategies as st

from kube_proxy.claims import Change, Claims, merged

OWNERS, SLOTS, VALUES = st.integers(0, 4), st.sampled_from("abcd"), st.integers(1, 3)
STEPS = st.lists(st.tuples(OWNERS, st.dictionaries(SLOTS, VALUES)), max_size=20)
Some = Claims[int, str, int]


def test_slot_is_there_as_long_as_somebody_claims_it() -> None:
    claims: Some = Claims()
    assert claims.claim(1, {"a": 1}) == [Change("a", None, 1)]
    assert claims.claim(2, {"a": 1}) == []
    assert claims.claim(1, {}) == []
    assert claims.claim(2, {}) == [Change("a", 1, None)]


def test_first_owner_in_order_gets_a_slot_that_two_want_differently() -> None:
    """Two Services with one external IP and port: one of them has it, always the same, until it goes."""
    claims: Some = Claims()
    claims.claim(2, {"a": 2})
    assert claims.claim(1, {"a": 1}) == [Change("a", 2, 1)]
    assert claims.claim(1, {}) == [Change("a", 1, 2)]


@given(STEPS)
def test_changes_one_by_one_lead_to_what_building_anew_leads_to(steps: list[tuple[int, dict[str, int]]]) -> None:
    claims: Some = Claims()
    followed: dict[str, int] = {}
    for owner, wanted in steps:
        for slot, old, new in claims.claim(owner, wanted):
            assert followed.get(slot) == old != new
            if new is None:
                del followed[slot]
            else:
                followed[slot] = new
    anew, at_once = Claims[int, str, int](), Claims[int, str, int]()
    for owner, wanted in dict(steps).items():
        anew.claim(owner, wanted)
    at_once.claim_all(steps)
    assert followed == dict(claims.items()) == dict(anew.items()) == dict(at_once.items())
    for owner in claims.owners():
        assert sorted(anew.claim(owner, {})) == sorted(at_once.claim(owner, {}))


@given(STEPS)
def test_merged_changes_lead_to_the_same_state_with_one_change_a_slot(steps: list[tuple[int, dict[str, int]]]) -> None:
    claims: Some = Claims()
    claims.claim(9, {"a": 1, "b": 2})
    before = dict(claims.items())
    changes = merged([change for owner, wanted in steps for change in claims.claim(owner, wanted)])
    assert len({change.slot for change in changes}) == len(changes)
    after = {change.slot: change.new for change in changes}
    assert {slot: value for slot, value in {**before, **after}.items() if value is not None} == dict(claims.items())


def test_slot_of_thousands_stays_cheap_when_they_go_in_order() -> None:
    claims: Some = Claims()
    for owner in range(5000):
        claims.claim(owner, {"shared": 1})
    for owner in range(4999):
        assert claims.claim(owner, {}) == []
    assert claims.claim(4999, {}) == [Change("shared", 1, None)]
