"""Shutdown sources: who tells the kubelet that its machine goes down: systemd-logind over D-Bus, and the signal SIGPWR.

Logind holds a shutdown up for who has a delay lock, as long as its InhibitDelayMaxSec says; where that is too short, it is told
more in /etc/systemd/logind.conf.d. SIGPWR is what daemons of power supplies send (ours: upstream knows logind alone), and serves
a machine without systemd: `kill -PWR <kubelet>`. https://www.freedesktop.org/wiki/Software/systemd/inhibit/
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, MatchRule, Properties, message_bus, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.low_level import Message, MessageType
from jeepney.wrappers import DBusErrorResponse, unwrap_msg

from kube.component.logging import get_logger

log = get_logger("kubelet.shutdown")

LOGIND = DBusAddress("/org/freedesktop/login1", "org.freedesktop.login1", "org.freedesktop.login1.Manager")
SYSTEMD = DBusAddress("/org/freedesktop/systemd1", "org.freedesktop.systemd1", "org.freedesktop.systemd1.Manager")
DROP_IN = Path("/etc/systemd/logind.conf.d/99-kubelet.conf")
REPLY_SECONDS = 5.0
RELOAD_TRIES, RELOAD_SECONDS = 15, 0.2  # logind tells nobody that it has read its configuration
RECONNECT_SECONDS = 5.0


class NoLogind(Exception):
    """Logind cannot be asked, and why."""


class Logind:
    """See `Source`. `seconds`: how long a shutdown has to be held up."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock: Any = None  # of a delay: as long as this file descriptor is open

    async def watch(self, tell: Callable[[bool], None]) -> None:
        """Where there is no logind, say so and end; where there was one, it comes back."""
        known = False
        while True:
            try:
                connection = await asyncio.to_thread(self._connect)
            except NoLogind as error:
                if not known:
                    log.warning("no systemd-logind: the machine's shutdown is noticed by SIGPWR alone", reason=error)
                    return
                log.warning("systemd-logind does not answer", reason=error)
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            known = True
            log.info("holding up shutdowns of the machine for its pods", seconds=self._seconds)
            try:
                await self._follow(connection, tell)
            finally:
                await self.release()
                connection.close()

    async def release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _connect(self) -> DBusConnection:
        """Connected, told of shutdowns, and with the lock. Blocking. Raises NoLogind."""
        try:
            connection = open_dbus_connection("SYSTEM", enable_fds=True)
        except (OSError, ValueError) as error:  # no bus; no address of it
            raise NoLogind(f"the system bus does not answer: {error}") from error
        try:
            self._allow(connection)
            rule = MatchRule(type="signal", interface=LOGIND.interface, path=LOGIND.object_path, member="PrepareForShutdown")
            _ask(connection, new_method_call(message_bus, "AddMatch", "s", (rule.serialise(),)))
            self._take_lock(connection)
        except (DBusErrorResponse, OSError) as error:
            connection.close()
            raise NoLogind(str(error)) from error
        return connection

    def _allow(self, connection: DBusConnection) -> None:
        """Have logind wait as long as we need."""
        if _longest_delay(connection) >= self._seconds:
            return
        DROP_IN.parent.mkdir(parents=True, exist_ok=True)
        DROP_IN.write_text(f"# Kubelet logind override\n[Login]\nInhibitDelayMaxSec={self._seconds:.0f}\n")
        kill = new_method_call(SYSTEMD, "KillUnit", "ssi", ("systemd-logind.service", "all", signal.SIGHUP))
        _ask(connection, kill)
        for _ in range(RELOAD_TRIES):
            if _longest_delay(connection) >= self._seconds:
                return
            time.sleep(RELOAD_SECONDS)
        raise NoLogind("node shutdown manager was timed out after waiting for logind InhibitDelayMaxSec to update")

    def _take_lock(self, connection: DBusConnection) -> None:
        words = ("shutdown", "kubelet", "Kubelet needs time to handle node shutdown", "delay")
        (self._lock,) = _ask(connection, new_method_call(LOGIND, "Inhibit", "ssss", words))

    async def _follow(self, connection: DBusConnection, tell: Callable[[bool], None]) -> None:
        """Until the bus closes the connection."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(connection.sock.fileno(), readable.set)
        try:
            while True:
                await readable.wait()
                readable.clear()
                for going_down in _announced(connection):
                    if not going_down and self._lock is None:
                        await asyncio.to_thread(self._take_lock, connection)
                    tell(going_down)
        except (OSError, EOFError) as error:  # ConnectionResetError is one
            log.warning("the system bus has gone", reason=error)
        finally:
            loop.remove_reader(connection.sock.fileno())


class PowerSignal:
    """See `Source`."""

    async def watch(self, tell: Callable[[bool], None]) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGPWR, tell, True)
        try:
            await asyncio.Event().wait()
        finally:
            loop.remove_signal_handler(signal.SIGPWR)

    async def release(self) -> None:
        """Nobody waits."""


def forget_drop_in() -> None:
    """Logind's own configuration counts again, from its next start on."""
    DROP_IN.unlink(missing_ok=True)


def _announced(connection: DBusConnection) -> list[bool]:
    """What PrepareForShutdown signals said that have come."""
    said: list[bool] = []
    while True:
        try:
            message = connection.receive(timeout=0)
        except TimeoutError:
            return said
        if _is_announcement(message):
            said.append(bool(message.body[0]))


def _is_announcement(message: Message) -> bool:
    return message.header.message_type is MessageType.signal and message.body[:1] in ((True,), (False,))


def _longest_delay(connection: DBusConnection) -> float:
    ((_, microseconds),) = _ask(connection, Properties(LOGIND).get("InhibitDelayMaxUSec"))
    return float(microseconds) / 1e6


def _ask(connection: DBusConnection, message: Message) -> Any:
    try:
        return unwrap_msg(connection.send_and_get_reply(message, timeout=REPLY_SECONDS))
    except TimeoutError as error:
        raise OSError(f"{os.strerror(110)}: no reply to {message.header.fields}") from error
