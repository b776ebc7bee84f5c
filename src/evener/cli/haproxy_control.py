"""The control process while it runs: carries out what is decided, serves the runtime API, obeys signals.

It shares the segment with the workers, runs the checks, and answers the runtime sockets; no byte of the
traffic passes here. The data path learns of it through cells, and through a few messages to the workers:
``soft-stop``, ``pause``, ``resume``, ``address`` and ``shared`` (what ``sharing`` keeps alike).

INT and TERM are left to their default action: the process dies at once, seen by its parent as killed by
that signal, and the workers with it. USR1 stops softly. A worker that ends without having been asked to
is a crash of the whole: the control process then dies of the same signal, or exits with the same code,
so that a service manager sees what it would see of the original.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import field, replace
from functools import partial
from typing import Any

from evener.cli import haproxy_asked as asked
from evener.cli.assemble import connect_logs
from evener.cli.haproxy_console import Console
from evener.cli.haproxy_listen import Listening
from evener.cli.haproxy_obeying import Obeying
from evener.cli.haproxy_texts import blocked
from evener.engine.core import Engine, Segment
from evener.engine.exchange import inboxes
from evener.haproxy.checks.outcome import Outcome
from evener.haproxy.checks.state_header import state_of
from evener.haproxy.checks.steps import Scene
from evener.haproxy.columns import PROCESS_ROW, Column
from evener.haproxy.commands import (
    AddBackend,
    AddServer,
    Bump,
    Command,
    DropBackend,
    DropServer,
    GoBehind,
    MoveServer,
    PauseFrontend,
    PermitCertificate,
    PublishBackend,
    RenameServer,
    Say,
    SetCell,
    SetCookies,
)
from evener.haproxy.control import Control
from evener.haproxy.email import letters
from evener.haproxy.health import Health
from evener.haproxy.identity import IDENTITY
from evener.haproxy.inquiry import Inquiry
from evener.haproxy.layouts import Layouts
from evener.haproxy.observe import INTERVAL
from evener.haproxy.plan import BackendPlan, FrontendPlan
from evener.haproxy.runtime_api import Level, Session
from evener.haproxy.sections.global_ import Global
from evener.haproxy.sections.log_values import Log
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.server_state import Operation, Server
from evener.haproxy.services import prometheus, stats_page
from evener.haproxy.sharing import Hub
from evener.haproxy.standing import hard_stopped, standing, stopped, unbound
from evener.haproxy.tuning import placement, tuning
from evener.host.alert_mail import Post
from evener.host.check_io import CheckRunner
from evener.host.check_process import CheckProcesses
from evener.host.listeners import pause_listener, resume_listener
from evener.host.log_house import LogHouse
from evener.host.log_targets import identity_of, sender_of, targets_of
from evener.host.privileges import keep_to
from evener.host.questions import Answering, Asking, question_pair
from evener.host.reactor import Reactor
from evener.host.runtime_socket import RuntimeSocket
from evener.host.syslog import Sender
from evener.host.workers import Channel, Crew, Message, Worker
from evener.text.record import dataclass

WARNING = 4
LAST_MOMENT = 1.0  #: seconds that workers have to end by themselves in a hard stop


@dataclass(slots=True)
class ControlProcess:
    """Made before the fork, started after it; ``code`` is the exit code when the loop has ended."""

    reactor: Reactor
    segment: Segment
    engine: Engine
    listening: Listening
    console: Console
    global_: Global
    control: Control
    crew: Crew = field(init=False)
    house: LogHouse = field(init=False)
    checks: CheckRunner = field(init=False)
    processes: CheckProcesses = field(init=False)
    hub: Hub = field(init=False)
    post: Post = field(init=False)
    layouts: Layouts = field(init=False)
    runtime: list[RuntimeSocket] = field(default_factory=list)
    code: int = 0
    stopping: bool = False
    _observing: bool = False
    _inquiries: dict[int, Inquiry] = field(default_factory=dict)
    _senders: dict[int, Sender] = field(default_factory=dict)
    _questions: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)
    _inboxes: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.crew = Crew(self.reactor, self._worker_ended, self._worker_said)
        self.layouts = Layouts(self.segment)
        fleet = self.control.fleet
        spread, longest = self.global_.spread_checks or 0, (self.global_.max_spread_checks or 0) / 1000
        self.processes = CheckProcesses(self.reactor, lambda told: self.console.tell("ALERT", told))
        self.checks = CheckRunner(
            self.reactor, list(fleet), self._check_ended, self._scene, spread, longest, self.processes
        )
        self.control.perform = self.perform
        self.post = Post(self.reactor, lambda told: self.console.tell("WARNING", told))
        received = partial(self.segment.add, PROCESS_ROW, Column.LOGS_RECEIVED, 1)
        self.house = LogHouse(self.reactor, self.control.plan.configuration, fleet, received)
        self.hub = Hub(self.control.plan.lists, lambda origin, new: self.crew.tell("shared", origin, new))
        self.control.share = self.hub.change
        self.control.set_variable = self.hub.set_variable
        self.control.forget = self.checks.drop
        self.control.say = self.console.tell
        self.control.inquire = self.inquire
        self.control.leave = os._exit

    # -- starting -------------------------------------------------------------------------------

    def start(self, workers: int) -> None:
        """Fork the workers, then watch everything."""
        IDENTITY.started = os.getpid()
        self.segment.set(PROCESS_ROW, Column.WORKERS, workers)
        self.perform(self.control.fleet.start(self.reactor.now()))
        for number, act in self._signals().items():
            self.reactor.on_signal(number, act)
        if self.checks.runs_commands:
            self.processes.start()
        self._questions = [question_pair() for _ in range(workers)]
        shared = self.global_.tune_idle_pool_shared != "off"
        self._inboxes = inboxes(workers) if workers > 1 and shared else []
        self.crew.start(workers, self._work)
        self.house.start(self.listening.logs)
        self.control.rings = self.house.rings
        for ours, theirs in self._questions:
            theirs.close()
            Answering(self.reactor, ours, self._answer).start()
        self.checks.start()
        limit = self.global_.stats.maxconn or 10
        for stats, opened in self.listening.runtime:
            level = Level[(stats.options.level or "operator").upper()]
            session = self._session(level, stats.options.severity_output or "none")
            exposed = (lambda: self.listening.handed) if stats.options.expose_fd else None
            made = RuntimeSocket(self.reactor, opened, session, limit, self.crew.settled, exposed)
            self.runtime.append(made)
            made.start()
        self._tick()
        if any(server.observer is not None for server in self.control.fleet):
            self._observe()

    def _session(self, level: Level, severity: str) -> Callable[[], Session]:
        timeout = (self.global_.stats.timeout or 10_000) / 1000
        payload, line = tuning(self.global_).payload, self.control.buffer_size
        return lambda: Session(
            self.control, level, severity=severity, timeout=timeout, most_payload=payload, most_line=line
        )

    def _work(self, index: int, channel: Channel) -> None:
        """The body of a worker."""
        for opened in (
            *(opened for _, opened in self.listening.runtime),
            *(opened for *_, opened in self.listening.logs),
        ):
            opened.close()
        self.processes.abandon()
        keep_to(placement(tuning(self.global_).cpus, self.control.plan.workers)[index])
        engine = self.engine
        engine.worker = IDENTITY.worker = index
        connect_logs(self.control.plan, self._request_log)
        engine.watch(channel.fileno(), Obeying(self.control.plan, engine, channel, index).receive)
        asking = Asking(self._questions[index][1])
        self.control.plan.enquiries.ask = asking.ask
        engine.watch(asking.fileno(), asking.receive)
        for ours, _ in self._questions:
            ours.close()
        engine.hear_blocked(
            tuning(self.global_).patience,
            lambda spent: self.console.tell("WARNING", blocked(index, spent, engine.clients)),
        )
        engine.hear_invalid(asked.invalid_teller(channel))
        engine.hear_unbound(partial(channel.tell, "unbound"))
        if self._inboxes:
            engine.exchange(self._inboxes)
        engine.run()

    def _answer(self, subject: str, question: list[Any]) -> bytes:
        """What a worker asked on behalf of a client of its own."""
        answer = {"stats": stats_page.answer, "prometheus-exporter": prometheus.answer}[subject]
        return answer(self.control, question)

    def _request_log(self, logs: Sequence[Log], tag: str | None) -> Sender:
        """Where a frontend's request lines go: they carry the number of the control process."""
        identity = identity_of(self.global_, None, self.control.facts.pid)
        if tag:
            identity = replace(identity, tag=tag)
        targets = list(targets_of(logs, self.global_, self.house.worker_sink))
        return Sender(targets, identity, self._log_dropped)

    def _log_dropped(self) -> None:
        self.segment.add(PROCESS_ROW, Column.LOGS_DROPPED, 1)

    def inquire(self, *question: Any) -> Inquiry:
        """Ask all workers; what they answer is in the inquiry soon."""
        number = max(self._inquiries, default=0) + 1
        for old in [each for each in self._inquiries if each <= number - 16]:
            del self._inquiries[old]
        made = self._inquiries[number] = Inquiry(len(self.crew.workers))
        self.crew.tell("asked", number, *question)
        return made

    def _worker_said(self, worker: Worker, message: Message) -> None:
        if message[0] == "shared":
            self.hub.heard(worker.index, message[1])
        elif message[0] == "answer":
            inquiry = self._inquiries.get(message[1])
            if inquiry is not None:
                inquiry.hear(message[2], message[3])
        elif message[0] == "invalid":
            front, back, server, host, port, data, position = message[1:]
            raw = data.encode("latin-1")
            now = self.control.wall()
            self.control.invalid.keep(now, front, back, server, (host, port), raw, position)
        elif message[0] == "unbound":
            self.say(unbound(self.control, *message[1:]))

    # -- carrying out ---------------------------------------------------------------------------

    def perform(self, commands: Sequence[Command]) -> None:
        changed: dict[int, None] = {}
        for command in commands:
            if isinstance(command, SetCell):
                self.segment.set(command.row, command.column, command.value)
                if (command.row, command.column) == (PROCESS_ROW, Column.MAXCONN):
                    self.crew.tell("maxconn", command.value)
            elif isinstance(command, Bump) and command.column == Column.EPOCH:
                changed[command.row] = None
            elif isinstance(command, GoBehind):
                turn = self.segment.add(command.backend, Column.ROTATION, 1)
                self.segment.set(command.row, Column.ROTATION, turn)
            elif isinstance(command, Bump):
                self.segment.add(command.row, command.column, 1)
            elif isinstance(command, Say):
                self.say(command)
            elif isinstance(command, MoveServer):
                server = self.control.fleet.at(command.backend, command.server)
                where = (server.family, server.address, server.port)
                self.crew.tell("address", command.backend, command.server, *where)
            elif isinstance(command, AddServer):
                self.crew.tell("add-server", command.backend, command.server, command.row, command.words)
                self._admit(command)
            elif isinstance(command, DropServer):
                self.crew.tell("drop-server", command.backend, command.server, command.nowhere)
            elif isinstance(command, AddBackend):
                self.crew.tell("add-backend", command.place, command.number, command.row, command.words)
            elif isinstance(command, DropBackend):
                self.crew.tell("drop-backend", command.place, command.nowhere)
            elif isinstance(command, PublishBackend):
                self.crew.tell("publish-backend", command.place, command.published)
            elif isinstance(command, SetCookies):
                values = [(index, value.decode() if value else None) for index, value in command.values]
                asked.set_cookies(self.control.plan, command.backend, values)
                self.crew.tell("cookies", command.backend, values)
            elif isinstance(command, RenameServer):
                self.crew.tell("rename", command.backend, command.server, command.name)
            elif isinstance(command, PermitCertificate):
                self.crew.tell("permit", command.name, command.usable)
            else:
                self._pause_frontend(command)
        self._lay_out(changed)

    def _lay_out(self, rows: Collection[int]) -> None:
        """Servers of the backends of these rows have changed."""
        if not rows:
            return
        plans = {plan.row: plan for plan in self.control.plan.backends}
        for row in rows:
            if row in plans:
                self.layouts.change(plans[row])
            self.segment.add(row, Column.EPOCH, 1)
        self.house.refresh()

    def say(self, said: Say) -> None:
        if said.severity:
            self.console.tell(said.severity, said.shown or said.text)
        proxy: BackendPlan | FrontendPlan | None = None
        if said.backend >= 0:
            proxy = self.control.plan.backends[said.backend]
        elif said.frontend >= 0:
            proxy = self.control.plan.frontends[said.frontend]
        if proxy is not None:
            sender = self._senders.get(id(proxy))
            if sender is None:
                sender = self._senders[id(proxy)] = sender_of(
                    self.global_, proxy.ir, self.house.sink, self._log_dropped
                )
            sender.send(said.level, said.text.encode("utf-8", "surrogateescape"))
            if said.mail >= 0:
                self._mail(said, proxy.ir)

    def _mail(self, said: Say, proxy: Proxy) -> None:
        control = self.control
        node, now = socket.gethostname(), control.wall()
        configuration = control.plan.configuration
        self.post.send(letters(configuration, proxy, said.mail, said.text, node, now))

    def _pause_frontend(self, command: PauseFrontend) -> None:
        frontend = self.control.plan.frontends[command.frontend]
        statistics = self.control.statistics
        if command.final:
            statistics.stopped.add(command.frontend)
            self.say(Say(WARNING, stopped(self.control, frontend.id), frontend=command.frontend))
        elif command.paused:
            statistics.paused.add(command.frontend)
        else:
            statistics.paused.discard(command.frontend)
        if not command.final:
            self._say_paused(frontend, command.paused)
        self.segment.set(frontend.row, Column.STOPPED, int(command.paused))
        self._pause_sockets(frontend, command.paused)

    def _pause_sockets(self, frontend: FrontendPlan, paused: bool) -> None:
        for bind in frontend.binds:
            opened = self.listening.sockets.get(bind.row)
            if opened is not None and paused:
                pause_listener(opened)
            elif opened is not None:
                resume_listener(opened, bind.backlog or 4096)

    def _say_paused(self, frontend: FrontendPlan, paused: bool) -> None:
        told = f"{'Paused' if paused else 'Resumed'} {frontend.ir.word} {frontend.name}."
        self.say(Say(WARNING, told, frontend=frontend.index))

    def _admit(self, command: AddServer) -> None:
        """A server was made at run time: its checks are planned, though not enabled."""
        server = self.control.fleet.at(command.backend, command.server)
        self.checks.add(server)
        if self.checks.runs_commands and not self.processes.started:
            self.processes.start()
        if server.observer is not None and not self._observing:
            self._observe()

    # -- checks ---------------------------------------------------------------------------------

    def _check_ended(self, server: Server, health: Health, outcome: Outcome) -> None:
        fleet = self.control.fleet
        ended = fleet.agent_ended if health.settings.agent else fleet.check_ended
        self.perform(ended(self.reactor.now(), server, health, outcome))

    def _scene(self, server: Server) -> Scene:
        state = ""
        if server.health is not None and server.health.settings.script.tells_state:
            state = state_of(server, self.segment.get, self.control.facts.node, self.reactor.now())
        connections = self.segment.get(server.plan.row, Column.CUR)
        name, farm = server.plan.name, server.farm.plan.name
        stopped = server.operation is Operation.STOPPED
        return Scene(farm, name, server.address, server.port, state, connections, stopped, server.plan)

    def _tick(self) -> None:
        """Slow starts, once a second while there are any."""
        if self.control.fleet.warming:
            self.perform(self.control.fleet.tick(self.reactor.now()))
        self.reactor.later(1.0, self._tick)

    def _observe(self) -> None:
        """Errors of the traffic, where ``observe`` asks for them."""
        self._observing = True
        for server in self.control.fleet:
            if server.observer is not None:
                commands, soon = self.control.fleet.observe(self.reactor.now(), server)
                self.perform(commands)
                if soon:
                    self.checks.hurry(server)
        self.reactor.later(INTERVAL, self._observe)

    # -- signals --------------------------------------------------------------------------------

    def _signals(self) -> dict[int, Callable[[], None]]:
        return {
            signal.SIGUSR1: self.soft_stop,
            signal.SIGHUP: self.dump_servers,
            signal.SIGTTOU: lambda: self.pause_all(True),
            signal.SIGTTIN: lambda: self.pause_all(False),
            signal.SIGUSR2: lambda: None,
            signal.SIGQUIT: lambda: None,
        }

    def pause_all(self, paused: bool) -> None:
        """TTOU: let go of every address; TTIN: take them again."""
        for frontend in self.control.plan.frontends:
            self._pause_sockets(frontend, paused)
            self._say_paused(frontend, paused)
        self.crew.tell("pause" if paused else "resume")

    def soft_stop(self) -> None:
        """USR1: finish what is in flight, take nothing new, exit 0."""
        if self.stopping:
            return
        self.stopping = self.control.facts.stopping = True
        grace = (self.global_.grace or 0) / 1000
        self.reactor.later(grace, self._stop_listening)
        if self.global_.hard_stop_after:
            self.reactor.later(grace + self.global_.hard_stop_after / 1000, self._stop_hard)

    def _stop_listening(self) -> None:
        plan = self.control.plan
        told = {frontend.id for frontend in plan.frontends}
        for frontend in plan.frontends:
            self.say(Say(WARNING, stopped(self.control, frontend.id), frontend=frontend.index))
        for backend in plan.backends:
            if backend.id not in told and not backend.gone:
                self.say(Say(WARNING, stopped(self.control, backend.id), backend=backend.index))
        self.checks.stop()
        self.processes.close()
        for runtime in self.runtime:
            runtime.stop()
        self.house.stop()
        self.listening.close()
        self.crew.tell("soft-stop")

    def _stop_hard(self) -> None:
        for said in hard_stopped(self.control):
            self.say(said)
        self.crew.tell("hard-stop")
        self.reactor.later(LAST_MOMENT, self.crew.kill)

    def dump_servers(self) -> None:
        """HUP: how every server and proxy stands."""
        self.console.tell("WARNING", "SIGHUP received, dumping servers states.")
        for said in standing(self.control):
            self.say(said)

    # -- ends -----------------------------------------------------------------------------------

    def _worker_ended(self, worker: Worker, status: int) -> None:
        if self.stopping:
            if not self.crew.workers:
                self.reactor.stop()
            return
        code = os.waitstatus_to_exitcode(status)
        self.console.tell(
            "ALERT", f"Worker process {worker.pid} ended unexpectedly ({ending(code)}). Exiting."
        )
        self.stopping = True
        self.crew.kill()
        if code < 0:
            die_of(-code)
        self.code = abs(code) or 1
        self.reactor.stop()


def die_of(number: int) -> None:
    """Be seen to have been killed by that signal; returns only if the signal does not kill."""
    with contextlib.suppress(OSError):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.strsignal(-code) or f"signal {-code}"
