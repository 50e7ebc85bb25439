"""docs/compat.md says what the tests show."""

from tests.compat import PAGE, page, shown


def test_the_page_names_every_behaviour_that_a_test_shows() -> None:
    """Rule: a claim without a test is none. `python -m tests.compat` writes the table."""
    assert PAGE.read_text() == page(PAGE.read_text())


def test_each_name_is_written_as_the_suite_has_it() -> None:
    """Rule: names in conformance.yaml begin with their group and end in [Conformance]."""
    assert shown()
    assert all(behaviour.startswith("[sig-") and behaviour.endswith("[Conformance]") for behaviour in shown())
