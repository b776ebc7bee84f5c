"""``compression``: what is compressed, with what. How that is decided is in ``haproxy.compression``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from evener.haproxy.compression import ALGORITHMS
from evener.haproxy.sections.reading import Place
from evener.haproxy.sections.sides import ANY
from evener.haproxy.sections.values import Size
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor
from evener.vocab.blocks import Repeat, block, keyword, spans

_DIRECTION: Final = "'compression' expects 'request', 'response', or 'both'."


class AlgorithmNames(Argument[tuple[str, ...]]):
    """One or more algorithms; requests take one."""

    usage = "<algorithm> ..."

    def __init__(self, single: bool = False) -> None:
        self.single = single

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        names = (cursor.take("an algorithm"),) if self.single and cursor.more else cursor.rest()
        if not names:
            line = cursor.line
            where = f"{line.span(0).source.name}:{line.span(0).line}"
            message = f"parsing [{where}] : 'compression' expects <algorithm>."
            if self.single:
                message = "'compression' : '' is not a supported algorithm."
            raise cursor.bad("missing-argument", message, whole=True)
        for name in names:
            if name not in ALGORITHMS:
                message = f"'compression' : '{name}' is not a supported algorithm."
                raise cursor.bad("unknown-value", message, whole=True)
        return names

    def words(self, value: tuple[str, ...]) -> list[str]:
        return list(value)


class TypeNames(Argument[tuple[str, ...]]):
    usage = "<mime type> ..."

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        names = cursor.rest()
        if not names:
            raise cursor.bad("missing-argument", "'compression' expects <type>.", whole=True)
        return names

    def words(self, value: tuple[str, ...]) -> list[str]:
        return list(value)


class Direction(Argument[str]):
    usage = "{ request | response | both }"

    def read(self, cursor: Cursor) -> str:
        word = cursor.take("a direction") if cursor.more else ""
        if word not in ("request", "response", "both"):
            raise cursor.bad("unknown-value", _DIRECTION, whole=True)
        return word


class Offload(Argument[bool]):
    """A flag that means nothing in ``defaults``."""

    usage = ""

    def read(self, cursor: Cursor) -> bool:
        place: Place = cursor.context
        if place.kind == "defaults":
            message = "'compression' : 'offload' ignored in 'defaults' section."
            place.warning("wrong-section", message, cursor.line.span(0))
            return False
        return True

    def words(self, value: bool) -> list[str]:
        return []


class LeastSize(Size):
    def read(self, cursor: Cursor) -> int:
        if not cursor.more:
            message = f"'{cursor.name.split()[-1]}' expects an integer argument."
            raise cursor.bad("missing-argument", message, whole=True)
        name, cursor.name = cursor.name, cursor.name.split()[-1]
        try:
            return super().read(cursor)
        finally:
            cursor.name = name


def names(argument: Argument[Any], doc: str, ok: str) -> Any:
    return keyword(argument, doc, ok=(ok,), bad=("{}",), contexts=ANY, repeat=Repeat.COLLECT)


@block("compression keyword")
@dataclass(frozen=True, slots=True)
class Compression:
    algo: tuple[tuple[str, ...], ...] = names(
        AlgorithmNames(), "Compress responses with those algorithms.", "{} gzip deflate"
    )
    algo_req: tuple[str, ...] | None = keyword(
        AlgorithmNames(single=True), "Compress requests with that algorithm.", ok=("{} gzip",),
        bad=("{}", "{} x"), contexts=ANY, loose=True,
    )  # fmt: skip
    algo_res: tuple[tuple[str, ...], ...] = names(
        AlgorithmNames(), "Compress responses with those algorithms.", "{} gzip"
    )
    type: tuple[tuple[str, ...], ...] = names(
        TypeNames(), "Content types of responses that are compressed.", "{} text/html text/plain"
    )
    type_req: tuple[tuple[str, ...], ...] = names(
        TypeNames(), "Content types of requests that are compressed.", "{} text/plain"
    )
    type_res: tuple[tuple[str, ...], ...] = names(
        TypeNames(), "Content types of responses that are compressed.", "{} text/plain"
    )
    direction: str | None = keyword(
        Direction(), "What is compressed.", ok=("{} both",), bad=("{}", "{} sideways"), contexts=ANY,
    )  # fmt: skip
    offload: bool = keyword(
        Offload(), "Do not let servers compress: take Accept-Encoding from requests.", ok=("{}",),
        bad=("no-{}",), contexts=ANY, default=False, loose=True,
    )  # fmt: skip
    minsize_req: int | None = keyword(
        LeastSize(), "Shortest request body that is compressed.", ok=("{} 1k",), bad=("{}", "{} x"),
        contexts=ANY,
    )  # fmt: skip
    minsize_res: int | None = keyword(
        LeastSize(), "Shortest response body that is compressed.", ok=("{} 1k",), bad=("{}", "{} x"),
        contexts=ANY,
    )  # fmt: skip
    spans: Mapping[str, Span] = spans()

    def responses(self) -> tuple[str, ...]:
        """The algorithms for responses; what was said last is preferred where weights are equal."""
        return tuple(name for line in (*self.algo, *self.algo_res) for name in line)[::-1]

    def response_types(self) -> tuple[str, ...]:
        return tuple(name for line in (*self.type, *self.type_res) for name in line)

    def request_types(self) -> tuple[str, ...]:
        return tuple(name for line in self.type_req for name in line)
