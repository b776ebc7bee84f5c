"""The pages a proxy answers errors with: error files, redirections, replies written in the configuration.

Decides, for one proxy, which reply belongs to which status. A status without an entry has the engine's
built-in page. An empty file (``errorfile 408 /dev/null``) means no answer at all: the connection is
closed in silence, which is written as a reply of status 0. A page that depends on the request
(``http-error`` with formats) is a closure that replies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from evener.haproxy.cast import to_bytes
from evener.haproxy.plan import Page, Reply
from evener.haproxy.replies import ReplyError, compile_reply, parse_response, reason_of
from evener.haproxy.scope import CompileEnv
from evener.haproxy.sections.errors import ErrorFile, ErrorLocation, Errors

SILENCE: Final[Reply] = (0, b"", [], b"")


def of_file(file: ErrorFile) -> Reply | None:
    """The reply a file holds; None when it holds no response (which was said when it was read)."""
    if not file.content:
        return SILENCE
    try:
        return parse_response(file.content)
    except ReplyError:
        return None


def of_location(location: ErrorLocation, code: int) -> Reply:
    headers = [(b"cache-control", b"no-cache"), (b"location", to_bytes(location.url))]
    return code, reason_of(code), headers, b""


Sections = Mapping[str, Iterable[ErrorFile]]


def of_section(sections: Sections, name: str) -> dict[int, Reply]:
    """The pages of an http-errors section, by status; empty when there is no such section."""
    pages = {file.status: of_file(file) for file in sections.get(name, ())}
    return {status: page for status, page in pages.items() if page is not None}


def pages(errors: Errors, sections: Sections, env: CompileEnv) -> dict[int, Page]:
    """Every page of a proxy that is not the built-in one, by status."""
    found: dict[int, Page | None] = {}
    for location in errors.errorloc + errors.errorloc302:
        found[location.status] = of_location(location, 302)
    for location in errors.errorloc303:
        found[location.status] = of_location(location, 303)
    for collection in errors.errorfiles:
        of = of_section(sections, collection.section)
        found.update(
            (s, page) for s, page in of.items() if not collection.statuses or s in collection.statuses
        )
    for file in errors.errorfile:
        found[file.status] = of_file(file)
    for error in errors.http_error:
        found[error.status] = compile_reply(error.reply, env) if error.reply is not None else None
    return {status: page for status, page in found.items() if page is not None}
