"""A private message bus, with somebody who hears all signals, and who calls. No system bus is touched."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, Message, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

SERVICE = "org.keepalived.Vrrp1"
ROOT = "/org/keepalived/Vrrp1"
BUS = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
 <type>system</type>
 <listen>{address}</listen>
 <auth>EXTERNAL</auth>
 <policy context="default">
{rules}
 </policy>
{more}
</busconfig>
"""
EVERYTHING = '<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>'
AS_USUAL = """
<deny own="*"/><deny send_type="method_call"/>
<allow send_type="signal"/><allow send_requested_reply="true" send_type="method_return"/>
<allow send_requested_reply="true" send_type="error"/>
<allow receive_type="method_call"/><allow receive_type="method_return"/>
<allow receive_type="error"/><allow receive_type="signal"/>
<allow send_destination="org.freedesktop.DBus"/>
"""
"""What a system's bus permits: more is permitted by files for each service."""

Told = tuple[str, str, tuple[Any, ...]]
"""Of a signal: the path (what follows ROOT), its name, its values."""


class MessageBus:
    """A dbus-daemon; ``stop`` and ``start`` it as you like. Close it."""

    def __init__(self, home: Path) -> None:
        if shutil.which("dbus-daemon") is None:
            pytest.skip("dbus-daemon is not installed")
        self.address = f"unix:path={home}/bus"
        self._socket = home / "bus"
        self._configuration = home / "bus.conf"
        self.permit(EVERYTHING)
        self._process: subprocess.Popen[bytes] | None = None
        self.told: list[Told] = []
        self.start()

    def permit(self, rules: str, more: str = "") -> None:
        """Counts for one that is started afterwards."""
        text = CONFIGURATION.format(address=self.address, rules=rules, more=more)
        self._configuration.write_text(text, encoding="ascii")

    def start(self) -> None:
        self._socket.unlink(missing_ok=True)
        command = ["dbus-daemon", f"--config-file={self._configuration}", "--nofork", "--nopidfile"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._caller, listener = self._connect(), self._connect()
        rule = f"type='signal',path_namespace='{ROOT}'"
        listener.send_and_get_reply(new_method_call(BUS, "AddMatch", "s", (rule,)), timeout=10)
        threading.Thread(target=self._listen, args=(listener,), daemon=True).start()

    def _connect(self) -> DBusConnection:
        for _ in range(200):
            with suppress(OSError):
                return open_dbus_connection(self.address)
            time.sleep(0.05)
        raise AssertionError("dbus-daemon does not listen")

    def _listen(self, listener: DBusConnection) -> None:
        with listener, suppress(ConnectionResetError, OSError):
            while True:
                self._note(listener.receive())

    def _note(self, message: Message) -> None:
        fields = message.header.fields
        path = fields.get(HeaderFields.path, "")
        if path.startswith(ROOT):
            self.told.append((path[len(ROOT) :], fields[HeaderFields.member], message.body))

    def call(self, path: str, member: str, *words: str, service: str = SERVICE) -> Any:
        """A method (with its interface before it) of an object below ROOT, or at ``path`` if that begins with
        two slashes: what comes back, or the error's name and text."""
        interface, _, name = member.rpartition(".")
        place = DBusAddress(path[1:] if path.startswith("//") else ROOT + path, service, interface or None)
        call = new_method_call(place, name, "s" * len(words) or None, words)
        answer = self._caller.send_and_get_reply(call, timeout=10)
        error = answer.header.fields.get(HeaderFields.error_name)
        return answer.body if error is None else (error.rpartition(".")[2], *answer.body)

    def has_owner(self, service: str = SERVICE) -> bool:
        call = new_method_call(BUS, "NameHasOwner", "s", (service,))
        return bool(self._caller.send_and_get_reply(call, timeout=10).body[0])

    def request(self, service: str = SERVICE) -> DBusConnection:
        """Somebody else has the name, until the connection is closed."""
        other = self._connect()
        other.send_and_get_reply(new_method_call(BUS, "RequestName", "su", (service, 0)), timeout=10)
        return other

    def stop(self) -> None:
        self._caller.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def close(self) -> None:
        self.stop()
