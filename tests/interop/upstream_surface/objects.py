"""x"""
from kube.api.status import ApiError
from tests.interop.upstream_surface.difference import Difference
from kube.api.resources import resource_for_kind
async def objects(folder, client):
    for tree in folder.objects():
        row = resource_for_kind(tree["apiVersion"], tree["kind"])
        if row is None:
            print("NO ROW", tree["apiVersion"], tree["kind"]); continue
        if "create" not in row.verbs: print("NO CREATE", row.kind); continue
        t=dict(tree); t["metadata"]={"name":"sample"}
        if row.namespaced: t["metadata"]["namespace"]="default"
        try:
            await client.request("POST", row.path("default" if row.namespaced else ""), params={"dryRun":"All","fieldValidation":"Strict"}, body=t)
            print("OK", row.api_version,row.kind)
        except ApiError as e:
            print(e.code, row.api_version, row.kind, e.message)
    return
    yield
