"""Where a keyword of a proxy may stand, and what is said when it stands somewhere else.

A keyword belongs to the frontend side, to the backend side or to both; ``listen`` has both sides and
``defaults`` may prepare either. A keyword on the wrong side is ignored with a warning (the original's
habit), or refused where the declaration's fact ``wrong_side`` gives a sentence for an alert.
"""

from __future__ import annotations

from typing import Final

from evener.haproxy.line import Line
from evener.haproxy.sections.reading import MISSING, TIGHT, Place, read_value
from evener.vocab.blocks import Keyword, Slot

DEFAULTS: Final = "defaults"
FRONTEND: Final = "frontend"
BACKEND: Final = "backend"
NEGATION: Final = "negation/default is not supported for option '{got}'."
LISTEN: Final = "listen"

ANY: Final = (DEFAULTS, FRONTEND, LISTEN, BACKEND)
FRONT: Final = (DEFAULTS, FRONTEND, LISTEN)
BACK: Final = (DEFAULTS, LISTEN, BACKEND)
ANY_PROXY: Final = (FRONTEND, LISTEN, BACKEND)
FRONT_PROXY: Final = (FRONTEND, LISTEN)
BACK_PROXY: Final = (LISTEN, BACKEND)


def fits(word: Keyword, line: Line, place: Place) -> bool:
    """Whether ``word`` may stand in the section; says what is wrong otherwise."""
    kind = place.kind
    facts = word.facts
    if facts.get("refused") or (facts.get("any_side") and kind != DEFAULTS):
        return True
    if kind == DEFAULTS:
        if kind not in word.contexts:
            _refuse(
                word, line, place, facts.get("in_defaults", "'{first}' not allowed in 'defaults' section.")
            )
            return False
        if facts.get("named_defaults") and not place.name:
            sentence = facts.get("anonymous", "'{first}' not allowed in anonymous 'defaults' section.")
            _refuse(word, line, place, sentence)
            return False
        return True
    if kind in word.contexts or not word.contexts:
        return True
    if not_negatable(word, line, place):
        return False
    wrong = facts.get("wrong_side")
    if wrong is not None:
        _refuse(word, line, place, wrong)
        return False
    if _wrong_anyway(word, line, place):
        return False
    if line.words[0] == "no" and "ignored_unread" in facts:
        return False
    capability = "backend" if kind == FRONTEND else "frontend"
    sentence = facts.get("ignored") or facts.get(
        "ignored_unread", "'{first}' ignored because {kind} '{name}' has no {capability} capability.{advice}"
    )
    text = _fill(sentence, word, place).replace("{capability}", capability)
    text = text.replace("{advice}", facts.get("advice", ""))
    place.diagnostics.warning("wrong-side", text, line.span(0), lead=facts.get("lead"))
    if facts.get("fatal_side") and line.words[0] in ("no", "default"):
        text = f"negation/default is not supported for option '{line.words[2]}'."
        place.diagnostics.alert("not-negatable", text, line.span(0), lead=TIGHT)
    elif facts.get("fatal_side"):
        _refuse(word, line, place, "unknown option '{first}'; did you mean '{first}' maybe ?")
    elif facts.get("read_where_ignored"):
        _read(word, line, place)
    elif "ignored" not in facts and line.words[0] == word.name.partition(" ")[0] != "option":
        _read(word, line, place)  # what is ignored must be well-formed all the same
    return False


def not_negatable(word: Keyword, line: Line, place: Place) -> bool:
    """Whether ``no`` or ``default`` stands before an option that cannot have it, which is then said."""
    sign = line.words[0]
    if word.facts.get("refused"):
        return False
    if sign not in ("no", "default") or (
        word.negatable and not (sign == "default" and "no_default" in word.facts)
    ):
        return False
    sentence = str(word.facts.get("not_negatable", NEGATION)).replace(
        "{got}", line.words[2] if len(line.words) > 2 else ""
    )
    place.diagnostics.alert("not-negatable", sentence, line.span(0), lead=TIGHT)
    return True


def _wrong_anyway(word: Keyword, line: Line, place: Place) -> bool:
    """Whether something is wrong that the original sees before it sees that the word is ignored here."""
    names = len(word.name.split())
    if "ignored" in word.facts:
        return not _read(word, line, place)
    if word.facts.get("fatal_side") and line.words[0] == "option" and len(line.words) > names:
        text = f"'{word.name}' cannot handle unexpected argument '{line.words[names]}'."
        place.alert("unexpected-argument", text, line.span(names))
        return True
    return False


def _read(word: Keyword, line: Line, place: Place) -> bool:
    """Whether the arguments can be read; what is wrong with them is said."""
    if word.argument is None or word.facts.get("unread"):
        return True
    return read_value(Slot(word, ()), line, len(word.name.split()), place) is not MISSING


def _refuse(word: Keyword, line: Line, place: Place, sentence: str) -> None:
    text = _fill(sentence, word, place).replace("{place}", f"{line.source.name}:{line.number}")
    lead = word.facts.get("lead")
    if place.kind == DEFAULTS:
        lead = word.facts.get("lead_in_defaults", lead)
    place.diagnostics.alert("wrong-section", text, line.span(0), lead=lead)


def _fill(sentence: str, word: Keyword, place: Place) -> str:
    """``{first}`` is the word that the original names: the option's own name after ``option``."""
    words = word.name.split()
    first = words[1] if words[0] == "option" and len(words) > 1 else words[0]
    for mark, value in (
        ("{first}", first),
        ("{word}", word.name),
        ("{kind}", place.kind),
        ("{name}", place.name),
    ):
        sentence = sentence.replace(mark, value)
    return sentence
