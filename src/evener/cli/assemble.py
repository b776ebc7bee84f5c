"""From the plan to the engine: the one place where what was compiled meets what moves bytes.

Makes the engine's Frontend, Backend, Server and Listener objects, gives them their limits, callbacks
and pages, and lays out each backend's rotation again whenever a server of it changes (its EPOCH cell).
Done before the workers are forked; ``connect_logs`` is done by each worker for itself.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from evener.engine import core
from evener.engine import table as native
from evener.engine.arena import Arena
from evener.haproxy import layouts
from evener.haproxy.balance.ring import place, ring
from evener.haproxy.check_plan import fullconn
from evener.haproxy.columns import Retry
from evener.haproxy.compile import packed
from evener.haproxy.keep_alive import of_servers
from evener.haproxy.plan import BackendPlan, FrontendPlan, Layout, Plan, ServerPlan
from evener.haproxy.sections.cache import CacheSettings
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.source import SourceAddress
from evener.haproxy.sections.statuses import ERRORS, FAILURES, statuses
from evener.haproxy.stick_table import Table
from evener.haproxy.tuning import tuning
from evener.host import net_namespaces
from evener.host.syslog import Sender
from evener.wire import tcp_md5

RETRIES: Final = 3
AFFINITY: Final = {"always": 0, "maxconn": 1, "maxqueue": 2}
REUSE: Final = {"never": 0, "safe": 1, "aggressive": 2, "always": 3}


def assemble(plan: Plan, segment: core.Segment, descriptors: Mapping[int, int]) -> core.Engine:
    """``descriptors``: listening socket by the row of its bind plan."""
    engine = core.Engine(segment)
    of_all = plan.configuration.global_
    native.set_status_classes(
        statuses(ERRORS, of_all.http_err_codes), statuses(FAILURES, of_all.http_fail_codes)
    )
    said = tuning(of_all)
    for plan_back in plan.backends:
        back = backend(plan_back, segment, plan.frontends)
        back.glitches = said.server_glitches
        engine.add_backend(back)
    for plan_front in plan.frontends:
        front = frontend(plan_front)
        front.glitches, front.glitch_load = said.client_glitches, said.glitch_load
        engine.add_frontend(front)
        for bind in plan_front.binds:
            listener = core.Listener(descriptors[bind.row], front, bind.row)
            listener.name = bind.name
            listener.plan = bind
            listener.accept_proxy = bool(bind.options and bind.options.accept_proxy)
            listener.netscaler = (bind.options and bind.options.accept_netscaler_cip) or 0
            engine.add_listener(listener)
    return engine


def make_table(table: Table) -> native.Table:
    """The memory of a stick table, as it is declared. Raises MemoryError."""
    ir, layout = table.ir, table.layout
    made = native.Table(
        ir.size, table.length, layout.width, ir.expire or 0, ir.nopurge, layout.events(), layout.current,
        ir.brates_factor or 1,
    )  # fmt: skip
    made.owner = table
    return made


def make_arena(settings: CacheSettings) -> Arena:
    """The memory of a cache. Raises MemoryError."""
    shares = {"off": 0, "on": settings.blocks * settings.ratio // 100, "only": settings.blocks}
    return Arena(settings.blocks, shares[settings.hints])


def connect_logs(plan: Plan, sender: Callable[[Sequence[Any], str | None], Sender]) -> None:
    """Give every frontend that logs its way out: ``sender`` makes one from targets and a tag."""
    for front in plan.frontends:
        for outlet in front.request_log.outlets:
            made = sender(outlet.logs, outlet.tag)
            outlet.send, outlet.direct = made.send, made.direct


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
    own = proxy.connections.max_session_srv_conns
    made.own_max = 5 if own is None else own
    made.reset = bool(proxy.option.nolinger)
    made.tells_side = plan.tells_side
    made.persists = plan.own is not None and plan.own.shows_cookie
    made.ignore_probes = bool(proxy.option.http_ignore_probes)
    made.patient = bool(proxy.option.idle_close_on_response)
    made.cased = bool(proxy.option.h1_case_adjust_bogus_client)
    made.session_rate = proxy.connections.rate_limit_sessions or 0
    made.on_connection = plan.on_connection
    made.on_session = plan.on_session
    made.on_content = plan.on_content
    made.on_request = plan.on_request
    made.on_response = plan.on_response
    made.on_after_response = plan.on_after_response
    made.on_connect = plan.on_connect
    made.on_log = plan.on_log
    made.on_refused = plan.on_refused
    return made


def backend(plan: BackendPlan, segment: core.Segment, frontends: Sequence[FrontendPlan]) -> core.Backend:
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
    made.redispatch = proxy.option.redispatch or 0
    made.retry_on = retry_bits(proxy.connections.retry_on)
    made.reuse = REUSE[proxy.connections.http_reuse or "safe"]
    made.abort_on_close = bool(proxy.option.abortonclose)
    made.pretend = bool(proxy.option.http_pretend_keepalive)
    made.cased = bool(proxy.option.h1_case_adjust_bogus_server)
    name_header = proxy.connections.http_send_name_header
    made.name_header = name_header.lower().encode() if name_header else None
    made.prefer_last = bool(proxy.option.prefer_last_server)
    longest = proxy.connections.max_keep_alive_queue
    made.last_queue = -1 if longest is None else longest
    made.unsafe = bool(proxy.option.accept_unsafe_violations_in_http_response)
    made.errors = plan.errors
    made.key = plan.key
    made.least = plan.least
    made.first = plan.first
    made.turns = plan.key is None
    made.table = plan.layout is Layout.TABLE
    made.draws = plan.draws
    made.fullconn = plan.full_load = fullconn(plan, frontends)
    made.balance_factor = proxy.balancing.hash_balance_factor or 0
    made.affinity = AFFINITY[proxy.balancing.hash_preserve_affinity or "always"]
    made.on_content = plan.on_content
    made.on_request = plan.on_request
    made.on_response = plan.on_response
    made.on_persist = plan.on_persist
    made.persists = plan.shows_cookie
    made.on_tcp_response = plan.on_tcp_response
    made.on_after_response = plan.on_after_response
    made.on_connected = plan.on_connected
    made.rebuild = rotation_of(plan, segment)
    for one in plan.servers:
        made.add_server(server(one))
    return made


def server(plan: ServerPlan) -> core.Server:
    made = core.Server(plan.name.encode(), plan.row)
    made.plan = plan
    made.maxconn = plan.maxconn
    made.minconn = plan.ir.options.minconn or 0
    made.maxqueue = plan.ir.options.maxqueue or 0
    made.preface, made.aim, made.redirect = plan.preface, plan.aim, plan.redirect
    pool_max = plan.ir.options.pool_max_conn
    made.pool_max = -1 if pool_max is None else pool_max
    made.pool_low = plan.ir.options.pool_low_conn or 0
    proxy: Proxy = plan.backend.ir
    leave_from(made, plan.ir.options.source or proxy.connections.source)
    life = plan.ir.options.pool_purge_delay
    made.idle_life = 5000 if life is None else life
    made.reset = bool(proxy.option.nolinger)
    made.strict = plan.ir.options.strict_maxconn
    namespace = plan.ir.options.namespace
    if namespace not in (None, "*"):
        made.namespace, made.home = net_namespaces.descriptor(namespace), net_namespaces.home()
    made.socket_options = [*of_servers(proxy), *plan.backend.socket_options] or None
    if plan.family:
        made.set_address(plan.family, packed(plan.family, plan.address), plan.port)
        password = plan.ir.options.tcp_md5sig
        if password is not None:
            made.options = [_signed(plan, password)]
    return made


def _signed(plan: ServerPlan, password: str) -> tuple[int, int, bytes]:
    key = tcp_md5.key_of(plan.family, packed(plan.family, plan.address), password.encode())
    return socket.IPPROTO_TCP, tcp_md5.TCP_MD5SIG, key


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
    """Lays the rotation out from the cells of the servers and of their backend."""

    def rebuild(made: core.Backend) -> None:
        if plan.layout is Layout.TABLE:
            slots, since = layouts.table(plan, segment)
            made.set_rotation(slots, 0, since)
            return
        if plan.layout is Layout.TURNS and not made.least:
            made.set_rotation(*layouts.order(plan, segment))
            return
        servers, _ = layouts.chosen(plan, segment)
        weights = layouts.weights(servers, segment)
        if plan.layout is Layout.RING:
            made.set_ring(ring([(s.index, place(s), weights[s.index]) for s in servers]))
        elif plan.layout is Layout.ONCE:
            made.set_rotation([s.index for s in sorted(servers, key=lambda s: s.id)])
        else:
            made.set_rotation([index for index, weight in weights.items() if weight])

    return rebuild
