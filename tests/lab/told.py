"""What a lab looks like when a test fails in it: the cluster's own pods, what became of them, and what they said last.

By then the fixtures end and the lab is purged, so it is asked at once, and printed with the failure.
"""

import subprocess
from collections.abc import Callable

QUESTIONS = (
    "get nodes --no-headers",
    "get pods -A -o wide --no-headers",
    "get endpointslices -n kube-system --no-headers",
    "describe pods -n kube-system -l k8s-app=metrics-server",
    "logs -n kube-system -l k8s-app=metrics-server --tail=12 --prefix",
    "logs -n kube-system -l k8s-app=metrics-server --tail=8 --prefix --previous",
)
WITHIN = 20  # seconds: a lab that does not answer is told as such


def state(kubectl: Callable[..., str]) -> str:
    """Every question's answer, refusals too."""
    return "\n".join(f"$ kubectl {words}\n{answer(kubectl, words)}" for words in QUESTIONS)


def answer(kubectl: Callable[..., str], words: str) -> str:
    try:
        return kubectl(*words.split(), within=WITHIN)
    except (AssertionError, subprocess.TimeoutExpired) as refused:
        return f"{refused}\n"
