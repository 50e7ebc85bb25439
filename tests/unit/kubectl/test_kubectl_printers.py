"""What kubectl prints, beside what an upstream kubectl printed for the same objects."""

import pytest

from kubectl.errors import CommandError
from kubectl.printers import OBJECTS, Printer, columns
from kubectl.printers.jsonpath import JsonPathError
from kubectl.printers.jsonpath import render as jsonpath
from kubectl.printers.table import Look, TablePrinter
from kubectl.printers.tabwriter import Table, align
from kubectl.printers.template import render as template
from kubectl.printers.template_functions import TemplateError
from kubectl.printers.tree import as_json, name_of, without_managed_fields

DEPLOYMENT = {
    "kind": "Deployment",
    "apiVersion": "apps/v1",
    "metadata": {"name": "x", "labels": {"app": "x"}},
    "spec": {
        "replicas": 1,
        "template": {
            "spec": {"containers": [{"name": "a", "image": "a:b", "resources": {}}, {"name": "c", "image": "c:d", "resources": {}}]}
        },
    },
    "status": {},
}
CONTAINERS = "{.spec.template.spec.containers"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".metadata.name", ".metadata.name"),
        ("{.metadata.name}", "x"),
        ("{.metadata}", '{"labels":{"app":"x"},"name":"x"}'),
        ("{.x}", ""),
        (CONTAINERS + "[*].image}", "a:b c:d"),
        ("{range .spec.template.spec.containers[*]}{.name}{'\\t'}{.image}{\"\\n\"}{end}", "a\ta:b\nc\tc:d\n"),
        ("{..image}", "a:b c:d"),
        ("{.metadata['name','labels']}", 'x {"app":"x"}'),
        ("{.spec.replicas}", "1"),
        ("{.status}", "{}"),
        (CONTAINERS + '[?(@.name=="a")].image}', "a:b"),
        (CONTAINERS + '[?(@.name!="a")].image}', "c:d"),
        (CONTAINERS + "[?(@.image)].name}", "a c"),
        (CONTAINERS + "[-1:].name}", "c"),
        (CONTAINERS + "[0:2].name} {.kind}", "a c Deployment"),
        ("{.metadata.labels['app']}", "x"),
        ("{.metadata.labels.app\\.k}", ""),
        ("{$.kind}", "Deployment"),
        ('a{"b"}c', "abc"),
        ("{.spec.replicas}-{true}", "1-true"),
        ("{range .items[*]}x", ""),
    ],
)
def test_jsonpath_templates(path: str, text: str) -> None:
    """Rule: https://kubernetes.io/docs/reference/kubectl/jsonpath/"""
    assert jsonpath(path, DEPLOYMENT) == text


def test_jsonpath_errors() -> None:
    for path, message in (
        ("{.a", "unclosed action"),
        ("{end}", "not in range, nothing to end"),
        (CONTAINERS + "[5].image}", "array index out of bounds: index 5, length 2"),
        ("{metadata.name}", "unrecognized identifier metadata"),
    ):
        with pytest.raises(JsonPathError) as caught:
            jsonpath(path, DEPLOYMENT)
        assert str(caught.value) == message
    with pytest.raises(JsonPathError, match="foo is not found"):
        jsonpath("{.foo}", DEPLOYMENT, allow_missing=False)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{.metadata.name}}", "x"),
        ("{{.x}}", "<no value>"),
        ("{{.metadata}}", "map[labels:map[app:x] name:x]"),
        ("{{range .spec.template.spec.containers}}{{.name}} {{end}}", "a c "),
        ("{{range.spec.template.spec.containers}}{{.name}} {{end}}", "a c "),
        ("{{range $i, $c := .spec.template.spec.containers}}{{$i}}={{$c.image}};{{end}}", "0=a:b;1=c:d;"),
        ("{{if .x}}a{{else if .kind}}b{{else}}c{{end}}", "b"),
        ("{{with .metadata}}{{.name}}{{end}}", "x"),
        ('{{index .metadata.labels "app"}}', "x"),
        ('{{printf "%s-%v %q %5d|" .kind .spec.replicas .kind 3}}', 'Deployment-1 "Deployment"     3|'),
        ("{{- .kind -}}  x", "Deploymentx"),
        ('{{eq .kind "Deployment"}} {{and .x .kind}} {{not .x}}', "true <no value> true"),
        ("{{(index .spec.template.spec.containers 0).image}}", "a:b"),
        ('{{ "YQ==" | base64decode }}', "a"),
        ('{{range .spec.template.spec.containers}}{{if eq .name "a"}}{{continue}}{{end}}{{.name}}{{end}}', "c"),
        ("{{range .x}}a{{else}}none{{end}}", "none"),
    ],
)
def test_go_templates(text: str, shown: str) -> None:
    """Rule: https://pkg.go.dev/text/template"""
    assert template(text, DEPLOYMENT) == shown


def test_go_template_errors() -> None:
    for text, message in (
        ("{{foo}}", 'function "foo" not defined'),
        ("{{.kind", "unclosed action"),
        ("{{if .kind}}", "unexpected EOF"),
        ("{{index .spec.template.spec.containers 7}}", "error calling index: index out of range: 7"),
    ):
        with pytest.raises(TemplateError) as caught:
            template(text, DEPLOYMENT)
        assert str(caught.value) == message


def test_json_has_four_spaces_and_escapes_html() -> None:
    assert as_json({"b": "<&>", "a": [1]}) == ('{\n    "a": [\n        1\n    ],\n    "b": "\\u003c\\u0026\\u003e"\n}\n')


def test_names_carry_kind_and_group() -> None:
    assert name_of(DEPLOYMENT) == "deployment.apps/x"
    assert name_of({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}) == "pod/p"


def test_managed_fields_are_left_out_in_lists_too() -> None:
    tree = {"metadata": {"name": "a", "managedFields": [{}]}}
    assert without_managed_fields({"items": [tree]}) == {"items": [{"metadata": {"name": "a"}}]}


def test_columns_are_as_wide_as_their_widest_cell_and_never_shrink() -> None:
    table = Table()
    assert table.lines([["NAME", "AGE"], ["a-long-name", "1s"]]) == ["NAME          AGE", "a-long-name   1s"]
    assert table.lines([["b", "2s"]]) == ["b             2s"]


def test_a_line_without_tabs_ends_a_column() -> None:
    """Rule: https://pkg.go.dev/text/tabwriter"""
    assert align("a\tb\nline\nlonger\tc\n") == "a  b\nline\nlonger  c\n"


def test_table_shows_priority_columns_only_when_wide() -> None:
    tree = {
        "columnDefinitions": [{"name": "Name", "format": "name"}, {"name": "Age"}, {"name": "IP", "priority": 1}],
        "rows": [{"cells": ["a", None, "x\ny"], "object": {"metadata": {"labels": {"k": "v"}, "namespace": "n"}}}],
    }
    from kube.api.resource import Resource

    row = Resource("apps", "v1", "Deployment", "deployments")
    assert TablePrinter(Look(), row).lines(tree) == ["NAME   AGE", "a      "]
    wide = TablePrinter(Look(wide=True, kind=True, namespace=True, label_columns=("k",)), row)
    assert wide.lines(tree) == [
        "NAMESPACE   NAME                AGE   IP     K",
        "n           deployment.apps/a         x...   v",
    ]


def test_custom_columns_show_none_for_what_is_missing() -> None:
    specs = columns.parse("N:.metadata.name,I:spec.template.spec.containers[*].image,X:.x")
    assert columns.row(specs, DEPLOYMENT) == ["x", "a:b,c:d", "<none>"]
    with pytest.raises(CommandError, match="unexpected custom-columns spec: a, expected <header>:<json-path-expr>"):
        columns.parse("a")


def test_an_unknown_format_is_refused_with_the_list_of_known_ones() -> None:
    with pytest.raises(CommandError) as caught:
        Printer("foo").check()
    assert str(caught.value) == (f'unable to match a printer suitable for the output format "foo", allowed formats are: {OBJECTS}')
