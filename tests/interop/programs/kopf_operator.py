"""A small operator on PyPI's `kopf`: a Kettle gets a ConfigMap of its own, follows its changes and cleans up behind it."""

import asyncio
import logging
from importlib.metadata import version
from typing import Any

import kopf
from kubernetes_asyncio import client, config, watch

NAMESPACE, GROUP = "interop-kopf", "kopf.example.com"
DONE_SECONDS = 60
PRESERVED = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"kettles.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"plural": "kettles", "singular": "kettle", "kind": "Kettle"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": PRESERVED, "status": PRESERVED}}},
            }
        ],
    },
}
log: list[str] = []


@kopf.on.create(GROUP, "v1", "kettles")  # type: ignore[arg-type]
async def filled(spec: Any, name: str, namespace: str, patch: Any, **_: object) -> None:
    async with client.ApiClient() as api:
        body = {"metadata": {"name": name}, "data": {"litres": str(spec["litres"])}}
        kopf.adopt(body)
        await client.CoreV1Api(api).create_namespaced_config_map(namespace, body)
    patch.status["phase"] = "Filled"
    log.append("created")


@kopf.on.update(GROUP, "v1", "kettles", field="spec.litres")  # type: ignore[arg-type]
async def refilled(new: Any, name: str, namespace: str, **_: object) -> None:
    async with client.ApiClient() as api:
        await client.CoreV1Api(api).patch_namespaced_config_map(name, namespace, {"data": {"litres": str(new)}})
    log.append("updated")


@kopf.on.delete(GROUP, "v1", "kettles")  # type: ignore[arg-type]
async def emptied(**_: object) -> None:
    log.append("deleted")


async def until(objects: client.CustomObjectsApi, phase: str) -> None:
    """Wait for a Kettle's phase by a watch."""
    async with watch.Watch() as one:
        async for event in one.stream(objects.list_namespaced_custom_object, GROUP, "v1", NAMESPACE, "kettles", timeout_seconds=40):
            if (event["raw_object"].get("status") or {}).get("phase") == phase:
                return


async def scenario(api: client.ApiClient) -> None:
    core, objects = client.CoreV1Api(api), client.CustomObjectsApi(api)
    kettle = {"apiVersion": f"{GROUP}/v1", "kind": "Kettle", "metadata": {"name": "k"}, "spec": {"litres": 1}}
    await objects.create_namespaced_custom_object(GROUP, "v1", NAMESPACE, "kettles", kettle)
    await until(objects, "Filled")
    owned = await core.read_namespaced_config_map("k", NAMESPACE)
    assert (owned.data, owned.metadata.owner_references[0].kind) == ({"litres": "1"}, "Kettle")
    more = {"spec": {"litres": 2}}
    await objects.patch_namespaced_custom_object(
        GROUP, "v1", NAMESPACE, "kettles", "k", more, _content_type="application/merge-patch+json"
    )
    async with watch.Watch() as one:
        async for event in one.stream(core.list_namespaced_config_map, NAMESPACE, timeout_seconds=40):
            if event["object"].metadata.name == "k" and event["object"].data == {"litres": "2"}:
                break
    await objects.delete_namespaced_custom_object(GROUP, "v1", NAMESPACE, "kettles", "k")
    async with watch.Watch() as one:  # the garbage collector follows the owner
        async for event in one.stream(core.list_namespaced_config_map, NAMESPACE, timeout_seconds=40):
            if event["type"] == "DELETED" and event["object"].metadata.name == "k":
                break


async def prepare(api: client.ApiClient) -> None:
    await client.CoreV1Api(api).create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=NAMESPACE)))
    crds = client.ApiextensionsV1Api(api)
    await crds.create_custom_resource_definition(CRD)
    async with watch.Watch() as one:
        async for event in one.stream(crds.list_custom_resource_definition, timeout_seconds=20):
            found = event["raw_object"]
            conditions = {one["type"]: one["status"] for one in found.get("status", {}).get("conditions") or []}
            if found["metadata"]["name"] == f"kettles.{GROUP}" and conditions.get("Established") == "True":
                return


async def main() -> None:
    print("kopf", version("kopf"))
    logging.getLogger("kopf").setLevel(logging.WARNING)
    await config.load_kube_config()
    async with client.ApiClient() as api, asyncio.timeout(DONE_SECONDS):
        await prepare(api)
        stop, ready = asyncio.Event(), asyncio.Event()
        operator = asyncio.create_task(kopf.operator(standalone=True, namespace=NAMESPACE, stop_flag=stop, ready_flag=ready))
        await ready.wait()
        await scenario(api)
        stop.set()
        await operator
        assert log == ["created", "updated", "deleted"], log
        await client.ApiextensionsV1Api(api).delete_custom_resource_definition(f"kettles.{GROUP}")
        await client.CoreV1Api(api).delete_namespace(NAMESPACE)
    print("ok")


if __name__ == "__main__":
    asyncio.run(main())
