"""The VRRP process: carries out what the router decides, and tells it what happens.

It holds the sockets, the interfaces and the clock, and no opinion. The configuration is read by the
parent, which sends a ready plan through ``plans`` (at the start, and on each reload); scripts run in a
helper. What remains here is short and does not wait: netlink requests that the kernel answers
at once, packets, and a write to a full pipe that is given up.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from evener.host.netlink import addr, route
from evener.host.netlink.link import Changes, Interfaces
from evener.host.netlink.rtnl import RtnlSocket, prepare_messages
from evener.host.scripts import Line, Result, ScriptClient, Seen
from evener.host.vrrp_announce import Announcer
from evener.host.vrrp_bus import bus_end
from evener.host.vrrp_channel import PlanChannel
from evener.host.vrrp_debounce import Debouncer
from evener.host.vrrp_dump import Dumps
from evener.host.vrrp_firewall import Firewall
from evener.host.vrrp_guard import Guard
from evener.host.vrrp_keys import with_keys
from evener.host.vrrp_linkbeat import Linkbeat
from evener.host.vrrp_log import LogSink
from evener.host.vrrp_loop import Loop, clock, settle_memory
from evener.host.vrrp_notify import Notifier
from evener.host.vrrp_ports import Port, Ports, advert_source
from evener.host.vrrp_routes import RouteWatch
from evener.host.vrrp_snmp import SnmpEnd
from evener.host.vrrp_static import Statics
from evener.host.vrrp_status import StatusSocket, opened
from evener.host.vrrp_system import (
    AutoPriority,
    apply_scheduling,
    prefer_realtime,
    promote_secondaries,
    quiet_igmp,
    startup_delay_us,
    wake_precisely,
)
from evener.host.vrrp_virtual import VirtualInterfaces
from evener.keepalived.vrrp.messages import (
    AddAddresses,
    AddRoutes,
    CancelGarp,
    Command,
    Log,
    Notify,
    RemoveAddresses,
    RemoveRoutes,
    SendAdvert,
    SendGarp,
)
from evener.keepalived.vrrp.plan import Family, Instance, Notifications, State, TrackKind, VrrpPlan
from evener.keepalived.vrrp.plan_tracks import watched_interfaces
from evener.keepalived.vrrp.router import Router

if TYPE_CHECKING:
    from evener.host.vrrp_lvs_sync import LvsSync

# keepalived --signum=...; the last two are SIGRTMAX - 1 and glibc's SIGRTMIN + 2.
SIGNAL_DATA, SIGNAL_STATS, SIGNAL_STATS_CLEAR, SIGNAL_JSON = 10, 12, 63, 36


def preload() -> None:
    """Import what the VRRP process will use, before it is forked: a respawned one then starts at once."""
    prepare_messages()
    gc.collect()
    gc.freeze()


class VrrpProcess:
    """See the module. ``run`` returns an exit code."""

    def __init__(self, plan: VrrpPlan, channel: PlanChannel[VrrpPlan], log: LogSink) -> None:
        self._plan = plan = with_keys(plan, log)
        self._channel = channel
        self._log = log
        self._stopping = False
        # Before the sockets are opened, so that the helper does not hold copies of them.
        self._scripts = ScriptClient(plan.options)
        self._loop = Loop()
        self._guard = Guard(self._loop.watch, self._loop.unwatch, self._lapsed, log)
        self._rtnl = RtnlSocket()
        self._interfaces = Interfaces()
        self._router = Router(plan)
        self._router.wall_ns = time.time_ns
        self._ports = Ports(self._loop.watch, self._loop.unwatch, self._deliver, log)
        self._announcer = Announcer(plan.options, self._interfaces.by_name.get)
        self._notifier = Notifier(plan.options, self._scripts, log)
        self._debouncer = Debouncer()
        self._linkbeat = Linkbeat(self._interfaces)
        self._virtuals = VirtualInterfaces(self._rtnl, self._interfaces, log)
        self._statics = Statics(self._rtnl, self._interfaces.index_of, log)
        self._firewall = Firewall(plan.options.firewall, self._interfaces.index_of, log)
        self._status: StatusSocket | None = None
        self._routes = RouteWatch(self._loop, self._route_lost)
        self._snmp = SnmpEnd(self._loop, self._router, self._interfaces, self._carry_out, log)
        self._lvs_sync: LvsSync | None = None
        self._configs: dict[str, Instance] = {}
        self._groups: dict[str, Notifications] = {}
        self._virtual: frozenset[bytes] = frozenset()
        self._start_at: int | None = None
        self._do: dict[type[Command], Callable[[str, Command], None]] = {
            SendAdvert: self._send_advert,
            AddAddresses: self._add_addresses,
            RemoveAddresses: self._remove_addresses,
            AddRoutes: self._add_routes,
            RemoveRoutes: self._remove_routes,
            SendGarp: self._send_garp,
            CancelGarp: self._cancel_garp,
            Notify: self._notify,
            Log: self._write_log,
        }

    # -- life ----------------------------------------------------------------------------------

    def run(self) -> int:
        options = self._plan.options
        apply_scheduling(options.scheduling, self._log)
        self._eager = AutoPriority(options.scheduling, self._log)
        self._rtnl.set_buffer(options.buffers.command.size, force=options.buffers.command.force)
        self._interfaces.set_buffer(options.buffers.monitor.size, force=options.buffers.monitor.force)
        restore_igmp = quiet_igmp() if options.quiet_igmp else None
        wake_precisely()
        dumps = Dumps(self._router, self._ports, self._interfaces, self._announcer, self._log)
        self._loop.on_signals(
            {
                signal.SIGTERM: self._stop,
                signal.SIGINT: self._stop,
                signal.SIGHUP: lambda: os.kill(os.getppid(), signal.SIGHUP),
                SIGNAL_DATA: dumps.data,
                SIGNAL_STATS: dumps.statistics,
                SIGNAL_STATS_CLEAR: dumps.clear_statistics,
                SIGNAL_JSON: dumps.json,
            }
        )
        if options.report_addresses:
            self._interfaces.told = self._report_address
        self._loop.watch(self._interfaces.fileno(), self._interfaces_changed)
        self._loop.watch(self._scripts.fileno(), self._scripts_reported)
        self._loop.watch(self._channel.fileno(), self._parent_spoke)
        where, loop = options.status_socket, self._loop
        self._status = opened(where, dumps.answer, loop.watch, loop.unwatch, self._log)
        self._bus = bus_end(loop, self._router, dumps, self._send_garp, self._log)
        self._snmp.adopt(self._plan)
        if "vrrp" in self._channel.news:
            self._loop.watch(self._channel.news["vrrp"].fileno(), self._bfd_reported)
        self._adopt(self._plan)
        self._tell_interfaces()
        now = clock()
        self._start_at = now + startup_delay_us(self._plan, now)
        if self._start_at > now:
            self._bus.begin(self._plan)
        self._watch_things()
        settle_memory()
        prefer_realtime(options.scheduling, self._log)
        while not self._stopping:
            deadlines = self._deadlines()
            self._guard.promise.make(deadlines)
            self._loop.turn(deadlines)
            self._eager.judge(clock(), deadlines)
            self._timers()
        if restore_igmp is not None:
            restore_igmp()
        return self._shut_down()

    def _deadlines(self) -> tuple[int | None, ...]:
        own = self._start_at, self._debouncer.next_timer(), self._linkbeat.next_timer()
        helpers = self._guard.next_timer(), self._scripts.next_timer()
        told = self._bus.next_timer(), self._snmp.next_timer()
        return *own, *helpers, *told, self._router.next_timer(), self._announcer.pacing.next_timer()

    def _timers(self) -> None:
        now = clock()
        if self._start_at is not None and self._start_at <= now:
            self._start_at = None
            if self._lvs_sync is not None:
                self._lvs_sync.start()
            self._carry_out(self._router.start(now))
            self._bus.begin(self._plan)
        for name in self._linkbeat.run(now):
            self._tell_interface(name)
        for name, up in self._debouncer.due(now):
            self._interface_is(name, up)
        self._carry_out(self._router.tick(now))
        self._announcer.run(now)
        self._guard.run(now)
        self._bus.run(now)
        self._snmp.run(now)
        self._scripts.flush()
        self._scripts.look(now)

    def _stop(self) -> None:
        self._stopping = True

    def _shut_down(self) -> int:
        self._log("Stopped" if self._start_at is not None else "Stopping", detail=True)
        if self._plan.options.leave_at_end:
            self._carry_out(step for step in self._router.stop(clock()) if isinstance(step[1], Notify))
        else:
            self._carry_out(self._router.stop(clock()))
            self._statics.clear()
            self._virtuals.clear()
            self._firewall.close()
        if self._lvs_sync is not None:
            self._lvs_sync.close()
        self._ports.close()
        self._bus.close()
        self._snmp.close()
        if self._status is not None:
            self._status.close()
        self._announcer.close()
        self._guard.close()
        self._scripts.close()
        self._notifier.close()
        self._interfaces.close()
        self._linkbeat.close()
        self._rtnl.close()
        self._loop.close()
        gc.enable()
        self._log.close()
        return 0

    # -- the plan ------------------------------------------------------------------------------

    def _adopt(self, plan: VrrpPlan) -> None:
        self._plan = plan
        self._configs = {config.name: config for config in plan.instances}
        self._groups = {group.name: group.notify for group in plan.groups}
        self._virtual = frozenset(a.packed for config in plan.instances for a in config.addresses)
        for config in plan.instances:
            if config.promote_secondaries and config.interface:
                promote_secondaries(config.interface)
        self._virtuals.adopt(plan)
        self._firewall.macvlans(self._virtuals.macvlans())
        self._announcer.pacing.adopt(plan)
        self._debouncer.adopt(plan)
        self._linkbeat.adopt(clock(), dict(plan.linkbeat))
        self._linkbeat.run(clock())
        self._ports.arrange(plan, self._interfaces.index_of)
        self._statics.adopt(plan.static)
        self._routes.want(self._statics.needs_routes or any(c.routes or c.rules for c in plan.instances))
        if plan.lvs_sync is not None and self._lvs_sync is None:
            from evener.host.vrrp_lvs_sync import LvsSync

            self._lvs_sync = LvsSync(self._log)
        if self._lvs_sync is not None:
            self._lvs_sync.adopt(plan.lvs_sync)

    def _route_lost(self, lost: route.Lost) -> None:
        self._statics.route_lost(lost)
        for config in self._plan.instances:
            gone = [r.text for r in config.routes if r.tracked and lost.is_route(r)]
            gone += [r.text for r in config.rules if r.tracked and lost.is_rule_of(r)]
            for text in gone[:1]:
                what = f"{'rule' if lost.is_rule else 'route'} {text}"
                self._carry_out(self._router.route_lost(clock(), config.name, what))

    def _parent_spoke(self) -> None:
        plans, alive = self._channel.receive()
        for plan in plans:
            self._reload(plan)
        if not alive:
            self._stop()

    def _reload(self, plan: VrrpPlan) -> None:
        self._log("Reloading")
        plan = with_keys(plan, self._log)
        before, after = self._router.reload(clock(), plan)
        self._carry_out(before)
        self._adopt(plan)
        self._tell_interfaces()
        self._watch_things()
        self._bus.adopt(plan)
        self._snmp.adopt(plan)
        if self._start_at is None:
            self._carry_out(after(clock()))
        self._reblock()
        self._interfaces_changed()
        if plan.options.states_on_reload:
            self._repeat_states()
        gc.freeze()

    def _repeat_states(self) -> None:
        """fifo_write_vrrp_states_on_reload: readers learn where everybody stands."""
        for name, told, priority, group in self._router.states():
            self._notifier.write(name, Notify(told, priority, group))

    def _reblock(self) -> None:
        """Whether packets are accepted may have changed for those who are master."""
        for name, config in self._configs.items():
            if self._router.members[name].machine.state is State.MASTER:
                change = self._firewall.release if config.accept else self._firewall.block
                change(config, config.addresses)

    def _watch_things(self) -> None:
        """Only what somebody tracks is run or watched; all that may be set is guarded."""
        plan = self._plan
        self._guard.keep(plan)
        tracks = [t for config in plan.instances for t in config.tracks]
        tracks += [t for group in plan.groups for t in group.tracks]
        tracked = {(track.kind, track.name) for track in tracks}
        self._scripts.check(
            [script for script in plan.scripts if (TrackKind.SCRIPT, script.name) in tracked],
            [file for file in plan.files if (TrackKind.FILE, file.name) in tracked],
            [process for process in plan.processes if (TrackKind.PROCESS, process.name) in tracked],
        )

    # -- what happens --------------------------------------------------------------------------

    def _deliver(self, port: Port) -> None:
        now = clock()
        for name, vrid, received in self._ports.read(port, now):
            if name is not None:
                refused = self._router.refused
                self._carry_out(self._router.receive(now, name, received))
                if self._router.refused != refused:
                    self._ports.note_rubbish(port, now)
                    self._snmp.refused(name, received.source)
            elif self._plan.options.log_unknown_vrids:
                where = port.socket.place.interface
                self._log(f"Unknown VRID({vrid}) received on interface({where}). ignoring...")

    def _scripts_reported(self) -> None:
        reports = self._scripts.reports()
        if reports is None:
            self._restart_helper()
            return
        now = clock()
        for report in reports:
            if isinstance(report, Result):
                self._carry_out(self._router.script_result(now, report.script, report.ok, report.how))
            elif isinstance(report, Seen):
                if report.kind is TrackKind.PROCESS:
                    what = "gained" if report.value else "lost"
                    self._log(f"Quorum {what} for tracked process {report.name}")
                self._carry_out(self._router.track(now, report.kind, report.name, report.value))
            elif isinstance(report, Line):
                self._log(*report)

    def _bfd_reported(self) -> None:
        for name, up in self._channel.news["vrrp"].read():
            self._log(f"Received BFD event: instance {name} is in state {'Up' if up else 'Down'}", True)
            self._carry_out(self._router.track(clock(), TrackKind.BFD, name, up))

    def _restart_helper(self) -> None:
        self._log("script helper process died: starting another")
        self._loop.unwatch(self._scripts.fileno())
        self._scripts.close()
        self._notifier.close()
        self._scripts = ScriptClient(self._plan.options)
        self._notifier = Notifier(self._plan.options, self._scripts, self._log)
        self._loop.watch(self._scripts.fileno(), self._scripts_reported)
        self._watch_things()

    def _interfaces_changed(self) -> None:
        changes = self._interfaces.read()
        if changes.interfaces:
            if self._virtuals.arrange():
                more = self._interfaces.read()
                self._firewall.macvlans(self._virtuals.macvlans())
                changes = Changes(changes.interfaces | more.interfaces, changes.lost + more.lost)
            self._ports.arrange(self._plan, self._interfaces.index_of)
            for name in changes.interfaces:
                self._tell_interface(name)
            self._tell_sources()
            self._statics.interfaces_changed(
                name
                for name in changes.interfaces
                if (known := self._interfaces.by_name.get(name)) is not None and known.up
            )
        self._miss_lost(changes)

    def _tell_interfaces(self) -> None:
        """What the router must know about interfaces before it starts."""
        for name in watched_interfaces(self._plan):
            interface = self._interfaces.by_name.get(name)
            up = interface is not None and interface.up
            self._debouncer.settle(name, up)
            self._router.know(TrackKind.INTERFACE, name, up)
        for name in self._configs:
            source = self._source(name)
            self._router.know(TrackKind.SOURCE, name, source is not None)
            self._router.set_source(name, source or b"")

    def _report_address(self, text: str, there: bool, device: str) -> None:
        self._log(f"Netlink reflector reports IP {text} {'added to' if there else 'removed from'} {device}")

    def _tell_interface(self, name: str) -> None:
        interface = self._interfaces.by_name.get(name)
        if self._debouncer.note(clock(), name, interface is not None and interface.up):
            self._interface_is(name, interface is not None and interface.up)

    def _interface_is(self, name: str, up: bool) -> None:
        steps = self._router.track(clock(), TrackKind.INTERFACE, name, up)
        if steps:
            self._log(f"Netlink reports {name} {'up' if up else 'down'}")
        self._carry_out(steps)

    def _tell_sources(self) -> None:
        for name in self._configs:
            source = self._source(name)
            if source is not None:
                self._router.set_source(name, source)
            self._carry_out(self._router.track(clock(), TrackKind.SOURCE, name, source is not None))

    def _source(self, name: str) -> bytes | None:
        config = self._configs[name]
        return advert_source(config, self._interfaces.by_name.get(config.interface or ""), self._virtual)

    def _lapsed(self) -> None:
        """This process was stopped or hung, and the guard has taken the addresses off."""
        self._carry_out(self._router.depose(clock(), "this process did not run"))

    def _miss_lost(self, changes: Changes) -> None:
        for packed, device in changes.lost:
            self._statics.address_lost(packed, device)
            for config in self._configs.values():
                if any((a.packed, a.device, a.tracked) == (packed, device, True) for a in config.addresses):
                    self._carry_out(self._router.address_lost(clock(), config.name, packed))

    # -- what is to be done --------------------------------------------------------------------

    def _carry_out(self, steps: Iterable[tuple[str, Command]]) -> None:
        for name, command in steps:
            self._do[type(command)](name, command)

    def _send_advert(self, name: str, command: Command) -> None:
        assert isinstance(command, SendAdvert)
        member = self._router.members.get(name)
        source = member.machine.source if member else None
        count = member.admission.count if member else None
        if self._ports.send(name, command, source or self._source(name), count):
            self._router.advert_sent(clock(), name, command.priority)

    def _add_addresses(self, name: str, command: Command) -> None:
        assert isinstance(command, AddAddresses)
        config = self._configs.get(name)
        if config is not None and not config.accept:
            self._firewall.block(config, command.addresses)
        addr.add(self._rtnl, command.addresses, self._interfaces.index_of, self._complainer(name))

    def _remove_addresses(self, name: str, command: Command) -> None:
        assert isinstance(command, RemoveAddresses)
        addr.remove(self._rtnl, command.addresses, self._interfaces.index_of, self._complainer(name))
        if name in self._configs:
            self._firewall.release(self._configs[name], command.addresses)

    def _add_routes(self, name: str, command: Command) -> None:
        assert isinstance(command, AddRoutes)
        complain = self._complainer(name)
        route.add(self._rtnl, command.routes, self._interfaces.index_of, complain)
        route.add_rules(self._rtnl, command.rules, complain)

    def _remove_routes(self, name: str, command: Command) -> None:
        assert isinstance(command, RemoveRoutes)
        complain = self._complainer(name)
        route.remove_rules(self._rtnl, command.rules, complain)
        route.remove(self._rtnl, command.routes, self._interfaces.index_of, complain)

    def _complainer(self, name: str) -> Callable[[str], None]:
        return lambda message: self._log(f"({name}) {message}")

    def _send_garp(self, name: str, command: Command) -> None:
        assert isinstance(command, SendGarp)
        config = self._configs[name]
        for address in config.elsewhere() if command.extra else config.addresses:
            what = "gratuitous ARPs" if address.family is Family.INET else "Unsolicited Neighbour Adverts"
            text = str(address).partition("/")[0]
            self._log(f"({name}) Sending/queueing {what} on {address.device} for {text}", detail=True)
        self._announcer.announce(clock(), config, command.repeat, extra=command.extra)

    def _cancel_garp(self, name: str, _command: Command) -> None:
        self._announcer.pacing.cancel(name)

    def _notify(self, name: str, command: Command) -> None:
        assert isinstance(command, Notify)
        if self._lvs_sync is not None and not command.group:
            self._lvs_sync.told(name, command.told)
        if (wanted := self._groups.get(name) if command.group else self._configs[name].notify) is not None:
            self._notifier(name, command, wanted)
        self._bus.told(name, command)
        self._snmp.told(name, command, self._configs.get(name))

    def _write_log(self, _name: str, command: Command) -> None:
        assert isinstance(command, Log)
        self._log(command.message, command.detail)
