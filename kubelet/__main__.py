"""`python -m kubelet`: the agent of a node."""

from kube.component.flags import parse
from kube.component.run import run
from kubelet.config import KubeletConfig
from kubelet.kubelet import kubelet


def main() -> None:
    run("kubelet", kubelet, parse(KubeletConfig, prog="kubelet"))


if __name__ == "__main__":
    main()
