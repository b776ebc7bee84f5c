"""Words of ``global`` about HTTP/1: what is tolerated of old peers, how they want header names spelled."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from evener.haproxy.sections.reading import Place, where_of
from evener.haproxy.sections.rule_words import line_of
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, Flag
from evener.vocab.blocks import Repeat, block, keyword, spans

DIFFER: Final = "<from> and <to> must not differ except the case"


@dataclass(frozen=True, slots=True)
class Spelling:
    """A header name in small letters, and as it is to be sent."""

    name: str
    wanted: str


class SpellingArgument(Argument[Spelling]):
    usage = "<from> <to>"

    def read(self, cursor: Cursor) -> Spelling:
        place: Place = cursor.context
        if len(cursor.words) < cursor.index + 2:
            message = f"'{cursor.name}' expects <from> and <to> as argument."
            raise cursor.bad("missing-argument", message, whole=True)
        made = Spelling(cursor.take(), cursor.take())
        if made.name.lower() != made.wanted.lower():
            raise cursor.bad("wrong-spelling", DIFFER, whole=True)
        here = where_of(line_of(cursor))
        if place.seen.setdefault((cursor.name, made.name), here) is not here:
            raise cursor.bad("duplicate-header", f"duplicate entry '{made.name}'", whole=True)
        return made

    def words(self, value: Spelling) -> list[str]:
        return [value.name, value.wanted]


@dataclass(frozen=True, slots=True)
class SpellingFile:
    text: str
    path: str = field(
        compare=False
    )  #: absolute: what a relative name starts from is known only while reading


class SpellingFileArgument(Argument[SpellingFile]):
    usage = "<file>"

    def read(self, cursor: Cursor) -> SpellingFile:
        if not cursor.more:
            raise cursor.bad("missing-argument", f"'{cursor.name}' expects <file> as argument.", whole=True)
        text = cursor.take()
        return SpellingFile(text, os.path.abspath(text))

    def words(self, value: SpellingFile) -> list[str]:
        return [value.text]


@block("HTTP/1 keyword of global")
@dataclass(frozen=True, slots=True)
class Http1:
    h1_accept_payload_with_any_method: bool = keyword(
        Flag(), "Accept a body with GET, HEAD and DELETE of HTTP/1.0; without it they are answered 413.",
        ok=("{}",), bad=("{} x",), default=False,
    )  # fmt: skip
    h1_do_not_close_on_insecure_transfer_encoding: bool = keyword(
        Flag(), "Keep connections on which a message had both a length and chunks.",
        ok=("{}",), bad=("{} x",), default=False,
    )  # fmt: skip
    h1_case_adjust: tuple[Spelling, ...] = keyword(
        SpellingArgument(), "How a header name is spelled for peers of option h1-case-adjust-bogus-*.",
        ok=("{} content-length Content-Length",), bad=("{}", "{} host", "{} host hosts"),
        repeat=Repeat.COLLECT,
    )  # fmt: skip
    h1_case_adjust_file: SpellingFile | None = keyword(
        SpellingFileArgument(), "File of such names: two on a line.", ok=("{} /dev/null",),
        bad=("{}", "{} /dev/null x"),
    )  # fmt: skip
    spans: Mapping[str, Span] = spans()
