"""Every check of a plan: its course, its timer, and the attempt that is being made.

A reload (``use`` again) leaves a check alone whose probe and timing are the same, attempt and timer included;
one whose timing changed goes on from the state of the old one. ``suspend`` keeps attempts of a virtual server
from being made, ``resume`` allows them again: the timers run on, as in the original.
"""

from __future__ import annotations

import random
import resource
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from evener.host.checks.attempt import Attempt
from evener.host.checks.kinds import ATTEMPTS, Tools
from evener.host.checks.ping_range import PingRange
from evener.host.privileges import raise_descriptor_limit
from evener.host.reactor import Reactor, Timer
from evener.host.scripts import Ended, ScriptClient, Seen
from evener.keepalived.lvs.check_plan import Check, CheckId, Outcome, Report
from evener.keepalived.lvs.checking import Course, Names, Step
from evener.keepalived.lvs.checking_scripts import BfdCourse, FileCourse
from evener.keepalived.lvs.courses import course_of
from evener.keepalived.lvs.plan import CheckerPlan, RealServer, VirtualServer

LEAST_DELAY_S = 0.001
"""A check that fails at once and is repeated at once must not keep the loop to itself."""
SPARE_DESCRIPTORS = 256


class CheckState(NamedTuple):
    """What a check counts as; ``weight`` and ``offset`` as in ``Report``."""

    up: bool
    run: bool
    weight: int | None
    offset: int


class Task:
    """One check."""

    __slots__ = ("attempt", "course", "enabled", "house", "id", "started", "timer")

    def __init__(self, house: CheckHouse, name: CheckId, course: Course) -> None:
        self.house = house
        self.id = name
        self.course = course
        self.enabled = True
        self.started = 0.0
        self.timer: Timer | None = None
        self.attempt: Attempt | None = None

    @property
    def timed(self) -> bool:
        """It is made at intervals; others are told their results."""
        return self.course.check.probe.kind in ATTEMPTS

    def plan(self, seconds: float) -> None:
        self.timer = self.house.reactor.later(max(seconds, LEAST_DELAY_S), self.begin)

    def begin(self) -> None:
        check, house = self.course.check, self.house
        if not self.enabled:
            self.plan(check.timing.delay_loop_us / 1e6)
            return
        self.started = house.reactor.now()
        make = ATTEMPTS[check.probe.kind]
        self.attempt = make(house.tools, check.probe, self.course.part, self._ended)
        self.attempt.start()

    def _ended(self, outcome: Outcome) -> None:
        self.attempt = None
        step = self.course.ended(outcome)
        spent = self.house.reactor.now() - self.started if step.from_start else 0.0
        self.plan(step.delay_us / 1e6 - spent)
        self.house.tell(self, step)

    def close(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if self.attempt is not None:
            self.attempt.close()
            self.attempt = None


class CheckHouse:
    """All checks. ``report`` is told what changes, ``log`` gets lines as the original words them.

    ``chance`` gives random numbers (0-1) for the warm-up.
    """

    def __init__(
        self,
        reactor: Reactor,
        report: Callable[[CheckId, Report], None],
        log: Callable[[str], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.reactor = reactor
        self.tools = Tools(reactor)
        self._report = report
        self._log = log
        self._chance = chance
        self._tasks: dict[CheckId, Task] = {}
        self._suspended: set[str] = set()
        self._client: ScriptClient | None = None
        self._numbers: dict[str, int] = {}
        self._sessions: dict[str, bool] = {}
        self._pings = PingRange()

    def use(self, plan: CheckerPlan, suspended: Collection[str] = ()) -> None:
        """Make exactly the checks of ``plan`` from now on; ``suspended`` are names of virtual servers."""
        old, self._tasks = self._tasks, {}
        self._suspended = set(suspended)
        by_server: dict[tuple[str, bytes, int], list[Task]] = {}
        for task in old.values():
            by_server.setdefault(_server(task.id), []).append(task)
        kept: set[int] = set()
        for virtual, real in _servers(plan):
            before = by_server.get((virtual.name, real.address, real.port), [])
            for task in self._renewed(virtual, real, before):
                self._tasks[task.id] = task
                kept.add(id(task))
        for task in old.values():
            if id(task) not in kept:
                task.close()
        self._reserve_descriptors()
        self.tools.forget_contexts()
        self._watch_files()
        self._prepare_pings()
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
        report = course.holds(value)
        if report is not None:
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

    def _renewed(self, virtual: VirtualServer, real: RealServer, before: list[Task]) -> Iterator[Task]:
        """The tasks of a real server: those that go on, and new ones."""
        names = Names(real.shown, virtual.shown)
        courses = [task.course for task in before]
        failed = any(course.run and not course.up for course in courses)
        doubtful = failed or not any(course.run or course.up for course in courses)
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
            elif courses:
                course.join(doubtful)
            yield Task(self, name, course)

    def _activate(self, task: Task) -> None:
        task.enabled = task.id.virtual_server not in self._suspended
        if not task.timed:
            return
        names = task.course.names
        if not task.enabled or not task.course.run:
            word = "Activating" if task.enabled else "Deactivating"
            self._log(f"{word} healthchecker for service {names.real} for VS {names.virtual}")
        if task.timer is None:
            task.plan(task.course.first_delay_us(self._chance()) / 1e6)

    def suspend(self, virtual_server: str) -> None:
        """Make no attempts for a virtual server; those being made go on."""
        self._suspended.add(virtual_server)
        self._enable(virtual_server, False)

    def resume(self, virtual_server: str) -> None:
        self._suspended.discard(virtual_server)
        self._enable(virtual_server, True)

    def _enable(self, virtual_server: str, enabled: bool) -> None:
        for task in self._tasks.values():
            if task.id.virtual_server == virtual_server and task.enabled != enabled:
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

    def close(self) -> None:
        """Give up everything; nothing is reported any more."""
        for task in self._tasks.values():
            task.close()
        self._tasks.clear()
        self._pings.restore()


def _servers(plan: CheckerPlan) -> Iterator[tuple[VirtualServer, RealServer]]:
    for virtual in plan.virtual_servers:
        for real in virtual.real_servers:
            yield virtual, real


def _server(name: CheckId) -> tuple[str, bytes, int]:
    return name.virtual_server, name.address, name.port


def _like(check: Check, tasks: list[Task]) -> Task | None:
    """The task of the same check, else one that differs only in its timing."""
    same = next((task for task in tasks if task.course.check == check), None)
    return same or next((task for task in tasks if task.course.check.probe == check.probe), None)
