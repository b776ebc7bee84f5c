"""The checker process: makes the checks, and keeps the engine and the world as the director says.

It holds the engine, the sockets of checks and the clock, and no opinion: ``keepalived.lvs.director`` decides.
Plans come from the parent, which reads the configuration; scripts and mail are a helper's business.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from evener.host.address_watch import AddressWatch
from evener.host.checker_helper import CheckerHelper, helper_options
from evener.host.checker_snmp import CheckerSnmp
from evener.host.checks.house import CheckHouse
from evener.host.line_socket import LineSocket
from evener.host.lvs_engine import LvsMachine, open_engine, open_marking, upkeep, use_timeouts
from evener.host.notify_fifo import Fifos
from evener.host.reactor import READABLE, Reactor
from evener.host.scripts import ScriptClient
from evener.host.vrrp_channel import PlanChannel
from evener.host.vrrp_log import LogSink
from evener.host.vrrp_system import apply_scheduling
from evener.keepalived.lvs.check_plan import CheckId, Report
from evener.keepalived.lvs.director import Director, Step
from evener.keepalived.lvs.ipvs import Change, Engine
from evener.keepalived.lvs.messages import Alert, Command, Log, Run, Tell
from evener.keepalived.lvs.plan import CheckerOptions, CheckerPlan
from evener.keepalived.lvs.plan_update import PlanUpdate, updated
from evener.text.collector import collector_paused

if TYPE_CHECKING:
    from evener.host.netlink.ipvs import Ipvs
    from evener.host.nft.marking import MarkTables
    from evener.keepalived.lvs.marks import Marks

EXIT_OK, EXIT_FATAL = 0, 1
DUMPS = {
    signal.SIGUSR1: ("keepalived_check.data", ""),
    signal.SIGUSR2: ("keepalived_check.stats", "show stats"),
    36: ("keepalived_check.json", "show stats json"),
    63: ("", ""),
}
"""The files that signals ask for, and what of the control socket is in them; nothing: ``describe``'s text.

The parent passes them on; the last one clears statistics of VRRP."""
ACTIVATING_BFD = "Activating BFD healthchecker"
"""Said whether there is one or not, as in the original."""
LAST_SCRIPTS_S = 1.0
"""How long the last notify scripts get to be started."""
UPKEEP_S = 1.0
"""How often one looks whether a firewall was reloaded over our rules."""


def preload() -> None:
    """Import what the process will use, before it is forked."""
    import evener.host.netlink.ipvs  # noqa: F401

    gc.freeze()


class CheckerProcess:
    """See the module. ``run`` returns an exit code."""

    def __init__(self, plan: CheckerPlan, channel: PlanChannel[PlanUpdate], log: LogSink) -> None:
        self._plan = plan
        self._channel = channel
        self._log = log
        self._reactor = Reactor()
        self._director = Director(plan)
        self._house = CheckHouse(self._reactor, self._reported, log, lambda line: log(line, detail=True))
        self._addresses = AddressWatch(self._reactor, self._suspend)
        self._fifos: Fifos | None = None
        # Before the sockets are opened, so that the helper does not hold copies of them.
        self._helper = CheckerHelper(self._reactor, self._house.hear, self._helped_by, log)
        self._helper.use(plan)
        self._engine: Engine | None = None
        self._control: LineSocket | None = None
        self._snmp = CheckerSnmp(self._reactor, self._director, self._house, self._carry_out, log)
        self._marking: tuple[Marks, MarkTables] | None = None
        self._found_timeouts: tuple[int, int, int] | None = None
        """Of IPVS, before we changed them."""
        self._steps: list[Step] = []
        """What reports have led to in this turn of the loop."""

    # -- life ---------------------------------------------------------------------------------------

    def run(self) -> int:
        options = self._plan.options
        apply_scheduling(options.scheduling, self._log)
        self._engine = open_engine(options, self._log)
        if self._engine is None:
            return EXIT_FATAL
        self._prepare(options)
        self._snmp.adopt(options.snmp, self._engine)
        self._open_marking()
        if self._fifos is None:
            self._open_fifos()
        with collector_paused():
            self._carry_out(self._director.start())
            self._watch()
            self._control = self._open_control(options.control)
            self._log("Startup complete")
            self._house.use(self._plan, self._addresses.use(self._plan))
            self._log(ACTIVATING_BFD)
        if self._engine.name == "nft":
            self._reactor.later(UPKEEP_S, self._keep_up)
        gc.freeze()
        self._reactor.run()
        self._shut_down()
        return EXIT_OK

    def _open_marking(self) -> None:
        """nftables_ipvs; where it cannot be done, groups are loaded address by address."""
        assert self._engine is not None
        tables = open_marking(self._plan.options, self._engine, self._log)
        if tables is not None and self._plan.options.marking is not None:
            from evener.keepalived.lvs.marks import Marks

            self._marking = Marks(self._plan.options.marking), tables
            self._plan = self._director.plan = self._marked(self._plan)

    def _marked(self, plan: CheckerPlan) -> CheckerPlan:
        """The plan as the engine gets it."""
        if self._marking is None:
            return plan
        marks, tables = self._marking
        made, marked = marks.use(plan)
        return made if tables.use(marked) else plan

    def _watch(self) -> None:
        reactor = self._reactor
        reactor.on_signal(signal.SIGTERM, reactor.stop)
        reactor.on_signal(signal.SIGINT, reactor.stop)
        reactor.on_signal(signal.SIGHUP, lambda: os.kill(os.getppid(), signal.SIGHUP))
        for number, (name, question) in DUMPS.items():
            reactor.on_signal(number, partial(self._dump, name, question))
        reactor.watch(self._channel.fileno(), READABLE, lambda _events: self._parent_spoke())
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
        if options.timeouts_s != (before.timeouts_s if before is not None else None):
            self._set_timeouts(engine, options.timeouts_s or (0, 0, 0))

    def _set_timeouts(self, engine: Ipvs, wanted: tuple[int, int, int]) -> None:
        """lvs_timeouts; what is not given is as it was when we came."""
        try:
            found = self._found_timeouts = self._found_timeouts or engine.timeouts()
            code = engine.set_timeouts(*(given or usual for given, usual in zip(wanted, found, strict=True)))
        except OSError as error:
            code = error.errno or errno.EIO
        if code:
            self._log(f"Failed to set ipvs timeouts: {os.strerror(code)}")

    def _restore_timeouts(self) -> None:
        if self._found_timeouts is not None:
            self._set_timeouts(cast("Ipvs", self._engine), (0, 0, 0))

    def _shut_down(self) -> None:
        if self._control is not None:
            self._control.close()
        self._house.close()
        self._settle()
        stopped = self._director.stop()
        options = self._plan.options
        if options.release and options.flush_on_stop == "all" and self._engine is not None:
            self._engine.flush()
            stopped = Step((), stopped.commands)
        self._carry_out(stopped)
        client = self._helper.client
        if client is not None and any(isinstance(command, Run) for command in stopped.commands):
            deadline = time.monotonic() + LAST_SCRIPTS_S
            while not client.flush() and time.monotonic() < deadline:
                time.sleep(0.01)
        self._snmp.close()
        if self._marking is not None and options.release:
            self._marking[1].close()
        if self._engine is not None:
            self._restore_timeouts()
            self._engine.close()
        if self._fifos is not None:
            self._fifos.close()
        self._helper.close()
        self._log("Stopped")

    # -- what happens -------------------------------------------------------------------------------

    def _reported(self, name: CheckId, report: Report) -> None:
        """What is reported in one turn of the loop reaches the engine together: many may fail at once."""
        step = self._director.report(name, report)
        if step.changes or step.commands:
            if not self._steps:
                self._reactor.later(0, self._settle)
            self._steps.append(step)

    def _settle(self) -> None:
        steps, self._steps = self._steps, []
        changes = tuple(change for step in steps for change in step.changes)
        if steps:
            self._carry_out(Step(changes, tuple(command for step in steps for command in step.commands)))

    def _parent_spoke(self) -> None:
        with collector_paused():
            updates, alive = self._channel.receive()
            plan = self._plan
            for update in updates:
                plan = updated(plan, update)
        if updates:
            self._use(plan)
        if not alive:
            self._reactor.stop()

    def _use(self, plan: CheckerPlan) -> None:
        """A reload."""
        self._log("Reloading")
        if self._engine is not None and self._engine.name == "ipvs":
            self._log("Reinitializing ipvs")
        before, plan = self._plan.options, self._unchanged(plan)
        self._plan = plan = self._marked(plan)
        self._helper.use(plan)
        options = plan.options
        if (before.notify_fifo, before.lvs_notify_fifo) != (options.notify_fifo, options.lvs_notify_fifo):
            self._open_fifos()
        self._settings(before, plan.options)
        if self._engine is not None:
            self._snmp.adopt(options.snmp, self._engine)
        with collector_paused():
            self._house.prepare(plan)
            self._carry_out(self._director.use(plan, self._house.states()))
            self._house.activate(self._addresses.use(plan))
        self._log(ACTIVATING_BFD)
        self._log("Reload complete")
        gc.freeze()

    def _unchanged(self, plan: CheckerPlan) -> CheckerPlan:
        """What a reload cannot change stays as it was, and that is said."""
        before, options = self._plan.options, plan.options
        if options.namespace != before.namespace:
            self._log("Cannot change IPVS network namespace at a reload - please restart keepalived")
        if options.marking != before.marking:
            self._log("Cannot change IPVS nftables table name at a reload - please restart keepalived")
        kept = replace(options, namespace=before.namespace, marking=before.marking)
        return plan if kept == options else replace(plan, options=kept)

    def _helped_by(self, client: ScriptClient | None) -> None:
        """There is another helper, or none: readers of FIFOs ended with the old one."""
        self._house.helped_by(client)
        self._open_fifos()

    def _open_fifos(self) -> None:
        if self._fifos is not None:
            self._fifos.close()
        options = self._plan.options
        fifos = options.notify_fifo, options.lvs_notify_fifo
        self._fifos = Fifos(fifos, helper_options(options), self._helper.client, self._log)

    def _suspend(self, virtual_server: str, suspended: bool) -> None:
        (self._house.suspend if suspended else self._house.resume)(virtual_server)

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

    def _dump(self, name: str, question: str) -> None:
        """What keepalived --signum asks for."""
        if name:
            from evener.host.vrrp_dump import dump_directory, write_dump

            content = self._asked(question) if question else self._described()
            write_dump(dump_directory() / name, content, self._log)

    def _described(self) -> str:
        from evener.host.mail import local_name
        from evener.host.script_user import shown_account
        from evener.keepalived.lvs.describe import text

        options = helper_options(self._plan.options)
        house = self._house
        return text(
            self._director,
            house.views(),
            house.numbers,
            lambda one: shown_account(one, options),
            local_name(),
        )

    def _asked(self, line: str) -> str:
        from evener.keepalived.lvs.control import answer

        assert self._engine is not None
        found = answer(line, self._director, LvsMachine(self._engine))
        if found.step.commands:
            self._log(f"Control socket: {line if line.isprintable() else ascii(line)}")
        self._carry_out(found.step)
        return found.text

    # -- carrying out -------------------------------------------------------------------------------

    def _carry_out(self, step: Step) -> None:
        self._settle()
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
            case Run(program) if self._helper.client is not None:
                self._helper.client.run(program)
            case Tell(line):
                if self._fifos is not None and line:
                    self._fifos.write(line + "\n")
                self._snmp.told(command)
            case Alert(subject, body):
                self._mail(subject, body)

    def _mail(self, subject: str, body: str) -> None:
        mail, client = self._plan.options.mail, self._helper.client
        if mail is not None and client is not None:
            router = self._plan.options.router_id or socket.gethostname()
            client.mail(mail, f"[{router}] {subject}", body)
