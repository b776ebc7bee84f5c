"""Log lines written by the engine: see fold_log.pyx."""

from collections.abc import Sequence

from evener.haproxy.fold import Item, Write

def fold_line(plain: Write, parts: Sequence[bytes | Write | Item]) -> Write: ...
