"""Lists while they change: every index agrees with a list built anew, whatever was done before."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from evener.haproxy import pattern_list
from evener.haproxy.map_lookup import lookup
from evener.haproxy.pattern import Method, Pattern, compile_patterns
from evener.haproxy.pattern_index import LATE, Captured, index, lively
from evener.haproxy.pattern_list import STEP, PatternList
from evener.haproxy.pattern_lists import Lists
from evener.haproxy.patterns_file import MANY, Entry, PackedEntries, Place, load, name_file
from evener.lookup.texts import Texts

TEXTS = ["/a", "/a/b", "/a/b/c", "b", "example.com", "www.example.com", "com", "b/c", "x", "EXAMPLE.com"]
NETWORKS = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "192.168.0.0/24", "2001:db8::/32", "::1", "10/8"]
NUMBERS = ["1", "5:9", "7", ":3", "100:", "42"]
KEYS = {Method.IP: NETWORKS, Method.INT: NUMBERS, Method.LEN: NUMBERS, Method.BIN: ["00", "0aff", "61"]}
VALUES: dict[Method, list[object]] = {
    Method.IP: [bytes([10, 1, 2, 3]), bytes([10, 9, 9, 9]), bytes(15) + b"\1", bytes([1, 2, 3, 4])],
    Method.INT: [1, 3, 7, 42, 500, -4],
    Method.BIN: [b"\0", b"\n\xff", b"zz"],
}
BYTES: list[object] = [
    b"/a/b/c?x",
    b"www.example.com",
    b"WWW.EXAMPLE.COM",
    b"x",
    b"",
    b"/b",
    b"com",
    b"a" * 8,
]


def many(method: Method) -> list[str]:
    """Enough keys that indexes are used in place of comparisons."""
    return KEYS.get(method, TEXTS + [f"{text}{n}" for text in TEXTS for n in range(3)])


@pytest.mark.parametrize("method", [m for m in Method if m not in (Method.FOUND, Method.BOOL)])
@pytest.mark.parametrize("ignore_case", [False, True])
@pytest.mark.parametrize("start", [0, 3, 40])
@pytest.mark.parametrize("large", [False, True])
def test_changes_leave_what_a_new_list_would_be(
    method: Method, ignore_case: bool, start: int, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pattern_list, "MANY", 3)
    draw = random.Random(f"{method}{start}")
    keys, values = many(method), VALUES.get(method, BYTES)
    one = PatternList("l", map=True)
    entries = [Entry(draw.choice(keys), str(n), n) for n in range(start)]
    one.fill(packed(entries) if large else entries)
    find = lively(index(one, method, output=lambda element: element.value))
    test = lively(index(one, method, ignore_case))
    for step in range(60):
        change(draw, one, keys, step)
        live = list(one.live())
        fresh = lookup(method, [element.key for element in live])
        plain = compile_patterns(method, [Pattern(element.key, ignore_case) for element in live])
        for value in values:
            number = fresh(value)
            assert find(value) == (None if number is None else live[number].value), (step, value)
            assert bool(test(value)) is bool(plain(value)), (step, value)


def packed(entries: Sequence[Entry]) -> PackedEntries:
    """As a large file would be read."""
    keys, values = (Texts((entry.key, entry.value)[at].encode() for entry in entries) for at in (0, 1))
    return PackedEntries(keys, values, [entry.line for entry in entries])


def change(draw: random.Random, one: PatternList, keys: list[str], step: int) -> None:
    key, number = draw.choice(keys), 1_000_000 + step * 1000
    what = draw.randrange(10)
    if what < 3:
        one.add(number, one.current, key, f"a{step}")
    elif what == 3:
        one.put(number, key, f"p{step}")
    elif what == 4:
        one.set(key, f"s{step}")
    elif what < 7:
        one.remove(key)
    elif what == 7:
        one.prepare(one.following + 1)
        one.add(number, one.following, key, f"v{step}")
    elif what == 8:
        new = [draw.choice(keys) for _ in range(draw.randrange(9))]
        one.add_many(
            number, draw.randint(one.current, one.following), new, [f"m{n}" for n in range(len(new))]
        )
    elif one.following > one.current and draw.random() < 0.5:
        one.commit(one.following)
    else:
        one.clear(one.current)


def test_the_first_of_equal_keys_counts() -> None:
    one = PatternList("l", map=True)
    find = lively(index(one, Method.STR, output=lambda element: element.value))
    one.add(1, 0, "k", "first")
    one.add(2, 0, "k", "second")
    assert find(b"k") == "first"
    one.remove("k")
    assert find(b"k") == "second"
    one.set_one(2, "third")
    assert find(b"k") == "third"
    one.remove_one(2)
    assert find(b"k") is None


def test_captured_follows_too() -> None:
    one = PatternList("l", map=True)
    find = lively(Captured(one, Method.REG, False, lambda element: (element.value or "").encode()))
    assert find(b"abc") is None
    one.add(1, 0, "^a(.)", "x\\1")
    match, template = find(b"abc")
    assert (match[1], template) == (b"b", b"x\\1")


def test_versions_replace_at_once_and_older_ones_are_forgotten() -> None:
    one = PatternList("l", map=True)
    one.fill([Entry("old", "1", 1)])
    find = lively(index(one, Method.STR, output=lambda element: element.value))
    one.prepare(1)
    one.add(7, 1, "new", "2")
    assert (find(b"old"), find(b"new")) == ("1", None)
    one.prepare(2)
    one.commit(1)
    assert (find(b"old"), find(b"new")) == (None, "2")
    assert [element.key for element in one.of_version(1)] == ["new"]


def numbered(*entries: Entry) -> Lists:
    lists = Lists()
    made = lists.open("m", entries, Place(1, "c", 1), values=True)
    index(made, Method.INT, output=lambda element: element.value)
    lists.number()
    return lists


def test_a_rule_changes_only_what_can_be_read() -> None:
    lists = numbered()
    told: list[object] = []
    lists.changed = told.append
    lists.change("put", "m", "5", "v")
    lists.change("put", "m", "word", "v")
    lists.change("put", "nobody", "5", "v")
    assert told == [["put", 0, -1, "5", "v"]]
    found = lists.find("m")
    assert found is not None
    assert [element.key for element in found.live()] == ["5"]


def test_numbers_are_those_asked_for_and_the_next_free_ones() -> None:
    lists = Lists()
    lists.open("late", (), Place(9, "c", 9), values=False)
    lists.inline("src", Place(2, "c", 2), ["10.0.0.1"], 1, lambda of: None)
    lists.inline("path", Place(1, "c", 1), ["/"], None, lambda of: None)
    lists.open("mid", (), Place(5, "c", 5), values=True)
    lists.number()
    assert [(one.number, one.name or one.keyword) for one in lists] == [
        (0, "path"), (1, "src"), (2, "mid"), (3, "late"),
    ]  # fmt: skip


def operations() -> list[Callable[[Lists], None]]:
    return [
        lambda lists: lists.apply(["add", 99, 1, 0, "k", "v"]),
        lambda lists: lists.apply(["remove", 0, "nothing"]),
        lambda lists: lists.apply(["remove-one", 0, 12345]),
        lambda lists: lists.apply(["set", 0, "nothing", "v"]),
        lambda lists: lists.apply(["set-one", 0, 12345, "v"]),
        lambda lists: lists.apply(["clear", 0, 17]),
    ]


@pytest.mark.parametrize("operation", operations())
def test_what_makes_no_sense_any_more_changes_nothing(operation: Callable[[Lists], None]) -> None:
    lists = numbered(Entry("1", "v", 1))
    operation(lists)
    found = lists.find("#0")
    assert found is not None
    assert [(element.key, element.value) for element in found.live()] == [("1", "v")]


@pytest.mark.parametrize("method", [Method.SUB, Method.END, Method.BEG, Method.REG])
def test_additions_to_a_large_list(method: Method) -> None:
    """They are found at once, after what was there before them, however many there are."""
    one = PatternList("l", map=True)
    one.fill(Entry(f"key{n}", str(n), n) for n in range(30))
    made = index(one, method, output=lambda element: element.value)
    find = lively(made)
    assert find(b"key7") == "7"
    built = made.run
    for n in range(100, 100 + 2 * LATE + 5):
        one.add(n << 40, 0, f"new{n}x", str(n))
        assert find(f"new{n}x".encode()) == str(n)
        assert find(b"key7") == "7"
    assert made.run is not built
    one.add(1 << 60, 0, "key7", "later")
    assert find(b"key7") == "7", "the first that matches"
    one.remove("key7")
    assert find(b"key7") == "later"


def test_large_lists_are_ready_before_they_are_asked() -> None:
    lists = Lists()
    for name, count in (("large", MANY + 1), ("small", 3)):
        entries = [Entry(f"key{n}", "v", n) for n in range(count)]
        made = index(lists.open(name, entries, Place(0, "c", 1), values=False), Method.SUB)
        before = made.run
        lists.ready()
        assert (made.run == before) is (name == "small")
        assert made.run(b"xkey1x")


def test_a_large_file_is_held_natively_and_read_as_a_small_one(tmp_path: Path) -> None:
    """The same lines, once few and once many: comments, blanks, tabs, carriage returns, any bytes."""
    odd = b"# no\n\n  #yes\t v 1 \nkey\tvalue two\r\n\xff\xfe bytes\nalone\n \t lead x\n"
    few, many = tmp_path / "few", tmp_path / "many"
    few.write_bytes(odd)
    many.write_bytes(odd + b"".join(b"filler%d f\n" % n for n in range(MANY)))
    for with_values in (True, False):
        small = load(name_file(str(few)), with_values=with_values)
        large = load(name_file(str(many)), with_values=with_values)
        assert isinstance(small, tuple) and isinstance(large, PackedEntries)
        assert list(large)[: len(small)] == list(small) == large[: len(small)]
        lists = [PatternList("l", map=with_values), PatternList("l", map=with_values)]
        for one, entries in zip(lists, (small, large), strict=True):
            one.fill(entries)
            assert (one.sheet is not None) is (one.size() > MANY)
        assert [(e.id, e.key, e.value) for e in lists[1].live()][: len(small)] == [
            (e.id, e.key, e.value) for e in lists[0].live()
        ]
        for element in lists[0].live():
            found, first = lists[1].find(element.id), lists[1].first(element.key)
            assert found is not None and (found.key, found.value) == (element.key, element.value)
            assert first is not None and first.id == element.id


@pytest.mark.parametrize("method", [Method.STR, Method.BEG, Method.IP])
def test_a_list_that_becomes_large_is_held_natively(method: Method) -> None:
    """Prepared and committed, or added to what counts: who follows each addition stays as it is."""
    texts = [f"10.0.{n >> 8}.{n & 255}" for n in range(3 * MANY)]
    prepared, added = PatternList("p", map=True), PatternList("a", map=True)
    finds = [lively(index(one, method, output=lambda e: e.value)) for one in (prepared, added)]
    prepared.prepare(1)
    for at in range(0, len(texts), 50):
        some = texts[at : at + 50]
        values = [f"v{text}" for text in some]
        prepared.add_many(1000 + STEP * at, 1, some, values)
        added.add_many(1000 + STEP * at, 0, some, values)
    assert prepared.size() == 0 and not prepared.elements
    prepared.commit(1)
    assert prepared.size() == added.size() == 3 * MANY and not prepared.elements
    assert (added.sheet is None) is (method in (Method.STR, Method.IP))
    for find in finds:
        for number, text in enumerate(texts):
            value = bytes([10, 0, number >> 8, number & 255]) if method is Method.IP else text.encode()
            assert find(value) == f"v{text}"
    assert [e.key for e in prepared.live()] == [e.key for e in added.live()] == texts


def test_what_is_prepared_can_be_shown_and_changed_before_it_counts() -> None:
    one = PatternList("l", map=True)
    one.prepare(1)
    one.add_many(1000, 1, ["a", "b"], ["1", "2"])
    one.add_many(2000, 1, ["c"], ["3"])
    assert [(e.id, e.key) for e in one.of_version(1)] == [(1000, "a"), (1000 + STEP, "b"), (2000, "c")]
    one.set_one(2000, "4")
    one.remove_one(1000)
    one.add_many(3000, 1, ["d"], ["5"])
    one.commit(1)
    assert [(e.key, e.value) for e in one.live()] == [("b", "2"), ("c", "4"), ("d", "5")]
    one.prepare(2)
    one.add_many(4000, 2, ["e"], ["6"])
    one.clear(2)
    one.commit(2)
    assert one.size() == 0
