"""Arithmetic and bitwise operators on signed 64-bit integers (manual section 7.3.1).

Sums, differences and products saturate instead of wrapping; division truncates towards zero, as C does,
and division by zero gives the largest integer. An operand is a number or the name of a variable; a
variable that is not set gives no sample.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import clamp
from evener.haproxy.sample import Type, converter
from evener.haproxy.values import check_integer, constant_integer, integer_or_variable

Run = Callable[..., Any]
SINT: Final = Type.SINT
_HIGH: Final = (1 << 63) - 1


def _operator(value: str, apply: Callable[[int, int], int]) -> Run:
    constant = constant_integer(value)
    if constant is not None:
        return lambda left, txn: apply(left, constant)
    read = integer_or_variable(value)

    def run(left: int, txn: Any) -> int | None:
        right = read(txn)
        return None if right is None else apply(left, right)

    return run


@converter("add", SINT, SINT, check=check_integer, ok=["add(3)", "add(txn.more)"], bad=["add(x)", "add(1,2)"])
def add(value: str, *, txn: None) -> Run:
    """The sum of the input and a number or variable."""
    return _operator(value, lambda a, b: clamp(a + b))


@converter("sub", SINT, SINT, check=check_integer, ok=["sub(3)", "sub(txn.less)"], bad=["sub(x)", "sub(1,2)"])
def sub(value: str, *, txn: None) -> Run:
    """The input less a number or variable."""
    return _operator(value, lambda a, b: clamp(a - b))


@converter("mul", SINT, SINT, check=check_integer, ok=["mul(3)", "mul(txn.by)"], bad=["mul(x)", "mul(1,2)"])
def mul(value: str, *, txn: None) -> Run:
    """The product of the input and a number or variable."""
    return _operator(value, lambda a, b: clamp(a * b))


def _divide(a: int, b: int) -> int:
    if b == 0:
        return _HIGH
    quotient = abs(a) // abs(b)
    return clamp(quotient if (a < 0) == (b < 0) else -quotient)


def _remainder(a: int, b: int) -> int:
    if b == 0:
        return 0
    rest = abs(a) % abs(b)
    return -rest if a < 0 else rest


@converter("div", SINT, SINT, check=check_integer, ok=["div(3)", "div(txn.by)"], bad=["div(x)", "div(1,2)"])
def div(value: str, *, txn: None) -> Run:
    """The input divided by a number or variable; the largest integer when that is 0."""
    return _operator(value, _divide)


@converter("mod", SINT, SINT, check=check_integer, ok=["mod(3)", "mod(txn.by)"], bad=["mod(x)", "mod(1,2)"])
def mod(value: str, *, txn: None) -> Run:
    """The remainder of the division by a number or variable, with the input's sign; 0 when that is 0."""
    return _operator(value, _remainder)


@converter("and", SINT, SINT, check=check_integer, ok=["and(7)", "and(txn.mask)"], bad=["and(x)", "and(1,2)"])
def and_(value: str, *, txn: None) -> Run:
    """The bits set both in the input and in a number or variable."""
    return _operator(value, int.__and__)


@converter("or", SINT, SINT, check=check_integer, ok=["or(7)", "or(txn.mask)"], bad=["or(x)", "or(1,2)"])
def or_(value: str, *, txn: None) -> Run:
    """The bits set in the input, in a number or variable, or in both."""
    return _operator(value, int.__or__)


@converter("xor", SINT, SINT, check=check_integer, ok=["xor(7)", "xor(txn.mask)"], bad=["xor(x)", "xor(1,2)"])
def xor(value: str, *, txn: None) -> Run:
    """The bits in which the input differs from a number or variable."""
    return _operator(value, int.__xor__)


@converter("cpl", SINT, SINT)
def cpl() -> Run:
    """Every bit of the input flipped."""
    return int.__invert__


@converter("neg", SINT, SINT)
def neg() -> Run:
    """The input with the other sign; the lowest integer becomes the highest."""
    return lambda value: clamp(-value)


@converter("not", SINT, Type.BOOL)
def not_() -> Run:
    """True when the input is 0."""
    return lambda value: value == 0


@converter("bool", SINT, Type.BOOL)
def bool_() -> Run:
    """True when the input is not 0."""
    return bool


@converter("odd", SINT, Type.BOOL)
def odd() -> Run:
    """True when the input is odd."""
    return lambda value: value & 1 == 1


@converter("even", SINT, Type.BOOL)
def even() -> Run:
    """True when the input is even."""
    return lambda value: value & 1 == 0
