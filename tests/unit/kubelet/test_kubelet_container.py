"""What a container is started with: variables, names, limits, privileges, and the engine's words for them."""

from typing import Any

import pytest

from kube.api.types import ConfigMap, Container, Secret, Service
from kube.api.views import view
from kubelet import resources, security
from kubelet.container_error import ConfigError, InvalidName
from kubelet.downward import PodFacts
from kubelet.environment import Reference, environment, expand
from kubelet.images import pull_policy, with_tag
from kubelet.name_files import Resolver, hosts, parse_resolver, pod_resolver
from kubelet.pod_network import HostPort, host_ports
from kubelet.runtime.capabilities import bounding_set
from kubelet.runtime.docker_config import container_body, container_name, moment, record, sandbox_body
from kubelet.runtime.runtime import ContainerSpec, Limits, Mount, PodIdentity, SandboxSpec, Security
from kubelet.service_environment import service_environment
from tests.unit.kubelet.pods import WHO, a_container, a_pod

FACTS = PodFacts(("10.244.0.2",), ("192.0.2.1",), {"cpu": "2", "memory": "1Gi"})


def variables(container: dict[str, Any], **objects: Any) -> dict[str, str]:
    pod = a_pod(containers=[container], metadata={"labels": {"app": "web"}})
    known: Any = {Reference("ConfigMap", name): view(ConfigMap, {"data": data}) for name, data in objects.items()}
    return environment(pod, pod.spec.containers[0], known, {"HTTP_SERVICE_HOST": "10.96.0.9"}, FACTS)


def test_variables_refer_to_those_before_them_and_escape_with_two_dollars() -> None:
    """Rule: https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/"""
    env = [{"name": "A", "value": "a"}, {"name": "B", "value": "$(A)-$(C)-$$(A)"}, {"name": "C", "value": "$(HTTP_SERVICE_HOST)"}]
    found = variables(a_container("main", env=env))
    assert (found["B"], found["C"]) == ("a-$(C)-$(A)", "10.96.0.9")


@pytest.mark.parametrize(
    ("text", "expanded"),
    [("$(A)", "x"), ("$$(A)", "$(A)"), ("$(NO)", "$(NO)"), ("$", "$"), ("$$$(A)", "$x"), ("$(A", "$(A"), ("a$b", "a$b")],
)
def test_expansion(text: str, expanded: str) -> None:
    """Rule: third_party/forked/golang/expansion/expand.go"""
    assert expand(text, {"A": "x"}) == expanded


def test_variables_come_from_config_maps_the_pod_and_its_resources() -> None:
    source = {"configMapKeyRef": {"name": "settings", "key": "color"}}
    env = [
        {"name": "COLOR", "valueFrom": source},
        {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
        {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
    ]
    wanted = a_container("main", env=env, envFrom=[{"prefix": "S_", "configMapRef": {"name": "settings"}}])
    wanted["resources"] = {"limits": {"cpu": "500m"}}
    found = variables(wanted, settings={"color": "blue"})
    assert [found[name] for name in ("COLOR", "S_color", "APP", "IP", "CPU", "MEMORY")] == [
        "blue", "blue", "web", "10.244.0.2", "500", "1024",
    ]  # fmt: skip


def test_what_is_missing_is_an_error_unless_it_is_optional() -> None:
    key = {"name": "settings", "key": "absent"}
    wanted = a_container("main", env=[{"name": "A", "valueFrom": {"configMapKeyRef": key}}])
    with pytest.raises(ConfigError, match="couldn't find key absent in ConfigMap default/settings"):
        variables(wanted, settings={})
    assert "A" not in variables(
        a_container("main", env=[{"name": "A", "valueFrom": {"configMapKeyRef": {**key, "optional": True}}}]), settings={}
    )


def test_a_secrets_values_are_decoded() -> None:
    pod = a_pod(containers=[a_container("main", envFrom=[{"secretRef": {"name": "s"}}])])
    known: Any = {Reference("Secret", "s"): view(Secret, {"data": {"k": "djE="}})}
    assert environment(pod, pod.spec.containers[0], known, {}, FACTS) == {"k": "v1"}


def test_services_are_told_by_their_variables() -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables"""

    def service(namespace: str, name: str) -> Service:
        spec = {"clusterIP": "10.96.0.9", "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}
        return view(Service, {"metadata": {"namespace": namespace, "name": name}, "spec": spec})

    found = service_environment(
        a_pod(), [service("default", "my-web"), service("other", "hidden"), service("default", "kubernetes")]
    )
    assert found["MY_WEB_SERVICE_HOST"] == "10.96.0.9"
    assert found["MY_WEB_SERVICE_PORT_HTTP"] == "80"
    assert found["MY_WEB_PORT_80_TCP"] == "tcp://10.96.0.9:80"
    assert not any(name.startswith("HIDDEN") for name in found)
    unlinked = service_environment(
        a_pod(enableServiceLinks=False), [service("default", "my-web"), service("default", "kubernetes")]
    )
    assert {name.split("_")[0] for name in unlinked} == {"KUBERNETES"}


def test_cluster_first_pods_ask_the_clusters_dns_and_search_its_names() -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy"""
    host = parse_resolver("# made by hand\nnameserver 192.0.2.53\nsearch example.org\noptions edns0\n")
    resolver = pod_resolver(a_pod(), host, ("10.96.0.10",), "cluster.local")
    assert resolver.text() == (
        "nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local cluster.local example.org\noptions ndots:5\n"
    )
    assert pod_resolver(a_pod(dnsPolicy="Default"), host, ("10.96.0.10",), "cluster.local") == host
    assert pod_resolver(a_pod(hostNetwork=True), host, ("10.96.0.10",), "cluster.local") == host
    own = a_pod(dnsPolicy="None", dnsConfig={"nameservers": ["1.2.3.4"], "options": [{"name": "ndots", "value": "2"}]})
    assert pod_resolver(own, host, (), "") == Resolver(("1.2.3.4",), (), ("ndots:2",))


def test_the_hosts_file_names_the_pod_and_its_aliases() -> None:
    pod = a_pod(hostname="box", subdomain="inner", hostAliases=[{"ip": "192.0.2.7", "hostnames": ["a", "b"]}])
    text = hosts(pod, "10.244.0.2", "cluster.local", "")
    assert "10.244.0.2\tbox.inner.default.svc.cluster.local\tbox\n" in text
    assert text.endswith("\n# Entries added by HostAliases.\n192.0.2.7\ta\tb\n")


def test_host_ports_are_those_that_the_containers_ask_for() -> None:
    port = {"containerPort": 80, "hostPort": 8080, "protocol": "TCP"}
    assert host_ports(a_pod(containers=[a_container("main", ports=[port])])) == [HostPort("", 8080, 80, "TCP")]
    assert host_ports(a_pod(hostNetwork=True, containers=[a_container("main", ports=[port])])) == []


@pytest.mark.parametrize(
    ("requests", "limits", "score"),
    [({}, {}, 1000), ({"cpu": "1", "memory": "1Gi"}, {"cpu": "1", "memory": "1Gi"}, -997), ({"memory": "512Mi"}, {}, 500)],
)
def test_the_more_a_container_asked_for_the_later_it_is_killed_for_memory(requests: Any, limits: Any, score: int) -> None:
    """Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#node-out-of-memory-behavior"""
    pod = a_pod(containers=[a_container("main", resources={"requests": requests, "limits": limits})])
    found = resources.container_limits(pod, pod.spec.containers[0], 1 << 30, -1000)
    assert found.oom_score_adj == score


def test_limits_become_quota_and_bytes_and_requests_become_shares() -> None:
    amounts = {"requests": {"cpu": "250m"}, "limits": {"cpu": "500m", "memory": "64Mi"}}
    pod = a_pod(containers=[a_container("main", resources=amounts)])
    found = resources.container_limits(pod, pod.spec.containers[0], 1 << 30, 0)
    assert (found.cpu_shares, found.cpu_quota, found.memory) == (256, 50_000, 64 << 20)
    assert resources.cgroup_parent(pod, "/lab", "cgroupfs") == "/lab/kubepods/burstable/pod0000-uid"
    assert resources.cgroup_parent(pod, "", "systemd") == "kubepods-burstable-pod0000_uid.slice"


def test_a_container_that_must_not_be_root_is_refused_where_its_image_is() -> None:
    """Rule: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"""
    pod = a_pod(securityContext={"runAsNonRoot": True})
    container: Container = pod.spec.containers[0]
    with pytest.raises(ConfigError, match="container has runAsNonRoot and image will run as root"):
        security.check_non_root(pod, container, "")
    with pytest.raises(ConfigError, match=r"image has non-numeric user \(nginx\)"):
        security.check_non_root(pod, container, "nginx")
    security.check_non_root(pod, container, "1000:1000")


def test_images_without_a_tag_are_the_latest_and_always_pulled() -> None:
    """Rule: https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting"""
    assert with_tag("busybox") == "busybox:latest"
    assert with_tag("localhost:5000/a/b") == "localhost:5000/a/b:latest"
    assert with_tag("nginx:1.14.1") == "nginx:1.14.1"
    with pytest.raises(InvalidName):
        with_tag("Bad Name")
    assert pull_policy(view(Container, {"name": "a", "image": "nginx"})) == "Always"
    assert pull_policy(view(Container, {"name": "a", "image": "nginx:1"})) == "IfNotPresent"


def test_containers_are_named_as_dockershim_named_them() -> None:
    assert container_name(WHO, "main", 2) == "k8s_main_web_default_0000-uid_2"
    body = sandbox_body(SandboxSpec(WHO, 0, "pause", "web", "/kubepods"))
    assert body["Labels"]["io.kubernetes.docker.type"] == "podsandbox"
    assert (body["NetworkDisabled"], body["HostConfig"]["NetworkMode"]) == (True, "none")


def test_a_container_joins_its_sandbox_and_keeps_its_limits() -> None:
    spec = ContainerSpec(
        WHO, "main", 0, "busybox", "abc", "/kubepods", command=("sh",), args=("-c", "true"), env=(("A", "b"),),
        mounts=(Mount("/from", "/to", True, "rslave"),), limits=Limits(2, 50_000, 1024, 500),
        security=Security("1000:3000", ("2000",), ("NET_ADMIN",), ("ALL",), read_only_root=True, no_new_privileges=True),
    )  # fmt: skip
    body = container_body(spec, frozenset())
    host = body["HostConfig"]
    assert (host["NetworkMode"], host["IpcMode"]) == ("container:abc", "container:abc")
    assert host["Binds"] == ["/from:/to:ro,rslave"]
    assert (host["CpuQuota"], host["Memory"], host["OomScoreAdj"]) == (50_000, 1024, 500)
    assert (body["Entrypoint"], body["Cmd"], body["User"], body["Env"]) == (["sh"], ["-c", "true"], "1000:3000", ["A=b"])
    assert host["SecurityOpt"] == ["no-new-privileges"]


def test_a_privileged_container_gets_all_capabilities_that_a_bounded_machine_has() -> None:
    # what if the machine itself lacks a capability: the engine then refuses `privileged`
    bounded = bounding_set("Name:\tx\nCapBnd:\t000001fffeffffff\n")
    spec = ContainerSpec(WHO, "main", 0, "busybox", "abc", "/kubepods", security=Security(privileged=True))
    host = container_body(spec, bounded)["HostConfig"]
    assert host["Privileged"] is False
    assert "SYS_ADMIN" in host["CapAdd"]
    assert "SYS_RESOURCE" not in host["CapAdd"]
    assert container_body(spec, bounding_set("CapBnd:\t000001ffffffffff\n"))["HostConfig"]["Privileged"] is True


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"Running": True, "ExitCode": 0, "StartedAt": "2026-01-01T00:00:00Z"}, ("running", 0, "")),
        ({"ExitCode": 0, "FinishedAt": "2026-01-01T00:00:01Z"}, ("exited", 0, "Completed")),
        ({"ExitCode": 143, "FinishedAt": "2026-01-01T00:00:01Z"}, ("exited", 143, "Error")),
        ({"ExitCode": 137, "OOMKilled": True, "FinishedAt": "2026-01-01T00:00:01Z"}, ("exited", 137, "OOMKilled")),
        ({"ExitCode": 127, "FinishedAt": "0001-01-01T00:00:00Z"}, ("exited", 127, "ContainerCannotRun")),
        ({"ExitCode": 0, "FinishedAt": "0001-01-01T00:00:00Z"}, ("created", 0, "")),
    ],
)
def test_the_engines_states_become_the_kubelets(state: Any, expected: tuple[str, int, str]) -> None:
    """Rule: dockershim's ContainerStatus."""
    labels = {"io.kubernetes.pod.uid": "u", "io.kubernetes.pod.name": "p", "io.kubernetes.pod.namespace": "n"}
    found = record({"Id": "x", "Created": "2026-01-01T00:00:00.123456789Z", "Config": {"Labels": labels}, "State": state})
    assert (found.state, found.exit_code, found.reason) == expected
    assert found.pod == PodIdentity("n", "p", "u")


def test_the_engines_times_have_nine_digits() -> None:
    found = moment("2026-01-01T00:00:00.123456789Z")
    assert found is not None
    assert found.microsecond == 123456
    assert moment("0001-01-01T00:00:00Z") is None
