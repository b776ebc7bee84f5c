"""From the plan to the engine: the one place where what was compiled meets what moves bytes.

Makes the engine's Frontend, Backend, Server and Listener objects, gives them their limits, callbacks
and pages, and lays out each backend's rotation again whenever a server of it changes (its EPOCH cell).
Done before the workers are forked; ``connect_logs`` is done by each worker for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from evener.engine import core
from evener.haproxy.columns import Column, Retry
from evener.haproxy.compile import packed
from evener.haproxy.plan import BackendPlan, FrontendPlan, Plan
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.source import SourceAddress

RETRIES: Final = 3
REUSE: Final = {"never": 0, "safe": 1, "aggressive": 2, "always": 3}
Send = Callable[[int, bytes], None]


def assemble(plan: Plan, segment: core.Segment, descriptors: Mapping[int, int]) -> core.Engine:
    """``descriptors``: listening socket by the row of its bind plan."""
    engine = core.Engine(segment)
    for plan_back in plan.backends:
        engine.add_backend(backend(plan_back, segment))
    for plan_front in plan.frontends:
        front = frontend(plan_front)
        engine.add_frontend(front)
        for bind in plan_front.binds:
            listener = core.Listener(descriptors[bind.row], front, bind.row)
            listener.name = bind.name
            listener.plan = bind
            listener.accept_proxy = bool(bind.options and bind.options.accept_proxy)
            listener.netscaler = (bind.options and bind.options.accept_netscaler_cip) or 0
            engine.add_listener(listener)
    return engine


def connect_logs(plan: Plan, sender: Callable[[Sequence[Any], str | None], Send]) -> None:
    """Give every frontend that logs its way out: ``sender`` makes one from targets and a tag."""
    for front in plan.frontends:
        if front.outlet is not None and front.outlet.logs:
            front.outlet.send = sender(front.outlet.logs, front.outlet.tag)


def keep_alive(proxy: Proxy) -> int:
    """0 keep-alive, 1 server side closed after each response, 2 both sides."""
    if proxy.option.httpclose:
        return 2
    return 1 if proxy.option.http_server_close else 0


def frontend(plan: FrontendPlan) -> core.Frontend:
    proxy: Proxy = plan.ir
    timeout, made = proxy.timeout, core.Frontend(plan.name.encode(), plan.row)
    made.plan = plan
    made.http = plan.http
    made.maxconn = plan.maxconn
    made.timeout_client = timeout.client or 0
    made.timeout_client_fin = timeout.client_fin or 0
    made.timeout_http_request = timeout.http_request or 0
    made.timeout_http_keep_alive = timeout.http_keep_alive or timeout.http_request or timeout.client or 0
    made.keep_alive = keep_alive(proxy)
    made.default_backend = plan.default_backend
    made.errors = plan.errors
    made.log_null = not proxy.option.dontlognull
    made.unsafe = bool(proxy.option.accept_unsafe_violations_in_http_request)
    made.reset = bool(proxy.option.nolinger)
    made.ignore_probes = bool(proxy.option.http_ignore_probes)
    made.on_connection = plan.on_connection
    made.on_session = plan.on_session
    made.on_content = plan.on_content
    made.on_request = plan.on_request
    made.on_response = plan.on_response
    made.on_after_response = plan.on_after_response
    made.on_log = plan.on_log
    return made


def backend(plan: BackendPlan, segment: core.Segment) -> core.Backend:
    proxy: Proxy = plan.ir
    timeout, made = proxy.timeout, core.Backend(plan.name.encode(), plan.row)
    made.plan = plan
    made.http = plan.http
    made.timeout_connect = timeout.connect or 0
    made.timeout_server = timeout.server or 0
    made.timeout_server_fin = timeout.server_fin or 0
    made.timeout_queue = timeout.queue if timeout.queue is not None else timeout.connect or 0
    made.timeout_tunnel = timeout.tunnel or 0
    made.keep_alive = keep_alive(proxy)
    made.retries = RETRIES if proxy.connections.retries is None else proxy.connections.retries
    made.redispatch = -1 if proxy.option.redispatch is None else proxy.option.redispatch
    made.retry_on = retry_bits(proxy.connections.retry_on)
    made.reuse = REUSE[proxy.connections.http_reuse or "safe"]
    said = proxy.option.abortonclose
    made.abort_on_close = plan.http if said is None else said
    made.pretend = bool(proxy.option.http_pretend_keepalive)
    made.unsafe = bool(proxy.option.accept_unsafe_violations_in_http_response)
    made.errors = plan.errors
    made.key = plan.key
    made.least = plan.least
    made.on_content = plan.on_content
    made.on_request = plan.on_request
    made.on_response = plan.on_response
    made.on_persist = plan.on_persist
    made.on_tcp_response = plan.on_tcp_response
    made.on_after_response = plan.on_after_response
    made.rebuild = rotation_of(plan, segment)
    for server in plan.servers:
        one = core.Server(server.name.encode(), server.row)
        one.plan = server
        one.maxconn = server.maxconn
        one.preface = server.preface
        pool_max = server.ir.options.pool_max_conn
        one.pool_max = -1 if pool_max is None else pool_max
        leave_from(one, server.ir.options.source or proxy.connections.source)
        life, reuse = server.ir.options.pool_purge_delay, server.ir.options.max_reuse
        one.idle_life = 5000 if life is None else life
        one.max_reuse = -1 if reuse is None else reuse
        one.reset = bool(proxy.option.nolinger)
        if server.family:
            one.set_address(server.family, packed(server.family, server.address), server.port)
        made.add_server(one)
    return made


def leave_from(server: core.Server, source: SourceAddress | None) -> None:
    """``source``: the address, ports and device that connections come from."""
    if source is None:
        return
    address = source.address
    server.interface = source.interface
    if address.family and address.host:
        host = packed(address.family, address.host)
        if any(host) or address.port:
            server.set_source(address.family, host, address.port, max(address.high, address.port))


#: What ``all-retryable-errors`` stands for (manual, ``retry-on``).
ALL_RETRYABLE: Final = (
    Retry.CONN_FAILURE
    | Retry.EMPTY_RESPONSE
    | Retry.JUNK_RESPONSE
    | Retry.RESPONSE_TIMEOUT
    | Retry.ZERO_RTT
    | Retry.S500
    | Retry.S502
    | Retry.S503
    | Retry.S504
)
RETRY_BITS: Final[dict[str, Retry]] = {
    "none": Retry(0),
    "conn-failure": Retry.CONN_FAILURE,
    "empty-response": Retry.EMPTY_RESPONSE,
    "junk-response": Retry.JUNK_RESPONSE,
    "response-timeout": Retry.RESPONSE_TIMEOUT,
    "0rtt-rejected": Retry.ZERO_RTT,
    "all-retryable-errors": ALL_RETRYABLE,
    **{bit.name[1:]: bit for bit in Retry if bit.name and bit.name[0] == "S"},
}


def retry_bits(words: Sequence[str] | None) -> int:
    """``retry-on`` as the engine's bit set; nothing said means ``conn-failure``."""
    bits = Retry(0)
    for word in words or ("conn-failure",):
        bits |= RETRY_BITS.get(word, Retry(0))
    return int(bits)


def rotation_of(plan: BackendPlan, segment: core.Segment) -> Callable[[core.Backend], None]:
    """Lays the rotation out from the servers' cells; backups come in when nobody else is left."""
    proxy: Proxy = plan.ir
    all_backups = bool(proxy.option.allbackups)
    lay_out = plan.rotation
    assert lay_out is not None

    def rebuild(made: core.Backend) -> None:
        usable = [s for s in plan.servers if segment.get(s.row, Column.USABLE)]
        chosen = [s for s in usable if not s.backup]
        if not chosen:
            chosen = usable if all_backups else usable[:1]
        weights = [(s.index, segment.get(s.row, Column.WEIGHT)) for s in chosen]
        made.set_rotation(lay_out(weights))

    return rebuild
