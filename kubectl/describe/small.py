"""describe namespace, configmap, secret, serviceaccount.

kubernetes/kubectl pkg/describe/describe.go
"""

import base64

from kube.api.meta import Tree
from kubectl.describe.around import Around
from kubectl.describe.words import annotations, events, labels, multiline


def namespace(tree: Tree, around: Around) -> str:
    metadata = tree["metadata"]
    text = f"Name:\t{metadata['name']}\n" + labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += f"Status:\t{(tree.get('status') or {}).get('phase', '')}\n"
    text += "\n"
    text += "Resource Quotas\n" + "".join(map(_quota, around.quotas)) if around.quotas else "No resource quota.\n"
    text += "\n"
    return text + ("Resource Limits\n" + "".join(map(_limits, around.limits)) if around.limits else "No LimitRange resource.\n")


def _quota(tree: Tree) -> str:
    status = tree.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    text = f"  Name:\t{tree['metadata']['name']}\n  Resource\tUsed\tHard\n  --------\t---\t---\n"
    return text + "".join(f"  {name}\t{used.get(name, '0')}\t{hard[name]}\n" for name in sorted(hard))


LIMITS = ("Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio")


def _limits(tree: Tree) -> str:
    dashes = "\t".join("-" * len(title) for title in LIMITS)
    return " " + "\t".join(LIMITS) + f"\n {dashes}\n" + limit_rows(tree, " ")


def limit_rows(tree: Tree, indent: str) -> str:
    text = ""
    fields = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")
    for one in tree["spec"].get("limits") or ():
        for name in sorted({name for field in fields for name in one.get(field) or {}}):
            cells = [(one.get(field) or {}).get(name, "-") for field in fields]
            text += f"{indent}{one['type']}\t{name}\t" + "\t".join(cells) + "\n"
    return text


def config_map(tree: Tree, around: Around) -> str:
    metadata = tree["metadata"]
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += "\nData\n====\n"
    for name, value in sorted((tree.get("data") or {}).items()):
        text += f"{name}:\n----\n{value}\n\n"
    text += "\nBinaryData\n====\n"
    for name, value in sorted((tree.get("binaryData") or {}).items()):
        text += f"{name}: {len(base64.b64decode(value))} bytes\n"
    return text + "\n" + events(around.events, around.now)


def secret(tree: Tree, around: Around) -> str:
    """Sizes only, save for a token, which people come here to read."""
    metadata = tree["metadata"]
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += f"\nType:\t{tree.get('type', '')}\n\nData\n====\n"
    for name, value in sorted((tree.get("data") or {}).items()):
        data = base64.b64decode(value)
        shown = name == "token" and tree.get("type") == "kubernetes.io/service-account-token"
        text += f"{name}:\t{data.decode() if shown else f'{len(data)} bytes'}\n"
    return text


def service_account(tree: Tree, around: Around) -> str:
    metadata = tree["metadata"]
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += multiline("Image pull secrets", [one["name"] for one in tree.get("imagePullSecrets") or ()])
    return text + events(around.events, around.now)
