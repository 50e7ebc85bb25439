"""The typed views of every built-in kind: the Structs of lightkube-models under one roof.

Everything imports them from here, so that the library stands behind one door. Where two groups use one name, the less used
one carries its group or version: core's `Event` and `EventsEvent`, `HorizontalPodAutoscaler` (autoscaling/v2) and
`HorizontalPodAutoscalerV1`, a container's `ResourceClaim` and `DynamicResourceClaim`.
"""

# ruff: noqa: F401, F403 -- a roof re-exports everything under it
from kube.api.bare_package import bare

with bare("lightkube"):
    from lightkube.models.admissionregistration_v1 import MutatingAdmissionPolicy
    from lightkube.models.admissionregistration_v1 import MutatingAdmissionPolicyBinding
    from lightkube.models.admissionregistration_v1 import MutatingWebhookConfiguration
    from lightkube.models.admissionregistration_v1 import ValidatingAdmissionPolicy
    from lightkube.models.admissionregistration_v1 import ValidatingAdmissionPolicyBinding
    from lightkube.models.admissionregistration_v1 import ValidatingWebhookConfiguration
    from lightkube.models.apiextensions_v1 import CustomResourceDefinition
    from lightkube.models.apiregistration_v1 import APIService
    from lightkube.models.apps_v1 import *
    from lightkube.models.authentication_v1 import SelfSubjectReview
    from lightkube.models.authentication_v1 import TokenRequest as AuthenticationTokenRequest
    from lightkube.models.authentication_v1 import TokenReview
    from lightkube.models.authorization_v1 import *
    from lightkube.models.autoscaling_v1 import HorizontalPodAutoscaler as HorizontalPodAutoscalerV1
    from lightkube.models.autoscaling_v1 import Scale
    from lightkube.models.autoscaling_v1 import ScaleSpec
    from lightkube.models.autoscaling_v1 import ScaleStatus
    from lightkube.models.autoscaling_v2 import *
    from lightkube.models.batch_v1 import *
    from lightkube.models.certificates_v1 import *
    from lightkube.models.coordination_v1 import *
    from lightkube.models.core_v1 import *
    from lightkube.models.discovery_v1 import Endpoint
    from lightkube.models.discovery_v1 import EndpointConditions
    from lightkube.models.discovery_v1 import EndpointPort as DiscoveryEndpointPort
    from lightkube.models.discovery_v1 import EndpointSlice
    from lightkube.models.events_v1 import Event as EventsEvent
    from lightkube.models.flowcontrol_v1 import FlowSchema
    from lightkube.models.flowcontrol_v1 import PriorityLevelConfiguration
    from lightkube.models.meta_v1 import *
    from lightkube.models.networking_v1 import *
    from lightkube.models.node_v1 import *
    from lightkube.models.policy_v1 import *
    from lightkube.models.rbac_v1 import *
    from lightkube.models.resource_v1 import DeviceClass
    from lightkube.models.resource_v1 import ResourceClaim as DynamicResourceClaim
    from lightkube.models.resource_v1 import ResourceClaimTemplate
    from lightkube.models.resource_v1 import ResourceSlice
    from lightkube.models.scheduling_v1 import *
    from lightkube.models.storage_v1 import *
