"""The pages a proxy answers errors with: error files, redirections, replies written in the configuration.

Decides, for one proxy, which reply belongs to which status. A status without an entry has the engine's
built-in page. An empty file (``errorfile 408 /dev/null``) means no answer at all: the connection is
closed in silence, which is written as a reply of status 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from evener.haproxy.cast import to_bytes
from evener.haproxy.plan import Reply
from evener.haproxy.replies import ReplyError, parse_response, reason_of
from evener.haproxy.sections.errors import ErrorFile, ErrorLocation, Errors, HttpError

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


def of_http_error(error: HttpError) -> Reply | None:
    """``http-error``: a page written in place, with its own type and headers."""
    if "errorfile" in error.words and error.content is not None:
        return of_file(ErrorFile(error.status, "", error.content))
    body = error.content
    if body is None:
        body = to_bytes(error.argument("string") or error.argument("lf-string") or "")
    headers: list[tuple[bytes, bytes]] = []
    if body:
        headers.append((b"content-type", to_bytes(error.argument("content-type") or "text/html")))
    words = error.words
    for at, word in enumerate(words):
        if word == "hdr" and at + 2 < len(words):
            headers.append((to_bytes(words[at + 1]).lower(), to_bytes(words[at + 2])))
    return error.status, reason_of(error.status), headers, body


Sections = Mapping[str, Iterable[ErrorFile]]


def of_section(sections: Sections, name: str) -> dict[int, Reply]:
    """The pages of an http-errors section, by status; empty when there is no such section."""
    pages = {file.status: of_file(file) for file in sections.get(name, ())}
    return {status: page for status, page in pages.items() if page is not None}


def pages(errors: Errors, sections: Sections) -> dict[int, Reply]:
    """Every page of a proxy that is not the built-in one, by status."""
    found: dict[int, Reply | None] = {}
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
        found[error.status] = of_http_error(error)
    return {status: page for status, page in found.items() if page is not None}
