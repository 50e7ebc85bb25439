"""kube-scheduler: flags -> config -> build -> run."""

from kube.component import flags
from kube.component.run import run
from scheduler.config import Config
from scheduler.start import start


def main() -> None:
    run("kube-scheduler", start, flags.parse(Config, prog="kube-scheduler"))


if __name__ == "__main__":
    main()
