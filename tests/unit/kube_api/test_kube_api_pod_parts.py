"""The doors to parts of a pod, ephemeral containers and resources: what may change there, and what not."""

# ruff: noqa: E501 -- a row of a table stays on its line

import pytest

from kube.api.core import pod_part
from kube.api.meta import Tree
from kube.api.types import Pod
from kube.api.views import lenient_view, view
from tests.unit.kube_api.admitting import core, row_of, tree


def defaulted(pod: Tree) -> Tree:
    row_of(pod).set_defaults(pod)
    return pod


EPHEMERAL = "spec: {containers: [{name: c, image: i}], ephemeralContainers: [%s]}"


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ("{name: d, image: i, targetContainerName: c}", "", []),
        ("{}", "", ["ephemeralContainers[0].name: Required", "ephemeralContainers[0].image: Required"]),
        ("{name: A, image: i}", "", ["ephemeralContainers[0].name: Invalid"]),
        ("{name: c, image: i}", "", ['ephemeralContainers[0].name: Duplicate value: "c"']),
        (
            "{name: d, image: i, targetContainerName: z, ports: [{containerPort: 1}]}",
            "",
            ['targetContainerName: Not found: "z"', "ports: Forbidden: cannot be set for an Ephemeral Container"],
        ),
        ("", "{name: d, image: i}", ['existing ephemeral containers "d" may not be removed']),
        ("{name: d, image: j}", "{name: d, image: i}", ['existing ephemeral containers "d" may not be changed']),
    ],
)
def test_ephemeral_containers_are_only_added(new: str, old: str, expected: list[str]) -> None:
    views = [lenient_view(Pod, defaulted(tree(core("Pod", EPHEMERAL % one)))) for one in (new, old)]
    found = [str(error) for error in pod_part.ephemeral_errors(views[0], views[1])]
    assert len(found) == len(expected), found
    assert all(part in complaint for complaint, part in zip(found, expected, strict=True))


def resized(resources: str) -> Tree:
    text = f"spec: {{containers: [{{name: c, image: i, resources: {{{resources}}}}}], initContainers: [{{name: b, image: i}}]}}"
    return defaulted(tree(core("Pod", text)))


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("requests: {cpu: 2, memory: 1Gi}", []), ("requests: {cpu: 1000m, memory: 1Gi, x.y/z: 1}", ["Limit must be set for non overcommitable resources", "spec: Forbidden: only cpu and memory resources are mutable"]),
        ("requests: {memory: 1Gi}", ["resources.requests: Forbidden: resource requests cannot be removed"]),
        ("requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}", ["spec: Invalid value: \"Burstable\": Pod QOS Class may not change as a result of resizing"]),
        ("requests: {cpu: 2, memory: 1Gi}, limits: {cpu: 1}", ["must be less than or equal to cpu limit of 1"]),
    ],
)  # fmt: skip
def test_resizing_changes_cpu_and_memory_alone(new: str, expected: list[str]) -> None:
    """Rule: KEP-1287"""
    old = resized("requests: {cpu: 1, memory: 1Gi}")
    merged = pod_part.with_resources(resized(new), old)
    found = [str(error) for error in pod_part.resize_errors(view(Pod, merged), view(Pod, old))]
    old["status"] = merged["status"] = {"qosClass": "Burstable"}
    if "QOS" in "".join(expected):
        merged["spec"].pop("initContainers")
        old["spec"].pop("initContainers")
        found = [str(error) for error in pod_part.resize_errors(view(Pod, merged), view(Pod, old))]
    assert len(found) == len(expected), found
    assert all(part in complaint for complaint, part in zip(found, expected, strict=True))


def test_doors_to_parts_of_a_pod_change_that_part_alone() -> None:
    old, changed = resized("requests: {cpu: 1}"), resized("requests: {cpu: 2}")
    changed["spec"]["nodeName"] = "elsewhere"
    changed["metadata"]["managedFields"] = [{"manager": "m"}]
    changed["spec"]["ephemeralContainers"] = [{"name": "e", "image": "i"}]
    merged = pod_part.with_resources(changed, old)
    assert merged["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "2"}}
    assert "nodeName" not in merged["spec"]
    assert merged["metadata"]["managedFields"] == [{"manager": "m"}]
    added = pod_part.with_ephemeral_containers(changed, old)
    assert added["spec"] == {**old["spec"], "ephemeralContainers": [{"name": "e", "image": "i"}]}
    assert pod_part.with_ephemeral_containers(old, old) == old
