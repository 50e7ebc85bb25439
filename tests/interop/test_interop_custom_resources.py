"""Custom resources through upstream's kubectl: validation of what it sends, explain, the whole life of an object."""

import json
import re
from pathlib import Path

import pytest

from kube.api.meta import Tree
from tests.interop.control_plane import ControlPlane
from tests.interop.test_interop_kubectl import KUBECTLS
from tests.interop.transcript import Answer, Shell

GROUP = "publish.example.com"
FREE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
TEXT = {"type": "string"}
BARS = {
    "type": "object",
    "description": "Foo CRD for Testing",
    "properties": {
        "spec": {
            "type": "object",
            "description": "Specification of Foo",
            "properties": {
                "bars": {
                    "type": "array",
                    "description": "List of Bars and their specs.",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": {"description": "Name of Bar.", **TEXT},
                            "bazs": {"description": "List of Bazs.", "type": "array", "items": TEXT},
                        },
                    },
                },
            },
        },
    },
}


class Typist(Shell):
    """A shell in which definitions are made and objects are sent."""

    def ok(self, command: str) -> str:
        answer = self.type(command)
        assert answer.code == 0, f"$ {command}\n{answer.printed}(exit {answer.code})"
        return answer.printed

    def refused(self, command: str, words: str) -> None:
        answer = self.type(command)
        assert answer.code != 0, answer.printed
        assert words in answer.printed, answer.printed

    def define(self, plural: str, schema: Tree) -> str:
        """The kind of a definition that is served."""
        kind = plural.removesuffix("s").capitalize()
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        names = {"plural": plural, "kind": kind}
        spec = {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]}
        name = f"{plural}.{GROUP}"
        crd = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": name},
            "spec": spec,
        }
        self.ok(_fed("kubectl create -f -", crd))
        self.ok(f"kubectl wait --for=condition=Established --timeout=30s crd/{name}")
        return kind

    def send(self, verb: str, kind: str, name: str, **fields: object) -> str:
        tree = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name}, **fields}
        return _fed(f"kubectl {verb} --validate=true -f -", tree)


def _fed(command: str, tree: Tree) -> str:
    return f"{command} <<'END'\n{json.dumps(tree)}\nEND"


@pytest.fixture
def typist(control_plane: ControlPlane, tmp_path: Path, request: pytest.FixtureRequest) -> Typist:
    namespace = re.sub(r"\W|_", "-", request.node.name)[:60].strip("-")
    return Typist(control_plane, KUBECTLS["1.37"], namespace, tmp_path / "shell")


def test_a_schema_validates_and_explains(typist: Typist) -> None:
    """Known fields pass, unknown ones and missing required ones do not; explain goes to the bottom.

    Conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD with validation schema [Conformance]
    """  # noqa: E501
    kind = typist.define("foos", BARS)
    good = {"bars": [{"name": "test-bar", "bazs": ["a"]}]}
    typist.ok(typist.send("create", kind, "a", spec=good))
    typist.ok(typist.send("apply", kind, "a", spec={"bars": [{"name": "other"}]}))
    typist.ok("kubectl delete foos a")
    for verb in ("create", "apply"):
        unknown = {"bars": [{"name": "x", "unknown": 1}]}
        typist.refused(typist.send(verb, kind, "b", spec=unknown), 'unknown field "spec.bars[0].unknown"')
        typist.refused(typist.send(verb, kind, "b", spec={"bars": [{"bazs": []}]}), "spec.bars[0].name: Required value")
        wrong = {"bars": [{"name": 5}]}
        typist.refused(typist.send(verb, kind, "b", spec=wrong), "spec.bars[0].name in body must be of type string")
    assert re.search(r"DESCRIPTION:\s+Foo CRD for Testing", typist.ok("kubectl explain foos"))
    assert re.search(r"FIELD: spec <Object>.*DESCRIPTION:\s+Specification of Foo", typist.ok("kubectl explain foos.spec"), re.S)
    assert "List of Bars and their specs." in typist.ok("kubectl explain foos.spec.bars")
    assert "List of Bazs." in typist.ok("kubectl explain foos.spec.bars.bazs")
    assert "<[]Object>" in typist.ok("kubectl explain foos --recursive")
    typist.refused("kubectl explain foos.spec.bars2", 'field "bars2" does not exist')


def test_without_a_schema_kubectl_accepts_anything(typist: Typist) -> None:
    """
    Conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD without validation schema [Conformance]
    """  # noqa: E501
    kind = typist.define("empties", FREE)
    typist.ok(typist.send("create", kind, "a", a={"b": [{"c": "d"}]}))
    typist.ok(typist.send("apply", kind, "a", a={"b": [{"c": "e"}]}))
    assert re.search(r"DESCRIPTION:\s+<empty>", typist.ok("kubectl explain empties"))


def test_unknown_fields_at_the_root(typist: Typist) -> None:
    """
    Conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD preserving unknown fields at the schema root [Conformance]
    """  # noqa: E501
    kind = typist.define("roots", {**FREE, "description": "preserves at the root", "properties": {"spec": {**FREE}}})
    typist.ok(typist.send("create", kind, "a", any={"b": 1}, spec={"free": True}))
    typist.ok(typist.send("apply", kind, "a", any={"b": 2}))
    assert re.search(r"KIND:\s+Root", typist.ok("kubectl explain roots"))


def test_unknown_fields_within(typist: Typist) -> None:
    """
    Conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD preserving unknown fields in an embedded object [Conformance]
    """  # noqa: E501
    spec = {**FREE, "description": "Specification of Waldo", "properties": {"dummy": {"type": "object"}}}
    schema = {"type": "object", "description": "preserves within", "properties": {"spec": spec}}
    kind = typist.define("waldos", schema)
    typist.ok(typist.send("create", kind, "a", spec={"b": [{"c": 1}]}))
    typist.ok(typist.send("apply", kind, "a", spec={"b": [{"c": 2}]}))
    explained = typist.ok("kubectl explain waldos")
    assert re.search(r"DESCRIPTION:\s+preserves within", explained)
    assert re.search(r"spec\s+<Object>", explained)


def test_an_object_lives_through_kubectl(typist: Typist) -> None:
    """Every way to read and to write; short output, columns, labels, diff, edit by patch, wait, delete.

    Rule: behaviour E.7.70
    """
    kind = typist.define(
        "lives", {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    )
    assert typist.ok(typist.send("apply", kind, "a", spec={"size": 1})) == f"live.{GROUP}/a created\n"
    assert typist.ok(typist.send("apply", kind, "a", spec={"size": 1})) == f"live.{GROUP}/a unchanged\n"
    assert typist.ok(typist.send("apply", kind, "a", spec={"size": 2})) == f"live.{GROUP}/a configured\n"
    differs: Answer = typist.type(typist.send("diff", kind, "a", spec={"size": 3}).replace(" --validate=true", ""))
    assert differs.code == 1
    assert "-  size: 2" in differs.printed
    assert "+  size: 3" in differs.printed
    assert re.search(r"NAME\s+AGE\na\s+\d+s", typist.ok("kubectl get lives"))
    assert typist.ok("kubectl get live a -o jsonpath='{.spec.size}'") == "2"
    assert "patched" in typist.ok("""kubectl patch live a --type=merge -p '{"spec":{"size":4}}'""")
    assert "patched" in typist.ok("""kubectl patch live a --type=json -p '[{"op":"replace","path":"/spec/size","value":5}]'""")
    assert "serverside-applied" in typist.ok(typist.send("apply --server-side --force-conflicts", kind, "a", spec={"size": 6}))
    assert "labeled" in typist.ok("kubectl label live a colour=red")
    assert "annotated" in typist.ok("kubectl annotate live a note=x")
    assert typist.ok("kubectl get lives -l colour=red -o name") == f"live.{GROUP}/a\n"
    assert "condition met" in typist.ok("kubectl wait --for=jsonpath='{.spec.size}'=6 live/a --timeout=10s")
    described = typist.ok("kubectl describe live a")
    assert re.search(r"Name:\s+a\n", described)
    assert re.search(r"Size:\s+6", described)
    assert "deleted" in typist.ok("kubectl delete live a")
    typist.refused("kubectl get live a", f'lives.{GROUP} "a" not found')
