"""create deployment, job, cronjob.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_create/
"""

from typing import Annotated, Any

from typer import Context, Option

from kube.api.meta import Tree
from kubectl.creating.kit import create, name_argument
from kubectl.errors import CommandError
from kubectl.session import Session

Image = Annotated[str, Option("--image", help="Image name to run.")]


def deployment(
    context: Context,
    image: Annotated[
        list[str], Option("--image", help="Image names to run. A deployment can have multiple images set for multiple containers.")
    ],
    replicas: Annotated[int, Option("--replicas", "-r", help="Number of replicas to create. Default is 1.")] = 1,
    port: Annotated[int, Option("--port", help="The containerPort that this deployment exposes.")] = -1,
) -> None:
    """Create a deployment with the specified name.

    Examples:
      # Create a deployment named my-dep that runs the busybox image
      kubectl create deployment my-dep --image=busybox

      # Create a deployment named my-dep that runs the nginx image with 3 replicas
      kubectl create deployment my-dep --image=nginx --replicas=3
    """
    session: Session = context.obj
    name = name_argument(session)
    images = [one for text in image for one in text.split(",")]
    command = session.args[session.dash :] if session.dash is not None else []
    if len(images) > 1 and command:
        raise CommandError("cannot specify multiple --image options and command")
    labels = {"app": name}
    containers: list[Tree] = [{"name": _container_name(one), "image": one} for one in images]
    if command:
        containers[0]["command"] = command
    if port >= 0:
        containers[0]["ports"] = [{"containerPort": port}]
    tree: Tree = {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{**one, "resources": {}} for one in containers]},
            },
            "strategy": {},
        },
        "status": {},
    }
    create(session, tree, "deployments", failed="failed to create deployment:")


def _container_name(image: str) -> str:
    """The image's last part, without tag or digest, as a label (kubectl create_deployment.go)."""
    name = image.rpartition("/")[2].partition(":")[0].partition("@")[0]
    return name.replace("_", "-").lower()


def job(
    context: Context,
    image: Image = "",
    source: Annotated[
        str, Option("--from", help="The name of the resource to create a Job from (only cronjob is supported).")
    ] = "",
) -> None:
    """Create a job with the specified name.

    Examples:
      # Create a job
      kubectl create job my-job --image=busybox

      # Create a job with a command
      kubectl create job my-job --image=busybox -- date

      # Create a job from a cron job named "a-cronjob"
      kubectl create job test-job --from=cronjob/a-cronjob
    """
    session: Session = context.obj
    name = name_argument(session)
    command = session.args[session.dash :] if session.dash is not None else []
    if bool(image) == bool(source):
        raise CommandError("either --image or --from must be specified")
    if source:
        if command:
            raise CommandError("cannot specify --from and command")
        create(session, _job_from(session, name, source), "jobs", failed="failed to create job:")
        return
    container: dict[str, Any] = {"name": name, "image": image}
    if command:
        container["command"] = command
    container["resources"] = {}
    template = {"metadata": {}, "spec": {"containers": [container], "restartPolicy": "Never"}}
    tree = {
        "kind": "Job",
        "apiVersion": "batch/v1",
        "metadata": {"name": name},
        "spec": {"template": template},
        "status": {},
    }
    create(session, tree, "jobs", failed="failed to create job:")


def _job_from(session: Session, name: str, source: str) -> Tree:
    from kubectl.selection import Query

    (item,) = session.items(Query([source]))
    if item.resource.kind != "CronJob":
        raise CommandError(f"from must be an existing cronjob, got {item.resource.kind}")
    template = item.tree["spec"]["jobTemplate"]
    metadata = template.get("metadata") or {}
    annotations = {**(metadata.get("annotations") or {}), "cronjob.kubernetes.io/instantiate": "manual"}
    made: Tree = {"name": name, "annotations": annotations}
    if metadata.get("labels"):
        made["labels"] = metadata["labels"]
    made["ownerReferences"] = [
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "name": item.key.name,
            "uid": item.tree["metadata"]["uid"],
            "controller": True,
        }
    ]
    return {"kind": "Job", "apiVersion": "batch/v1", "metadata": made, "spec": template["spec"], "status": {}}


def cronjob(
    context: Context,
    image: Image,
    schedule: Annotated[str, Option("--schedule", help="A schedule in the Cron format the job should be run with.")],
    restart: Annotated[str, Option("--restart", help="job's restart policy. supported values: OnFailure, Never")] = "OnFailure",
) -> None:
    """Create a cron job with the specified name.

    Examples:
      # Create a cron job
      kubectl create cronjob my-job --image=busybox --schedule="*/1 * * * *"
    """
    session: Session = context.obj
    name = name_argument(session)
    container: dict[str, Any] = {"name": name, "image": image}
    if session.dash is not None:
        container["command"] = session.args[session.dash :]
    container["resources"] = {}
    template = {"metadata": {}, "spec": {"containers": [container], "restartPolicy": restart}}
    tree = {
        "kind": "CronJob",
        "apiVersion": "batch/v1",
        "metadata": {"name": name},
        "spec": {"schedule": schedule, "jobTemplate": {"metadata": {"name": name}, "spec": {"template": template}}},
        "status": {},
    }
    create(session, tree, "cronjobs", failed="failed to create cronjob:")
