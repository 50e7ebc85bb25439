"""PyPI's `kubernetes`, dynamic client: discovery, a custom resource, server-side apply, watches; and its leader election."""

import json
import threading
import uuid
from importlib.metadata import version

import yaml
from kubernetes import client, config, dynamic
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

NAMESPACE = "interop-dynamic"
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: kettles.dynamic.example.com}
spec:
  group: dynamic.example.com
  scope: Namespaced
  names: {plural: kettles, singular: kettle, kind: Kettle, shortNames: [kt]}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [litres]
            properties: {litres: {type: integer, minimum: 1}, colour: {type: string, default: red}}
"""


def established(crds: dynamic.Resource) -> None:
    for event in crds.watch(field_selector="metadata.name=kettles.dynamic.example.com", timeout=20):
        conditions = {one["type"]: one["status"] for one in event["raw_object"].get("status", {}).get("conditions", [])}
        if conditions.get("Established") == "True":
            return
    raise AssertionError("never established")


def custom_resource(api: client.ApiClient, cluster: dynamic.DynamicClient) -> None:
    crds = cluster.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition")
    crds.create(body=yaml.safe_load(CRD))
    established(crds)
    fresh = dynamic.DynamicClient(api)  # discovers again
    kettles = fresh.resources.get(api_version="dynamic.example.com/v1", kind="Kettle")
    body = {"apiVersion": "dynamic.example.com/v1", "kind": "Kettle", "metadata": {"name": "k"}, "spec": {"litres": 2}}
    made = kettles.create(body=body, namespace=NAMESPACE)
    assert made.spec.colour == "red", "the schema's default"
    try:
        kettles.create(body=body | {"metadata": {"name": "wrong"}, "spec": {"litres": 0}}, namespace=NAMESPACE)
        raise AssertionError("was not refused")
    except ApiException as refused:
        assert refused.status == 422, refused
    changed = kettles.patch(
        name="k", namespace=NAMESPACE, body={"spec": {"litres": 3}}, content_type="application/merge-patch+json"
    )  # fmt: skip
    assert changed.spec.litres == 3
    crds.delete(name="kettles.dynamic.example.com")


def apply(cluster: dynamic.DynamicClient) -> None:
    maps = cluster.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": NAMESPACE}, "data": {"a": "1"}}
    cluster.server_side_apply(maps, body=json.dumps(body), name="c", namespace=NAMESPACE, field_manager="one")
    other = json.dumps(body | {"data": {"a": "2"}})
    try:
        cluster.server_side_apply(maps, body=other, name="c", namespace=NAMESPACE, field_manager="two")
        raise AssertionError("was not refused")
    except ConflictError as refused:
        assert 'conflict with "one"' in json.loads(refused.body)["message"]
    forced = cluster.server_side_apply(maps, body=other, name="c", namespace=NAMESPACE, field_manager="two", force_conflicts=True)
    assert forced.data.a == "2"
    maps.delete(name="c", namespace=NAMESPACE)
    try:
        maps.get(name="c", namespace=NAMESPACE)
        raise AssertionError("is still there")
    except NotFoundError:
        pass


def leader_election() -> None:
    led = threading.Event()
    lock = LeaseLock("interop-leader", NAMESPACE, str(uuid.uuid4()))

    def lead() -> None:
        led.set()

    wanted = electionconfig.Config(
        lock, lease_duration=5, renew_deadline=3, retry_period=1, onstarted_leading=lead, onstopped_leading=None
    )
    threading.Thread(target=leaderelection.LeaderElection(wanted).run, daemon=True).start()
    assert led.wait(20), "became the leader"


def main() -> None:
    print("kubernetes", version("kubernetes"))
    config.load_kube_config()
    with client.ApiClient() as api:
        cluster = dynamic.DynamicClient(api)
        namespaces = cluster.resources.get(api_version="v1", kind="Namespace")
        namespaces.create(body={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        apply(cluster)
        leader_election()
        custom_resource(api, cluster)
        namespaces.delete(name=NAMESPACE)
    print("ok")


if __name__ == "__main__":
    main()
