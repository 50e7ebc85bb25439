"""metrics-server: flags -> config -> run."""

from addons.metrics.config import Config
from addons.metrics.start import start
from kube.component import flags
from kube.component.run import run


def main() -> None:
    run("metrics-server", start, flags.parse(Config, prog="metrics-server"))


if __name__ == "__main__":
    main()
