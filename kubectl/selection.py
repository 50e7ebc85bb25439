"""Selection: which objects a command line is about, as upstream's resource builder reads it.

`TYPE`, `TYPE NAME...`, `TYPE1,TYPE2 [NAME...]`, `TYPE/NAME...`, `all`; each with -l, --field-selector, -A; or -f.
kubernetes/cli-runtime pkg/resource/builder.go
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import NotFound
from kubectl.discovery import Discovery
from kubectl.errors import CommandError, Failed
from kubectl.manifests import Manifest, load

if TYPE_CHECKING:
    from kubectl.session import Session

REQUIRED = """You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""
TWICE = "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well"
MIXED = (
    "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form "
    "(e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'"
)
CHUNK = 500


@dataclass(frozen=True)
class Item:
    """One object: where it is, and what is known of it (`tree` empty: not fetched)."""

    resource: Resource
    key: Key
    tree: Tree = field(default_factory=dict)
    source: str = ""  # the file it came from

    @property
    def path(self) -> str:
        return self.resource.path(self.key.namespace, self.key.name)

    def __str__(self) -> str:
        """`deployment.apps/web`, as messages name it."""
        return f"{short(self.resource)}/{self.key.name}"


@dataclass(frozen=True)
class Query:
    """What the flags of a command say about objects."""

    args: Sequence[str] = ()
    filenames: Sequence[str] = ()
    recursive: bool = False
    kustomize: str = ""
    selector: str = ""
    field_selector: str = ""
    all_namespaces: bool = False
    all: bool = False
    local: bool = False  # --local: from files alone, without a server
    every: bool = True  # a type alone means all of it (get, describe); False: that must be asked for (delete, scale)

    @property
    def by_file(self) -> bool:
        return bool(self.filenames or self.kustomize)


@dataclass(frozen=True)
class Ref:
    """A type, or one object of it."""

    resource: Resource
    name: str = ""


def short(resource: Resource) -> str:
    """`deployment.apps`, `pod`."""
    return f"{resource.singular_name}.{resource.group}" if resource.group else resource.singular_name


def refs(discovery: Discovery, query: Query) -> list[Ref]:
    """What the arguments name. Raises CommandError with upstream's words."""
    args = [arg for arg in query.args if arg]
    if not args and query.all:
        raise CommandError("at least one resource must be specified to use a selector")
    if not args:
        raise CommandError(REQUIRED)
    if any("/" in arg for arg in args):
        return _typed_names(discovery, query, args)
    resources = _types(discovery, args[0])
    if len(args) > 1:
        if query.selector or query.field_selector:
            raise CommandError("name cannot be provided when a selector is specified")
        return [Ref(resource, name) for resource in resources for name in args[1:]]
    if query.all and query.selector:
        raise CommandError("setting 'all' parameter but found a non empty selector. ")
    if not (query.every or query.selector or query.field_selector or query.all):
        raise CommandError("resource(s) were provided, but no name was specified")
    return [Ref(resource) for resource in resources]


def _typed_names(discovery: Discovery, query: Query, args: Sequence[str]) -> list[Ref]:
    if not all("/" in arg for arg in args):
        raise CommandError(MIXED)
    found = []
    for arg in args:
        kind, _, name = arg.partition("/")
        if "/" in name:
            raise CommandError("arguments in resource/name form may not have more than one slash")
        if not kind or not name or "," in kind:
            raise CommandError("arguments in resource/name form must have a single resource and name")
        found.append(Ref(discovery.find(kind), name))
    if query.selector or query.field_selector:
        raise CommandError("selectors and the all flag cannot be used when passing resource/name arguments")
    return found


def _types(discovery: Discovery, words: str) -> list[Resource]:
    found: list[Resource] = []
    for word in words.split(","):
        found += discovery.category(word) or [discovery.find(word)]
    return list(dict.fromkeys(found))


def items(session: "Session", query: Query) -> Iterator[Item]:
    """The objects, fetched from the server. Missing ones do not keep the others from their turn: they raise at the end."""
    if query.local and not query.by_file:
        raise CommandError("can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set")
    if query.by_file and query.args:
        raise CommandError(TWICE)
    missing: list[Exception] = []
    for item in _named(session, query):
        if item.tree:
            yield item
            continue
        try:
            yield replace(item, tree=session.server.request("GET", item.path).tree())
        except NotFound as error:
            missing.append(error)
    if missing:
        raise missing[0] if len(missing) == 1 else Failed(missing)


def _named(session: "Session", query: Query) -> Iterator[Item]:
    """What the files and arguments name; that which was not listed is still to be fetched."""
    if query.by_file:
        for manifest in load(query.filenames, recursive=query.recursive, kustomize=query.kustomize):
            yield _unfetched(manifest) if query.local else replace(located(session, manifest), tree={})
        return
    named = refs(session.discovery, query)
    if query.all_namespaces and any(ref.name for ref in named):
        raise CommandError("a resource cannot be retrieved by name across all namespaces")
    for ref in named:
        if ref.name:
            yield Item(ref.resource, Key(session.namespace if ref.resource.namespaced else "", ref.name))
            continue
        for tree in listed(session, ref.resource, query):
            metadata = tree["metadata"]
            yield Item(ref.resource, Key(metadata.get("namespace", ""), metadata["name"]), tree)


def _unfetched(manifest: Manifest) -> Item:
    """What a file says, its kind as far as it is built in."""
    from kube.api.resources import resource_for_kind

    tree = manifest.tree
    group, _, version = tree["apiVersion"].rpartition("/")
    row = resource_for_kind(tree["apiVersion"], tree["kind"]) or Resource(group, version, tree["kind"], f"{tree['kind'].lower()}s")
    metadata = tree.setdefault("metadata", {})
    return Item(row, Key(metadata.get("namespace", ""), metadata.get("name", "")), tree, manifest.source)


def listed(session: "Session", resource: Resource, query: Query, *, namespace: str | None = None) -> Iterator[Tree]:
    """All objects of a kind that the query takes, in chunks; of the session's namespace where none is given."""
    if namespace is None:
        namespace = "" if query.all_namespaces or not resource.namespaced else session.namespace
    params: dict[str, str | int | None] = {
        "labelSelector": query.selector or None,
        "fieldSelector": query.field_selector or None,
        "limit": CHUNK,
    }
    while True:
        page = session.server.request("GET", resource.path(namespace), params=params).tree()
        for tree in page.get("items") or ():
            tree.setdefault("apiVersion", resource.api_version)
            tree.setdefault("kind", resource.kind)
            yield tree
        params["continue"] = page.get("metadata", {}).get("continue") or None
        if not params["continue"]:
            return


def located(session: "Session", manifest: Manifest) -> Item:
    """A manifest's kind and place. Raises CommandError for a kind that is not served or a namespace that contradicts -n."""
    tree = manifest.tree
    metadata = tree.setdefault("metadata", {})
    resource = session.discovery.kind(tree["apiVersion"], tree["kind"])
    if resource is None:
        raise CommandError(_no_match(session, manifest))
    given = metadata.get("namespace", "")
    if not resource.namespaced:
        return Item(resource, Key("", metadata.get("name", "")), tree, manifest.source)
    if given and session.namespace_forced and given != session.namespace:
        raise CommandError(
            f'the namespace from the provided object "{given}" does not match the namespace "{session.namespace}". '
            f"You must pass '--namespace={given}' to perform this operation."
        )
    return Item(resource, Key(given or session.namespace, metadata.get("name", "")), tree, manifest.source)


def _no_match(session: "Session", manifest: Manifest) -> str:
    tree = manifest.tree
    metadata = tree.get("metadata") or {}
    text = (
        f'resource mapping not found for name: "{metadata.get("name", "")}" namespace: "{metadata.get("namespace", "")}" '
        f'from "{manifest.source}": no matches for kind "{tree["kind"]}" in version "{tree["apiVersion"]}"\n'
        "ensure CRDs are installed first"
    )
    today = session.discovery.elsewhere(tree["kind"])
    if today is not None:
        text += f", or use apiVersion: {today.api_version}, which is where the server has {tree['kind']}"
    return text
