"""describe role, clusterrole, rolebinding, clusterrolebinding, certificatesigningrequest.

kubernetes/kubectl pkg/describe/describe.go RoleDescriber, RoleBindingDescriber, CertificateSigningRequestDescriber
"""

import base64
from typing import Any

from kube.api.meta import Tree
from kubectl.describe.around import Around
from kubectl.describe.words import annotations, events, labels, rfc1123, table

NAMES = (
    ("Organization", "2.5.4.10"), ("Organizational Unit", "2.5.4.11"), ("Country", "2.5.4.6"), ("Locality", "2.5.4.7"),
    ("Province", "2.5.4.8"), ("StreetAddress", "2.5.4.9"), ("PostalCode", "2.5.4.17"),
)  # fmt: skip


def _head(tree: Tree) -> str:
    metadata = tree["metadata"]
    return f"Name:\t{metadata['name']}\n" + labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))


def role(tree: Tree, around: Around) -> str:
    """Each resource and each URL on a line; what is allowed on the same things is joined."""
    header = ("Resources", "Non-Resource URLs", "Resource Names", "Verbs")
    return _head(tree) + "PolicyRule:\n" + table(header, _rules(tree.get("rules") or []))


def _rules(found: list[Tree]) -> list[tuple[str, str, str, str]]:
    joined: dict[tuple[str, str, str], list[str]] = {}
    for rule in found:
        for place in _places(rule):
            verbs = joined.setdefault(place, [])
            verbs += [verb for verb in rule.get("verbs") or () if verb not in verbs]
    return [(*place, f"[{' '.join(verbs)}]") for place, verbs in sorted(joined.items(), key=_text)]


def _text(entry: tuple[tuple[str, str, str], list[str]]) -> str:
    """A rule as upstream writes it in its logs, which is what it sorts by."""
    (resource, url, name), verbs = entry
    typed, slash, subresource = resource.partition("/")
    plural, _, group = typed.partition(".")
    things = f"Resources:[{plural}{slash}{subresource}],ResourceNames:{name},NonResourceURLs:{url}"
    return f"PolicyRule{{Verbs:[{' '.join(verbs)}],APIGroups:[{group}],{things},}}"


def _qualified(resource: str, group: str) -> str:
    """`deployments.apps/scale`."""
    plural, slash, subresource = resource.partition("/")
    return f"{plural}{'.' if group else ''}{group}{slash}{subresource}"


def _places(rule: Tree) -> list[tuple[str, str, str]]:
    names = rule.get("resourceNames") or [""]
    groups = rule.get("apiGroups") or [""]
    found = [
        (_qualified(resource, group), "[]", f"[{name}]")
        for group in groups
        for resource in rule.get("resources") or ()
        for name in names
    ]
    return found + [("", f"[{url}]", "[]") for url in rule.get("nonResourceURLs") or ()]


def binding(tree: Tree, around: Around) -> str:
    reference = tree["roleRef"]
    text = _head(tree) + f"Role:\n  Kind:\t{reference['kind']}\n  Name:\t{reference['name']}\nSubjects:\n"
    rows = [(one["kind"], one["name"], one.get("namespace") or "") for one in tree.get("subjects") or ()]
    return text + table(("Kind", "Name", "Namespace"), rows)


def signing_request(tree: Tree, around: Around) -> str:
    metadata, spec, status = tree["metadata"], tree["spec"], tree.get("status") or {}
    notes = ",".join(f"{name}={text}" for name, text in sorted((metadata.get("annotations") or {}).items()))
    text = f"Name:\t{metadata['name']}\n" + labels("Labels", metadata.get("labels")) + f"Annotations:\t{notes or '<none>'}\n"
    text += f"CreationTimestamp:\t{rfc1123(metadata.get('creationTimestamp'))}\nRequesting User:\t{spec.get('username', '')}\n"
    if spec.get("signerName"):
        text += f"Signer:\t{spec['signerName']}\n"
    if spec.get("expirationSeconds"):
        text += f"Requested Duration:\t{spec['expirationSeconds'] // 60}m\n"
    text += f"Status:\t{_stage(status)}\n" + _subject(base64.b64decode(spec.get("request") or ""))
    return text + events(around.events, around.now)


def _stage(status: Tree) -> str:
    types = [one["type"] for one in status.get("conditions") or ()]
    stage = "Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"
    stage += ",Failed" if "Failed" in types else ""
    return stage + (",Issued" if status.get("certificate") else "")


def _subject(request: bytes) -> str:
    from cryptography import x509

    asked = x509.load_pem_x509_csr(request)
    values: dict[str, list[str]] = {}
    for attribute in asked.subject:
        values.setdefault(attribute.oid.dotted_string, []).append(str(attribute.value))
    text = (
        f"Subject:\n\tCommon Name:\t{''.join(values.get('2.5.4.3', ()))}\n\tSerial Number:\t{''.join(values.get('2.5.4.5', ()))}\n"
    )
    text += "".join(f"\t{title}:\t{', '.join(values[oid])}\n" for title, oid in NAMES if oid in values)
    return text + _alternatives(asked)


def _alternatives(asked: Any) -> str:
    from cryptography import x509

    try:
        names = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    kinds: tuple[tuple[str, Any], ...] = (
        ("DNS Names", x509.DNSName),
        ("Email Addresses", x509.RFC822Name),
        ("URIs", x509.UniformResourceIdentifier),
        ("IP Addresses", x509.IPAddress),
    )
    rows = [(title, [str(one) for one in names.get_values_for_type(kind)]) for title, kind in kinds]
    text = "Subject Alternative Names:\n"
    for title, values in rows:
        text += f"\t{title}:\t{values[0]}\n" + "".join(f"\t\t{value}\n" for value in values[1:]) if values else ""
    return text
