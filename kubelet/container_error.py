"""Container errors: why a container could not be started; the reason is what its waiting state says.

Upstream: pkg/kubelet/kuberuntime/kuberuntime_container.go, pkg/kubelet/images/types.go.
"""

from typing import ClassVar


class StartError(Exception):
    """`reason` is the waiting reason; `message` the waiting message."""

    reason: ClassVar[str] = ""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConfigError(StartError):
    reason = "CreateContainerConfigError"


class CreateError(StartError):
    reason = "CreateContainerError"


class RunError(StartError):
    reason = "RunContainerError"


class PostStartError(StartError):
    reason = "PostStartHookError"


class PullError(StartError):
    reason = "ErrImagePull"


class PullBackoff(StartError):
    reason = "ImagePullBackOff"


class NeverPull(StartError):
    reason = "ErrImageNeverPull"


class InvalidName(StartError):
    reason = "InvalidImageName"


class InspectError(StartError):
    reason = "ImageInspectError"
