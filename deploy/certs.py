"""Keys, certificates and kubeconfigs of a cluster, as kubeadm lays them out.

Three authorities: the cluster's (servers and users), etcd's, and the front proxy's. A certificate that is there, valid for more
than RENEW_BEFORE and names the right hosts is kept; so making them again changes nothing. Files with keys are 0600.
https://kubernetes.io/docs/setup/best-practices/certificates/
"""

import base64
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.cluster import Cluster
from kube.component.private_file import write_private

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 365
RENEW_BEFORE = timedelta(days=90)
CLOCK_SKEW = timedelta(minutes=5)  # machines' clocks differ a little at first boot

CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER = ExtendedKeyUsageOID.SERVER_AUTH

USERS = {  # kubeconfig: (common name, organisation)
    "admin": ("kubernetes-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
}
LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_certificates(cluster: Cluster) -> list[str]:
    """Whatever is missing or near its end; returns the names of what was made."""
    pki = cluster.pki
    _directories(cluster, pki / "etcd")
    made: list[str] = []
    ca = _authority(pki / "ca", "kubernetes", made)
    etcd_ca = _authority(pki / "etcd" / "ca", "etcd-ca", made)
    front_ca = _authority(pki / "front-proxy-ca", "front-proxy-ca", made)
    api_names = (
        *LOCAL, cluster.node_name, cluster.node_ip, cluster.kubernetes_service_ip,
        "kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{cluster.domain}",
    )  # fmt: skip
    _certificate(pki / "apiserver", ca, "kube-apiserver", "", (SERVER,), api_names, made)
    _certificate(pki / "apiserver-kubelet-client", ca, "kube-apiserver-kubelet-client", "system:masters", (CLIENT,), (), made)
    _certificate(pki / "front-proxy-client", front_ca, "front-proxy-client", "", (CLIENT,), (), made)
    _certificate(pki / "etcd" / "server", etcd_ca, "etcd", "", (SERVER, CLIENT), LOCAL, made)
    _certificate(pki / "apiserver-etcd-client", etcd_ca, "kube-apiserver-etcd-client", "", (CLIENT,), (), made)
    for program in ("controller-manager", "scheduler"):
        _certificate(pki / program, ca, f"system:kube-{program}", "", (SERVER,), LOCAL, made)
    _service_account_key(pki / "sa", made)
    for who, (name, organisation) in USERS.items():
        _kubeconfig(cluster, ca, who, name, organisation, made)
    return made + _of_node(cluster, ca)


def make_node_certificates(node: Cluster, control_plane: Cluster) -> list[str]:
    """What a host needs that runs no control plane: issued by the cluster's authority, whose key stays where it is."""
    ca = _load(control_plane.pki / "ca")
    if ca is None:
        raise FileNotFoundError(f"no certificate authority in {control_plane.pki}")
    _directories(node)
    write_private(node.pki / "ca.crt", _pem(ca.certificate))
    return _of_node(node, ca)


def _directories(cluster: Cluster, *more: Path) -> None:
    for directory in (cluster.state, cluster.pki, cluster.state / "kubeconfig", *more):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def _of_node(cluster: Cluster, ca: Authority) -> list[str]:
    """The kubelet's server certificate, and the kubeconfigs of kubelet, kube-proxy and pod network."""
    made: list[str] = []
    name, names = f"system:node:{cluster.node_name}", (*LOCAL, cluster.node_name, cluster.node_ip)
    _certificate(cluster.pki / "kubelet", ca, name, "system:nodes", (SERVER,), names, made)
    _kubeconfig(cluster, ca, "kubelet", name, "system:nodes", made)
    _kubeconfig(cluster, ca, "proxy", "system:kube-proxy", "system:node-proxier", made)
    _kubeconfig(cluster, ca, "pod-network", "skiff:pod-network", "", made)
    return made


def _authority(path: Path, name: str, made: list[str]) -> Authority:
    kept = _load(path)
    if kept is not None:
        return kept
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _store(path, certificate, key)
    made.append(name)
    return Authority(certificate, key)


def _certificate(
    path: Path,
    authority: Authority,
    name: str,
    organisation: str,
    uses: Iterable[x509.ObjectIdentifier],
    hosts: tuple[str, ...],
    made: list[str],
) -> None:
    kept = _load(path)
    if kept is not None and _still_good(kept.certificate, authority, hosts):
        return
    certificate, key = _issue(authority, name, organisation, uses, hosts)
    _store(path, certificate, key)
    made.append(path.name)


def _issue(
    authority: Authority, name: str, organisation: str, uses: Iterable[x509.ObjectIdentifier], hosts: tuple[str, ...]
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)] if organisation else []
    subject = x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    issuer = authority.certificate.subject
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(list(uses)), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
    return builder.sign(authority.key, hashes.SHA256()), key


def _kubeconfig(cluster: Cluster, ca: Authority, who: str, name: str, organisation: str, made: list[str]) -> None:
    path = cluster.kubeconfig(who)
    if path.exists() and _kubeconfig_good(path, cluster, ca):
        return
    certificate, key = _issue(ca, name, organisation, (CLIENT,), ())
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "skiff", "cluster": {"server": cluster.server, "certificate-authority-data": _pem64(ca)}}],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": base64.b64encode(_pem(certificate)).decode(),
                    "client-key-data": base64.b64encode(_pem_key(key)).decode(),
                },
            }
        ],
        "contexts": [{"name": f"{name}@skiff", "context": {"cluster": "skiff", "user": name}}],
        "current-context": f"{name}@skiff",
    }
    write_private(path, yaml.safe_dump(config, sort_keys=False).encode())
    made.append(path.name)


def _kubeconfig_good(path: Path, cluster: Cluster, ca: Authority) -> bool:
    try:
        config = yaml.safe_load(path.read_bytes())
        entry = config["clusters"][0]["cluster"]
        pem = base64.b64decode(config["users"][0]["user"]["client-certificate-data"])
        same = entry["server"] == cluster.server and entry["certificate-authority-data"] == _pem64(ca)
        return bool(same and _still_good(x509.load_pem_x509_certificate(pem), ca, ()))
    except (yaml.YAMLError, LookupError, TypeError, ValueError):
        return False  # half-written by a process that was killed: made again


def _still_good(certificate: x509.Certificate, authority: Authority, hosts: tuple[str, ...]) -> bool:
    if certificate.not_valid_after_utc - datetime.now(UTC) < RENEW_BEFORE:
        return False
    if certificate.issuer != authority.certificate.subject:
        return False
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except (InvalidSignature, TypeError, ValueError):
        return False
    if not hosts:
        return True
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    return set(named) == {_host(host) for host in hosts}


def _service_account_key(path: Path, made: list[str]) -> None:
    """The RSA key pair that signs service accounts' tokens (RS256, as upstream)."""
    if path.with_suffix(".key").exists() and path.with_suffix(".pub").exists():
        return
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_private(path.with_suffix(".key"), _pem_key(key))
    write_private(path.with_suffix(".pub"), public)
    made.append("sa")


def _load(path: Path) -> Authority | None:
    """A certificate with its key, or None where either is missing or damaged."""
    try:
        certificate = x509.load_pem_x509_certificate(path.with_suffix(".crt").read_bytes())
        key = serialization.load_pem_private_key(path.with_suffix(".key").read_bytes(), password=None)
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        return None
    return Authority(certificate, key)


def _store(path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    write_private(path.with_suffix(".key"), _pem_key(key))
    write_private(path.with_suffix(".crt"), _pem(certificate))


def _key_usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_encipherment=not certificates, key_cert_sign=certificates, crl_sign=certificates,
        content_commitment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem64(authority: Authority) -> str:
    return base64.b64encode(_pem(authority.certificate)).decode()


def _pem_key(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
