"""Options that several commands share, so that a flag reads the same everywhere.

https://kubernetes.io/docs/reference/kubectl/generated/
"""

from typing import Annotated

from typer import Option

SLICE = "slice"  # a list whose values commas divide
DURATION = "duration"  # Go's notation: 1h30m
FAMILY = "family"  # a group's flag (`create --dry-run`) that its subcommands have too; they read it from Session.flags

PRINTED = (
    "json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file"
)
TABLED = f"{PRINTED}, custom-columns, custom-columns-file, wide"

Output = Annotated[str, Option("--output", "-o", help=f"Output format. One of: ({PRINTED}).", rich_help_panel=FAMILY)]
GetOutput = Annotated[
    str,
    Option(
        "--output",
        "-o",
        help=f"Output format. One of: ({TABLED}). See custom columns "
        "[https://kubernetes.io/docs/reference/kubectl/#custom-columns], golang template "
        "[http://golang.org/pkg/text/template/#pkg-overview] and jsonpath template "
        "[https://kubernetes.io/docs/reference/kubectl/jsonpath/].",
    ),
]
Template = Annotated[
    str,
    Option(
        "--template",
        help="Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is "
        "golang templates [http://golang.org/pkg/text/template/#pkg-overview].",
        rich_help_panel=FAMILY,
    ),
]
AllowMissing = Annotated[
    bool,
    Option(
        "--allow-missing-template-keys",
        help="If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to "
        "golang and jsonpath output formats.",
        rich_help_panel=FAMILY,
    ),
]
ShowManagedFields = Annotated[
    bool,
    Option(
        "--show-managed-fields",
        help="If true, keep the managedFields when printing objects in JSON or YAML format.",
        rich_help_panel=FAMILY,
    ),
]
DryRun = Annotated[
    str,
    Option(
        "--dry-run",
        help='Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without '
        "sending it. If server strategy, submit server-side request without persisting the resource.",
        rich_help_panel=FAMILY,
    ),
]
FieldManager = Annotated[
    str, Option("--field-manager", help="Name of the manager used to track field ownership.", rich_help_panel=FAMILY)
]
Validate = Annotated[
    str,
    Option(
        "--validate",
        help='Must be one of: strict (or true), warn, ignore (or false). "true" or "strict" will use a schema to validate the '
        'input and fail the request if invalid. "warn" will warn about unknown or duplicate fields without blocking the '
        'request. "false" or "ignore" will not perform any schema validation, silently dropping any unknown or duplicate fields.',
        rich_help_panel=FAMILY,
    ),
]
SaveConfig = Annotated[
    bool,
    Option(
        "--save-config",
        help="If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be "
        "unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.",
        rich_help_panel=FAMILY,
    ),
]
Filenames = Annotated[
    list[str], Option("--filename", "-f", metavar=SLICE, help="Filename, directory, or URL to files identifying the resource.")
]
Kustomize = Annotated[
    str,
    Option("--kustomize", "-k", help="Process the kustomization directory. This flag can't be used together with -f or -R."),
]
Recursive = Annotated[
    bool,
    Option(
        "--recursive",
        "-R",
        help="Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests "
        "organized within the same directory.",
    ),
]
Selector = Annotated[
    str,
    Option(
        "--selector",
        "-l",
        help="Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,"
        "key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
    ),
]
FieldSelector = Annotated[
    str,
    Option(
        "--field-selector",
        help="Selector (field query) to filter on, supports '=', '==', and '!='.(e.g. --field-selector key1=value1,key2=value2)."
        " The server only supports a limited number of field queries per type.",
    ),
]
AllNamespaces = Annotated[
    bool,
    Option(
        "--all-namespaces",
        "-A",
        help="If present, list the requested object(s) across all namespaces. Namespace in current context is ignored even if "
        "specified with --namespace.",
    ),
]
All = Annotated[bool, Option("--all", help="Select all resources in the namespace of the specified resource types")]
Local = Annotated[bool, Option("--local", help="If true, the command will NOT contact api-server but run locally.")]
WindowsLines = Annotated[bool, Option("--windows-line-endings", help="Defaults to the line ending native to your platform.")]
NoHeaders = Annotated[
    bool,
    Option(
        "--no-headers",
        help="When using the default or custom-column output format, don't print headers (default print headers).",
    ),
]
ShowLabels = Annotated[
    bool, Option("--show-labels", help="When printing, show all labels as the last column (default hide labels column)")
]
ChunkSize = Annotated[int, Option("--chunk-size", help="Return large lists in chunks rather than all at once. Pass 0 to disable.")]
IgnoreNotFound = Annotated[
    bool,
    Option(
        "--ignore-not-found",
        help="If set to true, suppresses NotFound error for specific objects that do not exist. Using this flag with commands "
        "that query for collections of resources has no effect when no resources are found.",
    ),
]
Record = Annotated[
    bool,
    Option(
        "--record",
        hidden=True,
        help="Record current kubectl command in the resource annotation.",
    ),
]
Overrides = Annotated[
    str,
    Option(
        "--overrides",
        help="An inline JSON override for the generated object. If this is non-empty, it is used to override the generated "
        "object. Requires that the object supply a valid apiVersion field.",
    ),
]
OverrideType = Annotated[
    str, Option("--override-type", help="The method used to override the generated object: json, merge, or strategic.")
]

# What `delete` takes, and whatever else deletes on its way.
Cascade = Annotated[
    str,
    Option(
        "--cascade",
        help='Must be "background", "orphan", or "foreground". Selects the deletion cascading strategy for the dependents '
        "(e.g. Pods created by a ReplicationController). Defaults to background.",
    ),
]
GracePeriod = Annotated[
    int,
    Option(
        "--grace-period",
        help="Period of time in seconds given to the resource to terminate gracefully. Ignored if negative. Set to 1 for "
        "immediate shutdown. Can only be set to 0 when --force is true (force deletion).",
    ),
]
Force = Annotated[
    bool,
    Option(
        "--force",
        help="If true, immediately remove resources from API and bypass graceful deletion. Note that immediate deletion "
        "of some resources may result in inconsistency or data loss and requires confirmation.",
    ),
]
Wait = Annotated[bool, Option("--wait", help="If true, wait for resources to be gone before returning. This waits for finalizers.")]
WaitTimeout = Annotated[
    str,
    Option(
        "--timeout",
        metavar=DURATION,
        help="The length of time to wait before giving up on a delete, zero means determine a timeout from the size of the object",
    ),
]

# What waits for a pod: exec, attach, run, port-forward, cluster-info dump.
PodRunningTimeout = Annotated[
    str,
    Option(
        "--pod-running-timeout",
        metavar=DURATION,
        help="The length of time (like 5s, 2m, or 3h, higher than zero) to wait until at least one pod is running",
    ),
]

# What `apply` takes, and `diff`, which tells what apply would do.
ForceConflicts = Annotated[
    bool, Option("--force-conflicts", help="If true, server-side apply will force the changes against conflicts.")
]
PruneAllowlist = Annotated[
    list[str], Option("--prune-allowlist", help="Overwrite the default allowlist with <group/version/kind> for --prune")
]
