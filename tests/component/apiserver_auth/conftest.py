"""What the tests of authentication and authorization share: a server that signs tokens, and roles to give."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from apiserver.config import Config
from kube.api.meta import Tree
from kube.api.types import ClusterRole, ClusterRoleBinding
from kube.client.rest import Client
from tests.component.conftest import RunningApi
from tests.wait import eventually

GROUP = "rbac.authorization.k8s.io"


@pytest.fixture
def api_config(api_config: Config, tmp_path: Path) -> Config:
    """With a key that signs tokens, and bootstrap tokens."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "sa.key"
    pem = serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, pem, serialization.NoEncryption()))
    return replace(
        api_config,
        service_account_key_file=(path,),
        service_account_signing_key_file=path,
        enable_bootstrap_token_auth=True,
        enable_admission_plugins=("OwnerReferencesPermissionEnforcement",),
    )


def a_rule(verbs: str, groups: str, resources: str, names: str = "") -> Tree:
    tree = {
        "verbs": verbs.split(),
        "apiGroups": ["" if one == "core" else one for one in groups.split()],
        "resources": resources.split(),
    }
    return tree | ({"resourceNames": names.split()} if names else {})


async def grant(apiserver: RunningApi, client: Client, name: str, user: str, *rules: Tree) -> None:
    """Give a user a ClusterRole with these rules, and wait until the server knows."""
    await client.create(ClusterRole, {"metadata": {"name": name}, "rules": list(rules)})
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": name}
    subjects = [{"kind": "User", "apiGroup": GROUP, "name": user}]
    await client.create(ClusterRoleBinding, {"metadata": {"name": name}, "roleRef": reference, "subjects": subjects})
    await known(apiserver, name)


async def gone(apiserver: RunningApi, name: str, *, namespace: str = "") -> None:
    """Wait until the authorizer has forgotten a role or a binding."""
    knows: Callable[[tuple[str, str]], bool] = apiserver.server.state["rbac"].knows

    async def look() -> bool:
        return not knows((namespace, name))

    await eventually(look, 5.0, f"the authorizer to forget {name}")


async def known(apiserver: RunningApi, *names: str, namespace: str = "") -> None:
    """Wait until the authorizer has heard of these roles and bindings."""
    knows: Callable[[tuple[str, str]], bool] = apiserver.server.state["rbac"].knows

    async def look() -> bool:
        return all(knows((namespace, name)) for name in names)

    await eventually(look, 5.0, f"the authorizer to know {names}")
