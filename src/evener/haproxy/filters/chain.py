"""The filters of a transaction: those of its frontend, then those of its backend, in their order.

Each is asked once per message, after every rule, whether it wants the body. Requests are asked about at the
end of the backend's rules, responses at the end of the frontend's ``http-after-response``; replies of rules
and error pages are nobody's. Chains are made when a pair of frontend and backend first meets.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

from evener.haproxy import compression
from evener.haproxy.cast import to_bytes
from evener.haproxy.columns import PROCESS_ROW, Column
from evener.haproxy.expression import Expr
from evener.haproxy.filters.bandwidth import Pace, Shared
from evener.haproxy.filters.flow import DropTrailers, Flow, Stage
from evener.haproxy.filters.load import Load
from evener.haproxy.filters.names import COMPRESSING
from evener.haproxy.filters.state import filter_state, known_state
from evener.haproxy.filters.trace import TraceStage
from evener.haproxy.plan import CellsOf, Plan
from evener.haproxy.sample import Type
from evener.haproxy.sections.filters import FilterLine, Limit, Trace
from evener.haproxy.sections.global_ import Global
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.stick_table import Table
from evener.haproxy.txn import CONTINUE

Policy = Callable[[Any], int]


class Filter(Protocol):
    """What a filter does with the two messages: a stage for the body, or None."""

    def request(self, txn: Any) -> Stage | None: ...

    def response(self, txn: Any) -> Stage | None: ...


class Compressing:
    """``compression`` of a backend, completed by that of the frontend where it says nothing."""

    def __init__(
        self, proxies: Sequence[Proxy], requests: bool, responses: bool, global_: Global, cells: CellsOf
    ) -> None:
        said = [proxy.compression for proxy in proxies][::-1]
        self.algorithms = [
            compression.ALGORITHMS[name] for name in next((s.responses() for s in said if s.responses()), ())
        ]
        self.types = _bytes(next((s.response_types() for s in said if s.response_types()), ()))
        asked = next((s.algo_req for s in said if s.algo_req), ())
        self.request_algorithm = compression.ALGORITHMS[asked[0]] if asked and requests else None
        self.request_types = _bytes(next((s.request_types() for s in said if s.request_types()), ()))
        self.offload = any(s.offload for s in said)
        self.least = next((s.minsize_res for s in said if s.minsize_res), 0)
        self.request_least = next((s.minsize_req for s in said if s.minsize_req), 0)
        self.responses = responses and bool(self.algorithms)
        self.level = max(1, min(9, global_.tune_comp_maxlevel or 1))
        self.cells = cells
        most = global_.maxcompcpuusage
        self.busy = Load(most).is_high if most is not None and most < 100 else None

    def request(self, txn: Any) -> Stage | None:
        request = txn.req
        if self.responses:
            found = compression.wanted(request, self.algorithms)
            if found is not None:
                filter_state(txn).algorithm = found
                if self.offload and compression.asked_for(request, found):
                    request.remove(b"accept-encoding")
        chosen = self.request_algorithm
        if chosen is None or not compression.compressible_request(
            request, self.request_types, self.request_least
        ):
            return None
        if self.too_much(txn, request):
            return None
        if chosen is not compression.IDENTITY:
            request.set(b"content-encoding", chosen.token)
        return compression.Compress(chosen, self.level, counting(txn))

    def response(self, txn: Any) -> Stage | None:
        state, response = filter_state(txn), txn.res
        chosen = state.algorithm
        if chosen is None and txn.applet is not None and self.responses:
            chosen = compression.wanted(txn.req, self.algorithms)  # answered before there was a backend
        if chosen is None or state.compressed is not None:
            return None
        if not compression.compressible(txn.req, response, self.types, self.least):
            return None
        if self.too_much(txn, response):
            return None
        compression.mark(response, chosen)
        state.compressed = chosen
        txn.tally(Column.COMP_RSP, 1)
        return compression.Compress(chosen, self.level, counting(txn))

    def too_much(self, txn: Any, message: Any) -> bool:
        """``maxcomprate`` or ``maxcompcpuusage`` is reached: the body counts as bypassing the compressor."""
        rate = self.cells.get(PROCESS_ROW, Column.COMP_RATE_LIMIT)
        if not (rate and txn.tick(Column.COMP_RATE, 0) > rate) and (self.busy is None or not self.busy()):
            return False
        txn.tally(Column.COMP_BYP, compression.announced(message) or 0)
        return True


def counting(txn: Any) -> Callable[[int, int], None]:
    def count(received: int, given: int) -> None:
        if received:
            txn.tally(Column.COMP_IN, received)
            txn.tick(Column.COMP_RATE, received)
        if given:
            txn.tally(Column.COMP_OUT, given)

    return count


def _bytes(names: Sequence[str]) -> list[bytes]:
    return [to_bytes(name).lower() for name in names]


class Limiting:
    """Enabled per transaction by ``set-bandwidth-limit``."""

    def __init__(self, name: str, limit: Limit, response: bool) -> None:
        self.name = name
        self.limit = limit
        self.of_response = response

    def request(self, txn: Any) -> Stage | None:
        return None if self.of_response else self.stage(txn)

    def response(self, txn: Any) -> Stage | None:
        return self.stage(txn) if self.of_response else None

    def stage(self, txn: Any) -> Stage | None:
        state = known_state(txn)
        asked = None if state is None else state.limits.get(self.name)
        if asked is None:
            return None
        limit, period = asked
        return Pace(limit or self.limit.limit, period or self.limit.period, self.limit.least)


class Sharing(Limiting):
    """The same for all streams whose key has the same entry in a stick table."""

    def __init__(
        self, name: str, limit: Limit, response: bool, key: Callable[[Any], Any], table: Table
    ) -> None:
        super().__init__(name, limit, response)
        self.key, self.table = key, table
        self.cell = table.layout.find("bytes_out_rate" if response else "bytes_in_rate")

    def stage(self, txn: Any) -> Stage | None:
        state = known_state(txn)
        if state is None or self.name not in state.limits or self.cell is None:
            return None
        found = self.key(txn)
        entry = None if found is None else self.table.native.obtain(self.table.pack(found))
        return None if entry is None else Shared(entry, self.cell, self.limit.limit, self.limit.least)


class Tracing:
    def __init__(self, trace: Trace, proxy: str) -> None:
        self.trace = trace
        self.proxy = proxy

    def request(self, txn: Any) -> Stage:
        return self.stage(txn, "request")

    def response(self, txn: Any) -> Stage:
        return self.stage(txn, "response")

    def stage(self, txn: Any, what: str) -> Stage:
        trace = self.trace

        def tell(text: str) -> None:
            sys.stderr.write(f"[{trace.name}] {self.proxy} stream {txn.id} {what}: {text}\n")

        return TraceStage(None if trace.quiet else tell, trace.random, trace.most, trace.hexdump)


class Storing:
    """Keeps the body of a response for the cache that ``cache-store`` named."""

    def __init__(self, cache: str) -> None:
        self.cache = cache

    def request(self, txn: Any) -> Stage | None:
        del txn
        return None

    def response(self, txn: Any) -> Stage | None:
        state = known_state(txn)
        if state is None or state.store is None or state.store[0] != self.cache:
            return None
        stage, state.store = state.store[1], None
        return stage


class Cutting:
    """``http-drop-request-trailers`` of a backend, ``http-drop-response-trailers`` of a frontend."""

    def __init__(self, requests: bool, responses: bool) -> None:
        self.requests = requests
        self.responses = responses

    def request(self, txn: Any) -> Stage | None:
        return DropTrailers() if self.requests and chunked(txn.req) else None

    def response(self, txn: Any) -> Stage | None:
        return DropTrailers() if self.responses and chunked(txn.res) else None


def chunked(message: Any) -> bool:
    """Only bodies in chunks may have trailers."""
    return message.get(b"transfer-encoding") is not None


def cuts(proxy: Proxy) -> bool:
    return bool(proxy.option.http_drop_request_trailers or proxy.option.http_drop_response_trailers)


def caches_of(proxy: Proxy) -> list[str]:
    """The caches that the rules of a proxy name."""
    rules = (*proxy.rules.http_request, *proxy.rules.http_response)
    named = [rule.arguments[0] for rule in rules if rule.action in ("cache-use", "cache-store")]
    return list(dict.fromkeys(named))


def compresses(proxy: Proxy) -> bool:
    said = proxy.compression
    return bool(said.responses() or said.algo_req)


def has_filters(proxy: Proxy) -> bool:
    return bool(proxy.filters.filter or compresses(proxy) or caches_of(proxy) or cuts(proxy))


class Chains:
    """The chains of all pairs; ``None`` stands for no backend."""

    def __init__(self, plan: Plan, key_of: Callable[[Proxy, Expr, Type], Callable[[Any], Any]]) -> None:
        """``key_of`` compiles an expression of a proxy to what gives its value, as that type."""
        self.plan = plan
        self.key_of = key_of
        self.global_: Global = plan.configuration.global_
        self.cells = plan.cells
        self.made: dict[tuple[int, int], tuple[list[Filter], list[Filter]]] = {}

    def chain(self, txn: Any) -> tuple[list[Filter], list[Filter]]:
        """Filters of requests, and of responses, in their order."""
        front, back = txn.frontend, txn.backend
        key = (front.index, -1 if back is None else back.index)
        found = self.made.get(key)
        if found is None:
            proxies = [front.plan.ir]
            if back is not None and back.plan.ir is not front.plan.ir:
                proxies.append(back.plan.ir)
            found = self.made[key] = self.make(proxies)
        return found

    def make(self, proxies: Sequence[Proxy]) -> tuple[list[Filter], list[Filter]]:
        both: tuple[list[Filter], list[Filter]] = ([], [])
        for proxy in proxies:
            filters = list(self.filters(proxy, proxies))
            for side in (0, 1):
                both[side].extend(made for _, made in in_sequence(filters, proxy, bool(side)))
                if cuts(proxy):
                    both[side].append(cutting(proxy, proxies))
        return both

    def filters(self, proxy: Proxy, proxies: Sequence[Proxy]) -> Iterator[tuple[str, Filter]]:
        """Those of the lines, and before them what needs no line: caches, then compression."""
        lines = proxy.filters.filter
        named = {line.name for line in lines if line.kind == "cache"}
        for cache in caches_of(proxy):
            if cache not in named:
                yield "cache", Storing(cache)
        explicit = [line.kind for line in lines if line.kind in COMPRESSING]
        if compresses(proxy) and not explicit:
            direction = proxy.compression.direction or "response"
            yield "compression", self.compressing(proxies, direction)
        for line in lines:
            made = self.filter(line, proxy, proxies)
            if made is not None:
                yield line.name, made

    def filter(self, line: FilterLine, proxy: Proxy, proxies: Sequence[Proxy]) -> Filter | None:
        if line.limit is not None and line.limit.key is not None:
            table = self.plan.tables.get(line.limit.table or proxy.name)
            if table is None or table.native is None:
                return None
            key = self.key_of(proxy, line.limit.key, table.want)
            return Sharing(line.name, line.limit, line.kind == "bwlim-out", key, table)
        if line.limit is not None:
            return Limiting(line.name, line.limit, line.kind == "bwlim-out")
        if line.trace is not None:
            return Tracing(line.trace, proxy.name)
        if line.kind == "cache":
            return Storing(line.name)
        if line.kind in COMPRESSING and proxy.http:
            said = proxy.compression.direction or "response"
            return self.compressing(
                proxies, {"comp-req": "request", "comp-res": "response"}.get(line.kind, said)
            )
        return None

    def compressing(self, proxies: Sequence[Proxy], direction: str) -> Compressing:
        return Compressing(proxies, direction != "response", direction != "request", self.global_, self.cells)

    def on_request(self) -> Policy:
        def run(txn: Any) -> int:
            filters = self.chain(txn)[0]
            stages = [stage for each in filters if (stage := each.request(txn)) is not None]
            if stages and has_body(txn.req):
                txn.filter_body(False, Flow(stages))
            return CONTINUE

        return run

    def on_response(self) -> Policy:
        def run(txn: Any) -> int:
            if txn.own_reply:
                return CONTINUE
            filters = self.chain(txn)[1]
            stages = [stage for each in filters if (stage := each.response(txn)) is not None]
            if stages:
                txn.filter_body(True, Flow(stages))
            return CONTINUE

        return run

    def on_stream(self) -> Policy:
        """Both directions of a TCP connection."""

        def run(txn: Any) -> int:
            requests, responses = self.chain(txn)
            up = [stage for each in requests if (stage := each.request(txn)) is not None]
            down = [stage for each in responses if (stage := each.response(txn)) is not None]
            if up:
                txn.filter_body(False, Flow(up))
            if down:
                txn.filter_body(True, Flow(down))
            return CONTINUE

        return run


def cutting(proxy: Proxy, proxies: Sequence[Proxy]) -> Cutting:
    """The frontend comes first and the backend last; one section may be both."""
    option = proxy.option
    requests = bool(option.http_drop_request_trailers) and proxy is proxies[-1] and proxy.kind.back
    responses = bool(option.http_drop_response_trailers) and proxy is proxies[0] and proxy.kind.front
    return Cutting(requests, responses)


def has_body(request: Any) -> bool:
    return request.get(b"transfer-encoding") is not None or bool(compression.announced(request))


def in_sequence(
    filters: Sequence[tuple[str, Filter]], proxy: Proxy, response: bool
) -> Sequence[tuple[str, Filter]]:
    """As ``filter-sequence`` says, those it does not name left out; nothing said: as they stand."""
    asked = [line.names for line in proxy.filters.filter_sequence if line.response is response]
    if not asked:
        return filters
    left = list(filters)
    found = []
    for name in asked[-1]:
        at = next((at for at, entry in enumerate(left) if entry[0] == name), None)
        if at is not None:
            found.append(left.pop(at))
    return found


__all__: Final = ["Chains", "caches_of", "compresses", "has_filters"]
