"""All servers of a plan: what happens to them, what it changes, who follows whom, what is said.

``Fleet`` is told what happened (a check ended, an administrator spoke, time passed); each method
returns the commands that make the shared segment, the workers and the logs agree. It makes no system
call and knows no clock: ``now`` is passed in (monotonic seconds).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from evener.haproxy.announce import ALERT, NOTICE, Announcer
from evener.haproxy.checks.agent import AgentReport, parse_report
from evener.haproxy.checks.outcome import CheckStatus, Outcome
from evener.haproxy.columns import Column
from evener.haproxy.commands import Bump, Command, GoBehind, SetCell
from evener.haproxy.health import Effect, Health
from evener.haproxy.observe import OnError
from evener.haproxy.plan import BackendPlan, Plan, ServerPlan
from evener.haproxy.server_state import (
    DRAIN,
    MAINT,
    Admin,
    CellReader,
    Farm,
    FarmSettings,
    Operation,
    Server,
    ServerSettings,
    make_server,
)

_UP = (Operation.RUNNING, Operation.STARTING)
_NOT_UP = (Operation.STOPPED, Operation.STOPPING)


class Fleet:
    """All servers of a plan."""

    def __init__(
        self,
        plan: Plan,
        servers: Callable[[ServerPlan], ServerSettings],
        farms: Callable[[BackendPlan], FarmSettings],
        cell: CellReader,
        now: float,
    ) -> None:
        self._words = Announcer(cell)
        self.farms: list[Farm] = []
        for backend in plan.backends:
            farm = Farm(backend, farms(backend), changed=now)
            farm.servers = [make_server(p, servers(p), farm, cell, now) for p in backend.servers]
            self.farms.append(farm)
        for server in self:
            if server.settings.tracks is not None:
                server.tracked = self.at(*server.settings.tracks)
                server.tracked.followers.insert(0, server)  # the newest is told first
        for server in self:
            if server.tracked is None:
                self._inherit_quietly(server)
        for farm in self.farms:
            farm.was_up = farm.up

    def settle_quietly(self) -> None:
        """The state of servers was changed before anything runs: followers and backends agree with it."""
        for server in self:
            if server.tracked is None:
                self._inherit_quietly(server)
        for farm in self.farms:
            farm.was_up = farm.up

    def found_address(self, now: float, server: Server) -> list[Command]:
        """A server that waited for an address has one."""
        return self._administer(now, server, server.admin & ~Admin.RESOLUTION_MAINT)

    def open(self, now: float, plan: BackendPlan, settings: FarmSettings) -> None:
        """A backend was made at run time."""
        self.farms.append(Farm(plan, settings, changed=now))

    def close(self, farm: Farm) -> None:
        """A backend without servers was deleted."""
        self.farms.remove(farm)

    def join(
        self, now: float, plan: ServerPlan, settings: ServerSettings, cell: CellReader
    ) -> tuple[Server, list[Command]]:
        """A server that was made at run time: in maintenance, its checks not yet enabled."""
        farm = next(farm for farm in self.farms if farm.plan is plan.backend)
        server = make_server(plan, settings, farm, cell, now)
        server.admin = Admin.FORCED_MAINT
        if plan.ir.options.disabled:
            server.admin |= Admin.CONFIGURED_MAINT
        for health in (server.health, server.agent):
            if health is not None:
                health.enabled = False
                health.paused = False
        if settings.tracks is not None:
            server.tracked = self.at(*settings.tracks)
            server.tracked.followers.insert(0, server)  # the newest is told first
        farm.servers.append(server)
        farm.was_up = farm.up
        return server, self._write(server, now)

    def at(self, backend: int, place: int) -> Server:
        """The server in that place of the backend of that number in the plan."""
        farm = next(farm for farm in self.farms if farm.plan.index == backend)
        return next(server for server in farm.servers if server.plan.index == place)

    @staticmethod
    def leave(server: Server) -> None:
        """A server was deleted."""
        server.farm.servers.remove(server)
        if server.tracked is not None:
            server.tracked.followers.remove(server)

    def __iter__(self) -> Iterator[Server]:
        for farm in self.farms:
            yield from farm.servers

    def find(self, backend: str, server: str) -> Server | None:
        farm = self.farm(backend)
        if farm is None:
            return None
        return next((s for s in farm.servers if server in (s.plan.name, f"#{s.plan.id}")), None)

    def farm(self, name: str) -> Farm | None:
        return next((f for f in self.farms if name in (f.plan.name, f"#{f.plan.id}")), None)

    def start(self, now: float) -> list[Command]:
        """The commands that make the segment's cells agree with the configuration."""
        commands: list[Command] = []
        for server in self:
            commands += self._write(server, now)
        return commands

    # -- events ---------------------------------------------------------------------------------

    def check_ended(self, now: float, server: Server, health: Health, outcome: Outcome) -> list[Command]:
        """A health check of ``server`` finished."""
        effect, changed = health.ended(outcome)
        if server.observer is not None and effect in (Effect.UP, Effect.STOPPING):
            server.observer.forget()
        commands: list[Command] = []
        if changed and server.farm.settings.log_health_checks:
            commands.append(self._words.check_line(server, health))
        if server.in_maintenance:
            return commands
        cause = self._cause(server, outcome)
        if effect is Effect.DOWN and server.operation is not Operation.STOPPED:
            commands += self._operate(now, server, Operation.STOPPED, cause)
        elif effect is Effect.UP and self._may_rise(server) and server.operation in _NOT_UP:
            commands += self._operate(now, server, Operation.RUNNING, cause)
        elif effect is Effect.STOPPING and server.operation in _UP:
            commands += self._operate(now, server, Operation.STOPPING, cause)
        return commands

    def agent_ended(self, now: float, server: Server, agent: Health, outcome: Outcome) -> list[Command]:
        """An agent check finished. Not reaching the agent changes nothing but what is shown."""
        if outcome.status is not CheckStatus.CHECKED:
            changed = agent.outcome.status is not outcome.status
            agent.outcome = outcome
            return self._agent_line(server, agent, changed)
        report = parse_report(outcome.info)
        commands = self._obey_agent(now, server, report)
        if report.operational is None:
            agent.outcome = report.outcome(outcome.duration)
            return commands
        effect, changed = agent.ended(report.outcome(outcome.duration))
        commands += self._agent_line(server, agent, changed)
        if server.in_maintenance:
            return commands
        cause = self._cause(server, agent.outcome)
        if effect is Effect.DOWN and server.operation is not Operation.STOPPED:
            commands += self._operate(now, server, Operation.STOPPED, cause)
        elif effect is Effect.UP and self._may_rise(server) and server.operation in _NOT_UP:
            commands += self._operate(now, server, Operation.RUNNING, cause)
        return commands

    def _obey_agent(self, now: float, server: Server, report: AgentReport) -> list[Command]:
        commands: list[Command] = []
        act = {"ready": self.set_ready, "drain": self.set_drain, "maint": self.set_maintenance}
        if report.administrative is not None:
            commands += act[report.administrative](now, server)
        if report.weight is not None:
            weight = server.plan.weight * report.weight // 100 if report.percent else report.weight
            commands += self.set_weight(now, server, min(weight, 256))
        if report.maxconn is not None:
            commands += self.set_maxconn(server, report.maxconn)
        return commands

    def _agent_line(self, server: Server, agent: Health, changed: bool) -> list[Command]:
        told = changed and server.farm.settings.log_health_checks
        return [self._words.check_line(server, agent)] if told else []

    @staticmethod
    def _cause(server: Server, outcome: Outcome) -> str:
        """The reason is in the check's own line where those are logged."""
        return "" if server.farm.settings.log_health_checks else f", {outcome.reason()}"

    def observe(self, now: float, server: Server) -> tuple[list[Command], bool]:
        """Look at the errors of the traffic: (commands, whether the server is to be checked soon)."""
        observer, health = server.observer, server.health
        reached = observer.look() if observer is not None and server.up else None
        if observer is None or health is None or reached is None:
            return [], False
        server.observed += 1
        on_error = observer.settings.on_error
        if on_error is OnError.FASTINTER:
            return [], True
        if on_error is OnError.MARK_DOWN:
            health.level = min(health.level, 1)
        elif on_error is OnError.SUDDEN_DEATH:
            health.weaken()
        outcome = Outcome(CheckStatus.HANA, 0, reached.told(), -1)
        with self._words.erring(server if reached.going else None):
            return self.check_ended(now, server, health, outcome), on_error is not OnError.FAIL_CHECK

    @staticmethod
    def _may_rise(server: Server) -> bool:
        """Every check that is enabled must agree before a server comes up."""
        checks = [h for h in (server.health, server.agent) if h is not None and h.enabled]
        return all(h.healthy for h in checks)

    def force_health(self, now: float, server: Server, operation: Operation) -> list[Command]:
        """``set server <s> health up|stopping|down``."""
        if server.health is not None:
            server.health.level = 0 if operation is Operation.STOPPED else server.health.top
        else:
            options = server.plan.ir.options
            server.told = (
                0 if operation is Operation.STOPPED else (options.rise or 2) + (options.fall or 3) - 1
            )
        if server.operation is operation or server.in_maintenance:
            return []
        return self._operate(now, server, operation, ", changed from CLI")

    def force_agent(self, now: float, server: Server, up: bool) -> list[Command]:
        """``set server <s> agent up|down``."""
        assert server.agent is not None
        server.agent.level = server.agent.top if up else 0
        operation = Operation.RUNNING if up else Operation.STOPPED
        if server.operation is operation or server.in_maintenance:
            return []
        return self._operate(now, server, operation, ", changed from CLI")

    def set_weight(self, now: float, server: Server, weight: int) -> list[Command]:
        server.weight = weight
        return self._write(server, now) + self._farm_changed(now, server.farm)

    def set_maxconn(self, server: Server, maxconn: int) -> list[Command]:
        server.maxconn = maxconn
        return [SetCell(server.plan.row, Column.MAXCONN, maxconn)]

    def set_ready(self, now: float, server: Server) -> list[Command]:
        """``set server <s> state ready`` and ``enable server``."""
        commands = self._administer(now, server, server.admin & ~Admin.FORCED_MAINT)
        return commands + self._administer(now, server, server.admin & ~Admin.FORCED_DRAIN)

    def set_drain(self, now: float, server: Server) -> list[Command]:
        commands = self._administer(now, server, server.admin | Admin.FORCED_DRAIN)
        return commands + self._administer(now, server, server.admin & ~Admin.FORCED_MAINT)

    def set_maintenance(self, now: float, server: Server) -> list[Command]:
        """``set server <s> state maint`` and ``disable server``."""
        commands = self._administer(now, server, server.admin | Admin.FORCED_MAINT)
        return commands + self._administer(now, server, server.admin & ~Admin.FORCED_DRAIN)

    def tick(self, now: float) -> list[Command]:
        """Slow starts: raise weights; call it about every second while ``warming`` is true."""
        commands: list[Command] = []
        for server in self:
            if server.operation is Operation.STARTING:
                if (now - server.changed) * 1000 >= server.settings.slowstart:
                    server.operation = Operation.RUNNING
                commands += self._write(server, now)
        return commands

    @property
    def warming(self) -> bool:
        return any(server.operation is Operation.STARTING for server in self)

    # -- operational changes --------------------------------------------------------------------

    def _operate(self, now: float, server: Server, wanted: Operation, cause: str) -> list[Command]:
        """Move ``server`` (not in maintenance) to ``wanted``, say so, and take its followers along."""
        before = server.operation
        served = before is not Operation.STOPPING and not server.draining
        if wanted is Operation.RUNNING and server.settings.slowstart and before in _NOT_UP:
            wanted = Operation.STARTING
        commands = self._enter(now, server, wanted)
        if wanted is Operation.STOPPED:
            commands.append(self._words.lost(server, f"is DOWN{cause}", ALERT if served else NOTICE))
        elif wanted is Operation.STOPPING:
            commands.append(self._words.gained(server, f"is stopping{cause}"))
        else:
            commands.append(self._words.gained(server, f"is UP{cause}"))
        commands += self._farm_changed(now, server.farm)
        for follower in server.followers:
            if not follower.in_maintenance:
                commands += self._operate(now, follower, wanted, f" via {server.name}")
        return commands

    def _enter(self, now: float, server: Server, wanted: Operation) -> list[Command]:
        """Change the operational state and the books of it; no message."""
        if wanted is Operation.STOPPED and server.operation is not Operation.STOPPED:
            server.downs += 1
        elif server.operation is Operation.STOPPED and wanted is not Operation.STOPPED:
            server.downtime += now - server.changed
        commands: list[Command] = []
        if wanted is Operation.STOPPED and server.settings.shutdown_sessions:
            commands.append(Bump(server.plan.row, Column.SHUTDOWN_EPOCH))
        if server.settings.shutdown_backups and wanted in _UP and server.operation in _NOT_UP:
            backups = [s for s in server.farm.servers if s.plan.backup]
            commands += [Bump(s.plan.row, Column.SHUTDOWN_EPOCH) for s in backups]
        server.operation = wanted
        server.changed = now
        return commands + self._write(server, now)

    # -- administrative changes -----------------------------------------------------------------

    def _administer(self, now: float, server: Server, admin: Admin) -> list[Command]:
        """Give ``server`` the flags ``admin``, say what that means, and take its followers along."""
        before, server.admin = server.admin, admin
        if before == admin:
            return []
        commands = self._administered(now, server, before)
        commands += self._farm_changed(now, server.farm)
        for follower in server.followers:
            inherited = follower.admin & ~(Admin.INHERITED_MAINT | Admin.INHERITED_DRAIN)
            if server.in_maintenance:
                inherited |= Admin.INHERITED_MAINT
            if server.draining:
                inherited |= Admin.INHERITED_DRAIN
            commands += self._administer(now, follower, inherited)
        return commands

    def _administered(self, now: float, server: Server, before: Admin) -> list[Command]:
        was, is_now = bool(before & MAINT), server.in_maintenance
        lost = before & ~server.admin
        if is_now and not was:
            return self._enter_maintenance(now, server, before)
        if was and not is_now:
            return self._leave_maintenance(now, server, lost)
        if is_now:
            return self._stay_in_maintenance(server, lost)
        return self._drain_changed(now, server, before, lost)

    def _enter_maintenance(self, now: float, server: Server, before: Admin) -> list[Command]:
        """A server that got no new traffic anyhow is no alert; who is told himself follows nobody."""
        via = "" if server.admin & Admin.FORCED_MAINT else self._words.via(server)
        was_down = server.operation is Operation.STOPPED
        served = server.operation is not Operation.STOPPING and not before & DRAIN
        # An agent goes on talking: only it may take back what it said.
        if server.health is not None:
            server.health.paused = server.health.enabled
            server.health.level = 0
        elif server.told is not None:
            server.told = 0
        commands = [*self._enter(now, server, Operation.STOPPED), Bump(server.plan.row, Column.IDLE_EPOCH)]
        if was_down:
            commands.append(self._words.note(server, f"was DOWN and now enters maintenance{via}"))
        else:
            told = f"is going DOWN for maintenance{via}"
            commands.append(self._words.lost(server, told, ALERT if served else NOTICE))
        return commands

    def _leave_maintenance(self, now: float, server: Server, lost: Admin) -> list[Command]:
        if server.health is not None and server.health.enabled:
            server.health.paused = False
            server.health.revive()
        wanted = self._revived(server)
        commands = self._enter(now, server, wanted)
        kind = "forced maintenance" if lost & Admin.FORCED_MAINT else "maintenance"
        ready = "DRAIN" if server.draining else "READY"
        up = "DOWN" if wanted is Operation.STOPPED else "UP"
        commands.append(self._words.note(server, f"is {up}/{ready} (leaving {kind})"))
        if server.draining:
            commands.append(self._words.still_draining(server))
        return commands

    def _stay_in_maintenance(self, server: Server, lost: Admin) -> list[Command]:
        if lost & Admin.FORCED_MAINT:
            told = "is leaving forced maintenance but remains in maintenance" + self._words.via(server)
        elif lost & MAINT:
            told = "remains in forced maintenance"
        else:
            return []
        return [self._words.note(server, told)]

    def _drain_changed(self, now: float, server: Server, before: Admin, lost: Admin) -> list[Command]:
        commands = self._write(server, now)
        server.changed = now
        if server.draining and not before & DRAIN:
            told = f"enters drain state{'' if server.admin & Admin.FORCED_DRAIN else self._words.via(server)}"
            if server.operation is Operation.STOPPED:
                return [*commands, self._words.lost(server, told, NOTICE)]
            return [*commands, self._words.gained(server, told)]
        if not server.draining and before & DRAIN:
            up = "DOWN" if server.operation is Operation.STOPPED else "UP"
            forced = bool(lost & Admin.FORCED_DRAIN)
            told = f"is {up} (leaving {'forced drain)' if forced else 'drain)' + self._words.via(server)}"
            return [*commands, self._words.note(server, told)]
        if lost & DRAIN:
            return [*commands, self._words.still_draining(server)]
        return commands

    def _revived(self, server: Server) -> Operation:
        """The operational state in which a server leaves maintenance."""
        if server.tracked is not None:
            return server.tracked.operation
        checks = [h for h in (server.health, server.agent) if h is not None and h.enabled]
        if not all(h.healthy for h in checks):
            return Operation.STOPPED
        return Operation.STARTING if server.settings.slowstart else Operation.RUNNING

    def _inherit_quietly(self, server: Server) -> None:
        """At start-up a follower has the state of the server it follows, without a message."""
        for follower in server.followers:
            follower.operation = server.operation
            if server.in_maintenance:
                follower.admin |= Admin.INHERITED_MAINT
            self._inherit_quietly(follower)

    # -- cells and sentences --------------------------------------------------------------------

    def _write(self, server: Server, now: float) -> list[Command]:
        """Commands for the cells that differ from what was last written."""
        wanted = {
            Column.USABLE: int(server.usable),
            Column.ACTIVE: int(server.up),
            Column.WEIGHT: server.effective_weight(now),
            Column.MAXCONN: server.maxconn,
        }
        row = server.plan.row
        commands: list[Command] = [
            SetCell(row, column, value)
            for column, value in wanted.items()
            if server.written.get(column) != value
        ]
        if commands:
            plan = server.farm.plan
            chosen_by = (Column.USABLE, Column.WEIGHT)
            moved = any(server.written.get(column, wanted[column]) != wanted[column] for column in chosen_by)
            server.written = wanted
            commands.append(Bump(plan.row, Column.EPOCH))
            if moved and plan.least:
                commands.append(GoBehind(row, plan.row))
        return commands

    def _farm_changed(self, now: float, farm: Farm) -> list[Command]:
        """Book a backend that lost its last server or found one again."""
        if farm.up == farm.was_up:
            return []
        farm.was_up = farm.up
        if farm.up:
            farm.downtime += now - farm.changed
            farm.changed = now
            return []
        farm.downs += 1
        farm.changed = now
        return [self._words.no_server(farm)]
