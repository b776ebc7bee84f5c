"""Requests and responses written short."""

from __future__ import annotations


def req(
    target: str = "/",
    *lines: str,
    method: str = "GET",
    version: str = "HTTP/1.1",
    host: str | None = "a",
    body: str = "",
) -> bytes:
    """A request head and body; ``host`` None leaves the Host line out."""
    every = [f"{method} {target} {version}", *([f"host: {host}"] if host is not None else []), *lines]
    return ("\r\n".join(every) + "\r\n\r\n" + body).encode("latin-1")


def res(
    *lines: str, status: str = "200 OK", body: str = "ok", version: str = "HTTP/1.1", length: bool = True
) -> bytes:
    """A response; ``length`` adds a Content-Length for the body."""
    every = [f"{version} {status}", *lines, *([f"content-length: {len(body)}"] if length else [])]
    return ("\r\n".join(every) + "\r\n\r\n" + body).encode("latin-1")
