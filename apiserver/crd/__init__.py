"""CRD: kinds of the users' own, served like any other (docs/concepts/custom-resources.md).

`start(server)` follows the CustomResourceDefinitions and keeps the rows, their conditions and their clean-up going.

For other rooms: a row with `served_form` is a custom resource; `server.routes.generation` grows with every change of the rows. Each
served group and version of such rows is local to this API server (an APIService of the aggregator's "automanaged" sort).
"""

from apiserver.crd.registry import registry_of, start

__all__ = ["registry_of", "start"]
