"""Front proxies: who a trusted proxy says that the user is, in the headers that the flags name (X-Remote-User and its like).

A proxy is trusted by its client certificate: issued by an authority of --requestheader-client-ca-file, with a common name among
--requestheader-allowed-names (none: any). Such a certificate names no user itself; and where front proxies are trusted, a user's
certificate must be issued by an authority of --client-ca-file itself (our choice: upstream follows intermediate ones, too).
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#authenticating-proxy
apiserver pkg/authentication/request/headerrequest/requestheader.go
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from apiserver.config import Config
from apiserver.context import Request, User
from kube.api.late import late
from kube.api.status import Unauthorized

if TYPE_CHECKING:
    from cryptography import exceptions, x509
else:
    exceptions, x509 = late("cryptography.exceptions"), late("cryptography.x509")

Subject = dict[str, Any]  # of a client certificate, as kube.component.http_server has it

REMEMBERED = 256  # certificates


class FrontProxies:
    """What the --requestheader flags say; without --requestheader-client-ca-file nobody is trusted."""

    def __init__(self, config: Config) -> None:
        self.trusted = config.requestheader_client_ca_file is not None
        self._authorities = _read(config.requestheader_client_ca_file)
        self._client_authorities = _read(config.client_ca_file) if self.trusted else ()
        self._names = config.requestheader_allowed_names
        self._user_headers = _lower(config.requestheader_username_headers)
        self._uid_headers = _lower(config.requestheader_uid_headers)
        self._group_headers = _lower(config.requestheader_group_headers)
        self._extra_prefixes = _lower(config.requestheader_extra_headers_prefix)
        self._issued = lru_cache(REMEMBERED)(_issued)

    def names_user(self, subject: Subject) -> bool:
        """Whether the certificate is a user's own."""
        return not self.trusted or self._issued(subject["certificate"], self._client_authorities)

    def user_of(self, request: Request, subject: Subject) -> User | None:
        """Whom a proxy names; None where the sender is no proxy or names nobody. Raises Unauthorized for one of another name."""
        name = next((value for header in self._user_headers if (value := request.headers.get(header))), "")
        if not self.trusted or not name or not self._issued(subject["certificate"], self._authorities):
            return None
        if self._names and subject["CN"] not in self._names:
            raise Unauthorized
        uid = next((value for header in self._uid_headers if (value := request.headers.get(header))), "")
        groups = tuple(value for header in self._group_headers for value in request.header_values(header))
        return User(name, groups, uid, self._extra(request))

    def _extra(self, request: Request) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for header, value in request.scope["headers"]:
            text = header.decode("latin-1")
            prefix = next((one for one in self._extra_prefixes if text.startswith(one)), None)
            if prefix is not None:
                found.setdefault(unquote(text.removeprefix(prefix)), []).append(value.decode("latin-1"))
        return found


def _read(path: Path | None) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(path.read_bytes())) if path is not None else ()


def _issued(der: bytes, authorities: Iterable[x509.Certificate]) -> bool:
    certificate = x509.load_der_x509_certificate(der)
    return any(_issued_by(certificate, authority) for authority in authorities)


def _issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (exceptions.InvalidSignature, TypeError, ValueError):
        return False
    return True


def _lower(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)
