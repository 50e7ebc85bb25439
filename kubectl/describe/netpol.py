"""describe networkpolicy: what it lets in and out, in sentences.

kubernetes/kubectl pkg/describe/describe.go describeNetworkPolicy
"""

from kube.api.meta import Tree
from kubectl.describe.around import Around
from kubectl.describe.words import annotations, labels, selector_text, when

SEPARATOR = "    ----------\n"


def describe(tree: Tree, around: Around) -> str:
    metadata, spec = tree["metadata"], tree["spec"]
    made = when(metadata.get("creationTimestamp"))
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    text += f"Created on:\t{made.astimezone().strftime('%Y-%m-%d %H:%M:%S %z %Z') if made else '<unknown>'}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    everyone = "<none> (Allowing the specific traffic to all pods in this namespace)"
    text += f"Spec:\n  PodSelector:     {selector_text(spec.get('podSelector')) or everyone}\n"
    types = spec.get("policyTypes") or ["Ingress"]
    for kind, field, side in (("Ingress", "ingress", "from"), ("Egress", "egress", "to")):
        if kind in types:
            text += f"  Allowing {field} traffic:\n" + _rules(spec.get(field) or [], field, side)
        else:
            text += f"  Not affecting {field} traffic\n"
    return text + f"  Policy Types: {', '.join(types)}\n"


def _rules(found: list[Tree], field: str, side: str) -> str:
    if not found:
        return f"    <none> (Selected pods are isolated for {field} connectivity)\n"
    return SEPARATOR.join(_rule(rule, side) for rule in found)


def _rule(rule: Tree, side: str) -> str:
    text = "".join(f"    {_port(one)}/{one.get('protocol') or 'TCP'}\n" for one in rule.get("ports") or ())
    if not rule.get("ports"):
        text += "    To Port: <any> (traffic allowed to all ports)\n"
    title = side.capitalize()
    if not rule.get(side):
        whence = "source" if side == "from" else "destination"
        return text + f"    {title}: <any> (traffic not restricted by {whence})\n"
    for peer in rule[side]:
        text += f"    {title}:\n" + _peer(peer)
    return text


def _port(one: Tree) -> str:
    if one.get("endPort"):
        return f"To Port Range: {one['port']}-{one['endPort']}"
    return f"To Port: {one.get('port', '<nil>')}"


def _peer(peer: Tree) -> str:
    if peer.get("ipBlock"):
        block = peer["ipBlock"]
        return f"      IPBlock:\n        CIDR: {block['cidr']}\n        Except: {', '.join(block.get('except') or ())}\n"
    text = ""
    for title, field in (("NamespaceSelector", "namespaceSelector"), ("PodSelector", "podSelector")):
        if peer.get(field) is not None:
            text += f"      {title}: {selector_text(peer[field]) or '<none>'}\n"
    return text
