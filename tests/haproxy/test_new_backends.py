"""Backends made at run time: what is refused, and who finds them while they are not published."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from farm import make_plan

from evener.haproxy import new_backends
from evener.haproxy.compile import compile_plan
from evener.haproxy.newcomers import Refusal
from evener.haproxy.plan import Plan
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.haproxy.text_txn import TextTxn
from evener.text.diagnostic import Diagnostics

Read = Callable[[str], Plan]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(text: str) -> Plan:
        path = tmp_path / "cfg"
        path.write_text(
            "defaults d\n mode http\n timeout connect 1s\n timeout server 2s\n timeout client 2s\n"
            "defaults bare\n" + text
        )
        found = Diagnostics()
        configuration = load([str(path)], found, ReadOptions())
        assert not found.has_errors, list(found)
        return compile_plan(configuration, found)

    return read


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "Require backend name."),
        ("a/b from d", "Invalid character '/' in backend name."),
        ("n", "Usage: add backend <name> from <defproxy>."),
        ("n from none", "Cannot find default proxy 'none'."),
        ("n from d mode", "Usage: add backend <name> from <defproxy> [mode <px_mode>] [guid <val>]."),
        ("n from d mode x", "Unknown proxy mode."),
        ("n from d mode log", "Dynamic backends are compatible with only TCP or HTTP mode."),
        ("n from bare", "Mode is required as 'bare' default proxy does not explicitly defines it."),
        ("b from d", "name is already used by other proxy 'backend b'."),
        ("d from d", "name is already used by other proxy 'defaults d'."),
    ],
)
def test_refused(read: Read, words: str, told: str) -> None:
    plan = read("backend b from d\n")
    with pytest.raises(Refusal) as caught:
        new_backends.read_backend(plan, words.split())
    assert caught.value.told == told


def choice(policy: Any, *headers: str) -> int | None:
    txn = TextTxn.from_text("GET / HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in headers) + "\r\n")
    assert policy(txn) == 0
    return txn.chosen_backend


FRONT = (
    "frontend f from d\n bind 127.0.0.1:1\n force-be-switch if { req.hdr(x-admin) 1 }\n"
    " use_backend %[req.hdr(x-be)] if { req.hdr(x-be) -m found }\n"
    " use_backend b if { req.hdr(x-b) -m found }\n"
    " default_backend c\nbackend b from d\nbackend c from d\n"
)


def test_an_unpublished_backend_is_not_found_unless_it_is_forced(read: Read) -> None:
    plan = read(FRONT)
    front = plan.frontends[0]
    place = new_backends.free_place(plan)
    proxy = new_backends.read_backend(plan, ["new", "from", "d", "mode", "http"])
    made = new_backends.settle(plan, proxy, place, new_backends.free_number(plan), 90)
    assert (made.index, made.id, made.row, made.http) == (2, 5, 90, True)
    assert choice(front.on_request, "x-be: new") is None
    assert choice(front.on_request, "x-be: new", "x-admin: 1") == 2
    new_backends.publish(plan, place, True)
    assert choice(front.on_request, "x-be: new") == 2
    new_backends.publish(plan, place, False)
    new_backends.remove(plan, place, 7)
    assert choice(front.on_request, "x-be: new", "x-admin: 1") is None
    assert new_backends.free_place(plan) == place
    new_backends.read_backend(plan, ["new", "from", "d"])  # the name is free again


def test_rules_that_name_an_unpublished_backend_are_passed_over(read: Read) -> None:
    plan = read(FRONT)
    front = plan.frontends[0]
    assert [one.name for one in new_backends.leading_to(plan, "b")] == ["f"]
    assert choice(front.on_request, "x-b: 1") == 0
    new_backends.publish(plan, 0, False)
    _, request, default = new_backends.switching_without(plan, front)
    assert (choice(request, "x-b: 1"), choice(request, "x-b: 1", "x-admin: 1"), default) == (None, 0, 1)
    new_backends.publish(plan, 1, False)
    _, request, default = new_backends.switching_without(plan, front)
    assert (choice(request), choice(request, "x-admin: 1"), default) == (None, 1, -1)


def test_be_unpublished_begins_hidden(read: Read) -> None:
    plan = read("backend b from d\n be-unpublished\nbackend c from d\n")
    assert (plan.names, plan.hidden) == ({"c": 1}, {"b": 0})


def test_places_of_hand_made_plans() -> None:
    plan = make_plan({"b": [], "c": []})
    assert (new_backends.free_place(plan), new_backends.free_number(plan)) == (2, 5)
