"""``ssl-f-use``: certificates of a frontend, with the options and parts that lines of crt-lists have too.

The words are looked at when the line is read. The certificates are looked for when the section ends, those of
the last line first, and the first that cannot be used is the only one of which anything is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from evener.haproxy.certificates import parts, told
from evener.haproxy.sections.bind import OPTIONS as BIND
from evener.haproxy.sections.certificate_files import customs, full_name, named, not_there, of_entry
from evener.haproxy.sections.certificate_words import FILE, WORDS, complaint
from evener.haproxy.sections.crt_list import NAMES, Entry, arity
from evener.haproxy.sections.reading import complaint as option_complaint

if TYPE_CHECKING:
    from evener.haproxy.sections.reading import Place
    from evener.text.span import Span
    from evener.vocab.blocks import Known

_LISTED: Final = "'crt-list' : "


def wrong_words(arguments: Sequence[str], place: Place) -> str:
    """What is wrong with the words of a line; "" when nothing is."""
    words, seen = list(arguments), set()
    while words:
        name = words.pop(0)
        taken = arity(name)
        if taken is None:
            return f"unknown crt keyword '{name}'"
        values, words = words[:taken], words[taken:]
        if name == "crt" and name in seen:
            return "'crt' already specified, aborting."
        seen.add(name)
        if wrong := wrong_value(name, values, taken, place):
            return wrong
    return ""


def wrong_value(name: str, values: list[str], taken: int, place: Place) -> str:
    if name in WORDS and name not in NAMES:
        wrong = complaint(name, values[0] if values else "")
        return f"parsing [{{place}}] : {wrong}" if wrong else ""
    if name == "alias":
        return ""
    facts = BIND.registry[name].facts
    if len(values) < taken:
        return str(facts.get("missing", "'{name}' expects an argument.")).replace("{name}", name)
    check, span = facts.get("check"), place.at
    return option_complaint(check, name, tuple(values), place, span) if check and span is not None else ""


def look_for(lines: Sequence[Known], place: Place) -> None:
    """Say what is wrong with the certificates of a frontend."""
    for known in reversed(lines):
        if known.span is not None and unusable(dict(pairs(known.words[1:])), known.span, place):
            return


def pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    """The words of certificates and their values; those of listeners are left out."""
    found, index = [], 0
    while index < len(words):
        name = words[index]
        if name in WORDS and name not in NAMES:
            found.append((name, words[index + 1] if index + 1 < len(words) else ""))
        index += 1 + (arity(name) or 0)
    return found


def unusable(said: dict[str, str], span: Span, place: Place) -> bool:
    """Whether something was wrong with a certificate, which is then said."""
    if "crt" not in said:
        place.alert("missing-argument", "Trying to load a certificate but no 'crt' keyword specified.", span)
        return True
    how = customs(place)
    path = full_name(said["crt"], how.base)
    files = {name: (value, value) for name, value in said.items() if WORDS[name].facts["kind"] is FILE}
    if len(files) > 1 and path not in place.stored:
        wrong = not_there(path) or parts(files, how)
        if wrong:
            place.alert("bad-certificate", told(wrong), span)
        return bool(wrong)
    for finding in named(path, place, how):
        if finding.wrong and not finding.warning:
            listed = of_entry(Entry(path), f"@{place.name}", finding).wrong.removeprefix(_LISTED)
            missing = finding.wrong == not_there(path)
            text = told(finding.wrong) if missing else listed.rstrip("\n")
            place.diagnostics.alert("bad-certificate", text, span, lead=None if missing else "config : ")
            return True
    return False
