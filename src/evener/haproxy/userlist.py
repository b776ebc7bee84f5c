"""User lists: who may pass, and to which groups they belong (manual section 12.2).

Reads the lines of ``userlist`` sections and checks passwords, plain ones and those of crypt(3), which the
C library computes. A checked password is remembered, because a good hash is slow on purpose.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import hmac
import re
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, Protocol

from evener.haproxy.cast import to_bytes


class Section(Protocol):
    """A section kept as lines of words."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def lines(self) -> tuple[tuple[str, ...], ...]: ...


class UserList:
    """Users with their passwords and groups; names and groups are bytes, as requests carry them."""

    def __init__(self) -> None:
        self._passwords: dict[bytes, tuple[bytes, bool]] = {}
        self._groups: dict[bytes, list[bytes]] = {}

    def add_user(self, name: str, password: str | None, hashed: bool, groups: Iterable[str] = ()) -> None:
        user = to_bytes(name)
        if password is not None:
            self._passwords[user] = (to_bytes(password), hashed)
        self._groups.setdefault(user, []).extend(map(to_bytes, groups))

    def add_group(self, name: str, users: Iterable[str]) -> None:
        for user in users:
            self._groups.setdefault(to_bytes(user), []).append(to_bytes(name))

    def authenticates(self, user: bytes, password: bytes) -> bool:
        """Whether the password is that user's."""
        known = self._passwords.get(user)
        if known is None:
            return False
        expected, hashed = known
        if not hashed:
            return hmac.compare_digest(expected, password)
        return _crypt_matches(password, expected)

    def groups_of(self, user: bytes) -> Sequence[bytes]:
        return self._groups.get(user, ())


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    name = ctypes.util.find_library("crypt") or "libcrypt.so.1"
    try:
        library = ctypes.CDLL(name)
    except OSError:
        return None
    library.crypt.restype = ctypes.c_char_p
    library.crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    return library


_SLOW: Final = re.compile(r"\$(2[abxy]?|7|g?y)\$|\$[56]\$rounds=[0-9]{5}")
"""How hashes begin that are made to take long: bcrypt, scrypt, yescrypt, and SHA in many rounds."""


def milliseconds(expected: str) -> int:
    """How long it takes here to check a password; not tried, and 0, where it is known to be quick."""
    library = _library() if _SLOW.match(expected) else None
    if library is None:
        return 0
    start = time.perf_counter()
    library.crypt(b"", to_bytes(expected))
    return int((time.perf_counter() - start) * 1000)


@lru_cache(maxsize=1024)
def _crypt_matches(password: bytes, expected: bytes) -> bool:
    library = _library()
    if library is None or b"\0" in password:
        return False
    found: bytes | None = library.crypt(password, expected)
    return found is not None and hmac.compare_digest(found, expected)


def read_userlist(lines: Iterable[Sequence[str]]) -> UserList:
    """From lines of words: ``group G [users a,b]``, ``user U [insecure-]password P [groups a,b]``."""
    users = UserList()
    for words in lines:
        options = dict(zip(words[2::2], words[3::2], strict=False))
        if list(words[:1]) == ["group"] and len(words) > 1:
            users.add_group(words[1], _names(options.get("users", "")))
        elif list(words[:1]) == ["user"] and len(words) > 1:
            hashed = "password" in options
            password = options.get("password", options.get("insecure-password"))
            users.add_user(words[1], password, hashed, _names(options.get("groups", "")))
    return users


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def read_userlists(sections: Iterable[Section]) -> dict[str, UserList]:
    """Every user list of a configuration by name."""
    return {section.name: read_userlist(section.lines) for section in sections if section.kind == "userlist"}
