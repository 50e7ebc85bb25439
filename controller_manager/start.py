"""How the controller manager is put together: client, health, leader election, informers, controllers."""

import asyncio
import os
import socket
from typing import Any
from uuid import uuid4

from controller_manager.config import Config
from controller_manager.controller import Context, Controller
from controller_manager.controllers import CONTROLLERS
from controller_manager.controllers.csrsigning import CSRSigning
from controller_manager.controllers.nodeipam import NodeIpamController
from controller_manager.controllers.rootcapublisher import RootCAPublisher
from controller_manager.controllers.serviceaccounttoken import ServiceAccountTokenController
from kube.client import kubeconfig
from kube.client.informer import Informers
from kube.client.leader import lead
from kube.client.rest import Client
from kube.component.clock import SystemClock
from kube.component.health import Health
from kube.component.http_server import serve
from kube.component.logging import get_logger
from kube.component.run import StartupError
from kube.component.tls import server_tls

log = get_logger(__name__)

PROGRAM = "kube-controller-manager"


async def start(config: Config) -> None:
    """Run until cancelled; ends with LostLease where another replica took over."""
    chosen = chosen_controllers(config)
    async with Client(kubeconfig.load(config.kubeconfig, server=config.master), PROGRAM) as client:
        if config.secure_port:
            tls = server_tls(config.tls_cert_file, config.tls_private_key_file)
            health = Health(config=config, config_name="componentconfig")
            await serve(health.app, config.bind_address, config.secure_port, tls=tls)
        if not config.leader_elect:
            await control(client, config, chosen)
            return
        await lead(
            client,
            name=PROGRAM,
            identity=f"{socket.gethostname()}_{os.getpid()}-{uuid4()}",
            work=lambda: control(client, config, chosen),
            lease_seconds=config.leader_elect_lease_duration,
            renew_seconds=config.leader_elect_renew_deadline,
            retry_seconds=config.leader_elect_retry_period,
        )


async def control(client: Client, config: Config, chosen: list[type[Controller[Any]]]) -> None:
    """The work of the leader. What a controller subscribes to is known before any informer runs."""
    informers = Informers(client)
    context = Context(client, informers, SystemClock(), config)
    controllers = [one(context) for one in chosen]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(informers.run())
        for controller in controllers:
            tasks.create_task(controller.run(), name=controller.name)
        log.info("controllers started", count=len(controllers))


def chosen_controllers(config: Config) -> list[type[Controller[Any]]]:
    """Those that --controllers names, and that have what they need. Raises StartupError."""
    known = {one.name for one in CONTROLLERS}
    for word in config.controllers:
        if word != "*" and word.removeprefix("-") not in known:
            raise StartupError(f'"{word}" is not in the list of known controllers: {", ".join(sorted(known))}')
    if config.allocate_node_cidrs and not config.cluster_cidr:
        raise StartupError("--allocate-node-cidrs needs --cluster-cidr: the range to give nodes their pod addresses from")
    if config.root_ca_file is not None and not config.root_ca_file.is_file():
        raise StartupError(f"--root-ca-file {config.root_ca_file}: there is no such file; name the cluster's authority (ca.crt)")
    if (config.cluster_signing_cert_file is None) != (config.cluster_signing_key_file is None):
        raise StartupError("--cluster-signing-cert-file and --cluster-signing-key-file go together: name both or none")
    needs = {
        CSRSigning: config.cluster_signing_cert_file is not None,
        NodeIpamController: config.allocate_node_cidrs,
        RootCAPublisher: config.root_ca_file is not None,
        ServiceAccountTokenController: config.service_account_private_key_file is not None,
    }
    return [one for one in CONTROLLERS if named(one.name, config.controllers) and needs.get(one, True)]


def named(name: str, words: tuple[str, ...]) -> bool:
    """Whether --controllers means it: by its name, or as one of all and not taken out."""
    return name in words or ("*" in words and f"-{name}" not in words)
