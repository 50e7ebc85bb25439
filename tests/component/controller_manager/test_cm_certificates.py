"""Requests for certificates: approved, signed, refused."""

import asyncio
import base64
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from controller_manager.config import Config
from kube.api.meta import Tree
from kube.api.status import Forbidden
from kube.api.types import CertificateSigningRequest, ClusterRoleBinding
from kube.client import kubeconfig
from kube.client.rest import Client
from kube.component.clock import SystemClock
from kubelet.config import KubeletConfig
from kubelet.node_certificate import CLIENT, Rotation, join, renewal_at, way
from tests.certificates import Authority
from tests.component.conftest import NOBODY_TOKEN, RunningApi
from tests.component.controller_manager.conftest import Cluster

CLIENT_USAGES = ["digital signature", "key encipherment", "client auth"]
KUBELET = "kubernetes.io/kube-apiserver-client-kubelet"


@pytest.fixture
def manager_config(manager_config: Config, tmp_path: Path) -> Config:
    """With an authority that signs."""
    signer = Authority(tmp_path).issue("signer")
    return replace(manager_config, cluster_signing_cert_file=signer.certificate, cluster_signing_key_file=signer.key)


def a_request(name: str, organisation: str, signer: str, usages: list[str], **spec: object) -> Tree:
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    csr = x509.CertificateSigningRequestBuilder(subject).sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    request = base64.b64encode(csr.public_bytes(serialization.Encoding.PEM)).decode()
    return {"metadata": {"name": "c"}, "spec": {"request": request, "signerName": signer, "usages": usages, **spec}}


async def approve(client: Client) -> None:
    tree = await client.get_tree(CertificateSigningRequest, "", "c")
    tree["status"] = {"conditions": [{"type": "Approved", "status": "True", "reason": "Test", "message": "fine"}]}
    await client.update(CertificateSigningRequest, tree, subresource="approval")


async def issued(cluster: Cluster) -> x509.Certificate:
    async def look() -> str:
        return (await cluster.client.get(CertificateSigningRequest, "", "c")).status.certificate or ""

    return x509.load_pem_x509_certificate(base64.b64decode(await cluster.until(look, "a certificate")))


def test_approved_request_is_signed(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: behaviour E.7.75: CSR approve, and the controller issues the certificate"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        tree = a_request("jane", "dev", "kubernetes.io/kube-apiserver-client", CLIENT_USAGES, expirationSeconds=3600)
        await cluster.client.create(CertificateSigningRequest, tree)
        await approve(cluster.client)
        certificate = await issued(cluster)
        assert certificate.subject.rfc4514_string() == "CN=jane,O=dev"
        assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).total_seconds() == 3600 + 300
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]

    runner.run(scenario())


def test_kubelet_that_joins_is_approved_by_itself(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#approval"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        role = "system:certificates.k8s.io:certificatesigningrequests:nodeclient"
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
        subjects = [{"kind": "Group", "name": "system:masters"}]
        await cluster.client.create(ClusterRoleBinding, {"metadata": {"name": "join"}, "roleRef": reference, "subjects": subjects})
        await cluster.client.create(CertificateSigningRequest, a_request("system:node:n", "system:nodes", KUBELET, CLIENT_USAGES))
        await issued(cluster)

    runner.run(scenario())


class Ahead(SystemClock):
    """Where every certificate of today has long ended."""

    def now(self) -> datetime:
        return super().now() + timedelta(days=3650)


async def may(client: Client, user: str, role: str) -> None:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    metadata = {"name": f"{user}-{role}".replace(":", "-")}
    subjects = [{"kind": "User", "name": user}]
    await client.create(ClusterRoleBinding, {"metadata": metadata, "roleRef": reference, "subjects": subjects})


def test_a_kubelet_joins_with_a_bootstrap_kubeconfig_and_renews_its_certificate(
    runner: asyncio.Runner, cluster: Cluster, apiserver: RunningApi, tmp_path: Path
) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/ · behaviour D.5"""
    bootstrap, own, pki = tmp_path / "bootstrap.conf", tmp_path / "kubelet.conf", tmp_path / "pki"
    bootstrap.write_text(yaml.safe_dump(kubeconfig_of(apiserver.url, NOBODY_TOKEN)))
    config = KubeletConfig(
        bootstrap_kubeconfig=bootstrap, kubeconfig=own, cert_dir=pki, hostname_override="n", rotate_certificates=True
    )

    async def scenario() -> None:
        await cluster.start_and_settle()
        for role in ("system:node-bootstrapper", "system:certificates.k8s.io:certificatesigningrequests:nodeclient"):
            await may(cluster.client, "nobody", role)
        async with asyncio.timeout(30):
            await join(config, SystemClock())
        found = kubeconfig.load(str(own))
        assert (found.server, found.token) == (apiserver.url, "")
        certificate = x509.load_pem_x509_certificate(found.certificate or b"")
        assert certificate.subject.rfc4514_string() == "CN=system:node:n,O=system:nodes"
        assert (own.stat().st_mode & 0o777, (pki / CLIENT.current).stat().st_mode & 0o777) == (0o600, 0o600)
        assert not (pki / CLIENT.pending).exists()

        await join(config, SystemClock())  # there is nothing to do
        (request,) = await cluster.client.list(CertificateSigningRequest)
        assert request.spec.usages == ["digital signature", "client auth"]

        async with Client(replace(way(config), token=NOBODY_TOKEN), "kubelet") as client:
            renewing = asyncio.create_task(Rotation(config, client, Ahead()).run())

            async def renewed() -> bool:
                return client.config.certificate != found.certificate

            await cluster.until(renewed, "another certificate")
            renewing.cancel()
        assert way(config).certificate != found.certificate

    runner.run(scenario())


def test_a_certificate_is_renewed_in_the_last_part_of_its_time(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/tasks/tls/certificate-rotation/"""
    pair = Authority(tmp_path).issue("n")
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert renewal_at(certificate, 0.75) == certificate.not_valid_after_utc - life / 4


def kubeconfig_of(server: str, token: str) -> Tree:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


def test_what_a_signer_does_not_sign_is_told(runner: asyncio.Runner, cluster: Cluster) -> None:
    async def scenario() -> None:
        await cluster.start_and_settle()
        await cluster.client.create(CertificateSigningRequest, a_request("jane", "dev", KUBELET, CLIENT_USAGES))
        await approve(cluster.client)

        async def failed() -> bool:
            conditions = (await cluster.client.get(CertificateSigningRequest, "", "c")).status.conditions or ()
            return any(one.type == "Failed" and one.reason == "SignerValidationFailure" for one in conditions)

        await cluster.until(failed, "the condition")

    runner.run(scenario())


def test_nobody_approves_without_the_right_to(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#authorization"""

    async def scenario() -> None:
        group = "rbac.authorization.k8s.io"
        requests = ["certificatesigningrequests", "certificatesigningrequests/approval"]
        rules = [{"verbs": ["get", "update"], "apiGroups": ["certificates.k8s.io"], "resources": requests}]
        await client.request("POST", f"/apis/{group}/v1/clusterroles", body={"metadata": {"name": "r"}, "rules": rules})
        binding = {
            "metadata": {"name": "b"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "r"},
            "subjects": [{"kind": "User", "name": "nobody"}],
        }
        await client.create(ClusterRoleBinding, binding)
        await client.create(CertificateSigningRequest, a_request("jane", "dev", "example.com/x", CLIENT_USAGES))
        async with Client(apiserver.config("nobody-token"), "test") as nobody:
            with pytest.raises(Forbidden, match=r'user not permitted to approve requests with signerName "example.com/x"'):
                await approve(nobody)

    runner.run(scenario())


def test_masters_are_not_made_by_request(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        tree = a_request("eve", "system:masters", "kubernetes.io/kube-apiserver-client", CLIENT_USAGES)
        with pytest.raises(Forbidden, match="with system:masters group is not allowed"):
            await client.create(CertificateSigningRequest, tree)

    runner.run(scenario())
