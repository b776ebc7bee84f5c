"""From the configuration to what the control plane runs: checks, trackers and marks of each server.

Reads the IR of proxies and servers; knows the defaults of the manual. What a configuration asks for and
this version does not execute (TLS in checks, expressions) becomes a diagnostic, never silence.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace

from evener.haproxy.addresses import Address
from evener.haproxy.checks.agent import agent_script
from evener.haproxy.checks.external import NOT_USED, External
from evener.haproxy.checks.scripts import KINDS, Rules
from evener.haproxy.checks.steps import CONNECT_ONLY, Script, Value
from evener.haproxy.checks.words import NotExecuted
from evener.haproxy.health import CheckSettings, InitState
from evener.haproxy.logformat import compile_unique_id
from evener.haproxy.observe import ObserveSettings, OnError
from evener.haproxy.plan import BackendPlan, FrontendPlan, Plan, ServerPlan
from evener.haproxy.scope import CompileEnv
from evener.haproxy.sections.check_rules import CheckRule
from evener.haproxy.sections.healthcheck import contents
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.server import ServerOptions
from evener.haproxy.server_state import FarmSettings, ServerSettings
from evener.haproxy.tuning import tuning
from evener.text.diagnostic import Diagnostics

DEFAULT_INTER = 2000
DEFAULT_RISE = 2
DEFAULT_FALL = 3


class CheckPlanner:
    """Settings per server and per backend of one plan; each backend's script is made once."""

    def __init__(self, plan: Plan, found: Diagnostics) -> None:
        self._plan = plan
        self._found = found
        self._scripts: dict[tuple[int, str | None], Script] = {}
        self._local = not tuning(plan.configuration.global_).never_local

    def prepare(self) -> None:
        """Make every script now, so that what is wrong with them is found before anything is opened."""
        for backend in self._plan.backends:
            for server in backend.servers:
                if server.ir.options.check:
                    self._script(server)

    def server(self, server: ServerPlan) -> ServerSettings:
        options: ServerOptions = server.ir.options
        return ServerSettings(
            check=self._check(server, options) if options.check else None,
            agent=self._agent(server, options),
            tracks=self._tracks(server, options),
            observe=_observe(options),
            slowstart=options.slowstart or 0,
            shutdown_sessions=options.on_marked_down is not None,
            shutdown_backups=options.on_marked_up is not None,
            cookie=options.cookie or "",
            referenced=(server.backend.name, server.name) in self._plan.named or _referenced(server),
        )

    @staticmethod
    def farm(backend: BackendPlan) -> FarmSettings:
        proxy: Proxy = backend.ir
        return FarmSettings(proxy.word, bool(proxy.option.log_health_checks))

    def _check(self, server: ServerPlan, options: ServerOptions) -> CheckSettings:
        proxy: Proxy = server.backend.ir
        address: Address | None = options.addr
        port = options.port or (address.port if address is not None and address.port else None)
        # Servers of the configuration are checked as they are used, unless the check goes elsewhere.
        tls = options.send_proxy_v2_ssl or options.send_proxy_v2_ssl_cn
        second = options.send_proxy_v2 or tls or bool(options.proxy_v2_options and not options.send_proxy)
        proxied = options.send_proxy or second
        as_traffic = proxied and not port and address is None and not server.dynamic
        return CheckSettings(
            script=self._script(server),
            rise=options.rise or DEFAULT_RISE,
            fall=options.fall or DEFAULT_FALL,
            inter=options.inter or DEFAULT_INTER,
            fastinter=options.fastinter or 0,
            downinter=options.downinter or 0,
            timeout=proxy.timeout.check or 0,
            connect_timeout=proxy.timeout.connect or 0,
            address=address.host if address is not None else None,
            port=port,
            send_proxy=options.check_send_proxy or as_traffic,
            proxy_v2=second,
            proxy_ssl=tls,
            proxy_checksum="crc32c" in (options.proxy_v2_options or ()),
            proxy_local=self._local,
            init=InitState(options.init_state or "none"),
            socks4=(options.socks4.host, options.socks4.port) if options.socks4 is not None else None,
            via_socks4=options.check_via_socks4,
            namespace=None if options.namespace == "*" else options.namespace,
        )

    @staticmethod
    def _agent(server: ServerPlan, options: ServerOptions) -> CheckSettings | None:
        if not options.agent_check or not options.agent_port:
            return None
        proxy: Proxy = server.backend.ir
        address: Address | None = options.agent_addr or options.addr
        return CheckSettings(
            script=agent_script(options.agent_send),
            rise=1,
            fall=1,
            inter=options.agent_inter or options.inter or DEFAULT_INTER,
            timeout=proxy.timeout.check or 0,
            connect_timeout=proxy.timeout.connect or 0,
            address=address.host if address is not None else None,
            port=options.agent_port,
            agent=True,
            init=InitState.UP,
        )

    def _script(self, server: ServerPlan) -> Script:
        """The script of the server's healthcheck section, or else of its proxy."""
        name: str | None = server.ir.options.healthcheck
        key = (server.backend.index, name)
        if key not in self._scripts:
            proxy: Proxy = server.backend.ir
            section = self._plan.configuration.section("healthcheck", name) if name is not None else None
            if section is not None:
                made = self._make(proxy, *contents(section))
            else:
                made = self._of_proxy(server.backend)
            self._scripts[key] = made
        return self._scripts[key]

    def _of_proxy(self, backend: BackendPlan) -> Script:
        proxy: Proxy = backend.ir
        option = proxy.option
        if option.httpchk is not None:
            return self._make(proxy, "httpchk", *_http_words(proxy))
        if option.tcp_check:
            return self._make(proxy, "tcp-check", (), _rules(proxy, "tcp_check"))
        if option.external_check and proxy.checks.external_check_command:
            return Script((), external=self._external(backend, proxy.checks.external_check_command))
        kinds: dict[str, tuple[str, ...] | bool | None] = {
            "smtpchk": option.smtpchk,
            "mysql-check": option.mysql_check,
            "pgsql-check": option.pgsql_check,
            "redis-check": option.redis_check,
            "ldap-check": option.ldap_check,
            "ssl-hello-chk": option.ssl_hello_chk,
            "spop-check": option.spop_check,
        }
        for kind, said in kinds.items():
            if said or said == ():
                return self._make(proxy, kind, said if isinstance(said, tuple) else (), ())
        return CONNECT_ONLY

    def _make(self, proxy: Proxy, kind: str, words: Words, rules: Rules) -> Script:
        env = self.env(proxy)
        try:
            return replace(KINDS[kind](words, rules, env), unique_id=self._unique_id(proxy, env))
        except NotExecuted as missing:
            told = f"{proxy.word} '{proxy.name}' : health checks only connect: '{missing}' is planned."
            self._found.warning("check-not-executed", told, proxy.span)
            return CONNECT_ONLY

    def _external(self, backend: BackendPlan, command: str) -> External:
        proxy: Proxy = backend.ir
        binds = [bind for front in self._plan.frontends if front.ir is proxy for bind in front.binds]
        address = port = NOT_USED
        if binds:
            first = binds[0]
            address = first.address.lstrip("\0")
            port = str(first.port) if first.family in (socket.AF_INET, socket.AF_INET6) else NOT_USED
        kept = self._plan.configuration.global_.external_check == "preserve-env"
        return External(
            command,
            proxy.checks.external_check_path or "",
            backend.name,
            backend.id,
            address,
            port,
            "h1" if backend.http else "tcp",
            dict(os.environ) if kept else {},
        )

    def env(self, proxy: Proxy) -> CompileEnv:
        """What expressions in checks may ask."""
        plan = self._plan
        return CompileEnv(
            proxy=proxy.name,
            response=True,
            backend_index=plan.names.get,
            backend=lambda name: next((b for b in plan.backends if b.name == (name or proxy.name)), None),
            count=lambda row, column: plan.cells.get(row, column),
            rate=lambda row, column: plan.cells.rate(row, column),
        )

    @staticmethod
    def _unique_id(proxy: Proxy, env: CompileEnv) -> Value | None:
        if proxy.logging.unique_id_format is None:
            return None
        write = compile_unique_id(proxy.logging.unique_id_format, env)
        return lambda scene: write(scene.txn)

    def _tracks(self, server: ServerPlan, options: ServerOptions) -> tuple[int, int] | None:
        if options.track is None:
            return None
        backend, slash, name = options.track.rpartition("/")
        index = self._plan.names.get(backend) if slash else server.backend.index
        if index is None:
            return None
        servers = self._plan.backends[index].servers
        return next(((index, s.index) for s in servers if s.name == name), None)


def _referenced(server: ServerPlan) -> bool:
    """Whether a use-server rule names the server."""
    proxy: Proxy = server.backend.ir
    return any(rule.value == server.name for rule in proxy.switching.use_server)


def _observe(options: ServerOptions) -> ObserveSettings | None:
    if options.observe not in ("layer4", "layer7"):
        return None
    on_error = OnError(options.on_error or OnError.FAIL_CHECK.value)
    return ObserveSettings(4 if options.observe == "layer4" else 7, options.error_limit or 10, on_error)


Words = tuple[str, ...]


def _rules(proxy: Proxy, field: str) -> list[Words]:
    """The words of each ``http-check`` or ``tcp-check`` line. A section with lines of its own, or with an
    option line of its own, does not use those of its defaults."""
    inherited = _words(proxy.origin, field)
    rules = _words(proxy, field)
    own = rules[len(inherited) :] if rules[: len(inherited)] == inherited else rules
    return own if own or _own_option(proxy, "httpchk" if field == "http_check" else field) else rules


def _words(proxy: Proxy | None, field: str) -> list[Words]:
    rules: tuple[CheckRule, ...] = getattr(proxy.checks, field) if proxy is not None else ()
    return [rule.words for rule in rules]


def _own_option(proxy: Proxy, name: str) -> bool:
    """Whether the section itself has that option line."""
    span = proxy.option.spans.get(name)
    return proxy.origin is None or (span is not None and span is not proxy.origin.option.spans.get(name))


def _http_words(proxy: Proxy) -> tuple[Words, list[Words]]:
    """The words of ``option httpchk`` and of the rules; own rules begin from the option's own line."""
    rules = _rules(proxy, "http_check")
    inherited = not _own_option(proxy, "httpchk")
    if inherited and rules and rules != _words(proxy.origin, "http_check"):
        return (), rules
    return proxy.option.httpchk or (), rules


def full_connections(plan: Plan) -> Callable[[BackendPlan], int]:
    """What ``show stat`` says of them: at least one."""
    return lambda backend: max(1, fullconn(backend, plan.frontends))


def fullconn(plan: BackendPlan, frontends: Sequence[FrontendPlan]) -> int:
    """The load at which the limits of servers are at their highest: a tenth of what frontends let in."""
    asked: int | None = plan.ir.connections.fullconn
    if asked:
        return asked
    return (sum(front.maxconn for front in frontends if _leads(front, plan)) + 9) // 10


def _leads(front: FrontendPlan, back: BackendPlan) -> bool:
    switching = front.ir.switching
    named = {line.value for line in switching.use_backend} | {switching.default_backend}
    return front.default_backend == back.index or back.name in named
