"""RESOURCES: every built-in kind that is served, one line a kind, and the ways to find one.

https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from collections.abc import Mapping
from typing import Any

from kube.api.admissionregistration import (
    mutatingadmissionpolicy,
    mutatingadmissionpolicybinding,
    mutatingwebhookconfiguration,
    validatingadmissionpolicy,
    validatingadmissionpolicybinding,
    validatingwebhookconfiguration,
)
from kube.api.apiextensions import customresourcedefinition
from kube.api.apiregistration import apiservice
from kube.api.apps import controllerrevision, daemonset, deployment, replicaset, statefulset
from kube.api.authentication import review
from kube.api.authorization import access_review
from kube.api.autoscaling import horizontalpodautoscaler, horizontalpodautoscaler_v1
from kube.api.batch import cronjob, job
from kube.api.certificates import certificatesigningrequest
from kube.api.coordination import lease
from kube.api.core import (
    binding,
    componentstatus,
    configmap,
    endpoints,
    limitrange,
    namespace,
    node,
    persistentvolume,
    persistentvolumeclaim,
    pod,
    podtemplate,
    replicationcontroller,
    resourcequota,
    secret,
    service,
    serviceaccount,
)
from kube.api.core import event as core_event
from kube.api.discovery import endpointslice
from kube.api.dynamic_resources import deviceclass, resourceclaim, resourceslice
from kube.api.events import event as events_event
from kube.api.flowcontrol import flowschema, prioritylevelconfiguration
from kube.api.networking import ingress, ingressclass, ipaddress, networkpolicy, servicecidr
from kube.api.node import runtimeclass
from kube.api.policy import poddisruptionbudget
from kube.api.rbac import clusterrole, clusterrolebinding, role, rolebinding
from kube.api.resource import Resource
from kube.api.scheduling import priorityclass
from kube.api.storage import csidriver, csinode, csistoragecapacity, storageclass, volumeattachment, volumeattributesclass

RESOURCES: tuple[Resource, ...] = (
    binding.RESOURCE,
    componentstatus.RESOURCE,
    configmap.RESOURCE,
    endpoints.RESOURCE,
    core_event.RESOURCE,
    limitrange.RESOURCE,
    namespace.RESOURCE,
    node.RESOURCE,
    persistentvolume.RESOURCE,
    persistentvolumeclaim.RESOURCE,
    pod.RESOURCE,
    podtemplate.RESOURCE,
    replicationcontroller.RESOURCE,
    resourcequota.RESOURCE,
    secret.RESOURCE,
    service.RESOURCE,
    serviceaccount.RESOURCE,
    controllerrevision.RESOURCE,
    daemonset.RESOURCE,
    deployment.RESOURCE,
    replicaset.RESOURCE,
    statefulset.RESOURCE,
    cronjob.RESOURCE,
    job.RESOURCE,
    horizontalpodautoscaler.RESOURCE,
    horizontalpodautoscaler_v1.RESOURCE,
    ingress.RESOURCE,
    ingressclass.RESOURCE,
    ipaddress.RESOURCE,
    networkpolicy.RESOURCE,
    servicecidr.RESOURCE,
    endpointslice.RESOURCE,
    poddisruptionbudget.RESOURCE,
    clusterrole.RESOURCE,
    clusterrolebinding.RESOURCE,
    role.RESOURCE,
    rolebinding.RESOURCE,
    csidriver.RESOURCE,
    csinode.RESOURCE,
    csistoragecapacity.RESOURCE,
    storageclass.RESOURCE,
    volumeattachment.RESOURCE,
    volumeattributesclass.RESOURCE,
    lease.RESOURCE,
    priorityclass.RESOURCE,
    runtimeclass.RESOURCE,
    events_event.RESOURCE,
    certificatesigningrequest.RESOURCE,
    mutatingadmissionpolicy.RESOURCE,
    mutatingadmissionpolicybinding.RESOURCE,
    mutatingwebhookconfiguration.RESOURCE,
    validatingadmissionpolicy.RESOURCE,
    validatingadmissionpolicybinding.RESOURCE,
    validatingwebhookconfiguration.RESOURCE,
    customresourcedefinition.RESOURCE,
    apiservice.RESOURCE,
    deviceclass.RESOURCE,
    resourceclaim.RESOURCE,
    resourceclaim.TEMPLATE,
    resourceslice.RESOURCE,
    flowschema.RESOURCE,
    prioritylevelconfiguration.RESOURCE,
    *review.RESOURCES,
    *access_review.RESOURCES,
)

_BY_VIEW: Mapping[type[Any], Resource] = {row.view: row for row in RESOURCES if row.view is not None}
_BY_PATH = {(row.group, row.version, row.plural): row for row in RESOURCES}
_BY_KIND = {(row.api_version, row.kind): row for row in RESOURCES}


def resource_of(cls: type[Any]) -> Resource:
    """The row of a view class. A KeyError means that the class is no kind that is served."""
    return _BY_VIEW[cls]


def resource_for(group: str, version: str, plural: str) -> Resource | None:
    return _BY_PATH.get((group, version, plural))


def resource_for_kind(api_version: str, kind: str) -> Resource | None:
    return _BY_KIND.get((api_version, kind))
