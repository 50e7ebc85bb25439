"""kube-apiserver: flags → config → run."""

from apiserver.app import run
from apiserver.config import Config
from kube.component import flags
from kube.component.run import run as run_program


def main() -> None:
    run_program("kube-apiserver", run, flags.parse(Config, prog="kube-apiserver"))


if __name__ == "__main__":
    main()
