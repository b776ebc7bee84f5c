"""``include FILE`` and its variants: which files are meant, and what is said when they are not there.

Decides which checks apply (``include_check``, the letter after ``include``, ``-e``) and in which words a
missing file is reported. Paths are relative to the directory of the including file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import field
from enum import Flag, auto

from evener.keepalived.files import Files, alternatives
from evener.text.record import dataclass

INCLUDE = re.compile(r"(include[armwb]?)[ \t]+(.+)", re.DOTALL)
WILDCARDS = re.compile(r"[*?\[]")


class Check(Flag):
    """What makes an include that finds nothing an error (exit 6 of ``-t``) and not only a remark."""

    NONE = 0
    READ = auto()
    MATCH = auto()
    WILDCARD_MATCH = auto()
    BRACE_MATCH = auto()

    @staticmethod
    def of(word: str) -> Check:
        """The checks that the keyword itself asks for."""
        return _LETTERS[word.removeprefix("include")]


ALL_CHECKS = Check.READ | Check.MATCH | Check.WILDCARD_MATCH | Check.BRACE_MATCH

_LETTERS = {
    "": Check.NONE,
    "r": Check.READ,
    "m": Check.MATCH,
    "w": Check.WILDCARD_MATCH,
    "b": Check.BRACE_MATCH,
    "a": ALL_CHECKS,
}


@dataclass(slots=True)
class Inclusion:
    """One include line. ``complaints`` are filled while the targets are found: (message, is an error)."""

    pattern: str
    check: Check
    complaints: list[tuple[str, bool]] = field(default_factory=list)

    def targets(self, directory: str, files: Files) -> Iterator[tuple[str, str]]:
        """Path and shown name of each file."""
        patterns = alternatives(self.pattern)
        found = missing = 0
        for pattern in patterns:
            names = files.matches(posixpath.join(directory, pattern))
            missing += not names
            for path in names:
                found += 1
                yield path, self._shown(path, directory)
        if not found:
            self.complaints.append((f"Config files missing '{self.pattern}'.", self._strict()))
        elif missing:
            strict = Check.BRACE_MATCH in self.check
            self.complaints.append((f'Some config files missing: "{self.pattern}".', strict))

    def _shown(self, path: str, directory: str) -> str:
        """The name as the include line would have it."""
        if self.pattern.startswith("/") or directory == ".":
            return path.removeprefix("./")
        return path.removeprefix(directory + "/")

    def _strict(self) -> bool:
        wanted = Check.WILDCARD_MATCH if WILDCARDS.search(self.pattern) else Check.MATCH
        return wanted in self.check
