"""All header names that ``h1-case-adjust`` and its file spell in a way of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from evener.haproxy.sections.global_http1 import DIFFER, Http1


def spellings(said: Http1) -> dict[str, str]:
    """All names, by their small letters. Raises ValueError: the sentence about the file."""
    found = {each.name: each.wanted for each in said.h1_case_adjust}
    if said.h1_case_adjust_file is not None:
        found.update(_of_file(said.h1_case_adjust_file.path, found))
    return found


def _of_file(path: str, known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    try:
        with open(path, encoding="latin-1") as opened:
            lines = opened.read().split("\n")
    except OSError:
        raise ValueError(f"h1-headers-case-adjust-file '{path}': failed to open file.") from None
    seen = set(known)
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        wrong = ""
        if len(words) < 2:
            wrong = "expect <to>"
        elif words[0].lower() != words[1].lower():
            wrong = DIFFER
        elif words[0] in seen:
            wrong = f"duplicate entry '{words[0]}'"
        if wrong:
            raise ValueError(f"h1-headers-case-adjust-file '{path}' : {wrong} at line {number}.")
        seen.add(words[0])
        yield words[0], words[1]
