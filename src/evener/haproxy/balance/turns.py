"""Algorithms that need nothing of the request: take the next server, or the least busy one."""

from __future__ import annotations

from collections.abc import Sequence

from evener.haproxy.balance import BadBalance, Balance, algorithm


def without_arguments(name: str, words: Sequence[str]) -> None:
    if words:
        raise BadBalance(f"'{name}' takes no argument, got '{words[0]}'.")


@algorithm("roundrobin", "balance roundrobin", ok="balance roundrobin", bad="balance roundrobin 2")
def roundrobin(words: Sequence[str]) -> Balance:
    """Servers in turn, as often as their weight says; a weight changed at run time counts at once."""
    without_arguments("roundrobin", words)
    return Balance("roundrobin")


@algorithm("static-rr", "balance static-rr", ok="balance static-rr", bad="balance static-rr x")
def static_rr(words: Sequence[str]) -> Balance:
    """Servers in turn by the weights of the configuration; changing one at run time has no effect."""
    without_arguments("static-rr", words)
    return Balance("static-rr")


@algorithm("leastconn", "balance leastconn", ok="balance leastconn", bad="balance leastconn 1")
def leastconn(words: Sequence[str]) -> Balance:
    """The server with the fewest connections, queued ones included, in proportion to its weight."""
    without_arguments("leastconn", words)
    return Balance("leastconn", least=True)
