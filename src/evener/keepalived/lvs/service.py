"""One virtual server: what follows when a check of a real server changes, at a reload and at the end.

Decides quorum and sorry server, and what is logged, run, mailed and written to FIFOs about it, in
keepalived's words. What the engine should have follows from the ``Pool`` and is not said here.

    quorum       up from   weight of the living >= quorum + hysteresis   on,
                 down when weight of the living <  quorum - hysteresis
    sorry server takes over while the quorum is down: the others leave the pool
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from evener.keepalived.lvs.check_plan import CheckId, CheckState, Report
from evener.keepalived.lvs.messages import Alert, Command, Log, Run, Tell
from evener.keepalived.lvs.overrides import Override
from evener.keepalived.lvs.plan import SorryServer, VirtualServer
from evener.keepalived.lvs.pool import Pool, Real
from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class Manners:
    """Of the whole daemon."""

    init_notifies: bool = False
    checker_mails: bool = True
    """Mail about every check that changes, not only when a real server comes up or goes down."""
    traps: bool = False
    """SNMP hears of the end even where scripts and FIFOs do not."""


class VirtualService:
    """A virtual server and what it says. Every method yields commands."""

    __slots__ = ("manners", "plan", "pool")

    def __init__(self, plan: VirtualServer, manners: Manners) -> None:
        self.plan = plan
        self.manners = manners
        self.pool = Pool(plan)

    def start(self) -> Iterator[Command]:
        if self.manners.init_notifies:
            for real in self.pool.reals.values():
                if real.alive:
                    yield from self._notify_real(real)
        yield from self._quorum(init=True)

    def report(self, name: CheckId, report: Report) -> Iterator[Command]:
        """What a check has found out."""
        real = self.pool.reals.get((name.address, name.port))
        if real is None:
            return
        alive, weight, share = real.alive, real.weight, real.share
        real.hear(name.index, report)
        self.pool.changed(share, real)
        if real.alive != alive:
            yield from self._turned(real)
        if real.weight != weight:
            yield self._weight_changed(real, weight)
        if real.alive != alive or real.weight != weight:
            yield from self._quorum()
        if report.mail and real.plan.mail and (real.alive != alive or self.manners.checker_mails):
            yield self._alert_real(real, "UP" if report.up else "DOWN", report.mail)

    def override(self, place: tuple[bytes, int], override: Override) -> Iterator[Command]:
        """What the operator wants of a real server."""
        real = self.pool.reals.get(place)
        if real is None or real.override == override:
            return
        alive, weight, share = real.alive, real.weight, real.share
        real.override = override
        self.pool.changed(share, real)
        if real.alive != alive:
            yield from self._turned(real)
        if real.weight != weight:
            yield self._weight_changed(real, weight)
        yield from self._quorum()

    def _turned(self, real: Real) -> Iterator[Command]:
        """A real server came up or went down."""
        real.turned += 1
        inhibit = real.plan.inhibit
        if real.alive:
            verb, link = ("Enabling", "of") if inhibit else ("Adding", "to")
        else:
            verb, link = ("Disabling", "of") if inhibit else ("Removing", "from")
        yield Log(f"{verb} service {real.plan.shown} {link} VS {self.plan.shown}")
        yield from self._notify_real(real)

    def _weight_changed(self, real: Real, before: int) -> Log:
        state = "active" if real.alive else "inactive"
        return Log(
            f"Changing weight from {before} to {real.weight} for {state} service {real.plan.shown} "
            f"of VS {self.plan.shown}"
        )

    # -- quorum -------------------------------------------------------------------------------------

    def _quorum(self, init: bool = False) -> Iterator[Command]:
        pool, plan = self.pool, self.plan
        weight = pool.weight
        threshold = plan.quorum + (-plan.hysteresis if pool.quorum_up else plan.hysteresis)
        enough = weight >= threshold and (weight > 0 or not pool.quorum_up)
        if enough and not pool.quorum_up:
            yield from self._gained(weight, threshold, init)
        elif not enough and (pool.quorum_up or (init and plan.sorry is not None and not pool.sorry_active)):
            yield from self._lost(weight, threshold, init)

    def _gained(self, weight: int, threshold: int, init: bool) -> Iterator[Command]:
        pool, plan = self.pool, self.plan
        pool.quorum_up = True
        sums = f"{plan.quorum}+{plan.hysteresis}={threshold} <= {weight}"
        yield Log(f"Gained quorum {sums} for VS {plan.shown}")
        if plan.sorry is not None and pool.sorry_active:
            pool.sorry_active = False
            verb = "Disabling" if plan.sorry.inhibit else "Removing"
            yield Log(f"{verb} sorry server {plan.sorry.shown} from VS {plan.shown}")
            yield Log(f"Adding alive servers to the pool for VS {plan.shown}")
        yield from self._notify_virtual(f"{'Starting with quorum up' if init else 'Gained quorum'} {sums}")

    def _lost(self, weight: int, threshold: int, init: bool) -> Iterator[Command]:
        pool, plan = self.pool, self.plan
        pool.quorum_up = False
        what = "Starting with quorum down" if init else "Lost quorum"
        yield Log(f"{what} {plan.quorum}-{plan.hysteresis}={threshold} > {weight} for VS {plan.shown}")
        if plan.sorry is not None and not pool.sorry_active:
            pool.sorry_active = True
            verb = "Enabling" if plan.sorry.inhibit else "Adding"
            yield Log(f"{verb} sorry server {plan.sorry.shown} to VS {plan.shown}")
            yield Log(f"Removing alive servers from the pool for VS {plan.shown}")
        # A mail has one form for both directions.
        yield from self._notify_virtual(f"{what} {plan.quorum}+{plan.hysteresis}={threshold} <= {weight}")

    def _shortfall(self) -> str:
        plan = self.plan
        return f"Lost quorum {plan.quorum}+{plan.hysteresis}={plan.quorum - plan.hysteresis} <= 0"

    # -- telling ------------------------------------------------------------------------------------

    def _notify_virtual(self, body: str, stopping: bool = False) -> Iterator[Command]:
        up = self.pool.quorum_up
        if stopping and not self.plan.omega:
            if self.manners.traps:
                yield Tell("", self, None, up, stopping)
            return
        program = self.plan.quorum_up if up else self.plan.quorum_down
        if program is not None:
            yield Run(program, wait=stopping)
        yield Tell(f"VS {self.plan.shown} {'UP' if up else 'DOWN'}", self, None, up, stopping)
        if self.plan.mail:
            yield Alert(f"Virtualserver {self.plan.shown} - {'UP' if up else 'DOWN'}", f"=> {body} <=")

    def _notify_real(self, real: Real, gone: bool = False, stopping: bool = False) -> Iterator[Command]:
        alive = real.alive and not gone
        program = real.plan.notify_up if alive else real.plan.notify_down
        if program is not None:
            yield Run(program, wait=stopping)
        line = f"RS {real.plan.shown} {self.plan.shown} {'UP' if alive else 'DOWN'}"
        yield Tell(line, self, real, alive, stopping)

    def _alert_real(self, real: Real, state: str, body: str) -> Alert:
        subject = f"Realserver {real.plan.shown} of virtual server {self.plan.shown} - {state}"
        return Alert(subject, body)

    # -- reload and end -----------------------------------------------------------------------------

    def reconfigure(
        self, plan: VirtualServer, manners: Manners, states: Mapping[CheckId, CheckState] | None = None
    ) -> Iterator[Command]:
        """The configuration was read again, and still has this virtual server."""
        old, reals = self.pool, {}
        wanted = {(new.address, new.port) for new in plan.real_servers}
        for place, real in old.reals.items():
            if place not in wanted:
                yield Log(f"service {real.plan.shown} no longer exist")
                yield from self._removed(real, stopping=False)
        weights, back = [], []
        for new in plan.real_servers:
            known = old.reals.get((new.address, new.port))
            reals[new.address, new.port] = real = Real(new)
            if known is not None:
                _take_over(real, known)
                for index in range(len(new.checks)):
                    if states is not None:
                        real.counts_as(index, states[CheckId(plan.name, new.address, new.port, index)])
                weights.append((real, known.weight))
                if real.alive and not known.alive:
                    back.append(real)
        yield from self._sorry_removed(plan)
        yield from self._members(plan)
        kept = old.sorry_active and _same_place(self.plan.sorry, plan.sorry)
        self.plan, self.manners = plan, manners
        self.pool = Pool(plan)
        self.pool.reals = reals
        self.pool.quorum_up, self.pool.sorry_active = old.quorum_up, kept
        for real in back:  # what it had failed is no longer asked
            yield from self._turned(real)
        for real, before in weights:
            if real.weight != before:
                yield self._weight_changed(real, before)
        yield from self._quorum(init=True)

    def _sorry_removed(self, plan: VirtualServer) -> Iterator[Command]:
        """The sorry server is no longer configured, or another one takes its place."""
        before, after, active = self.plan.sorry, plan.sorry, self.pool.sorry_active
        if before is None or not (active or before.inhibit):
            return
        if after is not None and _same_place(before, after) and (active or after.inhibit):
            return
        yield Log(f"Removing sorry server {before.shown} from VS {self.plan.shown}")
        if active and after is None:
            yield Log(f"Adding alive servers to the pool for VS {self.plan.shown}")

    def _members(self, plan: VirtualServer) -> Iterator[Command]:
        """A group has other members now."""
        if not plan.group or self.plan.members == plan.members:
            return
        before, after = dict.fromkeys(self.plan.members), dict.fromkeys(plan.members)
        for key in before:
            if key not in after:
                yield Log(f"VS [{key}] in group {plan.group} no longer exists")
        for key in after:
            if key not in before:
                yield Log(f"VS [{key}] added into group {plan.group}")

    def stop(self, stopping: bool = True) -> Iterator[Command]:
        """The daemon ends, or the virtual server is no longer configured."""
        reals, self.pool.reals = self.pool.reals, {}
        for real in reals.values():
            yield from self._removed(real, stopping)
        yield from self._ended(stopping)

    def stop_at_once(self) -> Iterator[Command]:
        """The daemon ends, and removes services without a word about their servers (lvs_flush_on_stop)."""
        self.pool.reals.clear()
        yield from self._ended(stopping=True)

    def _ended(self, stopping: bool) -> Iterator[Command]:
        if stopping or self.pool.quorum_up:
            self.pool.quorum_up = False
            body = "Shutting down" if stopping else self._shortfall()
            yield from self._notify_virtual(body, stopping)

    def _removed(self, real: Real, stopping: bool) -> Iterator[Command]:
        verb = "Shutting down" if stopping else "Removing"
        inhibited = "(inhibited) " if real.plan.inhibit and not real.alive else ""
        if stopping or real.plan.inhibit or (real.alive and not self.pool.sorry_active):
            yield Log(f"{verb} {inhibited}service {real.plan.shown} from VS {self.plan.shown}")
        if not real.alive:
            return
        if stopping and not self.plan.omega:
            if self.manners.traps:
                yield Tell("", self, real, False, stopping)
            return
        yield from self._notify_real(real, gone=True, stopping=stopping)
        if real.plan.mail:
            yield self._alert_real(real, "DOWN", "=> Shutting down <=" if stopping else "=> Removing <=")


def _same_place(before: SorryServer | None, after: SorryServer | None) -> bool:
    if before is None or after is None:
        return False
    return (before.address, before.port) == (after.address, after.port)


def _take_over(real: Real, known: Real) -> None:
    """What checks that go on have found out. A check that is new counts as its ``alpha`` says."""
    real.override, real.turned = known.override, known.turned
    old = {check: index for index, check in enumerate(known.plan.checks)}
    for index, check in enumerate(real.plan.checks):
        before = old.get(check)
        if before is None:
            continue
        (real.failed.add if before in known.failed else real.failed.discard)(index)
        if before in known.fixed:
            real.fixed[index] = known.fixed[before]
        if before in known.offsets:
            real.offsets[index] = known.offsets[before]
