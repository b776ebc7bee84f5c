"""The script helper of the checker process, there only while a plan has scripts, programs, files or mail.

A configuration of plain checks does without it. When it dies another takes its place; whoever has told it
something that it must not forget (``renewed``) says it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from evener.host.reactor import READABLE, Reactor
from evener.host.scripts import Ended, Line, ScriptClient, Seen
from evener.host.vrrp_log import LogSink
from evener.keepalived.lvs.plan import CheckerOptions, CheckerPlan, RealServer
from evener.keepalived.vrrp.plan import GlobalOptions

HELPED_CHECKS = ("MISC_CHECK", "FILE_CHECK")


def helper_options(options: CheckerOptions) -> GlobalOptions:
    """What the helper needs to know."""
    return replace(
        GlobalOptions(),
        router_id=options.router_id,
        script_user=options.script_user,
        script_group=options.script_group,
        script_security=options.script_security,
        mail=options.mail,
    )


def needs_helper(plan: CheckerPlan) -> bool:
    options = plan.options
    if options.mail is not None:
        return True
    if any(fifo and fifo.script for fifo in (options.notify_fifo, options.lvs_notify_fifo)):
        return True
    return any(
        virtual.quorum_up or virtual.quorum_down or any(map(_needs_helper, virtual.real_servers))
        for virtual in plan.virtual_servers
    )


def _needs_helper(real: RealServer) -> bool:
    if real.notify_up or real.notify_down:
        return True
    return bool(real.checks) and any(check.probe.kind in HELPED_CHECKS for check in real.checks)


class CheckerHelper:
    """``hear`` gets what it reports, ``renewed`` the new client (None: there is none now)."""

    def __init__(
        self,
        reactor: Reactor,
        hear: Callable[[Seen | Ended], None],
        renewed: Callable[[ScriptClient | None], None],
        log: LogSink,
    ) -> None:
        self._reactor, self._hear, self._renewed, self._log = reactor, hear, renewed, log
        self._options: GlobalOptions | None = None
        self.client: ScriptClient | None = None

    def use(self, plan: CheckerPlan) -> None:
        wanted = helper_options(plan.options) if needs_helper(plan) else None
        if wanted != self._options:
            self._options = wanted
            self._renew()

    def close(self) -> None:
        if self.client is not None:
            self._reactor.unwatch(self.client.fileno())
            self.client.close()
            self.client = None

    def _renew(self) -> None:
        self.close()
        if self._options is not None:
            self.client = ScriptClient(self._options)
            self._reactor.watch(self.client.fileno(), READABLE, lambda _events: self._reported())
        self._renewed(self.client)

    def _reported(self) -> None:
        reports = self.client.reports() if self.client is not None else []
        if reports is None:
            self._log("the script helper has ended: starting another")
            self._renew()
            return
        for report in reports:
            if isinstance(report, Line):
                self._log(*report)
            elif isinstance(report, (Seen, Ended)):
                self._hear(report)
