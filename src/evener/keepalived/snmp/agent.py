"""The subagent: its session with a master agent, without any socket.

Theory of operation. ``host/snmp_session.py`` connects and says so (``connected``), hands over what arrives
(``received``), and sends what the methods return. The subagent opens a session, registers its trees and adds
them to sysORTable, answers requests, pings now and then, and may notify while the session is open; what is
to be notified before that waits for a while. When the master says something that is no AgentX, or nothing
where it should answer, ``Lost`` is raised: the connection is closed and tried again later.

The work for one request is bounded: a GetBulk is answered with as many repetitions as fit (RFC 2741 7.2.3.3
lets a subagent return fewer).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from enum import Enum, auto
from typing import Generic, TypeVar

from evener.keepalived.snmp.mib import Look, Mib, Table
from evener.text.record import dataclass
from evener.wire import agentx
from evener.wire.agentx import Error, Kind, Message, Oid, Pdu, Range, Variable

State = TypeVar("State")

SECOND = 1_000_000
ANSWER_US = 5 * SECOND
"""How long the master may take to answer."""
PING_US = 120 * SECOND
MOST_WAITING = 256
"""Traps that wait for a session."""
MOST_VARIABLES = 512
"""In an answer to GetBulk."""
SNMP_TRAP_OID: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)

REGISTRATION_NAMES = {Pdu.REGISTER, Pdu.ADD_CAPABILITIES}


class Lost(Exception):
    """The session is of no use any more."""


class Phase(Enum):
    CLOSED = auto()
    OPENING = auto()
    OPEN = auto()


@dataclass(frozen=True, slots=True)
class Tree:
    """What is registered: the root of some tables, and its name in sysORTable."""

    root: Oid
    name: str
    tables: tuple[Table, ...]


class Subagent(Generic[State]):
    """See the module; times are microseconds of the caller's clock."""

    def __init__(self, trees: Iterable[Tree], state: State) -> None:
        self._trees = tuple(trees)
        self._state = state
        self._mib: Mib[State] = Mib([table for tree in self._trees for table in tree.tables])
        self._waiting: deque[tuple[Variable, ...]] = deque(maxlen=MOST_WAITING)
        self.phase = Phase.CLOSED
        self.refused: list[str] = []
        """Names of trees that the master does not take from us, to be told."""
        self._reset()

    def _reset(self) -> None:
        self.phase = Phase.CLOSED
        self._decoder = agentx.Decoder()
        self._session = self._packet = 0
        self._answer_by: int | None = None
        self._ping_at: int | None = None
        self._asked: dict[int, str] = {}
        self._settings: tuple[Variable, ...] = ()
        self._previous: tuple[Variable, ...] = ()

    # -- the connection ------------------------------------------------------------------------

    def connected(self, now: int) -> bytes:
        self._reset()
        self.phase = Phase.OPENING
        self._answer_by = now + ANSWER_US
        return agentx.open_session(self._number(), (), b"Keepalived")

    def disconnected(self) -> None:
        """What was to be notified is not kept for a master that may come one day."""
        self._waiting.clear()
        self._reset()

    def next_timer(self) -> int | None:
        return min((t for t in (self._answer_by, self._ping_at) if t is not None), default=None)

    def tick(self, now: int) -> bytes:
        if self._answer_by is not None and self._answer_by <= now:
            raise Lost("the master agent does not answer")
        if self._ping_at is None or self._ping_at > now:
            return b""
        self._ping_at = now + PING_US
        self._answer_by = now + ANSWER_US
        return agentx.ping(self._session, self._number())

    def goodbye(self) -> bytes:
        return agentx.close(self._session, self._number()) if self.phase is Phase.OPEN else b""

    def notify(self, trap: Oid, variables: Iterable[Variable]) -> bytes:
        """A trap, sent or kept until the session is open."""
        what = (Variable(SNMP_TRAP_OID, Kind.OID, trap), *variables)
        if self.phase is Phase.OPEN:
            return agentx.notify(self._session, self._number(), what)
        self._waiting.append(what)
        return b""

    def _number(self) -> int:
        self._packet = (self._packet + 1) & 0xFFFFFFFF
        return self._packet

    # -- what the master says ------------------------------------------------------------------

    def received(self, now: int, data: bytes) -> bytes:
        try:
            messages = self._decoder.feed(data)
        except agentx.ProtocolError as error:
            raise Lost(f"the master agent does not speak AgentX: {error}") from None
        return b"".join(self._hear(now, message) for message in messages)

    def _hear(self, now: int, message: Message) -> bytes:
        if message.pdu is Pdu.RESPONSE:
            return self._answered(now, message)
        if message.pdu is Pdu.CLOSE:
            raise Lost("the master agent closed the session")
        if message.session != self._session or self.phase is not Phase.OPEN:
            return agentx.respond(message, error=Error.NOT_OPEN)
        if message.foreign:
            return agentx.respond(message, error=Error.UNSUPPORTED_CONTEXT)
        return self._serve(message)

    def _answered(self, now: int, message: Message) -> bytes:
        self._answer_by = None
        if self.phase is not Phase.OPENING:
            tree = self._asked.pop(message.packet, None)
            if message.error and tree is not None:
                self.refused.append(tree)
            if message.error == Error.NOT_OPEN:
                raise Lost("the master agent has forgotten the session")
            return b""
        if message.error:
            raise Lost("the master agent refuses a session")
        self.phase, self._session, self._ping_at = Phase.OPEN, message.session, now + PING_US
        return self._introduce()

    def _introduce(self) -> bytes:
        said = bytearray()
        for tree in self._trees:
            number = self._number()
            self._asked[number] = tree.name
            said += agentx.register(self._session, number, tree.root)
            text = f"The MIB module for {tree.name}".encode()
            said += agentx.add_capabilities(self._session, self._number(), tree.root, text)
        while self._waiting:
            said += agentx.notify(self._session, self._number(), self._waiting.popleft())
        return bytes(said)

    # -- requests ------------------------------------------------------------------------------

    def _serve(self, message: Message) -> bytes:
        look = self._mib.look(self._state)
        match message.pdu:
            case Pdu.GET:
                return agentx.respond(message, tuple(look.get(asked.start) for asked in message.ranges))
            case Pdu.GET_NEXT:
                return agentx.respond(message, tuple(look.next(asked) for asked in message.ranges))
            case Pdu.GET_BULK:
                return agentx.respond(message, _bulk(look, message))
            case Pdu.TEST_SET:
                return self._test(look, message)
            case Pdu.COMMIT_SET:
                self._previous = tuple(look.get(wanted.name) for wanted in self._settings)
                return self._write(look, message, self._settings)
            case Pdu.UNDO_SET:
                return self._write(look, message, self._previous)
            case Pdu.CLEANUP_SET:  # the only one without an answer (RFC 2741 7.2.4.4)
                self._settings = self._previous = ()
                return b""
        return agentx.respond(message, error=Error.PARSE)

    def _write(self, look: Look[State], message: Message, several: tuple[Variable, ...]) -> bytes:
        for wanted in several:
            look.write(wanted)
        return agentx.respond(message)

    def _test(self, look: Look[State], message: Message) -> bytes:
        for number, wanted in enumerate(message.variables, 1):
            error = look.test(wanted)
            if error:
                return agentx.respond(message, error=error, index=number)
        self._settings = message.variables
        return agentx.respond(message)


def _bulk(look: Look[State], message: Message) -> tuple[Variable, ...]:
    few = message.ranges[: message.non_repeaters]
    many = list(message.ranges[message.non_repeaters :])
    found = [look.next(asked) for asked in few]
    for _ in range(message.repetitions):
        if not many or len(found) + len(many) > MOST_VARIABLES:
            break
        row = [look.next(asked) for asked in many]
        found += row
        if all(variable.kind is Kind.END_OF_VIEW for variable in row):
            break
        many = [Range(v.name, asked.end, False) for v, asked in zip(row, many, strict=True)]
    return tuple(found)
