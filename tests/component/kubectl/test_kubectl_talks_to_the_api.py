"""kubectl against the real API server, in one process: what is typed, and what must come back."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from kubectl.app import run
from tests.component.conftest import ADMIN_TOKEN, NOBODY_TOKEN, RunningApi

Shell = Callable[..., tuple[int, str, str]]

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1.14.1", ports: [{containerPort: 80}]}]}
"""


@pytest.fixture
def shell(runner: asyncio.Runner, apiserver: RunningApi, capfd: pytest.CaptureFixture[str]) -> Shell:
    """Run one command line in a thread, while the server's loop runs: (exit code, stdout, stderr)."""

    def typed(*words: str, token: str = ADMIN_TOKEN) -> tuple[int, str, str]:
        line = [word for part in words for word in (part.split() if part == words[0] else [part])]
        flags = [f"--server={apiserver.url}", f"--token={token}"]
        code = runner.run(asyncio.to_thread(run, [*flags, *line]))
        out = capfd.readouterr()
        return code, out.out, out.err

    return typed


@pytest.fixture
def manifest(tmp_path: Path) -> str:
    path = tmp_path / "web.yaml"
    path.write_text(DEPLOYMENT)
    return str(path)


def test_get_prints_the_servers_tables(shell: Shell) -> None:
    code, out, _ = shell("get namespaces --no-headers")
    assert (code, [line.split()[:2] for line in out.splitlines()]) == (
        0,
        [[name, "Active"] for name in ("default", "kube-node-lease", "kube-public", "kube-system")],
    )
    assert shell("get pods") == (0, "", "No resources found in default namespace.\n")
    assert shell("get pod nope") == (1, "", 'Error from server (NotFound): pods "nope" not found\n')
    assert shell("get foo") == (1, "", 'error: the server doesn\'t have a resource type "foo"\n')
    code, out, _ = shell("get NS,svc default kubernetes --ignore-not-found -o name")
    assert (code, out) == (0, "namespace/default\nservice/kubernetes\n")


def test_several_kinds_and_short_names_are_told_as_upstream_tells_them(shell: Shell) -> None:
    """Rule: kubernetes/kubectl pkg/cmd/get sorter.go; cli-runtime's short names"""
    unsorted = 'error: couldn\'t find any field with path "{.metadata.name}" in the list of objects\n'
    assert shell("get namespaces,services --sort-by=.metadata.name") == (1, "", unsorted)
    assert shell("get namespaces,services --sort-by=.metadata.name -o name")[0] == 0
    _, _, err = shell("get ev,ev -n kube-public")
    assert err == (
        'Warning: short name "ev" could also match lower priority resource events.events.k8s.io\n'
        "No resources found in kube-public namespace.\n"
    )


def test_what_is_missing_or_forbidden_is_told_with_what_was_wanted(shell: Shell, manifest: str) -> None:
    """Rule: kubernetes/kubectl pkg/cmd/describe, apply: those found are described; what could not be read is named"""
    code, out, err = shell("describe namespaces nope default")
    assert (code, out.splitlines()[0].split()) == (1, ["Name:", "default"])
    assert err == 'Error from server (NotFound): namespaces "nope" not found\n'
    code, _, err = shell("apply -f", manifest, token=NOBODY_TOKEN)
    assert (code, err.splitlines()[:3]) == (
        1,
        [
            "Error from server (Forbidden): error when retrieving current configuration of:",
            'Resource: "apps/v1, Resource=deployments", GroupVersionKind: "apps/v1, Kind=Deployment"',
            'Name: "web", Namespace: "default"',
        ],
    )
    assert shell("cordon node -l a=b")[2].startswith("error: cannot specify both a node name and a --selector option\n")


def test_apply_creates_configures_and_leaves_alone(shell: Shell, manifest: str) -> None:
    """Rule: https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/"""
    code, out, err = shell("apply --record -f", manifest)
    assert (code, out) == (0, "deployment.apps/web created\n")
    assert err == "Flag --record has been deprecated, --record will be removed in the future\n"
    cause = "jsonpath={.metadata.annotations.kubernetes\\.io/change-cause}"
    assert shell("get deploy web -o", cause)[1].startswith("kubectl apply --")
    assert shell("apply --record -f", manifest)[1] == "deployment.apps/web unchanged\n"
    Path(manifest).write_text(DEPLOYMENT.replace("1.14.1", "1.15.5"))
    assert shell("apply -f", manifest)[1] == "deployment.apps/web configured\n"
    assert shell("get deploy web -o jsonpath={..image}")[1] == "nginx:1.15.5"


def test_create_replace_and_delete(shell: Shell, manifest: str) -> None:
    assert shell("create -f", manifest)[1] == "deployment.apps/web created\n"
    code, _, err = shell("create -f", manifest)
    assert (code, err) == (
        1,
        f'Error from server (AlreadyExists): error when creating "{manifest}": deployments.apps "web" already exists\n',
    )
    assert shell("replace -f", manifest)[1] == "deployment.apps/web replaced\n"
    assert shell("delete deployments web")[1] == 'deployment.apps "web" deleted from default namespace\n'
    assert shell("get deploy web")[0] == 1


def test_old_spelling_of_cascade_is_taken(shell: Shell, manifest: str) -> None:
    """Rule: walkthrough section 3: --cascade=false, today --cascade=orphan."""
    shell("create -f", manifest)
    code, _, err = shell("delete deployments web --cascade=false --dry-run=server")
    assert code == 0
    assert err == "warning: --cascade=false is deprecated (boolean value) and can be replaced with --cascade=orphan.\n"


def test_scale_keeps_its_precondition(shell: Shell, manifest: str) -> None:
    """Rule: walkthrough section 3: Expected replicas to be 2, was 3."""
    shell("create -f", manifest)
    code, _, err = shell("scale deployments web --current-replicas=2 --replicas=4")
    assert (code, err) == (1, "error: Expected replicas to be 2, was 3\n")
    assert shell("scale deployments web --current-replicas=3 --replicas=4")[1] == "deployment.apps/web scaled\n"
    assert shell("get deploy web -o go-template={{.spec.replicas}}")[1] == "4"


def test_labels_and_annotations(shell: Shell, manifest: str) -> None:
    shell("create -f", manifest)
    assert shell("label deploy web a=b")[1] == "deployment.apps/web labeled\n"
    assert shell("label deploy web a=c")[2] == "error: 'a' already has a value (b), and --overwrite is false\n"
    assert shell("label deploy web a=c --overwrite")[1] == "deployment.apps/web labeled\n"
    assert shell("label deploy web a-")[1] == "deployment.apps/web unlabeled\n"
    assert shell("annotate deploy web n=1")[1] == "deployment.apps/web annotated\n"
    assert shell("get deploy web -o jsonpath={.metadata.labels}")[1] == '{"app":"web"}'


def test_set_image_patch_and_pause(shell: Shell, manifest: str) -> None:
    shell("create -f", manifest)
    assert shell("set image deployments web web=nginx:1.15.5")[1] == "deployment.apps/web image updated\n"
    assert shell("set image deployments web foo=x")[2] == 'error: unable to find container named "foo"\n'
    patch = '{"spec": {"minReadySeconds": 5}}'
    assert shell("patch deployments web -p", patch)[1] == "deployment.apps/web patched\n"
    assert shell("patch deployments web -p", patch)[1] == "deployment.apps/web patched (no change)\n"
    assert shell("rollout pause deployments web")[1] == "deployment.apps/web paused\n"
    assert shell("rollout pause deployments web")[2] == 'error: deployments.apps "web" is already paused\n'
    assert shell("rollout resume deployments web")[1] == "deployment.apps/web resumed\n"
    waiting = "Waiting for deployment spec update to be observed...\n"
    assert shell("rollout status deployment web --watch=false")[1] == waiting


def test_describe_shows_sections_in_order(shell: Shell, manifest: str) -> None:
    shell("create -f", manifest)
    code, out, _ = shell("describe deployments web")
    assert code == 0
    titles = [line.partition(":")[0] for line in out.splitlines() if line and not line.startswith(" ")]
    assert titles == [
        "Name", "Namespace", "CreationTimestamp", "Labels", "Annotations", "Selector", "Replicas", "StrategyType",
        "MinReadySeconds", "RollingUpdateStrategy", "Pod Template", "OldReplicaSets", "NewReplicaSet", "Events",
    ]  # fmt: skip


def test_expose_and_explain(shell: Shell, manifest: str) -> None:
    shell("create -f", manifest)
    assert shell("expose deployment web --port=80 --type=NodePort")[1] == "service/web exposed\n"
    assert shell("get svc web -o jsonpath={.spec.type}:{.spec.ports[0].targetPort}")[1] == "NodePort:80"
    code, out, _ = shell("explain pod.spec.containers.image")
    assert code == 0
    assert out.startswith("KIND:       Pod\nVERSION:    v1\n\nFIELD: image <string>\n\n\nDESCRIPTION:\n    Container image name.")


def test_wait_ends_when_met_and_at_its_deadline(shell: Shell, manifest: str) -> None:
    shell("create -f", manifest)
    assert shell("wait deploy/web --for=jsonpath={.spec.replicas}=3")[1] == "deployment.apps/web condition met\n"
    code, _, err = shell("wait deploy/web --for=condition=Available --timeout=1s")
    assert (code, err) == (1, "error: timed out waiting for the condition on deployments/web\n")


def test_what_is_not_allowed_is_told(shell: Shell) -> None:
    code, _, err = shell("get pods", token=NOBODY_TOKEN)
    assert code == 1
    assert err.startswith("Error from server (Forbidden): ")
    assert shell("get pods", token="unknown")[2].startswith("error: You must be logged in to the server (")


def test_an_old_manifest_is_refused_with_the_version_of_today(shell: Shell, tmp_path: Path) -> None:
    """Rule: walkthrough, Old manifests."""
    path = tmp_path / "old.yaml"
    path.write_text(DEPLOYMENT.replace("apps/v1", "extensions/v1beta1"))
    code, _, err = shell("apply -f", str(path))
    assert code == 1
    assert 'no matches for kind "Deployment" in version "extensions/v1beta1"' in err
    assert "use apiVersion: apps/v1" in err


def test_what_was_applied_and_is_named_no_more_is_pruned(shell: Shell, tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#how-to-delete-objects"""
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {labels: {part: x}, name: "
    path = tmp_path / "maps.yaml"
    path.write_text(f"{head}one}}\n---\n{head}two}}\n")
    shell("create configmap three")
    shell("label configmap three part=x")
    apply = f"apply -f {path} --prune"
    assert shell(f"{apply} -l part=x")[1] == "configmap/one created\nconfigmap/two created\n"
    path.write_text(f"{head}one}}\n")
    dry = shell(f"{apply} -l part=x --dry-run=client")[1]
    assert dry == "configmap/one unchanged (dry run)\nconfigmap/two pruned (dry run)\n"
    others = shell(f"{apply} --all --prune-allowlist=core/v1/Secret")[1]
    assert others == "configmap/one unchanged\n"
    assert shell(f"{apply} -l part=x")[1] == "configmap/one unchanged\nconfigmap/two pruned\n"
    assert shell("get configmaps -l part=x -o name")[1] == "configmap/one\nconfigmap/three\n"
    shell("create configmap held")
    shell("patch configmap held -p", '{"metadata": {"labels": {"part": "x"}, "finalizers": ["example.com/held"]}}')
    path.write_text(f"{head}one}}\n---\n{head}held}}\n")
    shell(f"{apply} -l part=x")
    path.write_text(f"{head}one}}\n")
    code, out, err = shell(f"{apply} -l part=x --wait --timeout=1s --cascade=foreground")
    assert (code, out) == (1, "configmap/one unchanged\nconfigmap/held pruned\n")
    assert err.endswith("error: timed out waiting for the condition on configmaps/held\n")
    finalizers = shell("get configmap held -o jsonpath={.metadata.finalizers}")[1]
    assert finalizers == '["example.com/held","foregroundDeletion"]'
    shell("patch configmap held --type=merge -p", '{"metadata": {"finalizers": null}}')
    assert shell(apply)[2].startswith("error: all resources selected for prune without explicitly passing --all.")
    assert shell(f"{apply} --all -l a=b")[2] == "error: cannot set --all and --selector at the same time\n"
    told = "error: invalid GroupVersionKind format: nope, please follow <group/version/kind>\n"
    assert shell(f"{apply} --all --prune-allowlist=nope")[2] == told


def test_server_side_apply_takes_over_what_the_client_applied(shell: Shell, tmp_path: Path) -> None:
    """Fields that the client applied and the file no longer has go away; the annotation stays, and belongs to a keeper.

    Rule: KEP-555, kubectl apply --server-side of an object that was applied client-side.
    """
    path = tmp_path / "map.yaml"
    path.write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: taken}, data: {a: '1', b: '2'}}")
    assert shell(f"apply -f {path}") == (0, "configmap/taken created\n", "")
    path.write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: taken}, data: {a: '1'}}")
    assert shell(f"apply --server-side -f {path}") == (0, "configmap/taken serverside-applied\n", "")
    managers = "jsonpath={range .metadata.managedFields[*]}{.manager} {.operation};{end}{.data}"
    found = shell("get cm taken", "-o", managers)
    told = sorted(found[1].split(";"))  # they are in the order of their times, which are whole seconds
    assert told == ["kubectl Apply", "kubectl-last-applied Apply", '{"a":"1"}']


def test_objects_are_edited_until_they_are_taken(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor that changes nothing cancels; what the server finds invalid comes back; create and what was applied are edited too.

    Rule: kubectl edit, create --edit, apply edit-last-applied.
    """
    path = tmp_path / "map.yaml"
    path.write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: edited}, data: {a: one}}")

    def editor(command: str) -> None:
        monkeypatch.setenv("KUBE_EDITOR", command)

    editor("sed -i s/one/two/")
    assert shell(f"create --edit -f {path}") == (0, "configmap/edited created\n", "")
    assert shell(f"apply -f {path}")[:2] == (0, "configmap/edited configured\n")
    editor("true")
    assert shell("edit cm edited") == (0, "", "Edit cancelled, no changes made.\n")
    editor("sed -i s/one$/three/")
    assert shell("edit cm edited --output-patch") == (0, 'Patch: {"data":{"a":"three"}}\nconfigmap/edited edited\n', "")
    editor("sed -i s/^data/date/")
    code, _, told = shell("edit cm edited")
    assert (code, told.splitlines()[0]) == (1, 'error: configmaps "edited" is invalid')
    assert told.splitlines()[2] == "error: Edit cancelled, no valid changes were saved."
    Path(told.splitlines()[1].split('"')[1]).unlink()
    editor("sed -i s/one/four/")
    assert shell("apply edit-last-applied cm/edited") == (0, "configmap/edited edited\n", "")
    assert '"a":"four"' in shell("get cm edited -o yaml")[1]


def test_a_cluster_is_dumped_into_a_file_for_each_kind(shell: Shell, tmp_path: Path) -> None:
    """Rule: kubectl cluster-info dump --output-directory."""
    folder = tmp_path / "dump"
    code, out, _ = shell("cluster-info dump --namespaces=default -o yaml", f"--output-directory={folder}")
    assert (code, out) == (0, f"Cluster info dumped to {folder}\n")
    kinds = ("daemonsets", "deployments", "events", "pods", "replicasets", "replication-controllers", "services")
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.yaml")) == [
        *(f"default/{name}.yaml" for name in kinds),
        "nodes.yaml",
    ]
    assert "kind: ServiceList" in (folder / "default/services.yaml").read_text()


def test_some_of_several_objects_may_be_missing(shell: Shell, tmp_path: Path) -> None:
    """Rule: those that are there have their turn, and each that is not is told. A pattern names files; JSON objects may follow."""
    (tmp_path / "a.json").write_text("".join(f'{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{x}"}}}}' for x in "ab"))
    assert shell(f"create -f {tmp_path}/*.json") == (0, "configmap/a created\nconfigmap/b created\n", "")
    code, out, told = shell("label cm nope a nope2 b x=y")
    assert (code, out) == (1, "configmap/a labeled\nconfigmap/b labeled\n")
    assert told.splitlines() == [f'Error from server (NotFound): configmaps "{name}" not found' for name in ("nope", "nope2")]


def test_a_watch_ends_when_a_request_may_last_no_longer(shell: Shell) -> None:
    """Rule: --request-timeout ends a watch, and that is no failure."""
    code, out, told = shell("get ns default -w -o name --request-timeout=2s")
    assert (code, out, told) == (0, "namespace/default\n", "")


def test_drain_deletes_where_eviction_is_disabled_and_leaves_those_that_should_long_be_gone(shell: Shell, tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_drain/ --disable-eviction"""
    spec = "spec: {nodeName: node, containers: [{name: c, image: x}]}"
    pods = tmp_path / "pods.yaml"
    pods.write_text(
        "apiVersion: v1\nkind: Node\nmetadata: {name: node}\n---\n"
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: kept, labels: {{p: kept}}, finalizers: [x.io/y]}}\n{spec}\n---\n"
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: free, labels: {{p: free}}}}\n{spec}\n"
    )
    shell("create serviceaccount default")
    assert shell("create -f", str(pods))[2] == ""
    shell("create pdb all --selector=p --min-available=5")
    shell("cordon node")
    drain = "drain node --force --disable-eviction --pod-selector"
    assert shell(drain, "p=free", "--grace-period=0")[1] == "node/node already cordoned\npod/free deleted\nnode/node drained\n"
    code, _, err = shell(drain, "p=kept", "--grace-period=1", "--timeout=1s")
    assert (code, err.splitlines()[-1]) == (1, "error: context deadline exceeded")
    code, out, _ = shell(drain, "p=kept", "--skip-wait-for-delete-timeout=1")
    assert (code, out.splitlines()[-1]) == (0, "node/node drained")
