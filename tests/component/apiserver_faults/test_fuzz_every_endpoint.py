"""Every operation of the server's own OpenAPI documents, called with what schemathesis makes of its description.

Half of the calls are as they come: they try paths, parameters and media types. In the other half the path names a place that
there is and the body names its kind and object, so that decoding, admission, validation and storage get to see what is inside.
Seeds are fixed: a failure comes again. Afterwards every kind must be listed, as objects and as tables: nothing that was let in
may spoil what others read.
https://schemathesis.readthedocs.io/
"""

import asyncio
import json
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from kube.api.resources import RESOURCES
from tests.component.apiserver_faults.raw_http import Answer, ask
from tests.component.conftest import RunningApi

EXAMPLES = 4  # of each operation
VERSIONS = sorted({(row.group, row.version) for row in RESOURCES})
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
WRITTEN = frozenset(("POST", "PUT", "PATCH", "DELETE"))
UNREACHABLE = 503  # a proxy's target
TOO_EARLY = 504  # a resourceVersion that has not come


@pytest.mark.timeout(300)  # the core group has as many endpoints as all others
@pytest.mark.parametrize(("group", "version"), VERSIONS)
def test_no_call_makes_the_server_fail(runner: asyncio.Runner, apiserver: RunningApi, group: str, version: str) -> None:
    """Rule: behaviour E.1: always a Status, never a 500."""
    path = f"apis/{group}/{version}" if group else f"api/{version}"
    document = runner.run(ask(apiserver.url, "GET", f"/openapi/v3/{path}")).tree
    calls = 0
    for operation in operations(document):
        for call in examples(operation):
            answer = runner.run(sent(apiserver, call))
            calls += 1
            assert acceptable(call, answer), f"{operation.label}: {call}\n{answer}"
    assert calls > 0
    for row in RESOURCES:
        if row.group == group and "list" in row.verbs:
            for accept in ("application/json", TABLE):
                listed = runner.run(ask(apiserver.url, "GET", f"/{path}/{row.plural}", headers={"Accept": accept}))
                assert listed.status == 200, f"{row.plural} as {accept}: {listed}"


def operations(document: Any) -> Iterator[Any]:
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


def examples(operation: Any) -> list[Any]:
    """The calls to make of one operation; always the same."""
    calls: list[Any] = []
    kind = (operation.definition.raw.get("x-kubernetes-group-version-kind") or {}) | {}

    @seed(zlib.crc32(operation.label.encode()))
    @settings(max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE), placed=st.booleans())
    def collect(case: Any, placed: bool) -> None:
        calls.append(call_of(case, kind, placed or len(calls) % 2 == 1))

    collect()
    return calls


def call_of(case: Any, kind: dict[str, str], placed: bool) -> tuple[str, str, bytes | None, dict[str, str]]:
    """Method, target, body and headers."""
    if placed:
        case.path_parameters = {name: {"namespace": "default", "name": "fuzzed"}.get(name, "x") for name in case.path_parameters}
    query = {
        name: str(value) for name, value in (case.query or {}).items() if not (placed and name in ("dryRun", "fieldValidation"))
    }
    body = case.body if isinstance(case.body, dict | list | str | int | float | bool) else None
    media = case.media_type or "application/json"
    if placed and isinstance(body, dict) and kind:
        version = f"{kind['group']}/{kind['version']}" if kind["group"] else kind["version"]
        metadata = body.get("metadata") if isinstance(body.get("metadata"), dict) else {}
        known = {name: value for name, value in metadata.items() if name not in ("uid", "resourceVersion", "namespace")}
        body |= {"apiVersion": version, "kind": kind["kind"], "metadata": known | {"name": "fuzzed"}}
        media = "application/merge-patch+json" if case.method == "PATCH" else "application/json"
    target = case.formatted_path + (f"?{urlencode(query, errors='replace')}" if query else "")
    data = None if body is None or case.method not in WRITTEN else json.dumps(body, ensure_ascii=False).encode(errors="replace")
    return case.method, target, data, {"Content-Type": media} if data is not None else {}


async def sent(apiserver: RunningApi, call: tuple[str, str, bytes | None, dict[str, str]]) -> Answer:
    method, target, body, headers = call
    return await ask(apiserver.url, method, target, body, headers, stream=True)


def acceptable(call: Any, answer: Answer) -> bool:
    if answer.status == TOO_EARLY:
        return b"ResourceVersionTooLarge" in answer.body
    if answer.status == UNREACHABLE:
        return "/proxy" in call[1] and answer.is_status()
    return 100 <= answer.status < 400 or (answer.status < 500 and (answer.is_status() or call[0] == "HEAD"))
