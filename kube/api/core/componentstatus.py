"""ComponentStatus: how a part of the control plane answers its health check (deprecated; read only) (v1).

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/component-status-v1/
"""

from kube.api.columns import plain
from kube.api.resource import Resource
from kube.api.types import ComponentCondition, ComponentStatus


def _healthy(component: ComponentStatus) -> ComponentCondition:
    found = [one for one in component.conditions or () if one.type == "Healthy"]
    return found[-1] if found else ComponentCondition(status="Unknown", type="Healthy", message="", error="")


def status(component: ComponentStatus) -> str:
    return {"True": "Healthy", "False": "Unhealthy"}.get(_healthy(component).status, "Unknown")


RESOURCE = Resource(
    view=ComponentStatus,
    group="",
    version="v1",
    kind="ComponentStatus",
    plural="componentstatuses",
    namespaced=False,
    short_names=("cs",),
    verbs=("get", "list"),
    has_generation=False,
    columns=(
        plain("Status", status),
        plain("Message", lambda component: _healthy(component).message or ""),
        plain("Error", lambda component: _healthy(component).error or ""),
    ),
)
