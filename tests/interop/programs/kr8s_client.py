"""PyPI's `kr8s`: kubectl-like calls, label selectors, waits on conditions, a class for a kind that it does not know."""

from importlib.metadata import version

import kr8s
from kr8s.objects import ConfigMap, Deployment, Namespace, Service, new_class

NAMESPACE = "interop-kr8s"


def main() -> None:
    print("kr8s", version("kr8s"))
    api = kr8s.api()
    assert api.version()["major"] == "1"
    namespace = Namespace({"metadata": {"name": NAMESPACE}})
    namespace.create()
    made = ConfigMap({"metadata": {"name": "c", "namespace": NAMESPACE, "labels": {"a": "b"}}, "data": {"x": "1"}})
    made.create()
    assert made.exists()
    made.patch({"data": {"y": "2"}})
    made.refresh()
    assert made.raw["data"] == {"x": "1", "y": "2"}
    made.label(team="red")
    made.annotate({"note": "n"})
    found = list(kr8s.get("configmaps", namespace=NAMESPACE, label_selector={"team": "red"}))
    assert [one.name for one in found] == ["c"]
    pod = {"metadata": {"labels": {"app": "k"}}, "spec": {"containers": [{"name": "c", "image": "c:1"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "k"}}, "template": pod}
    deployment = Deployment({"metadata": {"name": "d", "namespace": NAMESPACE}, "spec": spec})
    deployment.create()
    deployment.wait("condition=Available", timeout=30)  # no replica is wanted: the controller says so at once
    deployment.scale(0)
    service = Service({"metadata": {"name": "s", "namespace": NAMESPACE}, "spec": {"ports": [{"port": 80}]}})
    service.create()
    assert service.raw["spec"]["clusterIP"]
    lease = new_class(kind="Lease", version="coordination.k8s.io/v1", namespaced=True, plural="leases")
    holder = lease({"metadata": {"name": "l", "namespace": NAMESPACE}, "spec": {"holderIdentity": "me"}})
    holder.create()
    assert next(iter(kr8s.get("leases.coordination.k8s.io", "l", namespace=NAMESPACE))).raw["spec"]["holderIdentity"] == "me"
    made.delete()
    assert not made.exists()
    namespace.delete()
    namespace.wait("delete", timeout=60)
    print("ok")


if __name__ == "__main__":
    main()
