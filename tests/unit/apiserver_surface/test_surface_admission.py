"""Admission's decisions: limits, default classes; and that every module of the families is in use."""

import sys
from pathlib import Path
from typing import Any

import pytest

import apiserver.admission
import apiserver.subresources
from apiserver.admission.default_class import newest_default
from apiserver.admission.limit_ranger import complaints, fill_in


def a_pod(**resources: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "resources": resources}]}}


def limits(**item: Any) -> dict[str, Any]:
    return {"spec": {"limits": [{"type": "Container", **item}]}}


def test_containers_get_what_they_do_not_say() -> None:
    """Rule: upstream plugin/pkg/admission/limitranger, the annotation's words too."""
    pod = a_pod(limits={"cpu": "2"})
    fill_in(pod, limits(default={"cpu": "1", "memory": "1Gi"}, defaultRequest={"cpu": "100m"}))
    container = pod["spec"]["containers"][0]
    assert container["resources"] == {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "100m"}}
    note = "LimitRanger plugin set: cpu request for container c; memory limit for container c"
    assert pod["metadata"]["annotations"] == {"kubernetes.io/limit-ranger": note}


def test_complete_containers_are_left_alone() -> None:
    pod = a_pod(limits={"cpu": "2"})
    fill_in(pod, limits(default={"cpu": "1"}))
    assert "annotations" not in pod["metadata"]


@pytest.mark.parametrize(
    ("item", "resources", "texts"),
    [
        ({"max": {"cpu": "1"}}, {"limits": {"cpu": "2"}}, ["maximum cpu usage per Container is 1, but limit is 2"]),
        ({"max": {"cpu": "1"}}, {}, ["maximum cpu usage per Container is 1.  No limit is specified"]),
        ({"min": {"cpu": "1"}}, {"requests": {"cpu": "100m"}}, ["minimum cpu usage per Container is 1, but request is 100m"]),
        ({"min": {"cpu": "1"}}, {}, ["minimum cpu usage per Container is 1.  No request is specified"]),
        ({"max": {"cpu": "2"}}, {"limits": {"cpu": "2000m"}}, []),
        (
            {"maxLimitRequestRatio": {"cpu": "4"}},
            {"requests": {"cpu": "100m"}, "limits": {"cpu": "1"}},
            ["cpu max limit to request ratio per Container is 4, but provided ratio is 10.000000"],
        ),
    ],
)
def test_bounds_are_told_in_upstreams_words(item: dict[str, Any], resources: dict[str, Any], texts: list[str]) -> None:
    """Rule: behaviour E.3.43."""
    assert list(complaints(a_pod(**resources), "Pod", limits(**item))) == texts


def test_pod_is_measured_as_a_whole() -> None:
    pod = a_pod(requests={"memory": "1Gi"}, limits={"memory": "1Gi"})
    pod["spec"]["containers"].append({"name": "d", "resources": {"limits": {"memory": "1Gi"}}})
    most = {"spec": {"limits": [{"type": "Pod", "max": {"memory": "1Gi"}}]}}
    assert list(complaints(pod, "Pod", most)) == ["maximum memory usage per Pod is 1Gi, but limit is 2Gi"]


def test_claims_are_measured_by_their_request() -> None:
    claim = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    most = {"spec": {"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}]}}
    text = "maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi"
    assert list(complaints(claim, "PersistentVolumeClaim", most)) == [text]


def test_newest_default_class_counts() -> None:
    def a_class(name: str, made: str, default: str = "true") -> dict[str, Any]:
        return {"metadata": {"name": name, "creationTimestamp": made, "annotations": {"mark": default}}}

    classes = [a_class("b", "2026-01-02"), a_class("a", "2026-01-02"), a_class("c", "2026-01-01"), a_class("d", "2027", "false")]
    found = newest_default(classes, ("mark",))
    assert found is not None
    assert found["metadata"]["name"] == "a"
    assert newest_default([], ("mark",)) is None


def test_every_module_of_a_family_is_named_in_its_list() -> None:
    """Rule: families are explicit tuples; a module that neither a list nor a member of it names is a mistake."""
    plugins = {type(one).__module__ for one in apiserver.admission.ADMISSION}
    handlers = {one.__module__ for one in apiserver.subresources.SUBRESOURCES.values()}
    for package, named in ((apiserver.admission, plugins), (apiserver.subresources, handlers)):
        found = {f"{package.__name__}.{path.stem}" for path in Path(package.__path__[0]).glob("*.py")}
        parts = {one.__module__ for module in named for one in vars(sys.modules[module]).values() if hasattr(one, "__module__")}
        own = {one for one in named if one.rpartition(".")[0] == package.__name__}  # others have a room of their own
        assert own <= found
        assert found - {f"{package.__name__}.__init__"} <= named | parts
