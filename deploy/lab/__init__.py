"""The lab: several hosts on one machine, each a network namespace with its own engine, kubelet and kube-proxy, on one bridge.

The programs and flags are those of real machines; only the hosts are made here. A host can be killed, started again and cut off
from another, so that what a cluster does then can be watched, and tested.
"""
