"""``crt-store``: certificates by name, and where their parts are (section 3.11)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Final

from evener.haproxy.sections.certificate_files import customs, full_name
from evener.haproxy.sections.certificate_words import FILE, WORDS, complaint
from evener.haproxy.sections.forms import Form, seen
from evener.haproxy.sections.reading import BARE, Place, where_of
from evener.haproxy.sections.rule_words import line_of
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, BadArgument, Cursor, Text
from evener.vocab.blocks import Known, Repeat, block, keyword, spans

if TYPE_CHECKING:
    from evener.haproxy.ir import Configuration, OtherSection
    from evener.text.diagnostic import Diagnostics


_LOAD: Final = "'load' in section 'crt-store':"


@dataclass(frozen=True, slots=True)
class Load:
    """``alias`` is the name without the section's; ``parts`` are (word, value) as written, the last holds."""

    parts: tuple[tuple[str, str], ...]
    alias: str = ""
    span: Span | None = field(default=None, compare=False)
    key: str = field(default="", compare=False)  #: what others call it

    def get(self, name: str) -> str | None:
        return dict(self.parts).get(name)


def key_of(crt: str, alias: str, place: Place) -> str:
    """By its alias, by its section and its file, or by its file alone."""
    if alias:
        return f"@{place.name}/{alias}"
    if place.name:
        return f"@{place.name}/{crt.removeprefix('/')}"
    return full_name(crt, customs(place).base)


def at(cursor: Cursor, code: str, message: str) -> BadArgument:
    """The original says twice where it is."""
    line = line_of(cursor)
    where = f"parsing [{line.source.name}:{line.number}] : "
    return cursor.bad(code, where + message, whole=True)


class LoadArgument(Argument[Load]):
    usage = "crt <filename> [alias <name>] [<word> <value>]..."

    def read(self, cursor: Cursor) -> Load:
        place: Place = cursor.context
        parts: list[tuple[str, str]] = []
        alias = ""
        while cursor.more:
            word = cursor.take()
            value = cursor.take() if cursor.more else ""
            if word == "alias":
                if value.startswith("/"):
                    message = (
                        f"cannot parse 'alias' value '{value}', '/' is forbidden as the first character."
                    )
                    raise at(cursor, "bad-alias", message)
                alias = value
                continue
            self.check(word, value, parts, cursor)
            parts.append((word, value))
        crt = dict(parts).get("crt", "")
        made = Load(tuple(parts), alias, where_of(line_of(cursor)), key_of(crt, alias, place))
        if made.get("crt") is None:
            raise at(
                cursor,
                "missing-argument",
                f"{_LOAD} mandatory 'crt' parameter not found.",
            )
        wrong = wrong_files(made, place)
        if wrong:
            raise cursor.bad("bad-certificate", wrong, whole=True)
        place.seen["load", ""] = cursor.line.span(0)
        name = made.key
        if seen(place, "certificate", name, cursor):
            raise at(
                cursor,
                "duplicate-name",
                f"{_LOAD} store '{name}' was already defined.",
            )
        keep_for_tokens(made, place)
        return made

    def check(self, word: str, value: str, parts: list[tuple[str, str]], cursor: Cursor) -> None:
        if word not in WORDS:
            message = f"'load {word}' in section 'crt-store': unknown keyword '{word}'."
            raise at(cursor, "unknown-keyword", message)
        if wrong := complaint(word, value):
            raise at(cursor, "bad-value", wrong)
        if WORDS[word].facts["kind"].name in ("file", "text", "list") and word in dict(parts):
            cursor.context.warning("already-said", f"'{word}' already specified, overwriting.", cursor.span())

    def words(self, value: Load) -> list[str]:
        words = [word for part in value.parts for word in part]
        return [*words, *(["alias", value.alias] if value.alias else [])]


def keep_for_tokens(load: Load, place: Place) -> None:
    """Converters of web tokens use the certificate, in what is read after this line."""
    from evener.haproxy import token_certificates

    key = load.get("key")
    token_certificates.keep(
        load.key,
        in_folder(load.get("crt") or "", "crt", place),
        in_folder(key, "key", place) if key is not None else "",
        load.get("jwt") == "on",
    )


def wrong_files(load: Load, place: Place) -> str:
    """What the original says of files that cannot be used. What is made up or asked for need not be there."""
    from evener.haproxy.certificates import parts

    if load.get("generate-dummy") == "on":
        return wrong_dummy(load)
    if any(load.get(word) is not None for word in ("keytype", "bits", "curves")):
        return (
            "keyword 'keytype', 'bits' and 'curves' require 'generate-dummy' set to 'on'\n"
            f" '{load.get('crt')}' cannot be read or parsed."
        )
    if load.get("acme") is not None:
        return ""
    named = {
        word: (name, in_folder(name, word, place))
        for word, name in load.parts
        if WORDS[word].facts["kind"] is FILE
    }
    return parts(named, customs(place))


def wrong_dummy(load: Load) -> str:
    """What is wrong with the kind of key that is made."""
    from evener.haproxy.tls_library import knows_curve

    kind, curves = load.get("keytype") or "RSA", load.get("curves")
    tail = f" '{load.get('crt')}' cannot be read or parsed."
    if kind not in ("RSA", "ECDSA"):
        return f"keyword 'keytype' requires either 'RSA' or 'ECDSA'.{tail}"
    if kind == "ECDSA" and curves is not None and not knows_curve(curves):
        return f"unsupported curves '{curves}'.{tail}"
    return ""


def in_folder(name: str, word: str, place: Place) -> str:
    """The file, under ``crt-base`` or ``key-base`` (the global one, if need be) where it is not absolute."""
    kind = "key" if word == "key" else "crt"
    folder = place.folders.get(kind)
    if folder is None:
        said = [known.words[1:] for known in place.settings if known.words[0] == f"{kind}-base"]
        folder = said[-1][0] if said and said[-1] else ""
    return name if name.startswith("/") else os.path.join(folder, name)


class Folder(Text):
    """A directory for the ``load`` lines that follow."""

    def read(self, cursor: Cursor) -> str:
        place: Place = cursor.context
        if not cursor.more:
            cursor.index += 1
            raise at(cursor, "missing-argument", f"'{cursor.name}' requires a <path> argument.")
        if ("load", "") in place.seen:
            late = "can't be used after a load line, use it at the beginning of the section."
            raise at(cursor, "too-late", f"'{cursor.name}' {late}")
        path = cursor.take()
        place.folders[cursor.name.partition("-")[0]] = path
        return path


@block("crt-store line")
@dataclass(frozen=True, slots=True)
class CrtStore:
    name: str = ""
    crt_base: str | None = keyword(
        Folder("<path>"),
        "Directory of certificates, instead of the global section's.",
        ok=("{} /etc/ssl",),
        bad=("{}",),
        loose=True,
    )
    key_base: str | None = keyword(
        Folder("<path>"),
        "Directory of keys, instead of the global section's.",
        ok=("{} /etc/ssl/private",),
        bad=("{}",),
        loose=True,
    )
    load: tuple[Load, ...] = keyword(
        LoadArgument(),
        "A certificate and its parts. ``bind`` lines, crt-lists and converters of web tokens (``jwt on``)"
        " name it by the section and its alias, or by the file it was loaded from: ``crt @web/main``.",
        ok=("load crt server.pem alias main", "load crt new.pem generate-dummy on keytype RSA bits 2048"),
        bad=(
            "load",
            "load alias a",
            "load crt server.pem colour red",
            "load crt server.pem alias /a",
            "load crt server.pem ocsp-update maybe",
            "load crt /no/such/file",
        ),
        repeat=Repeat.COLLECT,
    )
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()
    known: tuple[Known, ...] = ()


def stored_names(sections: Iterable[OtherSection]) -> frozenset[str]:
    """The certificates of all sections, as others call them."""
    return frozenset(
        load.key for section in sections if section.kind == "crt-store" for load in section.block.load
    )


def verify(section: CrtStore, configuration: Configuration, diagnostics: Diagnostics) -> None:
    """The sections by which certificates are renewed must be there."""
    for load in section.load:
        name = load.get("acme")
        if name is not None and configuration.section("acme", name) is None:
            message = f"acme '{name}' was used on a crt line [{load.span}], but no '{name}' section exists!"
            diagnostics.alert("unknown-acme", message, load.span, lead=BARE)


FORM: Final = Form(
    CrtStore,
    plain=False,
    extra="'crt-store' section only supports a <name> argument.",
    ends=frozenset({"extra", "line"}),
    guesses=True,
    ordered=True,
    verify=verify,
)
