"""How the scheduler is put together: client, health, leader election, informers, the loop."""

import asyncio
import os
import socket
from uuid import uuid4

from kube.client import kubeconfig
from kube.client.events import EventRecorder
from kube.client.informer import Informers
from kube.client.leader import lead
from kube.client.rest import Client
from kube.component.health import Health
from kube.component.http_server import serve
from kube.component.tls import server_tls
from scheduler.config import Config
from scheduler.plugins import DEFAULT_NAME
from scheduler.scheduler import Scheduler


async def start(config: Config) -> None:
    """Run until cancelled; ends with LostLease where another replica took over."""
    async with Client(kubeconfig.load(config.kubeconfig, server=config.master), "kube-scheduler") as client:
        health = Health(config=config, config_name="componentconfig")
        if config.secure_port:
            tls = server_tls(config.tls_cert_file, config.tls_private_key_file)
            await serve(health.app, config.bind_address, config.secure_port, tls=tls)
        if not config.leader_elect:
            await schedule(client)
        identity = f"{socket.gethostname()}_{os.getpid()}-{uuid4()}"
        await lead(client, name="kube-scheduler", identity=identity, work=lambda: schedule(client))


async def schedule(client: Client) -> None:
    """The work of the leader."""
    informers, recorder = Informers(client), EventRecorder(client, DEFAULT_NAME)
    scheduler = Scheduler(client, informers, recorder)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(informers.run())
        tasks.create_task(recorder.run())
        tasks.create_task(scheduler.run())
