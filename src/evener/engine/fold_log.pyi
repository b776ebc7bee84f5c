"""Log lines written by the engine: see fold_log.pyx."""

from collections.abc import Sequence
from typing import Any

from evener.haproxy.fold import Item, Run, Write

def fold_line(plain: Write, parts: Sequence[bytes | Write | Item]) -> Write: ...
def fold_log(plain: Run, outlet: Any, level: int, line: Write) -> Run: ...
