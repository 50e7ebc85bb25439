"""How the scheduler is put together: client, health, leader election, informers, the loop."""

import asyncio
import os
import socket
from collections.abc import Mapping
from uuid import uuid4

from kube.client import kubeconfig
from kube.client.event_series import SeriesRecorder
from kube.client.informer import Informers
from kube.client.leader import lead
from kube.client.rest import Client
from kube.component.health import Health
from kube.component.http_server import serve
from kube.component.tls import server_tls
from scheduler.config import Config
from scheduler.framework import Profile
from scheduler.profiles import profiles_of
from scheduler.scheduler import Desk, Scheduler


async def start(config: Config) -> None:
    """Run until cancelled; ends with LostLease where another replica took over."""
    profiles = profiles_of(config.config)
    async with Client(kubeconfig.load(config.kubeconfig, server=config.master), "kube-scheduler") as client:
        health = Health(config=config, config_name="componentconfig")
        if config.secure_port:
            tls = server_tls(config.tls_cert_file, config.tls_private_key_file)
            await serve(health.app, config.bind_address, config.secure_port, tls=tls)
        if not config.leader_elect:
            await schedule(client, profiles)
            return
        identity = f"{socket.gethostname()}_{os.getpid()}-{uuid4()}"
        await lead(client, name="kube-scheduler", identity=identity, work=lambda: schedule(client, profiles))


async def schedule(client: Client, profiles: Mapping[str, Profile]) -> None:
    """The work of the leader."""
    informers, recorders = Informers(client), {name: SeriesRecorder(client, name) for name in profiles}
    scheduler = Scheduler(client, informers, [Desk(client, recorders[name], profile) for name, profile in profiles.items()])
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(informers.run())
        for recorder in recorders.values():
            tasks.create_task(recorder.run())
        tasks.create_task(scheduler.run())
