"""Running one health check: (now, event) -> commands, without a socket.

A run walks its script's steps. ``Open`` asks for a connection; ``opened`` and ``failed`` answer it;
``received`` and ``closed`` feed what comes; ``expired`` is the check's timeout. Exactly one ``Finish``
ends a run, after which events are ignored. Who owns the socket closes it then.
"""

from __future__ import annotations

from dataclasses import replace

from evener.haproxy.checks.answer import LIMIT, Answer, InvalidAnswer, has_head, parse
from evener.haproxy.checks.judge import judge, unmet
from evener.haproxy.checks.lively import show_answer, stage
from evener.haproxy.checks.outcome import CheckStatus, Outcome, os_error
from evener.haproxy.checks.steps import (
    CONNECT_ONLY,
    Act,
    Connect,
    Expect,
    Remark,
    Scene,
    Script,
    Send,
    SendHttp,
    Step,
    Value,
    connects_first,
    value_of,
)
from evener.haproxy.notes import notes
from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class Open:
    """Connect, closing what is open; None means the server's own."""

    address: str | None
    port: int | None
    send_proxy: bool
    socks4: bool = False
    linger: bool = False
    mute: bool = False  #: nothing is said or heard before it is closed
    default: bool = True  #: with what the server's own line asks for: a PROXY header, a SOCKS4 proxy


@dataclass(frozen=True, slots=True)
class Write:
    data: bytes


@dataclass(frozen=True, slots=True)
class Finish:
    outcome: Outcome


Command = Open | Write | Finish

_TALK = Send | SendHttp | Expect
_INFO = 127  #: characters of what is told of an end


class CheckRun:
    """One execution of a script, started at ``now`` (seconds)."""

    __slots__ = (
        "_answer",
        "_at",
        "_buffer",
        "_closed",
        "_connecting",
        "_done",
        "_explicit",
        "_lost",
        "_open",
        "_scene",
        "_script",
        "_started",
        "_steps",
    )

    def __init__(self, script: Script, scene: Scene, now: float) -> None:
        self._script = script
        self._scene = staged(script, scene)
        self._started = now
        self._steps: tuple[Step, ...] = script.steps
        self._explicit = connects_first(script.steps)
        if not self._explicit:
            self._steps = (*CONNECT_ONLY.steps, *script.steps)
        self._at = 0
        self._buffer = b""
        self._closed = False
        self._open = False
        self._connecting = False
        self._done = False
        self._lost = 0  #: the errno with which the connection ended
        self._answer: Answer | None = None

    # -- events ---------------------------------------------------------------------------------

    def start(self, now: float) -> list[Command]:
        return self._advance(now)

    def opened(self, now: float) -> list[Command]:
        if self._done or not self._connecting:
            return []
        self._connecting = False
        self._open = True
        self._at += 1
        return self._advance(now)

    def failed(self, now: float, number: int) -> list[Command]:
        """Connecting, reading or writing ended with this errno."""
        if self._done:
            return []
        if self._connecting:
            return self._finish(now, CheckStatus.L4CON, 0, self._located(os_error(number)))
        if self._buffer:
            self._lost = number
            return self.closed(now)  # what came before the end is judged
        return self._finish(now, CheckStatus.SOCKERR, 0, self._located(os_error(number)))

    def refused(self, now: float, told: str) -> list[Command]:
        """What stands between us and the server did not let us through."""
        if self._done:
            return []
        return self._finish(now, CheckStatus.SOCKERR, 0, self._located(told))

    def received(self, now: float, data: bytes) -> list[Command]:
        if self._done:
            return []
        self._buffer = (self._buffer + data)[:LIMIT]
        return self._advance(now)

    def closed(self, now: float) -> list[Command]:
        if self._done:
            return []
        self._closed = True
        return self._advance(now)

    def expired(self, now: float) -> list[Command]:
        """The check's time is over."""
        if self._done:
            return []
        step = self._steps[self._at]
        status = CheckStatus.L4TOUT if self._connecting else CheckStatus.L7TOUT
        if isinstance(step, Expect) and step.timeout is not None:
            status = step.timeout
        return self._finish(now, status, 0, self._located(""))

    # -- the walk -------------------------------------------------------------------------------

    def _advance(self, now: float) -> list[Command]:
        commands: list[Command] = []
        while self._at < len(self._steps):
            step = self._steps[self._at]
            if isinstance(step, Connect):
                if not self._connecting:
                    self._connecting, self._buffer, self._closed = True, b"", False
                    self._answer = None
                    commands.append(self._opening(step))
                return commands
            if isinstance(step, Expect):
                ended = self._expect(step, now)
                if ended is not None:
                    return commands + ended
            elif isinstance(step, Act):
                step.run(self._scene)
            elif not isinstance(step, Remark):
                self._buffer, self._answer = b"", None
                commands.append(Write(_rendered(step, self._scene)))
            self._at += 1
        return commands + self._succeed(now)

    def _expect(self, step: Expect, now: float) -> list[Command] | None:
        """None when the step is met; commands (maybe none yet) otherwise."""
        if step.speech is not None:
            return self._listen(step, now)
        if self._script.http:
            return self._expect_http(step, now)
        if self._scene.txn is not None:
            self._scene.txn.request_body = self._buffer  # what came, for payload fetches
        if not self._buffer and self._closed and not step.negated:
            told = f"TCPCHK got an empty response at step {self._number()}"
            return self._unmet(step, now, CheckStatus.L7RSP, 0, told)
        full = self._closed or len(self._buffer) >= LIMIT
        return self._judged(step, now, judge(step, self._buffer, None, full, self._scene))

    def _expect_http(self, step: Expect, now: float) -> list[Command] | None:
        try:
            self._answer = parse(self._buffer, self._closed)
        except InvalidAnswer:
            lost = self._lost and not has_head(self._buffer)
            return self._finish(now, CheckStatus.SOCKERR, 0, os_error(self._lost) if lost else "")
        answer = self._answer
        if answer is None:
            return []
        if self._scene.txn is not None:
            show_answer(self._scene.txn, answer)
        if answer.broken:
            return self._judged(step, now, False)
        if self._script.soft_404 and answer.status == 404 and not self._scene.stopped:
            return self._finish(now, CheckStatus.L7OKC, 404, "")
        return self._judged(step, now, judge(step, b"", answer, answer.complete, self._scene))

    def _judged(self, step: Expect, now: float, met: bool | None) -> list[Command] | None:
        if met is None:
            return []
        if met:
            return None
        return self._unmet(step, now, *unmet(step, self._answer, self._number()))

    def _unmet(self, step: Expect, now: float, status: CheckStatus, code: int, info: str) -> list[Command]:
        told = _message(step.on_error, self._scene) if step.on_error != b"" else info
        if step.comment:
            told += f" comment: {step.comment}"
        return self._finish(now, step.error or status, self._code(step, code), told)

    def _opening(self, step: Connect) -> Open:
        port = step.port(self._scene) if callable(step.port) else step.port
        mute = not any(isinstance(following, _TALK) for following in self._steps[self._at + 1 :])
        return Open(step.address, port or None, step.send_proxy, step.socks4, step.linger, mute, step.default)

    def _code(self, step: Expect, code: int) -> int:
        found = step.code(self._scene) if step.code is not None else None
        return code if found is None else found

    def _listen(self, step: Expect, now: float) -> list[Command] | None:
        assert step.speech is not None
        said = step.speech(self._buffer, self._closed)
        if said is None:
            if self._closed:
                told = f"TCPCHK got an empty response at step {self._number()}"
                return self._finish(now, step.error or CheckStatus.L7RSP, 0, told)
            return []
        status, code, info = said
        if status is CheckStatus.L7OK and self._at + 1 < len(self._steps):
            return None
        return self._finish(now, status, code, info)

    def _succeed(self, now: float) -> list[Command]:
        last = next((s for s in reversed(self._steps) if not isinstance(s, Act | Remark)), None)
        if not isinstance(last, Expect):
            status = CheckStatus.L7OK if isinstance(last, Send) else CheckStatus.L4OK
            told = "(tcp-check)" if self._script.numbered and self._script.steps else ""
            return self._finish(now, status, 0, told)
        http = self._script.http
        code = self._answer.status if self._answer is not None else 0
        told = _message(last.on_success, self._scene)
        if not http and last.on_success == b"":
            told = "(tcp-check)"
        return self._finish(now, last.ok or CheckStatus.L7OK, self._code(last, code if http else 0), told)

    # -- telling --------------------------------------------------------------------------------

    def _number(self) -> int:
        """The 1-based number of the step among those the user wrote."""
        return self._at + 1 if self._explicit else self._at

    def _located(self, info: str) -> str:
        number = self._number()
        if not self._script.numbered:
            return info
        if number == 0:
            return f"{info} at initial connection step of tcp-check"
        step = self._steps[self._at]
        comment = f" comment: '{step.comment}'" if step.comment else ""
        return f"{info} at step {number} of tcp-check ({step.told()}){comment}"

    def _finish(self, now: float, status: CheckStatus, code: int, info: str) -> list[Command]:
        self._done = True
        outcome = Outcome(status, code, info, max(0, int((now - self._started) * 1000)))
        return [Finish(replace(outcome, info=info[:_INFO]))]


def staged(script: Script, scene: Scene) -> Scene:
    """The scene with what expressions are evaluated on, when there are any."""
    if not script.lively:
        return scene
    scene = replace(scene, txn=stage(scene))
    if script.unique_id is not None:
        notes(scene.txn).unique_id = value_of(script.unique_id, scene)
    return scene


def _message(value: Value, scene: Scene) -> str:
    """As a text of C, which ends at the first NUL."""
    return value_of(value, scene).partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _rendered(step: Send | SendHttp, scene: Scene) -> bytes:
    return step.render(scene) if isinstance(step, SendHttp) else value_of(step.data, scene)
