"""``acme``: an account with a certificate authority, and how certificates are asked for (section 12.8).

The section is experimental: ``expose-experimental-directives`` must come first, as in the original.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from evener.haproxy.sections.forms import Form, tight
from evener.haproxy.sections.reading import TIGHT, Place
from evener.haproxy.sections.values import LONGEST, read_time, time_words, warn_after
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, signed
from evener.vocab.blocks import Known, block, keyword, spans
from evener.vocab.registry import Status

CURVES: Final = ("P-256", "P-384", "P-521")
HTTP: Final = "http-01"


class AcmeText(Argument[str]):
    """One word; ``allowed`` are the characters it may have, ``choices`` what it may be."""

    def __init__(self, usage: str = "<string>", what: str = "an argument") -> None:
        self.usage = usage
        self.what = what

    def read(self, cursor: Cursor) -> str:
        if not cursor.more:
            cursor.index += 1
            raise self.wrong(cursor, f"section requires {self.what}")
        return self.checked(cursor.take(), cursor)

    def checked(self, text: str, cursor: Cursor) -> str:
        return text

    def wrong(self, cursor: Cursor, rest: str) -> Exception:
        return tight(cursor, "bad-value", f"keyword '{cursor.name}' in 'acme' {rest}")


class Word(AcmeText):
    """One of a few words. ``sentence`` is what is said of another one, and of none where ``always``."""

    def __init__(
        self, choices: tuple[str, ...], sentence: str, *, fold: bool = False, always: bool = False
    ) -> None:
        super().__init__("{ " + " | ".join(choices) + " }")
        self.choices = choices
        self.sentence = sentence
        self.fold = fold
        self.always = always

    def read(self, cursor: Cursor) -> str:
        if self.always and not cursor.more:
            cursor.index += 1
            raise self.wrong(cursor, self.sentence)
        return super().read(cursor)

    def checked(self, text: str, cursor: Cursor) -> str:
        wanted = text.lower() if self.fold else text
        if wanted not in self.choices:
            raise self.wrong(cursor, self.sentence)
        return wanted


class Challenge(Word):
    """``http-01`` is begun at once; the others may wait for something (``challenge-ready``)."""

    def checked(self, text: str, cursor: Cursor) -> str:
        chosen = super().checked(text, cursor)
        place: Place = cursor.context
        if chosen == HTTP and ("challenge", "waits") in place.seen:
            raise self.wrong(cursor, _AT_ONCE)
        if chosen != HTTP:
            place.seen["challenge", "other"] = place.seen["challenge", "waits"] = cursor.span()
        else:
            place.seen.pop(("challenge", "other"), None)
        return chosen


_AT_ONCE: Final = 'section, "http-01" is not compatible with the "challenge-ready" option'


class Ready(AcmeText):
    """What a challenge waits for: several, separated by commas."""

    def checked(self, text: str, cursor: Cursor) -> str:
        conditions = [part for part in text.split(",") if part]
        if any(part not in ("cli", "dns", "delay", "none") for part in conditions):
            rest = "section requires parameter separated by commas: 'cli', 'dns' or 'none'"
            raise self.wrong(cursor, rest)
        if "none" in conditions and len(conditions) > 1:
            raise self.wrong(cursor, "can't combine 'none' with other keywords.")
        if conditions != ["none"] and ("challenge", "other") not in cursor.context.seen:
            raise self.wrong(cursor, _AT_ONCE)
        return text


class Profile(AcmeText):
    def checked(self, text: str, cursor: Cursor) -> str:
        bad = re.search(r"[^A-Za-z0-9_-]", text)
        if bad is not None:
            raise self.wrong(cursor, f"section contains unauthorized character '{bad[0]}'")
        return text


class Bits(Argument[int]):
    usage = "<number>"

    def read(self, cursor: Cursor) -> int:
        text = AcmeText().read(cursor)
        value = signed(text)
        if value is None:
            message = f"cannot parse 'bits' value '{text}', an integer is expected."
            raise cursor.bad("not-a-number", message, whole=True)
        return value


class Curve(AcmeText):
    def checked(self, text: str, cursor: Cursor) -> str:
        if text not in CURVES:
            raise tight(cursor, "unknown-value", f"unsupported curves '{text}'")
        return text


class Delay(Argument[int]):
    """A delay in milliseconds; a bare number means seconds."""

    usage = "<time>"

    def read(self, cursor: Cursor) -> int:
        text = AcmeText().read(cursor)
        found = read_time(text, 1000)
        if found.wrong:
            message = f"unexpected character '{found.wrong}' in argument to '{cursor.name}'"
            raise tight(cursor, "bad-time", message)
        if found.milliseconds // 1000 > LONGEST:
            raise tight(cursor, "bad-time", f"timer overflow in argument <{text}> to '{cursor.name}'")
        if found.after:
            warn_after(cursor, text, found.after)
        return found.milliseconds

    def words(self, value: int) -> list[str]:
        return [time_words(value)]


def word(argument: Argument[Any], doc: str, good: str, *bad: str, default: Any = None, **facts: Any) -> Any:
    return keyword(
        argument,
        doc,
        ok=(f"{{}} {good}",),
        bad=("{}", "{} a b", *bad),
        status=Status.PLANNED,
        default=default,
        **{"counted": 1, **facts},
    )


@block("acme line")
@dataclass(frozen=True, slots=True)
class Acme:
    name: str = ""
    directory: str | None = word(
        AcmeText("<url>"),
        "The address of the authority's directory, where everything else is found. Must be said.",
        "https://acme.example/directory",
    )
    contact: str | None = word(
        AcmeText("<mail>"), "The mail address that the account is opened with.", "ann@example.org"
    )
    account_key: str | None = word(
        AcmeText("<filename>", "a filename argument"),
        "File of the account's private key; made at start when there is none.",
        "account.key",
    )
    challenge: str = word(
        Challenge(
            (HTTP, "dns-01", "dns-persist-01"),
            "must be one of the following: http-01, dns-01, dns-persist-01",
            fold=True,
            always=True,
        ),
        "How it is shown that the names are ours: by a page (http-01), or by a record of the domain.",
        "dns-01",
        "{} tls-01",
        default=HTTP,
    )
    challenge_ready: str | None = keyword(
        Ready("{ cli | dns | delay | none }[,...]"),
        "What must have happened before the authority is "
        "told to look: a command on the runtime API, the record seen in the DNS, some time. Not for http-01.",
        ok=("{} cli,dns",),
        bad=("{}", "{} a", "{} none,cli"),
        status=Status.PLANNED,
        needs="challenge dns-01",
        counted=1,
    )
    dns_delay: int | None = word(
        Delay(), "How long the DNS is left alone before each look; 30s.", "10s", "{} x"
    )
    dns_timeout: int | None = word(Delay(), "How long the record is waited for; 600s.", "5m", "{} x")
    keytype: str | None = word(
        Word(("RSA", "ECDSA"), "section requires either 'RSA' or 'ECDSA' argument"),
        "The kind of keys that are made; ECDSA unless said.",
        "RSA",
        "{} DSA",
    )
    bits: int | None = word(Bits(), "The size of RSA keys; 2048 unless said.", "4096", "{} x")
    curves: str | None = word(
        Curve("<curve>"), "The curve of ECDSA keys; P-384 unless said.", "P-256", "{} x"
    )
    reuse_key: str | None = word(
        Word(("on", "off"), "section requires either the 'on' or 'off' parameter"),
        "Whether a renewed certificate keeps its key.",
        "on",
        "{} maybe",
    )
    map: str | None = word(
        AcmeText("<map>"),
        "The map in which answers to http-01 are put, for the rules that give them.",
        "virt@acme",
    )
    profile: str | None = word(
        Profile("<name>"), "The authority's profile that is asked for.", "short", "{} a/b"
    )
    provider_name: str | None = word(
        AcmeText("<name>"), "Who serves the domain: told to the program that makes its records.", "acme-dns"
    )
    acme_vars: str | None = word(AcmeText("<string>"), "More for that program, as it wants it.", "'ApiKey=x'")
    eab_key_id: str | None = word(
        AcmeText("<filename>"),
        "File with the name of the key that binds the account to an outside one.",
        "kid",
        needs="eab-mac-key mac",
    )
    eab_mac_key: str | None = word(AcmeText("<filename>"), "File of that key.", "mac", needs="eab-key-id kid")
    eab_mac_alg: str | None = word(
        Word(("HS256", "HS384", "HS512"), "must be one of the following: HS256, HS384, HS512"),
        "The algorithm of that key; HS256 unless said.",
        "HS512",
        "{} MD5",
    )
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()
    known: tuple[Known, ...] = ()


def close(section: Acme, place: Place) -> None:
    wrong = ""
    if (section.eab_key_id is None) != (section.eab_mac_key is None):
        what = "EAB MAC key and key id are mutually dependent, specify both or neither."
        wrong = f"section '{section.name}': {what}"
    elif section.directory is None:
        wrong = f"No directory defined in ACME section '{section.name}'."
    if wrong:
        raise place.diagnostics.abort("bad-acme", f"acme: {wrong}", section.span, lead="config : ")


FORM: Final = Form(
    Acme,
    missing="section 'acme' requires an ID argument.",
    lead=TIGHT,
    plain=False,
    twice="acme section '{name}' already exists ({at}).",
    twice_lead=TIGHT,
    ends=frozenset({"name", "extra", "twice", "line"}),
    guesses=True,
    experimental=True,
    ordered=True,
    close=close,
)
