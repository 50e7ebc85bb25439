"""Pressure: the parts that keep a node from running full, put together from the kubelet's flags."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from kube.api import quantity
from kube.client.events import EventRecorder
from kube.component.clock import Clock
from kube.component.run import StartupError
from kubelet.config import KubeletConfig, pairs, seconds
from kubelet.eviction import BadThreshold, Threshold, thresholds
from kubelet.eviction_manager import EvictionManager, EvictionPolicy, node_about
from kubelet.image_collector import ImageCollector, ImagePolicy
from kubelet.node_agent import NodeAgent
from kubelet.pod_events import PodEvents
from kubelet.pod_workers import PodWorkers
from kubelet.runtime.runtime import Runtime
from kubelet.samples import Sampler
from kubelet.volumes.image import images_of


def thresholds_of(config: KubeletConfig) -> tuple[Threshold, ...]:
    """Raises StartupError."""
    graces = {name: seconds(text) for name, text in pairs(config.eviction_soft_grace_period).items()}
    try:
        found = thresholds(config.eviction_hard, config.eviction_soft, graces, pairs(config.eviction_minimum_reclaim))
    except BadThreshold as error:
        raise StartupError(str(error)) from error
    return tuple(found)


def reserved_of(config: KubeletConfig) -> dict[str, str]:
    """For the system and for Kubernetes' programs, together."""
    total: dict[str, str] = {}
    for one in (pairs(config.system_reserved), pairs(config.kube_reserved)):
        for name, amount in one.items():
            total[name] = quantity.add(total[name], amount) if name in total else amount
    return total


class NodePressure:
    """The eviction manager and the image collector of a node."""

    def __init__(
        self, config: KubeletConfig, sampler: Sampler, workers: PodWorkers, runtime: Runtime, events: PodEvents, clock: Clock
    ) -> None:
        transition = timedelta(seconds=seconds(config.eviction_pressure_transition_period))
        policy = EvictionPolicy(thresholds_of(config), transition, config.eviction_max_pod_grace_period)
        age = timedelta(seconds=seconds(config.minimum_image_ttl_duration))
        images = ImagePolicy(config.image_gc_high_threshold, config.image_gc_low_threshold, age)
        self.manager = EvictionManager(policy, sampler, workers, events, clock)
        self.images = ImageCollector(runtime, config.pod_infra_container_image, images, clock, sampler.image_disk)
        self.images.mounted = lambda: images_of(workers.pods())
        self.manager.free_images = self.images.remove_unused

    def tell(self, agent: NodeAgent, recorder: EventRecorder, node_name: str) -> None:
        """Have the Node object show it."""
        about: Any = node_about(node_name)
        self.manager.on_pressure = agent.wake
        self.manager.on_threshold = lambda resource: recorder.event(
            about, "Warning", "EvictionThresholdMet", f"Attempting to reclaim {resource}"
        )
        self.images.on_failure = lambda reason, message: recorder.event(about, "Warning", reason, message)

    def start(self, tasks: asyncio.TaskGroup) -> Iterable[asyncio.Task[None]]:
        return (
            tasks.create_task(self.manager.run(), name="eviction manager"),
            tasks.create_task(self.images.run(), name="image garbage collection"),
        )
