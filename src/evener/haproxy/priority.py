"""Priorities in queues: a class, and below it an offset in milliseconds, in one number that sorts."""

from __future__ import annotations

from typing import Final

_BITS: Final = 40
_HALF: Final = 1 << (_BITS - 1)
CLASSES, OFFSETS = 2047, 524287  #: the most either may be, in both directions


def limited(value: int, most: int) -> int:
    return max(-most, min(value, most))


def with_class(priority: int, number: int) -> int:
    return (limited(number, CLASSES) << _BITS) + priority_offset(priority)


def with_offset(priority: int, milliseconds: int) -> int:
    return priority - priority_offset(priority) + limited(milliseconds, OFFSETS)


def priority_offset(priority: int) -> int:
    return (priority + _HALF) % (_HALF * 2) - _HALF


def priority_class(priority: int) -> int:
    return (priority - priority_offset(priority)) >> _BITS
