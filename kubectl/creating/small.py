"""create namespace, serviceaccount, quota, priorityclass, poddisruptionbudget, ingress, and token.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_create/
"""

import re
import sys
from typing import Annotated

from typer import Context, Option

from kube.api.duration import parse_go
from kube.api.meta import Key, Tree
from kube.api.quantity import canonical
from kube.api.status import ApiError
from kubectl.creating.kit import changes_of, create, name_argument, pairs
from kubectl.errors import CommandError
from kubectl.flags import UsageError
from kubectl.session import Session

BOUND_KINDS = ("Node", "Pod", "Secret")
RULE = re.compile(r"(?P<host>[^/]*)/(?P<path>[^=]*)=(?P<service>[^:]+):(?P<port>[^,]+)(?:,(?P<tls>tls)(?:=(?P<secret>.*))?)?")


def namespace(context: Context) -> None:
    """Create a namespace with the specified name.

    Examples:
      # Create a new namespace named my-namespace
      kubectl create namespace my-namespace
    """
    session: Session = context.obj
    tree = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name_argument(session)}, "spec": {}, "status": {}}
    create(session, tree, "namespaces", namespaced=False)


def serviceaccount(context: Context) -> None:
    """Create a service account with the specified name.

    Examples:
      # Create a new service account named my-service-account
      kubectl create serviceaccount my-service-account
    """
    session: Session = context.obj
    tree = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": name_argument(session)}}
    create(session, tree, "serviceaccounts", failed="failed to create serviceaccount:")


def quota(
    context: Context,
    hard: Annotated[str, Option("--hard", help="A comma-delimited set of resource=quantity pairs that define a hard limit.")] = "",
    scopes: Annotated[
        str, Option("--scopes", help="A comma-delimited set of quota scopes that must all match each object tracked by the quota.")
    ] = "",
) -> None:
    """Create a resource quota with the specified name, hard limits, and optional scopes.

    Examples:
      # Create a new resource quota named my-quota
      kubectl create quota my-quota --hard=cpu=1,memory=1G,pods=2,services=3,replicationcontrollers=2,resourcequotas=1
    """
    session: Session = context.obj
    spec: Tree = {}
    if hard:
        spec["hard"] = hard_limits(hard)
    if scopes:
        spec["scopes"] = scopes.split(",")
        if "" in spec["scopes"]:
            raise CommandError('invalid resource quota scope ""')
    metadata = {"name": name_argument(session)}
    tree = {"kind": "ResourceQuota", "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": {}}
    create(session, tree, "resourcequotas", failed="failed to create quota:")


def hard_limits(text: str, bad: str = "Invalid") -> Tree:
    """`cpu=1,pods=2`. Raises CommandError."""
    found = {}
    for part in text.split(","):
        name, equals, amount = part.partition("=")
        if not equals or "=" in amount:
            raise CommandError(f"{bad} argument syntax {part}, expected <resource>=<value>")
        try:
            found[name] = canonical(amount)
        except ValueError as error:
            raise CommandError(str(error)) from error
    return found


def priorityclass(
    context: Context,
    value: Annotated[int, Option("--value", help="the value of this priority class.")] = 0,
    global_default: Annotated[
        bool,
        Option(
            "--global-default",
            help="global-default specifies whether this PriorityClass should be considered as the default priority.",
        ),
    ] = False,
    description: Annotated[
        str,
        Option(
            "--description",
            help="description is an arbitrary string that usually provides guidelines on when this priority class should be used.",
        ),
    ] = "",
    preemption_policy: Annotated[
        str, Option("--preemption-policy", help="preemption-policy is the policy for preempting pods with lower priority.")
    ] = "PreemptLowerPriority",
) -> None:
    """Create a priority class with the specified name, value, globalDefault and description.

    Examples:
      # Create a priority class named high-priority
      kubectl create priorityclass high-priority --value=1000 --description="high priority"
    """
    session: Session = context.obj
    tree: Tree = {
        "kind": "PriorityClass",
        "apiVersion": "scheduling.k8s.io/v1",
        "metadata": {"name": name_argument(session)},
        "value": value,
    }
    if global_default:
        tree["globalDefault"] = True
    if description:
        tree["description"] = description
    tree["preemptionPolicy"] = preemption_policy
    create(session, tree, "priorityclasses", namespaced=False, failed="failed to create priorityclass:")


def poddisruptionbudget(
    context: Context,
    selector: Annotated[
        str,
        Option(
            "--selector", help="A label selector to use for this budget. Only equality-based selector requirements are supported."
        ),
    ] = "",
    min_available: Annotated[
        str, Option("--min-available", help="The minimum number or percentage of available pods this budget requires.")
    ] = "",
    max_unavailable: Annotated[
        str, Option("--max-unavailable", help="The maximum number or percentage of unavailable pods this budget requires.")
    ] = "",
) -> None:
    """Create a pod disruption budget with the specified name, selector, and desired minimum available pods.

    Examples:
      # Create a pod disruption budget named my-pdb that will select all pods with the app=rails label
      kubectl create poddisruptionbudget my-pdb --selector=app=rails --min-available=1
    """
    session: Session = context.obj
    name = name_argument(session)
    if not selector:
        raise CommandError("a selector must be specified")
    if bool(min_available) == bool(max_unavailable):
        told = (
            "min-available and max-unavailable cannot be both specified"
            if min_available
            else "one of min-available or max-unavailable must be specified"
        )
        raise CommandError(told)
    field, text = ("minAvailable", min_available) if min_available else ("maxUnavailable", max_unavailable)
    spec = {
        field: int(text) if text.isdecimal() else text,
        "selector": {"matchLabels": pairs(selector.split(","), "selector")},
    }
    status = {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}
    tree = {"kind": "PodDisruptionBudget", "apiVersion": "policy/v1", "metadata": {"name": name}, "spec": spec, "status": status}
    create(session, tree, "poddisruptionbudgets")


def ingress(
    context: Context,
    rule: Annotated[
        list[str],
        Option(
            "--rule",
            help="Rule in format host/path=service:port[,tls=secretname]. Paths containing the leading character '*' are "
            "considered pathType=Prefix. tls argument is optional.",
        ),
    ] = [],  # noqa: B006 - read, never changed
    ingress_class: Annotated[str, Option("--class", help="Ingress Class to be used")] = "",
    default_backend: Annotated[
        str, Option("--default-backend", help="Default service for backend, in format of svcname:port")
    ] = "",
    annotation: Annotated[
        list[str], Option("--annotation", help="Annotation to insert in the ingress object, in the format annotation=value")
    ] = [],  # noqa: B006
) -> None:
    """Create an ingress with the specified name.

    Examples:
      # Create a single ingress called 'simple' that directs requests to foo.com/bar to svc1:8080 with a TLS secret "my-cert"
      kubectl create ingress simple --rule="foo.com/bar=svc1:8080,tls=my-cert"
    """
    session: Session = context.obj
    metadata: Tree = {"name": name_argument(session)}
    if annotation:
        metadata["annotations"] = pairs(annotation, "annotation")
    if not (rule or default_backend):
        raise CommandError(
            "not enough information provided: every ingress has to either specify "
            "a default-backend (which catches all traffic) or a list of rules (which catch specific paths)"
        )
    spec: Tree = {"ingressClassName": ingress_class} if ingress_class else {}
    if default_backend:
        name, _, port = default_backend.partition(":")
        spec["defaultBackend"] = _backend(name, port)
    spec.update(ingress_rules(rule))
    tree = {
        "kind": "Ingress",
        "apiVersion": "networking.k8s.io/v1",
        "metadata": metadata,
        "spec": spec,
        "status": {"loadBalancer": {}},
    }
    create(session, tree, "ingresses", failed="failed to create ingress:")


def ingress_rules(texts: list[str]) -> Tree:
    """`tls` and `rules` of an Ingress; rules of one host are gathered. Raises CommandError."""
    secrets: dict[str, list[str]] = {}
    hosts: dict[str, list[Tree]] = {}
    for text in texts:
        found = RULE.fullmatch(text)
        if found is None:
            raise CommandError(f"rule {text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]")
        host, path = found["host"], f"/{found['path']}"
        if found["tls"]:
            named = secrets.setdefault(found["secret"] or "", [])
            if host and host not in named:
                named.append(host)
        kind = "Prefix" if path.endswith("*") else "Exact"
        entry = {"path": path.removesuffix("*"), "pathType": kind, "backend": _backend(found["service"], found["port"])}
        hosts.setdefault(host, []).append(entry)
    made: Tree = {}
    if secrets:
        made["tls"] = [
            {**({"hosts": named} if named else {}), **({"secretName": secret} if secret else {})}
            for secret, named in secrets.items()
        ]
    if hosts:
        made["rules"] = [{**({"host": host} if host else {}), "http": {"paths": paths}} for host, paths in hosts.items()]
    return made


def _backend(service: str, port: str) -> Tree:
    return {"service": {"name": service, "port": {"number": int(port)} if port.isdecimal() else {"name": port}}}


def token(
    context: Context,
    audience: Annotated[list[str], Option("--audience", help="Audience of the requested token.")] = [],  # noqa: B006
    duration: Annotated[str, Option("--duration", metavar="duration", help="Requested lifetime of the issued token.")] = "0s",
    bound_object_kind: Annotated[
        str, Option("--bound-object-kind", help="Kind of an object to bind the token to. Supported kinds are Node, Pod, Secret.")
    ] = "",
    bound_object_name: Annotated[
        str, Option("--bound-object-name", help="Name of an object to bind the token to. Requires --bound-object-kind.")
    ] = "",
    bound_object_uid: Annotated[
        str,
        Option(
            "--bound-object-uid", help="UID of an object to bind the token to. If unset, the UID of the existing object is used."
        ),
    ] = "",
) -> None:
    """Request a service account token.

    Examples:
      # Request a token to authenticate to the kube-apiserver as the service account "myapp" in the current namespace
      kubectl create token myapp
    """
    session: Session = context.obj
    if len(session.args) != 1:
        raise UsageError(f"exactly one NAME is required, got {len(session.args)}")
    spec: Tree = {"audiences": audience or None, "boundObjectRef": bound_object(bound_object_kind, bound_object_name)}
    if bound_object_uid and spec["boundObjectRef"]:
        spec["boundObjectRef"]["uid"] = bound_object_uid
    seconds = parse_go(duration)
    if seconds:
        spec["expirationSeconds"] = int(seconds)
    from kube.api.resource import Resource

    key = Key(session.namespace, session.args[0])
    path = Resource("", "v1", "ServiceAccount", "serviceaccounts").path(*key, "token")
    request = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {k: v for k, v in spec.items() if v}}
    try:
        answer = session.server.request("POST", path, body=request).tree()
    except ApiError as error:
        raise CommandError(f"failed to create token: {error.message}") from error
    printer = changes_of(session).printer
    if printer.output:
        printer.show(answer)
    else:
        print(answer["status"]["token"], end="\n" if sys.stdout.isatty() else "")


def bound_object(kind: str, name: str) -> Tree | None:
    """What the token's life is tied to. Raises CommandError."""
    if kind and kind not in BOUND_KINDS:
        raise CommandError(f"supported --bound-object-kind values are {', '.join(BOUND_KINDS)}")
    if kind and not name:
        raise CommandError("--bound-object-name is required if --bound-object-kind is provided")
    if name and not kind:
        raise CommandError("--bound-object-kind is required if --bound-object-name is provided")
    return {"kind": kind, "apiVersion": "v1", "name": name} if kind else None
