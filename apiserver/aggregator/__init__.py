"""Aggregator: API groups that another server serves, behind this one's address (APIService objects).

    registry.py      which group versions are remote, from the APIServices, and whether they are available
    availability.py  the Available condition: what the Service's objects say, and then a probe
    local.py         the APIServices of what this server serves itself, custom resources included
    proxy.py         a request for a remote group version, passed on with the user's name in headers
    documents.py     the discovery documents of remote servers, for the merged ones
    trust.py         how an extension server knows us: ConfigMap kube-system/extension-apiserver-authentication

`start(server)` begins all of it; `aggregator_of(server)` is what the door and the documents ask.
https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/
"""

from apiserver.aggregator.registry import Aggregator, aggregator_of
from apiserver.aggregator.work import start

__all__ = ["Aggregator", "aggregator_of", "start"]
