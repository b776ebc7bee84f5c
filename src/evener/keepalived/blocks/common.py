"""What several blocks' declarations share: ranges, standard sentences, and small checks."""

from __future__ import annotations

from typing import Any

from evener.keepalived.arguments import SECOND, Number, OptionalBool, String
from evener.keepalived.declare import word
from evener.keepalived.numbers import INT_MAX, UINT_MAX, whole
from evener.keepalived.scripts import first_word

NICE = Number(-20, 19)
RT_PRIORITY = Number(1, INT_MAX)
RT_MAX = 99
DAY = 86400
RTTIME = Number(1, UINT_MAX)
SIZE = Number(0, UINT_MAX)
SECONDS = Number(0, UINT_MAX // SECOND)
COUNT = Number(0, UINT_MAX)

GLOBAL_BOOL = "Invalid value '{word}' for global {keyword} specified"
INSTANCE_BOOL = "({name}) invalid {keyword} {word} specified"


def realtime(process: str, note: str = "", **more: Any) -> Any:
    """A realtime priority; one that is too high is the highest."""

    def limit(reading: Any, builder: Any, value: int, span: Any) -> int:
        if value > RT_MAX:
            text = f"{process} process real-time priority {value} greater than maximum {RT_MAX}"
            reading.warn("priority-too-high", f"{text} - setting to maximum", span)
        return min(value, RT_MAX)

    ok = (f"{process}_rt_priority 50",)
    return word(RT_PRIORITY, f"Realtime priority of the {process} process.{note}", ok=ok, check=limit, **more)


def yes_no(doc: str, **more: Any) -> Any:
    """A global ``[BOOL]``."""
    return word(OptionalBool(), doc, **{"complaint": GLOBAL_BOOL, **more})


def first_only(keyword: str, message: str, *also: str) -> Any:
    """The check of a keyword of which only the first one counts; ``{word}`` is what the next one says.

    ``also`` are other keywords that set the same.
    """

    def check(reading: Any, builder: Any, value: Any, span: Any) -> Any:
        if all(builder.get((name,)) is None for name in (keyword, *also)):
            return value
        reading.alert(
            "already-specified",
            message.format(word=first_word(value.text) if hasattr(value, "text") else value),
            span,
        )
        return value if builder.get((keyword,)) is None else None

    return check


def extra_times(keyword: str, instead: str = "") -> Any:
    """The check of ``[all] SECONDS``; ``instead`` is the keyword that took the place of this one."""

    def check(reading: Any, builder: Any, value: tuple[str, ...], span: Any) -> tuple[str, ...] | None:
        where = f"({reading.name}): " if reading.name else ""
        if instead:
            message = f'Keyword "{keyword}" is deprecated - please use "{instead}"'
            reading.warn("deprecated-keyword", message, span)
        for word_ in value:
            if word_ != "all" and whole(word_, 0, DAY)[0]:
                message = f"{where}{keyword} '{word_}' invalid - ignoring"
                reading.alert("bad-number", message, span)
                return None
        if all(word_ == "all" for word_ in value):
            message = f"{where}{keyword} specified without time - ignoring"
            reading.alert("no-time", message, span)
            return None
        return value

    return check


def named(doc: str, **more: Any) -> Any:
    """The kernel keeps 15 characters of a process name."""
    return word(String(longest=15), doc, complaint="Process name '{word}' too long", **more)
