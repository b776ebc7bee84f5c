"""Servers made at run time, as the control plane sees them: what is refused, what the fleet makes of them."""

import pytest
from farm import Cells, make_fleet, make_plan

from evener.haproxy.columns import Column
from evener.haproxy.health import CheckSettings
from evener.haproxy.newcomers import (
    SPARE,
    Refusal,
    SpareRows,
    free_place,
    read_server,
    refuse_backend,
    remove,
    settle,
)
from evener.haproxy.plan import BackendPlan
from evener.haproxy.sections.server import ServerOptions
from evener.haproxy.server_state import Admin, Operation, ServerSettings


def backend() -> BackendPlan:
    return make_plan({"b": [{}, {}]}).backends[0]


def refusal(words: str, at: BackendPlan | None = None) -> str:
    with pytest.raises(Refusal) as caught:
        read_server(at or backend(), words.split())
    return caught.value.told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("s", "'server' expects <name> and <addr>[:<port>] as arguments."),
        ("s 127.0.0.1:1 foo", "unknown keyword 'foo'; did you mean 'tfo' maybe ?"),
        ("s 127.0.0.1:1 init-addr none", "'init-addr' option is not accepted for dynamic server"),
        ("s 127.0.0.1:1 namespace *", "'namespace' option is not accepted for dynamic server"),
        ("s 127.0.0.1:1 id 1", "'id' : custom id 1 already used at CLI ('server s1')."),
        ("s 127.0.0.1:1 from srv:none", "'from' : unable to find 'srv:none'."),
        ("s 127.0.0.1:1 proto none", "MUX protocol is not usable for server."),
    ],
)
def test_refused_words(words: str, told: str) -> None:
    at = backend()
    at.servers[0].ir = read_server(at, ["x", "127.0.0.1:1"])[0]
    assert refusal(words, at) == told


def test_a_name_may_be_strange() -> None:
    assert "is not permitted in server name" in refusal("s,1 127.0.0.1:1")


@pytest.mark.parametrize("algorithm", ["static-rr", "source", "uri"])
def test_fixed_maps_take_no_newcomers(algorithm: str) -> None:
    at = backend()
    refuse_backend(at)
    at.balance = algorithm
    with pytest.raises(
        Refusal, match="Backend does not support dynamic servers : backend 'b' uses a non dynamic"
    ):
        refuse_backend(at)


def test_options_start_from_nothing_or_from_what_is_named() -> None:
    at = backend()
    at.ir = type(at.ir)(name="b", mode="http", default_server=ServerOptions(weight=10),
                        named_servers={"other": ServerOptions(weight=5)})  # fmt: skip
    weights = [
        read_server(at, ["s", "127.0.0.1:1", *words.split()])[0].options.weight
        for words in ("", "from be:", "from srv:other", "from srv:other weight 7", "from none")
    ]
    assert weights == [1, 10, 5, 7, 1]


def test_what_is_planned_is_said() -> None:
    _, told = read_server(backend(), ["s", "127.0.0.1:1", "ssl"])
    assert told == ["evener: 'server ... ssl' is not executed yet."]


def test_places_never_move_and_are_used_again() -> None:
    at = backend()
    server, _ = read_server(at, ["s3", "127.0.0.9:90", "weight", "4"])
    assert free_place(at) == 2
    made = settle(at, server, 2, 77)
    assert (made.id, made.weight, made.address, made.port, made.row, made.dynamic) == (
        3,
        4,
        "127.0.0.9",
        90,
        77,
        True,
    )
    remove(at, 0, 70)
    assert (at.servers[0].name, at.servers[0].row, at.servers[0].gone) == ("", 70, True)
    assert free_place(at) == 0
    again = settle(at, server, 0, 78)
    assert (again.id, at.servers.index(again)) == (1, 0)


def test_rows_are_cleared_and_the_longest_free_comes_first() -> None:
    cleared: list[int] = []
    rows = SpareRows(100, cleared.append)
    first = rows.take()
    rows.give_back(first)
    taken = [rows.take() for _ in range(SPARE - 1)]
    assert rows.nowhere not in taken and len(set(taken)) == SPARE - 1
    assert taken[-1] == first
    assert cleared == [first, *taken]
    with pytest.raises(Refusal):
        rows.take()


def test_a_newcomer_waits_in_maintenance() -> None:
    cells = Cells()
    plan = make_plan({"b": [{}]})
    fleet = make_fleet(plan, {"b/s1": ServerSettings(check=CheckSettings())}, cells=cells)
    at = plan.backends[0]
    server, _ = read_server(at, ["new", "127.0.0.1:1", "track", "s1"])
    made = settle(at, server, 1, 50)
    settings = ServerSettings(check=CheckSettings(rise=1, fall=1), tracks=(0, 0))
    newcomer, commands = fleet.join(1.0, made, settings, cells.get)
    assert newcomer.admin == Admin.FORCED_MAINT and newcomer.operation is Operation.STOPPED
    assert newcomer.health is not None and not newcomer.health.enabled and not newcomer.health.paused
    assert fleet.find("b", "new") is newcomer
    assert fleet.find("b", "s1").followers == [newcomer]  # type: ignore[union-attr]
    assert any(getattr(c, "column", None) is Column.EPOCH for c in commands)
    fleet.set_ready(2.0, newcomer)
    assert newcomer.usable
    fleet.leave(newcomer)
    assert fleet.find("b", "new") is None
    assert fleet.find("b", "s1").followers == []  # type: ignore[union-attr]


@pytest.mark.parametrize("word", ["enabled", "stick", "non-stick", "no-check", "namespace"])
def test_what_only_a_configuration_may_say_is_refused(word: str) -> None:
    with pytest.raises(Refusal, match=f"'{word}' option is not accepted for dynamic server"):
        read_server(backend(), ["s", "127.0.0.1:1", "weight", "2", word, "x"])
    server, _ = read_server(backend(), ["s", "127.0.0.1:1", "cookie", word])
    assert server.options.cookie == word
