"""From client-side to server-side apply: whose fields become whose."""

from typing import Any

from kubectl.migration import keepers, migrated

LAST_APPLIED = "f:kubectl.kubernetes.io/last-applied-configuration"


def entry(manager: str, operation: str, *data: str, annotated: bool = False, subresource: str = "") -> dict[str, Any]:
    fields: dict[str, Any] = {"f:data": {f"f:{name}": {} for name in data}}
    if annotated:
        fields["f:metadata"] = {"f:annotations": {LAST_APPLIED: {}}}
    made = {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields}
    return {**made, "subresource": subresource} if subresource else made


def test_what_a_client_applied_becomes_the_servers_managers() -> None:
    """Rule: KEP-555; the fields of both are owned together, and the client's entry is gone."""
    client = entry("kubectl-client-side-apply", "Update", "old", "same", annotated=True)
    other = entry("controller", "Update", "own")
    tree = {"metadata": {"managedFields": [entry("kubectl", "Apply", "same"), client, other]}}
    clients = keepers(tree, "Update")
    assert clients == {"kubectl-client-side-apply"}
    found = migrated(tree["metadata"]["managedFields"], "kubectl", clients)
    assert found is not None
    assert [(one["manager"], one["operation"], sorted(one["fieldsV1"]["f:data"])) for one in found] == [
        ("kubectl", "Apply", ["f:old", "f:same"]),
        ("controller", "Update", ["f:own"]),
    ]


def test_the_clients_entry_itself_is_renamed_where_the_server_has_none() -> None:
    """Rule: client-go util/csaupgrade: without an entry of the server-side manager, the client's becomes it."""
    found = migrated([entry("kubectl-client-side-apply", "Update", "a", annotated=True)], "mine", {"kubectl-client-side-apply"})
    assert found is not None
    assert [(one["manager"], one["operation"]) for one in found] == [("mine", "Apply")]


def test_a_manager_of_updates_that_never_applied_keeps_its_fields() -> None:
    """Rule: only who owns the last-applied annotation, and only for the object itself, applied on the client."""
    entries = [entry("kubectl-edit", "Update", "a"), entry("x", "Update", "b", annotated=True, subresource="status")]
    assert keepers({"metadata": {"managedFields": entries[:1]}}, "Update") == set()
    assert migrated(entries, "kubectl", {"x"}) is None
