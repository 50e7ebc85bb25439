"""PyPI's `lightkube`: typed models, apply and its conflicts, watches, a generic resource, status and scale."""

from importlib.metadata import version

from lightkube import Client
from lightkube.core.exceptions import ApiError
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.autoscaling_v1 import ScaleSpec
from lightkube.models.core_v1 import Container, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Namespace
from lightkube.types import PatchType

NAMESPACE = "interop-lightkube"
LABELS = {"app": "l"}


def conflicts(client: Client) -> None:
    metadata = ObjectMeta(name="c", namespace=NAMESPACE)
    assert client.apply(ConfigMap(metadata=metadata, data={"a": "1"})).data == {"a": "1"}
    try:
        client.apply(ConfigMap(metadata=metadata, data={"a": "2"}), field_manager="two")
        raise AssertionError("was not refused")
    except ApiError as refused:
        assert refused.status.code == 409
        assert 'conflict with "one"' in (refused.status.message or "")
    forced = client.apply(ConfigMap(metadata=metadata, data={"a": "2"}), field_manager="two", force=True)
    assert forced.data == {"a": "2"}


def workloads(client: Client) -> None:
    template = PodTemplateSpec(metadata=ObjectMeta(labels=LABELS), spec=PodSpec(containers=[Container(name="c", image="c:1")]))
    spec = DeploymentSpec(replicas=0, selector=LabelSelector(matchLabels=LABELS), template=template)
    client.create(Deployment(metadata=ObjectMeta(name="d", namespace=NAMESPACE), spec=spec))
    scale = Deployment.Scale(metadata=ObjectMeta(name="d", namespace=NAMESPACE), spec=ScaleSpec(replicas=2))
    assert client.replace(scale).spec.replicas == 2
    patched = client.patch(Deployment, "d", {"spec": {"paused": True}}, namespace=NAMESPACE, patch_type=PatchType.MERGE)
    assert patched.spec is not None
    assert (patched.spec.replicas, patched.spec.paused) == (2, True)


def watches(client: Client) -> None:
    since = client.list(ConfigMap, namespace=NAMESPACE)
    list(since)
    client.create(ConfigMap(metadata=ObjectMeta(name="w", namespace=NAMESPACE)))
    for kind, found in client.watch(ConfigMap, namespace=NAMESPACE, resource_version=since.resourceVersion, server_timeout=20):
        assert found.metadata is not None
        assert (kind, found.metadata.name) == ("ADDED", "w")
        break


def main() -> None:
    print("lightkube", version("lightkube"))
    client = Client(namespace=NAMESPACE, field_manager="one")
    client.create(Namespace(metadata=ObjectMeta(name=NAMESPACE)))
    conflicts(client)
    workloads(client)
    watches(client)
    client.delete(Namespace, NAMESPACE)
    client.close()
    print("ok")


if __name__ == "__main__":
    main()
