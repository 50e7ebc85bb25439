"""kubectl debug's pods by profile; kubectl top's numbers."""

from decimal import Decimal
from typing import Any

import pytest

from kube.api.meta import Tree
from kubectl.commands.top import _of_available, _pod_rows, _shown
from kubectl.debugging import Copy, Wanted, ephemeral_container, node_pod, pod_copy
from kubectl.errors import CommandError

POD: Tree = {
    "metadata": {"name": "p", "namespace": "shop", "labels": {"app": "web"}, "annotations": {"note": "x"}},
    "spec": {
        "nodeName": "n",
        "initContainers": [{"name": "first", "image": "i"}],
        "containers": [
            {"name": "main", "image": "web:1", "args": ["a"], "livenessProbe": {}, "readinessProbe": {}},
            {"name": "side", "image": "side:1"},
        ],
        "ephemeralContainers": [{"name": "e", "image": "e"}],
    },
}
DEBUGGER = Wanted("busybox", "d", ("sh",), stdin=True, terminal=True)


def test_a_container_beside_others_may_trace_and_sees_its_target() -> None:
    """Rule: https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/#ephemeral-container"""
    assert ephemeral_container(DEBUGGER, "main") == {
        "name": "d",
        "image": "busybox",
        "command": ["sh"],
        "stdin": True,
        "tty": True,
        "targetContainerName": "main",
        "terminationMessagePolicy": "File",
        "securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}},
    }
    assert "securityContext" not in ephemeral_container(Wanted("i", "d", profile="baseline"), "")
    with pytest.raises(CommandError, match="unknown profile: odd"):
        ephemeral_container(Wanted("i", "d", profile="odd"), "")


def test_a_copy_has_the_container_more_and_serves_nobody() -> None:
    """Rule: https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/#debugging-using-a-copy-of-the-pod"""
    made = pod_copy(POD, Copy("c", keep=frozenset({"init-containers"})), DEBUGGER)
    assert made["metadata"] == {"name": "c", "namespace": "shop"}
    spec = made["spec"]
    assert [one["name"] for one in spec["containers"]] == ["main", "side", "d"]
    assert not {"nodeName", "ephemeralContainers"} & set(spec)
    assert not {"livenessProbe", "readinessProbe"} & set(spec["containers"][0])
    assert (spec["shareProcessNamespace"], len(spec["initContainers"])) == (True, 1)
    assert POD["spec"]["containers"][0]["livenessProbe"] == {}


def test_a_copy_may_have_a_container_changed_in_its_place() -> None:
    kept = frozenset({"labels", "liveness"})
    how = Copy("c", images={"*": "all:2", "side": "side:2"}, same_node=True, share_processes=False, keep=kept)
    made = pod_copy(POD, how, Wanted("", "main", ("sleep", "1"), env=(("A", "B"),), profile="sysadmin"))
    main, side = made["spec"]["containers"]
    assert main == {
        "name": "main",
        "image": "all:2",
        "command": ["sleep", "1"],
        "livenessProbe": {},
        "env": [{"name": "A", "value": "B"}],
        "securityContext": {"privileged": True},
    }
    assert side["image"] == "side:2"
    assert (made["metadata"]["labels"], made["spec"]["nodeName"]) == ({"app": "web"}, "n")
    with pytest.raises(CommandError, match="you must specify an existing container or a new image"):
        pod_copy(POD, Copy("c"), Wanted("", "new", ("sh",)))


def test_a_copy_with_other_images_alone_is_like_the_first() -> None:
    made = pod_copy(POD, Copy("c", images={"main": "web:2"}), Wanted())
    assert made["metadata"]["labels"] == {"app": "web"}
    assert made["spec"]["containers"][0] == {**POD["spec"]["containers"][0], "image": "web:2"}


@pytest.mark.parametrize(
    ("profile", "host", "files", "rights"),
    [
        ("general", True, True, None),
        ("sysadmin", True, True, {"privileged": True}),
        ("netadmin", True, False, {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}}),
        ("baseline", False, False, None),
    ],
)
def test_a_nodes_debugger_has_what_its_profile_gives(profile: str, host: bool, files: bool, rights: Any) -> None:
    """Rule: KEP-1441, KEP-4292"""
    made = node_pod("n", Wanted("busybox", profile=profile))
    spec, container = made["spec"], made["spec"]["containers"][0]
    assert made["metadata"]["name"].startswith("node-debugger-n-")
    assert (spec["nodeName"], spec["tolerations"], container["name"]) == ("n", [{"operator": "Exists"}], "debugger")
    assert (spec.get("hostPID", False), "volumes" in spec, container.get("securityContext")) == (host, files, rights)


def test_top_adds_containers_up_and_rounds_at_the_end() -> None:
    """Rule: cpu up to a millicore, memory down to a mebibyte; the largest first where that is asked for."""
    found = [
        {"metadata": {"namespace": "a", "name": "small"}, "containers": [{"name": "c", "usage": {"cpu": "1n", "memory": "3Mi"}}]},
        {
            "metadata": {"namespace": "b", "name": "big"},
            "containers": [
                {"name": "x", "usage": {"cpu": "400100n", "memory": "1700Ki"}},
                {"name": "y", "usage": {"cpu": "400100n", "memory": "1Mi"}},
            ],
        },
    ]
    headers, rows = _pod_rows(found, "cpu", True, False)
    assert headers == ["NAMESPACE", "NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert [[*names, *_shown(usage)] for names, usage in rows] == [["b", "big", "1m", "2Mi"], ["a", "small", "1m", "3Mi"]]
    headers, rows = _pod_rows(found, "", False, True)
    assert headers == ["POD", "NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert [names for names, _ in rows] == [["small", "c"], ["big", "x"], ["big", "y"]]
    half = {"cpu": Decimal("0.5"), "memory": Decimal(1 << 29)}
    assert _of_available(half, {"cpu": Decimal(2), "memory": Decimal(1 << 30)}) == ["500m", "25%", "512Mi", "50%"]


def test_a_part_of_a_container_is_laid_over_what_the_profile_makes() -> None:
    """Rule: KEP-4292 (kubectl debug --custom): lists are merged by their keys; name, command and image stay the flags' own."""
    custom = {"env": [{"name": "B", "value": "2"}], "resources": {"limits": {"cpu": "1"}}}
    wanted = Wanted(image="x", name="d", env=(("A", "1"),), profile="sysadmin", custom=custom)
    made = ephemeral_container(wanted, "")
    assert sorted(one["name"] for one in made["env"]) == ["A", "B"]
    assert (made["resources"], made["securityContext"], made["name"]) == ({"limits": {"cpu": "1"}}, {"privileged": True}, "d")
    with pytest.raises(CommandError, match="not modifiable via custom profile"):
        ephemeral_container(Wanted(image="x", name="d", custom={"image": "y"}), "")
