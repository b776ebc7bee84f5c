"""Findings about virtual servers that only concern the engine that is going to run them."""

from __future__ import annotations

from evener.keepalived.compile_lvs import compile_lvs, identity
from evener.keepalived.ir import Configuration
from evener.keepalived.lvs.nft_support import problems
from evener.keepalived.lvs.plan import CheckerOptions
from evener.text.diagnostic import Diagnostics


def check_lvs(configuration: Configuration, options: CheckerOptions, found: Diagnostics) -> None:
    """Says what nftables cannot do, when it is nftables that was asked for."""
    if options.engine != "nft" or not configuration.virtual_server:
        return
    places = {identity(server): server.at for server in configuration.virtual_server}
    for virtual in compile_lvs(configuration).virtual_servers:
        for problem in problems(virtual, options.approximate):
            hint = "--lvs-approximate uses the nearest one" if "(nearest" in problem else None
            found.warning("lvs-engine", problem, places.get(virtual.name), hint=hint)
