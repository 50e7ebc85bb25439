"""What the audit log tells of admission webhooks."""

import asyncio
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from apiserver.config import Config
from kube.api.meta import Tree
from kube.api.types import ConfigMap, MutatingWebhookConfiguration, ValidatingWebhookConfiguration
from kube.client.rest import Client
from tests.component.apiserver_webhooks.hook_server import hook_server, review_answer
from tests.component.apiserver_webhooks.hooked import NAMESPACE, PATIENCE_SECONDS, adding, configure, namespace, webhook
from tests.wait import eventually

POLICY = (
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- {level: Request, resources: [{group: '', resources: [configmaps]}]}\n"
)


@pytest.fixture
def api_config(api_config: Config, tmp_path: Path) -> Config:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    return replace(api_config, audit_policy_file=policy, audit_log_path=str(tmp_path / "audit.log"))


def test_mutations_failures_and_the_webhooks_own_words_are_recorded(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#mutating-webhook-auditing-annotations"""

    async def note(review: Tree) -> Tree:
        return review_answer(review, auditAnnotations={"seen": "by me"})

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/add": adding("added"), "/note": note}) as hook:
            await namespace(client)
            unreachable: Tree = {"failurePolicy": "Ignore", "clientConfig": {"url": "https://127.0.0.1:1/"}}
            await configure(client, MutatingWebhookConfiguration, "m", webhook(hook, "/add"))
            await configure(
                client,
                ValidatingWebhookConfiguration,
                "v",
                webhook(hook, "/note"),
                webhook(hook, "", name="x.example.com", **unreachable),
            )

            async def recorded() -> Tree | None:
                await client.create(ConfigMap, {"metadata": {"generateName": "m-", "namespace": NAMESPACE}})
                last = orjson.loads((tmp_path / "audit.log").read_bytes().splitlines()[-1])
                found: Tree = last["annotations"]
                return found if "w.example.com/seen" in found and "mutation.webhook" in " ".join(found) else None

            found = await eventually(recorded, PATIENCE_SECONDS)
            assert found["w.example.com/seen"] == "by me"
            told = {"configuration": "m", "webhook": "w.example.com", "mutated": True}
            assert orjson.loads(found["mutation.webhook.admission.k8s.io/round_0_index_0"]) == told
            change = orjson.loads(found["patch.webhook.admission.k8s.io/round_0_index_0"])
            assert change["patchType"] == "JSONPatch"
            assert {"op": "add", "path": "/data/added", "value": "yes"} in change["patch"]
            assert found["failed-open.validating.webhook.admission.k8s.io/round_0_index_1"] == "x.example.com"

    runner.run(scenario())
