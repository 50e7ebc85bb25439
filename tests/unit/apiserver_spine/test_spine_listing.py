"""What list parameters ask for, and the bytes that are served."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.handlers.body import parse_json
from apiserver.storage import codec
from apiserver.storage.listing import Freshness, decode_token, encode_token, parse_ask
from apiserver.storage.watch_cache import Selection
from kube.api.status import BadRequest, Invalid

ALL = Selection("/registry/pods/")


@pytest.mark.parametrize(
    ("version", "match", "limit", "freshness"),
    [
        ("", "", 0, Freshness.NEWEST),
        ("0", "", 0, Freshness.ANY),
        ("0", "", 500, Freshness.ANY),
        ("7", "", 0, Freshness.NOT_OLDER),
        ("7", "", 500, Freshness.EXACT),
        ("7", "Exact", 0, Freshness.EXACT),
        ("7", "NotOlderThan", 500, Freshness.NOT_OLDER),
    ],
)
def test_versions_mean_what_upstreams_table_says(version: str, match: str, limit: int, freshness: Freshness) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list"""
    assert parse_ask(ALL, version, match, limit, "").freshness is freshness


@pytest.mark.parametrize(
    ("version", "match", "token", "text"),
    [
        ("", "Exact", "", "resourceVersionMatch is forbidden unless resourceVersion is provided"),
        ("7", "Exact", "x", "resourceVersionMatch is forbidden when continue is provided"),
        ("0", "Exact", "", 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
        ("7", "Near", "", 'Unsupported value: "Near"'),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(version: str, match: str, token: str, text: str) -> None:
    """Rule: apimachinery pkg/apis/meta/internalversion/validation"""
    with pytest.raises(Invalid, match=text):
        parse_ask(ALL, version, match, 0, token)


@given(st.just(-1) | st.integers(min_value=1, max_value=2**62), st.text(min_size=1, max_size=50))
def test_a_token_comes_back_as_it_went(revision: int, start: str) -> None:
    assert decode_token(encode_token(revision, start)) == (revision, start)


@pytest.mark.parametrize("token", ["!", "e30", "x" * 7])
def test_a_token_of_another_server_is_refused(token: str) -> None:
    with pytest.raises(BadRequest, match="continue key is not valid"):
        decode_token(token)


TREES = st.fixed_dictionaries(
    {
        "apiVersion": st.text(),
        "kind": st.text(),
        "metadata": st.dictionaries(st.text(), st.text(), max_size=3).map(lambda more: {"name": "a", **more}),
        "spec": st.dictionaries(st.text(), st.integers(-(2**53), 2**53) | st.text() | st.lists(st.text()), max_size=4),
    }
)


@given(TREES, st.integers(1, 2**62), st.integers(1, 2**62))
def test_splicing_the_version_equals_setting_it(tree: dict[str, object], first: int, second: int) -> None:
    stored = codec.encode(tree)
    once = codec.served(stored, first)
    assert orjson.loads(once) == at(stored, first)
    assert orjson.loads(codec.served(once, second)) == at(stored, second)
    by_another_hand = orjson.dumps(tree)
    assert orjson.loads(codec.served(by_another_hand, first)) == at(stored, first)


def at(stored: bytes, revision: int) -> dict[str, Any]:
    tree: dict[str, Any] = orjson.loads(stored)
    tree["metadata"]["resourceVersion"] = str(revision)
    return tree


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('{"a":1,"b":{"c":[1,{"d":2}]}}', []),
        ('{ "a": 1, "b": 1.50 }', []),
        ('{"a":1,"a":2}', ['duplicate field "a"']),
        ('{"a":{"b":1,"b":2},"l":[{"x":1},{"x":1,"x":2}]}', ['duplicate field "a.b"', 'duplicate field "l[1].x"']),
    ],
)
def test_duplicate_fields_are_found_by_path(text: str, paths: list[str]) -> None:
    assert parse_json(text.encode())[1] == paths
