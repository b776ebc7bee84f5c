"""The ``genhash`` command: fetches a page as HTTP_GET does, and prints the MD5 digest that ``digest`` wants.

Also ``keepalived --genhash``. Whatever becomes of the connection, the exit code is the original's 0; 1 says
that the command line is wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evener.cli.genhash_args import USAGE, Order, Refused, parse

if TYPE_CHECKING:
    from evener.keepalived.lvs.probes import WebProbe

LEAST_WORDS = 2
"""With fewer there is nothing to be done."""


def main(argv: Sequence[str] | None = None, program: str = "") -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        order = parse(words)
    except Refused as why:
        told = f"{why}\n" if str(why) and len(words) >= LEAST_WORDS else ""
        sys.stderr.write(told + USAGE.format(program=program or sys.argv[0]))
        return 1
    from evener.host.checks.hashing import fetch

    fetch(_probe(order), order.verbose)
    return 0


def _probe(order: Order) -> WebProbe:
    from evener.keepalived.compile_checks import host_of, request_of
    from evener.keepalived.lvs.probes import Credentials, Route, Url, WebProbe

    timeout_us = int(order.timeout_s * 1_000_000)
    route = Route(order.address, order.port, mark=order.mark, timeout_us=timeout_us)
    request = request_of(order.path or "", order.protocol, order.virtualhost or host_of(route))
    sni = (order.virtualhost or "") if order.sni else ""
    url = Url(order.path or "", request, digest=b"wanted", sni=sni)
    return WebProbe("SSL_GET", route, (url,), Credentials() if order.tls else None)
