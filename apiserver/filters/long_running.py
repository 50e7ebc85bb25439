"""Long-running requests: watches and connections into pods, which no limit of number or time holds.

apiserver pkg/server/filters/longrunning.go
"""

from apiserver.context import RequestInfo

VERBS = frozenset(("watch", "proxy"))
SUBRESOURCES = frozenset(("attach", "exec", "log", "portforward", "proxy"))


def is_long_running(info: RequestInfo) -> bool:
    return info.verb in VERBS or info.subresource in SUBRESOURCES
