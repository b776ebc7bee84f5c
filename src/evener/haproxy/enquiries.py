"""The way from a worker to the control process, as compiled policy holds it: set when the worker starts.

What is asked and how answers become replies is in ``services``; this stands apart because everything that
compiles needs it, and it needs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Told = Callable[[bytes | None], None]
Ask = Callable[[str, list[Any], Told], None]


def _nobody(_subject: str, _question: list[Any], told: Told) -> None:
    """Without a control process there is no answer."""
    told(None)


class Enquiries:
    """``ask(subject, question, told)``: the question is JSON; ``told`` gets the answer, None for none."""

    __slots__ = ("ask",)

    def __init__(self) -> None:
        self.ask: Ask = _nobody
