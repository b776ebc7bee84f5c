"""What the Lua files of a configuration declare, as far as that can be read off them without running them.

A file says ``core.register_fetches("name", ...)`` and its like. Where every such call names what it declares
with a string of its own, and nothing else is brought in, the names are all known, and a configuration that
uses another one is wrong. Where a file loads others or makes up names, any name may exist. Which branches of
the program are reached is not known: what stands in the file counts as declared.

Whether a file is Lua at all is answered by the Lua library, if the machine has one; no code is run.
"""

from __future__ import annotations

import ctypes
import functools
import os
import re
from typing import Final

from evener.text.record import dataclass

KINDS: Final = {
    "register_fetches": "fetch",
    "register_converters": "converter",
    "register_action": "action",
    "register_service": "service",
    "register_filter": "filter",
}
RULESETS: Final = {
    "tcp-req": ("tcp-request content",),
    "tcp-res": ("tcp-response content",),
    "http-req": ("http-request",),
    "http-res": ("http-response",),
    "http-after-res": ("http-after-response",),
}
PREFIX: Final = "lua."
LONGEST_UNSEEN: Final = 20_000
"""Looking through what is no program takes time that grows with its square."""
_LONG: Final = r"\[(?P<level>=*)\[.*?\](?P=level)\]"
_HIDDEN: Final = re.compile(
    rf"--{_LONG}|--[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|{_LONG.replace('level', 'depth')}",
    re.DOTALL,
)
_CALL: Final = re.compile(r"\b(register_(?:fetches|converters|action|service|filter))\b")
_NAMED: Final = re.compile(r"\s*\(\s*([\"'])([^\"'\\]*)\1\s*[,)]")
_ELSEWHERE: Final = re.compile(r"\b(require|dofile|loadfile|loadstring|load|_G|_ENV)\b|\bcore\s*\[")
_WORDS: Final = re.compile(r"[\"']([^\"'\\]*)[\"']")
_COUNT: Final = re.compile(r",\s*([0-9]+)\s*$")
_NO_COUNT: Final = re.compile(r"(\bend|\}\s*,\s*[A-Za-z_][\w.]*)\s*$")


@dataclass(frozen=True, slots=True)
class Declared:
    """``where``: the rulesets of an action, or the kind of a service; ``arguments``: None when unknown."""

    where: tuple[str, ...] = ()
    arguments: int | None = None


class Scripts:
    """All files together. ``complete``: nothing but what is known here can exist."""

    __slots__ = ("complete", "known")

    def __init__(self, complete: bool = True) -> None:
        self.complete = complete
        self.known: dict[tuple[str, str], Declared] = {}

    def find(self, kind: str, name: str) -> Declared | None:
        """What ``lua.name`` is; None when there is no such thing."""
        found = self.known.get((kind, name.removeprefix(PREFIX)))
        return found or (None if self.complete else Declared())

    def actions(self, ruleset: str) -> list[str]:
        """The names of actions that are declared for the ruleset."""
        declared = ((name, one) for (kind, name), one in self.known.items() if kind == "action")
        return [f"{PREFIX}{name}" for name, one in declared if ruleset in one.where]

    def learn(self, text: str) -> None:
        """What a file declares; a long one that nobody has looked at may declare anything."""
        if library() is None and len(text) > LONGEST_UNSEEN:
            self.complete = False
            return
        for kind, name, declared in declarations(text):
            if declared is None:
                self.complete = False
            else:
                self.known[kind, name] = declared


def declarations(text: str) -> list[tuple[str, str, Declared | None]]:
    """Kind, name and what is known of each; None: something that cannot be known is declared."""
    bare = _HIDDEN.sub(lambda found: " " * len(found[0]), text)
    code = _HIDDEN.sub(lambda found: " " * len(found[0]) if found[0].startswith("--") else found[0], text)
    found: list[tuple[str, str, Declared | None]] = [("", "", None)] if _ELSEWHERE.search(bare) else []
    for call in _CALL.finditer(bare):
        named = _NAMED.match(code, call.end())
        if named is None:
            found.append(("", "", None))
            continue
        rest = slice(named.end(), closing(bare, call.end()))
        kind = KINDS[call[1]]
        found.append((kind, named[2], _declared(kind, bare[rest], code[rest])))
    return found


def closing(bare: str, start: int) -> int:
    """Where the parenthesis that opens at or after ``start`` is closed."""
    depth = 0
    for at in range(start, len(bare)):
        depth += {"(": 1, ")": -1}.get(bare[at], 0)
        if depth == 0 and bare[at] == ")":
            return at
    return len(bare)


def _declared(kind: str, bare: str, code: str) -> Declared | None:
    if kind == "service":
        mode = _WORDS.match(code.strip())
        return Declared((mode[1],)) if mode else Declared()
    if kind != "action":
        return Declared()
    listed = code[: code.find("}") + 1]
    places = _WORDS.findall(listed)
    if not listed.lstrip().startswith("{") or not set(places) <= set(RULESETS):
        return Declared()
    where = tuple(ruleset for place in places for ruleset in RULESETS[place])
    count = _COUNT.search(bare)
    if count is not None:
        return Declared(where, int(count[1]))
    return Declared(where, 0 if _NO_COUNT.search(bare) else None)


# -- the Lua library --------------------------------------------------------------------------------

_NAMES: Final = ("liblua5.4.so.0", "liblua.so.5.4")


@functools.cache
def library() -> ctypes.CDLL | None:
    for name in _NAMES:
        try:
            lua = ctypes.CDLL(name)
        except OSError:
            continue
        lua.luaL_newstate.restype = ctypes.c_void_p
        text, mode = ctypes.c_char_p, ctypes.c_char_p
        lua.luaL_loadbufferx.argtypes = (ctypes.c_void_p, text, ctypes.c_size_t, ctypes.c_char_p, mode)
        lua.lua_tolstring.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        lua.lua_tolstring.restype = ctypes.c_char_p
        lua.lua_close.argtypes = (ctypes.c_void_p,)
        return lua
    return None


def syntax_error(path: str, data: bytes) -> str:
    """Why the text of a file is no Lua program; "" when it is one, or nobody can tell."""
    if data.startswith(b"#"):
        data = b"--" + data  # a first line for the shell
    lua = library()
    state = lua.luaL_newstate() if lua is not None else None
    if lua is None or not state:
        return ""
    try:
        if lua.luaL_loadbufferx(state, data, len(data), b"@" + os.fsencode(path), b"t") == 0:
            return ""
        said: bytes = lua.lua_tolstring(state, -1, None) or b""
        return said.decode("utf-8", "surrogateescape")
    finally:
        lua.lua_close(state)
