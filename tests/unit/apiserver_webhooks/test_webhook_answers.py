"""What a webhook's answer says, and what becomes of a refusal; which failures are told in which words."""

import base64
import socket
from typing import Any

import h11
import orjson
import pytest

from apiserver.admission.webhook.denial import Denied, internal, no_dry_run
from apiserver.admission.webhook.hooks import parsed
from apiserver.admission.webhook.mutating import patched
from apiserver.admission.webhook.review import BadAnswer, Objects, Undecoded, Verdict, chosen_version, verdict
from apiserver.webhooks.client import refusal, url_of
from apiserver.webhooks.connections import words_of
from apiserver.webhooks.resolver import Place, Unresolved, endpoints_of, place_of
from kube.api.meta import Tree
from kube.api.resources import resource_for
from kube.api.status import InternalError

UID = "u-1"


def answered(**response: Any) -> Tree:
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {"uid": UID, "allowed": True, **response}}


def packed(operations: Any) -> str:
    return base64.b64encode(orjson.dumps(operations)).decode()


@pytest.mark.parametrize(
    ("answer", "mutating", "why"),
    [
        (
            {"response": {"uid": UID, "allowed": True}},
            False,
            "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind=",
        ),
        ({**answered(), "response": None}, False, "webhook response was absent"),
        (answered(uid="other"), False, 'expected response.uid="u-1", got "other"'),
        (answered(patch=packed([])), False, "validating webhook may not return response.patch"),
        (answered(patchType="JSONPatch"), False, "validating webhook may not return response.patchType"),
        (answered(patch=packed([])), True, "webhook returned response.patch but not response.patchType"),
        (answered(patchType="JSONPatch"), True, "webhook returned response.patchType but not response.patch"),
        (answered(patch=packed([]), patchType=""), True, 'webhook returned invalid response.patchType of ""'),
    ],
)
def test_an_answer_that_is_none_is_told_in_upstreams_words(answer: Tree, mutating: bool, why: str) -> None:
    """Rule: apiserver pkg/admission/plugin/webhook/request/admissionreview.go"""
    with pytest.raises(BadAnswer) as error:
        verdict(answer, UID, "v1", mutating=mutating)
    assert str(error.value) == why


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (("v1", "Pod"), 'no kind "Pod" is registered for version "v1" in scheme "pkg/util/webhook/client.go:71"'),
        (
            ("admission.k8s.io/v1beta1", "AdmissionReview"),
            "converting (v1beta1.AdmissionReview) to (v1.AdmissionReview): unknown conversion",
        ),
    ],
)
def test_an_answer_of_another_kind_cannot_be_read(kind: tuple[str, str], why: str) -> None:
    """Rule: as seen of kube-apiserver (apimachinery pkg/runtime/serializer/versioning)"""
    with pytest.raises(Undecoded) as error:
        verdict({**answered(), "apiVersion": kind[0], "kind": kind[1]}, UID, "v1", mutating=True)
    assert str(error.value) == why


def test_a_patch_that_is_none_is_told_when_it_is_applied() -> None:
    """Whoever refuses needs no patch that can be read.

    Rule: apiserver pkg/admission/plugin/webhook/mutating/dispatcher.go
    """
    found = verdict(answered(patch=packed({}), patchType="JSONPatch"), UID, "v1", mutating=True)
    assert (found.operations, found.broken) == ([], "json: cannot unmarshal object into Go value of type jsonpatch.Patch")


def test_the_old_version_of_an_answer_is_taken_leniently() -> None:
    """Rule: admission.k8s.io/v1beta1 answers need no uid, kind or patchType"""
    operations = [{"op": "remove", "path": "/x"}]
    found = verdict({"response": {"allowed": True, "patch": packed(operations)}}, UID, "v1beta1", mutating=True)
    assert (found.allowed, found.operations) == (True, operations)


def test_the_first_known_version_is_spoken() -> None:
    """Rule: admissionReviewVersions"""
    assert chosen_version(["v2", "v1beta1", "v1"]) == "v1beta1"
    with pytest.raises(BadAnswer, match="does not accept known AdmissionReview versions"):
        chosen_version(["v2"])


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        ({}, 400, 'admission webhook "w" denied the request without explanation'),
        ({"message": "no", "code": 403}, 403, 'admission webhook "w" denied the request: no'),
        ({"reason": "Forbidden"}, 400, 'admission webhook "w" denied the request: Forbidden'),
        ({"message": "no", "code": 200, "status": "Success"}, 400, 'admission webhook "w" denied the request: no'),
        ({"message": "tea", "code": 418}, 418, 'admission webhook "w" denied the request: tea'),
    ],
)
def test_a_refusal_keeps_what_the_webhook_said(status: Tree, code: int, message: str) -> None:
    """Rule: apiserver pkg/admission/plugin/webhook/errors/statuserror.go"""
    told = Denied("w", status).status()
    assert (told["kind"], told["status"], told["code"], told["message"]) == ("Status", "Failure", code, message)


def test_failures_of_our_own_have_a_cause() -> None:
    """Rule: apimachinery NewInternalError"""
    told = internal('failed calling webhook "w": x').status()
    assert told["message"] == 'Internal error occurred: failed calling webhook "w": x'
    assert told["details"]["causes"] == [{"message": 'failed calling webhook "w": x'}]
    assert no_dry_run("w").status()["message"] == 'admission webhook "w" does not support dry run'


def test_a_patch_that_does_not_fit_is_an_internal_error() -> None:
    """Rule: apiserver pkg/admission/plugin/webhook/mutating/dispatcher.go"""
    row = resource_for("", "v1", "configmaps")
    tree = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}}

    def after(operations: list[Tree], objects: Objects | None = None) -> Tree:
        return patched("w", objects or Objects(row, tree, None), Verdict(True, operations, "JSONPatch", "", {}, []))

    added = after([{"op": "add", "path": "/data", "value": {"a": "b"}}, {"op": "add", "path": "/unknown", "value": 1}])
    assert added == {**tree, "data": {"a": "b"}}
    for operation, why in (
        (
            {"op": "remove", "path": "/none"},
            "error in remove for path: '/none': Unable to remove nonexistent key: none: missing value",
        ),
        ({"op": "test", "path": "/kind", "value": "x"}, "testing value /kind failed: test failed"),
        ({"op": "add", "path": "/a/b", "value": 1}, 'add operation does not apply: doc is missing path: "/a/b": missing value'),
        ({"op": "foo", "path": "/a"}, "Unexpected kind: foo"),
        ({"op": "replace", "path": "/kind", "value": "Secret"}, "converting (v1.Secret) to (core.ConfigMap): unknown conversion"),
    ):
        with pytest.raises(InternalError) as error:
            after([operation])
        assert error.value.message == f"Internal error occurred: {why}"
    with pytest.raises(InternalError, match="cannot unmarshal"):
        after([{"op": "add", "path": "/data", "value": 7}])
    with pytest.raises(InternalError, match="attempted to modify the object, which is not supported for this operation"):
        after([{"op": "add", "path": "/data", "value": {}}], Objects(row, None, tree))


def test_webhooks_come_by_the_name_of_their_configuration_and_as_listed() -> None:
    """Rule: behaviour E.7.72 (order)"""

    def configuration(name: str, *webhooks: str) -> Tree:
        return {"metadata": {"name": name}, "webhooks": [{"name": one} for one in webhooks]}

    found = list(parsed([configuration("b", "x", "x"), configuration("a", "z", "y")]))
    assert [one.uid for one in found] == ["a/z/0", "a/y/0", "b/x/0", "b/x/1"]
    assert (found[0].timeout_seconds, found[0].equivalent, found[0].ignores_failure) == (10.0, True, False)


def test_urls_are_as_messages_have_them() -> None:
    """Rule: apiserver pkg/util/webhook/client.go"""
    assert url_of({"url": "https://h:8443/p"}, 1) == "https://h:8443/p?timeout=1s"
    assert url_of({"service": {"namespace": "n", "name": "s"}}, 30) == "https://s.n.svc:443/?timeout=30s"
    assert (
        url_of({"service": {"namespace": "n", "name": "s", "path": "/a/b", "port": 9443}}, 2.0)
        == "https://s.n.svc:9443/a/b?timeout=2s"
    )


@pytest.mark.parametrize(
    ("status", "data", "kind", "why"),
    [
        (404, b"404 page not found", "text/plain", "the server could not find the requested resource"),
        (500, b"boom\n", "application/json", 'an error on the server ("unknown") has prevented the request from succeeding'),
        (500, b"boom\n", "text/plain", 'an error on the server ("boom") has prevented the request from succeeding'),
        (500, b"", "text/plain", 'an error on the server ("unknown") has prevented the request from succeeding'),
        (302, b"", "", "the server responded with the status code 302 but did not return more information"),
        (403, b'{"kind":"Status","message":"you may not"}', "application/json", "you may not"),
    ],
)
def test_answers_other_than_success_are_told(status: int, data: bytes, kind: str, why: str) -> None:
    """Rule: apimachinery NewGenericServerResponse"""
    assert refusal(status, data, kind) == why


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "dial tcp h:1: connect: connection refused"),
        (ConnectionResetError(), "read: connection reset by peer"),
        (OSError(113, "No route to host"), "dial tcp h:1: connect: no route to host"),
        (socket.gaierror(-2, "Name or service not known"), "dial tcp: lookup h: no such host"),
        (h11.RemoteProtocolError("EOF"), "EOF"),
        (h11.RemoteProtocolError("can't handle event type ConnectionClosed when role=SERVER"), "EOF"),
        (h11.RemoteProtocolError("bad line"), "net/http: HTTP/1.x transport connection broken: bad line"),
    ],
)
def test_trouble_with_connections_is_told_in_gos_words(error: Exception, words: str) -> None:
    """Rule: net/http"""
    assert words_of(error, "h:1") == words


def test_services_lead_to_their_address_or_their_ready_endpoints() -> None:
    """Rule: apiserver pkg/util/proxy/proxy.go (ResolveCluster, ResolveEndpoint)"""
    ports = [{"port": 443, "name": "https"}]
    service: Tree = {"metadata": {"name": "s"}, "spec": {"clusterIP": "127.0.0.9", "ports": ports}}
    assert place_of(service, 443) == Place("127.0.0.9", 443)
    with pytest.raises(Unresolved, match='no service port 1 found for service "s"'):
        place_of(service, 1)
    with pytest.raises(Unresolved, match='service with ClusterIP "None" not supported'):
        place_of({"metadata": {"name": "s"}, "spec": {"clusterIP": "None", "ports": ports}}, 443)
    named = {"metadata": {"name": "s"}, "spec": {"type": "ExternalName", "externalName": "e.example.com"}}
    assert place_of(named, 8443) == Place("e.example.com", 8443)
    endpoints = [
        {"addresses": ["127.0.0.2"], "conditions": {"ready": True}},
        {"addresses": ["127.0.0.3"], "conditions": {"ready": False}},
    ]
    sliced = {"endpoints": endpoints, "ports": [{"name": "https", "port": 8443}, {"name": "other", "port": 1}]}
    assert endpoints_of(service, [sliced], 443) == [Place("127.0.0.2", 8443)]
