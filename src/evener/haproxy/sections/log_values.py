"""``log``: where messages go and in what form, in ``global`` and in proxies."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Final

from evener.haproxy.addresses import LOG, Address, BadAddress, parse_address
from evener.haproxy.line import Line
from evener.haproxy.sections.reading import Place, where_of
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, decimal

FORMATS: Final = ("local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw")
FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2", "ftp", "ntp",
    "audit", "alert", "cron2", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
LEVELS: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
EXPECTS: Final = "log : expects <address> and <facility>{} as arguments"


@dataclass(frozen=True, slots=True)
class Log:
    """One target. ``target`` is as written: an address, ``stdout``, ``fd@1``, ``ring@x``, ``backend@x``...

    Of ``log global``, ``length`` is how many targets the global section had by then: later ones do not count.
    ``level`` is the most verbose level that is sent, ``minimum`` the least severe that is shown.
    An empty ``format`` leaves it to the target. ``sample`` is (ranges as written, size).
    """

    target: str
    facility: str
    level: str | None = None
    minimum: str | None = None
    length: int = 1024
    format: str = ""
    address: Address | None = None
    sample: tuple[str, int] | None = None
    profile: str | None = None
    span: Span | None = field(default=None, compare=False)

    @property
    def is_global(self) -> bool:
        """``log global``: the targets of the global section."""
        return self.target == "global"

    @property
    def facility_number(self) -> int:
        return FACILITIES.index(self.facility)


GLOBAL: Final = Log("global", "")


class LogArgument(Argument[Log]):
    usage = (
        "{ global | <target> [len <length>] [format <format>] [sample <ranges>:<size>] <facility> [<level>] }"
    )

    def __init__(self, in_global: bool) -> None:
        self.in_global = in_global
        self.expects = EXPECTS.format(" " if in_global else " or global")

    def read(self, cursor: Cursor) -> Log:
        if not cursor.more:
            raise cursor.bad("missing-argument", self.expects, whole=True)
        target = cursor.take()
        if target == "global" and cursor.peek() is None:
            if self.in_global:
                message = "log : 'global' is not supported for a global syslog server"
                raise cursor.bad("bad-log", message, whole=True)
            return replace(GLOBAL, length=cursor.context.global_logs)
        found = self.parameters(cursor)
        if cursor.peek() is None:
            raise cursor.bad("missing-argument", self.expects, whole=True)
        facility = cursor.take()
        if facility not in FACILITIES:
            raise cursor.bad("bad-log", f"log : unknown log facility '{facility}'", whole=True)
        level = self.level(cursor, "unknown optional log level")
        minimum = self.level(cursor, "unknown optional minimum log level")
        if cursor.peek() is not None:
            extra = cursor.take()
            message = f"log : cannot handle unexpected argument '{extra}'"
            raise cursor.bad("unexpected-argument", message, whole=True)
        line: Line = cursor.line  # type: ignore[assignment]
        return Log(
            target,
            facility,
            level,
            minimum,
            *found[:2],
            self.address(target, cursor),
            *found[2:],
            where_of(line),
        )

    def parameters(self, cursor: Cursor) -> tuple[int, str, tuple[str, int] | None, str | None]:
        length, form, sample, profile = 1024, "", None, None
        while cursor.peek() in ("len", "format", "sample", "profile"):
            word = cursor.take()
            if cursor.peek() is None:
                raise cursor.bad("missing-argument", self.expects, whole=True)
            text = cursor.take()
            if word == "len":
                length = decimal(text) or 0
                if not 80 <= length <= 65535:
                    message = f"log : invalid log length '{text}', must be between 80 and 65535"
                    raise cursor.bad("bad-log", message, whole=True)
            elif word == "format":
                form = text
                if text not in FORMATS:
                    raise cursor.bad("bad-log", f"log : unknown log format '{text}'", whole=True)
            elif word == "sample":
                sample = self.sample(text, cursor)
            else:
                profile = text
        return length, form, sample, profile

    def sample(self, text: str, cursor: Cursor) -> tuple[str, int]:
        ranges, _, size = text.rpartition(":")
        number = decimal(size)
        if not ranges or not number:
            message = f"log : invalid sampling '{text}', must be <ranges>:<size>"
            raise cursor.bad("bad-log", message, whole=True)
        return ranges, number

    def level(self, cursor: Cursor, wrong: str) -> str | None:
        word = cursor.peek()
        if word is None:
            return None
        cursor.index += 1
        if word not in LEVELS:
            raise cursor.bad("bad-log", f"log : {wrong} '{word}'", whole=True)
        return word

    def address(self, target: str, cursor: Cursor) -> Address | None:
        if target in ("stdout", "stderr", "global") or target.startswith(("ring@", "backend@")):
            return None
        place: Place = cursor.context
        try:
            return parse_address(target, LOG, place.resolve)
        except BadAddress as error:
            raise cursor.bad("bad-address", f"log : {error}", whole=True) from None

    def words(self, value: Log) -> list[str]:
        words = [value.target]
        if value.is_global:
            return words
        if value.length != 1024:
            words += ["len", str(value.length)]
        if value.format:
            words += ["format", value.format]
        if value.profile is not None:
            words += ["profile", value.profile]
        if value.sample is not None:
            words += ["sample", f"{value.sample[0]}:{value.sample[1]}"]
        return [*words, *(word for word in (value.facility, value.level, value.minimum) if word)]
