"""``evener explain``: the pages of a word on a terminal, as JSON, or as a list when there are many.

Which words there are is ``pages``' and the vocabularies'; this decides how many pages are worth showing
and what they look like.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from evener.desk.pages import Page, Standing

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

#: More pages than this are shown as a list.
FEW = 6
_WIDEST = 100
_STYLES = {
    Standing.EXECUTED: "green",
    Standing.PLANNED: "yellow",
    Standing.IDLE: "cyan",
    Standing.REMOVED: "red",
    Standing.ABSENT: "red",
}


def all_pages(product: str | None = None) -> list[Page]:
    """The pages of one product, or of both."""
    pages: list[Page] = []
    if product != "keepalived":
        from evener.desk.pages_haproxy import haproxy_pages

        pages += haproxy_pages()
    if product != "haproxy":
        from evener.desk.pages_keepalived import keepalived_pages

        pages += keepalived_pages()
    return pages


def within(pages: Sequence[Page], place: str | None) -> list[Page]:
    """Those of a family or a context whose name holds ``place``, whatever its case."""
    if place is None:
        return list(pages)
    wanted = place.lower()
    return [page for page in pages if any(wanted in text.lower() for text in (page.family, *page.contexts))]


def as_json(pages: Sequence[Page]) -> str:
    return json.dumps([_plain(page) for page in pages], indent=2)


def _plain(page: Page) -> dict[str, object]:
    made = dataclasses.asdict(page)
    return made | {"standing": page.standing.name.lower(), "facts": [list(fact) for fact in page.facts]}


def show(pages: Sequence[Page], file: TextIO | None = None) -> None:
    """Print the pages, or one line for each when they are more than a few."""
    from rich.console import Console

    console = Console(file=file, highlight=False)
    console.width = min(console.width, _WIDEST)
    if len(pages) > FEW:
        _list(console, pages)
        return
    for number, page in enumerate(pages):
        if number:
            console.rule(style="dim")
        for line in _page(page):
            console.print(line)


def _list(console: Console, pages: Sequence[Page]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for style in ("bold", "dim", ""):
        table.add_column(style=style)
    for page in pages:
        doc = Text(page.doc.partition("\n")[0])
        doc.stylize(_STYLES[page.standing] if page.standing is not Standing.EXECUTED else "")
        table.add_row(Text(page.name), Text(page.family), doc)
    console.print(table)


def _page(page: Page) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    yield Text.assemble((page.name, "bold"), ("  ", ""), (f"{page.product}, {page.family}", "dim"))
    yield Padding(Text(page.signature, style="cyan"), (1, 2))
    for paragraph in page.doc.split("\n\n"):
        yield Padding(prose(paragraph), (0, 2, 1, 2))
    yield Padding(_table(page), (0, 2))


def prose(paragraph: str) -> Text:
    """A paragraph of documentation; words between double backquotes stand out."""
    from rich.text import Text

    made = Text()
    for number, piece in enumerate(paragraph.split("``")):
        made.append(piece if number % 2 else " ".join(piece.split("\n")), style="bold" if number % 2 else "")
    return made


def _table(page: Page) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_row("status", Text(page.standing.value, style=_STYLES[page.standing]))
    if page.contexts:
        table.add_row("may stand in", Text(", ".join(page.contexts)))
    for name, value in page.facts:
        table.add_row(Text(name), Text(value))
    for name, examples, style in (("right", page.good, "green"), ("wrong", page.bad, "red")):
        for number, example in enumerate(examples):
            table.add_row("" if number else name, Text(example, style=style))
    return table
