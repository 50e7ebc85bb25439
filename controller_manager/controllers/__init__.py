"""CONTROLLERS: every controller, one module (or folder) each. A new one is its module and a line here.

https://kubernetes.io/docs/concepts/architecture/controller/
"""

from typing import Any

from controller_manager.controller import Controller
from controller_manager.controllers.attachdetach import AttachDetachController
from controller_manager.controllers.clusterroleaggregation import ClusterRoleAggregation
from controller_manager.controllers.cronjob import CronJobController
from controller_manager.controllers.csrapproving import CSRApproving
from controller_manager.controllers.csrcleaning import CSRCleaning
from controller_manager.controllers.csrsigning import CSRSigning
from controller_manager.controllers.daemonset import DaemonSetController
from controller_manager.controllers.deployment import DeploymentController
from controller_manager.controllers.disruption import DisruptionController
from controller_manager.controllers.endpoints import EndpointsController
from controller_manager.controllers.endpointslice import EndpointSliceController
from controller_manager.controllers.endpointslicemirroring import EndpointSliceMirroringController
from controller_manager.controllers.ephemeralvolume import EphemeralVolumeController
from controller_manager.controllers.garbagecollector import GarbageCollector
from controller_manager.controllers.job import JobController
from controller_manager.controllers.namespace import NamespaceController
from controller_manager.controllers.nodeipam import NodeIpamController
from controller_manager.controllers.nodelifecycle import NodeLifecycleController
from controller_manager.controllers.persistentvolume import PersistentVolumeBinder
from controller_manager.controllers.podgc import PodGCController
from controller_manager.controllers.replicaset import ReplicaSetController, ReplicationControllerController
from controller_manager.controllers.resourcequota import ResourceQuotaController
from controller_manager.controllers.rootcapublisher import RootCAPublisher
from controller_manager.controllers.serviceaccount import ServiceAccountController
from controller_manager.controllers.serviceaccounttoken import ServiceAccountTokenController
from controller_manager.controllers.servicecidr import ServiceCIDRController
from controller_manager.controllers.statefulset import StatefulSetController
from controller_manager.controllers.storageprotection import ClaimProtectionController, VolumeProtectionController
from controller_manager.controllers.tainteviction import TaintEvictionController
from controller_manager.controllers.ttlafterfinished import TTLAfterFinishedController
from controller_manager.controllers.volumeexpand import VolumeExpandController

CONTROLLERS: tuple[type[Controller[Any]], ...] = (
    AttachDetachController,
    ClaimProtectionController,
    ClusterRoleAggregation,
    CronJobController,
    CSRApproving,
    CSRCleaning,
    CSRSigning,
    DaemonSetController,
    DeploymentController,
    DisruptionController,
    EndpointsController,
    EndpointSliceController,
    EndpointSliceMirroringController,
    EphemeralVolumeController,
    JobController,
    NamespaceController,
    NodeIpamController,
    NodeLifecycleController,
    PersistentVolumeBinder,
    PodGCController,
    ReplicaSetController,
    ReplicationControllerController,
    ResourceQuotaController,
    RootCAPublisher,
    ServiceAccountController,
    ServiceAccountTokenController,
    ServiceCIDRController,
    StatefulSetController,
    TaintEvictionController,
    TTLAfterFinishedController,
    VolumeExpandController,
    VolumeProtectionController,
    GarbageCollector,  # last: it reads from the informers of those before it
)
