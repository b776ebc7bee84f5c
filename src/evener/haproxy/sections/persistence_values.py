"""The argument of ``cookie``."""

from __future__ import annotations

from typing import Final

from evener.haproxy.sections.reading import Place
from evener.haproxy.sections.rule_words import Reported
from evener.haproxy.sections.values import read_time, time_words
from evener.text.record import dataclass
from evener.vocab.arguments import Argument, Cursor

_SUPPORTS: Final = (
    "'cookie' supports 'rewrite', 'insert', 'prefix', 'indirect', 'nocache', 'postonly', 'domain', "
    "'maxidle', 'dynamic', 'maxlife' and 'attr' options."
)
_FLAGS: Final = (
    "rewrite", "insert", "prefix", "indirect", "nocache", "postonly", "preserve", "httponly", "secure",
    "dynamic",
)  # fmt: skip
_TIGHT: Final = "config : parsing [{place}]: "


@dataclass(frozen=True, slots=True)
class Cookie:
    """``maxidle`` and ``maxlife`` are milliseconds."""

    name: str
    flags: frozenset[str] = frozenset()
    domains: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    maxidle: int | None = None
    maxlife: int | None = None


class CookieArgument(Argument[Cookie]):
    usage = (
        "<name> [ rewrite | insert | prefix ] [indirect] [nocache] [postonly] [preserve] [httponly] [secure] "
        "[domain <domain>]* [maxidle <idle>] [maxlife <life>] [dynamic] [attr <value>]*"
    )

    def read(self, cursor: Cursor) -> Cookie:
        if not cursor.more:
            raise cursor.bad("missing-argument", "'cookie' expects <cookie_name> as argument.", whole=True)
        name = cursor.take()
        flags: set[str] = set()
        lists: dict[str, list[str]] = {"domain": [], "attr": []}
        times: dict[str, int] = {}
        while cursor.peek() is not None:
            word = cursor.take()
            if word in _FLAGS:
                flags.add(word)
            elif word in ("domain", "attr", "maxidle", "maxlife"):
                self.valued(word, cursor, lists, times)
            else:
                raise cursor.bad("unknown-parameter", _SUPPORTS, whole=True)
        if len(flags & {"rewrite", "insert", "prefix"}) > 1:
            message = "cookie 'rewrite', 'insert' and 'prefix' modes are incompatible."
            raise cursor.bad("contradiction", message, whole=True)
        return Cookie(
            name, frozenset(flags), tuple(lists["domain"]), tuple(lists["attr"]),
            times.get("maxidle"), times.get("maxlife"),
        )  # fmt: skip

    def valued(self, word: str, cursor: Cursor, lists: dict[str, list[str]], times: dict[str, int]) -> None:
        if cursor.peek() is None:
            message = f"'{word}' expects <{word}> as argument."
            raise cursor.bad("missing-argument", message, whole=True)
        text = cursor.take()
        place: Place = cursor.context
        if word in lists:
            lists[word].append(text)
            if word == "domain" and "." not in text.lstrip("."):
                place.diagnostics.warning(
                    "domain-without-dot",
                    f"domain '{text}' contains no embedded dot, this configuration may not work properly "
                    "(see RFC6265#5.2.3).",
                    cursor.span(), lead=_TIGHT,
                )  # fmt: skip
            return
        found = read_time(text, 1000)
        if found.wrong:
            message = f"unexpected character '{found.wrong}' in argument to <{word}>."
            place.diagnostics.alert("bad-time", message, cursor.span(), lead=_TIGHT)
            raise Reported
        times[word] = found.milliseconds

    def words(self, value: Cookie) -> list[str]:
        words = [value.name, *(flag for flag in _FLAGS if flag in value.flags)]
        for domain in value.domains:
            words += ["domain", domain]
        for name, time in (("maxidle", value.maxidle), ("maxlife", value.maxlife)):
            words += [name, time_words(time)] if time is not None else []
        for attribute in value.attributes:
            words += ["attr", attribute]
        return words
