"""Node certificate: how a kubelet gets its own certificates, and new ones before the old ones end.

    --bootstrap-kubeconfig    how to reach the API server with a token that may do no more than ask for a certificate
    --kubeconfig              is written once there is one; as long as its certificate holds, the bootstrap is not needed
    <cert-dir>/kubelet-client-<time>.pem       certificate and key; kubelet-client-current.pem leads to the newest
    <cert-dir>/kubelet-client.key.tmp          the key of a request that is not answered: a new kubelet goes on with it
    <cert-dir>/kubelet.{crt,key}               of the server, where flags name none; signed by itself
    <cert-dir>/kubelet-server-<time>.pem       the same by request (serverTLSBootstrap), with current.pem and key.tmp as above

With --rotate-certificates a new one is asked for after 70 to 90 % of a certificate's time, with the old one; connections from then
on show it. Who approves and signs is the controller manager's, or people's; serving certificates are approved by people alone, and
until the first is there nothing is served on the kubelet's port.
https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/ · upstream pkg/kubelet/certificate/bootstrap
"""

import asyncio
import base64
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kube.api.meta import Tree
from kube.api.status import AlreadyExists, ApiError
from kube.api.types import CertificateSigningRequest
from kube.client import kubeconfig
from kube.client.informer import Informer
from kube.client.rest import Client, Unreachable
from kube.component.clock import Clock
from kube.component.logging import get_logger
from kube.component.private_file import write_private
from kube.component.run import StartupError
from kube.component.self_signed import PEM, self_signed
from kubelet.config import KubeletConfig

log = get_logger("kubelet.certificate")

SERVING_DAYS = 365
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1.0, 60.0


@dataclass(frozen=True)
class Purpose:
    """What a certificate is for."""

    signer: str
    usage: str
    files: str  # what their names begin with
    requests: str  # the same of requests

    @property
    def current(self) -> str:
        return f"{self.files}-current.pem"

    @property
    def pending(self) -> str:
        return f"{self.files}.key.tmp"


CLIENT = Purpose("kubernetes.io/kube-apiserver-client-kubelet", "client auth", "kubelet-client", "node-csr-")
SERVER = Purpose("kubernetes.io/kubelet-serving", "server auth", "kubelet-server", "csr-")


class Refused(Exception):
    """Somebody decided that this node gets no certificate, or nobody can decide any more."""


def directory(config: KubeletConfig) -> Path:
    return config.cert_dir or config.root_dir / "pki"


async def join(config: KubeletConfig, clock: Clock) -> None:
    """See to it that --kubeconfig is there and good, as long as that takes. Raises StartupError."""
    assert config.bootstrap_kubeconfig is not None, "it is asked for where there is one"
    if config.kubeconfig is None or _good(config, clock.now()):
        return
    first = _loaded(config.bootstrap_kubeconfig)
    async with Client(first, "kubelet-bootstrap") as client:
        keep(directory(config), await _obtained(client, config, clock), clock.now(), CLIENT)
    config.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    write_private(config.kubeconfig, yaml.safe_dump(_written(first, config)).encode())
    log.info("this node has a certificate", kubeconfig=config.kubeconfig)


def way(config: KubeletConfig) -> kubeconfig.Config:
    """To the API server, with the newest certificate. Raises StartupError."""
    assert config.kubeconfig is not None, "it is asked for where there is one"
    found, current = _loaded(config.kubeconfig), directory(config) / CLIENT.current
    if config.rotate_certificates and current.exists():
        found = replace(found, certificate=current.read_bytes(), key=current.read_bytes())
    return found


def serving(config: KubeletConfig, now: datetime) -> tuple[Path, Path]:
    """The files of the server's certificate and key, where flags name none; made anew where they have ended."""
    certificate, key = (directory(config) / f"kubelet.{kind}" for kind in ("crt", "key"))
    if not key.exists() or not certificate.exists() or _parsed(certificate.read_bytes()).not_valid_after_utc <= now:
        hosts = [config.node_ip] if config.node_ip else []
        self_signed(certificate, key, config.node_name, days=SERVING_DAYS, hosts=hosts)
    return certificate, key


class Rotation:
    """Renews the certificate of a client that is in use."""

    def __init__(self, config: KubeletConfig, client: Client, clock: Clock) -> None:
        self._config = config
        self._client = client
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled."""
        while self._client.config.certificate is not None:
            begun = renewal_at(_parsed(self._client.config.certificate), random.uniform(0.7, 0.9))
            await self._clock.sleep(max(0.0, (begun - self._clock.now()).total_seconds()))
            pem = await _obtained(self._client, self._config, self._clock)
            keep(directory(self._config), pem, self._clock.now(), CLIENT)
            self._client.renew(replace(self._client.config, certificate=pem, key=pem))
            log.info("certificate renewed")


class ServingCertificate:
    """The server's, by request. Servers look for themselves whether their files have changed."""

    def __init__(self, config: KubeletConfig, client: Client, addresses: Sequence[str], clock: Clock) -> None:
        self.file = directory(config) / SERVER.current  # certificate and key
        self.ready = asyncio.Event()
        self._config = config
        self._client = client
        self._addresses = addresses
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled."""
        if not self.file.exists() or _parsed(self.file.read_bytes()).not_valid_after_utc <= self._clock.now():
            await self._next()
        self.ready.set()
        while True:
            begun = renewal_at(_parsed(self.file.read_bytes()), random.uniform(0.7, 0.9))
            await self._clock.sleep(max(0.0, (begun - self._clock.now()).total_seconds()))
            await self._next()

    async def _next(self) -> None:
        pem = await _obtained(self._client, self._config, self._clock, SERVER, self._addresses)
        keep(directory(self._config), pem, self._clock.now(), SERVER)
        log.info("the server has a certificate", file=self.file)


def renewal_at(certificate: x509.Certificate, share: float) -> datetime:
    """When that share of its time is over. Pure."""
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    moment: datetime = certificate.not_valid_before_utc + life * share
    return moment


def keep(where: Path, pem: bytes, now: datetime, purpose: Purpose) -> None:
    """A file of its own, and the link to it in one step."""
    where.mkdir(parents=True, exist_ok=True, mode=0o700)
    file, link = where / f"{purpose.files}-{now:%Y-%m-%d-%H-%M-%S}.pem", where / f"{purpose.current}.new"
    write_private(file, pem)
    link.unlink(missing_ok=True)
    link.symlink_to(file.name)
    link.replace(where / purpose.current)
    (where / purpose.pending).unlink(missing_ok=True)


async def _obtained(
    client: Client, config: KubeletConfig, clock: Clock, purpose: Purpose = CLIENT, addresses: Sequence[str] = ()
) -> bytes:
    """Asked for until it is given."""
    pause = FIRST_RETRY_SECONDS
    while True:
        try:
            return await obtain(client, config.node_name, directory(config), purpose, addresses)
        except (ApiError, Unreachable, Refused) as error:
            log.warning("no certificate for this node yet", node=config.node_name, reason=error)
        await clock.sleep(pause)
        pause = min(2 * pause, LONGEST_RETRY_SECONDS)


async def obtain(client: Client, node: str, where: Path, purpose: Purpose = CLIENT, addresses: Sequence[str] = ()) -> bytes:
    """Certificate and key. Raises ApiError, Unreachable, Refused."""
    pending = where / purpose.pending
    key = _pending_key(pending)
    body = request(node, key, purpose, addresses)
    try:
        await client.create(CertificateSigningRequest, body)
    except AlreadyExists:
        log.info("going on with an earlier request", name=body["metadata"]["name"])
    try:
        return await _answer(client, body["metadata"]["name"]) + key
    except Refused:
        pending.unlink(missing_ok=True)  # another request has another key, and so another name
        raise


def _pending_key(pending: Path) -> bytes:
    if not pending.exists():
        pending.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = ec.generate_private_key(ec.SECP256R1())
        write_private(pending, fresh.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return pending.read_bytes()


def request(node: str, key_pem: bytes, purpose: Purpose = CLIENT, addresses: Sequence[str] = ()) -> Tree:
    """A CertificateSigningRequest, with a name that says which key it is for; a server's is for its addresses, too. Pure."""
    key = serialization.load_pem_private_key(key_pem, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey), "it is one of ours"
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes")]
    names.append(x509.NameAttribute(NameOID.COMMON_NAME, f"system:node:{node}"))
    builder = x509.CertificateSigningRequestBuilder(x509.Name(names))
    if purpose is SERVER:
        hosts: list[x509.GeneralName] = [x509.DNSName(node), *(x509.IPAddress(ip_address(one)) for one in addresses)]
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    csr = builder.sign(key, hashes.SHA256()).public_bytes(PEM)
    public = key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.sha256(public + node.encode()).hexdigest()[:40]
    usages = ["digital signature", purpose.usage]
    spec = {"request": base64.b64encode(csr).decode(), "signerName": purpose.signer, "usages": usages}
    return {"metadata": {"name": f"{purpose.requests}{digest}"}, "spec": spec}


async def _answer(client: Client, name: str) -> bytes:
    seen = Informer(client, CertificateSigningRequest, field_selector=f"metadata.name={name}")
    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def look(old: CertificateSigningRequest | None, new: CertificateSigningRequest | None) -> None:
        if answer.done():
            return
        no = "it was deleted" if new is None else _refusal(new)
        if no:
            answer.set_exception(Refused(f"certificate signing request {name}: {no}"))
        elif new is not None and new.status.certificate:
            answer.set_result(base64.b64decode(new.status.certificate))

    seen.on_change(look)
    following = asyncio.create_task(seen.run())
    try:
        return await answer
    finally:
        following.cancel()
        await asyncio.wait([following])


def _refusal(found: CertificateSigningRequest) -> str:
    bad = [one for one in found.status.conditions or () if one.type in ("Denied", "Failed")]
    return f"{bad[0].type}: {bad[0].message or bad[0].reason or ''}" if bad else ""


def _good(config: KubeletConfig, now: datetime) -> bool:
    """Whether --kubeconfig is there, with a certificate that has not ended (or a token)."""
    if config.kubeconfig is None or not config.kubeconfig.exists():
        return False
    try:
        found = way(config)
    except StartupError as error:
        log.warning("kubeconfig cannot be used, joining anew", reason=error)
        return False
    return found.certificate is None or _parsed(found.certificate).not_valid_after_utc > now


def _loaded(path: Path) -> kubeconfig.Config:
    try:
        return kubeconfig.load(str(path))
    except kubeconfig.ConfigError as error:
        raise StartupError(f"failed to load kubeconfig {path}: {error}") from error


def _parsed(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def _written(first: kubeconfig.Config, config: KubeletConfig) -> Tree:
    """A kubeconfig for the same server, with the certificate instead of the token."""
    cluster: Tree = {"server": first.server}
    if first.authority:
        cluster["certificate-authority-data"] = base64.b64encode(first.authority).decode()
    if first.insecure:
        cluster["insecure-skip-tls-verify"] = True
    current = str((directory(config) / CLIENT.current).absolute())
    context = {"cluster": "default-cluster", "user": "default-auth"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "default-cluster", "cluster": cluster}],
        "users": [{"name": "default-auth", "user": {"client-certificate": current, "client-key": current}}],
        "contexts": [{"name": "default-context", "context": context}],
        "current-context": "default-context",
    }
