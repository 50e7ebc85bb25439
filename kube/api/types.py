"""The typed views of every built-in kind: the Structs of lightkube-models under one roof.

Everything imports them from here, so that the library stands behind one door. Where two groups use one name, the less used
one carries its group or version: core's `Event` and `EventsEvent`, `HorizontalPodAutoscaler` (autoscaling/v2) and
`HorizontalPodAutoscalerV1`.
"""

# ruff: noqa: F403 -- the roof is the point; in a star import a later module wins, so the groups that must win come last
from lightkube.models.authentication_v1 import *
from lightkube.models.authentication_v1 import TokenRequest as AuthenticationTokenRequest
from lightkube.models.authorization_v1 import *
from lightkube.models.flowcontrol_v1 import *
from lightkube.models.flowcontrol_v1 import Subject as FlowcontrolSubject
from lightkube.models.apiregistration_v1 import *
from lightkube.models.apiregistration_v1 import ServiceReference as ApiregistrationServiceReference
from lightkube.models.apiextensions_v1 import *
from lightkube.models.apiextensions_v1 import ServiceReference as ApiextensionsServiceReference
from lightkube.models.apiextensions_v1 import WebhookClientConfig as ApiextensionsWebhookClientConfig
from lightkube.models.admissionregistration_v1 import *
from lightkube.models.events_v1 import *
from lightkube.models.events_v1 import Event as EventsEvent
from lightkube.models.autoscaling_v1 import *
from lightkube.models.autoscaling_v1 import CrossVersionObjectReference as CrossVersionObjectReferenceV1
from lightkube.models.autoscaling_v1 import HorizontalPodAutoscaler as HorizontalPodAutoscalerV1
from lightkube.models.autoscaling_v1 import HorizontalPodAutoscalerSpec as HorizontalPodAutoscalerSpecV1
from lightkube.models.autoscaling_v1 import HorizontalPodAutoscalerStatus as HorizontalPodAutoscalerStatusV1
from lightkube.models.autoscaling_v2 import *
from lightkube.models.node_v1 import *
from lightkube.models.scheduling_v1 import *
from lightkube.models.certificates_v1 import *
from lightkube.models.coordination_v1 import *
from lightkube.models.storage_v1 import *
from lightkube.models.rbac_v1 import *
from lightkube.models.policy_v1 import *
from lightkube.models.discovery_v1 import *
from lightkube.models.discovery_v1 import EndpointPort as DiscoveryEndpointPort
from lightkube.models.networking_v1 import *
from lightkube.models.batch_v1 import *
from lightkube.models.apps_v1 import *
from lightkube.models.core_v1 import *
from lightkube.models.meta_v1 import *
