"""Allocation: addresses and ports that a Service gets, each given to one Service at a time.

Promise: two Services never hold one address or port, whatever races, restarts or how many API servers there are: an address is
an IPAddress object, a port a key in etcd, and creating either is etcd's decision. What a failed write took is given back at
once; what a killed server took and never used is found when a server starts (`repair`).
https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/ (KEP-1880)
"""

from collections.abc import Mapping

from apiserver.admission.policy import type_checking
from apiserver.allocation import service
from apiserver.context import AfterDelete, BeforeStore

BEFORE_STORE: Mapping[tuple[str, str], BeforeStore] = {
    ("", "services"): service.allocate,
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"): type_checking.check_on_write,
}
AFTER_DELETE: Mapping[tuple[str, str], AfterDelete] = {("", "services"): service.release}
