"""The answers HAProxy gives by itself where the configuration has no page for a status.

Knows the pages, not when they are sent. The 400 and 408 announce that the connection is closed.
"""

from typing import Final

Reply = tuple[int, bytes, list[tuple[bytes, bytes]], bytes]

_TEXTS: Final[dict[int, tuple[str, str]]] = {
    200: ("OK", "Service ready."),
    400: ("Bad request", "Your browser sent an invalid request."),
    401: ("Unauthorized", "You need a valid user and password to access this content."),
    403: ("Forbidden", "Request forbidden by administrative rules."),
    404: ("Not Found", "The resource could not be found."),
    405: (
        "Method Not Allowed",
        "A request was made of a resource using a request method not supported by that resource.",
    ),
    407: ("Unauthorized", "You need a valid user and password to access this content."),
    408: ("Request Time-out", "Your browser didn't send a complete request in time."),
    410: ("Gone", "The resource is no longer available and will not be available again."),
    413: ("Payload Too Large", "The request entity exceeds the maximum allowed."),
    414: ("URI Too Long", "The URI provided was too long for the server to process."),
    421: ("Misdirected Request", "Request sent to a non-authoritative server."),
    422: ("Unprocessable Content", "The server cannot process the contained instructions."),
    425: ("Too Early", "Your browser sent early data."),
    429: ("Too Many Requests", "You have sent too many requests in a given amount of time."),
    431: ("Request Header Fields Too Large", "Request Header Fields Too Large."),
    500: ("Internal Server Error", "An internal server error occurred."),
    501: (
        "Not Implemented",
        "The server does not support the functionality required to fulfill the request.",
    ),
    502: ("Bad Gateway", "The server returned an invalid or incomplete response."),
    503: ("Service Unavailable", "No server is available to handle this request."),
    504: ("Gateway Time-out", "The server didn't respond in time."),
}
_CLOSING: Final = (400, 408)


def _page(status: int, reason: str, text: str) -> Reply:
    headers = [(b"cache-control", b"no-cache"), (b"content-type", b"text/html")]
    if status in _CLOSING:
        headers.insert(1, (b"connection", b"close"))
    body = f"<html><body><h1>{status} {reason}</h1>\n{text}\n</body></html>\n"
    return status, reason.encode(), headers, body.encode()


BUILTIN: Final[dict[int, Reply]] = {status: _page(status, *words) for status, words in _TEXTS.items()}


def builtin_reply(status: int) -> Reply:
    """The page for ``status``; that of 500 when there is none."""
    return BUILTIN.get(status) or BUILTIN[500]
