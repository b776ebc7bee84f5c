"""Which process this is, for samples and log lines: set when the workers are forked.

Signals, pid files and log lines name the process that was started; each worker has a number besides.
"""

from __future__ import annotations

import os

from evener.text.record import dataclass


@dataclass(slots=True)
class Identity:
    started: int = 0  #: the process that was started; 0: nothing was forked
    worker: int = 0

    @property
    def pid(self) -> int:
        return self.started or os.getpid()


IDENTITY = Identity()
