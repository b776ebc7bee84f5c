"""What would travel in clear text where the file asks for TLS: such a file can be checked, and is not run.

TLS is not executed yet, and other words of which that is true are left out with a notice. Not this one: who
replaces a daemon must not find his traffic readable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evener.text.diagnostic import Diagnostics
from evener.vocab.blocks import Known


def refuse_clear_text(configuration: Any, diagnostics: Diagnostics) -> None:
    """An alert for each listener, each server and each template of servers."""
    for proxy in configuration.proxies:
        for bind in proxy.bind:
            if _tls(bind.options.known):
                what = f"[{bind.span}] : listener '{bind.text}' of proxy '{proxy.name}'"
                diagnostics.alert("clear-text", f"{what} {_ASKS}", bind.span)
        for server in proxy.server:
            if _tls(server.options.known):
                what = f"[{server.span}] : server '{proxy.name}/{server.name}'"
                diagnostics.alert("clear-text", f"{what} {_ASKS}", server.span)
        for template in proxy.server_template:
            if _tls(template.options.known):
                what = f"[{template.span}] : servers '{proxy.name}/{template.prefix}'"
                diagnostics.alert("clear-text", f"{what} {_ASKS}", template.span)


_ASKS = "asks for 'ssl', which is not executed yet: evener does not start rather than speak in clear."


def _tls(known: Sequence[Known]) -> bool:
    words = [statement.words[0] for statement in known]
    return "ssl" in words and "no-ssl" not in words
