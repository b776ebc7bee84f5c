"""Walking tables: the order of names, columns without instances, ends of ranges, and what may be set."""

from __future__ import annotations

from typing import Any

import pytest

from evener.keepalived.snmp.mib import Column, Look, Mib, Setting, Table, nested, numbered, scalars
from evener.wire.agentx import Error, Kind, Oid, Range, Variable

ROOT: Oid = (1, 3, 9)


def fits(thing: Any, value: int) -> Error:
    return Error.NONE if value < 10 else Error.WRONG_VALUE


def write(state: Any, thing: Any, value: int) -> None:
    state["set"] = (thing, value)


def length(_state: Any, name: str) -> int | None:
    return None if name == "b" else len(name)


MIB: Mib[dict[str, Any]] = Mib(
    (
        Table(
            (*ROOT, 2, 1),
            lambda state: numbered(state["names"]),
            (
                Column(2, Kind.OCTETS, lambda _, name: name),
                Column(3, Kind.INTEGER, length, Setting(fits, write)),
            ),
        ),
        scalars(
            (*ROOT, 1), Column(1, Kind.INTEGER, lambda state, _: 7), Column(2, Kind.OCTETS, lambda *_: None)
        ),
        Table(
            (*ROOT, 3, 1), lambda state: nested(state["lists"], 0), (Column(1, Kind.GAUGE, lambda _, n: n),)
        ),
    )
)
STATE: dict[str, Any] = {"names": ["aaa", "b", "cc"], "lists": [[], [4, 5]]}
WALK = [
    ((*ROOT, 1, 1, 0), 7),
    ((*ROOT, 2, 1, 2, 1), b"aaa"),
    ((*ROOT, 2, 1, 2, 2), b"b"),
    ((*ROOT, 2, 1, 2, 3), b"cc"),
    ((*ROOT, 2, 1, 3, 1), 3),
    ((*ROOT, 2, 1, 3, 3), 2),
    ((*ROOT, 3, 1, 1, 1, 1), 4),
    ((*ROOT, 3, 1, 1, 1, 2), 5),
]


def look(state: dict[str, Any] | None = None) -> Look[dict[str, Any]]:
    return MIB.look(STATE if state is None else state)


def test_a_walk_sees_every_instance_once_in_order() -> None:
    found, at = [], ROOT
    while (variable := look().next(Range(at, (), False))).kind is not Kind.END_OF_VIEW:
        found.append((variable.name, variable.value))
        at = variable.name
    assert found == WALK


@pytest.mark.parametrize(("name", "value"), WALK)
def test_what_a_walk_sees_can_be_asked_for(name: Oid, value: Any) -> None:
    assert look().get(name).value == value
    assert look().next(Range(name, (), True)).name == name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ((*ROOT, 1, 1, 1), Kind.NO_INSTANCE),
        ((*ROOT, 1, 2, 0), Kind.NO_INSTANCE),
        ((*ROOT, 2, 1, 3, 2), Kind.NO_INSTANCE),
        ((*ROOT, 2, 1, 3, 1, 1), Kind.NO_INSTANCE),
        ((*ROOT, 2, 1, 9, 1), Kind.NO_OBJECT),
        (ROOT, Kind.NO_OBJECT),
        ((), Kind.NO_OBJECT),
        ((9,), Kind.NO_OBJECT),
    ],
)
def test_what_is_not_there_is_said(name: Oid, kind: Kind) -> None:
    assert look().get(name) == Variable(name, kind)


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ((), (), (*ROOT, 1, 1, 0)),
        ((*ROOT, 2, 1, 2, 0), (*ROOT, 2, 1, 2, 2), (*ROOT, 2, 1, 2, 1)),
        ((*ROOT, 2, 1, 2, 1, 5), (), (*ROOT, 2, 1, 2, 2)),
        ((*ROOT, 2, 1, 3, 1), (*ROOT, 2, 1, 3, 3), None),
        ((*ROOT, 2, 1, 3, 3), (*ROOT, 3), None),
        ((*ROOT, 3, 1, 1, 1, 2), (), None),
        ((9,), (), None),
    ],
)
def test_ranges_end(start: Oid, end: Oid, found: Oid | None) -> None:
    variable = look().next(Range(start, end, False))
    if found is None:
        assert variable == Variable(start, Kind.END_OF_VIEW)
    else:
        assert variable.name == found


def test_what_may_be_set() -> None:
    state = dict(STATE)
    name: Oid = (*ROOT, 2, 1, 3, 1)
    assert look(state).test(Variable(name, Kind.INTEGER, 4)) is Error.NONE
    assert look(state).test(Variable(name, Kind.INTEGER, 40)) is Error.WRONG_VALUE
    assert look(state).test(Variable(name, Kind.OCTETS, b"4")) is Error.WRONG_TYPE
    assert look(state).test(Variable((*ROOT, 2, 1, 2, 1), Kind.INTEGER, 4)) is Error.NOT_WRITABLE
    assert look(state).test(Variable((*ROOT, 2, 1, 3, 9), Kind.INTEGER, 4)) is Error.NOT_WRITABLE
    look(state).write(Variable(name, Kind.INTEGER, 4))
    assert state["set"] == ("aaa", 4)
