"""Lines that begin with a dot: ``.if .elif .else .endif`` and ``.diag .notice .warning .alert``.

``Directives`` holds the blocks that are open in one file and whether lines are being skipped. The words
of conditions are put together with one space between them before they are parsed.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from evener.haproxy.excerpt import excerpt, position
from evener.haproxy.predicates import ConditionError, World, evaluate
from evener.text.diagnostic import Diagnostic, Diagnostics, FatalConfiguration, Severity
from evener.text.span import Source, Span

MAX_NESTED: Final = 100
_LEAD: Final = "config : parsing [{place}]: "
MESSAGES: Final = {
    ".diag": Severity.DIAG,
    ".notice": Severity.NOTICE,
    ".warning": Severity.WARNING,
    ".alert": Severity.ALERT,
}


class Branch(Enum):
    """What the current branch of a block is."""

    TAKEN = auto()
    WAITING = auto()  #: no branch has been taken yet
    DONE = auto()  #: an earlier branch was taken
    IGNORED = auto()  #: the whole block stands in lines that are skipped


class Directives:
    __slots__ = ("_blocks", "_diagnostics", "_else_seen", "_source", "_speak", "_world", "broken", "skipping")

    def __init__(self, world: World, diagnostics: Diagnostics, *, speak: bool) -> None:
        self._world = world
        self._diagnostics = diagnostics
        self._speak = speak
        self._blocks: list[Branch] = []
        self._else_seen: list[bool] = []
        self._source = Source("")
        self.skipping = False
        self.broken = (
            False  #: the rest of the file cannot be read, the end of the file is still to be checked
        )

    def obey(self, words: list[str], source: Source, number: int) -> None:
        """Do what a directive says; raises FatalConfiguration when the file makes no sense any more."""
        word = words[0]
        span = Span(source, number)
        if word == ".if":
            self._if(words, span)
        elif word in (".elif", ".else", ".endif"):
            if word != ".elif" and len(words) > 1 and words[1]:
                what = f"Unexpected argument '{words[1]}' for '{word}'."
                self._alert("unexpected-argument", what, span)
                self._diagnostics.aborted = self.broken = True
                return
            self._alternative(word, words, span)
        elif not self.skipping and self._speak:
            self._message(words, span)
        if self._blocks:
            self.skipping = self._blocks[-1] is not Branch.TAKEN
        else:
            self.skipping = False

    def close(self, source: Source, number: int) -> None:
        """The end of the file, whose last line is ``number``."""
        if self._blocks:
            raise self._abort("unterminated-if", "non-terminated '.if' block.", Span(source, number))
        if self.broken:
            raise FatalConfiguration

    def _if(self, words: list[str], span: Span) -> None:
        if len(self._blocks) + 1 >= MAX_NESTED:
            what = f"too many nested '.if', max is {MAX_NESTED}."
            raise self._abort("too-many-nested-if", what, span)
        branch = Branch.IGNORED
        if not self.skipping:
            branch = Branch.TAKEN if self._condition(words, span) else Branch.WAITING
        self._blocks.append(branch)
        self._else_seen.append(False)

    def _alternative(self, word: str, words: list[str], span: Span) -> None:
        if not self._blocks:
            raise self._abort("lone-directive", f"lone '{word}' with no matching '.if'.", span)
        if word == ".endif":
            self._blocks.pop()
            self._else_seen.pop()
            return
        if self._else_seen[-1]:
            what = f"'{word}' after '.else' is not permitted."
            raise self._abort("after-else", what, span)
        branch = self._blocks[-1]
        if branch is Branch.TAKEN:
            branch = Branch.DONE
        elif branch is Branch.WAITING and (word == ".else" or self._condition(words, span)):
            branch = Branch.TAKEN
        self._blocks[-1] = branch
        self._else_seen[-1] = word == ".else"

    def _condition(self, words: list[str], span: Span) -> bool:
        text = " ".join(words[1:])
        try:
            return evaluate(text, self._world)
        except ConditionError as error:
            where = f" in '{words[0]}' at position {position(text, error.column)}:"
            shown = excerpt(text, error.column, words[0] + " ")
            self._diagnostics.add(
                Diagnostic(
                    "bad-condition", Severity.ALERT, error.message + where, span, lead=_LEAD, excerpt=shown
                )
            )
            self._diagnostics.aborted = True
            raise FatalConfiguration(error.message) from None

    def _message(self, words: list[str], span: Span) -> None:
        word = words[0]
        severity = MESSAGES.get(word)
        if severity is None:
            self._alert("unknown-directive", f"unknown directive '{word}'.", span)
            raise FatalConfiguration(word)
        if len(words) > 2 and words[2]:
            what = f"Unexpected argument '{words[2]}' for '{word}'."
            what += " Use quotes if the message should contain spaces."
            self._alert("unexpected-argument", what, span)
        else:
            text = words[1] if len(words) > 1 else ""
            self._diagnostics.add(Diagnostic("message", severity, f"'{text}'.", span, lead=_LEAD))
            if severity is Severity.ALERT:
                self._diagnostics.aborted = True
                raise FatalConfiguration(text)

    def _alert(self, code: str, message: str, span: Span) -> None:
        self._diagnostics.alert(code, message, span, lead=_LEAD)

    def _abort(self, code: str, message: str, span: Span) -> FatalConfiguration:
        self._alert(code, message, span)
        self._diagnostics.aborted = True
        return FatalConfiguration(message)
