"""Volumes on a real node: what their files say, to whom, in which modes; how they follow what they show; claims and local volumes.

One manifest holds many behaviours, so that the node has few pods to start; each test looks at one side of them.
"""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import MANIFESTS, Cluster
from tests.e2e.test_pod_life import namespace
from tests.wait import eventually_sync

WITHIN = 60
READABLE, OWNERS = "-rw-r--r--", "-r--------"
TEXT = "mount-tester new file"


@pytest.fixture(scope="module")
def volumes(cluster: Cluster) -> Iterator[Cluster]:
    other = namespace(cluster, "volumes-elsewhere")
    other.ok("kubectl create secret generic secret --from-literal=data-1=theirs")
    shell = namespace(cluster, "volumes")
    shell.ok(f"kubectl apply -f {MANIFESTS / 'volume-files.yaml'}")
    for pod in ("files", "grouped"):
        shell.ok(f"kubectl wait --for=jsonpath='{{.status.phase}}'=Succeeded pod/{pod} --timeout={WITHIN}s", within=WITHIN + 10)
    yield shell
    shell.ok("kubectl delete namespace volumes volumes-elsewhere --wait=false")


def printed(shell: Cluster, container: str, pod: str = "files") -> set[str]:
    return set(shell.ok(f"kubectl logs {pod} -c {container}").splitlines())


def following(shell: Cluster) -> set[str]:
    """`<path>=<text>` of every file that the following pod finds now, a line for each line."""
    script = r"cd /v; for f in $(find . -follow -type f | grep -v '/\.\.'); do sed \"s|^|${f#./}=|\" $f; echo; done"
    return set(shell.ok(f'kubectl exec following -- sh -c "{script}"'.replace("$", r"\$")).splitlines())


@pytest.mark.root
def test_config_maps_are_files_with_the_modes_asked_for(volumes: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/volumes/#configmap

    Conformance: [sig-storage] ConfigMap should be consumable from pods in volume as non-root [NodeConformance] [Conformance]
    Conformance: [sig-storage] ConfigMap should be consumable from pods in volume with defaultMode set [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] ConfigMap should be consumable from pods in volume with mappings and Item mode set [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] ConfigMap should be consumable from pods in volume with mappings as non-root [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected configMap should be consumable from pods in volume [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected configMap should be consumable from pods in volume as non-root [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected configMap should be consumable from pods in volume with defaultMode set [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected configMap should be consumable from pods in volume with mappings [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected configMap should be consumable from pods in volume with mappings and Item mode set [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected configMap should be consumable from pods in volume with mappings as non-root [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected configMap should be consumable in multiple volumes in the same pod [NodeConformance] [Conformance]
    """  # noqa: E501
    root, user = printed(volumes, "root"), printed(volumes, "user")
    for kind in ("config", "p-config"):
        open_to_all = {f"{kind}/data-1=value-1 {READABLE}", f"{kind}-mapped/path/to/data-2=value-2 {READABLE}"}
        assert open_to_all <= root
        assert open_to_all <= user
        assert {f"{kind}-narrow/data-1=value-1 {OWNERS}", f"{kind}-item/path/to/data-2=value-2 {OWNERS}"} <= root
        assert not any(line.startswith((f"{kind}-narrow/data-1=value", f"{kind}-mapped/data-1")) for line in user)
    assert f"p-config-again/data-1=value-1 {READABLE}" in root


@pytest.mark.root
def test_secrets_are_files_with_the_modes_asked_for(volumes: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/volumes/#secret

    Conformance: [sig-storage] Secrets should be consumable from pods in volume with defaultMode set [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] Secrets should be consumable from pods in volume with mappings [NodeConformance] [Conformance]
    Conformance: [sig-storage] Secrets should be consumable from pods in volume with mappings and Item Mode set [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected secret should be consumable from pods in volume [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected secret should be consumable from pods in volume as non-root with defaultMode and fsGroup set [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected secret should be consumable from pods in volume with defaultMode set [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected secret should be consumable from pods in volume with mappings [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected secret should be consumable from pods in volume with mappings and Item Mode set [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected secret should be consumable in multiple volumes in a pod [NodeConformance] [Conformance]
    """  # noqa: E501
    root = printed(volumes, "root")
    for kind in ("secret", "p-secret"):
        assert {f"{kind}/data-1=secret-1 {READABLE}", f"{kind}-mapped/new-path-data-1=secret-1 {READABLE}"} <= root
        assert {f"{kind}-narrow/data-1=secret-1 {OWNERS}", f"{kind}-item/new-path-data-1=secret-1 {OWNERS}"} <= root
    assert f"p-secret-again/data-1=secret-1 {READABLE}" in root
    grouped = printed(volumes, "user", "grouped")
    assert grouped == {"secret/data-1=secret-1 -r--r-----:1001", "p-secret/data-1=secret-1 -r--r-----:1001"}


@pytest.mark.root
def test_a_secret_of_another_namespace_is_another(volumes: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/configuration/secret/

    Conformance: [sig-storage] Secrets should be able to mount in a volume regardless of a different secret existing with same name in different namespace [NodeConformance] [Conformance]
    """  # noqa: E501
    assert "secret/data-1=secret-1 -rw-r--r--" in printed(volumes, "root")
    assert volumes.ok("kubectl get secret secret -n volumes-elsewhere -o jsonpath='{.data.data-1}' | base64 -d") == "theirs"


@pytest.mark.root
def test_a_pod_finds_what_it_is_in_files(volumes: Cluster) -> None:
    """Limits that a container does not have are what the node has.

    Rule: https://kubernetes.io/docs/concepts/workloads/pods/downward-api/

    Conformance: [sig-storage] Downward API volume should provide container's cpu limit [NodeConformance] [Conformance]
    Conformance: [sig-storage] Downward API volume should provide container's cpu request [NodeConformance] [Conformance]
    Conformance: [sig-storage] Downward API volume should provide container's memory limit [NodeConformance] [Conformance]
    Conformance: [sig-storage] Downward API volume should provide node allocatable (memory) as default memory limit if the limit is not set [NodeConformance] [Conformance]
    Conformance: [sig-storage] Downward API volume should provide podname only [NodeConformance] [Conformance]
    Conformance: [sig-storage] Downward API volume should set DefaultMode on files [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] Downward API volume should set mode on item file [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected downwardAPI should provide container's cpu limit [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected downwardAPI should provide container's cpu request [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected downwardAPI should provide container's memory limit [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected downwardAPI should provide container's memory request [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected downwardAPI should provide node allocatable (cpu) as default cpu limit if the limit is not set [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected downwardAPI should provide node allocatable (memory) as default memory limit if the limit is not set [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected downwardAPI should set DefaultMode on files [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected downwardAPI should set mode on item file [LinuxOnly] [NodeConformance] [Conformance]
    """  # noqa: E501
    root = printed(volumes, "root")
    allocatable = json.loads(volumes.ok("kubectl get node skiff -o jsonpath='{.status.allocatable}'"))
    node_memory = allocatable["memory"].removesuffix("Ki")
    for kind in ("pod", "p-pod"):
        expected = {
            "name": "files", "cpu-limit": "200", "cpu-request": "100", "memory-limit": "32", "memory-request": "16",
            "node-cpu": allocatable["cpu"], "node-memory": node_memory,
        }  # fmt: skip
        assert {f"{kind}/{name}={value} {READABLE}" for name, value in expected.items()} <= root
        assert {f"{kind}-narrow/name=files {OWNERS}", f"{kind}/narrow-name=files {OWNERS}"} <= root


@pytest.mark.root
def test_an_empty_directory_takes_files_of_any_mode_from_root_and_others(volumes: Cluster) -> None:
    """Rule: behaviour E.5.57, https://kubernetes.io/docs/concepts/storage/volumes/#emptydir

    Conformance: [sig-storage] EmptyDir volumes should support (non-root,0644,default) [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] EmptyDir volumes should support (non-root,0644,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] EmptyDir volumes should support (non-root,0666,default) [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] EmptyDir volumes should support (non-root,0666,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] EmptyDir volumes should support (non-root,0777,default) [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] EmptyDir volumes should support (non-root,0777,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] EmptyDir volumes should support (root,0644,default) [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] EmptyDir volumes should support (root,0644,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] EmptyDir volumes should support (root,0666,default) [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] EmptyDir volumes should support (root,0666,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] EmptyDir volumes should support (root,0777,default) [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] EmptyDir volumes should support (root,0777,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] EmptyDir volumes volume on default medium should have the correct mode [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] EmptyDir volumes volume on tmpfs should have the correct mode [LinuxOnly] [NodeConformance] [Conformance]
    """  # noqa: E501
    for container, uid in (("root", 0), ("user", 1000)):
        lines = printed(volumes, container)
        assert "memory: drwxrwxrwt tmpfs" in lines
        assert any(line.startswith("disk: drwxrwxrwx ") and not line.endswith("tmpfs") for line in lines)
        for medium in ("disk", "memory"):
            modes = {"644": "-rw-r--r--", "666": "-rw-rw-rw-", "777": "-rwxrwxrwx"}
            assert {f"{medium} {mode}={TEXT} {shown}:{uid}" for mode, shown in modes.items()} <= lines


@pytest.mark.root
def test_a_part_of_a_volume_is_mounted_alone(volumes: Cluster) -> None:
    """Also in the place of a file that is there.

    Rule: https://kubernetes.io/docs/concepts/storage/volumes/#using-subpath

    Conformance: [sig-storage] Subpath Atomic writer volumes should support subpaths with configmap pod with mountPath of existing file [Conformance]
    Conformance: [sig-storage] Subpath Atomic writer volumes should support subpaths with downward pod [Conformance]
    Conformance: [sig-storage] Subpath Atomic writer volumes should support subpaths with projected pod [Conformance]
    Conformance: [sig-storage] Subpath Atomic writer volumes should support subpaths with secret pod [Conformance]
    """  # noqa: E501
    expected = {"/one/secret": "secret-1", "/one/pod": "files", "/one/projected": "value-2", "/etc/resolv.conf": "value-1"}
    assert {f"{path}={text} regular file" for path, text in expected.items()} <= printed(volumes, "root")


@pytest.mark.root
def test_a_pod_with_secrets_and_config_maps_starts(volumes: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/volumes/

    Conformance: [sig-storage] EmptyDir wrapper volumes should not conflict [Conformance]
    """
    assert {f"secret/data-1=secret-1 {READABLE}", f"config/data-1=value-1 {READABLE}"} <= printed(volumes, "root")


@pytest.mark.root
def test_files_follow_what_they_show(volumes: Cluster) -> None:
    """What comes, changes and goes; also the pod's own labels and annotations.

    Rule: behaviour E.5.56, https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically

    Conformance: [sig-storage] ConfigMap optional updates should be reflected in volume [NodeConformance] [Conformance]
    Conformance: [sig-storage] Downward API volume should update annotations on modification [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected configMap optional updates should be reflected in volume [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected configMap updates should be reflected in volume [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected downwardAPI should update annotations on modification [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected downwardAPI should update labels on modification [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected secret optional updates should be reflected in volume [NodeConformance] [Conformance]
    Conformance: [sig-storage] Secrets optional updates should be reflected in volume [NodeConformance] [Conformance]
    """
    kinds = ("config", "secret", "p-config", "p-secret")
    volumes.ok(f"kubectl wait --for=condition=Ready pod/following --timeout={WITHIN}s", within=WITHIN + 10)
    before = {f"{kind}/{name}/data-1=value-1" for kind in kinds for name in ("changing", "going")}
    before |= {f"{kind}/{line}" for kind in ("facts", "p-facts") for line in ('labels=color="red"', 'annotations=builder="bar"')}
    found = following(volumes)
    assert before <= found
    assert not any("/coming/" in line for line in found)
    volumes.ok("kubectl create configmap coming --from-literal=data-1=new-1")
    volumes.ok("kubectl create secret generic coming --from-literal=data-1=new-1")
    volumes.ok("""kubectl patch configmap changing --type=merge -p '{"data":{"data-1":"value-2","data-3":"value-3"}}'""")
    volumes.ok("""kubectl patch secret changing --type=merge -p '{"stringData":{"data-1":"value-2"}}'""")
    volumes.ok("kubectl delete configmap,secret going")
    volumes.ok("kubectl label pod following shape=round && kubectl annotate pod following --overwrite builder=foo")
    after = {f"{kind}/coming/data-1=new-1" for kind in kinds} | {f"{kind}/changing/data-1=value-2" for kind in kinds}
    after |= {f"{kind}/{line}" for kind in ("facts", "p-facts") for line in ('labels=shape="round"', 'annotations=builder="foo"')}
    after |= {f"{kind}/changing/data-3=value-3" for kind in ("config", "p-config")}

    def followed() -> bool:
        found = following(volumes)
        assert after <= found
        assert not any("/going/" in line for line in found)
        return True

    eventually_sync(followed, WITHIN, "the files to follow")
    volumes.ok("kubectl delete pod following --grace-period=0 --force", within=WITHIN)


@pytest.mark.root
def test_five_pods_with_fifty_volumes_each_start(volumes: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/volumes/#configmap

    Conformance: [sig-storage] EmptyDir wrapper volumes should not cause race condition when used for configmaps [Serial] [Conformance]
    """  # noqa: E501
    names = [f"racey-{number}" for number in range(50)]
    maps = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"data-1": "value-1"}} for name in names]
    container = {
        "name": "c",
        "image": "busybox",
        "command": ["sleep", "3600"],
        "volumeMounts": [{"name": name, "mountPath": f"/etc/config/{name}"} for name in names],
    }
    spec = {
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "volumes": [{"name": name, "configMap": {"name": name, "items": [{"key": "data-1", "path": "data-1"}]}} for name in names],
    }
    template = {"metadata": {"labels": {"name": "racey"}}, "spec": spec}
    controller = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": "racey"},
        "spec": {"replicas": 5, "selector": {"name": "racey"}, "template": template},
    }
    volumes.ok("kubectl create -f -", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [*maps, controller]}))
    volumes.until("kubectl get rc racey -o jsonpath='{.status.readyReplicas}'", "5", within=WITHIN)
    volumes.ok("kubectl delete rc racey --wait=false")
