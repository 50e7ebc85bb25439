"""The typed views of every built-in kind: the Structs of lightkube-models under one roof.

Everything imports them from here, so that the library stands behind one door. Where two groups use one name, the newer or
less used one carries its group or version: core's `Event` and `EventsEvent`, `HorizontalPodAutoscaler` (autoscaling/v2) and
`HorizontalPodAutoscalerV1`.
"""

from lightkube.models.admissionregistration_v1 import (
    ApplyConfiguration as ApplyConfiguration,
)
from lightkube.models.admissionregistration_v1 import (
    AuditAnnotation as AuditAnnotation,
)
from lightkube.models.admissionregistration_v1 import (
    ExpressionWarning as ExpressionWarning,
)
from lightkube.models.admissionregistration_v1 import (
    JSONPatch as JSONPatch,
)
from lightkube.models.admissionregistration_v1 import (
    MatchCondition as MatchCondition,
)
from lightkube.models.admissionregistration_v1 import (
    MatchResources as MatchResources,
)
from lightkube.models.admissionregistration_v1 import (
    MutatingAdmissionPolicy as MutatingAdmissionPolicy,
)
from lightkube.models.admissionregistration_v1 import (
    MutatingAdmissionPolicyBinding as MutatingAdmissionPolicyBinding,
)
from lightkube.models.admissionregistration_v1 import (
    MutatingAdmissionPolicyBindingList as MutatingAdmissionPolicyBindingList,
)
from lightkube.models.admissionregistration_v1 import (
    MutatingAdmissionPolicyBindingSpec as MutatingAdmissionPolicyBindingSpec,
)
from lightkube.models.admissionregistration_v1 import (
    MutatingAdmissionPolicyList as MutatingAdmissionPolicyList,
)
from lightkube.models.admissionregistration_v1 import (
    MutatingAdmissionPolicySpec as MutatingAdmissionPolicySpec,
)
from lightkube.models.admissionregistration_v1 import (
    MutatingWebhook as MutatingWebhook,
)
from lightkube.models.admissionregistration_v1 import (
    MutatingWebhookConfiguration as MutatingWebhookConfiguration,
)
from lightkube.models.admissionregistration_v1 import (
    MutatingWebhookConfigurationList as MutatingWebhookConfigurationList,
)
from lightkube.models.admissionregistration_v1 import (
    Mutation as Mutation,
)
from lightkube.models.admissionregistration_v1 import (
    NamedRuleWithOperations as NamedRuleWithOperations,
)
from lightkube.models.admissionregistration_v1 import (
    ParamKind as ParamKind,
)
from lightkube.models.admissionregistration_v1 import (
    ParamRef as ParamRef,
)
from lightkube.models.admissionregistration_v1 import (
    RuleWithOperations as RuleWithOperations,
)
from lightkube.models.admissionregistration_v1 import (
    ServiceReference as ServiceReference,
)
from lightkube.models.admissionregistration_v1 import (
    TypeChecking as TypeChecking,
)
from lightkube.models.admissionregistration_v1 import (
    ValidatingAdmissionPolicy as ValidatingAdmissionPolicy,
)
from lightkube.models.admissionregistration_v1 import (
    ValidatingAdmissionPolicyBinding as ValidatingAdmissionPolicyBinding,
)
from lightkube.models.admissionregistration_v1 import (
    ValidatingAdmissionPolicyBindingList as ValidatingAdmissionPolicyBindingList,
)
from lightkube.models.admissionregistration_v1 import (
    ValidatingAdmissionPolicyBindingSpec as ValidatingAdmissionPolicyBindingSpec,
)
from lightkube.models.admissionregistration_v1 import (
    ValidatingAdmissionPolicyList as ValidatingAdmissionPolicyList,
)
from lightkube.models.admissionregistration_v1 import (
    ValidatingAdmissionPolicySpec as ValidatingAdmissionPolicySpec,
)
from lightkube.models.admissionregistration_v1 import (
    ValidatingAdmissionPolicyStatus as ValidatingAdmissionPolicyStatus,
)
from lightkube.models.admissionregistration_v1 import (
    ValidatingWebhook as ValidatingWebhook,
)
from lightkube.models.admissionregistration_v1 import (
    ValidatingWebhookConfiguration as ValidatingWebhookConfiguration,
)
from lightkube.models.admissionregistration_v1 import (
    ValidatingWebhookConfigurationList as ValidatingWebhookConfigurationList,
)
from lightkube.models.admissionregistration_v1 import (
    Validation as Validation,
)
from lightkube.models.admissionregistration_v1 import (
    Variable as Variable,
)
from lightkube.models.admissionregistration_v1 import (
    WebhookClientConfig as WebhookClientConfig,
)
from lightkube.models.apiextensions_v1 import (
    CustomResourceColumnDefinition as CustomResourceColumnDefinition,
)
from lightkube.models.apiextensions_v1 import (
    CustomResourceConversion as CustomResourceConversion,
)
from lightkube.models.apiextensions_v1 import (
    CustomResourceDefinition as CustomResourceDefinition,
)
from lightkube.models.apiextensions_v1 import (
    CustomResourceDefinitionCondition as CustomResourceDefinitionCondition,
)
from lightkube.models.apiextensions_v1 import (
    CustomResourceDefinitionList as CustomResourceDefinitionList,
)
from lightkube.models.apiextensions_v1 import (
    CustomResourceDefinitionNames as CustomResourceDefinitionNames,
)
from lightkube.models.apiextensions_v1 import (
    CustomResourceDefinitionSpec as CustomResourceDefinitionSpec,
)
from lightkube.models.apiextensions_v1 import (
    CustomResourceDefinitionStatus as CustomResourceDefinitionStatus,
)
from lightkube.models.apiextensions_v1 import (
    CustomResourceDefinitionVersion as CustomResourceDefinitionVersion,
)
from lightkube.models.apiextensions_v1 import (
    CustomResourceSubresources as CustomResourceSubresources,
)
from lightkube.models.apiextensions_v1 import (
    CustomResourceSubresourceScale as CustomResourceSubresourceScale,
)
from lightkube.models.apiextensions_v1 import (
    CustomResourceValidation as CustomResourceValidation,
)
from lightkube.models.apiextensions_v1 import (
    ExternalDocumentation as ExternalDocumentation,
)
from lightkube.models.apiextensions_v1 import (
    JSONSchemaProps as JSONSchemaProps,
)
from lightkube.models.apiextensions_v1 import (
    SelectableField as SelectableField,
)
from lightkube.models.apiextensions_v1 import (
    ValidationRule as ValidationRule,
)
from lightkube.models.apiextensions_v1 import (
    WebhookConversion as WebhookConversion,
)
from lightkube.models.apiregistration_v1 import (
    APIService as APIService,
)
from lightkube.models.apiregistration_v1 import (
    APIServiceCondition as APIServiceCondition,
)
from lightkube.models.apiregistration_v1 import (
    APIServiceList as APIServiceList,
)
from lightkube.models.apiregistration_v1 import (
    APIServiceSpec as APIServiceSpec,
)
from lightkube.models.apiregistration_v1 import (
    APIServiceStatus as APIServiceStatus,
)
from lightkube.models.apps_v1 import (
    ControllerRevision as ControllerRevision,
)
from lightkube.models.apps_v1 import (
    ControllerRevisionList as ControllerRevisionList,
)
from lightkube.models.apps_v1 import (
    DaemonSet as DaemonSet,
)
from lightkube.models.apps_v1 import (
    DaemonSetCondition as DaemonSetCondition,
)
from lightkube.models.apps_v1 import (
    DaemonSetList as DaemonSetList,
)
from lightkube.models.apps_v1 import (
    DaemonSetSpec as DaemonSetSpec,
)
from lightkube.models.apps_v1 import (
    DaemonSetStatus as DaemonSetStatus,
)
from lightkube.models.apps_v1 import (
    DaemonSetUpdateStrategy as DaemonSetUpdateStrategy,
)
from lightkube.models.apps_v1 import (
    Deployment as Deployment,
)
from lightkube.models.apps_v1 import (
    DeploymentCondition as DeploymentCondition,
)
from lightkube.models.apps_v1 import (
    DeploymentList as DeploymentList,
)
from lightkube.models.apps_v1 import (
    DeploymentSpec as DeploymentSpec,
)
from lightkube.models.apps_v1 import (
    DeploymentStatus as DeploymentStatus,
)
from lightkube.models.apps_v1 import (
    DeploymentStrategy as DeploymentStrategy,
)
from lightkube.models.apps_v1 import (
    ReplicaSet as ReplicaSet,
)
from lightkube.models.apps_v1 import (
    ReplicaSetCondition as ReplicaSetCondition,
)
from lightkube.models.apps_v1 import (
    ReplicaSetList as ReplicaSetList,
)
from lightkube.models.apps_v1 import (
    ReplicaSetSpec as ReplicaSetSpec,
)
from lightkube.models.apps_v1 import (
    ReplicaSetStatus as ReplicaSetStatus,
)
from lightkube.models.apps_v1 import (
    RollingUpdateDaemonSet as RollingUpdateDaemonSet,
)
from lightkube.models.apps_v1 import (
    RollingUpdateDeployment as RollingUpdateDeployment,
)
from lightkube.models.apps_v1 import (
    RollingUpdateStatefulSetStrategy as RollingUpdateStatefulSetStrategy,
)
from lightkube.models.apps_v1 import (
    StatefulSet as StatefulSet,
)
from lightkube.models.apps_v1 import (
    StatefulSetCondition as StatefulSetCondition,
)
from lightkube.models.apps_v1 import (
    StatefulSetList as StatefulSetList,
)
from lightkube.models.apps_v1 import (
    StatefulSetOrdinals as StatefulSetOrdinals,
)
from lightkube.models.apps_v1 import (
    StatefulSetPersistentVolumeClaimRetentionPolicy as StatefulSetPersistentVolumeClaimRetentionPolicy,
)
from lightkube.models.apps_v1 import (
    StatefulSetSpec as StatefulSetSpec,
)
from lightkube.models.apps_v1 import (
    StatefulSetStatus as StatefulSetStatus,
)
from lightkube.models.apps_v1 import (
    StatefulSetUpdateStrategy as StatefulSetUpdateStrategy,
)
from lightkube.models.authentication_v1 import (
    BoundObjectReference as BoundObjectReference,
)
from lightkube.models.authentication_v1 import (
    SelfSubjectReview as SelfSubjectReview,
)
from lightkube.models.authentication_v1 import (
    SelfSubjectReviewStatus as SelfSubjectReviewStatus,
)
from lightkube.models.authentication_v1 import (
    TokenRequestSpec as TokenRequestSpec,
)
from lightkube.models.authentication_v1 import (
    TokenRequestStatus as TokenRequestStatus,
)
from lightkube.models.authentication_v1 import (
    TokenReview as TokenReview,
)
from lightkube.models.authentication_v1 import (
    TokenReviewSpec as TokenReviewSpec,
)
from lightkube.models.authentication_v1 import (
    TokenReviewStatus as TokenReviewStatus,
)
from lightkube.models.authentication_v1 import (
    UserInfo as UserInfo,
)
from lightkube.models.authorization_v1 import (
    FieldSelectorAttributes as FieldSelectorAttributes,
)
from lightkube.models.authorization_v1 import (
    LabelSelectorAttributes as LabelSelectorAttributes,
)
from lightkube.models.authorization_v1 import (
    LocalSubjectAccessReview as LocalSubjectAccessReview,
)
from lightkube.models.authorization_v1 import (
    NonResourceAttributes as NonResourceAttributes,
)
from lightkube.models.authorization_v1 import (
    NonResourceRule as NonResourceRule,
)
from lightkube.models.authorization_v1 import (
    ResourceAttributes as ResourceAttributes,
)
from lightkube.models.authorization_v1 import (
    ResourceRule as ResourceRule,
)
from lightkube.models.authorization_v1 import (
    SelfSubjectAccessReview as SelfSubjectAccessReview,
)
from lightkube.models.authorization_v1 import (
    SelfSubjectAccessReviewSpec as SelfSubjectAccessReviewSpec,
)
from lightkube.models.authorization_v1 import (
    SelfSubjectRulesReview as SelfSubjectRulesReview,
)
from lightkube.models.authorization_v1 import (
    SelfSubjectRulesReviewSpec as SelfSubjectRulesReviewSpec,
)
from lightkube.models.authorization_v1 import (
    SubjectAccessReview as SubjectAccessReview,
)
from lightkube.models.authorization_v1 import (
    SubjectAccessReviewSpec as SubjectAccessReviewSpec,
)
from lightkube.models.authorization_v1 import (
    SubjectAccessReviewStatus as SubjectAccessReviewStatus,
)
from lightkube.models.authorization_v1 import (
    SubjectRulesReviewStatus as SubjectRulesReviewStatus,
)
from lightkube.models.autoscaling_v1 import (
    Scale as Scale,
)
from lightkube.models.autoscaling_v1 import (
    ScaleSpec as ScaleSpec,
)
from lightkube.models.autoscaling_v1 import (
    ScaleStatus as ScaleStatus,
)
from lightkube.models.autoscaling_v2 import (
    ContainerResourceMetricSource as ContainerResourceMetricSource,
)
from lightkube.models.autoscaling_v2 import (
    ContainerResourceMetricStatus as ContainerResourceMetricStatus,
)
from lightkube.models.autoscaling_v2 import (
    CrossVersionObjectReference as CrossVersionObjectReference,
)
from lightkube.models.autoscaling_v2 import (
    ExternalMetricSource as ExternalMetricSource,
)
from lightkube.models.autoscaling_v2 import (
    ExternalMetricStatus as ExternalMetricStatus,
)
from lightkube.models.autoscaling_v2 import (
    HorizontalPodAutoscaler as HorizontalPodAutoscaler,
)
from lightkube.models.autoscaling_v2 import (
    HorizontalPodAutoscalerBehavior as HorizontalPodAutoscalerBehavior,
)
from lightkube.models.autoscaling_v2 import (
    HorizontalPodAutoscalerCondition as HorizontalPodAutoscalerCondition,
)
from lightkube.models.autoscaling_v2 import (
    HorizontalPodAutoscalerList as HorizontalPodAutoscalerList,
)
from lightkube.models.autoscaling_v2 import (
    HorizontalPodAutoscalerSpec as HorizontalPodAutoscalerSpec,
)
from lightkube.models.autoscaling_v2 import (
    HorizontalPodAutoscalerStatus as HorizontalPodAutoscalerStatus,
)
from lightkube.models.autoscaling_v2 import (
    HPAScalingPolicy as HPAScalingPolicy,
)
from lightkube.models.autoscaling_v2 import (
    HPAScalingRules as HPAScalingRules,
)
from lightkube.models.autoscaling_v2 import (
    MetricIdentifier as MetricIdentifier,
)
from lightkube.models.autoscaling_v2 import (
    MetricSpec as MetricSpec,
)
from lightkube.models.autoscaling_v2 import (
    MetricStatus as MetricStatus,
)
from lightkube.models.autoscaling_v2 import (
    MetricTarget as MetricTarget,
)
from lightkube.models.autoscaling_v2 import (
    MetricValueStatus as MetricValueStatus,
)
from lightkube.models.autoscaling_v2 import (
    ObjectMetricSource as ObjectMetricSource,
)
from lightkube.models.autoscaling_v2 import (
    ObjectMetricStatus as ObjectMetricStatus,
)
from lightkube.models.autoscaling_v2 import (
    PodsMetricSource as PodsMetricSource,
)
from lightkube.models.autoscaling_v2 import (
    PodsMetricStatus as PodsMetricStatus,
)
from lightkube.models.autoscaling_v2 import (
    ResourceMetricSource as ResourceMetricSource,
)
from lightkube.models.autoscaling_v2 import (
    ResourceMetricStatus as ResourceMetricStatus,
)
from lightkube.models.batch_v1 import (
    CronJob as CronJob,
)
from lightkube.models.batch_v1 import (
    CronJobList as CronJobList,
)
from lightkube.models.batch_v1 import (
    CronJobSpec as CronJobSpec,
)
from lightkube.models.batch_v1 import (
    CronJobStatus as CronJobStatus,
)
from lightkube.models.batch_v1 import (
    Job as Job,
)
from lightkube.models.batch_v1 import (
    JobCondition as JobCondition,
)
from lightkube.models.batch_v1 import (
    JobList as JobList,
)
from lightkube.models.batch_v1 import (
    JobSchedulingConfiguration as JobSchedulingConfiguration,
)
from lightkube.models.batch_v1 import (
    JobSpec as JobSpec,
)
from lightkube.models.batch_v1 import (
    JobStatus as JobStatus,
)
from lightkube.models.batch_v1 import (
    JobTemplateSpec as JobTemplateSpec,
)
from lightkube.models.batch_v1 import (
    PodFailurePolicy as PodFailurePolicy,
)
from lightkube.models.batch_v1 import (
    PodFailurePolicyOnExitCodesRequirement as PodFailurePolicyOnExitCodesRequirement,
)
from lightkube.models.batch_v1 import (
    PodFailurePolicyOnPodConditionsPattern as PodFailurePolicyOnPodConditionsPattern,
)
from lightkube.models.batch_v1 import (
    PodFailurePolicyRule as PodFailurePolicyRule,
)
from lightkube.models.batch_v1 import (
    SuccessPolicy as SuccessPolicy,
)
from lightkube.models.batch_v1 import (
    SuccessPolicyRule as SuccessPolicyRule,
)
from lightkube.models.batch_v1 import (
    UncountedTerminatedPods as UncountedTerminatedPods,
)
from lightkube.models.certificates_v1 import (
    CertificateSigningRequest as CertificateSigningRequest,
)
from lightkube.models.certificates_v1 import (
    CertificateSigningRequestCondition as CertificateSigningRequestCondition,
)
from lightkube.models.certificates_v1 import (
    CertificateSigningRequestList as CertificateSigningRequestList,
)
from lightkube.models.certificates_v1 import (
    CertificateSigningRequestSpec as CertificateSigningRequestSpec,
)
from lightkube.models.certificates_v1 import (
    CertificateSigningRequestStatus as CertificateSigningRequestStatus,
)
from lightkube.models.certificates_v1 import (
    ClusterTrustBundle as ClusterTrustBundle,
)
from lightkube.models.certificates_v1 import (
    ClusterTrustBundleList as ClusterTrustBundleList,
)
from lightkube.models.certificates_v1 import (
    ClusterTrustBundleSpec as ClusterTrustBundleSpec,
)
from lightkube.models.certificates_v1 import (
    PodCertificateRequest as PodCertificateRequest,
)
from lightkube.models.certificates_v1 import (
    PodCertificateRequestList as PodCertificateRequestList,
)
from lightkube.models.certificates_v1 import (
    PodCertificateRequestSpec as PodCertificateRequestSpec,
)
from lightkube.models.certificates_v1 import (
    PodCertificateRequestStatus as PodCertificateRequestStatus,
)
from lightkube.models.coordination_v1 import (
    Lease as Lease,
)
from lightkube.models.coordination_v1 import (
    LeaseList as LeaseList,
)
from lightkube.models.coordination_v1 import (
    LeaseSpec as LeaseSpec,
)
from lightkube.models.core_v1 import (
    Affinity as Affinity,
)
from lightkube.models.core_v1 import (
    AppArmorProfile as AppArmorProfile,
)
from lightkube.models.core_v1 import (
    AttachedVolume as AttachedVolume,
)
from lightkube.models.core_v1 import (
    AWSElasticBlockStoreVolumeSource as AWSElasticBlockStoreVolumeSource,
)
from lightkube.models.core_v1 import (
    AzureDiskVolumeSource as AzureDiskVolumeSource,
)
from lightkube.models.core_v1 import (
    AzureFilePersistentVolumeSource as AzureFilePersistentVolumeSource,
)
from lightkube.models.core_v1 import (
    AzureFileVolumeSource as AzureFileVolumeSource,
)
from lightkube.models.core_v1 import (
    Binding as Binding,
)
from lightkube.models.core_v1 import (
    Capabilities as Capabilities,
)
from lightkube.models.core_v1 import (
    CephFSPersistentVolumeSource as CephFSPersistentVolumeSource,
)
from lightkube.models.core_v1 import (
    CephFSVolumeSource as CephFSVolumeSource,
)
from lightkube.models.core_v1 import (
    CinderPersistentVolumeSource as CinderPersistentVolumeSource,
)
from lightkube.models.core_v1 import (
    CinderVolumeSource as CinderVolumeSource,
)
from lightkube.models.core_v1 import (
    ClientIPConfig as ClientIPConfig,
)
from lightkube.models.core_v1 import (
    ClusterTrustBundleProjection as ClusterTrustBundleProjection,
)
from lightkube.models.core_v1 import (
    ComponentCondition as ComponentCondition,
)
from lightkube.models.core_v1 import (
    ComponentStatus as ComponentStatus,
)
from lightkube.models.core_v1 import (
    ComponentStatusList as ComponentStatusList,
)
from lightkube.models.core_v1 import (
    ConfigMap as ConfigMap,
)
from lightkube.models.core_v1 import (
    ConfigMapEnvSource as ConfigMapEnvSource,
)
from lightkube.models.core_v1 import (
    ConfigMapKeySelector as ConfigMapKeySelector,
)
from lightkube.models.core_v1 import (
    ConfigMapList as ConfigMapList,
)
from lightkube.models.core_v1 import (
    ConfigMapNodeConfigSource as ConfigMapNodeConfigSource,
)
from lightkube.models.core_v1 import (
    ConfigMapProjection as ConfigMapProjection,
)
from lightkube.models.core_v1 import (
    ConfigMapVolumeSource as ConfigMapVolumeSource,
)
from lightkube.models.core_v1 import (
    Container as Container,
)
from lightkube.models.core_v1 import (
    ContainerExtendedResourceRequest as ContainerExtendedResourceRequest,
)
from lightkube.models.core_v1 import (
    ContainerImage as ContainerImage,
)
from lightkube.models.core_v1 import (
    ContainerPort as ContainerPort,
)
from lightkube.models.core_v1 import (
    ContainerResizePolicy as ContainerResizePolicy,
)
from lightkube.models.core_v1 import (
    ContainerRestartRule as ContainerRestartRule,
)
from lightkube.models.core_v1 import (
    ContainerRestartRuleOnExitCodes as ContainerRestartRuleOnExitCodes,
)
from lightkube.models.core_v1 import (
    ContainerState as ContainerState,
)
from lightkube.models.core_v1 import (
    ContainerStateRunning as ContainerStateRunning,
)
from lightkube.models.core_v1 import (
    ContainerStateTerminated as ContainerStateTerminated,
)
from lightkube.models.core_v1 import (
    ContainerStateWaiting as ContainerStateWaiting,
)
from lightkube.models.core_v1 import (
    ContainerStatus as ContainerStatus,
)
from lightkube.models.core_v1 import (
    ContainerUser as ContainerUser,
)
from lightkube.models.core_v1 import (
    CSIPersistentVolumeSource as CSIPersistentVolumeSource,
)
from lightkube.models.core_v1 import (
    CSIVolumeSource as CSIVolumeSource,
)
from lightkube.models.core_v1 import (
    DaemonEndpoint as DaemonEndpoint,
)
from lightkube.models.core_v1 import (
    DownwardAPIProjection as DownwardAPIProjection,
)
from lightkube.models.core_v1 import (
    DownwardAPIVolumeFile as DownwardAPIVolumeFile,
)
from lightkube.models.core_v1 import (
    DownwardAPIVolumeSource as DownwardAPIVolumeSource,
)
from lightkube.models.core_v1 import (
    EmptyDirVolumeSource as EmptyDirVolumeSource,
)
from lightkube.models.core_v1 import (
    EndpointAddress as EndpointAddress,
)
from lightkube.models.core_v1 import (
    EndpointPort as EndpointPort,
)
from lightkube.models.core_v1 import (
    Endpoints as Endpoints,
)
from lightkube.models.core_v1 import (
    EndpointsList as EndpointsList,
)
from lightkube.models.core_v1 import (
    EndpointSubset as EndpointSubset,
)
from lightkube.models.core_v1 import (
    EnvFromSource as EnvFromSource,
)
from lightkube.models.core_v1 import (
    EnvVar as EnvVar,
)
from lightkube.models.core_v1 import (
    EnvVarSource as EnvVarSource,
)
from lightkube.models.core_v1 import (
    EphemeralContainer as EphemeralContainer,
)
from lightkube.models.core_v1 import (
    EphemeralVolumeSource as EphemeralVolumeSource,
)
from lightkube.models.core_v1 import (
    Event as Event,
)
from lightkube.models.core_v1 import (
    EventList as EventList,
)
from lightkube.models.core_v1 import (
    EventSeries as EventSeries,
)
from lightkube.models.core_v1 import (
    EventSource as EventSource,
)
from lightkube.models.core_v1 import (
    EvictionResponder as EvictionResponder,
)
from lightkube.models.core_v1 import (
    ExecAction as ExecAction,
)
from lightkube.models.core_v1 import (
    FCVolumeSource as FCVolumeSource,
)
from lightkube.models.core_v1 import (
    FileKeySelector as FileKeySelector,
)
from lightkube.models.core_v1 import (
    FlexPersistentVolumeSource as FlexPersistentVolumeSource,
)
from lightkube.models.core_v1 import (
    FlexVolumeSource as FlexVolumeSource,
)
from lightkube.models.core_v1 import (
    FlockerVolumeSource as FlockerVolumeSource,
)
from lightkube.models.core_v1 import (
    GCEPersistentDiskVolumeSource as GCEPersistentDiskVolumeSource,
)
from lightkube.models.core_v1 import (
    GitRepoVolumeSource as GitRepoVolumeSource,
)
from lightkube.models.core_v1 import (
    GlusterfsPersistentVolumeSource as GlusterfsPersistentVolumeSource,
)
from lightkube.models.core_v1 import (
    GlusterfsVolumeSource as GlusterfsVolumeSource,
)
from lightkube.models.core_v1 import (
    GRPCAction as GRPCAction,
)
from lightkube.models.core_v1 import (
    HostAlias as HostAlias,
)
from lightkube.models.core_v1 import (
    HostIP as HostIP,
)
from lightkube.models.core_v1 import (
    HostPathVolumeSource as HostPathVolumeSource,
)
from lightkube.models.core_v1 import (
    HTTPGetAction as HTTPGetAction,
)
from lightkube.models.core_v1 import (
    HTTPHeader as HTTPHeader,
)
from lightkube.models.core_v1 import (
    ImageVolumeSource as ImageVolumeSource,
)
from lightkube.models.core_v1 import (
    ImageVolumeStatus as ImageVolumeStatus,
)
from lightkube.models.core_v1 import (
    ISCSIPersistentVolumeSource as ISCSIPersistentVolumeSource,
)
from lightkube.models.core_v1 import (
    ISCSIVolumeSource as ISCSIVolumeSource,
)
from lightkube.models.core_v1 import (
    KeyToPath as KeyToPath,
)
from lightkube.models.core_v1 import (
    Lifecycle as Lifecycle,
)
from lightkube.models.core_v1 import (
    LifecycleHandler as LifecycleHandler,
)
from lightkube.models.core_v1 import (
    LimitRange as LimitRange,
)
from lightkube.models.core_v1 import (
    LimitRangeItem as LimitRangeItem,
)
from lightkube.models.core_v1 import (
    LimitRangeList as LimitRangeList,
)
from lightkube.models.core_v1 import (
    LimitRangeSpec as LimitRangeSpec,
)
from lightkube.models.core_v1 import (
    LinuxContainerUser as LinuxContainerUser,
)
from lightkube.models.core_v1 import (
    LoadBalancerIngress as LoadBalancerIngress,
)
from lightkube.models.core_v1 import (
    LoadBalancerStatus as LoadBalancerStatus,
)
from lightkube.models.core_v1 import (
    LocalObjectReference as LocalObjectReference,
)
from lightkube.models.core_v1 import (
    LocalVolumeSource as LocalVolumeSource,
)
from lightkube.models.core_v1 import (
    ModifyVolumeStatus as ModifyVolumeStatus,
)
from lightkube.models.core_v1 import (
    Namespace as Namespace,
)
from lightkube.models.core_v1 import (
    NamespaceCondition as NamespaceCondition,
)
from lightkube.models.core_v1 import (
    NamespaceList as NamespaceList,
)
from lightkube.models.core_v1 import (
    NamespaceSpec as NamespaceSpec,
)
from lightkube.models.core_v1 import (
    NamespaceStatus as NamespaceStatus,
)
from lightkube.models.core_v1 import (
    NFSVolumeSource as NFSVolumeSource,
)
from lightkube.models.core_v1 import (
    Node as Node,
)
from lightkube.models.core_v1 import (
    NodeAddress as NodeAddress,
)
from lightkube.models.core_v1 import (
    NodeAffinity as NodeAffinity,
)
from lightkube.models.core_v1 import (
    NodeAllocatableMappedResources as NodeAllocatableMappedResources,
)
from lightkube.models.core_v1 import (
    NodeAllocatableOverheadResources as NodeAllocatableOverheadResources,
)
from lightkube.models.core_v1 import (
    NodeAllocatableResourceClaimStatus as NodeAllocatableResourceClaimStatus,
)
from lightkube.models.core_v1 import (
    NodeCondition as NodeCondition,
)
from lightkube.models.core_v1 import (
    NodeConfigSource as NodeConfigSource,
)
from lightkube.models.core_v1 import (
    NodeConfigStatus as NodeConfigStatus,
)
from lightkube.models.core_v1 import (
    NodeDaemonEndpoints as NodeDaemonEndpoints,
)
from lightkube.models.core_v1 import (
    NodeFeatures as NodeFeatures,
)
from lightkube.models.core_v1 import (
    NodeList as NodeList,
)
from lightkube.models.core_v1 import (
    NodePodPreemptionPolicy as NodePodPreemptionPolicy,
)
from lightkube.models.core_v1 import (
    NodeRuntimeHandler as NodeRuntimeHandler,
)
from lightkube.models.core_v1 import (
    NodeRuntimeHandlerFeatures as NodeRuntimeHandlerFeatures,
)
from lightkube.models.core_v1 import (
    NodeSelector as NodeSelector,
)
from lightkube.models.core_v1 import (
    NodeSelectorRequirement as NodeSelectorRequirement,
)
from lightkube.models.core_v1 import (
    NodeSelectorTerm as NodeSelectorTerm,
)
from lightkube.models.core_v1 import (
    NodeSpec as NodeSpec,
)
from lightkube.models.core_v1 import (
    NodeStatus as NodeStatus,
)
from lightkube.models.core_v1 import (
    NodeSwapStatus as NodeSwapStatus,
)
from lightkube.models.core_v1 import (
    NodeSystemInfo as NodeSystemInfo,
)
from lightkube.models.core_v1 import (
    ObjectFieldSelector as ObjectFieldSelector,
)
from lightkube.models.core_v1 import (
    ObjectReference as ObjectReference,
)
from lightkube.models.core_v1 import (
    PersistentVolume as PersistentVolume,
)
from lightkube.models.core_v1 import (
    PersistentVolumeClaim as PersistentVolumeClaim,
)
from lightkube.models.core_v1 import (
    PersistentVolumeClaimCondition as PersistentVolumeClaimCondition,
)
from lightkube.models.core_v1 import (
    PersistentVolumeClaimList as PersistentVolumeClaimList,
)
from lightkube.models.core_v1 import (
    PersistentVolumeClaimSpec as PersistentVolumeClaimSpec,
)
from lightkube.models.core_v1 import (
    PersistentVolumeClaimStatus as PersistentVolumeClaimStatus,
)
from lightkube.models.core_v1 import (
    PersistentVolumeClaimTemplate as PersistentVolumeClaimTemplate,
)
from lightkube.models.core_v1 import (
    PersistentVolumeClaimVolumeSource as PersistentVolumeClaimVolumeSource,
)
from lightkube.models.core_v1 import (
    PersistentVolumeList as PersistentVolumeList,
)
from lightkube.models.core_v1 import (
    PersistentVolumeSpec as PersistentVolumeSpec,
)
from lightkube.models.core_v1 import (
    PersistentVolumeStatus as PersistentVolumeStatus,
)
from lightkube.models.core_v1 import (
    PhotonPersistentDiskVolumeSource as PhotonPersistentDiskVolumeSource,
)
from lightkube.models.core_v1 import (
    Pod as Pod,
)
from lightkube.models.core_v1 import (
    PodAffinity as PodAffinity,
)
from lightkube.models.core_v1 import (
    PodAffinityTerm as PodAffinityTerm,
)
from lightkube.models.core_v1 import (
    PodAntiAffinity as PodAntiAffinity,
)
from lightkube.models.core_v1 import (
    PodCertificateProjection as PodCertificateProjection,
)
from lightkube.models.core_v1 import (
    PodCondition as PodCondition,
)
from lightkube.models.core_v1 import (
    PodDNSConfig as PodDNSConfig,
)
from lightkube.models.core_v1 import (
    PodDNSConfigOption as PodDNSConfigOption,
)
from lightkube.models.core_v1 import (
    PodExtendedResourceClaimStatus as PodExtendedResourceClaimStatus,
)
from lightkube.models.core_v1 import (
    PodIP as PodIP,
)
from lightkube.models.core_v1 import (
    PodList as PodList,
)
from lightkube.models.core_v1 import (
    PodOS as PodOS,
)
from lightkube.models.core_v1 import (
    PodReadinessGate as PodReadinessGate,
)
from lightkube.models.core_v1 import (
    PodResourceClaim as PodResourceClaim,
)
from lightkube.models.core_v1 import (
    PodResourceClaimStatus as PodResourceClaimStatus,
)
from lightkube.models.core_v1 import (
    PodSchedulingGate as PodSchedulingGate,
)
from lightkube.models.core_v1 import (
    PodSchedulingGroup as PodSchedulingGroup,
)
from lightkube.models.core_v1 import (
    PodSecurityContext as PodSecurityContext,
)
from lightkube.models.core_v1 import (
    PodSpec as PodSpec,
)
from lightkube.models.core_v1 import (
    PodStatus as PodStatus,
)
from lightkube.models.core_v1 import (
    PodTemplate as PodTemplate,
)
from lightkube.models.core_v1 import (
    PodTemplateList as PodTemplateList,
)
from lightkube.models.core_v1 import (
    PodTemplateSpec as PodTemplateSpec,
)
from lightkube.models.core_v1 import (
    PodVolumeHealth as PodVolumeHealth,
)
from lightkube.models.core_v1 import (
    PortStatus as PortStatus,
)
from lightkube.models.core_v1 import (
    PortworxVolumeSource as PortworxVolumeSource,
)
from lightkube.models.core_v1 import (
    PreferredSchedulingTerm as PreferredSchedulingTerm,
)
from lightkube.models.core_v1 import (
    Probe as Probe,
)
from lightkube.models.core_v1 import (
    ProjectedVolumeSource as ProjectedVolumeSource,
)
from lightkube.models.core_v1 import (
    QuobyteVolumeSource as QuobyteVolumeSource,
)
from lightkube.models.core_v1 import (
    RBDPersistentVolumeSource as RBDPersistentVolumeSource,
)
from lightkube.models.core_v1 import (
    RBDVolumeSource as RBDVolumeSource,
)
from lightkube.models.core_v1 import (
    ReplicationController as ReplicationController,
)
from lightkube.models.core_v1 import (
    ReplicationControllerCondition as ReplicationControllerCondition,
)
from lightkube.models.core_v1 import (
    ReplicationControllerList as ReplicationControllerList,
)
from lightkube.models.core_v1 import (
    ReplicationControllerSpec as ReplicationControllerSpec,
)
from lightkube.models.core_v1 import (
    ReplicationControllerStatus as ReplicationControllerStatus,
)
from lightkube.models.core_v1 import (
    ResourceClaim as ResourceClaim,
)
from lightkube.models.core_v1 import (
    ResourceFieldSelector as ResourceFieldSelector,
)
from lightkube.models.core_v1 import (
    ResourceHealth as ResourceHealth,
)
from lightkube.models.core_v1 import (
    ResourceQuota as ResourceQuota,
)
from lightkube.models.core_v1 import (
    ResourceQuotaList as ResourceQuotaList,
)
from lightkube.models.core_v1 import (
    ResourceQuotaSpec as ResourceQuotaSpec,
)
from lightkube.models.core_v1 import (
    ResourceQuotaStatus as ResourceQuotaStatus,
)
from lightkube.models.core_v1 import (
    ResourceRequirements as ResourceRequirements,
)
from lightkube.models.core_v1 import (
    ResourceStatus as ResourceStatus,
)
from lightkube.models.core_v1 import (
    ScaleIOPersistentVolumeSource as ScaleIOPersistentVolumeSource,
)
from lightkube.models.core_v1 import (
    ScaleIOVolumeSource as ScaleIOVolumeSource,
)
from lightkube.models.core_v1 import (
    ScopedResourceSelectorRequirement as ScopedResourceSelectorRequirement,
)
from lightkube.models.core_v1 import (
    ScopeSelector as ScopeSelector,
)
from lightkube.models.core_v1 import (
    SeccompProfile as SeccompProfile,
)
from lightkube.models.core_v1 import (
    Secret as Secret,
)
from lightkube.models.core_v1 import (
    SecretEnvSource as SecretEnvSource,
)
from lightkube.models.core_v1 import (
    SecretKeySelector as SecretKeySelector,
)
from lightkube.models.core_v1 import (
    SecretList as SecretList,
)
from lightkube.models.core_v1 import (
    SecretProjection as SecretProjection,
)
from lightkube.models.core_v1 import (
    SecretReference as SecretReference,
)
from lightkube.models.core_v1 import (
    SecretVolumeSource as SecretVolumeSource,
)
from lightkube.models.core_v1 import (
    SecurityContext as SecurityContext,
)
from lightkube.models.core_v1 import (
    SELinuxOptions as SELinuxOptions,
)
from lightkube.models.core_v1 import (
    Service as Service,
)
from lightkube.models.core_v1 import (
    ServiceAccount as ServiceAccount,
)
from lightkube.models.core_v1 import (
    ServiceAccountList as ServiceAccountList,
)
from lightkube.models.core_v1 import (
    ServiceAccountTokenProjection as ServiceAccountTokenProjection,
)
from lightkube.models.core_v1 import (
    ServiceList as ServiceList,
)
from lightkube.models.core_v1 import (
    ServicePort as ServicePort,
)
from lightkube.models.core_v1 import (
    ServiceSpec as ServiceSpec,
)
from lightkube.models.core_v1 import (
    ServiceStatus as ServiceStatus,
)
from lightkube.models.core_v1 import (
    SessionAffinityConfig as SessionAffinityConfig,
)
from lightkube.models.core_v1 import (
    SleepAction as SleepAction,
)
from lightkube.models.core_v1 import (
    StorageOSPersistentVolumeSource as StorageOSPersistentVolumeSource,
)
from lightkube.models.core_v1 import (
    StorageOSVolumeSource as StorageOSVolumeSource,
)
from lightkube.models.core_v1 import (
    Sysctl as Sysctl,
)
from lightkube.models.core_v1 import (
    Taint as Taint,
)
from lightkube.models.core_v1 import (
    TCPSocketAction as TCPSocketAction,
)
from lightkube.models.core_v1 import (
    Toleration as Toleration,
)
from lightkube.models.core_v1 import (
    TopologySelectorLabelRequirement as TopologySelectorLabelRequirement,
)
from lightkube.models.core_v1 import (
    TopologySelectorTerm as TopologySelectorTerm,
)
from lightkube.models.core_v1 import (
    TopologySpreadConstraint as TopologySpreadConstraint,
)
from lightkube.models.core_v1 import (
    TypedLocalObjectReference as TypedLocalObjectReference,
)
from lightkube.models.core_v1 import (
    TypedObjectReference as TypedObjectReference,
)
from lightkube.models.core_v1 import (
    Volume as Volume,
)
from lightkube.models.core_v1 import (
    VolumeDevice as VolumeDevice,
)
from lightkube.models.core_v1 import (
    VolumeHealthCondition as VolumeHealthCondition,
)
from lightkube.models.core_v1 import (
    VolumeHealthStatus as VolumeHealthStatus,
)
from lightkube.models.core_v1 import (
    VolumeMount as VolumeMount,
)
from lightkube.models.core_v1 import (
    VolumeMountStatus as VolumeMountStatus,
)
from lightkube.models.core_v1 import (
    VolumeNodeAffinity as VolumeNodeAffinity,
)
from lightkube.models.core_v1 import (
    VolumeProjection as VolumeProjection,
)
from lightkube.models.core_v1 import (
    VolumeResourceRequirements as VolumeResourceRequirements,
)
from lightkube.models.core_v1 import (
    VolumeStatus as VolumeStatus,
)
from lightkube.models.core_v1 import (
    VsphereVirtualDiskVolumeSource as VsphereVirtualDiskVolumeSource,
)
from lightkube.models.core_v1 import (
    WeightedPodAffinityTerm as WeightedPodAffinityTerm,
)
from lightkube.models.core_v1 import (
    WindowsSecurityContextOptions as WindowsSecurityContextOptions,
)
from lightkube.models.discovery_v1 import (
    Endpoint as Endpoint,
)
from lightkube.models.discovery_v1 import (
    EndpointConditions as EndpointConditions,
)
from lightkube.models.discovery_v1 import (
    EndpointHints as EndpointHints,
)
from lightkube.models.discovery_v1 import (
    EndpointSlice as EndpointSlice,
)
from lightkube.models.discovery_v1 import (
    EndpointSliceList as EndpointSliceList,
)
from lightkube.models.discovery_v1 import (
    ForNode as ForNode,
)
from lightkube.models.discovery_v1 import (
    ForZone as ForZone,
)
from lightkube.models.flowcontrol_v1 import (
    ExemptPriorityLevelConfiguration as ExemptPriorityLevelConfiguration,
)
from lightkube.models.flowcontrol_v1 import (
    FlowDistinguisherMethod as FlowDistinguisherMethod,
)
from lightkube.models.flowcontrol_v1 import (
    FlowSchema as FlowSchema,
)
from lightkube.models.flowcontrol_v1 import (
    FlowSchemaCondition as FlowSchemaCondition,
)
from lightkube.models.flowcontrol_v1 import (
    FlowSchemaList as FlowSchemaList,
)
from lightkube.models.flowcontrol_v1 import (
    FlowSchemaSpec as FlowSchemaSpec,
)
from lightkube.models.flowcontrol_v1 import (
    FlowSchemaStatus as FlowSchemaStatus,
)
from lightkube.models.flowcontrol_v1 import (
    GroupSubject as GroupSubject,
)
from lightkube.models.flowcontrol_v1 import (
    LimitedPriorityLevelConfiguration as LimitedPriorityLevelConfiguration,
)
from lightkube.models.flowcontrol_v1 import (
    LimitResponse as LimitResponse,
)
from lightkube.models.flowcontrol_v1 import (
    NonResourcePolicyRule as NonResourcePolicyRule,
)
from lightkube.models.flowcontrol_v1 import (
    PolicyRulesWithSubjects as PolicyRulesWithSubjects,
)
from lightkube.models.flowcontrol_v1 import (
    PriorityLevelConfiguration as PriorityLevelConfiguration,
)
from lightkube.models.flowcontrol_v1 import (
    PriorityLevelConfigurationCondition as PriorityLevelConfigurationCondition,
)
from lightkube.models.flowcontrol_v1 import (
    PriorityLevelConfigurationList as PriorityLevelConfigurationList,
)
from lightkube.models.flowcontrol_v1 import (
    PriorityLevelConfigurationReference as PriorityLevelConfigurationReference,
)
from lightkube.models.flowcontrol_v1 import (
    PriorityLevelConfigurationSpec as PriorityLevelConfigurationSpec,
)
from lightkube.models.flowcontrol_v1 import (
    PriorityLevelConfigurationStatus as PriorityLevelConfigurationStatus,
)
from lightkube.models.flowcontrol_v1 import (
    QueuingConfiguration as QueuingConfiguration,
)
from lightkube.models.flowcontrol_v1 import (
    ResourcePolicyRule as ResourcePolicyRule,
)
from lightkube.models.flowcontrol_v1 import (
    ServiceAccountSubject as ServiceAccountSubject,
)
from lightkube.models.flowcontrol_v1 import (
    UserSubject as UserSubject,
)
from lightkube.models.meta_v1 import (
    APIGroup as APIGroup,
)
from lightkube.models.meta_v1 import (
    APIGroupList as APIGroupList,
)
from lightkube.models.meta_v1 import (
    APIResource as APIResource,
)
from lightkube.models.meta_v1 import (
    APIResourceList as APIResourceList,
)
from lightkube.models.meta_v1 import (
    APIVersions as APIVersions,
)
from lightkube.models.meta_v1 import (
    Condition as Condition,
)
from lightkube.models.meta_v1 import (
    DeleteOptions as DeleteOptions,
)
from lightkube.models.meta_v1 import (
    FieldSelectorRequirement as FieldSelectorRequirement,
)
from lightkube.models.meta_v1 import (
    GroupResource as GroupResource,
)
from lightkube.models.meta_v1 import (
    GroupVersionForDiscovery as GroupVersionForDiscovery,
)
from lightkube.models.meta_v1 import (
    LabelSelector as LabelSelector,
)
from lightkube.models.meta_v1 import (
    LabelSelectorRequirement as LabelSelectorRequirement,
)
from lightkube.models.meta_v1 import (
    ListMeta as ListMeta,
)
from lightkube.models.meta_v1 import (
    ManagedFieldsEntry as ManagedFieldsEntry,
)
from lightkube.models.meta_v1 import (
    ObjectMeta as ObjectMeta,
)
from lightkube.models.meta_v1 import (
    OwnerReference as OwnerReference,
)
from lightkube.models.meta_v1 import (
    Preconditions as Preconditions,
)
from lightkube.models.meta_v1 import (
    ServerAddressByClientCIDR as ServerAddressByClientCIDR,
)
from lightkube.models.meta_v1 import (
    ShardInfo as ShardInfo,
)
from lightkube.models.meta_v1 import (
    Status as Status,
)
from lightkube.models.meta_v1 import (
    StatusCause as StatusCause,
)
from lightkube.models.meta_v1 import (
    StatusDetails as StatusDetails,
)
from lightkube.models.meta_v1 import (
    WatchEvent as WatchEvent,
)
from lightkube.models.networking_v1 import (
    HTTPIngressPath as HTTPIngressPath,
)
from lightkube.models.networking_v1 import (
    HTTPIngressRuleValue as HTTPIngressRuleValue,
)
from lightkube.models.networking_v1 import (
    Ingress as Ingress,
)
from lightkube.models.networking_v1 import (
    IngressBackend as IngressBackend,
)
from lightkube.models.networking_v1 import (
    IngressClass as IngressClass,
)
from lightkube.models.networking_v1 import (
    IngressClassList as IngressClassList,
)
from lightkube.models.networking_v1 import (
    IngressClassParametersReference as IngressClassParametersReference,
)
from lightkube.models.networking_v1 import (
    IngressClassSpec as IngressClassSpec,
)
from lightkube.models.networking_v1 import (
    IngressList as IngressList,
)
from lightkube.models.networking_v1 import (
    IngressLoadBalancerIngress as IngressLoadBalancerIngress,
)
from lightkube.models.networking_v1 import (
    IngressLoadBalancerStatus as IngressLoadBalancerStatus,
)
from lightkube.models.networking_v1 import (
    IngressPortStatus as IngressPortStatus,
)
from lightkube.models.networking_v1 import (
    IngressRule as IngressRule,
)
from lightkube.models.networking_v1 import (
    IngressServiceBackend as IngressServiceBackend,
)
from lightkube.models.networking_v1 import (
    IngressSpec as IngressSpec,
)
from lightkube.models.networking_v1 import (
    IngressStatus as IngressStatus,
)
from lightkube.models.networking_v1 import (
    IngressTLS as IngressTLS,
)
from lightkube.models.networking_v1 import (
    IPAddress as IPAddress,
)
from lightkube.models.networking_v1 import (
    IPAddressList as IPAddressList,
)
from lightkube.models.networking_v1 import (
    IPAddressSpec as IPAddressSpec,
)
from lightkube.models.networking_v1 import (
    IPBlock as IPBlock,
)
from lightkube.models.networking_v1 import (
    NetworkPolicy as NetworkPolicy,
)
from lightkube.models.networking_v1 import (
    NetworkPolicyEgressRule as NetworkPolicyEgressRule,
)
from lightkube.models.networking_v1 import (
    NetworkPolicyIngressRule as NetworkPolicyIngressRule,
)
from lightkube.models.networking_v1 import (
    NetworkPolicyList as NetworkPolicyList,
)
from lightkube.models.networking_v1 import (
    NetworkPolicyPeer as NetworkPolicyPeer,
)
from lightkube.models.networking_v1 import (
    NetworkPolicyPort as NetworkPolicyPort,
)
from lightkube.models.networking_v1 import (
    NetworkPolicySpec as NetworkPolicySpec,
)
from lightkube.models.networking_v1 import (
    ParentReference as ParentReference,
)
from lightkube.models.networking_v1 import (
    ServiceBackendPort as ServiceBackendPort,
)
from lightkube.models.networking_v1 import (
    ServiceCIDR as ServiceCIDR,
)
from lightkube.models.networking_v1 import (
    ServiceCIDRList as ServiceCIDRList,
)
from lightkube.models.networking_v1 import (
    ServiceCIDRSpec as ServiceCIDRSpec,
)
from lightkube.models.networking_v1 import (
    ServiceCIDRStatus as ServiceCIDRStatus,
)
from lightkube.models.node_v1 import (
    Overhead as Overhead,
)
from lightkube.models.node_v1 import (
    RuntimeClass as RuntimeClass,
)
from lightkube.models.node_v1 import (
    RuntimeClassList as RuntimeClassList,
)
from lightkube.models.node_v1 import (
    Scheduling as Scheduling,
)
from lightkube.models.policy_v1 import (
    Eviction as Eviction,
)
from lightkube.models.policy_v1 import (
    PodDisruptionBudget as PodDisruptionBudget,
)
from lightkube.models.policy_v1 import (
    PodDisruptionBudgetList as PodDisruptionBudgetList,
)
from lightkube.models.policy_v1 import (
    PodDisruptionBudgetSpec as PodDisruptionBudgetSpec,
)
from lightkube.models.policy_v1 import (
    PodDisruptionBudgetStatus as PodDisruptionBudgetStatus,
)
from lightkube.models.rbac_v1 import (
    AggregationRule as AggregationRule,
)
from lightkube.models.rbac_v1 import (
    ClusterRole as ClusterRole,
)
from lightkube.models.rbac_v1 import (
    ClusterRoleBinding as ClusterRoleBinding,
)
from lightkube.models.rbac_v1 import (
    ClusterRoleBindingList as ClusterRoleBindingList,
)
from lightkube.models.rbac_v1 import (
    ClusterRoleList as ClusterRoleList,
)
from lightkube.models.rbac_v1 import (
    PolicyRule as PolicyRule,
)
from lightkube.models.rbac_v1 import (
    Role as Role,
)
from lightkube.models.rbac_v1 import (
    RoleBinding as RoleBinding,
)
from lightkube.models.rbac_v1 import (
    RoleBindingList as RoleBindingList,
)
from lightkube.models.rbac_v1 import (
    RoleList as RoleList,
)
from lightkube.models.rbac_v1 import (
    RoleRef as RoleRef,
)
from lightkube.models.rbac_v1 import (
    Subject as Subject,
)
from lightkube.models.scheduling_v1 import (
    PriorityClass as PriorityClass,
)
from lightkube.models.scheduling_v1 import (
    PriorityClassList as PriorityClassList,
)
from lightkube.models.storage_v1 import (
    CSIDriver as CSIDriver,
)
from lightkube.models.storage_v1 import (
    CSIDriverList as CSIDriverList,
)
from lightkube.models.storage_v1 import (
    CSIDriverSpec as CSIDriverSpec,
)
from lightkube.models.storage_v1 import (
    CSINode as CSINode,
)
from lightkube.models.storage_v1 import (
    CSINodeDriver as CSINodeDriver,
)
from lightkube.models.storage_v1 import (
    CSINodeList as CSINodeList,
)
from lightkube.models.storage_v1 import (
    CSINodeSpec as CSINodeSpec,
)
from lightkube.models.storage_v1 import (
    CSINodeStatus as CSINodeStatus,
)
from lightkube.models.storage_v1 import (
    CSIStorageCapacity as CSIStorageCapacity,
)
from lightkube.models.storage_v1 import (
    CSIStorageCapacityList as CSIStorageCapacityList,
)
from lightkube.models.storage_v1 import (
    StorageClass as StorageClass,
)
from lightkube.models.storage_v1 import (
    StorageClassList as StorageClassList,
)
from lightkube.models.storage_v1 import (
    StorageHealth as StorageHealth,
)
from lightkube.models.storage_v1 import (
    StorageHealthCondition as StorageHealthCondition,
)
from lightkube.models.storage_v1 import (
    TokenRequest as TokenRequest,
)
from lightkube.models.storage_v1 import (
    VolumeAttachment as VolumeAttachment,
)
from lightkube.models.storage_v1 import (
    VolumeAttachmentList as VolumeAttachmentList,
)
from lightkube.models.storage_v1 import (
    VolumeAttachmentSource as VolumeAttachmentSource,
)
from lightkube.models.storage_v1 import (
    VolumeAttachmentSpec as VolumeAttachmentSpec,
)
from lightkube.models.storage_v1 import (
    VolumeAttachmentStatus as VolumeAttachmentStatus,
)
from lightkube.models.storage_v1 import (
    VolumeAttributesClass as VolumeAttributesClass,
)
from lightkube.models.storage_v1 import (
    VolumeAttributesClassList as VolumeAttributesClassList,
)
from lightkube.models.storage_v1 import (
    VolumeError as VolumeError,
)
from lightkube.models.storage_v1 import (
    VolumeNodeResources as VolumeNodeResources,
)
