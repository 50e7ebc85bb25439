"""x"""
import json
from copy import deepcopy
from kube.api.status import ApiError
from tests.interop.upstream_surface.difference import Difference
from tests.interop.upstream_surface.repair import repaired
from tests.interop.upstream_surface.valid_values import OWN
from kube.api.resources import resource_for_kind
async def objects(folder, client):
    for tree in folder.objects():
        row = resource_for_kind(tree["apiVersion"], tree["kind"])
        if row is None or "create" not in row.verbs: continue
        t=deepcopy(tree); t["metadata"]={"name":"sample"}
        if row.namespaced: t["metadata"]["namespace"]="default"
        for n in range(40):
            try:
                await client.request("POST", row.path("default" if row.namespaced else ""), params={"dryRun":"All","fieldValidation":"Strict"}, body=t)
                print("OK", n, row.api_version,row.kind); break
            except ApiError as err:
                e=err
                if not repaired(t, (e.details or {}).get("causes",[]), OWN.get(row.kind, {})):
                    print(n, e.code, row.api_version, row.kind)
                    for c in (e.details or {}).get("causes",[]) or [{"field":"?","message":e.message}]: print("      ",c.get("field"),c["message"][:150])
                    break
        if n==39: print("LOOP",row.kind, e.message[:500])
    return
    yield
