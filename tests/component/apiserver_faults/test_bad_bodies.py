"""Bodies that no client should send. Each gets its Status at once, and the server serves on."""

import asyncio
import gzip

import pytest

from tests.component.apiserver_faults.raw_http import Answer, ask
from tests.component.conftest import RunningApi

PATH = "/api/v1/namespaces/default/configmaps"
ONE = f"{PATH}/kube-root"
YAML = "application/yaml"
JSON_PATCH, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
MIB = 1024 * 1024


def config_map(more: bytes = b"", name: bytes = b"kube-root") -> bytes:
    return b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"' + name + b'"}' + more + b"}"


UNREADABLE = "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: "
TYPE_META = r'Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
NO_CONFIG_MAP = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: '
REJECTED = "the server rejected our request due to an error in our request"
CREATES: dict[str, tuple[bytes, int, str]] = {
    "empty": (b"", 400, UNREADABLE + "unexpected end of JSON input (<empty>)"),
    "truncated": (config_map()[:-5], 400, UNREADABLE + 'unexpected end of JSON input ({"apiVersion":"v1","kind":"Con ...)'),
    "more than one": (config_map() + config_map(), 400, UNREADABLE + "invalid character '{' after top-level value"),
    "text": (b"hello", 400, UNREADABLE + "invalid character 'h' looking for beginning of value (68656c6c6f)"),
    "no object": (b"[]", 400, UNREADABLE + f"json: cannot unmarshal array into {TYPE_META} (5b5d)"),
    "null": (b"null", 422, "metadata.name: Required value: name or generateName is required"),
    "a list as metadata": (b'{"metadata":[]}', 400, "cannot unmarshal array into Go struct field ConfigMap.metadata"),
    "a number as kind": (b'{"kind":5}', 400, UNREADABLE + "json: cannot unmarshal number into Go struct field .kind of"),
    "another kind": (
        b'{"kind":"Pod"}', 400,
        'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion',
    ),
    "an unknown kind": (
        b'{"kind":"Nothing"}', 400,
        'Nothing in version "v1" cannot be handled as a ConfigMap: no kind "Nothing" is registered for version "v1" in scheme',
    ),
    "another version": (
        b'{"apiVersion":"apps/v1","kind":"Deployment"}', 400,
        "the API version in the data (apps/v1) does not match the expected API version (v1)",
    ),
    "a number as name": (b'{"metadata":{"name":5}}', 400, "cannot unmarshal number into Go struct field ObjectMeta.metadata.name"),
    "no name": (b'{"metadata":null}', 422, "metadata.name: Required value"),
    "a null byte in a name": (b'{"metadata":{"name":"a\\u0000"}}', 422, r'metadata.name: Invalid value: "a\x00"'),
    "a null byte": (b'{"metadata":{"name":"a\x00"}}', 400, UNREADABLE + r"invalid character '\x00' in string literal"),
    "brackets": (b"[" * 1_000_000, 400, "depth limit exceeded"),
    "brackets that close": (b"[" * 500 + b"]" * 500, 400, "exceeded max depth"),
    "nested lists": (b"[" * 500_000 + b"]" * 500_000, 400, "depth limit exceeded"),
    "nested objects": (config_map(b',"x":' + b'{"a":' * 300 + b"1" + b"}" * 300), 400, "exceeded max depth"),
    "a number of 5,000 digits": (config_map(b',"x":' + b"9" * 5000), 400, "json: cannot unmarshal number 999"),
    "a number beyond 64 bits": (b'{"metadata":{"name":"a","generation":' + b"9" * 30 + b"}}", 400, "of type int64"),
    "infinity": (b'{"metadata":{"generation":1e400}}', 400, "json: cannot unmarshal number 1e400 into Go value of type float64"),
    "not a number": (config_map(b',"x":NaN'), 400, UNREADABLE + "invalid character 'N' looking for beginning of value"),
    "invalid UTF-8 in a name": (b'{"metadata":{"name":"a\xff"}}', 422, 'metadata.name: Invalid value: "a�"'),
    "UTF-16": (config_map().decode().encode("utf-16"), 400, UNREADABLE + "invalid character 'ÿ' looking for beginning of value"),
    "4 MiB": (b" " * 4 * MIB, 413, "Request entity too large: limit is 3145728"),
    "2 MiB of data": (config_map(b',"data":{"a":"' + b"x" * 2 * MIB + b'"}'), 422, "Too long: may not be more than 1048576 bytes"),
    "nothing readable as owner": (b'{"metadata":{"ownerReferences":["a"]}}', 400, "cannot unmarshal string"),
    "an owner without a uid": (
        b'{"metadata":{"name":"a","ownerReferences":[{"kind":"x"}]}}', 422,
        "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty",
    ),
    "text as a boolean": (config_map(b',"immutable":"yes"'), 400, NO_CONFIG_MAP + "json: cannot unmarshal string into Go"),
    "no base64": (config_map(b',"binaryData":{"a":"***"}'), 400, NO_CONFIG_MAP + "illegal base64 data at input byte 0"),
    "a version": (
        b'{"metadata":{"name":"a","resourceVersion":"1"}}', 400, "resourceVersion should not be set on objects to be created"
    ),
    "another namespace": (
        b'{"metadata":{"name":"a","namespace":"b"}}', 400,
        "the namespace of the provided object does not match the namespace sent on the request",
    ),
}  # fmt: skip
YAMLS: dict[str, tuple[bytes, int, str]] = {
    "billion laughs": (
        b"a: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in b"bcdefgh"),
        400,
        "document contains excessive aliasing",
    ),
    "an object within itself": (b"metadata: &a {name: x, y: *a}", 400, "unknown anchor 'a' referenced"),
    "nested lists": (b"a: " + b"[" * 5000 + b"]" * 5000, 400, "exceeded max depth"),
    "nesting by aliases": (
        b"a: &a " + b"[" * 150 + b"]" * 150 + b"\nb: " + b"[" * 150 + b"*a" + b"]" * 150,
        400,
        "exceeded max depth",
    ),
    "a Python object": (b"metadata: !!python/object/apply:os.getcwd []", 400, "unknown tag"),
    "not a number": (b"metadata: {name: a}\nx: .nan", 400, "unsupported value: .nan"),
    "a number of 5,000 digits": (b"x: " + b"9" * 5000, 400, "unsupported value"),
    "a list as key": (b"? [a]\n: b", 400, "invalid map key"),
    "invalid UTF-8": (b'metadata: "\xff"', 400, "(must be of type ConfigMap): yaml: "),
    "a tab": (b"\tmetadata: {}", 400, "yaml: found character that cannot start any token"),
}
TYPES: dict[str, tuple[str, bytes, int]] = {
    "CBOR": ("application/cbor", b"\xd9\xd9\xf7\xa0", 415),
    "text": ("text/plain", config_map(), 415),
    "a form": ("application/x-www-form-urlencoded", config_map(), 415),
    "protobuf without its magic": ("application/vnd.kubernetes.protobuf", b"abc", 400),
    "protobuf cut off": ("application/vnd.kubernetes.protobuf", b"k8s\0\xff\xff\xff", 400),
    "protobuf of nothing known": ("application/vnd.kubernetes.protobuf", b"k8s\0\x0a\x06\x0a\x02v1\x12\x00", 400),
}
GIB_OF_COPIES = b"[%s]" % b",".join(
    [b'{"op":"add","path":"/data","value":{"a":"%s"}}' % (b"x" * 1000)]
    + [b'{"op":"copy","from":"/data","path":"/data/x%d"}' % i for i in range(30)]
)
PATCHES: dict[str, tuple[str, bytes, int, str]] = {
    "no list": (JSON_PATCH, b'{"a":1}', 400, "error decoding patch: json: cannot unmarshal object into Go value of type []"),
    "no operation": (JSON_PATCH, b"[5]", 400, "error decoding patch: json: cannot unmarshal number into Go value of type "),
    "no JSON": (JSON_PATCH, b"[", 400, "error decoding patch: unexpected end of JSON input"),
    "an unknown operation": (JSON_PATCH, b'[{"op":"jump","path":"/a"}]', 422, REJECTED),
    "a path that is none": (JSON_PATCH, b'[{"op":"add","path":5,"value":1}]', 422, REJECTED),
    "what is not there": (JSON_PATCH, b'[{"op":"remove","path":"/a/b/c"}]', 422, REJECTED),
    "a test that fails": (JSON_PATCH, b'[{"op":"test","path":"/metadata/name","value":"b"}]', 422, REJECTED),
    "10,001 operations": (
        JSON_PATCH, b"[%s]" % b",".join([b"{}"] * 10_001), 413,
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
    ),
    "a doubling of doublings": (JSON_PATCH, GIB_OF_COPIES, 422, "accumulated size increase of copy"),
    "the whole object": (
        JSON_PATCH, b'[{"op":"replace","path":"","value":[5]}]', 422,
        ' "" is invalid: patch: Invalid value: "[5]": couldn\'t get version/kind; json parse error: json: cannot unmarshal array',
    ),
    "its metadata": (JSON_PATCH, b'[{"op":"replace","path":"/metadata","value":5}]', 422, "Go struct field ConfigMap.metadata"),
    "another name": (
        JSON_PATCH, b'[{"op":"replace","path":"/metadata/name","value":"b"}]', 400,
        "the name of the object (b) does not match the name on the URL (kube-root)",
    ),
    "a list": (MERGE, b"[]", 400, "error decoding patch: json: cannot unmarshal array into Go value of type map[string]"),
    "nothing": (MERGE, b"", 400, "error decoding patch: unexpected end of JSON input"),
    "null": (MERGE, b"null", 400, "Invalid JSON Patch"),
    "metadata null": (MERGE, b'{"metadata":null}', 400, "(kube-root based on URL) was undeterminable: name must be provided"),
    "nested objects": (MERGE, b'{"a":' * 300 + b"1" + b"}" * 300, 400, "exceeded max depth"),
    "a number as data": (
        MERGE, b'{"data":{"a":1}}', 422, "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"
    ),
    "another namespace": (
        MERGE, b'{"metadata":{"namespace":"b"}}', 400,
        "the namespace of the object (b) does not match the namespace on the request (default)",
    ),
    "no object": (STRATEGIC, b"[]", 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"),
    "data of numbers": (STRATEGIC, b'{"data":{"a":1,"b":[true]}}', 422, 'patch: Invalid value: "map[data:map[a:1 b:[true]]]"'),
    "a directive that is none": (STRATEGIC, b'{"$patch":5}', 400, "unknown patch type: 5 in map: map[$patch:5]"),
    "a list as object": (STRATEGIC, b'{"metadata":{"ownerReferences":{"a":1}}}', 422, "cannot restore slice from map"),
    "no configuration": (APPLY, b"[]", 400, "error decoding YAML"),
    "no YAML": (APPLY, b"a: [", 400, "error converting YAML to JSON"),
    "labels of numbers": (APPLY, config_map()[:-2] + b',"labels":[1]}}', 400, "cannot unmarshal array"),
    "managed fields": (APPLY, config_map()[:-2] + b',"managedFields":[{}]}}', 400, "metadata.managedFields must be nil"),
    "no managed fields": (APPLY, config_map()[:-2] + b',"managedFields":[]}}', 400, "metadata.managedFields must be nil"),
    "an unknown type": ("application/json", b"{}", 415, "415: Unsupported Media Type"),
    "CBOR": ("application/apply-patch+cbor", b"\xa0", 415, "415: Unsupported Media Type"),
}  # fmt: skip
DELETES: dict[str, tuple[bytes, int]] = {
    "no object": (b"[1]", 400),
    "seconds as text": (b'{"gracePeriodSeconds":"x"}', 400),
    "a number as preconditions": (b'{"preconditions":5}', 400),
    "another kind": (b'{"kind":"Pod"}', 400),
    "an unknown policy": (b'{"propagationPolicy":"x"}', 422),
    "two policies": (b'{"propagationPolicy":"Orphan","orphanDependents":true}', 422),
}


def check(case: str, answer: Answer, code: int, text: str = "") -> None:
    assert answer.status == code, f"{case}: {answer}"
    assert answer.is_status(), f"{case}: {answer}"
    assert text in answer.tree["message"], f"{case}: {answer}"


def test_a_bad_body_is_refused_with_its_status(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """Rule: behaviour E.1: 413 beyond 3 MiB, 400 for what cannot be read, 422 for what is read and wrong."""

    async def scenario() -> None:
        for case, (body, code, text) in CREATES.items():
            check(case, await ask(apiserver.url, "POST", PATH, body), code, text)
        for case, (body, code, text) in YAMLS.items():
            check(case, await ask(apiserver.url, "POST", PATH, body, {"Content-Type": YAML}), code, text)
        assert (await ask(apiserver.url, "GET", PATH)).tree["items"] == []
        lenient = await ask(apiserver.url, "POST", f"{PATH}?dryRun=All", config_map(b',"data":{"a":"\xff","b":"\\ud800"}'))
        assert lenient.tree["data"] == {"a": "�", "b": "�"}  # as Go takes it

    runner.run(scenario())


def test_a_body_of_an_unknown_type_is_415(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources"""

    async def scenario() -> None:
        for case, (media, body, code) in TYPES.items():
            check(case, await ask(apiserver.url, "POST", PATH, body, {"Content-Type": media}), code)
        packed = await ask(apiserver.url, "POST", PATH, gzip.compress(config_map()), {"Content-Encoding": "gzip"})
        check("a packed body", packed, 400)
        for media in ("application/json; charset=utf-8", "Application/JSON;charset=UTF-8", ""):
            answer = await ask(apiserver.url, "POST", f"{PATH}?dryRun=All", config_map(), {"Content-Type": media})
            assert answer.status == 201, f"{media}: {answer}"

    runner.run(scenario())


def test_a_bad_patch_is_refused_with_its_status(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """Rule: apiserver pkg/endpoints/handlers/patch.go"""

    async def scenario() -> None:
        created = await ask(apiserver.url, "POST", PATH, config_map())
        assert created.status == 201
        for case, (media, body, code, text) in PATCHES.items():
            answer = await ask(apiserver.url, "PATCH", f"{ONE}?fieldManager=test", body, {"Content-Type": media})
            check(f"{media} {case}", answer, code, text)
        assert (await ask(apiserver.url, "GET", ONE)).tree == created.tree

    runner.run(scenario())


def test_bad_delete_options_delete_nothing(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """Rule: apimachinery pkg/apis/meta/v1/validation (ValidateDeleteOptions)"""

    async def scenario() -> None:
        assert (await ask(apiserver.url, "POST", PATH, config_map())).status == 201
        for case, (body, code) in DELETES.items():
            check(case, await ask(apiserver.url, "DELETE", ONE, body), code)
        assert (await ask(apiserver.url, "GET", ONE)).status == 200

    runner.run(scenario())


def test_yaml_means_what_json_can_say(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """Rule: sigs.k8s.io/yaml (YAMLToJSON): keys are text, dates are text."""

    async def scenario() -> None:
        body = (
            b'metadata: {name: y}\ndata: &d {1: a, true: b, day: 2020-01-01, time: "12:30", raw: !!binary aGVsbG8=}\nbinaryData: {}'
        )
        answer = await ask(apiserver.url, "POST", PATH, body, {"Content-Type": YAML})
        assert answer.tree["data"] == {"1": "a", "true": "b", "day": "2020-01-01", "time": "12:30", "raw": "hello"}
        twice = await ask(apiserver.url, "POST", f"{PATH}?dryRun=All", b"metadata: {name: z, name: zz}", {"Content-Type": YAML})
        assert 'line 1: key \\"name\\" already set in map' in twice.headers["warning"]

    runner.run(scenario())


@pytest.mark.parametrize("twice", [b'{"metadata":{"name":"a","name":"b"},"data":{"k":"1","k":"2"}}'])
def test_of_a_field_that_comes_twice_the_last_counts(runner: asyncio.Runner, apiserver: RunningApi, twice: bytes) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation"""

    async def scenario() -> None:
        strict = await ask(apiserver.url, "POST", f"{PATH}?fieldValidation=Strict", twice)
        check("strict", strict, 400, 'strict decoding error: duplicate field "metadata.name", duplicate field "data.k"')
        warned = await ask(apiserver.url, "POST", PATH, twice)
        assert (warned.tree["metadata"]["name"], warned.tree["data"]) == ("b", {"k": "2"})
        assert "duplicate field" in warned.headers["warning"]

    runner.run(scenario())
