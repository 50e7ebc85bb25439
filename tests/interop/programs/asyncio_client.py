"""PyPI's `kubernetes_asyncio`: typed calls on one event loop, many at a time, beside a watch."""

import asyncio
from importlib.metadata import version

from kubernetes_asyncio import client, config, watch
from kubernetes_asyncio.client.exceptions import ApiException

NAMESPACE = "interop-asyncio"
COUNT = 40


def config_map(number: int) -> client.V1ConfigMap:
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=f"c-{number}"), data={"n": str(number)})


async def watched(core: client.CoreV1Api, since: str) -> dict[str, str]:
    """The first event of each name, until all were seen."""
    seen: dict[str, str] = {}
    async with watch.Watch() as one:
        async for event in one.stream(core.list_namespaced_config_map, NAMESPACE, resource_version=since, timeout_seconds=30):
            name = event["object"].metadata.name
            if name.startswith("c-"):
                seen.setdefault(name, event["type"])
            if len(seen) == COUNT:
                one.stop()
                break
    return seen


async def main() -> None:
    print("kubernetes_asyncio", version("kubernetes_asyncio"))
    await config.load_kube_config()
    async with client.ApiClient() as api:
        core = client.CoreV1Api(api)
        await core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=NAMESPACE)))
        since = (await core.list_namespaced_config_map(NAMESPACE)).metadata.resource_version
        watching = asyncio.create_task(watched(core, since))
        await asyncio.gather(*(core.create_namespaced_config_map(NAMESPACE, config_map(number)) for number in range(COUNT)))
        assert await watching == {f"c-{number}": "ADDED" for number in range(COUNT)}
        await core.patch_namespaced_config_map("c-0", NAMESPACE, {"data": {"n": "zero"}})
        assert (await core.read_namespaced_config_map("c-0", NAMESPACE)).data == {"n": "zero"}
        try:
            await core.create_namespaced_config_map(NAMESPACE, config_map(0))
            raise AssertionError("was not refused")
        except ApiException as refused:
            assert refused.status == 409
        await core.delete_collection_namespaced_config_map(NAMESPACE)
        await core.delete_namespace(NAMESPACE)
    print("ok")


if __name__ == "__main__":
    asyncio.run(main())
