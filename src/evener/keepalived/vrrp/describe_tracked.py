"""keepalived.data: the scripts, files, processes and BFD sessions that are tracked, and who tracks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from evener.keepalived.vrrp.plan import Program, Script, Track, TrackKind
from evener.keepalived.vrrp.plan_tracked import TrackedProcess
from evener.keepalived.vrrp.router import Member, Router

SECOND = 1_000_000
Running = Callable[[TrackedProcess], int]


def quoted(program: Program) -> str:
    return " ".join(f"'{word}'" for word in program.argv)


def tracked_lines(router: Router, account: Callable[[Program], str], running: Running) -> Iterator[str]:
    yield from _titled("VRRP Scripts", _scripts(router, account))
    yield from _titled("VRRP Track files", _files(router))
    yield from _titled("VRRP Track processes", _processes(router, running))
    yield from _titled("VRRP Track BFDs", _sessions(router))


def _titled(title: str, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if not number:
            yield f"------< {title} >------"
        yield line


def users(router: Router, kind: TrackKind, name: str) -> Iterator[str]:
    """Who tracks it himself, then the members of sync groups that do."""
    for member in router.members.values():
        grouped = () if member.group is None else member.group.config.tracks
        yield from _lines(member, [t for t in member.tracks if t not in grouped], kind, name)
    for group in router.groups:
        for member in group.members:
            yield from _lines(member, group.config.tracks, kind, name)


def _lines(member: Member, tracks: Iterable[Track], kind: TrackKind, name: str) -> Iterator[str]:
    for track in tracks:
        if track.kind is kind and track.name == name:
            yield f"     {member.name}, weight {track.weight}{' reverse' if track.reverse else ''}"


def _users(router: Router, kind: TrackKind, name: str) -> Iterator[str]:
    several = list(users(router, kind, name))
    if several:
        yield "   Tracking instances :"
        yield from several


def _weight(weight: int, reverse: bool) -> str:
    return f"   Weight = {weight}{' reverse' if reverse else ''}"


def _seconds(us: int) -> str:
    whole, rest = divmod(us, SECOND)
    return f"{whole}.{rest // 1000:03} sec" if rest else f"{whole} sec"


def _scripts(router: Router, account: Callable[[Program], str]) -> Iterator[str]:
    for script in router.plan.scripts:
        record = router.scripts[script.name]
        yield f" VRRP Script = {script.name}"
        yield f"   Command = {quoted(script.program)}"
        yield f"   Interval = {_seconds(script.interval_us)}"
        yield f"   Timeout = {_seconds(script.timeout_us)}"
        yield _weight(script.weight, script.reverse)
        yield f"   Rise = {script.rise}"
        yield f"   Fall = {script.fall}"
        yield f"   Result = {record.level}"
        yield "   Insecure = no"  # one that is insecure is taken out when the file is read
        yield f"   Init state = {_beginning(script, record.ran)}"
        yield f"   Status = {'GOOD' if record.up else 'BAD'}"
        yield f"   Script uid:gid = {account(script.program)}"
        yield "   VRRP instances :"
        yield from _users(router, TrackKind.SCRIPT, script.name)
        yield "   State = idle"


def _beginning(script: Script, ran: bool) -> str:
    """The original has no word for a script that has run."""
    if ran:
        return "unknown"
    return "INIT/FAILED" if script.init_fail else "INIT"


def _files(router: Router) -> Iterator[str]:
    for file in router.plan.files:
        yield f" Track file = {file.name}"
        yield f"   File = {file.path}"
        yield f"   Status = {router.known.get((TrackKind.FILE, file.name), 0)}"
        yield _weight(file.weight, file.reverse)
        yield from _users(router, TrackKind.FILE, file.name)


def _processes(router: Router, running: Running) -> Iterator[str]:
    for process in router.plan.processes:
        yield f" VRRP Track process = {process.name}"
        yield f"   Process = {process.argv[0]}"
        if process.argv[1:]:
            yield f"   Parameters = {' '.join(process.argv[1:])}"
        if process.match is not None:
            yield f"   Param match{'' if process.match == 'exact' else f' = {process.match}'}"
        yield f"   Min processes = {process.quorum}"
        if process.quorum_max is not None:
            yield f"   Max processes = {process.quorum_max}"
        yield from _count(router, process, running(process))
        yield f"   Full command = {'true' if process.full_command else 'false'}"
        yield from _users(router, TrackKind.PROCESS, process.name)


def _count(router: Router, process: TrackedProcess, number: int) -> Iterator[str]:
    """A timer runs as long as there are enough, or too few, and that does not count yet."""
    enough = process.satisfied_by(number)
    have = bool(router.known.get((TrackKind.PROCESS, process.name)))
    yield f"   Current processes = {number}"
    yield f"   Have quorum = {'true' if have else 'false'}"
    yield _weight(process.weight, process.reverse)
    yield f"   Terminate delay = {process.terminate_delay_us / SECOND:.6f}s"
    yield f"   Fork delay = {process.fork_delay_us / SECOND:.6f}s"
    yield f"   Fork delay timer {'' if enough and not have else 'not '}running"
    yield f"   Terminate delay timer {'' if have and not enough else 'not '}running"


def _sessions(router: Router) -> Iterator[str]:
    for session in router.plan.sessions:
        yield f" VRRP Track BFD = {session.name}"
        yield _weight(session.weight, session.reverse)
        yield f"   Bfd is {'up' if router.known.get((TrackKind.BFD, session.name)) else 'down'}"
        yield "   Tracking VRRP instances :"
        yield from _users(router, TrackKind.BFD, session.name)
