"""What the answer is where upstream's differs from kind to kind, or from what one would think."""

import asyncio
from typing import Any

import aiohttp

from tests.component.conftest import ADMIN_TOKEN, RunningApi

NAMESPACE = "/api/v1/namespaces/default"
MAPS = f"{NAMESPACE}/configmaps"
APPLY = "application/apply-patch+yaml"
TYPED = "failed to create typed patch object (default/d; apps/v1, Kind=Deployment): .spec.template.spec.containers"


class Session:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.warned: list[str] = []  # with the last answer

    async def told(self, method: str, path: str, tree: Any = None, **headers: str) -> tuple[int, Any]:
        async with self._session.request(method, path, json=tree, headers=headers) as answer:
            self.warned = answer.headers.getall("Warning", [])
            return answer.status, await answer.json()

    async def why(self, method: str, path: str, tree: Any = None, **headers: str) -> tuple[int, str]:
        code, answer = await self.told(method, path, tree, **headers)
        return code, answer["message"]


def test_answers(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    async def scenario() -> None:
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with aiohttp.ClientSession(apiserver.url, headers=headers) as session:
            one = Session(session)
            await deletes(one)
            await lists(one)
            await forms(one)
            await other_objects(one)
            await applies(one)

    runner.run(scenario())


async def deletes(one: Session) -> None:
    """Some kinds are shown once more when they go; a collection is deleted in one namespace.

    Rule: pkg/registry (ReturnDeletedObject), swagger.json's responses of delete; apiserver pkg/endpoints/installer.go
    """
    await one.told("POST", MAPS, {"metadata": {"name": "gone"}})
    assert (await one.told("DELETE", f"{MAPS}/gone"))[1]["kind"] == "Status"
    await one.told("POST", f"{NAMESPACE}/services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    assert (await one.told("DELETE", f"{NAMESPACE}/services/s"))[1]["kind"] == "Service"
    assert (await one.told("DELETE", "/api/v1/configmaps"))[0] == 405
    code, wrong = await one.told("DELETE", f"{MAPS}/kube-root-ca.crt", {"preconditions": {"uid": "x"}})
    assert code == 404 or wrong["details"]["kind"] == "ConfigMap"
    await one.told("POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})
    metadata = (await one.told("DELETE", "/api/v1/namespaces/n"))[1]["metadata"]
    assert "deletionTimestamp" in metadata
    assert "deletionGracePeriodSeconds" not in metadata
    await deletes_that_leave_pods(one)


async def deletes_that_leave_pods(one: Session) -> None:
    """Rule: pkg/registry/batch/job/storage, pkg/registry/core/replicationcontroller (DefaultGarbageCollectionPolicy)"""
    jobs, rcs = "/apis/batch/v1/namespaces/default/jobs", f"{NAMESPACE}/replicationcontrollers"
    pod = {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}}
    for name in ("left", "asked"):
        await one.told("POST", jobs, {"metadata": {"name": name}, "spec": {"template": pod}})
    code, left = await one.told("DELETE", f"{jobs}/left")
    assert (code, left["metadata"]["finalizers"]) == (200, ["orphan"])
    assert [text.split("; ")[0] for text in one.warned] == ['299 - "child pods are preserved by default when jobs are deleted']
    assert (await one.told("DELETE", f"{jobs}/asked", {"propagationPolicy": "Background"}))[1]["kind"] == "Status"
    assert not one.warned
    pod["spec"]["restartPolicy"] = "Always"
    await one.told("POST", rcs, {"metadata": {"name": "rc"}, "spec": {"template": {"metadata": {"labels": {"a": "b"}}, **pod}}})
    assert (await one.told("DELETE", f"{rcs}/rc"))[1]["metadata"]["finalizers"] == ["orphan"]
    assert not one.warned


async def lists(one: Session) -> None:
    """The items of a built-in kind do not say what they are; what the cache answers has no limit; numbers are numbers.

    Rule: encoding of typed lists; apiserver pkg/storage/cacher (shouldDelegateList); apimachinery pkg/runtime/conversion.go
    """
    for name in ("a", "b"):
        await one.told("POST", MAPS, {"metadata": {"name": name}, "data": {"k": "v"}})
    _, page = await one.told("GET", f"{MAPS}?limit=1&resourceVersion=0")
    assert [item["metadata"]["name"] for item in page["items"] if "kind" not in item] == ["a", "b"]
    for query in ("limit=", "timeoutSeconds=x", "watch=1&limit=x"):
        assert (await one.why("GET", f"{MAPS}?{query}"))[1].startswith("strconv.ParseInt: parsing"), query


async def forms(one: Session) -> None:
    """Rule: apiserver pkg/endpoints/handlers/response.go; go-restful's routes (matchesAccept)"""
    as_table = "application/json;as=Table;g=meta.k8s.io;v=v1beta1"
    _, table = await one.told("GET", f"{MAPS}/a?includeObject=None", Accept=as_table)
    assert (table["apiVersion"], table["rows"][0]["object"], table["rows"][0]["cells"][1]) == ("meta.k8s.io/v1beta1", None, 1)
    why = "includeObject: Invalid value: \"x\": must be 'Metadata', 'Object', 'None', or empty"
    refusal = f"Unable to convert to Table as requested: {why}"
    assert await one.why("GET", f"{MAPS}?includeObject=x", Accept=as_table) == (400, refusal)
    as_one = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
    refusal = "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)"
    assert await one.why("GET", MAPS, Accept=as_one) == (406, refusal)
    assert (await one.told("GET", f"{MAPS}/a", Accept=as_one))[1]["kind"] == "PartialObjectMetadata"
    for accept in ("text/html", "application/*", "application/cbor"):
        assert await one.why("GET", MAPS, Accept=accept) == (406, "406: Not Acceptable")


async def other_objects(one: Session) -> None:
    """Rule: apiserver pkg/registry/generic/registry/store.go (Preconditions), pkg/endpoints/handlers/patch.go"""
    for name, actual in (("a", "[0-9a-f-]+"), ("none", "")):
        code, message = await one.why("PUT", f"{MAPS}/{name}", {"metadata": {"name": name, "uid": "x"}})
        assert code == 409
        assert f"/configmaps/default/{name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID" in message
        assert message.endswith("UID in object meta: ") == (not actual)
    merge = {"Content-Type": "application/merge-patch+json"}
    code, refusal = await one.told("PATCH", f"{MAPS}/a", {"metadata": {"uid": "x"}}, **merge)
    assert (code, [cause["field"] for cause in refusal["details"]["causes"]]) == (422, ["metadata.uid"] * 2)
    code, message = await one.why("PATCH", f"{MAPS}/a", {"metadata": {"deletionTimestamp": "2000-01-01T00:00:00Z"}}, **merge)
    assert message.endswith("metadata.deletionTimestamp: Invalid value: 2000-01-01 00:00:00 +0000 UTC: field is immutable")
    code, message = await one.why("PATCH", f"{MAPS}/a", {"kind": "Pod"}, **merge)
    assert (code, message.endswith("converting (v1.Pod) to (core.ConfigMap): unknown conversion")) == (422, True)


async def applies(one: Session) -> None:
    """Rule: structured-merge-diff typed; apimachinery pkg/util/managedfields"""

    async def why(config: Any, path: str = "/apis/apps/v1/namespaces/default/deployments/d") -> tuple[int, str]:
        return await one.why("PATCH", f"{path}?fieldManager=me", config, **{"Content-Type": APPLY})

    def deployment(*containers: Any) -> Any:
        spec = {"template": {"spec": {"containers": list(containers)}}}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}

    item = {"name": "c", "image": "i"}
    assert (await why(deployment(item, item)))[1] == f'{TYPED}: duplicate entries for key [name="c"]'
    omits = 'element 0: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)'
    assert (await why(deployment({"image": "i"})))[1] == f"{TYPED}: {omits}"
    assert (await why(deployment({**item, "x": 1})))[1] == f'{TYPED}[name="c"].x: field not declared in schema'
    a_map: Any = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}
    unnamed = "the name of the object (none based on URL) was undeterminable: name must be provided"
    assert await why(a_map, f"{MAPS}/none") == (400, unnamed)
    mismatch = "uid mismatch: the provided object specified uid x, and no existing object was found"
    named = {**a_map, "metadata": {"name": "none", "uid": "x"}}
    assert await why(named, f"{MAPS}/none") == (409, f'Operation cannot be fulfilled on configmaps "none": {mismatch}')
    assert (await why({**a_map, "metadata": {"uid": "x"}}, f"{MAPS}/a"))[0] == 422
