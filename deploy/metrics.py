"""metrics-server as part of a bring-up: its objects, in the image of cluster DNS, which holds all of our addons' code.

Nobody waits for it: it comes up once the cluster is used, and announces its API itself. It is applied where its Deployment is
missing or has another image than this release's.
"""

import json
from pathlib import Path
from string import Template

from deploy import dns
from deploy.cluster import Cluster
from deploy.demo import kubectl
from deploy.images import python

MANIFEST = dns.MANIFESTS / "metrics-server.yaml"


def apply(cluster: Cluster, *, config: Path | None = None) -> bool:
    """Returns whether anything was to be done."""
    what = ("deployment/metrics-server", dns.NAMESPACE, "--ignore-not-found", "--output=json")
    found = json.loads(kubectl(cluster, "get", *what, config=config) or "{}")
    image = python.tag(dns.PROGRAM)
    if found and found["spec"]["template"]["spec"]["containers"][0]["image"] == image:
        return False
    manifest = Template(MANIFEST.read_text()).substitute({"IMAGE": image})
    kubectl(cluster, "apply", "-f", "-", stdin=manifest, config=config)
    return True
