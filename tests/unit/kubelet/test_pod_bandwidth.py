"""How fast a pod may speak. Rule: https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/network-plugins/"""

import pytest

from kube.api.types import Pod
from kube.api.views import view
from kubelet.pod_network import Bandwidth, NetworkFailure, bandwidth


def asked(**annotations: str) -> Bandwidth:
    named = {f"kubernetes.io/{way}-bandwidth": text for way, text in annotations.items()}
    return bandwidth(view(Pod, {"metadata": {"name": "a", "annotations": named}, "spec": {"containers": []}}))


def test_annotations_are_quantities_of_bits_a_second() -> None:
    assert asked() == Bandwidth(0, 0)
    assert asked(ingress="10M", egress="512Ki") == Bandwidth(10_000_000, 524_288)


@pytest.mark.parametrize(("text", "why"), [("1", "unreasonably small"), ("2P", "unreasonably large"), ("fast", "annotations")])
def test_unreasonable_bandwidth_is_refused_in_upstreams_words(text: str, why: str) -> None:
    """Rule: upstream pkg/util/bandwidth"""
    with pytest.raises(NetworkFailure, match=why):
        asked(egress=text)
