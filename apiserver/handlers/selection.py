"""Selection: which objects a list, watch or deletecollection is about, from its path and its selectors.

Where a field selector names the one object (`metadata.name=x`), the list looks at that key alone.
https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
"""

from apiserver.context import RequestInfo
from apiserver.storage.store import Store
from apiserver.storage.watch_cache import Selection
from kube.api import fields, labels
from kube.api.meta import Key
from kube.api.resource import Resource
from kube.api.status import BadRequest

ALWAYS = ("metadata.name", "metadata.namespace")


def of_request(info: RequestInfo, store: Store) -> Selection:
    """Raises BadRequest for selectors that cannot be read."""
    try:
        by_label = labels.parse(info.param("labelSelector"))
        by_field = fields.parse(info.param("fieldSelector"))
    except ValueError as error:
        raise BadRequest(str(error)) from None
    row = store.resource
    for term in by_field.terms:
        if term.field not in ALWAYS and term.field not in row.field_selectors:
            raise BadRequest(_unknown_field(term.field, row))
    return Selection(
        prefix=store.prefix_of(info.namespace),
        labels=None if by_label.empty else by_label,
        fields=None if by_field.empty else by_field,
        getters=store.getters,
    )


def of_one(store: Store, key: Key) -> Selection:
    """The one object with this key."""
    return Selection(store.path(key), fields=fields.parse(f"metadata.name={key.name}"), getters=store.getters)


def _unknown_field(field: str, row: Resource) -> str:
    if (row.group, row.plural) == ("batch", "jobs"):
        return f'field label "{field}" not supported for batchv1.Job'
    if row.field_selectors or row.served_form is not None:
        return f"field label not supported: {field}"
    return f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'
