"""The mechanism of the vocabulary: how a keyword is declared once and found again. Knows no keyword.

A *callable* word (sample fetch, converter, action, checker) is a decorated factory whose annotations
are its arguments, whose docstring is its manual and whose returned closure is what runs. A *block*
(section, bind or server options) is a frozen dataclass whose fields are keywords and IR at once.
Both end up as a ``Declaration`` in a ``Registry``.
"""
