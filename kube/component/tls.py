"""TLS contexts from files: for servers (client certificates wanted, not demanded) and for clients.

https://kubernetes.io/docs/setup/best-practices/certificates/
"""

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ServerTLS:
    """A server's certificate and key; `client_ca` verifies the certificates that clients show, if they show one."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Raises OSError or ssl.SSLError where a file is missing or no match."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        context.set_alpn_protocols(["http/1.1"])
        if self.client_ca is not None:
            context.load_verify_locations(self.client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
        return context


def server_tls(certificate: Path | None, key: Path | None, client_ca: Path | None = None) -> ServerTLS | None:
    """From flags; None where no certificate is given."""
    if certificate is None or key is None:
        return None
    return ServerTLS(certificate, key, client_ca)
