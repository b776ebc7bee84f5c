"""Whether words that may still change are allowed, and whether a configuration has any.

One for each configuration that is read: ``expose-experimental-directives`` allows them, and is warned about
when nothing needed it.
"""

from __future__ import annotations


class Experiments:
    __slots__ = ("allowed", "used")

    def __init__(self, allowed: bool = False) -> None:
        self.allowed = allowed
        self.used = False

    def allow(self) -> bool:
        """Something experimental is said: whether it may be."""
        self.used = True
        return self.allowed
