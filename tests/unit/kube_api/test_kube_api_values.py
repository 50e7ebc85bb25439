"""Quantities, names, durations, selectors, hashes, addresses, schedules: tables of what is and is not."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kube.api import cron, duration, fields, intstr, labels, names, quantity, schema
from kube.api.hash import safe_encode, safe_hash
from kube.api.network_address import cidr_complaints, host_port, ip_complaints
from kube.api.types import LabelSelector, LabelSelectorRequirement


@pytest.mark.parametrize(
    ("text", "amount", "canonical"),
    [
        ("0", "0", "0"), ("1", "1", "1"), ("1000m", "1", "1"), ("1500m", "1.5", "1500m"), ("0.5", "0.5", "500m"),
        ("1024Mi", str(2**30), "1Gi"), ("1.5Gi", str(3 * 2**29), "1536Mi"), ("2e3", "2000", "2e3"), ("1000", "1000", "1k"),
        ("12E2", "1200", "1200"), ("100Ki", "102400", "100Ki"), ("-1", "-1", "-1"), ("+5", "5", "5"), (".5", "0.5", "500m"),
        ("1n", "0.000000001", "1n"), ("0.1n", "0.000000001", "1n"), ("512", "512", "512"), ("3Ei", str(3 * 2**60), "3Ei"),
        ("1Ki", "1024", "1Ki"),
        ("1.5", "1.5", "1500m"), ("1025Ki", "1049600", "1025Ki"),
        ("1.0009765625Ki", "1025", "1025"), ("0.5Ki", "512", "512"), ("0Ki", "0", "0"),
    ],
)  # fmt: skip
def test_quantities_have_one_canonical_form(text: str, amount: str, canonical: str) -> None:
    """Rule: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/"""
    assert quantity.parse(text) == Decimal(amount)
    assert quantity.canonical(text) == canonical
    assert quantity.parse(quantity.canonical(text)) == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "kept"),
    [("1n", "1m"), ("1500u", "2m"), ("1e-10", "1e-3"), ("5e50", "500e48"), ("0.5Gi", "512Mi"), ("9Ei", str(2**63 - 1))],
)
def test_a_list_of_resources_has_no_less_than_thousandths(text: str, kept: str) -> None:
    """Rule: kubernetes pkg/apis/core/v1 SetDefaults_ResourceList; apimachinery resource.ParseQuantity"""
    assert quantity.in_millis(text) == kept
    pod = {"spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": text}}}], "overhead": {"cpu": text}}}
    schema.check("io.k8s.api.core.v1.Pod", pod)
    assert pod["spec"]["overhead"] == {"cpu": kept} == pod["spec"]["containers"][0]["resources"]["limits"]


@pytest.mark.parametrize("text", ["", "x", "1e1000000000", "1 ", "1Gib", "1e", "--1", "1.2.3", "0x1"])
def test_what_is_no_quantity_is_refused_in_upstreams_words(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        quantity.parse(text)
    assert not quantity.is_valid(text)


@given(st.integers(0, 10**15), st.sampled_from(["", "m", "k", "M", "Ki", "Mi", "Gi"]))
def test_canonical_is_canonical(number: int, suffix: str) -> None:
    once = quantity.canonical(f"{number}{suffix}")
    assert quantity.canonical(once) == once
    assert quantity.parse(once) == quantity.parse(f"{number}{suffix}")


def test_amounts_are_rounded_up_to_whole_units() -> None:
    assert quantity.milli("0.1m") == 1
    assert quantity.milli("2") == 2000
    assert quantity.value("100m") == 1
    assert quantity.value(3) == 3
    assert quantity.add("1", "500m") == "1500m"
    assert quantity.add("0", "1Gi") == "1Gi"
    assert not quantity.is_valid(True)
    assert not quantity.is_valid(None)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (names.label, "my-name", ["", "My", "-a", "a-", "a.b", "a" * 64]),
        (names.subdomain, "a.b-c.d", ["", "A", "a..b", ".a", "a" * 254]),
        (names.label1035, "a1", ["1a", "", "A", "a" * 64]),
        (names.path_segment, "system:node", [".", "..", "a/b", "a%b"]),
        (names.qualified, "example.com/My_Name", ["", "/a", "a/b/c", "a/", "-a", "Ex/x", "a" * 64]),
        (names.label_value, "", ["-", "a b", "a" * 64]),
        (names.config_key, "a.b_C", ["", ".", "..", "..a", "a/b"]),
        (names.env_name, "1MY.env-1 x", ["a=b", "\u00e9"]),
        (names.port_name, "http", ["", "a" * 16, "1", "A", "a--b", "-a", "a-"]),
    ],
)
def test_names_are_good_or_told_why_not(check: object, good: str, bad: list[str]) -> None:
    """Rule: apimachinery pkg/util/validation"""
    assert callable(check)
    assert list(check(good)) == []
    for text in bad:
        assert list(check(text)), text


def test_generated_names_are_cut_and_end_in_five_safe_letters() -> None:
    name = names.generate("x" * 80, lambda letters: letters[0])
    assert name == "x" * 58 + "bbbbb"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (-1, "0s"), (-2, "<invalid>"), (119, "119s"), (120, "2m"), (150, "2m30s"), (599, "9m59s"), (600, "10m"),
        (10799, "179m"), (10800, "3h"), (10860, "3h1m"), (28800, "8h"), (172799, "47h"), (172800, "2d"), (180000, "2d2h"),
        (691200, "8d"), (63072000, "2y"), (66000000, "2y33d"), (252288000, "8y"),
    ],
)  # fmt: skip
def test_ages_are_told_ever_coarser(seconds: float, text: str) -> None:
    """Rule: apimachinery pkg/util/duration HumanDuration"""
    assert duration.human(seconds) == text


def test_go_durations() -> None:
    assert duration.parse_go("1h30m") == 5400
    assert duration.parse_go("-1.5s") == -1.5
    assert duration.parse_go("0") == 0
    assert duration.parse_go("300ms") == pytest.approx(0.3)
    for text in ("", "1", "s", "1x", "1h 2m"):
        with pytest.raises(ValueError, match=r"(invalid|missing unit in|unknown unit .* in) duration"):
            duration.parse_go(text)


def test_percentages_are_rounded_as_asked() -> None:
    assert intstr.resolve("25%", 10, round_up=True) == 3
    assert intstr.resolve("25%", 10, round_up=False) == 2
    assert intstr.resolve(7, 10, round_up=True) == 7
    with pytest.raises(ValueError, match="not a percentage"):
        intstr.resolve("x", 10, round_up=True)


LABELS = {"app": "web", "tier": "front", "n": "5"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True), ("app=web", True), ("app==web", True), ("app!=web", False), ("none!=x", True), ("app", True), ("!app", False),
        ("!none", True), ("app in (web, x)", True), ("app notin (web)", False), ("none notin (web)", True), ("n>4", True),
        ("n<4", False), ("n>9", False), ("app>1", False), ("app=web,tier=back", False), ("app=web , tier in (front)", True),
        ("app in (,x)", False), ("none=", False),
    ],
)  # fmt: skip
def test_label_selectors(text: str, matches: bool) -> None:
    """Rule: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors"""
    selector = labels.parse(text)
    assert selector.matches(LABELS) is matches
    assert labels.parse(str(selector)) == selector


REQUIREMENT = "unable to parse requirement: "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a in", REQUIREMENT + "found '' expected: '('"), ("a in x", REQUIREMENT + "found 'x' expected: '('"),
        ("a in (x", REQUIREMENT + "found '', expected: ',' or ')'"),
        ("a in (x,", REQUIREMENT + "found '', expected: ',', or identifier"),
        ("a in (", REQUIREMENT + "found '', expected: ',', ')' or identifier"),
        ("a in (x y)", REQUIREMENT + "found 'y', expected: ',' or ')'"),
        ("a in (=", REQUIREMENT + "found '=', expected: ',', ')' or identifier"),
        ("a,", "found '', expected: identifier after ','"), ("a=b,,c", "found ',', expected: identifier after ','"),
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("=x", "found '=', expected: !, identifier, or 'end of string'"),
        ("!", REQUIREMENT + "found '', expected: identifier"), ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("a===b", REQUIREMENT + "found '=', expected: identifier"), ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a ~ b", REQUIREMENT + "found '~', expected: in, notin, =, ==, !=, gt, lt"),
        ("n gt 4", REQUIREMENT + "found 'gt', expected: in, notin, =, ==, !=, gt, lt"),
        ("a>x", REQUIREMENT + "values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"),
    ],
)  # fmt: skip
def test_bad_label_selectors_are_refused(text: str, message: str) -> None:
    """Rule: apimachinery pkg/labels/selector.go (Parser)"""
    with pytest.raises(ValueError, match=r".+") as refusal:
        labels.parse(text)
    assert str(refusal.value) == message


@pytest.mark.parametrize("text", ["a=-b", "-a", "a in (-b,c)"])
def test_keys_and_values_of_label_selectors_are_those_of_labels(text: str) -> None:
    with pytest.raises(ValueError, match="consist of alphanumeric characters"):
        labels.parse(text)


def test_selector_objects() -> None:
    view = LabelSelector(
        matchLabels={"app": "web"}, matchExpressions=[LabelSelectorRequirement(key="tier", operator="In", values=["front"])]
    )
    selector = labels.from_label_selector(view)
    assert str(selector) == "app=web,tier in (front)"
    assert selector.matches(LABELS)
    assert not selector.matches(None)
    assert labels.from_label_selector({}).empty
    assert labels.from_label_selector({}).matches(None)
    assert not labels.from_label_selector(None).matches(LABELS)
    assert labels.from_map({"app": "web"}).matches(LABELS)
    assert labels.from_map(None) == labels.nothing()
    assert labels.everything().matches({})
    assert not labels.nothing().empty


def test_field_selectors() -> None:
    selector = fields.parse(r"status.phase=Running,metadata.name!=x,a==b\,c\=d")
    values = {"status.phase": "Running", "metadata.name": "y", "a": "b,c=d"}
    assert selector.matches(lambda name: values.get(name, ""))
    assert selector.exactly("status.phase") == "Running"
    assert selector.exactly("metadata.name") is None
    assert str(fields.parse(str(selector))) == str(selector)
    assert fields.parse("").empty
    for text, message in (
        ("x", "invalid selector: 'x'; can't understand 'x'"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        (r"a=b\c", r"invalid field selector: invalid escape sequence: \c"),
    ):
        with pytest.raises(ValueError, match="invalid") as refusal:
            fields.parse(text)
        assert str(refusal.value) == message


def test_hashes_are_stable_and_in_the_safe_alphabet() -> None:
    one = safe_hash({"a": 1, "b": [2]})
    assert one == safe_hash({"b": [2], "a": 1})
    assert set(one) <= set(names.SAFE_ALPHABET)
    assert one != safe_hash({"a": 1, "b": [2]}, collisions=1)
    assert safe_encode("0") in names.SAFE_ALPHABET


def test_addresses() -> None:
    assert ip_complaints("10.0.0.1") == []
    assert ip_complaints("10.0.0")
    assert cidr_complaints("10.0.0.0/8") == []
    assert cidr_complaints("10.0.0.0")
    assert cidr_complaints("x/8")
    assert host_port("fd00::1", 80) == "[fd00::1]:80"
    assert host_port("1.2.3.4", 80) == "1.2.3.4:80"


@pytest.mark.parametrize(
    ("schedule", "after", "next_time"),
    [
        ("* * * * *", "2026-01-01T00:00:30", "2026-01-01T00:01:00"),
        ("*/15 * * * *", "2026-01-01T00:01:00", "2026-01-01T00:15:00"),
        ("0 9-17/4 * * mon-fri", "2026-01-02T18:00:00", "2026-01-05T09:00:00"),
        ("0 0 1 jan *", "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
        ("0 0 13 * 5", "2026-01-01T00:00:00", "2026-01-02T00:00:00"),
        ("@hourly", "2026-01-01T00:30:00", "2026-01-01T01:00:00"),
        ("@every 90s", "2026-01-01T00:00:00", "2026-01-01T00:01:30"),
        ("5,10/30 * * * ?", "2026-01-01T00:11:00", "2026-01-01T00:40:00"),
        ("0 0 * * 0", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
    ],
)
def test_cron_schedules(schedule: str, after: str, next_time: str) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax"""
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert cron.parse(schedule).next(moment) == datetime.fromisoformat(next_time).replace(tzinfo=UTC)


def test_a_day_that_never_comes_has_no_next_time() -> None:
    assert cron.parse("0 0 30 2 *").next(datetime(2026, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize("text", ["", "* * * *", "60 * * * *", "* * 0 * *", "5-1 * * * *", "*/0 * * * *", "x * * * *", "@never"])
def test_bad_schedules_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        cron.parse(text)
