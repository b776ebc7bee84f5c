"""An evener router for the lab: runs the pickled plan of its home directory, reads it again on HUP."""

import pickle
import sys
from pathlib import Path

from evener.cli.keepalived_run import RunOptions, run
from evener.host.vrrp_log import LogOptions
from evener.keepalived.vrrp.plan import VrrpPlan

home = Path(sys.argv[1])


def read() -> VrrpPlan | None:
    try:
        plan = pickle.loads((home / "plan").read_bytes())
    except Exception:
        return None
    assert isinstance(plan, VrrpPlan)
    return plan


first = read()
assert first is not None
log = LogOptions(console=True, syslog=False, detail=True)
sys.exit(run(first, RunOptions(True, log, home / "pid", home / "vrrp_pid"), read))
