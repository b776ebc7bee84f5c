"""A timeline as an SVG picture: the states of every node, and below them who held each address."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from evener.desk.simulate.timeline import OFF, Timeline, doubles, gaps
from evener.desk.simulate.verdict import Violation
from evener.keepalived.vrrp.plan import State

COLOURS: dict[State | None, str] = {
    State.MASTER: "#2e9e4f",
    State.BACKUP: "#a9cfe8",
    State.FAULT: "#d64545",
    State.INIT: "#dddddd",
    OFF: "none",
}
OWNERS = ("#2e6fb0", "#c46a1b", "#7a4fb3", "#2f8f83", "#b03a68", "#6b7a1f")
LEFT, WIDTH, ROW, BAR, TICKS = 190, 900, 24, 16, 10


class Drawing:
    """Rows from top to bottom."""

    def __init__(self, duration: int) -> None:
        self.duration = max(1, duration)
        self.height = 10
        self.parts: list[str] = []

    def x(self, moment: int) -> float:
        return round(LEFT + WIDTH * moment / self.duration, 1)

    def text(self, x: float, y: float, words: str, more: str = "") -> None:
        self.parts.append(f'<text x="{x}" y="{y}"{more}>{escape(words)}</text>')

    def bar(self, start: int, end: int, fill: str, title: str, inset: int = 0) -> None:
        left, right = self.x(start), self.x(end)
        box = f'x="{left}" y="{self.height + inset}" width="{max(right - left, 0.5):.1f}"'
        shown = f"{title} {start / 1e6:.3f} - {end / 1e6:.3f} s"
        self.parts.append(
            f'<rect {box} height="{BAR - 2 * inset}" fill="{fill}"><title>{escape(shown)}</title></rect>'
        )

    def row(self, label: str) -> None:
        self.text(6, self.height + BAR - 4, label)

    def next(self) -> None:
        self.height += ROW


def draw(timeline: Timeline, violations: Sequence[Violation], advice: Sequence[str]) -> str:
    """The whole file."""
    drawing = Drawing(timeline.duration)
    colours = {node: OWNERS[i % len(OWNERS)] for i, node in enumerate(timeline.nodes)}
    for instance in timeline.instances:
        for track in timeline.of(instance):
            drawing.row(f"{instance} on {track.node}")
            for span in track.spans:
                name = "off" if span.what is OFF else span.what.name.lower()
                drawing.bar(span.start, span.end, COLOURS[span.what], f"{track.node} {name}")
            drawing.next()
    for address, held in timeline.owners.items():
        drawing.row(address)
        for start, end, node in held:
            drawing.bar(start, end, colours[node], node)
        for start, end in gaps(held, timeline.duration):
            drawing.bar(start, end, "#f4d35e", "nobody", inset=5)
        for start, end, both in doubles(held):
            drawing.bar(start, end, "#ff0000", " and ".join(both), inset=3)
        drawing.next()
    for violation in violations:
        drawing.row("violated")
        drawing.bar(violation.start, violation.end, "#ff0000", violation.what, inset=5)
        drawing.next()
    _axis(drawing)
    for line in (*(v.what for v in violations), *advice):
        drawing.height += ROW
        drawing.text(6, drawing.height, line, ' fill="#a33"')
    return _document(drawing, colours)


def _axis(drawing: Drawing) -> None:
    for tick in range(TICKS + 1):
        moment = drawing.duration * tick // TICKS
        x = drawing.x(moment)
        drawing.parts.insert(0, f'<line x1="{x}" y1="4" x2="{x}" y2="{drawing.height}" stroke="#eee"/>')
        drawing.text(x, drawing.height + 12, f"{moment / 1e6:g} s", ' text-anchor="middle"')
    drawing.height += 14


def _document(drawing: Drawing, colours: dict[str, str]) -> str:
    drawing.height += ROW
    x = LEFT
    for node, colour in colours.items():
        drawing.parts.append(
            f'<rect x="{x}" y="{drawing.height - 10}" width="10" height="10" fill="{colour}"/>'
        )
        drawing.text(x + 14, drawing.height, node)
        x += 110
    width, height = LEFT + WIDTH + 40, drawing.height + 16
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
    style = ' font-family="sans-serif" font-size="11"'
    back = '<rect width="100%" height="100%" fill="#ffffff"/>'
    return "\n".join([f"{head}{style}>", back, *drawing.parts, "</svg>", ""])
