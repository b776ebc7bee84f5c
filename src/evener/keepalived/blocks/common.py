"""What several blocks' declarations share: ranges, standard sentences, and small checks."""

from __future__ import annotations

from typing import Any

from evener.keepalived.arguments import SECOND, UINT_MAX, Number, OptionalBool, String
from evener.keepalived.declare import planned, word

NICE = Number(-20, 19)
RT_PRIORITY = Number(1, 99)
RTTIME = Number(1, UINT_MAX)
SIZE = Number(0, UINT_MAX)
SECONDS = Number(0, UINT_MAX // SECOND)
COUNT = Number(0, UINT_MAX)

GLOBAL_BOOL = "Invalid value '{word}' for global {keyword} specified"
INSTANCE_BOOL = "({name}) invalid {keyword} '{word}' specified"


def yes_no(doc: str, **more: Any) -> Any:
    """A global ``[BOOL]``."""
    return word(OptionalBool(), doc, complaint=GLOBAL_BOOL, **more)


def planned_yes_no(doc: str) -> Any:
    return planned(OptionalBool(), doc, complaint=GLOBAL_BOOL)


def named(doc: str, **more: Any) -> Any:
    """The kernel keeps 15 characters of a process name."""
    return word(String(longest=15), doc, complaint="Process name '{word}' too long", **more)
