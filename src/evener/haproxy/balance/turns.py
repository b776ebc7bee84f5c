"""Algorithms that need nothing of the request: servers in turn, the least busy, the first with room, any."""

from __future__ import annotations

from evener.haproxy.balance import Asked, Method, algorithm
from evener.haproxy.balance.hashing import HashType
from evener.haproxy.scope import CompileEnv


@algorithm("roundrobin")
def roundrobin(asked: Asked, hash_type: HashType, env: CompileEnv) -> Method:
    """Servers in turn, as often as their weight says; a weight changed at run time counts at once."""
    return Method()


@algorithm("static-rr")
def static_rr(asked: Asked, hash_type: HashType, env: CompileEnv) -> Method:
    """Servers in turn by the weights of the configuration."""
    return Method(table=True)


@algorithm("leastconn")
def leastconn(asked: Asked, hash_type: HashType, env: CompileEnv) -> Method:
    """The server with the fewest connections, queued ones included, in proportion to its weight."""
    return Method(least=True)


@algorithm("first")
def first(asked: Asked, hash_type: HashType, env: CompileEnv) -> Method:
    """The server with the lowest id that has room for one more, so that others may be switched off."""
    return Method(first=True)


@algorithm("random")
def random(asked: Asked, hash_type: HashType, env: CompileEnv) -> Method:
    """The least loaded of some servers drawn at random, as often as their weight says."""
    return Method(draws=int(asked.argument or "2"))
