"""The certificates that a kubelet makes or asks for by itself."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from kubelet.config import KubeletConfig
from kubelet.node_certificate import SERVER, request, serving


def test_a_server_without_a_certificate_signs_its_own_until_it_has_ended(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#client-and-serving-certificates"""
    config, now = KubeletConfig(root_dir=tmp_path, hostname_override="n1", node_ip="192.0.2.1"), datetime.now(UTC)
    certificate, key = serving(config, now)
    assert (certificate, key) == (tmp_path / "pki" / "kubelet.crt", tmp_path / "pki" / "kubelet.key")
    assert key.stat().st_mode & 0o777 == 0o600
    first = certificate.read_bytes()
    names = x509.load_pem_x509_certificate(first).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one.value) for one in names] == ["n1", "192.0.2.1"]
    serving(config, now)
    assert certificate.read_bytes() == first
    serving(config, now + timedelta(days=400))
    assert certificate.read_bytes() != first


def test_a_request_is_for_the_node_and_named_by_its_key(tmp_path: Path) -> None:
    """A kubelet that starts again asks for the same. Rule: upstream pkg/kubelet/certificate/bootstrap DigestedName"""
    key = serving(KubeletConfig(root_dir=tmp_path, hostname_override="n1"), datetime.now(UTC))[1].read_bytes()
    first, again, other = request("n1", key), request("n1", key), request("n2", key)
    assert first["metadata"] == again["metadata"] != other["metadata"]
    csr = x509.load_pem_x509_csr(base64.b64decode(first["spec"]["request"]))
    assert csr.is_signature_valid
    assert csr.subject.rfc4514_string() == "CN=system:node:n1,O=system:nodes"


def test_a_request_for_the_server_names_the_node_and_its_addresses(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#client-and-serving-certificates"""
    key = serving(KubeletConfig(root_dir=tmp_path, hostname_override="n1"), datetime.now(UTC))[1].read_bytes()
    body = request("n1", key, SERVER, ["192.0.2.1", "2001:db8::1"])
    assert body["metadata"]["name"].startswith("csr-")
    assert (body["spec"]["signerName"], body["spec"]["usages"]) == (
        "kubernetes.io/kubelet-serving",
        ["digital signature", "server auth"],
    )
    csr = x509.load_pem_x509_csr(base64.b64decode(body["spec"]["request"]))
    names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one.value) for one in names] == ["n1", "192.0.2.1", "2001:db8::1"]
