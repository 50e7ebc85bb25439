"""COMMANDS: every verb, in the order of upstream's help. A verb is one module here and one line below."""

from typing import NamedTuple


class Command(NamedTuple):
    name: str
    summary: str
    heading: str
    module: str = ""  # empty: the name, dashes as underscores
    aliases: tuple[str, ...] = ()


BEGINNER = "Basic Commands (Beginner)"
INTERMEDIATE = "Basic Commands (Intermediate)"
DEPLOY = "Deploy Commands"
CLUSTER = "Cluster Management Commands"
TROUBLE = "Troubleshooting and Debugging Commands"
ADVANCED = "Advanced Commands"
SETTINGS = "Settings Commands"
OTHER = "Other Commands"

COMMANDS: tuple[Command, ...] = (
    Command("create", "Create a resource from a file or from stdin", BEGINNER),
    Command(
        "expose", "Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service", BEGINNER
    ),
    Command("run", "Run a particular image on the cluster", BEGINNER),
    Command("set", "Set specific features on objects", BEGINNER),
    Command("explain", "Get documentation for a resource", INTERMEDIATE),
    Command("get", "Display one or many resources", INTERMEDIATE),
    Command("edit", "Edit a resource on the server", INTERMEDIATE),
    Command(
        "delete", "Delete resources by file names, stdin, resources and names, or by resources and label selector", INTERMEDIATE
    ),
    Command("rollout", "Manage the rollout of a resource", DEPLOY),
    Command("scale", "Set a new size for a deployment, replica set, or replication controller", DEPLOY),
    Command("autoscale", "Auto-scale a deployment, replica set, stateful set, or replication controller", DEPLOY),
    Command("certificate", "Modify certificate resources", CLUSTER),
    Command("cluster-info", "Display cluster information", CLUSTER),
    Command("top", "Display resource (CPU/memory) usage", CLUSTER),
    Command("cordon", "Mark node as unschedulable", CLUSTER),
    Command("uncordon", "Mark node as schedulable", CLUSTER),
    Command("drain", "Drain node in preparation for maintenance", CLUSTER),
    Command("taint", "Update the taints on one or more nodes", CLUSTER),
    Command("describe", "Show details of a specific resource or group of resources", TROUBLE),
    Command("logs", "Print the logs for a container in a pod", TROUBLE),
    Command("attach", "Attach to a running container", TROUBLE),
    Command("exec", "Execute a command in a container", TROUBLE, "execute"),
    Command("port-forward", "Forward one or more local ports to a pod", TROUBLE),
    Command("proxy", "Run a proxy to the Kubernetes API server", TROUBLE),
    Command("cp", "Copy files and directories to and from containers", TROUBLE, "copy"),
    Command("auth", "Inspect authorization", TROUBLE),
    Command("events", "List events", TROUBLE),
    Command("debug", "Create debugging sessions for troubleshooting workloads and nodes", TROUBLE),
    Command("diff", "Diff the live version against a would-be applied version", ADVANCED),
    Command("apply", "Apply a configuration to a resource by file name or stdin", ADVANCED),
    Command("patch", "Update fields of a resource", ADVANCED),
    Command("replace", "Replace a resource by file name or stdin", ADVANCED),
    Command("wait", "Wait for a specific condition on one or many resources", ADVANCED),
    Command("kustomize", "Build a kustomization target from a directory or URL", ADVANCED),
    Command("label", "Update the labels on a resource", SETTINGS),
    Command("annotate", "Update the annotations on a resource", SETTINGS),
    Command("completion", "Output shell completion code for the specified shell (bash, zsh, fish, or powershell)", SETTINGS),
    Command("api-resources", "Print the supported API resources on the server", OTHER),
    Command("api-versions", 'Print the supported API versions on the server, in the form of "group/version"', OTHER),
    Command("config", "Modify kubeconfig files", OTHER),
    Command("plugin", "Provides utilities for interacting with plugins", OTHER),
    Command("version", "Print the client and server version information", OTHER),
    Command("options", "Print the list of flags inherited by all commands", ""),
)
