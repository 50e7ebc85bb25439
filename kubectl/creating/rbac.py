"""create role, clusterrole, rolebinding, clusterrolebinding.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#command-line-utilities
"""

from typing import Annotated

from typer import Context, Option

from kube.api.meta import Tree
from kubectl.creating.kit import create, name_argument
from kubectl.errors import CommandError, Failed
from kubectl.session import Session

GROUP = "rbac.authorization.k8s.io"
URL_VERBS = ("*", "get", "put", "post", "head", "options", "delete", "patch")
RESOURCE_VERBS = (
    "*", "get", "delete", "list", "create", "update", "patch", "watch", "proxy", "deletecollection", "use", "bind", "escalate",
    "impersonate", "approve", "sign", "attest",
)  # fmt: skip
Verbs = Annotated[list[str], Option("--verb", metavar="slice", help="Verb that applies to the resources contained in the rule")]
Resources = Annotated[list[str], Option("--resource", metavar="slice", help="Resource that the rule applies to")]
Names = Annotated[
    list[str],
    Option("--resource-name", help="Resource in the white list that the rule applies to, repeat this flag for multiple items"),
]
Users = Annotated[
    list[str], Option("--user", help="Usernames to bind to the role. The flag can be repeated to add multiple users.")
]
Groups = Annotated[
    list[str], Option("--group", help="Groups to bind to the role. The flag can be repeated to add multiple groups.")
]
Accounts = Annotated[
    list[str],
    Option(
        "--serviceaccount",
        help="Service accounts to bind to the role, in the format <namespace>:<name>. The flag can be repeated to add multiple "
        "service accounts.",
    ),
]


def role(
    context: Context,
    verb: Verbs = [],  # noqa: B006 - read, never changed
    resource: Resources = [],  # noqa: B006
    resource_name: Names = [],  # noqa: B006
) -> None:
    """Create a role with single rule.

    Examples:
      # Create a role named "pod-reader" that allows user to perform "get", "watch" and "list" on pods
      kubectl create role pod-reader --verb=get --verb=list --verb=watch --resource=pods
    """
    session: Session = context.obj
    name = name_argument(session)
    if not verb:
        raise CommandError("at least one verb must be specified")
    if not resource:
        raise CommandError("at least one resource must be specified")
    _create(session, "Role", name, {"rules": rules(session, verb, resource, resource_name)})


def clusterrole(
    context: Context,
    verb: Verbs = [],  # noqa: B006
    resource: Resources = [],  # noqa: B006
    resource_name: Names = [],  # noqa: B006
    non_resource_url: Annotated[
        list[str], Option("--non-resource-url", metavar="slice", help="A partial url that user should have access to.")
    ] = [],  # noqa: B006
    aggregation_rule: Annotated[
        list[str],
        Option("--aggregation-rule", metavar="slice", help="An aggregation label selector for combining ClusterRoles."),
    ] = [],  # noqa: B006
) -> None:
    """Create a cluster role.

    Examples:
      # Create a cluster role named "pod-reader" that allows user to perform "get", "watch" and "list" on pods
      kubectl create clusterrole pod-reader --verb=get,list,watch --resource=pods

      # Create a cluster role name "foo" with NonResourceURL specified
      kubectl create clusterrole "foo" --verb=get --non-resource-url=/logs/*
    """
    session: Session = context.obj
    name = name_argument(session)
    if aggregation_rule:
        if verb or non_resource_url or resource or resource_name:
            raise CommandError("aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames")
        labels = dict(text.partition("=")[::2] for text in aggregation_rule)
        more = {"rules": None, "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": labels}]}}
        return _create(session, "ClusterRole", name, more)
    if not verb:
        raise CommandError("at least one verb must be specified")
    if not (resource or non_resource_url):
        raise CommandError("one of resource or nonResourceURL must be specified")
    made = rules(session, verb, resource, resource_name) if resource else []
    if non_resource_url:
        _check_urls(verb, non_resource_url)
        made.append({"verbs": verb, "nonResourceURLs": non_resource_url})
    return _create(session, "ClusterRole", name, {"rules": made})


def _check_urls(verbs: list[str], urls: list[str]) -> None:
    """Raises CommandError."""
    for verb in verbs:
        if verb not in URL_VERBS:
            raise CommandError(f"invalid verb: '{verb}' for nonResourceURL")
    for url in urls:
        if url == "*":
            continue
        if not url.startswith("/"):
            raise CommandError("nonResourceURL should start with /")
        if "*" in url[:-1]:
            raise CommandError("nonResourceURL only supports wildcard matches when '*' is at the end")


def rules(session: Session, verbs: list[str], resources: list[str], names: list[str]) -> list[Tree]:
    """One rule for each API group that the resources are of."""
    groups: dict[str, list[str]] = {}
    for text in resources:
        typed, _, subresource = text.partition("/")
        if typed in ("*", "*.*"):
            group, plural = "*", "*"
        else:
            try:
                found = session.discovery.find(typed)
            except CommandError as error:
                raise Failed([error]) from error
            group, plural = found.group, found.plural
        groups.setdefault(group, []).append(plural + (f"/{subresource}" if subresource else ""))
    for verb in verbs:
        if verb not in RESOURCE_VERBS:
            session.tell(f"Warning: '{verb}' is not a standard resource verb")
    verbs = ["*"] if "*" in verbs else list(dict.fromkeys(verbs))
    return [
        {"verbs": verbs, "apiGroups": [group], "resources": plurals, **({"resourceNames": names} if names else {})}
        for group, plurals in groups.items()
    ]


def rolebinding(
    context: Context,
    role: Annotated[str, Option("--role", help="Role this RoleBinding should reference")] = "",
    clusterrole: Annotated[str, Option("--clusterrole", help="ClusterRole this RoleBinding should reference")] = "",
    user: Users = [],  # noqa: B006
    group: Groups = [],  # noqa: B006
    serviceaccount: Accounts = [],  # noqa: B006
) -> None:
    """Create a role binding for a particular role or cluster role.

    Examples:
      # Create a role binding for user1, user2, and group1 using the admin cluster role
      kubectl create rolebinding admin --clusterrole=admin --user=user1 --user=user2 --group=group1
    """
    session: Session = context.obj
    name = name_argument(session)
    if bool(role) == bool(clusterrole):
        raise CommandError("exactly one of clusterrole or role must be specified")
    reference = {"apiGroup": GROUP, "kind": "Role" if role else "ClusterRole", "name": role or clusterrole}
    _create(session, "RoleBinding", name, {"subjects": subjects(user, group, serviceaccount), "roleRef": reference})


def clusterrolebinding(
    context: Context,
    clusterrole: Annotated[str, Option("--clusterrole", help="ClusterRole this ClusterRoleBinding should reference")],
    user: Users = [],  # noqa: B006
    group: Groups = [],  # noqa: B006
    serviceaccount: Accounts = [],  # noqa: B006
) -> None:
    """Create a cluster role binding for a particular cluster role.

    Examples:
      # Create a cluster role binding for user1, user2, and group1 using the cluster-admin cluster role
      kubectl create clusterrolebinding cluster-admin --clusterrole=cluster-admin --user=user1 --user=user2 --group=group1
    """
    session: Session = context.obj
    name = name_argument(session)
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": clusterrole}
    _create(session, "ClusterRoleBinding", name, {"subjects": subjects(user, group, serviceaccount), "roleRef": reference})


def subjects(users: list[str], groups: list[str], accounts: list[str]) -> list[Tree]:
    """Raises CommandError for a service account that is not namespace:name."""
    made = [{"kind": "User", "apiGroup": GROUP, "name": name} for name in users]
    made += [{"kind": "Group", "apiGroup": GROUP, "name": name} for name in groups]
    for text in accounts:
        namespace, colon, name = text.partition(":")
        if not (colon and namespace and name) or ":" in name:
            raise CommandError("serviceaccount must be <namespace>:<name>")
        made.append({"kind": "ServiceAccount", "name": name, "namespace": namespace})
    return made


def _create(session: Session, kind: str, name: str, more: Tree) -> None:
    tree = {"kind": kind, "apiVersion": f"{GROUP}/v1", "metadata": {"name": name}, **more}
    failed = f"failed to create {kind.lower()}:" if kind.endswith("Binding") else ""
    create(session, tree, f"{kind.lower()}s", namespaced=not kind.startswith("Cluster"), failed=failed)
