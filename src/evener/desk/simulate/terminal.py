"""A timeline in the terminal: a bar per node and instance, the owners of each address, and the events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evener.desk.simulate.timeline import OFF, Timeline, doubles, gaps
from evener.desk.simulate.verdict import Violation
from evener.keepalived.vrrp.plan import State

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

WIDTH = 60
SYMBOLS: dict[State | None, tuple[str, str]] = {
    State.MASTER: ("█", "green"),
    State.BACKUP: ("░", "cyan"),
    State.FAULT: ("x", "red"),
    State.INIT: ("·", "dim"),
    OFF: (" ", ""),
}
MOST_EVENTS = 200


def stamp(moment: int) -> str:
    return f"{moment / 1e6:.3f}"


def show(
    timeline: Timeline, violations: Sequence[Violation], advice: Sequence[str], console: Console | None = None
) -> None:
    """Print everything."""
    from rich.console import Console
    from rich.text import Text

    console = console or Console(highlight=False)
    console.print(_states(timeline))
    console.print(_owners(timeline))
    for entry in timeline.log[:MOST_EVENTS]:
        console.print(Text(f"{stamp(entry.at):>10}  {entry.node:<10} {entry.text}"), soft_wrap=True)
    if len(timeline.log) > MOST_EVENTS:
        console.print(f"... and {len(timeline.log) - MOST_EVENTS} more events")
    for line in advice:
        console.print(Text("advice: " + line, style="yellow"), soft_wrap=True)
    for violation in violations:
        between = f"{stamp(violation.start)} - {stamp(violation.end)}"
        console.print(Text(f"violated: {between}  {violation.what}", style="bold red"), soft_wrap=True)
    if not violations:
        console.print(Text("The invariants held.", style="green"), soft_wrap=True)


def _states(timeline: Timeline) -> Table:
    from rich.table import Table

    table = Table(box=None, title=f"0 - {stamp(timeline.duration)} s", title_justify="left")
    for head in ("instance", "node", "█ master  ░ backup  x fault  · init"):
        table.add_column(head, no_wrap=True)
    for instance in timeline.instances:
        for track in timeline.of(instance):
            table.add_row(instance, track.node, _bar(timeline, track.node, instance))
    return table


def _bar(timeline: Timeline, node: str, instance: str) -> Text:
    """Each cell shows what held longest in it, except that mastership is never hidden."""
    from rich.text import Text

    made = Text()
    track = timeline.tracks[node, instance]
    for cell in range(WIDTH):
        start, end = (timeline.duration * (cell + side) // WIDTH for side in (0, 1))
        shares: dict[State | None, int] = {}
        for span in track.spans:
            share = min(span.end, end) - max(span.start, start)
            if share > 0:
                shares[span.what] = shares.get(span.what, 0) + share
        best = max(shares, key=lambda what: (what is State.MASTER, shares[what])) if shares else OFF
        made.append(*SYMBOLS[best])
    return made


def _owners(timeline: Timeline) -> Table:
    from rich.table import Table

    table = Table(box=None)
    for head in ("address", "owner", "from", "until", ""):
        table.add_column(head, no_wrap=True)
    for address, held in timeline.owners.items():
        rows = [(start, end, node, "") for start, end, node in held]
        rows += [(start, end, "nobody", "gap") for start, end in gaps(held, timeline.duration)]
        rows += [(start, end, " + ".join(both), "double") for start, end, both in doubles(held)]
        for start, end, owner, note in sorted(rows):
            style = {"gap": "yellow", "double": "red"}.get(note, "")
            table.add_row(address, owner, stamp(start), stamp(end), note, style=style)
    return table
