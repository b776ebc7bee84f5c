"""The policies of one proxy: its rules compiled, in the order in which they are tried.

Decides what stands in front of and behind the rules themselves (captures, monitor-uri, buffering of
bodies, headers that options add). What a rule does is in ``actions``; in what order verdicts count is
in ``phases``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from evener.haproxy import phases
from evener.haproxy.actions.replies import JOINED_HINTS
from evener.haproxy.cast import to_bytes
from evener.haproxy.condition import compile_condition
from evener.haproxy.logformat import compile_raw
from evener.haproxy.messages import path_and_query
from evener.haproxy.notes import notes
from evener.haproxy.replies import awaited_body, error_answer
from evener.haproxy.rule import YIELDING, Rule, awaited, compile_rule, inspected
from evener.haproxy.scope import CompileEnv
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.rule_words import Conditional
from evener.haproxy.txn import CONTINUE, PENDING, Txn

Policy = Callable[[Txn], int]

#: Actions that may answer PENDING outside of content rules.
WAITING = YIELDING | {"tarpit", "use-service"}


def rules(of: Sequence[Rule], env: CompileEnv) -> Policy | None:
    """One ruleset of one section."""
    may_wait = any(rule.action in WAITING for rule in of)
    for rule, following in pairwise(of):
        if rule.action == following.action == "early-hint" and following.condition is None:
            env.compiled.setdefault(JOINED_HINTS, set()).add(id(rule))
    runs = [compile_rule(rule, env) for rule in of]
    if any(rule.action == "strict-mode" for rule in of):
        return softened(phases.ruleset([forgiving(run) for run in runs], may_wait=may_wait))
    return phases.ruleset(runs, may_wait=may_wait, fold=env.fold)


def forgiving(run: Policy) -> Policy:
    """A rule whose rewrite does not fit goes by when ``strict-mode off`` holds."""

    def rule(txn: Txn) -> int:
        try:
            return run(txn)
        except BufferError:
            if notes(txn).strict:
                raise
            txn.count_failed_rewrite()
            return CONTINUE

    return rule


def softened(policy: Policy | None) -> Policy | None:
    """Strict mode is on again at the start of each ruleset."""
    if policy is None:
        return None

    def run(txn: Txn) -> int:
        verdict = policy(txn)
        if verdict != PENDING:
            notes(txn).strict = True
        return verdict

    return run


def content(of: Sequence[Rule], delay: int | None, env: CompileEnv) -> Policy | None:
    """Content rules, which may wait for more bytes as long as the inspection lasts."""
    if not of:
        return None
    policy = phases.ruleset([compile_rule(rule, env) for rule in of], may_wait=True)
    return None if policy is None else inspected(policy, delay or 0)


def condition(line: Conditional, env: CompileEnv) -> Callable[[Txn], bool] | None:
    return None if line.condition is None else compile_condition(line.condition, env)


def switching(proxy: Proxy, env: CompileEnv) -> Policy | None:
    """``use_backend``: to a backend known by name now, or by what a format gives for the request."""
    switches: list[phases.Switch | phases.Fixed] = []
    forced = forcing(proxy, env)
    for line in proxy.switching.use_backend:
        when = condition(line, env)
        if line.format is not None:
            switches.append(named_by(compile_raw(line.format, env), when, env, forced))
        elif (index := env.backend_index(line.value)) is not None:
            switches.append((index, when))
        elif forced is not None and (index := env.hidden_index(line.value)) is not None:
            switches.append(forced_to(index, when, forced))
    default = env.hidden_index(proxy.switching.default_backend or "")
    if forced is not None and default is not None:
        switches.append(forced_to(default, None, forced))
    return phases.switching(switches, fold=env.fold)


def forcing(proxy: Proxy, env: CompileEnv) -> Callable[[Txn], bool] | None:
    """``force-be-switch``: when a request may go to a backend that is not published. None: never."""
    conditions = [made for line in proxy.switching.force_be_switch if (made := condition(line, env))]
    if not conditions:
        return None
    return lambda txn: any(met(txn) for met in conditions)


def forced_to(index: int, when: Callable[[Txn], bool] | None, forced: Callable[[Txn], bool]) -> phases.Switch:
    return lambda txn: index if (when is None or when(txn)) and forced(txn) else None


def named_by(
    write: Callable[[Any], bytes],
    when: Callable[[Txn], bool] | None,
    env: CompileEnv,
    forced: Callable[[Txn], bool] | None = None,
) -> phases.Switch:
    """A backend whose name depends on the request: one that is not published is passed over, unless that is
    forced; for a name nobody has the default backend serves."""

    def switch(txn: Txn) -> int | None:
        if when is not None and not when(txn):
            return None
        name = write(txn).decode("utf-8", "surrogateescape")
        index = env.backend_index(name)
        if index is not None:
            return index
        hidden = env.hidden_index(name)
        if hidden is None:
            return phases.NOBODY
        return hidden if forced is not None and forced(txn) else None

    return switch


def _always(index: int) -> Callable[[Txn], int | None]:
    return lambda txn: index


def _server_named_by(write: Callable[[Any], bytes], servers: dict[str, int]) -> Callable[[Txn], int | None]:
    """A name that no server has leaves the choice to the balancing."""
    return lambda txn: servers.get(write(txn).decode("utf-8", "surrogateescape"))


def use_server(proxy: Proxy, env: CompileEnv, servers: dict[str, int]) -> Policy | None:
    """``use-server``: the first rule that matches forces a server."""
    choices: list[tuple[Callable[[Txn], bool] | None, Callable[[Txn], int | None]]] = []
    for line in proxy.switching.use_server:
        if line.format is not None:
            choices.append((condition(line, env), _server_named_by(compile_raw(line.format, env), servers)))
        elif line.value in servers:
            choices.append((condition(line, env), _always(servers[line.value])))
    if not choices:
        return None

    def run(txn: Txn) -> int:
        for when, which in choices:
            if when is None or when(txn):
                index = which(txn)
                if index is not None:
                    txn.set_server(index)
                break
        return CONTINUE

    return run


def persist_rules(proxy: Proxy, env: CompileEnv) -> list[tuple[Callable[[Txn], bool], str]]:
    """``force-persist`` and ``ignore-persist`` in the order of their lines: the first that matches holds."""
    said = proxy.persistence
    lines = [(line, "force") for line in said.force_persist] + [
        (line, "ignore") for line in said.ignore_persist
    ]
    lines.sort(key=lambda each: each[0].span.line if each[0].span is not None else 0)
    return [(check, kind) for line, kind in lines if (check := condition(line, env)) is not None]


def blocked(env: CompileEnv) -> Policy:
    """The answer instead of a response that ``option checkcache`` does not let through."""
    answer = error_answer(env, 502)

    def run(txn: Txn) -> int:
        txn.termination = b"PH"
        return answer(txn)

    return run


def restricted(proxy: Proxy, env: CompileEnv) -> Policy | None:
    """``option http-restrict-req-hdr-names``: names with other than letters, digits and hyphens."""
    wanted = proxy.option.http_restrict_req_hdr_names
    if wanted not in ("delete", "reject"):
        return None
    usual = re.compile(rb"[A-Za-z0-9-]+\Z").match
    refuse = error_answer(env, 403)

    def run(txn: Txn) -> int:
        odd = {name for name, _ in txn.req.items() if not usual(name)}
        if odd and wanted == "reject":
            txn.termination = b"PR"
            return refuse(txn)
        for name in odd:
            txn.req.remove(name)
        return CONTINUE

    return run


def monitor(proxy: Proxy, env: CompileEnv) -> Policy | None:
    """``monitor-uri``: answered here, before any rule, by 200 or - when ``monitor fail`` holds - 503."""
    if proxy.connections.monitor_uri is None:
        return None
    uri = to_bytes(proxy.connections.monitor_uri)
    fails = [check for line in proxy.connections.monitor_fail if (check := condition(line, env)) is not None]
    well = error_answer(env, 200)
    ill = error_answer(env, 503)

    def run(txn: Txn) -> int:
        request = txn.req
        if request.uri != uri and path_and_query(request.uri) != uri:
            return CONTINUE
        txn.termination = b"LR"
        notes(txn).log_level = -1  # never logged
        if any(check(txn) for check in fails):
            return ill(txn)
        return well(txn)

    return run


def buffered_body(proxy: Proxy, env: CompileEnv) -> Policy | None:
    """``option http-buffer-request``: rules run when the body is there, or as much as fits."""
    if not proxy.option.http_buffer_request:
        return None
    wait = awaited_body(proxy.timeout.http_request or 0, 0, error_answer(env, 408), b"cR")
    return awaited(wait, "http-buffer-request")


def posted_body(proxy: Proxy, env: CompileEnv) -> Policy:
    """``balance url_param`` looks for its parameter in the body of a POST as well: that must be there."""
    await_body = awaited_body(proxy.timeout.http_request or 0, 0, error_answer(env, 408), b"cR")
    return lambda txn: await_body(txn) if txn.req.method == b"POST" else CONTINUE
