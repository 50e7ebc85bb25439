"""`python -m tests.interop.upstream_surface FOLDER`: the whole API surface held against upstream's own documents.

    FOLDER             upstream's data: discovery/, openapi-v3/, swagger.json.gz, objects/
    --kubeconfig FILE  the server to look at; without it one is started, with an etcd of its own, and ended
    --only PART,...    some of: discovery openapi answers objects defaults

It prints every difference, and exits with 1 if there is one that is not meant (difference.py says which are, and why).
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from kube.client import kubeconfig
from kube.client.rest import Client
from tests.interop.control_plane import api_server
from tests.interop.upstream_surface import answers, defaults, documents, objects
from tests.interop.upstream_surface.difference import Difference, meant, table
from tests.interop.upstream_surface.upstream import Folder

PARTS = {
    "discovery": documents.discovery,
    "openapi": documents.openapi,
    "answers": answers.answers,
    "objects": objects.objects,
    "defaults": defaults.defaults,
}


async def look(folder: Folder, config: kubeconfig.Config, parts: list[str]) -> list[Difference]:
    async with Client(config, "upstream-surface") as client:
        return [one for part in parts async for one in PARTS[part](folder, client)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kubeconfig", type=Path)
    parser.add_argument("--only", default=",".join(PARTS))
    flags = parser.parse_args()
    with ExitStack() as stack:
        file = flags.kubeconfig
        if file is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            file = stack.enter_context(api_server(directory)).kubeconfig("admin")
        found = asyncio.run(look(Folder(flags.folder), kubeconfig.load(str(file)), flags.only.split(",")))
    why = Counter(reason for one in found if (reason := meant(one)))
    open_ones = [one for one in found if not meant(one)]
    for reason, count in why.items():
        print(f"{count} meant: {reason}")
    print(table(open_ones) if open_ones else "no other difference")
    print(f"{len(open_ones)} differences")
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main())
