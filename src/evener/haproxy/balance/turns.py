"""Algorithms that need nothing of the request: take the next server, or the least busy one."""

from __future__ import annotations

from evener.haproxy.balance import Asked, Method, algorithm
from evener.haproxy.balance.hashing import HashType


@algorithm("roundrobin")
def roundrobin(asked: Asked, hash_type: HashType) -> Method:
    """Servers in turn, as often as their weight says; a weight changed at run time counts at once."""
    return Method()


@algorithm("static-rr")
def static_rr(asked: Asked, hash_type: HashType) -> Method:
    """Servers in turn by the weights of the configuration."""
    return Method()


@algorithm("leastconn")
def leastconn(asked: Asked, hash_type: HashType) -> Method:
    """The server with the fewest connections, queued ones included, in proportion to its weight."""
    return Method(least=True)
