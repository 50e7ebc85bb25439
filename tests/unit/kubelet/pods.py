"""Builders of pods and looks at them, for the kubelet's unit tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from kube.api.types import Pod
from kube.api.views import view
from kubelet.container_spec import hashes
from kubelet.plan import Plan, plan
from kubelet.pod_state import Ending, Health, Observed
from kubelet.runtime.runtime import PodIdentity, RuntimeContainer

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = NOW + timedelta(seconds=30)
UID = "0000-uid"
WHO = PodIdentity("default", "web", UID)


def a_container(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": "busybox:latest", **fields}


def a_pod(*names: str, init: list[dict[str, Any]] | None = None, metadata: dict[str, Any] | None = None, **spec: Any) -> Pod:
    containers = spec.pop("containers", None) or [a_container(name) for name in names or ("main",)]
    tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": "default", "name": "web", "uid": UID, **(metadata or {})},
        "spec": {"containers": containers, **({"initContainers": init} if init else {}), **spec},
    }
    return view(Pod, tree)


def a_sandbox(attempt: int = 0, state: str = "running") -> RuntimeContainer:
    return RuntimeContainer(f"sandbox-{attempt}", WHO, "POD", attempt, state, NOW, is_sandbox=True)  # type: ignore[arg-type]


def running(name: str, attempt: int = 0, sandbox: int = 0) -> RuntimeContainer:
    return RuntimeContainer(
        f"{name}-{attempt}", WHO, name, attempt, "running", NOW, sandbox_id=f"sandbox-{sandbox}", started_at=NOW
    )


def ended(name: str, exit_code: int, attempt: int = 0, sandbox: int = 0, reason: str = "") -> RuntimeContainer:
    return RuntimeContainer(
        f"{name}-{attempt}", WHO, name, attempt, "exited", NOW, sandbox_id=f"sandbox-{sandbox}", started_at=NOW, finished_at=NOW,
        exit_code=exit_code, reason=reason or ("Completed" if exit_code == 0 else "Error"),
    )  # fmt: skip


def a_look(*records: RuntimeContainer, **fields: Any) -> Observed:
    """A look at a pod whose sandbox runs, and whose running containers are well."""
    fields.setdefault("sandbox", a_sandbox())
    fields.setdefault("ip", "10.244.0.2")
    fields.setdefault("health", {one.id: Health() for one in records if one.running})
    return Observed(containers=tuple(records), **fields)


def planned(pod: Pod, observed: Observed) -> Plan:
    return plan(pod, observed, NOW, hashes(pod))


def an_end(**fields: Any) -> Ending:
    return Ending(LATER, **fields)
