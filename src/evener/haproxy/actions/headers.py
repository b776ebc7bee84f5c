"""Actions on header lines: set, add, delete, replace."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.action import HTTP, Ruleset, Words, action, wrong
from evener.haproxy.cast import to_bytes
from evener.haproxy.fold import Change
from evener.haproxy.logformat import Format, compile_logformat
from evener.haproxy.scope import CompileEnv
from evener.haproxy.substitution import expand
from evener.haproxy.txn import CONTINUE
from evener.text.pcre import translate

Run = Callable[[Any], int]
Write = Callable[[Any], bytes]


_NOT_IN_NAMES: Final = re.compile(r"(?<=.)[^!#$%&'*+.^_`|~0-9A-Za-z-]|^[^:!#$%&'*+.^_`|~0-9A-Za-z-]")


def _header_name(words: Words, expects: str) -> str:
    """A name; a character that no name of a header can hold is answered with a warning."""
    name = words.word(expects)
    found = _NOT_IN_NAMES.search(name)
    if found:
        words.warn("bad-header-name", f"header name '{name}' contains forbidden character '{found[0]}'.")
    return name


def _read_header(words: Words) -> Sequence[Any]:
    expects = "expects exactly 2 arguments"
    return _header_name(words, expects), words.format(expects)


@action(
    "set-header",
    HTTP,
    parser=_read_header,
    ok=["set-header X-Forwarded-Proto https", "set-header X-Name %[req.hdr(host)] if TRUE"],
    bad=["set-header X"],
)
def set_header(name: str, fmt: Format, *, env: CompileEnv, ruleset: Ruleset) -> Run:
    """Replace all lines of that name by one whose value is the format's."""
    key, write = to_bytes(name).lower(), compile_logformat(fmt, env)

    def run(txn: Any) -> int:
        txn.req.set(key, write(txn))
        return CONTINUE

    def run_response(txn: Any) -> int:
        txn.res.set(key, write(txn))
        return CONTINUE

    return _folded(run if ruleset.request else run_response, Change.SET, key, write, fmt, env, ruleset)


def _folded(
    plain: Run, change: Change, key: bytes, write: Write, fmt: Format, env: CompileEnv, ruleset: Ruleset
) -> Run:
    if env.fold is None:
        return plain
    value = write if fmt.constant is None else write(None)
    return env.fold.header(plain, change, not ruleset.request, key, value)


@action(
    "add-header",
    HTTP,
    parser=_read_header,
    ok=["add-header X-Seen %[src]"],
    bad=["add-header", "add-header X %[nope]"],
)
def add_header(name: str, fmt: Format, *, env: CompileEnv, ruleset: Ruleset) -> Run:
    """Append a line of that name, whatever lines of that name there are."""
    key, write = to_bytes(name).lower(), compile_logformat(fmt, env)

    def run(txn: Any) -> int:
        txn.req.add(key, write(txn))
        return CONTINUE

    def run_response(txn: Any) -> int:
        txn.res.add(key, write(txn))
        return CONTINUE

    return _folded(run if ruleset.request else run_response, Change.ADD, key, write, fmt, env, ruleset)


_METHODS: Final = ("str", "beg", "end", "sub", "reg")


def _read_deletion(words: Words) -> Sequence[Any]:
    name = words.word("expects at least 1 argument")
    if not words.take("-m"):
        return name, "str"
    method = words.word("-m flag expects exactly 1 argument")
    if method not in _METHODS:
        wrong(f"-m with unsupported matching method '{method}'")
    return name, method


def _name_test(name: str, method: str) -> Callable[[bytes], bool]:
    text = to_bytes(name).lower()
    if method == "reg":
        search = translate(name, True).search
        return lambda line: search(line) is not None
    if method == "beg":
        return lambda line: line.startswith(text)
    if method == "end":
        return lambda line: line.endswith(text)
    return lambda line: text in line


@action(
    "del-header",
    HTTP,
    parser=_read_deletion,
    signature="del-header <name> [ -m <meth> ]",
    ok=["del-header X-Internal", "del-header ^x-.* -m reg"],
    bad=["del-header", "del-header x -m foo"],
)
def del_header(name: str, method: str, *, env: CompileEnv, ruleset: Ruleset) -> Run:
    """Delete all lines of that name, or whose name matches by the method (str, beg, end, sub, reg)."""
    request = bool(ruleset.request)
    if method == "str":
        key = to_bytes(name).lower()

        def run(txn: Any) -> int:
            (txn.req if request else txn.res).remove(key)
            return CONTINUE

        return run if env.fold is None else env.fold.header(run, Change.REMOVE, not request, key, b"")
    matches = _name_test(name, method)

    def run_matching(txn: Any) -> int:
        message = txn.req if request else txn.res
        for line in {line for line, _ in message.items() if matches(line)}:
            message.remove(line)
        return CONTINUE

    return run_matching


def _read_replacement(words: Words) -> Sequence[Any]:
    expects = "expects exactly 3 arguments"
    return words.word(expects), words.regex(expects), words.format(expects)


def _replacer(
    name: str, regex: str, fmt: Format, env: CompileEnv, ruleset: Ruleset, rewrite: Callable[..., bytes]
) -> Run:
    key, pattern, write = to_bytes(name).lower(), translate(regex), compile_logformat(fmt, env)
    request = bool(ruleset.request)

    def run(txn: Any) -> int:
        message = txn.req if request else txn.res
        values = message.all(key)
        if not values:
            return CONTINUE
        template = write(txn)
        changed = [rewrite(pattern, template, value) for value in values]
        if changed != values:
            message.rewrite(key, changed)
        return CONTINUE

    return run


def _whole(pattern: re.Pattern[bytes], template: bytes, value: bytes) -> bytes:
    """The template instead of the whole value, when the pattern is found in it."""
    match = pattern.search(value)
    return value if match is None else expand(template, match)


def _each_value(pattern: re.Pattern[bytes], template: bytes, value: bytes) -> bytes:
    """Values that match lose the blanks around them, the others keep theirs."""
    parts = value.split(b",")
    for at, part in enumerate(parts):
        match = pattern.search(part.strip(b" \t"))
        if match is not None:
            parts[at] = expand(template, match)
    return b",".join(parts)


@action(
    "replace-header",
    HTTP,
    parser=_read_replacement,
    signature="replace-header <name> <match-regex> <replace-fmt>",
    ok=[r"replace-header Cookie foo=([^;]*);(.*) foo=\1;ip=%bi;\2"],
    bad=["replace-header X a", "replace-header X (a b"],
)
def replace_header(name: str, regex: str, fmt: Format, *, env: CompileEnv, ruleset: Ruleset) -> Run:
    """Rewrite whole lines of that name by a regular expression and a format with back-references."""
    return _replacer(name, regex, fmt, env, ruleset, _whole)


@action(
    "replace-value",
    HTTP,
    parser=_read_replacement,
    signature="replace-value <name> <match-regex> <replace-fmt>",
    ok=["replace-value X-Forwarded-For ^192\\.168\\.(.*)$ 172.16.\\1"],
    bad=["replace-value X", "replace-value X (a b"],
)
def replace_value(name: str, regex: str, fmt: Format, *, env: CompileEnv, ruleset: Ruleset) -> Run:
    """As ``replace-header``, but on each comma-delimited value instead of the whole line."""
    return _replacer(name, regex, fmt, env, ruleset, _each_value)
