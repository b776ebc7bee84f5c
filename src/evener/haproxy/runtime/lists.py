"""Commands about maps and ACLs: their entries, and versions of them.

A command finds its list, checks what it is told, and has the change made in all processes. Names and
sentences are the original's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from evener.haproxy.pattern import PatternError
from evener.haproxy.pattern_index import Index
from evener.haproxy.pattern_list import Element, PatternList
from evener.haproxy.runtime_api import INFO, Answer, Level, Session, Told, command


class Kind(NamedTuple):
    word: str
    name: str  #: in sentences

    def unknown(self) -> Told:
        return Told(f"Unknown {self.name} identifier. Please use #<id> or <file>.")

    def find(self, session: Session, reference: str) -> PatternList | None:
        found = session.control.plan.lists.find(reference)
        return found if found is not None and (found.map if self.word == "map" else found.acl) else None


MAP, ACL = Kind("map", "map"), Kind("acl", "ACL")


def _version(words: Sequence[str]) -> tuple[int | None, list[str]]:
    """``@<ver>`` in front of the other words; what is no number counts as 0."""
    if not words or not words[0].startswith("@"):
        return None, list(words)
    digits = words[0][1:]
    return (int(digits[:10]) if digits.isascii() and digits.isdigit() else 0), list(words[1:])


def _shown(id: int) -> str:
    return f"0x{id:x}"


def _number(reference: str) -> int | None:
    """The entry that ``#0x...`` means."""
    try:
        return int(reference[1:17], 16) if reference.startswith("#") and "_" not in reference else None
    except ValueError:
        return None


# -- showing --------------------------------------------------------------------------------------


def _show(session: Session, words: Sequence[str], kind: Kind) -> Answer:
    version, rest = _version(words)
    if not rest:
        lists = [one for one in session.control.plan.lists if (one.map if kind is MAP else one.acl)]
        return "# id (file) description\n" + "".join(map(_described, lists))
    found = kind.find(session, rest[0])
    if found is None:
        return kind.unknown()
    wanted = found.current if version is None or (version == 0 and words[0] != "@0") else version
    return "".join(map(_line, found.of_version(wanted)))


def _described(one: PatternList) -> str:
    uses = ", ".join(one.uses)
    text = f"pattern loaded from file '{one.name}' used {uses}" if one.name else uses
    return (
        f"{one.number} ({one.name}) {text}. "
        f"curr_ver={one.current} next_ver={one.following} entry_cnt={one.size() * _ways(one)}\n"
    )


def _ways(one: PatternList) -> int:
    """In how many ways the entries are looked at: each of them counts its own."""
    ways = {(i.method, i.ignore_case, i.output is None) for i in one.indexes if isinstance(i, Index)}
    return len(ways) or 1


def _line(element: Element) -> str:
    value = "" if element.value is None else f" {element.value}"
    return f"{_shown(element.id)} {element.key}{value}\n"


@command("show map", "show map [@<ver>] [map]", level=Level.ADMIN, ok=("show map",), bad=("show map nomap",))
def show_map(session: Session, words: Sequence[str]) -> Answer:
    """report available maps or dump a map's contents"""
    return _show(session, words, MAP)


@command("show acl", "show acl [@<ver>] <acl>", level=Level.ADMIN, ok=("show acl",), bad=("show acl #99",))
def show_acl(session: Session, words: Sequence[str]) -> Answer:
    """report available acls or dump an acl's contents"""
    return _show(session, words, ACL)


def _get(session: Session, words: Sequence[str], kind: Kind) -> Answer:
    if len(words) < 2:
        return Told(f"Missing {kind.name} identifier and/or key.")
    found = kind.find(session, words[0])
    if found is None:
        return kind.unknown()
    return Told(
        "".join(_matched(index, words[1], kind) for index in found.indexes if isinstance(index, Index)), INFO
    )


def _matched(index: Index, text: str, kind: Kind) -> str:
    if (index.output is None) is (kind is MAP):
        return ""
    case = "insensitive" if index.ignore_case else "sensitive"
    head = f"type={index.method.value}, case={case}"
    element = index.search(text)
    yes, what = ("found", "key") if kind is MAP else ("match", "pattern")
    if element is None:
        return f"{head}, {yes}=no\n"
    told = f'{head}, {yes}=yes, idx={index.idx}, {what}="{element.key}"'
    return f'{told}, value="{element.value}", type="str"\n' if kind is MAP else f"{told}\n"


@command(
    "get map",
    "get map <map> <value>",
    level=Level.ADMIN,
    ok=("get map m k",),
    bad=("get map", "get map nomap x"),
)
def get_map(session: Session, words: Sequence[str]) -> Answer:
    """report the keys and values matching a sample for a map"""
    return _get(session, words, MAP)


@command(
    "get acl",
    "get acl <acl> <value>",
    level=Level.ADMIN,
    ok=("get acl a x",),
    bad=("get acl", "get acl noacl x"),
)
def get_acl(session: Session, words: Sequence[str]) -> Answer:
    """report the patterns matching a sample for an ACL"""
    return _get(session, words, ACL)


# -- adding ---------------------------------------------------------------------------------------

_ADD_MAP = (
    "'add map' expects three parameters (map identifier, key and value) or one parameter "
    "(map identifier) and a payload"
)
_ADD_ACL = "'add acl' expects two parameters: ACL identifier and pattern."
_SHARED = (
    "This ACL is shared with a map containing samples. You must use the command 'add map' to add values."
)


def _add(session: Session, words: Sequence[str], kind: Kind) -> Answer:
    version, rest = _version(words)
    needed = 1 if session.payload and kind is MAP else 3 if kind is MAP else 2
    if len(rest) < needed:
        return Told(_ADD_MAP if kind is MAP else _ADD_ACL)
    found = session.control.plan.lists.find(rest[0])
    if found is not None and kind is ACL and found.map:
        return Told(_SHARED)
    if found is None or (kind is MAP) is not found.map:
        return kind.unknown()
    if version is not None and version - found.following > 0:
        return Told(
            "Version number in the future, please use 'prepare map' before.".replace("map", kind.word)
        )
    at = found.current if version is None else version
    pairs = _pairs(session.payload) if needed == 1 else iter([(rest[1], rest[2] if kind is MAP else None)])
    return _put(session, found, at, pairs)


def _pairs(payload: str) -> Iterator[tuple[str, str | None]]:
    """A key and its value on each line; a value may contain blanks."""
    for line in payload.split("\n"):
        key, _, value = line.lstrip(" \t").replace("\t", " ", 1).partition(" ")
        if key:
            yield key, value.lstrip(" \t") or None


def _put(
    session: Session, found: PatternList, version: int, pairs: Iterator[tuple[str, str | None]]
) -> Answer:
    keys: list[str] = []
    values: list[str | None] = []
    failure: Told | None = None
    for key, value in pairs:
        if found.map and value is None:
            failure = Told(f"Missing value for key '{key}'.")
            break
        try:
            found.check(key, value)
        except PatternError as error:
            failure = Told(f"{error}.")
            break
        keys.append(key)
        values.append(value)
    if keys:
        first = session.control.plan.lists.new_id(len(keys))
        told = values if found.map else None
        session.control.share([["list", "add-many", found.number, first, version, keys, told]])
    return failure


@command(
    "add map",
    "add map [@<ver>] <map> <key> <val>",
    level=Level.ADMIN,
    ok=("add map m k2 v",),
    bad=("add map", "add map nomap k v"),
)
def add_map(session: Session, words: Sequence[str]) -> Answer:
    """add a map entry (payload supported instead of key/val)"""
    return _add(session, words, MAP)


@command(
    "add acl",
    "add acl [@<ver>] <acl> <pattern>",
    level=Level.ADMIN,
    ok=("add acl a y",),
    bad=("add acl", "add acl noacl x"),
)
def add_acl(session: Session, words: Sequence[str]) -> Answer:
    """add an acl entry"""
    return _add(session, words, ACL)


# -- changing -------------------------------------------------------------------------------------


@command(
    "set map",
    "set map <map> [<key>|#<ref>] <value>",
    level=Level.ADMIN,
    ok=("set map m k v2",),
    bad=("set map", "set map nomap k v"),
)
def set_map(session: Session, words: Sequence[str]) -> Answer:
    """modify a map entry"""
    if len(words) < 3:
        return Told("'set map' expects three parameters: map identifier, key and value.")
    found = MAP.find(session, words[0])
    if found is None:
        return MAP.unknown()
    reference, value = words[1:3]
    id = _number(reference)
    element = found.first(reference) if id is None else found.find(id)
    if element is None:
        return Told("entry not found." if id is None else "key or pattern not found.")
    try:
        found.check(element.key, value)
    except PatternError as error:
        return Told(f"{error}.")
    change = ["set", found.number, reference, value] if id is None else ["set-one", found.number, id, value]
    session.control.share([["list", *change]])
    return None


def _delete(session: Session, words: Sequence[str], kind: Kind) -> Answer:
    if len(words) < 2:
        return Told(f"This command expects two parameters: {kind.name} identifier and key.")
    found = kind.find(session, words[0])
    if found is None:
        return kind.unknown()
    id = _number(words[1])
    element = found.first(words[1]) if id is None else found.find(id)
    if element is None:
        return Told("Key not found.")
    session.control.share([["list", "remove-one", found.number, element.id]])
    return None


@command(
    "del map",
    "del map <map> [<key>|#<ref>]",
    level=Level.ADMIN,
    ok=("del map m k",),
    bad=("del map", "del map nomap k"),
)
def del_map(session: Session, words: Sequence[str]) -> Answer:
    """delete map entries matching <key>"""
    return _delete(session, words, MAP)


@command(
    "del acl",
    "del acl <acl> [<key>|#<ref>]",
    level=Level.ADMIN,
    ok=("del acl a x",),
    bad=("del acl", "del acl noacl k"),
)
def del_acl(session: Session, words: Sequence[str]) -> Answer:
    """delete acl entries matching <key>"""
    return _delete(session, words, ACL)


def _clear(session: Session, words: Sequence[str], kind: Kind) -> Answer:
    version, rest = _version(words)
    if not rest:
        return Told(f"Missing {kind.name} identifier.")
    found = kind.find(session, rest[0])
    if found is None:
        return kind.unknown()
    wanted = found.current if version is None else version
    session.control.share([["list", "clear", found.number, wanted]])
    return None


@command(
    "clear map",
    "clear map [@<ver>] <map>",
    level=Level.ADMIN,
    ok=("clear map m",),
    bad=("clear map", "clear map nomap"),
)
def clear_map(session: Session, words: Sequence[str]) -> Answer:
    """clear the contents of this map"""
    return _clear(session, words, MAP)


@command(
    "clear acl",
    "clear acl [@<ver>] <acl>",
    level=Level.ADMIN,
    ok=("clear acl a",),
    bad=("clear acl", "clear acl noacl"),
)
def clear_acl(session: Session, words: Sequence[str]) -> Answer:
    """clear the contents of this acl"""
    return _clear(session, words, ACL)


# -- versions -------------------------------------------------------------------------------------


def _prepare(session: Session, words: Sequence[str], kind: Kind) -> Answer:
    found = kind.find(session, words[0]) if words else None
    if found is None:
        return kind.unknown()
    version = found.following + 1
    session.control.share([["list", "prepare", found.number, version]])
    return Told(f"New version created: {version}", INFO)


@command(
    "prepare map",
    "prepare map <map>",
    level=Level.ADMIN,
    ok=("prepare map m",),
    bad=("prepare map", "prepare map nomap"),
)
def prepare_map(session: Session, words: Sequence[str]) -> Answer:
    """prepare a new version for atomic map replacement"""
    return _prepare(session, words, MAP)


@command(
    "prepare acl",
    "prepare acl <acl>",
    level=Level.ADMIN,
    ok=("prepare acl a",),
    bad=("prepare acl", "prepare acl noacl"),
)
def prepare_acl(session: Session, words: Sequence[str]) -> Answer:
    """prepare a new version for atomic ACL replacement"""
    return _prepare(session, words, ACL)


def _commit(session: Session, words: Sequence[str], kind: Kind) -> Answer:
    version, rest = _version(words)
    if version is None:
        return Told("Missing version number.")
    if not rest:
        return Told(f"Missing {kind.name} identifier.")
    found = kind.find(session, rest[0])
    if found is None:
        return kind.unknown()
    if not found.current < version <= found.following:
        return Told("Version number out of range.")
    session.control.share([["list", "commit", found.number, version]])
    return None


@command(
    "commit map",
    "commit map @<ver> <map>",
    level=Level.ADMIN,
    ok=("prepare map m;commit map @1 m",),
    bad=("commit map", "commit map @1"),
)
def commit_map(session: Session, words: Sequence[str]) -> Answer:
    """commit the map at this version"""
    return _commit(session, words, MAP)


@command(
    "commit acl",
    "commit acl @<ver> <acl>",
    level=Level.ADMIN,
    ok=("prepare acl a;commit acl @1 a",),
    bad=("commit acl", "commit acl @1"),
)
def commit_acl(session: Session, words: Sequence[str]) -> Answer:
    """commit the ACL at this version"""
    return _commit(session, words, ACL)
