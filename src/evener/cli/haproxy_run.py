"""Running haproxy: from a configuration without errors to a process that serves it, and its exit code.

The process that was started keeps its number. It opens every socket, makes the shared segment and the
engine, drops its privileges, forks the workers and becomes the control process (``haproxy_control``).
With ``-D`` the launcher waits until the daemon is ready, so that its exit code tells whether it started.

``-W`` and ``-Ws`` run the same processes: what was started is the master and the control process in one,
writes the pid file, tells the service manager that it is ready, and exits as a master does (0 on TERM,
130 on INT). Reloading through the master and the master's socket are not executed.

The original's advice about running as root is not repeated here.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import time
from typing import Any

from evener.cli.assemble import assemble, make_arena, make_table
from evener.cli.haproxy_args import CommandLine
from evener.cli.haproxy_console import Console
from evener.cli.haproxy_control import ControlProcess
from evener.cli.haproxy_listen import Listening, Opener, addresses_of
from evener.cli.haproxy_report import from_main
from evener.cli.haproxy_states import States, preload
from evener.cli.haproxy_texts import started_as_root
from evener.cli.haproxy_tuning import tune
from evener.engine.buffer import configure as configure_buffers
from evener.engine.core import Segment
from evener.engine.pipe import configure as configure_pipes
from evener.haproxy.addresses import resolve_name
from evener.haproxy.build import DATE, VERSION
from evener.haproxy.check_plan import CheckPlanner, full_connections
from evener.haproxy.control import Control
from evener.haproxy.fleet import Fleet
from evener.haproxy.info import ProcessFacts
from evener.haproxy.init_address import settle_addresses
from evener.haproxy.newcomers import SPARE, SpareRows
from evener.haproxy.plan import FrontendPlan, Plan
from evener.haproxy.runtime.developers import profile
from evener.haproxy.runtime_api import load_commands
from evener.haproxy.sections.global_ import Global
from evener.haproxy.sections.global_values import CAPABILITIES
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.stats import Statistics
from evener.haproxy.tuning import tuning
from evener.haproxy.variables import PROCESS
from evener.host.daemon import Readiness, ServiceManager, daemonise, signal_all, write_pid_file
from evener.host.log_house import BackingFailure
from evener.host.privileges import (
    PrivilegeFailure,
    Privileges,
    allow_core_dumps,
    drop,
    raise_descriptor_limit,
    renice,
)
from evener.host.reactor import Reactor
from evener.host.socket_handover import Handed, HandoverFailure, take_over
from evener.text.diagnostic import Diagnostics, Severity

MASTER_TERM, MASTER_INT = 0, 130
PIPE_BYTES = 1 << 18  #: larger ones were measured to gain nothing
BUFFER_BYTES, STREAM_BYTES = 16384, 4096  #: what the original reckons with
MOST_DESCRIPTORS = 1 << 20
RESERVED = 60  #: descriptors that are not for connections: listeners, checks, logs, files


def run(configuration: Any, options: CommandLine) -> int:
    """Serve ``configuration`` until told to stop; returns the exit code."""
    started = time.time()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    global_: Global = configuration.global_
    console = Console(
        quiet=(options.quiet or global_.quiet) and not options.verbose,
        introduced=bool(options.reported) and options.speaks,
        warnings=options.warnings,
        lines=[options.reported] if options.reported else [],
    )
    readiness = _daemonise(global_, options, console)
    try:
        process = _prepare(configuration, options, console, started)
    except StartFailure:
        return 1
    return _serve(process, options, readiness)


class StartFailure(Exception):
    """It does not start; why has been said."""


def _daemonise(global_: Global, options: CommandLine, console: Console) -> Readiness | None:
    foreground = options.foreground or options.debug or options.master_worker
    if foreground or not (options.daemon or global_.daemon):
        return None
    return daemonise(console.tell)


def _prepare(configuration: Any, options: CommandLine, console: Console, started: float) -> ControlProcess:
    """Everything up to, and without, the fork of the workers. Raises StartFailure."""
    global_: Global = configuration.global_
    renice(tuning(global_).nice_at_start)
    plan, planner = _compile(configuration, options, console)
    maxconn, descriptors = _limits(global_, options, plan, console)
    listening = _listen(plan, global_, options, console)
    segment = Segment(plan.rows + SPARE)
    plan.cells.get, plan.cells.rate = segment.get, segment.rate
    PROCESS.share(segment, plan.variables)
    tune(global_, segment)
    states = States(configuration, plan, console)
    settle_addresses(plan, states.find, resolve_name)
    configure_buffers(
        global_.tune_bufsize or BUFFER_BYTES,
        1024 if global_.tune_maxrewrite is None else global_.tune_maxrewrite,
        global_.tune_http_maxhdr or 101,
    )
    pipes = _pipes(global_, options, maxconn)
    configure_pipes(-(-pipes // plan.workers), global_.tune_pipesize or PIPE_BYTES)
    plan.lists.ready()
    engine = assemble(plan, segment, listening.descriptors())
    engine.maxconn = maxconn
    engine.restless, engine.spread = tuning(global_).restless, tuning(global_).spread
    reactor = Reactor()
    facts = ProcessFacts(
        VERSION, DATE, os.getpid(), global_.node or socket.gethostname(), plan.workers, maxconn, descriptors,
        started, int((time.time() - started) * 1000), maxconn, options.memory_mb,
        global_.description or "", listeners=listening.count(), pipes=pipes,
        warnings=lambda: console.warnings,
    )  # fmt: skip
    control = _control(plan, planner, segment, reactor, facts)
    states.take_over(control.fleet, reactor.now())
    preload(global_.stats_file, control, console)
    control.buffer_size = global_.tune_bufsize or BUFFER_BYTES
    control.anonymous_key = global_.anonkey or 0
    control.startup_log = console.lines
    control.sockets = list(addresses_of(listening))
    if options.environment is not None:
        options.environment.conclude([address for address, _ in control.sockets])
        control.environment = options.environment.variables
    control.profiling = tuning(global_).profiling
    profile(segment.set, control.profiling)
    process = ControlProcess(reactor, segment, engine, listening, console, global_, control)
    try:
        process.house.open_files()
    except BackingFailure as failure:
        console.tell("ALERT", str(failure))
        raise StartFailure from None
    return process


def _compile(configuration: Any, options: CommandLine, console: Console) -> tuple[Plan, CheckPlanner]:
    """The plan, and what is only found now: it counts for ``zero-warning`` like what was found before."""
    from evener.engine.fold import Folding
    from evener.haproxy.clear_text import refuse_clear_text
    from evener.haproxy.compile import compile_plan

    found = Diagnostics()
    try:
        plan = compile_plan(configuration, found, Folding(), make_table, make_arena)
    except MemoryError:
        console.tell("ALERT", "not enough memory for the stick tables.")
        raise StartFailure from None
    planner = CheckPlanner(plan, found)
    planner.prepare()
    refuse_clear_text(configuration, found)
    for diagnostic in found:
        console.tell(diagnostic.severity.name, diagnostic.message)
    strict = options.zero_warning or configuration.global_.zero_warning
    if strict and found.count(Severity.WARNING):
        console.tell("ALERT", "Some warnings were found and 'zero-warning' is set. Aborting.")
    elif not found.has_errors:
        return plan, planner
    raise StartFailure


def _limits(global_: Global, options: CommandLine, plan: Plan, console: Console) -> tuple[int, int]:
    """(maxconn, descriptors), as configured or as the system's limits allow."""
    maxconn = options.maxconn or global_.maxconn or 0
    pipes = 2 * _pipes(global_, options, maxconn)
    wanted = global_.ulimit_n or (2 * maxconn + pipes + RESERVED if maxconn else 0)
    descriptors = _descriptors(global_, wanted, console)
    if not maxconn:
        maxconn = max(100, (descriptors - RESERVED) // 2)
        if options.memory_mb:
            maxconn = min(maxconn, _affordable(options.memory_mb, global_.tune_bufsize or BUFFER_BYTES))
        console.tell("NOTICE", f"Automatically setting global.maxconn to {maxconn}.")
    for frontend in plan.frontends:
        frontend.maxconn = frontend.maxconn or options.proxy_maxconn or maxconn
    return maxconn, descriptors


def _affordable(megabytes: int, buffer_bytes: int) -> int:
    """How many connections ``-m`` pays for, to two digits: two buffers each, and what a stream needs."""
    found = (megabytes << 20) // (2 * buffer_bytes + STREAM_BYTES)
    unit = int("1".ljust(len(str(found)) - 1, "0"))
    return max(1, found // unit * unit)


def _pipes(global_: Global, options: CommandLine, maxconn: int) -> int:
    """How many pipes may be in use at once; the engine copies when it gets none."""
    if global_.nosplice or "SPLICE" in options.off:
        return 0
    return global_.maxpipes if global_.maxpipes is not None else maxconn // 4


def _descriptors(global_: Global, wanted: int, console: Console) -> int:
    """``fd-hard-limit`` is what is taken at most, asked for or not."""
    most = global_.fd_hard_limit or 0
    if wanted and 0 < most < wanted:
        told = f"{from_main()} Cannot raise FD limit to {wanted}, limit is {most}."
        console.tell("ALERT", told)
        raise StartFailure
    return raise_descriptor_limit(wanted or min(_hard_limit(), most or MOST_DESCRIPTORS))


def _hard_limit() -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def _sockets_of_the_older(options: CommandLine, console: Console) -> list[Handed]:
    """``-x``. Raises StartFailure."""
    if options.sockets_from is None or options.sockets_from == os.devnull:
        return []
    try:
        return take_over(options.sockets_from)
    except HandoverFailure as failure:
        console.tell("WARNING", str(failure))
        console.tell("ALERT", "Failed to get the sockets from the old process!")
        raise StartFailure from None


def _listen(plan: Plan, global_: Global, options: CommandLine, console: Console) -> Listening:
    share_ports = "REUSEPORT" not in options.off  # ``-dR``
    taken = _sockets_of_the_older(options, console)
    opener = Opener(console, global_, (*options.finish, *options.terminate), share_ports, taken)
    listening = opener.open(plan, global_.stats.socket)
    if opener.failed:
        console.tell("ALERT", f"{from_main()} Some protocols failed to start their listeners! Exiting.")
    elif not listening.count():
        told = f"{from_main()} No enabled listener found (check for 'bind' directives) ! Exiting."
        console.tell("ALERT", told)
    else:
        return listening
    listening.close()
    raise StartFailure


def _control(
    plan: Plan, planner: CheckPlanner, segment: Segment, reactor: Reactor, facts: ProcessFacts
) -> Control:
    fleet = Fleet(plan, planner.server, planner.farm, segment.get, reactor.now())
    statistics = Statistics(
        plan,
        fleet,
        segment,
        reactor.now,
        time.time,
        full_connections(plan),
        lambda server: server.plan.ir.options.maxqueue or 0,
        _has_socket_stats,
    )
    facts.checks = sum(1 for server in fleet if server.health is not None)
    return Control(
        plan, fleet, statistics, facts, segment, reactor.now, time.time, perform=lambda _commands: None,
        settings=planner.server, farm_settings=planner.farm, spare=SpareRows(plan.rows, segment.clear),
    )  # fmt: skip


def _has_socket_stats(frontend: FrontendPlan) -> bool:
    proxy: Proxy = frontend.ir
    return bool(proxy.option.socket_stats)


def _serve(process: ControlProcess, options: CommandLine, readiness: Readiness | None) -> int:
    """Fork, say that we are ready, run until the end."""
    console = process.console
    manager = ServiceManager() if options.notify else None
    load_commands()
    try:
        _settle(process, options, readiness is not None)
    except StartFailure:
        return 1
    # What is alive now is shared by all workers: never looked at again, its pages are never copied.
    # Nearly all of it stays alive anyway, so nothing is collected first.
    gc.freeze()
    gc.enable()
    process.start(process.control.plan.workers)
    if options.master_worker:
        _be_master(process)
    console.starting = False
    if readiness is not None:
        console.quiet = True
        readiness.ready()
    if manager is not None:
        manager.tell("READY=1\n")
    process.reactor.run()
    return process.code


def _settle(process: ControlProcess, options: CommandLine, daemon: bool) -> None:
    """Everything that needs privileges, and then none: the pid file, the old processes, the identity.

    The old processes are told while we may still do so; connections wait in the shared sockets until
    the workers are there. Raises StartFailure.
    """
    global_, console = process.global_, process.console
    pidfile = options.pidfile or global_.pidfile
    try:
        if pidfile and (daemon or options.master_worker):
            write_pid_file(pidfile, os.getpid())
        signal_all(options.finish, signal.SIGUSR1)
        signal_all(options.terminate, signal.SIGTERM)
        if os.getuid() == 0:
            for told in started_as_root(bool(global_.chroot), bool(global_.user or global_.uid)):
                console.tell("WARNING", f"{from_main()} {told}")
        drop(_privileges(global_))
        renice(tuning(global_).nice)
        if global_.set_dumpable not in (None, "off"):
            allow_core_dumps()
        return
    except PrivilegeFailure as failure:
        console.tell("ALERT", f"{from_main()} {failure}")
    except OSError:
        console.tell("ALERT", f"{from_main()} Cannot create pidfile {pidfile}")
    raise StartFailure


def _be_master(process: ControlProcess) -> None:
    def leave(code: int) -> None:
        process.console.tell("WARNING", "Exiting Master process...")
        process.stopping = True
        process.crew.kill()
        process.code = code

    process.reactor.on_signal(signal.SIGTERM, lambda: leave(MASTER_TERM))
    process.reactor.on_signal(signal.SIGINT, lambda: leave(MASTER_INT))


def _privileges(global_: Global) -> Privileges:
    user, group = global_.user or global_.uid, global_.group or global_.gid
    return Privileges(
        user.number if user is not None else None,
        group.number if group is not None else None,
        global_.chroot or "",
        [CAPABILITIES[name] for name in global_.setcap or ()],
        final=not tuning(global_).set_uid_programs,
    )
