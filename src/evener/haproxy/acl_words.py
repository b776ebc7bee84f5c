"""The 77 words that only ACLs know, each a fetch and a method of matching: their pages and examples.

Which they are is declared in ``acl.SUFFIXED``; what is said of them follows from the fetch and the method.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from evener.haproxy.acl import SUFFIXED
from evener.haproxy.expression import Expr, read_expression
from evener.haproxy.pattern import Method
from evener.haproxy.sample import FETCHES
from evener.vocab.registry import Declaration, Status

#: Method -> (when a pattern matches, a pattern).
_METHODS: Final = {
    Method.STR: ("it is the same as the pattern", "/a"),
    Method.BEG: ("it begins with the pattern", "/a"),
    Method.END: ("it ends with the pattern", ".html"),
    Method.SUB: ("the pattern is a part of it", "ab"),
    Method.DIR: ("the pattern is one or more whole parts of it, between slashes", "img"),
    Method.DOM: ("the pattern is one or more whole parts of it, between dots", "example.com"),
    Method.REG: ("the regular expression is found in it", "^/a"),
    Method.LEN: ("its length is the number, or within the range", "5"),
    Method.INT: ("it is the number, or within the range", "3"),
    Method.BIN: ("it is the bytes whose hexadecimal digits are the pattern", "1603"),
}


def acl_words() -> Iterator[Declaration]:
    """One declaration for each word; ``load_vocabulary`` must have been called."""
    for name, (fetch, method) in SUFFIXED.items():
        declared = FETCHES[fetch]
        when, pattern = _METHODS[method]
        example = read_expression(declared.ok[0])
        used = str(example.fetch).replace(fetch, name, 1) if isinstance(example, Expr) else name
        pattern = {"method": "GET", "http_auth_group": "admins"}.get(name, pattern)
        doc = f"Takes what ``{fetch}`` gives; true when {when}, for one of the patterns."
        yield Declaration(
            name,
            f"{declared.signature.replace(fetch, name, 1)} [<flag>*] <pattern>*",
            doc,
            (f"acl name {used} {pattern}",),
            (f"acl name {used} -m no-such-method {pattern}",),
            Status.PLANNED if declared.planned else Status.WORKING,
            facts=MappingProxyType({"same": f"{fetch} -m {method.value}"}),
        )
