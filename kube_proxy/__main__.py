"""kube-proxy: flags -> config -> build -> run."""

from kube.component import flags
from kube.component.run import run
from kube_proxy.config import Config
from kube_proxy.start import start


def main() -> None:
    run("kube-proxy", start, flags.parse(Config, prog="kube-proxy"))


if __name__ == "__main__":
    main()
