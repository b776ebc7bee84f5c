"""Lines of a configuration without what is nobody's business: ``-dC`` with a key.

Names, paths and addresses are replaced by a hash of them with the key, the same one that the original
prints, so that dumps can be compared; what else a line says is left out. ``_SHAPES`` tells how much of a line
is shown: ``=`` the word as it is, ``i`` an identifier, ``a`` an address, ``p`` a path, ``s`` any text; then
``[...]`` where there was more. Of a word without a shape the first two arguments are shown.
"""

from __future__ import annotations

from typing import Final

from evener.haproxy.addresses import Allow, BadAddress, parse_address
from evener.haproxy.converters.xxhash import hash32

_SHAPES: Final = {
    "maxconn": "=",
    "stats timeout": "=",
    "stats maxconn": "=",
    "stats socket": "a",
    "stats auth": "s",
    "timeout": "==",
    "mode": "=",
    "user": "i",
    "bind": "a",
    "server": "ia",
    "redirect prefix": "p",
    "redirect location": "p",
    "redirect": "==",
    "acl": "i=",
    "log global": "",
    "log": "a",
    "peer": "ia",
    "use_backend": "i",
    "default_backend": "i",
    "source": "a",
    "nameserver": "ia",
    "http-request": "=",
    "http-response": "=",
    "http-after-response": "=",
    "filter": "=",
    "errorfile": "=p",
    "cookie": "i=",
}
#: Words after whose arguments nothing is ever said, and the line ends without a blank.
_CLOSED: Final = frozenset(
    {
        "maxconn",
        "stats timeout",
        "stats maxconn",
        "stats auth",
        "timeout",
        "mode",
        "default_backend",
        "errorfile",
    }
)
_ANY: Final = Allow.NO_PORT | Allow.RANGE | Allow.OFFSET | Allow.STREAM
_KEPT: Final = ("localhost", "stdout", "stderr")
_LOCAL: Final = ("127", "255", "0")


class Anonymous:
    """Hides words with one key."""

    def __init__(self, key: int) -> None:
        self.key = key

    def hashed(self, text: str, frame: str = "{}") -> str:
        """Nothing can be hidden about no text at all."""
        if text in ("", " "):
            return text
        value = hash32(text.encode("utf-8", "surrogateescape"), self.key) & 0xFFFFFF
        return frame.format(f"{value:06x}")

    def section(self, words: list[str]) -> str:
        return words[0] + "".join(" " + self.hashed(word, "ID({})") for word in words[1:2])

    def line(self, words: list[str]) -> str:
        name, shape = self._shape(words)
        if words[0] == "anonkey":
            return "anonkey [...]"
        first = len(name.split())
        shown = [self._word(kind, word) for kind, word in zip(shape, words[first:], strict=False)]
        text = " ".join([name, *shown])
        if name in _CLOSED:
            return text
        return text + (" [...]" if len(words) > first + len(shape) else " ")

    def _shape(self, words: list[str]) -> tuple[str, str]:
        for length in (2, 1):
            name = " ".join(words[:length])
            if name in _SHAPES:
                return name, _SHAPES[name]
        return words[0], "=="

    def _word(self, kind: str, word: str) -> str:
        if kind == "=":
            return word
        if kind == "a":
            return self._address(word)
        return self.hashed(word, {"i": "ID({})", "p": "PATH({})"}.get(kind, "{}"))

    def _address(self, text: str) -> str:
        if text in _KEPT or text.startswith(("fd@", "sockpair@")):
            return text
        try:
            made = parse_address(text, _ANY)
        except BadAddress:
            return self.hashed(text)
        if made.host.startswith(("/", "\0")) or not made.resolved:
            return self.hashed(text)
        six = ":" in made.host
        if made.host == "::1" or (not six and made.host.startswith(_LOCAL)):
            return text
        frame = ("IPV6({})" if six else "IPV4({})") + (f":{made.port}" if made.port else "")
        return self.hashed(made.host, frame)
