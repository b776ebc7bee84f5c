"""The service on the bus: calls to answers, and what happens to VRRP to signals.

A property is answered from the states that the VRRP process has told; what only that process can do is an
``Ask``, and the answer follows when it has been done. Errors are those that GLib, which the original answers
by, gives to its callers, to the letter.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from evener.keepalived.dbus.introspection import document
from evener.keepalived.dbus.objects import INSTANCE_INTERFACE, VRRP_INTERFACE, BusPlan
from evener.keepalived.vrrp.messages import Told
from evener.keepalived.vrrp.plan import State
from evener.text.record import dataclass
from evener.wire.dbus import Variant

PROPERTIES: Final = "org.freedesktop.DBus.Properties"
INTROSPECTABLE: Final = "org.freedesktop.DBus.Introspectable"
PEER: Final = "org.freedesktop.DBus.Peer"

UNKNOWN: Final = "org.freedesktop.DBus.Error.UnknownMethod"
INVALID: Final = "org.freedesktop.DBus.Error.InvalidArgs"

STATES: Final = {0: "Init", 1: "Backup", 2: "Master", 3: "Fault", 97: "Deleted", 98: "Stop"}
"""The numbers of states, and what they are called here."""

TOLD: Final = {
    Told.BACKUP: State.BACKUP.value,
    Told.MASTER: State.MASTER.value,
    Told.FAULT: State.FAULT.value,
    Told.DELETED: 97,
    Told.STOP: 98,
}
"""Which notifications are states, and their numbers; the others are not told on the bus."""


class Action(Enum):
    """What only the VRRP process can do, by the methods' names."""

    PRINT_DATA = "PrintData"
    PRINT_STATS = "PrintStats"
    PRINT_STATS_CLEAR = "PrintStatsClear"
    RELOAD = "ReloadConfig"
    SEND_GARP = "SendGarp"


METHODS: Final = {
    VRRP_INTERFACE: (Action.PRINT_DATA, Action.PRINT_STATS, Action.PRINT_STATS_CLEAR, Action.RELOAD),
    INSTANCE_INTERFACE: (Action.SEND_GARP,),
}


@dataclass(frozen=True, slots=True)
class Call:
    """A method call: ``words`` are the strings that its arguments begin with."""

    path: str
    interface: str
    member: str
    signature: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    signature: str = ""
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Have the VRRP process do it (for an instance, by its name), then answer."""

    action: Action
    instance: str = ""


Answer = Reply | Failure | Ask


@dataclass(frozen=True, slots=True)
class Signal:
    path: str
    interface: str
    member: str
    signature: str = ""
    values: tuple[Any, ...] = ()


class Service:
    """``states`` are numbers, by the names of instances. ``machine_id`` says who this machine is."""

    def __init__(self, plan: BusPlan, states: dict[str, int], machine_id: Callable[[], str]) -> None:
        self._machine_id = machine_id
        self.adopt(plan, states)

    def adopt(self, plan: BusPlan, states: dict[str, int]) -> None:
        """What is there from now on."""
        self.plan = plan
        self._states = states
        self._names = {path: name for name, path in plan.instances.items()}

    # -- signals -------------------------------------------------------------------------------

    def started(self) -> list[Signal]:
        """What is told on a bus that has just been joined."""
        states = (self._status(name) for name in self.plan.instances)
        return [Signal(self.plan.vrrp, VRRP_INTERFACE, "VrrpStarted"), *states]

    def reloaded(self) -> Signal:
        return Signal(self.plan.vrrp, VRRP_INTERFACE, "VrrpReloaded")

    def stopped(self) -> Signal:
        return Signal(self.plan.vrrp, VRRP_INTERFACE, "VrrpStopped")

    def changed(self, name: str, state: int) -> list[Signal]:
        """An instance tells its state, which it may have told before."""
        if name not in self.plan.instances or self._states.get(name) == state:
            return []
        self._states[name] = state
        return [self._status(name)]

    def _status(self, name: str) -> Signal:
        path, state = self.plan.instances[name], self._states.get(name, 0)
        return Signal(path, INSTANCE_INTERFACE, "VrrpStatusChange", "u", (state,))

    # -- calls ---------------------------------------------------------------------------------

    def answer(self, call: Call) -> Answer:
        own = self._interface(call.path)
        if call.interface == INTROSPECTABLE and (call.member, call.signature) == ("Introspect", ""):
            return Reply("s", (document(own, self._below(call.path)),))
        if call.interface == PEER and not call.signature and call.member in ("Ping", "GetMachineId"):
            return Reply() if call.member == "Ping" else Reply("s", (self._machine_id(),))
        if own is None or not call.interface:
            return Failure(UNKNOWN, f"Object does not exist at path “{call.path}”")
        if call.interface == PROPERTIES and (call.member, call.signature) in PROPERTY_CALLS:
            return self._property(call, own)
        if call.interface != own:
            return Failure(UNKNOWN, f"No such interface “{call.interface}” on object at path {call.path}")
        return self._method(call, own)

    def _method(self, call: Call, own: str) -> Answer:
        action = next((action for action in METHODS[own] if action.value == call.member), None)
        if action is None:
            return Failure(UNKNOWN, f"No such method “{call.member}”")
        if call.signature:
            mistake = f"Type of message, “({call.signature})”, does not match expected type “()”"
            return Failure(INVALID, mistake)
        return Ask(action, self._names.get(call.path, ""))

    def _property(self, call: Call, own: str) -> Answer:
        if call.words[0] != own:
            return Failure(INVALID, f"No such interface “{call.words[0]}”")
        known = self._properties(call.path)
        if call.member == "GetAll":
            return Reply("a{sv}", (known,))
        name = call.words[1]
        if name not in known:
            return Failure(INVALID, f"No such property “{name}”")
        if call.member == "Set":
            return Failure(INVALID, f"Property “{name}” is not writable")
        return Reply("v", (known[name],))

    def _properties(self, path: str) -> dict[str, Variant]:
        if path not in self._names:
            return {}
        name = self._names[path]
        state = self._states.get(name, 0)
        return {"Name": Variant("(s)", (name,)), "State": Variant("(us)", (state, STATES[state]))}

    def _interface(self, path: str) -> str | None:
        """Of the object at ``path``; None when there is none."""
        if path == self.plan.vrrp:
            return VRRP_INTERFACE
        return INSTANCE_INTERFACE if path in self._names else None

    def _below(self, path: str) -> list[str]:
        """The next parts of all paths that go on from ``path``."""
        start = "/" if path == "/" else f"{path}/"
        all_paths = (self.plan.vrrp, *self._names)
        longer = (other[len(start) :] for other in all_paths if other.startswith(start))
        return list(dict.fromkeys(rest.partition("/")[0] for rest in longer))


PROPERTY_CALLS: Final = (("Get", "ss"), ("GetAll", "s"), ("Set", "ssv"))


def not_found(plan: BusPlan, name: str) -> Failure:
    """The VRRP process does not know the instance (any more)."""
    place = plan.instances.get(name, name).partition("/Instance/")[2] or name
    return Failure(INVALID, f"Instance '{place}' not found")
