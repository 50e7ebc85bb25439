"""CRD: kinds of the users' own, served like any other (docs/concepts/custom-resources.md).

`start(server)` follows the CustomResourceDefinitions and keeps the rows, their conditions and their clean-up going.
`late_row(server, info)` is asked before a resource is said not to exist: another API server may have established it just now.

For other rooms: a row with `served_form` is a custom resource; `server.routes.generation` grows with every change of the rows. Each
served group and version of such rows is local to this API server (an APIService of the aggregator's "automanaged" sort).
"""

from apiserver.crd.registry import late_row, registry_of, start

__all__ = ["late_row", "registry_of", "start"]
