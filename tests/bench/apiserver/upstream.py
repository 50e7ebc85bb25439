"""Upstream's figures, to set ours beside: kube-apiserver 1.36.2 on the same kind of machine.

Source: the project's measurements, facts.md part C. Upstream's own binaries (Go 1.26), etcd 3.5.30 with fsync, TLS, a bearer
token, everything on the same 2 cores, the load generator included; medians of 3 runs. Where a span was measured the better end
stands here.
"""

LABEL = "upstream 1.36.2, same kind of machine"

# requests a second, by operation and connections
RATE = {
    ("get", 16): 3370.0,
    ("list", 1): 59.0, ("list", 4): 110.0, ("list", 16): 100.0,
    ("create", 1): 647.0, ("create", 16): 1984.0, ("create", 64): 2132.0,
    ("patch", 16): 436.0,
}  # fmt: skip
CPU_MS = {"get": 0.33, "list": 13.0, "create": 0.62, "patch": 2.0}  # of the server, an operation
EVENTS_A_SECOND = {100: 82_800.0}  # delivered to so many watchers, 16 writers at full speed
EVENT_CPU_US = 15.0
PACED_P50_MS, PACED_P99_MS = 0.4, 3.3  # 100 watchers, 50 writes a second
READY_SECONDS = 2.2
READY_RSS_MIB = 265.0
RSS_MIB = {"ready": 265.0, "get": 305.0, "list": 398.0, "create": 1310.0, "end": 1560.0}  # create: after 90,000 of them

# what is aimed at, as ratios to the above
AIMS = {"get": 3.0, "list": 4.0, "create": 1.0, "patch": 2.0, "events": 1.5}
