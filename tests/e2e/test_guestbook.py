"""The guestbook: three tiers that find each other by Services; what is written through one is read through another."""

from tests.e2e.conftest import Cluster


def test_the_guestbook_works_from_its_frontend_to_its_store(shell: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/tutorials/stateless-application/guestbook/

    Conformance: [sig-cli] Kubectl client Guestbook application should create and stop a working application [Conformance]
    """
    shell.ok("kubectl create -f guestbook.yaml")
    for name in ("primary", "replica", "frontend"):
        shell.ok(f"kubectl rollout status deployment/{name} --timeout=60s", within=70)
    asked = f"kubectl get --raw '/api/v1/namespaces/{shell.namespace}/services/frontend/proxy/cgi-bin/guestbook?"
    shell.until(f"{asked}cmd=get&key=messages&value='", '{"data":""}')
    assert shell.ok(f"{asked}cmd=set&key=messages&value=TestEntry'").strip() == '{"message":"Updated"}'
    for _ in range(6):
        assert shell.ok(f"{asked}cmd=get&key=messages&value='").strip() == '{"data":"TestEntry"}'
    shell.ok("kubectl delete --grace-period=0 --force -f guestbook.yaml")
    shell.until("kubectl get deployments,services,pods -l app=guestbook -o name | wc -l", "0\n")
