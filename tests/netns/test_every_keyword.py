"""No keyword of a checker is without a test that shows its effect on sockets, programs or files."""

from __future__ import annotations

import test_keywords_of_checkers  # noqa: F401
import test_keywords_of_connections  # noqa: F401
import test_keywords_of_timing  # noqa: F401
from keyword_lab import shown

from evener.keepalived.blocks.virtual_server import RealServer
from evener.keepalived.declare import declarations

LEAST = 140


def test_every_keyword_of_checkers_is_shown() -> None:
    declared = {f"{'/'.join(path)} {keyword.name}" for path, keyword in declarations(RealServer) if path}
    assert len(declared) >= LEAST
    assert declared == set(shown)
