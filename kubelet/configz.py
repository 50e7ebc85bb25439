"""Configz: the configuration that counts, as a KubeletConfiguration, for who may read nodes/configz.

Upstream's names and shapes, of the fields that this kubelet has. https://kubernetes.io/docs/tasks/administer-cluster/
kubelet-config-file/#viewing-the-kubelet-configuration
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from kubelet.config import FIELDS, MAPS, KubeletConfig, pairs

KIND = {"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1"}


def configuration(config: KubeletConfig, cgroup_driver: str) -> dict[str, Any]:
    values = asdict(config)
    tree = {theirs: _shown(values[ours]) for theirs, ours in FIELDS.items()}
    for theirs, (ours, sign) in MAPS.items():
        if values[ours]:
            tree[theirs] = dict(word.split(sign, 1) for word in values[ours])
    by_priority = pairs(config.shutdown_grace_period_by_pod_priority).items()
    phases = [{"priority": int(priority), "shutdownGracePeriodSeconds": int(length)} for priority, length in by_priority]
    return {
        **KIND,
        **tree,
        **({"shutdownGracePeriodByPodPriority": phases} if phases else {}),
        "authentication": {
            "x509": {"clientCAFile": str(config.client_ca_file)} if config.client_ca_file is not None else {},
            "webhook": {"enabled": True, "cacheTTL": "2m0s"},
            "anonymous": {"enabled": config.anonymous_auth},
        },
        "authorization": {"mode": "Webhook", "webhook": {"cacheAuthorizedTTL": "5m0s", "cacheUnauthorizedTTL": "30s"}},
        "cgroupDriver": cgroup_driver,
        "cgroupsPerQOS": True,
        "failSwapOn": False,
        "nodeLeaseDurationSeconds": 40,
        "nodeStatusReportFrequency": "5m0s",
        "enableServer": True,
        "readOnlyPort": 0,
        "logging": {"format": "text", "verbosity": config.v},
    }


def _shown(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    return "" if value is None else value
