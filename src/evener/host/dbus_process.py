"""The DBus helper of the VRRP process: the service (keepalived/dbus) on a bus, in a process of its own.

Whoever may talk to the bus may send what he likes as often as he likes; none of that is the VRRP process's
business. What reaches it are requests that only it can serve: one at a time, with pauses that leave it most
of its time. The others wait, up to a limit.

    VRRP process to helper      ["state", NAME, NUMBER]  ["adopt", BUS PLAN, STATES]  ["done", OK]  ["stop"]
    helper to VRRP process      ["ask", ACTION, NAME]

A bus that is not there, or goes away, is looked for again; where somebody else has our name, it is ours when
he leaves. (The original is lost in both cases.) When the VRRP process ends, the helper does.
"""

from __future__ import annotations

import json
import os
import socket
from collections import deque
from typing import Any

from evener.host.dbus_connection import Connection, system_bus
from evener.host.helper_messages import messages
from evener.host.reactor import READABLE, Reactor, Timer
from evener.host.vrrp_log import LogSink
from evener.keepalived.dbus.objects import BusPlan
from evener.keepalived.dbus.service import Answer, Ask, Call, Failure, Reply, Service, Signal, not_found
from evener.wire.dbus import BUS_NAME, Kind, Malformed, Message, body, is_bus_name

MESSAGE_BYTES = 1 << 22
SHORTEST_PAUSE_S = 0.05
PAUSES = 9
"""A pause is so many times as long as the request before it took."""
MOST_ASKS = 64
RETRY_S = 2.0
IN_QUEUE = 2
BUSY = Failure("org.freedesktop.DBus.Error.LimitsExceeded", "Too many requests are waiting")
MACHINE_ID_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")


class DbusHelper:
    """See the module. ``far`` is the socket to the VRRP process; ``serve`` returns when that is over."""

    def __init__(self, far: socket.socket, plan: BusPlan, states: dict[str, int], log: LogSink) -> None:
        self._far, self._log = far, log
        self._reactor = Reactor()
        self._service = Service(plan, states, machine_id)
        self._bus: Connection | None = None
        self._live = False
        self._mute = False
        self._requested = 0
        self._asking: deque[tuple[Message, Ask]] = deque()
        self._asked: tuple[Connection | None, Message, Ask] | None = None
        self._asked_at = 0.0
        self._next_ask: Timer | None = None
        far.setblocking(False)
        self._reactor.watch(far.fileno(), READABLE, lambda _events: self._vrrp_spoke())

    def serve(self) -> None:
        name = self._service.plan.service
        if is_bus_name(name):
            self._join()
        else:
            self._log(f"DBus service name '{name}' is not a name for a bus - no DBus")
        self._reactor.run()
        if self._bus is not None:
            self._bus.close()
        self._reactor.close()

    # -- the bus -------------------------------------------------------------------------------

    def _join(self) -> None:
        try:
            self._bus = Connection(self._reactor, system_bus(), self._joined, self._heard, self._lost)
        except OSError as error:
            self._lost(error.strerror or str(error))

    def _joined(self) -> None:
        self._live, self._mute = True, False
        self._log(f"Acquired DBus bus {self._service.plan.service}")
        for signal in self._service.started():
            self._emit(signal)
        if self._bus is not None:
            self._requested = self._bus.call_bus("RequestName", "su", self._service.plan.service, 0)

    def _lost(self, why: str) -> None:
        """Said once, however long it lasts."""
        self._bus, self._live = None, False
        self._asking.clear()
        if not self._mute:
            self._log_lost(why)
        self._mute = True
        self._reactor.later(RETRY_S, self._join)

    def _log_lost(self, why: str) -> None:
        self._log(f"Lost the name {self._service.plan.service} on the session bus")
        self._log(f"DBus: {why}", detail=True)

    def _heard(self, message: Message) -> None:
        if message.kind is Kind.CALL:
            self._called(message)
        elif message.sender == BUS_NAME and message.member == "NameAcquired":
            self._named(message, "Acquired")
        elif message.sender == BUS_NAME and message.member == "NameLost":
            self._named(message, "Lost")
        elif message.reply_to == self._requested and message.sender == BUS_NAME:
            self._name_answered(message)

    def _named(self, message: Message, what: str) -> None:
        if message.words() == (self._service.plan.service,):
            self._log(f"{what} the name {self._service.plan.service} on the session bus")

    def _name_answered(self, message: Message) -> None:
        """That it is ours is told by a signal."""
        if message.kind is Kind.ERROR:
            self._log_lost(" ".join((message.error, *message.words())))
        elif message.number() == IN_QUEUE:
            self._log_lost("somebody else has it")

    def _emit(self, signal: Signal) -> None:
        if self._live and self._bus is not None:
            self._bus.send(
                Message(
                    Kind.SIGNAL,
                    0,
                    path=signal.path,
                    interface=signal.interface,
                    member=signal.member,
                    signature=signal.signature,
                    body=body(signal.signature, *signal.values),
                )
            )

    # -- calls ---------------------------------------------------------------------------------

    def _called(self, message: Message) -> None:
        try:
            words = message.words()
        except Malformed:
            return  # the bus has let it pass; nobody is owed an answer to it
        call = Call(message.path, message.interface, message.member, message.signature, words)
        answer = self._service.answer(call)
        if not isinstance(answer, Ask):
            self._reply(message, answer)
        elif len(self._asking) >= MOST_ASKS:
            self._reply(message, BUSY)
        else:
            self._asking.append((message, answer))
            self._ask()

    def _reply(self, message: Message, answer: Answer) -> None:
        if message.no_reply or self._bus is None:
            return
        if isinstance(answer, Failure):
            kind, error, signature, values = Kind.ERROR, answer.name, "s", (answer.text,)
        else:
            assert isinstance(answer, Reply)
            kind, error, signature, values = Kind.RETURN, "", answer.signature, answer.values
        self._bus.send(
            Message(
                kind,
                0,
                error=error,
                reply_to=message.serial,
                destination=message.sender,
                signature=signature,
                body=body(signature, *values),
                no_reply=True,
            )
        )

    def _ask(self) -> None:
        """The next request, if none is under way."""
        if self._asked or self._next_ask is not None or not self._asking:
            return
        message, ask = self._asking.popleft()
        self._asked = (self._bus, message, ask)
        self._asked_at = self._reactor.now()
        self._tell_vrrp("ask", ask.action.value, ask.instance)

    def _done(self, ok: bool) -> None:
        assert self._asked is not None
        bus, message, ask = self._asked
        self._asked = None
        if bus is self._bus:
            self._reply(message, Reply() if ok else not_found(self._service.plan, ask.instance))
        took = self._reactor.now() - self._asked_at
        self._next_ask = self._reactor.later(max(SHORTEST_PAUSE_S, PAUSES * took), self._rested)

    def _rested(self) -> None:
        self._next_ask = None
        self._ask()

    # -- the VRRP process ----------------------------------------------------------------------

    def _tell_vrrp(self, *words: Any) -> None:
        try:
            self._far.send(json.dumps(words).encode())
        except OSError:
            self._reactor.stop()

    def _vrrp_spoke(self) -> None:
        for message in messages(self._far, MESSAGE_BYTES, self._reactor.stop):
            self._obey(*message)

    def _obey(self, what: str, *words: Any) -> None:
        if what == "state":
            for signal in self._service.changed(*words):
                self._emit(signal)
        elif what == "adopt":
            self._adopt(BusPlan(*words[0]), words[1])
        elif what == "done":
            self._done(*words)
        elif what == "stop":
            self._stop()

    def _adopt(self, plan: BusPlan, states: dict[str, int]) -> None:
        for name in self._service.plan.instances.keys() - plan.instances.keys():
            if self._service.plan.instances[name] not in plan.instances.values():
                self._log(f"Deleted DBus object for instance {name}")
        self._service.adopt(plan, states)
        self._emit(self._service.reloaded())

    def _stop(self) -> None:
        self._emit(self._service.stopped())
        if self._bus is not None:
            self._bus.finish()
            self._bus = None
        self._log("Released DBus")
        self._reactor.stop()


def machine_id() -> str:
    """As /etc/machine-id has it; "" where there is none."""
    for path in MACHINE_ID_FILES:
        try:
            with open(path, encoding="ascii", errors="replace") as file:
                return file.read(64).strip()
        except OSError:
            continue
    return ""


def live(far: socket.socket, plan: BusPlan, states: dict[str, int], log: LogSink) -> None:
    """The helper's life."""
    DbusHelper(far, plan, states, LogSink(log.options, log.tag)).serve()
    os._exit(0)
