"""``balance`` and ``hash-type``: how a server is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evener.haproxy.sections.sides import BACK
from evener.haproxy.sections.values import Loose, OneOf
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, decimal
from evener.vocab.blocks import block, keyword, spans

ONLY: Final = (
    "balance only supports 'roundrobin', 'static-rr', 'leastconn', 'source', 'uri', 'url_param', 'hash', "
    "'hdr(name)', 'rdp-cookie(name)', 'log-hash' and 'sticky' options."
)


@dataclass(frozen=True, slots=True)
class Balance:
    """``argument`` is what stands in parentheses or after the algorithm: a name or an expression.

    ``length`` and ``depth`` limit a URI (0: not limited); ``whole`` keeps its query, ``path_only``
    leaves out scheme and authority.
    """

    algorithm: str
    argument: str | None = None
    length: int = 0
    depth: int = 0
    whole: bool = False
    path_only: bool = False
    other: tuple[str, ...] = ()


class BalanceArgument(Argument[Balance]):
    usage = "<algorithm> [<arguments>]"

    def read(self, cursor: Cursor) -> Balance:
        if not cursor.more:
            return Balance("roundrobin")
        word = cursor.take()
        name, paren, inside = word.partition("(")
        made = (
            self.parenthesised(name, inside.partition(")")[0], ")" in inside, cursor)
            if paren
            else self.plain(name, cursor)
        )
        if made is None:
            raise cursor.bad("unknown-algorithm", ONLY, whole=True)
        return made

    def parenthesised(self, name: str, inside: str, closed: bool, cursor: Cursor) -> Balance | None:
        if name == "hdr":
            if not inside:
                raise cursor.bad(
                    "missing-argument", "balance hdr requires an http header field name.", whole=True
                )
            return Balance("hdr", inside, other=self.modifier(f"hdr({inside})", "use_domain_only", cursor))
        if name == "rdp-cookie":
            if not inside or not closed:
                raise cursor.bad("missing-argument", "balance rdp-cookie : missing cookie name.", whole=True)
            return Balance("rdp-cookie", inside)
        if name == "random":
            if not decimal(inside):
                message = "balance random : number of draws must be at least 1."
                raise cursor.bad("out-of-range", message, whole=True)
            if not closed:
                message = "balance random : missing closing parenthesis."
                raise cursor.bad("missing-parenthesis", message, whole=True)
            return Balance("random", inside)
        return None

    @staticmethod
    def modifier(name: str, known: str, cursor: Cursor) -> tuple[str, ...]:
        """The one word that may follow, and what follows that."""
        rest = cursor.rest()
        if rest and rest[0] != known:
            message = f"balance {name} only accepts '{known}' modifier (got '{rest[0]}')."
            raise cursor.bad("unknown-parameter", message, whole=True)
        return rest

    def plain(self, name: str, cursor: Cursor) -> Balance | None:
        if name in (
            "roundrobin",
            "static-rr",
            "leastconn",
            "source",
            "first",
            "random",
            "rdp-cookie",
            "sticky",
        ):
            cursor.rest()
            return Balance(name)
        if name == "uri":
            return self.uri(cursor)
        if name == "url_param":
            if not cursor.more:
                message = "balance url_param requires an URL parameter name."
                raise cursor.bad("missing-argument", message, whole=True)
            return Balance("url_param", cursor.take(), other=self.modifier("url_param", "check_post", cursor))
        if name in ("hash", "log-hash"):
            if not cursor.more:
                what = "sample expression" if name == "hash" else "converter list"
                raise cursor.bad("missing-argument", f"balance {name} requires a {what}.", whole=True)
            expression, rest = cursor.take(), cursor.rest()
            if rest:
                message = f"balance {name} takes no other argument (got '{rest[0]}')."
                raise cursor.bad("unknown-parameter", message, whole=True)
            return Balance(name, expression)
        return None

    def uri(self, cursor: Cursor) -> Balance:
        numbers = {"len": 0, "depth": 0}
        flags: set[str] = set()
        while cursor.more:
            word = cursor.take()
            if word in numbers:
                text = cursor.peek() or ""
                cursor.index += 1
                numbers[word] = decimal(text) or 0
                if not numbers[word]:
                    message = f"balance uri : '{word}' expects a positive integer (got '{text}')."
                    raise cursor.bad("not-a-number", message, whole=True)
            elif word in ("whole", "path-only"):
                flags.add(word)
            else:
                message = (
                    "balance uri only accepts parameters 'len', 'depth', 'path-only', "
                    f"and 'whole' (got '{word}')."
                )
                raise cursor.bad("unknown-parameter", message, whole=True)
        return Balance("uri", None, numbers["len"], numbers["depth"], "whole" in flags, "path-only" in flags)

    def words(self, value: Balance) -> list[str]:
        if value.algorithm == "uri":
            words = ["uri"]
            words += ["len", str(value.length)] if value.length else []
            words += ["depth", str(value.depth)] if value.depth else []
            return words + ["whole"] * value.whole + ["path-only"] * value.path_only
        if value.argument is None:
            return [value.algorithm]
        if value.algorithm in ("hdr", "rdp-cookie", "random"):
            return [f"{value.algorithm}({value.argument})", *value.other]
        return [value.algorithm, *value.argument.split(" "), *value.other]


@dataclass(frozen=True, slots=True)
class HashType:
    method: str = "map-based"
    function: str = "sdbm"
    avalanche: bool = False


class HashTypeArgument(Argument[HashType]):
    usage = "{ map-based | consistent } [ sdbm | djb2 | wt6 | crc32 | none ] [ avalanche ]"

    def read(self, cursor: Cursor) -> HashType:
        method = cursor.peek() or ""
        cursor.index += 1
        if method not in ("consistent", "map-based"):
            message = "'hash-type' only supports 'consistent' and 'map-based'."
            raise cursor.bad("unknown-value", message, whole=True)
        if cursor.peek() is None:
            return HashType(method, "sdbm", method == "consistent")
        function = cursor.take()
        if function == "avalanche":
            return HashType(method, "sdbm", True)
        if function not in ("sdbm", "djb2", "wt6", "crc32", "none"):
            message = "'hash-type' only supports 'sdbm', 'djb2', 'crc32', or 'wt6' hash functions."
            raise cursor.bad("unknown-value", message, whole=True)
        avalanche = cursor.peek() is not None
        if avalanche and cursor.take() != "avalanche":
            message = "'hash-type' only supports 'avalanche' as a modifier for hash functions."
            raise cursor.bad("unknown-value", message, whole=True)
        return HashType(method, function, avalanche)

    def words(self, value: HashType) -> list[str]:
        return [value.method, value.function, *(["avalanche"] if value.avalanche else [])]


class Factor(Loose):
    """0, or a percentage above 100."""

    def read(self, cursor: Cursor) -> int:
        value = super().read(cursor)
        if value and value <= 100:
            raise cursor.bad(
                "out-of-range", "'hash-balance-factor' must be 0 or greater than 100.", whole=True
            )
        return value


@block("balancing keyword")
@dataclass(frozen=True, slots=True)
class Balancing:
    balance: Balance | None = keyword(
        BalanceArgument(), "How a server is chosen.",
        ok=("balance roundrobin", "balance uri depth 3 whole", "balance hdr(host)"),
        bad=("balance foo", "balance uri len x", "balance hdr()", "balance url_param"), contexts=BACK,
        loose=True,
    )  # fmt: skip
    hash_type: HashType | None = keyword(
        HashTypeArgument(), "How hashed keys are spread over the servers.",
        ok=("hash-type consistent sdbm avalanche",),
        bad=("hash-type", "hash-type foo", "hash-type consistent foo"),
        contexts=BACK,
    )  # fmt: skip
    hash_balance_factor: int | None = keyword(
        Factor(), "How far above the average a hashed server may be loaded, in percent.",
        ok=("hash-balance-factor 150",), bad=("hash-balance-factor 5", "hash-balance-factor"), contexts=BACK,
        missing="'hash-balance-factor' expects an integer argument.", any_side=True, loose=True,
    )  # fmt: skip
    hash_preserve_affinity: str | None = keyword(
        OneOf("always", "maxconn", "maxqueue"),
        "What happens to a hashed request whose server is full.",
        ok=("hash-preserve-affinity always",), bad=("hash-preserve-affinity foo",), contexts=BACK,
        missing="'hash-preserve-affinity' needs a keyword to specify when to preserve hash affinity",
        wrong="'hash-preserve-affinity': unknown keyword '{got}'",
        wrong_side="'hash-preserve-affinity' only available in backend or listen section",
    )  # fmt: skip
    spans: Mapping[str, Span] = spans()
