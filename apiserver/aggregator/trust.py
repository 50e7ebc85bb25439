"""Trust: ConfigMap kube-system/extension-apiserver-authentication, from which extension API servers learn whom to believe.

The authority of client certificates, and that of front proxies with the names and headers they may use. Every API server writes its
own flags into it; authorities that another server wrote stay.
https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/#extension-apiserver-authenticates-the-request
kubernetes pkg/controlplane/controller/clusterauthenticationtrust
"""

import orjson

from apiserver.config import Config
from apiserver.context import Server
from apiserver.storage.deletion import utc_now
from apiserver.storage.metadata import fill_new
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import AlreadyExists, NotFound
from kube.api.types import ConfigMap

KEY = Key("kube-system", "extension-apiserver-authentication")
AUTHORITIES = ("client-ca-file", "requestheader-client-ca-file")
END = "-----END CERTIFICATE-----"


async def publish(server: Server) -> None:
    """Write what is missing. Raises ApiError where etcd does not do."""
    wanted = data_of(server.config)
    if not wanted:
        return
    store = server.stores.store_for(resource_of(ConfigMap))

    async def renewed(current: Tree) -> Tree:
        return {**current, "data": merged(current.get("data") or {}, wanted)}

    try:
        await store.update(KEY, renewed)
    except NotFound:
        tree: Tree = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": KEY.name, "namespace": KEY.namespace},
            "data": wanted,
        }
        fill_new(tree, resource_of(ConfigMap), KEY.namespace, utc_now())
        try:
            await store.create(tree)
        except AlreadyExists:
            await store.update(KEY, renewed)


def data_of(config: Config) -> dict[str, str]:
    """What this server's flags say."""
    data: dict[str, str] = {}
    if config.client_ca_file:
        data["client-ca-file"] = config.client_ca_file.read_text()
    if config.requestheader_client_ca_file:
        data["requestheader-client-ca-file"] = config.requestheader_client_ca_file.read_text()
        for name in ("allowed_names", "username_headers", "uid_headers", "group_headers", "extra_headers_prefix"):
            values = list(getattr(config, f"requestheader_{name}"))
            data[f"requestheader-{name.replace('_', '-')}"] = orjson.dumps(values).decode()
    return data


def merged(there: dict[str, str], wanted: dict[str, str]) -> dict[str, str]:
    """What is wanted, with the other servers' authorities kept. Pure."""
    data = {**there, **wanted}
    for name in AUTHORITIES:
        if name in wanted and name in there:
            more = [one for one in _certificates(there[name]) if one not in _certificates(wanted[name])]
            data[name] = "\n".join([wanted[name].rstrip("\n"), *more]) + "\n"
    return data


def _certificates(text: str) -> list[str]:
    return [one.strip() + "\n" + END for one in text.split(END) if one.strip()]
