"""A machine that goes down: its pods end in order, and it is asked to wait for them; logind is played on a bus of its own."""

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jeepney import DBusAddress, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection
from jeepney.low_level import HeaderFields, Message, MessageType

from kube.component.run import StartupError
from kubelet import shutdown_sources
from kubelet.config import KubeletConfig, with_file
from kubelet.node_setup import shutdown_order
from kubelet.node_shutdown import SYSTEM_CRITICAL, Phase, grouped, phases
from kubelet.pod_state import Ending, Observed
from kubelet.shutdown_sources import Logind, PowerSignal
from kubelet.status import pod_status
from tests.unit.kubelet.pods import NOW, a_pod
from tests.wait import eventually

WITHIN = 10.0


def test_the_time_is_divided_between_plain_and_critical_pods_or_as_priorities_say(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#configuring-graceful-node-shutdown"""
    assert phases(30, 10) == (Phase(0, 20), Phase(SYSTEM_CRITICAL, 10))
    assert phases(0, 0) == (), "off"
    assert phases(0, 0, [Phase(100, 5), Phase(0, 60)]) == (Phase(0, 60), Phase(100, 5))
    for total, critical, stated in ((10, 20, ()), (0.5, 0, ()), (10, 0, [Phase(0, 1)])):
        with pytest.raises(ValueError, match="invalid configuration"):
            phases(total, critical, stated)
    file = tmp_path / "config.yaml"
    file.write_text("kind: KubeletConfiguration\nshutdownGracePeriod: 30s\nshutdownGracePeriodCriticalPods: 10s\n")
    assert shutdown_order(with_file(KubeletConfig(config=file))) == phases(30, 10)
    lines = "shutdownGracePeriodByPodPriority: [{priority: 7, shutdownGracePeriodSeconds: 5}]"
    file.write_text(f"kind: KubeletConfiguration\n{lines}\n")
    assert shutdown_order(with_file(KubeletConfig(config=file))) == (Phase(7, 5),)
    with pytest.raises(StartupError, match="must be <="):
        shutdown_order(KubeletConfig(shutdown_grace_period_critical_pods="1s"))


def test_a_pod_goes_with_the_last_group_whose_priority_it_reaches() -> None:
    """Rule: https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#pod-priority-graceful-node-shutdown"""
    pods = [a_pod(metadata={"name": str(one)}, priority=one) for one in (-5, 0, 999, 1000, SYSTEM_CRITICAL)]
    order = (Phase(0, 60), Phase(1000, 20), Phase(SYSTEM_CRITICAL, 10))
    found = [[pod.spec.priority for pod in group] for _, group in grouped(pods, order)]
    assert found == [[-5, 0, 999], [1000], [SYSTEM_CRITICAL]]


def test_a_pod_that_the_node_sends_away_is_told_as_disrupted() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions"""
    pod = a_pod()
    observed = Observed(ending=Ending(NOW, "Terminated", "why", failed=True))
    status = pod_status(pod, observed, NOW, (), pod.status)
    assert (status["phase"], status["reason"]) == ("Failed", "Terminated")
    condition = status["conditions"][-1]
    assert [condition[name] for name in ("type", "status", "reason", "message")] == [
        "DisruptionTarget",
        "True",
        "TerminationByKubelet",
        "why",
    ]


async def until(holds: Callable[[], bool]) -> None:
    async def look() -> bool:
        return holds()

    await eventually(look, WITHIN)


class PlayedLogind(threading.Thread):
    """Logind's part of the bus: says how long it waits, hands out locks, and announces shutdowns."""

    def __init__(self, seconds: int) -> None:
        super().__init__(daemon=True)
        self._connection = open_dbus_connection("SYSTEM", enable_fds=True)
        Proxy(message_bus, self._connection).RequestName("org.freedesktop.login1")
        Proxy(message_bus, self._connection).RequestName("org.freedesktop.systemd1")
        self._seconds = seconds
        self.locks: list[tuple[tuple[str, ...], int]] = []  # words, and our end of the lock

    def run(self) -> None:
        with contextlib.suppress(OSError, ConnectionResetError, ValueError):
            while True:
                message = self._connection.receive()
                if message.header.message_type is MessageType.method_call:
                    self._connection.send(self._answer(message, message.header.fields[HeaderFields.member]))

    def _answer(self, message: Message, member: str) -> Any:
        if member == "Get":
            return new_method_return(message, "v", (("t", self._seconds * 1_000_000),))
        if member == "KillUnit":
            assert "InhibitDelayMaxSec=30" in shutdown_sources.DROP_IN.read_text()
            self._seconds = 30
            return new_method_return(message)
        if member == "Inhibit":
            ours, theirs = os.pipe()
            self.locks.append((message.body, ours))
            with os.fdopen(theirs, "wb") as file:
                reply = new_method_return(message, "h", (file,))
                self._connection.send(reply)
            return new_signal(LOGIND, "Nothing")
        return new_error(message, "org.freedesktop.DBus.Error.UnknownMethod")

    def announce(self, going_down: bool) -> None:
        self._connection.send(new_signal(LOGIND, "PrepareForShutdown", "b", (going_down,)))

    def let_go(self, number: int) -> bool:
        """Whether that lock was given back: waits for it."""
        return os.read(self.locks[number][1], 1) == b""

    def close(self) -> None:
        self._connection.close()
        for _, ours in self.locks:
            os.close(ours)


LOGIND = DBusAddress("/org/freedesktop/login1", interface="org.freedesktop.login1.Manager")


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    address = f"unix:path={tmp_path}/bus"
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", f"--address={address}", "--nofork", "--print-address"], stdout=subprocess.PIPE
    )
    assert daemon.stdout is not None
    daemon.stdout.readline()  # it listens
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    monkeypatch.setattr(shutdown_sources, "DROP_IN", tmp_path / "conf.d" / "99-kubelet.conf")
    yield address
    daemon.terminate()
    daemon.wait()
    daemon.stdout.close()


def test_logind_holds_the_shutdown_up_until_the_pods_have_ended(bus: str) -> None:
    """Rule: KEP-2000: a delay lock, InhibitDelayMaxSec raised where it is too short, and the lock again after a cancellation"""
    logind = PlayedLogind(seconds=5)
    logind.start()

    async def story() -> None:
        said: asyncio.Queue[bool] = asyncio.Queue()
        source = Logind(30)
        watching = asyncio.create_task(source.watch(said.put_nowait))
        async with asyncio.timeout(WITHIN):
            await until(lambda: bool(logind.locks))
            assert logind.locks[0][0] == ("shutdown", "kubelet", "Kubelet needs time to handle node shutdown", "delay")
            await until(lambda: source._lock is not None)
            logind.announce(True)
            assert await said.get() is True
            await source.release()
            assert await asyncio.to_thread(logind.let_go, 0)
            logind.announce(False)
            assert await said.get() is False
            assert len(logind.locks) == 2
        watching.cancel()
        await asyncio.wait([watching])
        assert await asyncio.to_thread(logind.let_go, 1)

    asyncio.run(story())
    logind.close()
    logind.join(WITHIN)


def test_a_machine_without_logind_is_no_error_and_sigpwr_tells_of_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")

    async def story() -> None:
        said: asyncio.Queue[bool] = asyncio.Queue()
        async with asyncio.timeout(WITHIN):
            await Logind(30).watch(said.put_nowait)
            watching = asyncio.create_task(PowerSignal().watch(said.put_nowait))
            await until(lambda: signal.getsignal(signal.SIGPWR) is not signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGPWR)
            assert await said.get() is True
        watching.cancel()
        await asyncio.wait([watching])

    asyncio.run(story())
