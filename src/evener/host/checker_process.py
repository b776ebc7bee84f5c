"""The checker process: makes the checks, and keeps the engine and the world as the director says.

It holds the engine, the sockets of checks and the clock, and no opinion: ``keepalived.lvs.director`` decides.
Plans come from the parent, which reads the configuration; scripts and mail are a helper's business.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import replace

from evener.host.checks.house import CheckHouse
from evener.host.line_socket import LineSocket
from evener.host.lvs_engine import LvsMachine, open_engine, upkeep, use_timeouts
from evener.host.netlink.link import Interfaces
from evener.host.netlink.rtnl import prepare_messages
from evener.host.notify_fifo import Fifos
from evener.host.reactor import READABLE, Reactor
from evener.host.scripts import Ended, Line, ScriptClient, Seen
from evener.host.vrrp_channel import PlanChannel
from evener.host.vrrp_log import LogSink
from evener.host.vrrp_system import apply_scheduling
from evener.keepalived.lvs.check_plan import CheckId, Report
from evener.keepalived.lvs.control import answer
from evener.keepalived.lvs.director import Director, Step
from evener.keepalived.lvs.ipvs import Change, Engine
from evener.keepalived.lvs.messages import Alert, Command, Log, Run, Tell
from evener.keepalived.lvs.plan import CheckerOptions, CheckerPlan
from evener.keepalived.vrrp.plan import GlobalOptions

EXIT_OK, EXIT_FATAL = 0, 1
LAST_SCRIPTS_S = 1.0
"""How long the last notify scripts get to be started."""
UPKEEP_S = 1.0
"""How often one looks whether a firewall was reloaded over our rules."""


def preload() -> None:
    """Import what the process will use, before it is forked."""
    prepare_messages()
    gc.collect()
    gc.freeze()


def helper_options(options: CheckerOptions) -> GlobalOptions:
    """What the script helper needs to know."""
    return replace(
        GlobalOptions(),
        router_id=options.router_id,
        script_user=options.script_user,
        script_group=options.script_group,
        script_security=options.script_security,
        mail=options.mail,
    )


class CheckerProcess:
    """See the module. ``run`` returns an exit code."""

    def __init__(self, plan: CheckerPlan, channel: PlanChannel[CheckerPlan], log: LogSink) -> None:
        self._plan = plan
        self._channel = channel
        self._log = log
        self._helper = helper_options(plan.options)
        # Before the sockets are opened, so that the helper does not hold copies of them.
        self._scripts = ScriptClient(self._helper)
        self._reactor = Reactor()
        self._director = Director(plan)
        self._house = CheckHouse(self._reactor, self._reported, log, lambda line: log(line, detail=True))
        self._house.helped_by(self._scripts)
        self._interfaces = Interfaces()
        self._fifos = self._open_fifos(plan.options)
        self._engine: Engine | None = None
        self._control: LineSocket | None = None
        self._missing: set[str] = set()
        """Virtual servers that are suspended because their address is not here."""

    # -- life ---------------------------------------------------------------------------------------

    def run(self) -> int:
        options = self._plan.options
        apply_scheduling(options.scheduling, self._log)
        self._engine = open_engine(options, self._log)
        if self._engine is None:
            return EXIT_FATAL
        self._prepare(options)
        self._carry_out(self._director.start())
        self._watch()
        self._missing = self._suspended(self._plan)
        self._house.use(self._plan, self._missing)
        self._control = self._open_control(options.control)
        self._log("Startup complete")
        if self._engine.name == "nft":
            self._reactor.later(UPKEEP_S, self._keep_up)
        gc.freeze()
        self._reactor.run()
        self._shut_down()
        return EXIT_OK

    def _watch(self) -> None:
        reactor = self._reactor
        reactor.on_signal(signal.SIGTERM, reactor.stop)
        reactor.on_signal(signal.SIGINT, reactor.stop)
        reactor.on_signal(signal.SIGHUP, lambda: os.kill(os.getppid(), signal.SIGHUP))
        reactor.watch(self._channel.fileno(), READABLE, lambda _events: self._parent_spoke())
        reactor.watch(self._interfaces.fileno(), READABLE, lambda _events: self._addresses_changed())
        reactor.watch(self._scripts.fileno(), READABLE, lambda _events: self._scripts_reported())
        if "checkers" in self._channel.news:
            news = self._channel.news["checkers"]
            reactor.watch(news.fileno(), READABLE, lambda _events: self._sessions_reported())

    def _sessions_reported(self) -> None:
        for name, up in self._channel.news["checkers"].read():
            self._log(f"Received BFD event: instance {name} is in state {'Up' if up else 'Down'}", True)
            self._house.bfd(name, up)

    def _prepare(self, options: CheckerOptions) -> None:
        """Flush, timeouts, sync daemon."""
        engine = self._engine
        assert engine is not None
        if options.flush:
            engine.flush()
        self._settings(None, options)

    def _settings(self, before: CheckerOptions | None, options: CheckerOptions) -> None:
        from evener.host.netlink.ipvs import Ipvs

        engine = self._engine
        if not isinstance(engine, Ipvs):
            if engine is not None and before is not None:
                use_timeouts(engine, options)
            return
        if options.timeouts_s is not None and (before is None or before.timeouts_s != options.timeouts_s):
            code = engine.set_timeouts(*options.timeouts_s)
            if code:
                self._log(f"IPVS: cannot set timeouts: {os.strerror(code)}")

    def _shut_down(self) -> None:
        self._log("Stopping")
        if self._control is not None:
            self._control.close()
        self._house.close()
        stopped = self._director.stop()
        options = self._plan.options
        if options.release and options.flush_on_stop == "all" and self._engine is not None:
            self._engine.flush()
            stopped = Step((), stopped.commands)
        self._carry_out(stopped)
        if any(isinstance(command, Run) for command in stopped.commands):
            deadline = time.monotonic() + LAST_SCRIPTS_S
            while not self._scripts.flush() and time.monotonic() < deadline:
                time.sleep(0.01)
        if self._engine is not None:
            self._engine.close()
        self._fifos.close()
        self._scripts.close()
        self._log("Stopped")

    # -- what happens -------------------------------------------------------------------------------

    def _reported(self, name: CheckId, report: Report) -> None:
        self._carry_out(self._director.report(name, report))

    def _parent_spoke(self) -> None:
        plans, alive = self._channel.receive()
        if plans:
            self._use(plans[-1])
        if not alive:
            self._reactor.stop()

    def _use(self, plan: CheckerPlan) -> None:
        """A reload."""
        self._log("Reloading")
        before, self._plan = self._plan.options, plan
        if helper_options(plan.options) != self._helper:
            self._new_helper(plan.options)
        if (before.notify_fifo, before.lvs_notify_fifo) != (
            plan.options.notify_fifo,
            plan.options.lvs_notify_fifo,
        ):
            self._fifos.close()
            self._fifos = self._open_fifos(plan.options)
        self._settings(before, plan.options)
        self._house.prepare(plan)
        self._carry_out(self._director.use(plan, self._house.states()))
        self._missing = self._suspended(plan)
        self._house.activate(self._missing)
        self._log("Reload complete")

    def _new_helper(self, options: CheckerOptions) -> None:
        self._reactor.unwatch(self._scripts.fileno())
        self._scripts.close()
        self._helper = helper_options(options)
        self._scripts = ScriptClient(self._helper)
        self._house.helped_by(self._scripts)
        self._reactor.watch(self._scripts.fileno(), READABLE, lambda _events: self._scripts_reported())

    def _open_fifos(self, options: CheckerOptions) -> Fifos:
        fifos = options.notify_fifo, options.lvs_notify_fifo
        return Fifos(fifos, self._helper, self._scripts, self._log)

    def _scripts_reported(self) -> None:
        reports = self._scripts.reports()
        if reports is None:
            self._log("the script helper has ended: starting another")
            self._new_helper(self._plan.options)
            return
        for report in reports:
            if isinstance(report, Line):
                self._log(report.message)
            elif isinstance(report, (Seen, Ended)):
                self._house.hear(report)

    # -- the control socket -------------------------------------------------------------------------

    def _open_control(self, path: str) -> LineSocket | None:
        """It belongs to the command line, so that a reload does not change it."""
        if not path:
            return None
        try:
            return LineSocket(self._reactor, path, self._asked)
        except OSError as error:
            self._log(f"control socket {path}: {error.strerror}")
            return None

    def _asked(self, line: str) -> str:
        assert self._engine is not None
        found = answer(line, self._director, LvsMachine(self._engine))
        if found.step.commands:
            self._log(f"Control socket: {line if line.isprintable() else ascii(line)}")
        self._carry_out(found.step)
        return found.text

    # -- ha_suspend ---------------------------------------------------------------------------------

    def _addresses_changed(self) -> None:
        self._interfaces.read()
        missing = self._suspended(self._plan)
        for name in missing - self._missing:
            self._house.suspend(name)
        for name in self._missing - missing:
            self._house.resume(name)
        self._missing = missing

    def _suspended(self, plan: CheckerPlan) -> set[str]:
        """Virtual servers with ha_suspend none of whose addresses is on this machine."""
        here = {packed for each in self._interfaces.by_name.values() for packed in each.addresses}
        return {
            virtual.name
            for virtual in plan.virtual_servers
            if virtual.ha_suspend
            and any(key.address for key in virtual.members)
            and not any(key.address in here for key in virtual.members)
        }

    # -- carrying out -------------------------------------------------------------------------------

    def _carry_out(self, step: Step) -> None:
        if step.changes:
            self._apply(step.changes)
        for command in step.commands:
            self._do(command)

    def _keep_up(self) -> None:
        assert self._engine is not None
        if upkeep(self._engine):
            self._log("nftables: somebody removed our table, virtual servers are loaded again")
        self._reactor.later(UPKEEP_S, self._keep_up)

    def _apply(self, changes: Sequence[Change]) -> None:
        assert self._engine is not None
        failures = self._engine.apply(changes)
        for failure in failures:
            self._log(failure.text)
        self._director.failed(failures)

    def _do(self, command: Command) -> None:
        match command:
            case Log(message):
                self._log(message)
            case Run(program):
                self._scripts.run(program)
            case Tell(line):
                self._fifos.write(line + "\n")
            case Alert(subject, body):
                self._mail(subject, body)

    def _mail(self, subject: str, body: str) -> None:
        mail = self._plan.options.mail
        if mail is not None:
            router = self._plan.options.router_id or socket.gethostname()
            self._scripts.mail(mail, f"[{router}] {subject}", body)
