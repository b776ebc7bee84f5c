"""The filters: what each is, how its line looks, and which of them are not executed."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from evener.vocab.registry import Declaration, Registry, Status

FILTERS: Final[Registry[Declaration]] = Registry("filter")


def _filter(
    name: str,
    family: str,
    arguments: str,
    doc: str,
    *,
    ok: str,
    bad: str,
    planned: bool = False,
    needs: str = "",
) -> None:
    facts = MappingProxyType({"family": family, "needs": needs})
    status = Status.PLANNED if planned else Status.WORKING
    signature = f"filter {name} {arguments}".strip()
    good, wrong = (f"filter {ok}",), (f"filter {bad}",)
    FILTERS.declare(Declaration(name, signature, doc, good, wrong, status, facts=facts))


for _name, _direction in (("bwlim-in", "requests"), ("bwlim-out", "responses")):
    _filter(
        _name, "BWLIM",
        "<name> { default-limit <size> default-period <time> | limit <size> key <sample> [table <table>] } "
        "[min-size <size>]",
        f"Slows the bodies of {_direction} down to so many bytes per period, for those streams for which the "
        "action ``set-bandwidth-limit`` asks for it. With a key, all streams of that key share the limit.",
        ok=f"{_name} slow default-limit 100k default-period 1s", bad=f"{_name} slow",
    )  # fmt: skip
_filter(
    "cache", "CACHE", "<name>",
    "Where in the order of filters the bodies that ``cache-store`` keeps are taken. Only needed beside other "
    "filters; the name is a ``cache`` section's.",
    ok="cache pages", bad="cache", needs="cache pages",
)  # fmt: skip
for _name, _direction in (
    ("comp-req", "the bodies of requests"),
    ("comp-res", "the bodies of responses"),
    ("compression", "bodies"),
):
    _filter(
        _name, "COMP", "",
        f"Where in the order of filters {_direction} are compressed, as the ``compression`` statements say. "
        "Only needed beside other filters.",
        ok=_name, bad=f"{_name} gzip",
    )  # fmt: skip
_filter(
    "fcgi-app", "FCGI", "<name>",
    "Where in the order of filters requests are made ready for the FastCGI application that ``use-fcgi-app`` "
    "names.",
    ok="fcgi-app php", bad="fcgi-app", planned=True, needs="fcgi-app php",
)  # fmt: skip
_filter(
    "spoe", "SPOE", "[engine <name>] config <file>",
    "Tells agents about the stream, in messages that the file describes, and sets the variables that they "
    "answer with. The engine is the part of the file below ``[name]``.",
    ok="spoe engine e config S", bad="spoe engine e", planned=True, needs="file S",
)  # fmt: skip
_filter(
    "trace", "TRACE", "[name <name>] [random-forwarding] [max-fwd <bytes>] [hexdump] [quiet]",
    "Writes to standard error what it sees of the stream, and lets it pass; or only a random part of it at a "
    "time, which shows whether others bear that.",
    ok="trace name before random-forwarding", bad="trace before",
)  # fmt: skip
FILTERS.freeze()

NAMES: Final = {word.name: str(word.facts["family"]) for word in FILTERS}
"""The families by the filters' names, as the original lists them."""
COMPRESSING: Final = ("comp-req", "comp-res", "compression")
PLANNED: Final = tuple(word.name for word in FILTERS if word.planned)
