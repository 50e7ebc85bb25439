"""PyPI's `kubernetes` and `lightkube`, unmodified: typed calls, watches, patches, errors.

Each runs in a thread, because the server lives on this process's event loop.
"""

import asyncio
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import version

import kubernetes.client as official
import lightkube
import pytest
from kubernetes import watch as official_watch
from kubernetes.client.exceptions import ApiException
from lightkube.config.kubeconfig import KubeConfig
from lightkube.core.exceptions import ApiError
from lightkube.models.core_v1 import ConfigMap as ConfigMapModel
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap, Namespace

from tests.component.conftest import ADMIN_TOKEN, RunningApi


def official_api(url: str) -> official.ApiClient:
    configuration = official.Configuration()
    configuration.host = url
    configuration.api_key = {"authorization": f"Bearer {ADMIN_TOKEN}"}
    configuration.api_key_prefix = {}
    return official.ApiClient(configuration, header_name="authorization", header_value=f"Bearer {ADMIN_TOKEN}")


def in_thread(runner: asyncio.Runner, work: Callable[[], None]) -> None:
    async def scenario() -> None:
        async with asyncio.timeout(60):
            await asyncio.to_thread(work)

    runner.run(scenario())


def test_official_python_client_creates_watches_patches_and_deletes(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    print("kubernetes", version("kubernetes"))

    def work() -> None:
        with official_api(apiserver.url) as api:
            core = official.CoreV1Api(api)
            assert {one.metadata.name for one in core.list_namespace().items} >= {"default", "kube-system"}
            metadata = official.V1ObjectMeta(name="c")
            made = core.create_namespaced_config_map("default", official.V1ConfigMap(metadata=metadata, data={"a": "1"}))
            core.patch_namespaced_config_map("c", "default", {"data": {"a": "2"}})
            stream = official_watch.Watch().stream(
                core.list_namespaced_config_map, "default",
                resource_version=made.metadata.resource_version, timeout_seconds=5,
            )  # fmt: skip
            with closing(stream):  # a watch that is left open holds its socket until the collector comes by, in another test
                event = next(stream)
            assert (event["type"], event["object"].data) == ("MODIFIED", {"a": "2"})
            core.delete_namespaced_config_map("c", "default")
            with pytest.raises(ApiException) as missing:
                core.read_namespaced_config_map("c", "default")
            assert missing.value.status == 404

    in_thread(runner, work)


def test_lightkube_applies_and_is_told_of_conflicts(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    print("lightkube", version("lightkube"))

    def work() -> None:
        tree = {
            "clusters": [{"name": "c", "cluster": {"server": apiserver.url}}],
            "users": [{"name": "u", "user": {"token": ADMIN_TOKEN}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        client = lightkube.Client(config=KubeConfig.from_dict(tree), namespace="default", field_manager="one")
        assert any(one.metadata.name == "default" for one in client.list(Namespace))
        wish = ConfigMapModel(metadata=ObjectMeta(name="c", namespace="default"), data={"a": "1"})
        applied = client.apply(ConfigMap(metadata=wish.metadata, data=wish.data))
        assert applied.data == {"a": "1"}
        with pytest.raises(ApiError) as refused:
            client.apply(ConfigMap(metadata=wish.metadata, data={"a": "2"}), field_manager="two")
        assert refused.value.status.code == 409
        assert 'conflict with "one"' in refused.value.status.message
        forced = client.apply(ConfigMap(metadata=wish.metadata, data={"a": "2"}), field_manager="two", force=True)
        assert forced.data == {"a": "2"}
        client.close()

    in_thread(runner, work)
