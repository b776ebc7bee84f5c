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
from evener.haproxy.replies import LENGTH, ReplyError, compile_reply, parse_response, reason_of
from evener.haproxy.scope import CompileEnv
from evener.haproxy.sections.errors import ErrorFile, ErrorFiles, ErrorLocation, Errors, HttpError
from evener.text.span import Source

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
    headers = [(b"cache-control", b"no-cache"), LENGTH, (b"location", to_bytes(location.url))]
    return code, reason_of(code), headers, b""


Sections = Mapping[str, Iterable[ErrorFile]]


def of_section(sections: Sections, name: str) -> dict[int, Reply]:
    """The pages of an http-errors section, by status; empty when there is no such section."""
    pages = {file.status: of_file(file) for file in sections.get(name, ())}
    return {status: page for status, page in pages.items() if page is not None}


def pages(errors: Errors, sections: Sections, env: CompileEnv, own: Source | None = None) -> dict[int, Page]:
    """Every page of a proxy that is not the built-in one, by status; the last line about a status holds.

    ``own`` is the source of the proxy's own lines: what was inherited from elsewhere comes before them.
    """

    def place(line: ErrorFile | ErrorFiles | ErrorLocation | HttpError) -> tuple[bool, int]:
        return (line.span is None or line.span.source is own, line.span.line if line.span else 0)

    lines: list[ErrorFile | ErrorFiles | ErrorLocation | HttpError] = [
        *errors.errorfile, *errors.errorfiles, *errors.http_error,
        *errors.errorloc, *errors.errorloc302, *errors.errorloc303,
    ]  # fmt: skip
    see_other = {id(location) for location in errors.errorloc303}
    found: dict[int, Page | None] = {}
    for line in sorted(lines, key=place):
        if isinstance(line, ErrorFile):
            found[line.status] = of_file(line)
        elif isinstance(line, ErrorFiles):
            of = of_section(sections, line.section)
            found.update((s, page) for s, page in of.items() if not line.statuses or s in line.statuses)
        elif isinstance(line, ErrorLocation):
            found[line.status] = of_location(line, 303 if id(line) in see_other else 302)
        else:
            found[line.status] = compile_reply(line.reply, env) if line.reply is not None else None
    return {status: page for status, page in found.items() if page is not None}
