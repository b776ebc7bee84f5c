"""What several blocks' declarations share: ranges, standard sentences, and small checks."""

from __future__ import annotations

from typing import Any

from evener.keepalived.arguments import SECOND, Number, OptionalBool, String
from evener.keepalived.declare import word
from evener.keepalived.numbers import INT_MAX, UINT_MAX, whole
from evener.keepalived.scripts import first_word

NICE = Number(-20, 19)
RT_PRIORITY = Number(-INT_MAX - 1, INT_MAX)
RT_MIN, RT_MAX = 1, 99
DAY = 86400
RTTIME = Number(1, UINT_MAX)
SIZE = Number(0, UINT_MAX)
SECONDS = Number(0, UINT_MAX // SECOND)
COUNT = Number(0, UINT_MAX)

GLOBAL_BOOL = "Invalid value '{word}' for global {keyword} specified"
INSTANCE_BOOL = "({name}) invalid {keyword} {word} specified"


def realtime(process: str, note: str = "", **more: Any) -> Any:
    """A realtime priority; one beyond its range is set to the end of it."""

    def limit(reading: Any, builder: Any, value: int, span: Any) -> int:
        text = f"{process} process real-time priority {value}"
        if value > RT_MAX:
            text += f" greater than maximum {RT_MAX} - setting to maximum"
            reading.warn("priority-too-high", text, span)
        elif value < RT_MIN:
            reading.warn("priority-too-low", f"{text} less than minimum {RT_MIN} - setting to minimum", span)
        return max(RT_MIN, min(value, RT_MAX))

    return word(
        RT_PRIORITY,
        f"Realtime priority of the {process} process.{note}",
        ok=(f"{process}_rt_priority 50",),
        bad=(f"{process}_rt_priority x", f"{process}_rt_priority 0"),
        complaint=f"{process} process real-time priority '{{word}}' invalid",
        missing=f"No {process} process real-time priority specified",
        check=limit,
        **more,
    )


def overwriting(keyword: str, shown: str = "") -> Any:
    """The check of a keyword whose last value counts, which is said."""

    def check(reading: Any, builder: Any, value: Any, span: Any) -> Any:
        before = builder.get((keyword,))
        if before is not None:
            text = f"Duplicate {shown or keyword} - overwriting {before} with {value}"
            reading.warn("already-specified", text, span)
        return value

    return check


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


def extra_times(keyword: str, instead: str = "", least: int = 1) -> Any:
    """The check of ``[all] SECONDS``; ``instead`` is the keyword that took the place of this one."""

    def check(reading: Any, builder: Any, value: tuple[str, ...], span: Any) -> tuple[str, ...] | None:
        where = f"({reading.name}): " if reading.name else ""
        if instead:
            message = f'Keyword "{keyword}" is deprecated - please use "{instead}"'
            reading.warn("deprecated-keyword", message, span)
        for word_ in value:
            code, message, _ = whole(word_, least, DAY) if word_ != "all" else ("", "", 0)
            if code:
                reading.alert(code, message, span)
                reading.alert("bad-number", f"{where}{keyword} '{word_}' invalid - ignoring", span)
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
