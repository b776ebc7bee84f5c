"""Actions that change lists of patterns and maps: add-acl, del-acl, set-map, del-map.

The list is named as the configuration names it elsewhere; one that no rule looks at is changed by nothing.
A key or value that those who look at the list could not read is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evener.haproxy.action import HTTP, Words, action, wrong
from evener.haproxy.logformat import Format, compile_raw
from evener.haproxy.patterns_file import name_file
from evener.haproxy.scope import CompileEnv
from evener.haproxy.txn import CONTINUE

Run = Callable[[Any], int]


def _reader(count: int) -> Callable[[Words], Sequence[Any]]:
    expects = f"expects exactly {count} arguments"

    def read(words: Words) -> Sequence[Any]:
        if words.inside is None:
            wrong(f"invalid or incomplete action '{words.action}'")
        formats = []
        for _ in range(count):
            if words.rest_is_condition():
                wrong(expects)
            formats.append(words.format(expects))
        return (name_file(words.inside).name, *formats)

    return read


def _text(write: Callable[[Any], bytes]) -> Callable[[Any], str]:
    return lambda txn: write(txn).decode("utf-8", "surrogateescape")


def _keyed(env: CompileEnv, what: str, name: str, key: Format) -> Run:
    text, lists = _text(compile_raw(key, env)), env.lists

    def run(txn: Any) -> int:
        lists.change(what, name, text(txn))
        return CONTINUE

    return run


@action(
    "add-acl",
    ("http-request", "http-response"),
    parser=_reader(1),
    parenthesised=True,
    signature="add-acl(<file-name>) <key fmt>",
    ok=["add-acl(virt@list) %[src]"],
    bad=["add-acl(virt@list)", "add-acl x"],
)
def add_acl(name: str, key: Format, *, env: CompileEnv) -> Run:
    """Add a pattern to a list, unless it is there already."""
    text, lists = _text(compile_raw(key, env)), env.lists

    def run(txn: Any) -> int:
        lists.change("put", name, text(txn), None)
        return CONTINUE

    return run


@action(
    "del-acl",
    HTTP,
    parser=_reader(1),
    parenthesised=True,
    signature="del-acl(<file-name>) <key fmt>",
    ok=["del-acl(virt@list) %[src]"],
    bad=["del-acl(virt@list)", "del-acl x"],
)
def del_acl(name: str, key: Format, *, env: CompileEnv) -> Run:
    """Take a pattern from a list."""
    return _keyed(env, "remove", name, key)


@action(
    "set-map",
    HTTP,
    parser=_reader(2),
    parenthesised=True,
    signature="set-map(<map-name>) <key fmt> <value fmt>",
    ok=["set-map(virt@map) %[src] x"],
    bad=["set-map(virt@map) %[src]", "set-map x y"],
)
def set_map(name: str, key: Format, value: Format, *, env: CompileEnv) -> Run:
    """Give a key of a map that value; it is added if it is new."""
    text, new, lists = _text(compile_raw(key, env)), _text(compile_raw(value, env)), env.lists

    def run(txn: Any) -> int:
        lists.change("put", name, text(txn), new(txn))
        return CONTINUE

    return run


@action(
    "del-map",
    HTTP,
    parser=_reader(1),
    parenthesised=True,
    signature="del-map(<map-name>) <key fmt>",
    ok=["del-map(virt@map) %[src]"],
    bad=["del-map(virt@map)", "del-map x"],
)
def del_map(name: str, key: Format, *, env: CompileEnv) -> Run:
    """Take a key from a map."""
    return _keyed(env, "remove", name, key)
