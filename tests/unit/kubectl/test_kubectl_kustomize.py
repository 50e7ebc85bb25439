"""The pieces of a kustomization's build, each on trees in memory."""

from typing import Any

import pytest

from kubectl.decoding import DecodeError, documents
from kubectl.kustomize.generators import generated
from kubectl.kustomize.patching import merge_into, selected
from kubectl.kustomize.references import follow
from kubectl.kustomize.replacing import steps
from kubectl.kustomize.resource import Res
from kubectl.kustomize.transforms import add_labels, rename, renamed_image, set_namespace


def _res(kind: str, name: str, api: str = "v1", **more: Any) -> Res:
    return Res({"apiVersion": api, "kind": kind, "metadata": {"name": name}, **more})


@pytest.mark.parametrize(
    ("image", "wanted", "made"),
    [
        ("nginx", {"name": "nginx", "newTag": "1"}, "nginx:1"),
        ("nginx:2@sha256:ab", {"name": "nginx", "newTag": "1"}, "nginx:1"),
        ("host:5000/a/b:2", {"name": "host:5000/a/b", "newName": "c"}, "c:2"),
        ("nginx:2", {"name": "nginx", "digest": "sha256:ab"}, "nginx@sha256:ab"),
        ("nginx:2", {"name": "nginx", "tagSuffix": "-x"}, "nginx:2-x"),
        ("nginx-more:2", {"name": "nginx", "newTag": "1"}, "nginx-more:2"),
    ],
)
def test_an_image_keeps_what_is_not_replaced(image: str, wanted: dict[str, str], made: str) -> None:
    """Rule: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/"""
    assert renamed_image(image, wanted) == made


def test_references_follow_names_and_namespaces() -> None:
    """Rule: kustomize's name references: any name that the object had, in the referrer's namespace."""
    account = _res("ServiceAccount", "robot")
    binding = _res("RoleBinding", "b", "rbac.authorization.k8s.io/v1", subjects=[{"kind": "ServiceAccount", "name": "robot"}])
    pod = _res("Pod", "p", spec={"serviceAccountName": "robot", "containers": []})
    found = [account, binding, pod]
    set_namespace(found, "prod")
    rename(found, "a-", "")
    rename(found, "", "-z")
    follow(found)
    assert pod.tree["spec"]["serviceAccountName"] == "a-robot-z"
    assert binding.tree["subjects"] == [{"kind": "ServiceAccount", "name": "a-robot-z", "namespace": "prod"}]


def test_labels_reach_selectors_only_where_asked() -> None:
    """Rule: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/labels/"""
    service = _res("Service", "s", spec={"selector": {"a": "b"}})
    add_labels([service], {"x": "y"}, selectors=False, templates=True)
    assert service.tree["spec"]["selector"] == {"a": "b"}
    add_labels([service], {"x": "y"}, selectors=True, templates=True)
    assert service.tree["spec"]["selector"] == {"a": "b", "x": "y"}
    assert service.metadata["labels"] == {"x": "y"}


def test_a_patch_begins_lists_and_leaves_identity_alone() -> None:
    """Rule: kustomize's strategic merge: the patch's items first; kind and name stay without options that let them change."""
    pod = _res("Pod", "p", spec={"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "x"}]})
    found = [pod]
    patch = {"kind": "Other", "metadata": {"name": "q"}, "spec": {"containers": [{"name": "c"}, {"name": "b", "image": "y"}]}}
    merge_into(found, selected(found, {"kind": "P.d"}), patch, {})
    assert [one["name"] for one in pod.tree["spec"]["containers"]] == ["c", "b", "a"]
    assert (pod.kind, pod.name) == ("Pod", "p")
    merge_into(found, found[:], {"$patch": "delete"}, {})
    assert found == []


def test_generator_options_are_joined_with_the_generators_own() -> None:
    given = {"name": "c", "options": {"labels": {"a": "own"}, "disableNameSuffixHash": True}}
    made = generated("ConfigMap", given, {"k": b"v", "bin": b"\xff"}, {"labels": {"a": "general", "b": "general"}})
    assert made.metadata["labels"] == {"a": "own", "b": "general"}
    assert (made.tree["data"], made.tree["binaryData"], made.hashed) == ({"k": "v"}, {"bin": "/w=="}, False)


def test_a_replacements_path_is_divided_at_dots_that_are_not_escaped() -> None:
    assert steps("spec.containers.[name=a.b].env.*") == ["spec", "containers", "[name=a.b]", "env", "*"]
    assert steps("metadata.annotations.a\\.b/c") == ["metadata", "annotations", "a.b/c"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(
            ("12:30", "12:30"),
            ("2020-01-01", "2020-01-01"),
            ("1.2.3", "1.2.3"),
            ("=", "="),
            ("~", None),
            ("y", True),
            ("off", False),
        ),
        *(("0o17", 15), ("017", 15), ("0x1F", 31), ("-0b11", -3), ("1_000", 1000), ("1e3", 1000), ("1.0", 1), (".5", 0.5)),
    ],
)
def test_bare_words_are_read_as_upstreams_client_reads_them(text: str, value: Any) -> None:
    """Rule: sigs.k8s.io/yaml, on top of YAML 1.1."""
    assert list(documents(f"x: {text}".encode())) == [{"x": value}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": ', "unexpected EOF"),
        ("a: b: c", "error converting YAML to JSON: yaml: mapping values are not allowed in this context"),
        ("x: y\na: b\n- c", "error converting YAML to JSON: yaml: line 2: did not find expected key"),
    ],
)
def test_what_cannot_be_read_is_told_in_upstreams_words(text: str, told: str) -> None:
    with pytest.raises(DecodeError) as refused:
        documents(text.encode())
    assert str(refused.value) == told
