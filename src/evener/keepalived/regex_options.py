"""The options of ``regex`` (those of PCRE2) in Python's terms.

Many change only how fast a match is found, or which of several is taken; whether there is one, and where the
first begins, is all that a checker wants to know. Some cannot be honoured, and the user is told.
"""

from __future__ import annotations

import re

FLAGS = {"caseless": re.IGNORECASE, "dotall": re.DOTALL, "extended": re.VERBOSE, "multiline": re.MULTILINE}
ELSEWHERE = frozenset({"firstline"})
WITHOUT_EFFECT = frozenset(
    {
        "alt_verbnames",
        "auto_callout",
        "never_backslash_c",
        "never_ucp",
        "never_utf",
        "no_auto_capture",
        "no_auto_possess",
        "no_dotstar_anchor",
        "no_start_optimize",
        "ungreedy",
        "use_offset_limit",
    }
)
NOT_HONOURED = frozenset(
    {
        "allow_empty_class",
        "alt_bsux",
        "alt_circumflex",
        "dollar_endonly",
        "dupnames",
        "match_unset_backref",
        "ucp",
        "utf",
    }
)


def flags_of(options: tuple[str, ...]) -> int:
    return sum(flag for name, flag in FLAGS.items() if name in options)
