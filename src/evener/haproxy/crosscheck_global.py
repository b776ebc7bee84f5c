"""What is odd about ``global`` once everything has been read: buffers, and the original's HTTP client.

The original's own HTTP client (it fetches OCSP responses and certificates) is a backend with a server, built
whether or not anything uses it; what the file says about it is therefore looked at in any case.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from evener.haproxy.questions import Checks
from evener.haproxy.sections.value_checks import unreadable
from evener.haproxy.sections.values import read_size
from evener.text.diagnostic import Diagnostic, Diagnostics, Severity

if TYPE_CHECKING:
    from evener.haproxy.sections.global_ import Global

_BUFFER: Final = 16384
_SMALL: Final = 1024
_CLIENT: Final = "<OCSP-UPDATE>"


def settings(checks: Checks) -> None:
    said = {known.words[0]: known.words[1:] for known in checks.configuration.global_.known}
    if said:
        client(said, checks)
        buffers(said, checks)


def left_behind(said: Global, diagnostics: Diagnostics) -> None:
    """What earlier processes have left: a check looks for it; who starts reads it, and says so then."""
    path = said.server_state_file
    if path is not None:
        full = path if path.startswith("/") else os.path.join(said.server_state_base or "", path)
        if reason := unreadable(full):
            message = f"config: Can't open global server state file '{full}': {reason}"
            diagnostics.notice("unreadable-file", message, lead="")
    if said.stats_file is not None and unreadable(said.stats_file):
        message = f"config: Can't load stats-file '{said.stats_file}': cannot open file."
        diagnostics.warning("unreadable-file", message, said.spans.get("stats_file"), lead="")


def client(said: dict[str, tuple[str, ...]], checks: Checks) -> None:
    resolvers = said.get("httpclient.resolvers.id")
    sections = checks.configuration.other
    if resolvers and not any(one.kind == "resolvers" and one.words[1:2] == resolvers[:1] for one in sections):
        message = f"Proxy '{_CLIENT}': Can't find resolvers section '{resolvers[0]}' for do-resolve action."
        if resolvers[0] != "default":
            checks.alert("unknown-resolvers", message, None)
    authorities = said.get("httpclient.ssl.ca-file")
    if authorities and not authorities[0].startswith("@") and (reason := unreadable(authorities[0])):
        unusable(authorities[0], reason, checks)


def unusable(path: str, reason: str, checks: Checks) -> None:
    """There are two clients, and each complains; neither complaint refuses the file."""
    for message in (
        f"Couldn't open the ca-file '{path}' ({reason}).",
        f"httpclient: cannot initialize: cannot initialize SSL verify with 'ca-file \"{path}\"'.",
    ) * 2:
        checks.add(Diagnostic("unreadable-file", Severity.ALERT, message, lead="", fatal=False))


def buffers(said: dict[str, tuple[str, ...]], checks: Checks) -> None:
    usual = checks.configuration.global_.tune_bufsize or _BUFFER
    large = read_size(said["tune.bufsize.large"][0])[0] if "tune.bufsize.large" in said else None
    small = read_size(said["tune.bufsize.small"][0])[0] if "tune.bufsize.small" in said else _SMALL
    if large is not None and large < usual:
        message = (
            f"tune.bufsize.large ({large}) is lower than tune.bufsize ({usual}). large buffers support is "
            "disabled. Please fix either value to remove this warning."
        )
        checks.warning("small-buffers", message, None)
    if small is not None and small > usual:
        message = (
            f"invalid small buffer size {small} bytes which is greater than default bufsize {usual} bytes."
        )
        checks.warning("small-buffers", message, None)
