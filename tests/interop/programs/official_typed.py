"""PyPI's `kubernetes`, typed: objects of several groups, all patch types, chunks, a watch that is resumed, errors."""

import threading
from contextlib import closing
from importlib.metadata import version

from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

NAMESPACE = "interop-typed"
LABELS = {"app": "web"}


def deployment(replicas: int) -> client.V1Deployment:
    container = client.V1Container(name="web", image="web:1", ports=[client.V1ContainerPort(container_port=80)])
    template = client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels=LABELS), spec=client.V1PodSpec(containers=[container]))
    spec = client.V1DeploymentSpec(replicas=replicas, selector=client.V1LabelSelector(match_labels=LABELS), template=template)
    return client.V1Deployment(metadata=client.V1ObjectMeta(name="web"), spec=spec)


def status_of(call: object, *arguments: object, **named: object) -> int:
    """The HTTP status that a call is refused with."""
    try:
        call(*arguments, **named)  # type: ignore[operator]
    except ApiException as refused:
        return int(refused.status)
    raise AssertionError("was not refused")


def workloads(apps: client.AppsV1Api, autoscaling: client.AutoscalingV2Api) -> None:
    made = apps.create_namespaced_deployment(NAMESPACE, deployment(2))
    assert (made.spec.revision_history_limit, made.spec.strategy.type) == (10, "RollingUpdate")
    assert made.spec.template.spec.dns_policy == "ClusterFirst"
    scaled = apps.patch_namespaced_deployment_scale("web", NAMESPACE, {"spec": {"replicas": 3}})
    assert scaled.spec.replicas == 3
    assert apps.read_namespaced_deployment_scale("web", NAMESPACE).status.selector == "app=web"
    by_name = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "side:1"}]}}}}
    patched = apps.patch_namespaced_deployment("web", NAMESPACE, by_name)  # a strategic merge: the list is merged by name
    assert [one.name for one in patched.spec.template.spec.containers] == ["side", "web"]
    stale = made
    stale.spec.replicas = 9
    assert status_of(apps.replace_namespaced_deployment, "web", NAMESPACE, stale) == 409
    wrong = deployment(1)
    wrong.metadata.name = "Wrong_Name"
    assert status_of(apps.create_namespaced_deployment, NAMESPACE, wrong) == 422
    target = client.V2CrossVersionObjectReference(api_version="apps/v1", kind="Deployment", name="web")
    scaler = client.V2HorizontalPodAutoscaler(
        metadata=client.V1ObjectMeta(name="web"),
        spec=client.V2HorizontalPodAutoscalerSpec(max_replicas=5, scale_target_ref=target),
    )
    assert autoscaling.create_namespaced_horizontal_pod_autoscaler(NAMESPACE, scaler).spec.min_replicas == 1


def patches(core: client.CoreV1Api) -> None:
    core.create_namespaced_config_map(NAMESPACE, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="p"), data={"a": "1"}))
    operations = [{"op": "test", "path": "/data/a", "value": "1"}, {"op": "replace", "path": "/data/a", "value": "2"}]
    assert core.patch_namespaced_config_map("p", NAMESPACE, operations).data == {"a": "2"}
    assert status_of(core.patch_namespaced_config_map, "p", NAMESPACE, operations) == 422  # the test no longer holds
    assert core.patch_namespaced_config_map("p", NAMESPACE, {"data": {"a": None, "b": "3"}}).data == {"b": "3"}


def chunks(core: client.CoreV1Api) -> None:
    for number in range(7):
        metadata = client.V1ObjectMeta(name=f"chunk-{number}", labels={"part": "chunks"})
        core.create_namespaced_config_map(NAMESPACE, client.V1ConfigMap(metadata=metadata))
    names: list[str] = []
    token = None
    while token != "":
        page = core.list_namespaced_config_map(NAMESPACE, label_selector="part=chunks", limit=3, _continue=token)
        assert len(page.items) <= 3
        names += [one.metadata.name for one in page.items]
        token = page.metadata._continue or ""
    assert names == [f"chunk-{number}" for number in range(7)]


def watches(core: client.CoreV1Api) -> None:
    """As an informer does: list, watch from there, lose the connection, go on from the last version seen."""
    version_seen = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
    wanted = [f"w-{number}" for number in range(6)]

    def write() -> None:
        for name in wanted:
            core.create_namespaced_config_map(NAMESPACE, client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name)))

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[str] = []
    while len(seen) < len(wanted):
        stream = watch.Watch().stream(
            core.list_namespaced_config_map, NAMESPACE, resource_version=version_seen, timeout_seconds=20
        )  # fmt: skip
        with closing(stream):
            for _, event in zip(range(2), stream, strict=False):  # then the connection is dropped
                assert event["type"] == "ADDED"
                seen.append(event["object"].metadata.name)
                version_seen = event["object"].metadata.resource_version
    writer.join()
    assert seen == wanted, "no gap, no repetition"
    too_old = watch.Watch().stream(core.list_namespaced_config_map, NAMESPACE, resource_version="1", timeout_seconds=5)
    with closing(too_old):
        try:
            next(iter(too_old), None)
        except ApiException as refused:
            assert refused.status == 410


def access(api: client.ApiClient) -> None:
    review = client.V1SelfSubjectAccessReview(
        spec=client.V1SelfSubjectAccessReviewSpec(
            resource_attributes=client.V1ResourceAttributes(verb="create", resource="pods", namespace=NAMESPACE)
        )
    )
    assert client.AuthorizationV1Api(api).create_self_subject_access_review(review).status.allowed
    core = client.CoreV1Api(api)
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=3600))
    core.create_namespaced_service_account(NAMESPACE, client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="robot")))
    token = core.create_namespaced_service_account_token("robot", NAMESPACE, request).status.token
    reviewed = client.AuthenticationV1Api(api).create_token_review(client.V1TokenReview(spec=client.V1TokenReviewSpec(token=token)))
    assert reviewed.status.user.username == f"system:serviceaccount:{NAMESPACE}:robot"


def main() -> None:
    print("kubernetes", version("kubernetes"))
    config.load_kube_config()
    with client.ApiClient() as api:
        core = client.CoreV1Api(api)
        core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=NAMESPACE)))
        assert client.VersionApi(api).get_code().major == "1"
        workloads(client.AppsV1Api(api), client.AutoscalingV2Api(api))
        patches(core)
        chunks(core)
        watches(core)
        access(api)
        core.delete_collection_namespaced_config_map(NAMESPACE, label_selector="part=chunks")
        assert not core.list_namespaced_config_map(NAMESPACE, label_selector="part=chunks").items
        core.delete_namespace(NAMESPACE)
    print("ok")


if __name__ == "__main__":
    main()
