"""Every check of a plan: its course, its timer, and the attempt that is being made.

A reload (``use`` again) leaves a check alone whose probe and timing are the same, attempt and timer included;
one whose timing changed goes on from the state of the old one. ``suspend`` keeps attempts of a virtual server
from being made, ``resume`` allows them again: the timers run on, as in the original.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Collection, Iterator

from evener.host.checks.kinds import Tools
from evener.host.checks.misc import disabled
from evener.host.checks.ping_range import PingRange
from evener.host.checks.task import Task
from evener.host.privileges import raise_descriptor_limit
from evener.host.reactor import Reactor
from evener.host.scripts import Ended, ScriptClient, Seen
from evener.keepalived.lvs.check_plan import Check, CheckId, CheckState, Report
from evener.keepalived.lvs.checking import CheckView, Names, Step
from evener.keepalived.lvs.checking_scripts import BfdCourse, FileCourse
from evener.keepalived.lvs.courses import course_of
from evener.keepalived.lvs.plan import CheckerPlan, RealServer, VirtualServer
from evener.keepalived.lvs.probes import MiscProbe

SPARE_DESCRIPTORS = 256


class CheckHouse:
    """All checks. ``report`` is told what changes, ``log`` gets lines as the original words them.

    ``detail`` gets lines that the original writes with --log-detail only; ``chance`` gives random numbers
    (0-1) for the warm-up.
    """

    def __init__(
        self,
        reactor: Reactor,
        report: Callable[[CheckId, Report], None],
        log: Callable[[str], None],
        detail: Callable[[str], None] = lambda _line: None,
        chance: Callable[[], float] | None = None,
    ) -> None:
        self.reactor = reactor
        self.tools = Tools(reactor)
        self._report = report
        self._log = log
        self._detail = detail
        self._chance = chance or _chance
        self._tasks: dict[CheckId, Task] = {}
        self._by_virtual: dict[str, list[Task]] = {}
        self._suspended: set[str] = set()
        self._client: ScriptClient | None = None
        self._numbers: dict[str, int] = {}
        self._sessions: dict[str, bool] = {}
        self._pings = PingRange()
        self._plan = CheckerPlan()

    def use(self, plan: CheckerPlan, suspended: Collection[str] = ()) -> None:
        """Make exactly the checks of ``plan`` from now on; ``suspended`` are names of virtual servers."""
        self.prepare(plan)
        self.activate(suspended)

    def prepare(self, plan: CheckerPlan) -> None:
        """The first half of ``use``: ``states`` tells what its checks count as, and nothing is made yet."""
        old, self._tasks = self._tasks, {}
        unchecked, self._plan = _Unchecked(self._plan), plan
        by_server: dict[tuple[str, bytes, int], list[Task]] = {}
        for task in old.values():
            by_server.setdefault(_server(task.id), []).append(task)
        kept: set[int] = set()
        self._by_virtual = {}
        for virtual, real in _servers(plan):
            before = by_server.get((virtual.name, real.address, real.port), [])
            there = bool(before) or (virtual.name, real.address, real.port) in unchecked
            for task in self._renewed(virtual, real, before, there):
                self._tasks[task.id] = task
                self._by_virtual.setdefault(virtual.name, []).append(task)
                kept.add(id(task))
        for task in old.values():
            if id(task) not in kept:
                task.close()

    def activate(self, suspended: Collection[str] = ()) -> None:
        """The second half: what was prepared is made."""
        self._suspended = set(suspended)
        self._reserve_descriptors()
        self.tools.forget_contexts()
        self._watch_files()
        self._prepare_pings()
        self.tools.prepare(task.course.check.probe for task in self._tasks.values())
        for task in self._tasks.values():
            self._activate(task)

    def helped_by(self, client: ScriptClient | None) -> None:
        """The script helper, or another one after it was lost. What it reports is told to ``hear``."""
        self._client = client
        self.tools.programs.helped_by(client)
        self._watch_files()

    def hear(self, told: Seen | Ended) -> None:
        """The script helper reports the number in a file, or the end of a program."""
        if isinstance(told, Ended):
            self.tools.programs.hear(told)
            return
        self._numbers[told.name] = told.value
        for task in self._tasks.values():
            if isinstance(task.course, FileCourse) and task.course.file.name == told.name:
                self._holds(task, task.course, told.value)

    def _holds(self, task: Task, course: FileCourse, value: int) -> None:
        before, report = course.up, course.holds(value)
        if report is None:
            return
        if not report.first and report.up != before:
            turn = "leaving" if report.up else "now"
            self._detail(f"({course.names.real}): tracked file {course.file.name} {turn} FAULT state")
        self._report(task.id, report)

    def bfd(self, name: str, up: bool) -> None:
        """A BFD session came up or went down; it may be told before the plan that knows it."""
        self._sessions[name] = up
        self._tell_sessions()

    def _tell_sessions(self) -> None:
        """The checks that follow sessions learn how they stand."""
        for task in self._tasks.values():
            course = task.course
            if isinstance(course, BfdCourse) and course.session in self._sessions:
                step = course.is_up(self._sessions[course.session])
                if step is not None:
                    self.tell(task, step)

    def _reserve_descriptors(self) -> None:
        """Every check may have one open."""
        wanted = len(self._tasks) + SPARE_DESCRIPTORS
        if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < wanted:
            raise_descriptor_limit(wanted)

    def _prepare_pings(self) -> None:
        if any(task.course.check.probe.kind == "PING_CHECK" for task in self._tasks.values()):
            remark = self._pings.widen()
            if remark is not None:
                self._log(remark)

    def _watch_files(self) -> None:
        """The files of all checks; one whose number is known already is told it."""
        courses = [(task, task.course) for task in self._tasks.values()]
        files = {course.file.name: course.file for _, course in courses if isinstance(course, FileCourse)}
        if self._client is not None and (files or self._numbers):
            self._client.check((), files.values())
        self._numbers = {name: value for name, value in self._numbers.items() if name in files}
        for task, course in courses:
            if isinstance(course, FileCourse) and not course.run and course.file.name in self._numbers:
                self._holds(task, course, self._numbers[course.file.name])
        self._tell_sessions()

    def _renewed(
        self, virtual: VirtualServer, real: RealServer, before: list[Task], there: bool
    ) -> Iterator[Task]:
        """The tasks of a real server: those that go on, and new ones. ``there``: it is not new itself."""
        names = Names(real.shown, virtual.shown)
        courses = [task.course for task in before]
        failed = any(course.run and not course.up for course in courses)
        unknown = bool(courses) and not any(course.run or course.up for course in courses)
        doubtful = failed or unknown  # who had no checks was up
        for index, check in enumerate(real.checks):
            name = CheckId(virtual.name, real.address, real.port, index)
            found = _like(check, before)
            if found is not None:
                before.remove(found)
            if found is not None and found.course.check == check:
                found.id, found.course.names = name, names
                yield found
                continue
            course = course_of(check, names)
            if found is not None:
                course.adopt(found.course)
            elif there:
                course.join(doubtful)
            yield Task(self, name, course)

    def _activate(self, task: Task) -> None:
        task.enabled = task.id.virtual_server not in self._suspended
        if not task.timed or self._disabled(task):
            return
        names = task.course.names
        if not task.enabled or not task.course.run:
            word = "Activating" if task.enabled else "Deactivating"
            self._log(f"{word} healthchecker for service {names.real} for VS {names.virtual}")
        if task.timer is None:
            task.plan(task.course.first_delay_us(self._chance()) / 1e6)

    def _disabled(self, task: Task) -> bool:
        """A check by a program that is not there is none: it keeps no server down."""
        probe, course = task.course.check.probe, task.course
        why = disabled(probe) if isinstance(probe, MiscProbe) and task.timer is None else None
        if why is None:
            return False
        self._log(why)
        if not course.up:
            course.up = True
            self._report(task.id, Report(True, first=True))
        return True

    def suspend(self, virtual_server: str) -> None:
        """Make no attempts for a virtual server; those being made go on."""
        self._suspended.add(virtual_server)
        self._enable(virtual_server, False)

    def resume(self, virtual_server: str) -> None:
        self._suspended.discard(virtual_server)
        self._enable(virtual_server, True)

    def _enable(self, virtual_server: str, enabled: bool) -> None:
        for task in self._by_virtual.get(virtual_server, ()):
            if task.enabled != enabled:
                task.enabled = enabled
                names, word = task.course.names, "Activating" if enabled else "Suspending"
                self._log(f"{word} healthchecker for service {names.real} for VS {names.virtual}")

    def tell(self, task: Task, step: Step) -> None:
        for line in step.log:
            self._log(line)
        if step.report is not None:
            self._report(task.id, step.report)

    def states(self) -> dict[CheckId, CheckState]:
        """What every check counts as (after a reload: under its new name)."""
        return {
            name: CheckState(task.course.up, task.course.run, task.course.weight, task.course.offset)
            for name, task in self._tasks.items()
        }

    def views(self) -> Iterator[CheckView]:
        """Every check as it stands, for the file that SIGUSR1 asks for."""
        wall = time.time() - time.monotonic()
        for task in self._tasks.values():
            yield CheckView(task.course, task.enabled, wall + task.started if task.started else 0.0)

    def ran(self, name: CheckId) -> bool:
        """Whether that check has been made once."""
        task = self._tasks.get(name)
        return task is not None and task.course.run

    @property
    def numbers(self) -> dict[str, int]:
        """Those in tracked files."""
        return self._numbers

    def close(self) -> None:
        """Give up everything; nothing is reported any more."""
        for task in self._tasks.values():
            task.close()
        self._tasks.clear()
        self._pings.restore()


def _chance() -> float:
    import random

    return random.random()


class _Unchecked:
    """The servers of a plan that have no checks. There may be very many, and seldom one is asked about."""

    def __init__(self, plan: CheckerPlan) -> None:
        self._plan = plan
        self._servers: set[tuple[str, bytes, int]] | None = None

    def __contains__(self, server: tuple[str, bytes, int]) -> bool:
        if self._servers is None:
            self._servers = {
                (virtual.name, real.address, real.port)
                for virtual in self._plan.virtual_servers
                for real in virtual.real_servers
                if not real.checks
            }
        return server in self._servers


def _servers(plan: CheckerPlan) -> Iterator[tuple[VirtualServer, RealServer]]:
    for virtual in plan.virtual_servers:
        for real in virtual.real_servers:
            if real.checks:
                yield virtual, real


def _server(name: CheckId) -> tuple[str, bytes, int]:
    return name.virtual_server, name.address, name.port


def _like(check: Check, tasks: list[Task]) -> Task | None:
    """The task of the same check, else one that differs only in its timing."""
    same = next((task for task in tasks if task.course.check == check), None)
    return same or next((task for task in tasks if task.course.check.probe == check.probe), None)
