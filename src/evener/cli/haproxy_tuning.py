"""What ``global`` says about the engine as a whole: limits that are shared, habits of the HTTP/1 codec."""

from __future__ import annotations

from evener.engine import http1
from evener.engine.core import Segment
from evener.haproxy.columns import PROCESS_ROW, Column
from evener.haproxy.sections.global_ import Global
from evener.haproxy.spelling import spellings
from evener.haproxy.tuning import tuning


def tune(global_: Global, segment: Segment) -> None:
    """Before the fork."""
    said = global_.http1
    http1.configure(
        said.h1_accept_payload_with_any_method, said.h1_do_not_close_on_insecure_transfer_encoding
    )
    names = spellings(said)
    http1.adjust_case([(name.encode("latin-1"), to.encode("latin-1")) for name, to in names.items()])
    known = tuning(global_)
    if known.key_algorithms or known.content_encryptions:
        from evener.haproxy import jose

        jose.permit(jose.KEY_ALGORITHMS, known.key_algorithms)
        jose.permit(jose.CONTENT_KEYS, known.content_encryptions)
    for column, limit in (
        (Column.CONN_RATE_LIMIT, global_.maxconnrate),
        (Column.SESS_RATE_LIMIT, global_.maxsessrate),
        (Column.COMP_RATE_LIMIT, (global_.maxcomprate or 0) * 1024),
    ):
        segment.set(PROCESS_ROW, column, max(0, limit or 0))
