"""cluster-dns: flags -> config -> run."""

from addons.dns.config import Config
from addons.dns.start import start
from kube.component import flags
from kube.component.run import run


def main() -> None:
    run("cluster-dns", start, flags.parse(Config, prog="cluster-dns"))


if __name__ == "__main__":
    main()
