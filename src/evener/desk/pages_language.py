"""Pages of what is no keyword of haproxy.cfg: its syntax, parts of longer statements, words of other builds.

The rows are in ``words_syntax``, ``words_steps`` and ``words_foreign``; this makes pages of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from evener.desk import words_foreign, words_steps, words_syntax
from evener.desk.pages import Page, Standing
from evener.haproxy.condition import PREDEFINED

_PRODUCT: Final = "haproxy"
_PROXIES: Final = ("defaults", "frontend", "listen", "backend")

#: family -> (its rows, where its words may stand)
SYNTAX: Final[dict[str, tuple[str, Sequence[str]]]] = {
    "directive": (words_syntax.DIRECTIVES, ("anywhere",)),
    "predicate": (words_syntax.PREDICATES, (".if", ".elif", "haproxy -cc")),
    "quoting mark": (words_syntax.QUOTING, ("anywhere",)),
    "variable": (words_syntax.VARIABLES, ("double quotes",)),
    "condition word": (words_syntax.CONDITIONS, ("rules",)),
    "ACL flag": (words_syntax.FLAGS, ("acl", "conditions")),
    "matching method": (words_syntax.METHODS, ("acl", "conditions")),
    "check step": (words_steps.CHECK_STEPS, ("defaults", "listen", "backend", "healthcheck")),
    "stick rule": (words_steps.STICK_RULES, ("listen", "backend")),
}
_NO_LIBRARY: Final = "Needs a library of device descriptions, which is not part of this build."
_OTHER_BUILD: Final = "Only builds made for that know it; this one does not."
_NO_QUIC: Final = "Needs QUIC, which is not part of this build."
_NO_SOCKET: Final = "A command of the master's socket, which does not exist here; signals do the same."


def language_pages() -> Iterator[Page]:
    for family, (entries, contexts) in SYNTAX.items():
        for entry in entries.strip().split("\n\n"):
            yield _entry(family, entry.split("\n"), contexts)
    yield from _predefined()
    yield from _maps()
    yield from _foreign()


def _entry(family: str, lines: Sequence[str], contexts: Sequence[str]) -> Page:
    name, _, form = lines[0].partition(" | ")
    form = " ".join([form, *(line[2:] for line in lines[1:] if line.startswith("| "))])
    doc = " ".join(line for line in lines[1:] if line[:2] not in ("| ", "+ ", "- "))
    good, bad = ("\n".join(line[2:] for line in lines if line.startswith(mark)) for mark in ("+ ", "- "))
    return Page(
        _PRODUCT, family, name, form, doc, Standing.EXECUTED, tuple(contexts), (), (good,), (bad,)
    )  # fmt: skip


def split(rows: str) -> Iterator[list[str]]:
    """The cells of each row; ``\\p`` is a bar."""
    for row in rows.strip().splitlines():
        yield [cell.strip().replace("\\p", "|") for cell in row.split(" | ")]


def _predefined() -> Iterator[Page]:
    for name, test in PREDEFINED.items():
        good, bad = f"http-request deny if {name}", f"http-request deny if {name} {{"
        doc = f"True when ``{test}`` is."
        yield Page(
            _PRODUCT, "predefined ACL", name, name, doc, Standing.EXECUTED, ("conditions",),
            (("the same as", test),), (good,), (bad,),
        )  # fmt: skip


def _maps() -> Iterator[Page]:
    """What the manual calls the converters that look things up in files."""
    for name, form, good in (
        ("map_match", "map_<method>(<file>[,<default>])", "map_beg(/dev/null)"),
        ("map_match_output", "map_<method>_<type>(<file>[,<default>])", "map_beg_int(/dev/null,0)"),
    ):
        doc = (
            "The name of many converters: ``<method>`` is a matching method (beg, sub, dir, dom, end, "
            "str, reg, regm, int, ip, bin) and ``<type>`` what the value is read as (str, int, ip, key). The "
            "sample is looked for among the keys of the file, and becomes the value of the one that matches."
        )
        yield Page(
            _PRODUCT, "converter", name, form, doc, Standing.EXECUTED, ("after a fetch or a converter",), (),
            (f"<sample>,{good}",), (f"<sample>,{good.partition('(')[0]}",),
        )  # fmt: skip


def _foreign() -> Iterator[Page]:
    for rows, why in ((words_foreign.DEVICES, _NO_LIBRARY), (words_foreign.TUNING, _OTHER_BUILD)):
        for name, form, doc in split(rows):
            yield _absent("global keyword", name, f"{name} {form}", f"{doc} {why}", "global")
    for names, form, doc in split(words_foreign.QUIC):
        for part in names.split(", "):
            name = f"tune.quic.{part}"
            yield _absent("global keyword", name, f"{name} {form}", f"{doc} {_NO_QUIC}", "global")
    for name, form, doc in split(words_foreign.MASTER):
        yield _absent("runtime command", name, form, f"{doc} {_NO_SOCKET}", "master's socket")
    for name, form, doc, kind in split(words_foreign.SAMPLES):
        why = "" if name == "set-cookie" else f" {_NO_LIBRARY}"
        family = "sample fetch" if kind == "fetch" else "converter"
        yield _absent(family, name, form, f"{doc}{why}", "expressions")


def _absent(family: str, name: str, form: str, doc: str, where: str) -> Page:
    return Page(
        _PRODUCT, family, name, form, doc, Standing.ABSENT, (where,), (), (), (form.partition(" ")[0],)
    )
