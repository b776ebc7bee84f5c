"""Real configurations from public repositories: every one is read or refused; none crashes or hangs.

EVENER_CORPUS names a directory whose sub-directory ``keepalived`` holds them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from kadtext import read

from evener.keepalived.compile import compile_plan
from evener.keepalived.print import text
from evener.keepalived.reader import Options
from evener.keepalived.resolve import LoadOptions, load
from evener.text.diagnostic import Diagnostics, FatalConfiguration
from evener.text.render_keepalived import render_all

CORPUS = os.environ.get("EVENER_CORPUS")
FILES = sorted(Path(CORPUS, "keepalived").iterdir()) if CORPUS else []
LARGE = 100_000

pytestmark = pytest.mark.skipif(not FILES, reason="EVENER_CORPUS names no directory with keepalived/*.conf")


@pytest.mark.parametrize("path", FILES or [None], ids=lambda path: path.name if path else "none")
@pytest.mark.timeout(60)
def test_it_is_read_or_refused(path: Path) -> None:
    found = Diagnostics()
    try:
        configuration = load(str(path), found, LoadOptions(Options(config_id="node")))
    except FatalConfiguration:
        assert found.has_errors
        return
    assert all(render_all(found))
    compile_plan(configuration)
    if path.stat().st_size < LARGE and len(configuration.vrrp_instance) < 100:
        again, _ = read(text(configuration))
        assert again == configuration
