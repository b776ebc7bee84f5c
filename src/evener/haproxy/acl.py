"""ACLs: a sample expression and the patterns it is matched against.

Decides what ``acl NAME CRITERION [flags] [operator] [values]`` means, for named and anonymous ACLs
alike, and compiles one to a test of a transaction. Conditions, which combine ACLs, are ``condition``'s.

The 77 words that are a fetch and a matching method in one (``path_beg``) are declared in ``SUFFIXED``.
The rules for flags follow the original: ``-i`` counts for the patterns after it, ``-f`` files are read
at once, an operator counts until the next one, and only where integers are matched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field
from typing import Final

from evener.haproxy.expression import Expr, read_expression, read_expression_words, scripted, warn_planned
from evener.haproxy.line import Line
from evener.haproxy.pattern import (
    DEFAULT,
    OPERATORS,
    STRICT,
    Method,
    Pattern,
    PatternError,
    read,
)
from evener.haproxy.patterns_file import Entry, PatternFile, Place, here, load, name_file
from evener.haproxy.scope import Failure, Scope
from evener.text.record import dataclass
from evener.text.span import Span

_FAMILIES: Final = {
    "base": "base",
    "cook": "req.cook",
    "hdr": "req.hdr",
    "path": "path",
    "scook": "res.cook",
    "shdr": "res.hdr",
    "url": "url",
    "urlp": "urlp",
}
_SUFFIXES: Final = ("beg", "dir", "dom", "end", "len", "reg", "sub")
_SINGLE: Final = {
    "http_auth_group": ("http_auth_group", "str"),
    "method": ("method", "str"),
    "payload": ("req.payload", "bin"),
    "payload_lv": ("req.payload_lv", "bin"),
    "req.ssl_ver": ("req.ssl_ver", "int"),
    "req_rdp_cookie": ("req.rdp_cookie", "str"),
    "req_rdp_cookie_cnt": ("req.rdp_cookie_cnt", "int"),
    "req_ssl_sni": ("req.ssl_sni", "str"),
    "req_ssl_ver": ("req.ssl_ver", "int"),
    "req_ver": ("req.ver", "str"),
    "resp_ver": ("res.ver", "str"),
    "ssl_fc_sni_end": ("ssl_fc_sni", "end"),
    "ssl_fc_sni_reg": ("ssl_fc_sni", "reg"),
}

#: Words that are matched with versions: 3.1.
_VERSIONS: Final = frozenset({"req.ssl_ver", "req_ssl_ver"})
#: Words whose matching is a kind of its own to the original; ours is that of strings.
_OWN_METHOD: Final = frozenset({"method", "http_auth_group"})

#: Word -> the fetch it stands for and the method it implies.
SUFFIXED: Final[dict[str, tuple[str, Method]]] = {
    **{word: (fetch, Method.STR) for word, fetch in _FAMILIES.items()},
    **{
        f"{word}_{suffix}": (fetch, Method(suffix))
        for word, fetch in _FAMILIES.items()
        for suffix in _SUFFIXES
    },
    **{word: (fetch, Method(method)) for word, (fetch, method) in _SINGLE.items()},
}


def read_file(method: Method, loaded: Loaded) -> None:
    """Whether every line of a file is a pattern; raises PatternError."""
    line = 0
    try:
        for entry in loaded.entries if method in STRICT else ():
            line = entry.line
            read(method, Pattern(entry.key, loaded.ignore_case))
    except PatternError as error:
        raise PatternError(f"{error} at line {line} of file '{loaded.file.name}'") from error


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file named by ``-f`` and what it said; with ``-M`` its lines have values."""

    file: PatternFile
    ignore_case: bool
    values: bool
    entries: Sequence[Entry] = field(repr=False)


_NOWHERE: Final = Place(0, "", 0)


@dataclass(frozen=True, slots=True)
class AclTest:
    """One declaration of an ACL, or an anonymous one (``name`` None). ``words`` is how it was written.

    ``number`` is the one that ``-u`` asks for; ``place`` is for those who list ACLs while they run.
    """

    name: str | None
    expr: Expr
    method: Method
    words: tuple[str, ...]
    patterns: tuple[Pattern, ...] = ()
    loaded: tuple[Loaded, ...] = ()
    span: Span | None = field(default=None, compare=False)
    number: int | None = None
    place: Place = field(default=_NOWHERE, compare=False, repr=False)

    def __str__(self) -> str:
        return " ".join(self.words)

    @property
    def keyword(self) -> str:
        """The criterion without its arguments, as diagnostics name it."""
        return _HEAD.match(self.words[0])[0]  # type: ignore[index]


_HEAD: Final = re.compile(r"[A-Za-z0-9_.:+\-]*")
_BAD_NAME: Final = re.compile(r"[^A-Za-z0-9_.:\-]")


def parse_acl(line: Line, scope: Scope) -> AclTest | None:
    """Read ``acl NAME CRITERION ...``; the test is also added to ``scope.acls``."""
    words = line.words
    if len(words) < 2:
        scope.within("{}").alert("missing-acl-name", "acl name expected.", line.span(1))
        return None
    name = words[1]
    bad = _BAD_NAME.search(name)
    if bad:
        message = f"character '{bad[0]}' is not permitted in acl name '{name}'."
        scope.within("{}").alert("bad-acl-name", message, line.span(1))
        return None
    if name.lower() == "or":
        message = (
            f"acl name '{name}' will never match. 'or' is used to express a logical disjunction "
            "within a condition."
        )
        scope.within("{}").alert("bad-acl-name", message, line.span(1))
        return None
    test = parse_test(line, 2, len(words), scope, name)
    if test is not None:
        scope.acls.setdefault(name, []).append(test)
    return test


def parse_test(line: Line, start: int, end: int, scope: Scope, name: str | None) -> AclTest | None:
    """Read a criterion and its patterns from the words ``start`` to ``end`` of a line."""
    words = tuple(line.words[start:end])
    reader = _TestReader(words, name, line.place)
    result = reader.read()
    if isinstance(result, Failure):
        inner = scope if name is None else scope.within(_IN_ACL.replace("{name}", name))
        inner.fail(result, line.span(min(start + reader.at, end - 1) if end > start else start))
        return None
    unknown = scripted(result.expr, scope)
    if isinstance(unknown, Failure):
        what = f"{unknown.message} in ACL expression '{words[0]}'"
        inner = scope if name is None else scope.within(_IN_ACL.replace("{name}", name))
        inner.fail(Failure(unknown.code, what), line.span(start))
        return None
    _warn_space(name or "", line, start, scope)
    for code, message in reader.warnings:
        lead = _LOST if code == "acl-without-pattern" else None
        scope.diagnostics.warning(code, message, line.span(start), lead=lead)
    warn_planned(result.expr, lambda: line.span(start), scope)
    return result


_IN_ACL: Final = "error detected while parsing ACL '{name}' : {}."
_LOST: Final = "config : "
"""How warnings begin that do not say where they are."""


def _warn_space(name: str, line: Line, start: int, scope: Scope) -> None:
    """A pattern that begins with a parenthesis was perhaps meant as an argument."""
    keyword, pattern = line.words[start], line.words[start + 1] if start + 1 < len(line.words) else ""
    if pattern[:1] == "(" and "(" not in keyword:
        message = _SPACE.format(name, keyword, pattern)
        scope.diagnostics.warning("suspicious-space", message, line.span(start), lead=_LOST)


def read_test(text: str) -> AclTest:
    """Read an ACL of our own making, such as a predefined one."""
    result = _TestReader(tuple(text.split(" ")), None).read()
    assert isinstance(result, AclTest), result
    return result


class _TestReader:
    def __init__(self, words: tuple[str, ...], name: str | None, span: Span | None = None) -> None:
        self.words = words
        self.span = span
        self.name = name
        self.at = 0
        self.warnings: list[tuple[str, str]] = []
        self.explicit: Method | None = None
        self.ignore_case = False
        self.resolve = True
        self.as_map = False
        self.number: int | None = None
        self.ended = False
        self.files: list[tuple[PatternFile, bool]] = []

    def read(self) -> AclTest | Failure:
        if not self.words or self.words[0] in ("", "}"):
            return Failure("missing-fetch", "missing fetch method in ACL expression ''")
        head = self.criterion()
        if isinstance(head, Failure):
            return head
        expr, method = head
        self.at = 1
        failure = self.flags()
        if failure is not None:
            return failure
        if self.explicit is not None:
            if self.suffixed and not expr.converters:
                self.overwritten(self.explicit)
            method = self.explicit
        if method is None:
            method = DEFAULT.get(expr.type)
        if method is None:
            return Failure(
                "matching-method-required",
                "matching method must be specified first (using '-m') when using a sample fetch of this type "
                f"('{_HEAD.match(self.words[0])[0]}')",  # type: ignore[index]
            )
        return self.finish(expr, method)

    @property
    def suffixed(self) -> bool:
        return _HEAD.match(self.words[0])[0] in SUFFIXED  # type: ignore[index]

    def overwritten(self, explicit: Method | None) -> None:
        """Warn when the method that a word implies is not the one that counts."""
        keyword = _HEAD.match(self.words[0])[0]  # type: ignore[index]
        suffixed = keyword.rpartition("_")[2] in _SUFFIXES
        if keyword in _OWN_METHOD or (suffixed and SUFFIXED[keyword][1] is not explicit):
            message = (
                f"original matching method '{keyword}' was overwritten and will not be applied as expected."
            )
            self.warnings.append(("matching-method-overwritten", message))

    def criterion(self) -> tuple[Expr, Method | None] | Failure:
        """The expression, and the method implied by the word when it is one of ``SUFFIXED``."""
        text = self.words[0]
        keyword = _HEAD.match(text)[0]  # type: ignore[index]
        known = SUFFIXED.get(keyword)
        if known is None:
            # Converters may stand in the next words, which are patterns nevertheless: the original's way.
            found = read_expression_words(self.words, 0)
            if isinstance(found, Failure):
                return Failure(found.code, f"{found.message} in ACL expression '{text}'", found.hint)
            return found[0], None
        fetch, method = known
        result = read_expression(fetch + text[len(keyword) :])
        if isinstance(result, Failure):
            inner = result.message.replace(f"fetch method '{fetch}' : ", "")
            return Failure(result.code, f"ACL keyword '{keyword}' : {inner}", result.hint)
        if result.converters:
            self.overwritten(None)
            return result, None
        return result, method

    def flags(self) -> Failure | None:
        while self.at < len(self.words) and not self.ended:
            word = self.words[self.at]
            if not word.startswith("-"):
                return None
            failure = self.flag(word)
            if failure is not None:
                return failure
            self.at += 1
        return None

    def flag(self, word: str) -> Failure | None:
        if word == "-i":
            self.ignore_case = True
        elif word == "-n":
            self.resolve = False
        elif word == "-M":
            self.as_map = True
        elif word == "--":
            self.ended = True
        elif word == "-u":
            number = self.next_word()
            if not (number.isascii() and number.isdigit()):
                return Failure("bad-acl-flag", "the argument of -u must be an integer")
            self.number = int(number[:9])
        elif word == "-f":
            self.files.append((name_file(self.next_word()), self.ignore_case))
        elif word == "-m":
            return self.method()
        else:
            return Failure(
                "bad-acl-flag",
                f"'{word}' is not a valid ACL option. "
                "Please use '--' before any pattern beginning with a '-'",
            )
        return None

    def next_word(self) -> str:
        self.at += 1
        return self.words[self.at] if self.at < len(self.words) else ""

    def method(self) -> Failure | None:
        if self.explicit is not None:
            return Failure(
                "matching-method-twice",
                "only one explicit matching method can be defined with '-m' parameter. "
                "if migrating from an old version, just keep the last one",
            )
        word = self.next_word()
        try:
            self.explicit = Method(word)
        except ValueError:
            message = f"unknown matching method '{word}' when parsing ACL expression"
            return Failure("unknown-matching-method", message)
        return None

    def finish(self, expr: Expr, method: Method) -> AclTest | Failure:
        patterns = self.patterns(method)
        try:
            loaded = [
                Loaded(file, ignore_case, self.as_map, load(file, with_values=self.as_map))
                for file, ignore_case in self.files
            ]
            for one in loaded:
                read_file(method, one)
            for pattern in patterns:
                read(method, pattern)
        except PatternError as error:
            return Failure("bad-pattern", str(error))
        self.warn_suspicious(method, patterns)
        return AclTest(
            self.name,
            expr,
            method,
            self.words,
            tuple(patterns),
            tuple(loaded),
            self.span,
            self.number,
            here(),
        )

    def patterns(self, method: Method) -> list[Pattern]:
        found: list[Pattern] = []
        operator = "eq"
        # RFC 9110 section 9.1: methods are case-sensitive, whatever the flags say.
        if self.words[0] == "method" and self.explicit is None:
            self.ignore_case = False
        integers = method in (Method.INT, Method.LEN)
        dotted = self.explicit is None and _HEAD.match(self.words[0])[0] in _VERSIONS  # type: ignore[index]
        for word in self.words[self.at :]:
            if integers and word in OPERATORS:
                operator = word
            elif not (integers and word == "--"):
                found.append(Pattern(word, self.ignore_case, operator, self.resolve, dotted))
        return found

    def warn_suspicious(self, method: Method, patterns: Sequence[Pattern]) -> None:
        keyword = _HEAD.match(self.words[0])[0]  # type: ignore[index]
        given = patterns or self.files or self.ended or self.at != 1 or len(self.words) > self.at
        if not given and method not in (Method.FOUND, Method.BOOL):
            self.warnings.append(("acl-without-pattern", _NO_PATTERN.format(keyword)))


_SPACE: Final = (
    "parsing acl '{}' :\n"
    "  matching '{}' for pattern '{}' is likely a mistake and probably\n"
    "  not what you want. Maybe you need to remove the extraneous space before '('.\n"
    "  If you are really sure this is not an error, please insert '--' between the\n"
    "  match and the pattern to make this warning message disappear."
)
_NO_PATTERN: Final = (
    "parsing acl keyword '{}' :\n"
    "  no pattern to match against were provided, so this ACL will never match.\n"
    "  If this is what you intended, please add '--' to get rid of this warning.\n"
    "  If you intended to match only for existence, please use '-m found'.\n"
    "  If you wanted to force an int to match as a bool, please use '-m bool'."
)
