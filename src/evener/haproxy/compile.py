"""From the IR to the plan: everything resolved once that does not depend on the traffic.

Gives every proxy, server and listener its row in the shared segment and its number, finds every name
that is mentioned, and hangs the compiled rules on the phases that a configuration really uses: a phase
without rules stays None and costs nothing at run time.
"""

from __future__ import annotations

import ipaddress
import itertools
import os
import socket
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from evener.haproxy import (
    aims,
    aliases,
    balance,
    caches,
    captures,
    compile_rules,
    compile_tables,
    error_pages,
    forwarded,
    forwarding,
    persistence,
    phases,
    prefaces,
    process_variables,
    request_log,
    sticking,
)
from evener.haproxy.addresses import Address
from evener.haproxy.arguments import ArgumentKind
from evener.haproxy.balance.hashing import HashType
from evener.haproxy.builtin_pages import BUILTIN
from evener.haproxy.cast import to_bytes
from evener.haproxy.enquiries import Enquiries
from evener.haproxy.expression import references
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.filters.chain import Chains, has_filters
from evener.haproxy.fold import Fold
from evener.haproxy.ir import Configuration
from evener.haproxy.log_references import check_references
from evener.haproxy.logformat import compile_unique_id
from evener.haproxy.members import servers_of
from evener.haproxy.notes import unique_id_of
from evener.haproxy.plan import BackendPlan, BindPlan, FrontendPlan, Layout, Page, Plan, Policy, ServerPlan
from evener.haproxy.scope import CompileEnv
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.servers import Server
from evener.haproxy.services import stats_rules
from evener.haproxy.tuning import tuning
from evener.haproxy.txn import CONTINUE, Txn
from evener.haproxy.userlist import read_userlists
from evener.haproxy.variables import PROCESS, limit
from evener.text.diagnostic import Diagnostics

FIRST_ID = 2  # 1 belongs to the process itself in the original


def compile_plan(
    configuration: Configuration,
    found: Diagnostics,
    fold: Fold | None = None,
    make_table: compile_tables.Make | None = None,
    make_arena: caches.Make | None = None,
) -> Plan:
    """The plan of a configuration that was accepted; ``found`` collects what only shows up here.

    ``make_table`` gives stick tables their memory; without it rules about tables do nothing.
    """
    plan = Plan(configuration, [], [], 1, workers(configuration), enquiries=Enquiries())
    limit(tuning(configuration.global_).variables)
    process_variables.set_configured(configuration.global_)
    aliases.keep(configuration.global_.tune_http_logurilen)
    proxies = [proxy for proxy in configuration.proxies if not proxy.disabled]
    for proxy, number in zip(proxies, numbers(proxies), strict=True):
        lay_out(plan, proxy, number)
    plan.tables = compile_tables.tables(configuration, make_table)
    plan.caches = caches.caches(configuration, make_arena)
    check_references(configuration, found)
    for policies in Compiler(plan, configuration, fold).policies():
        policies.hang()
    plan.lists.number()
    plan.variables = {name: row(plan) for name in sorted(PROCESS.named)}
    return plan


def workers(configuration: Configuration) -> int:
    """``nbthread``, else one per processor that this process may use; ``thread-hard-limit`` at most."""
    asked: int | None = configuration.global_.nbthread
    found = asked or len(os.sched_getaffinity(0))
    return min(found, tuning(configuration.global_).most_workers or found)


def numbers(proxies: Sequence[Proxy]) -> list[int]:
    """The ids of proxies: those given by ``id``, and the lowest free ones for the others."""
    taken = {proxy.id for proxy in proxies if proxy.id is not None}
    following = (number for number in range(FIRST_ID, FIRST_ID + 2 * len(proxies) + 1) if number not in taken)
    return [proxy.id if proxy.id is not None else next(following) for proxy in proxies]


def lay_out(plan: Plan, proxy: Proxy, number: int) -> None:
    """Rows and numbers for the sides of a proxy, its listeners and its servers."""
    if proxy.kind.front:
        front = FrontendPlan(len(plan.frontends), number, proxy.name, row(plan), proxy.http, proxy)
        front.maxconn = proxy.connections.maxconn or 0
        taken = {line.options.id for line in proxy.bind}
        following = (number for number in itertools.count(1) if number not in taken)
        for line in proxy.bind:
            for at in spread(line.addresses):
                front.binds.append(bind_plan(plan, line.options, at))
                front.binds[-1].id = line.options.id or next(following)
        plan.frontends.append(front)
    if proxy.kind.back:
        back = BackendPlan(len(plan.backends), number, proxy.name, row(plan), proxy.http, proxy)
        back.socket_options = tuning(plan.configuration.global_).server
        if proxy.kind.front:
            plan.frontends[-1].own = back
        (plan.hidden if proxy.switching.be_unpublished else plan.names)[proxy.name] = back.index
        plan.backends.append(back)
        for server in servers_of(proxy):
            back.servers.append(server_plan(plan, back, server))


def row(plan: Plan) -> int:
    plan.rows += 1
    return plan.rows - 1


def spread(addresses: Sequence[Address]) -> Iterator[tuple[Address, int]]:
    """Each address with each port of its range."""
    for address in addresses:
        for port in range(address.port, max(address.high, address.port) + 1):
            yield address, port


def bind_plan(plan: Plan, options: Any, at: tuple[Address, int]) -> BindPlan:
    address, port = at
    name = options.name or ""
    return BindPlan(
        name, address.family, address.host, port, row(plan), address.fd, options, options.backlog or 0,
        options.maxconn or 0,
    )  # fmt: skip


def server_plan(plan: Plan, back: BackendPlan, server: Server) -> ServerPlan:
    options, address = server.options, server.address
    index = len(back.servers)
    taken = {other.id for other in back.servers}
    number = options.id or next(n for n in range(index + 1, index + 2 + len(taken)) if n not in taken)
    return ServerPlan(
        index, number, server.name, row(plan), address.family, address.host, address.port, options.weight,
        options.maxconn or 0, options.backup, options.disabled, server, back,
    )  # fmt: skip


class Compiler:
    """Compiles the policies of all proxies; what they share is found once."""

    def __init__(self, plan: Plan, configuration: Configuration, fold: Fold | None = None) -> None:
        self.plan = plan
        self.fold = fold
        self.turn = partial(phases.in_turn, fold=fold)
        self.configuration = configuration
        self.profiles = configuration.log_profiles
        self.sections = {section.name: section.files for section in configuration.http_errors}
        self.userlists = read_userlists(configuration.other)
        self.chains = Chains(plan, lambda proxy, key, want: compile_expression(key, self.env(proxy)[0], want))
        self.fronts = {front.name: front for front in plan.frontends}
        self.backs = {back.name: back for back in plan.backends}
        self.kept = captures.of_answers((front.index, front.ir) for front in plan.frontends)
        self.envs: dict[str, tuple[CompileEnv, dict[int, Page]]] = {}

    def policies(self) -> Iterator[FrontendPolicies | BackendPolicies]:
        for front in self.plan.frontends:
            yield FrontendPolicies(self, front)
        for back in self.plan.backends:
            yield BackendPolicies(self, back)

    def env(self, proxy: Proxy) -> tuple[CompileEnv, dict[int, Page]]:
        """What the closures of one proxy may ask, and its pages; both sides of a ``listen`` share them."""
        made = self.envs.get(proxy.name)
        if made is None:
            pages: dict[int, Page] = {}
            request_slots, response_slots = captures.lay_out(proxy)
            env = CompileEnv(
                proxy=proxy.name,
                plain=not proxy.http,
                fold=self.fold,
                acls=proxy.rules.acls(),
                lists=self.plan.lists,
                userlists=self.userlists,
                backend_index=self.plan.names.get,
                hidden_index=self.plan.hidden.get,
                server_named=lambda backend, server: self.plan.named.add((backend, server)),
                backend=lambda name: self.backs.get(name or proxy.name),
                frontend=lambda name: self.fronts.get(name or proxy.name),
                count=lambda row, column: self.plan.cells.get(row, column),
                rate=lambda row, column: self.plan.cells.rate(row, column),
                cache=self.plan.caches.get,
                table=lambda name: self.plan.tables.get(name or proxy.name),
                error_reply=lambda status: pages.get(status) or BUILTIN.get(status),
                tarpit=proxy.timeout.tarpit or proxy.timeout.connect or 0,
                proxied=bool(proxy.option.http_use_proxy_header),
                request_slots=request_slots,
                response_slots=response_slots,
                http_errors=lambda name, status: error_pages.of_section(self.sections, name).get(status),
                enquiries=self.plan.enquiries,
            )
            self.plan.named.update(named_servers(proxy))
            own = proxy.span.source if proxy.span is not None else None
            pages.update(error_pages.pages(proxy.errors, self.sections, env, own))
            made = self.envs[proxy.name] = env, pages
        return made

    def ruled(self, proxy: Proxy, env: CompileEnv) -> Policy | None:
        """Rules and redirections of a proxy, with the statistics page where it has one."""
        restricted = compile_rules.restricted(proxy, env)
        rules = self.turn(compile_rules.rules(proxy.rules.http_request, env), restricted)
        redirects = compile_rules.rules(proxy.rules.redirect, env)
        page = stats_rules.page(proxy, env)
        if page is None:
            return self.turn(rules, redirects)
        first = phases.in_turn(rules, page.admission(), may_wait=True)
        return phases.in_turn(phases.in_turn(first, redirects, may_wait=True), page.reply(), may_wait=True)

    def leads_here(self, name: str) -> bool:
        """Whether another frontend may choose the backend of that name."""
        for front in self.plan.frontends:
            switching = front.ir.switching
            chosen = {line.value for line in switching.use_backend} | {switching.default_backend}
            dynamic = any(line.format is not None for line in switching.use_backend)
            if front.name != name and (dynamic or name in chosen):
                return True
        return False

    def filters(self, proxy: Proxy, *, response: bool) -> Policy | None:
        """What asks the filters about a message, where the proxy or one it may meet has some."""
        others = self.plan.backends if response else self.plan.frontends
        if not has_filters(proxy) and not any(has_filters(other.ir) for other in others):
            return None
        if not proxy.http:
            return self.chains.on_stream()
        return self.chains.on_response() if response else self.chains.on_request()


def named_servers(proxy: Proxy) -> Iterator[tuple[str, str]]:
    """The servers that its ACLs name, used or not; and backends, with an empty name for the server."""
    for tests in proxy.rules.acls().values():
        for test in tests:
            for reference in references(test.expr):
                if reference.kind is ArgumentKind.SERVER:
                    backend, _, server = reference.name.rpartition("/")
                    yield backend or proxy.name, server
                elif reference.kind is ArgumentKind.BACKEND:
                    yield reference.name or proxy.name, ""


class FrontendPolicies:
    def __init__(self, compiler: Compiler, front: FrontendPlan) -> None:
        self.compiler = compiler
        self.front = front
        self.proxy: Proxy = front.ir
        self.env, front.errors = compiler.env(self.proxy)

    def hang(self) -> None:
        front, proxy, env = self.front, self.proxy, self.env
        of, turn = proxy.rules, self.compiler.turn
        default = proxy.switching.default_backend
        own = proxy.name if proxy.kind.back else ""
        front.default_backend = self.compiler.plan.names.get(default or own, -1)
        if default is None and own:
            front.default_backend = self.compiler.backs[own].index
        front.on_connection = compile_rules.rules(of.tcp_request_connection, env)
        if tuning(self.compiler.configuration.global_).unprivileged_clients:
            front.on_connection = phases.in_turn(phases.unprivileged, front.on_connection)
        front.on_session = compile_rules.rules(of.tcp_request_session, env)
        front.on_content = compile_rules.content(of.tcp_request_content, of.request_inspect_delay, env)
        switch = compile_rules.switching(proxy, env)
        if proxy.logging.unique_id_format is not None:
            front.unique_id = compile_unique_id(proxy.logging.unique_id_format, env)
        if proxy.logging.capture_cookie is not None:
            longest = self.compiler.configuration.global_.tune_http_cookielen
            front.cookie = persistence.captured(proxy.logging.capture_cookie, longest)
        if not front.http:
            front.on_content = turn(front.on_content, switch)
        if front.http or self.may_become_http():
            front.on_request = turn(self.requests(), switch)
            kept = captures.headers(env.response_slots, response=True)
            front.on_response = turn(
                phases.on_own_side(-1 if front.own is None else front.own.index, kept),
                compile_rules.rules(of.http_response, env),
            )
            front.on_after_response = turn(
                compile_rules.rules(of.http_after_response, env), self.compiler.filters(proxy, response=True)
            )
        self.logging()

    def logging(self) -> None:
        """The log line of each transaction, and those of the steps before its end."""
        front, proxy, configuration = self.front, self.proxy, self.compiler.configuration
        front.request_log = log = request_log.RequestLog(
            configuration.logs(proxy),
            proxy.logging,
            proxy.option,
            front.http,
            self.env,
            self.compiler.profiles,
        )
        early = log.request()
        front.on_log = log.at_end()
        front.tells_side = self.env.log_side
        front.keeps_line = bool(self.env.shown & {"[", *aliases.REQUEST_LINE})
        front.slots = self.env.request_slots.lengths, self.env.response_slots.lengths
        front.on_refused = log.refused(bool(proxy.option.dontlognull))
        first = log.accepted() if front.http else None
        front.on_content = phases.in_turn(first or log.greeting(), front.on_content, may_wait=True)
        front.on_connect = log.at("connect")
        if not front.http:
            front.on_session = phases.in_turn(log.at("accept"), front.on_session)
        else:
            front.on_request = phases.in_turn(
                log.at("request"), front.on_request, may_wait=log.wants("request")
            )
            if early is not None:
                front.on_request = phases.in_turn(early, front.on_request, may_wait=True)
            front.on_response = phases.in_turn(log.at("response"), front.on_response)

    def may_become_http(self) -> bool:
        """Whether connections accepted as TCP may go on as HTTP: by a rule, or for a backend of HTTP."""
        backs = self.compiler.plan.backends
        if any(rule.action == "switch-mode" for rule in self.proxy.rules.tcp_request_content):
            return True
        chosen = {line.value for line in self.proxy.switching.use_backend}
        chosen.add(self.proxy.switching.default_backend or "")
        return any(back.http and back.name in chosen for back in backs)

    def requests(self) -> Policy | None:
        """Everything a frontend does with a request before it chooses a backend."""
        proxy, env = self.proxy, self.env
        turn = self.compiler.turn
        first = turn(
            captures.headers(env.request_slots, response=False),
            compile_rules.monitor(proxy, env),
        )
        body = compile_rules.buffered_body(proxy, env)
        return turn(turn(first, body), self.compiler.ruled(proxy, env))


class BackendPolicies:
    def __init__(self, compiler: Compiler, back: BackendPlan) -> None:
        self.compiler = compiler
        self.back = back
        self.proxy: Proxy = back.ir
        self.env, back.errors = compiler.env(self.proxy)
        self.own_front = compiler.fronts.get(self.proxy.name) if self.proxy.kind.front else None

    def hang(self) -> None:
        back, proxy, env = self.back, self.proxy, self.env
        of, turn = proxy.rules, self.compiler.turn
        servers = {server.name: server.index for server in back.servers}
        forced = compile_rules.use_server(proxy, env, servers)
        stick = sticking.on_request(proxy.persistence.stick, back, env)
        learn = sticking.on_response(proxy.persistence.stick, back, env)
        back.on_content = self.once(
            compile_rules.content(of.tcp_request_content, of.request_inspect_delay, env)
        )
        answers = compile_rules.content(of.tcp_response_content, of.response_inspect_delay, env)
        if back.http:
            side = self.persistence()
            back.read_cookies = persistence.on_request(side)
            back.shows_cookie = side.mode is not None and side.mode.shown
            chosen = turn(turn(forced, back.read_cookies), stick)
            ruled = turn(compile_rules.buffered_body(proxy, env), self.compiler.ruled(proxy, env))
            requests = self.once(ruled)
            added = turn(self.added_headers(), self.compiler.filters(proxy, response=False))
            back.on_request = turn(turn(requests, chosen), added)
            back.on_persist = persistence.on_response(side, compile_rules.blocked(env))
            answered = turn(answers, compile_rules.rules(of.http_response, env))
            back.on_response = turn(turn(self.compiler.kept, learn), self.once(answered))
            back.on_after_response = self.once(compile_rules.rules(of.http_after_response, env))
        else:
            back.on_content = turn(turn(back.on_content, forced), stick)
            back.on_content = turn(back.on_content, self.compiler.filters(proxy, response=False))
            back.on_connected = learn
            back.on_tcp_response = answers
        for server in back.servers:
            server.preface = prefaces.preface(server.ir.options, env)
            if server.ir.options.redir is not None:
                server.redirect = to_bytes(server.ir.options.redir.removesuffix("/"))
            own = server.ir.options
            source = own.source or proxy.connections.source
            name = aims.name(own.pool_conn_name, env) if own.pool_conn_name else None
            server.aim = aims.aim(server.ir.address, source, own.socks4, name)
        self.balancing()

    def once(self, policy: Policy | None) -> Policy | None:
        """The rules of a ``listen`` run on its frontend side for its own clients, here for others'."""
        if self.own_front is None:
            return policy
        if not self.compiler.leads_here(self.proxy.name):
            return None
        return phases.unless_frontend(self.own_front.index, policy)

    def persistence(self) -> persistence.Side:
        """The cookie, the rules about it, and what the frontends capture of cookies."""
        proxy = self.proxy
        said, key = proxy.persistence, proxy.persistence.dynamic_cookie_key
        mode = None
        if said.cookie is not None:
            dynamic = key if "dynamic" in said.cookie.flags else None
            back = self.back
            back.cookie_of = lambda s: persistence.value_of(s.ir.options.cookie, dynamic, s.address, s.port)
            back.cookies = [back.cookie_of(server) for server in back.servers]
            mode = persistence.mode_of(said.cookie, back.cookies, bool(proxy.option.persist))
        longest = self.compiler.configuration.global_.tune_http_cookielen
        captures = {
            front.index: persistence.captured(front.ir.logging.capture_cookie, longest)
            for front in self.compiler.plan.frontends
            if front.ir.logging.capture_cookie is not None
        }
        rules = compile_rules.persist_rules(proxy, self.env)
        return persistence.Side(mode, rules, captures, bool(proxy.option.checkcache))

    def added_headers(self) -> Policy | None:
        """What options of either side add to a request on its way to a server."""
        option, turn = self.proxy.option, self.compiler.turn
        fronts = self.compiler.plan.frontends
        both: Policy | None = None
        for usual, address, name in (
            (b"x-forwarded-for", forwarding.client_address, "forwardfor"),
            (b"x-original-to", forwarding.original_destination, "originalto"),
        ):
            by_front = {
                front.index: header
                for front in fronts
                if (header := forwarding.AddressHeader.of(getattr(front.ir.option, name))) is not None
            }
            own = forwarding.AddressHeader.of(getattr(option, name))
            both = turn(both, forwarding.add_address(by_front, own, usual, address))
        both = turn(both, forwarded.policy(option.forwarded or None, self.env))
        return turn(both, self.unique_id())

    def unique_id(self) -> Policy | None:
        """``unique-id-format`` and ``unique-id-header`` of the frontends that lead here."""
        makers = {}
        for front in self.compiler.plan.frontends:
            logging = front.ir.logging
            if logging.unique_id_format is not None:
                header = to_bytes(logging.unique_id_header).lower() if logging.unique_id_header else None
                makers[front.index] = header
        if not makers:
            return None

        def run(txn: Txn) -> int:
            if txn.frontend.index in makers:
                found, header = unique_id_of(txn), makers[txn.frontend.index]
                if header is not None and found is not None:
                    txn.req.add(header, found)
            return CONTINUE

        return run

    def balancing(self) -> None:
        back, settings = self.back, self.proxy.balancing
        if settings.balance is None:
            return
        asked = settings.hash_type
        digest = HashType() if asked is None else HashType(asked.function, asked.avalanche)
        chosen = balance.method(settings.balance, digest, self.env)
        back.balance, back.key, back.least = settings.balance.algorithm, chosen.key, chosen.least
        back.first, back.draws = chosen.first, chosen.draws
        if chosen.first:
            back.layout = Layout.ONCE
        elif chosen.key is not None and asked is not None and asked.method == "consistent":
            back.layout = Layout.RING
        elif chosen.table:
            back.layout = Layout.TABLE
        if chosen.body and back.http:
            body = compile_rules.posted_body(self.proxy, self.env)
            back.on_request = phases.in_turn(back.on_request, body, may_wait=True)


def packed(family: int, address: str) -> bytes:
    """The address as the engine wants it: packed for IP, the path for unix sockets."""
    if family in (socket.AF_INET, socket.AF_INET6):
        return ipaddress.ip_address(address).packed
    return to_bytes(address)
