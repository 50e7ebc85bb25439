"""TLS contexts of servers, from files that may be replaced while the server runs: certificates are renewed under it.

Client certificates are wanted, not demanded: a bad one fails the handshake, none is allowed (a token may follow).
Each handshake looks whether the files changed, so nothing polls and nobody has to send a signal; a change that cannot be
loaded (half written, a key that does not match) is logged, and the former certificate is shown until it is mended.
https://kubernetes.io/docs/setup/best-practices/certificates/
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from kube.component.logging import get_logger

log = get_logger(__name__)

Stamp = tuple[tuple[int, int], ...]  # inode and time of change of each file; empty where one is missing


@dataclass(frozen=True)
class ServerTLS:
    """A server's certificate and key; `client_ca` verifies the certificates that clients show, if they show one."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    proxy_ca: Path | None = None  # verifies those of proxies, beside client_ca

    def context(self) -> ssl.SSLContext:
        """Follows the files. Raises OSError or ssl.SSLError where one is missing or no match."""
        context = self._load()
        context.sni_callback = _Renewal(self, context).on_hello
        return context

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        context.set_alpn_protocols(["http/1.1"])
        for authority in (self.client_ca, self.proxy_ca):
            if authority is not None:
                context.load_verify_locations(authority)
                context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def _stamp(self) -> Stamp:
        files = [path for path in (self.certificate, self.key, self.client_ca, self.proxy_ca) if path is not None]
        try:
            return tuple((state.st_ino, state.st_mtime_ns) for state in (path.stat() for path in files))
        except OSError:
            return ()


class _Renewal:
    """The context to answer a handshake with: a new one once the files have changed."""

    def __init__(self, files: ServerTLS, first: ssl.SSLContext) -> None:
        self._files = files
        self._current = first
        self._seen = files._stamp()

    def on_hello(self, connection: ssl.SSLObject, _name: str | None, asked: ssl.SSLContext) -> None:
        """OpenSSL calls this for every client's first message, whether or not it names a host."""
        stamp = self._files._stamp()
        if stamp and stamp != self._seen:
            self._seen = stamp
            try:
                self._current = self._files._load()
                log.info("certificate loaded anew", file=self._files.certificate)
            except (OSError, ssl.SSLError) as error:
                log.error("changed certificate cannot be loaded", file=self._files.certificate, reason=error)
        if self._current is not asked:
            connection.context = self._current


def server_tls(
    certificate: Path | None, key: Path | None, client_ca: Path | None = None, proxy_ca: Path | None = None
) -> ServerTLS | None:
    """From flags; None where no certificate is given."""
    if certificate is None or key is None:
        return None
    return ServerTLS(certificate, key, client_ca, proxy_ca)
