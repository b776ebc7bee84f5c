"""HAProxy's own regression tests, run against this program.

They are not part of the project. EVENER_HAPROXY_CHECKOUT names a checkout of haproxy/haproxy and
EVENER_VTEST a built vtest; without them there is nothing to run.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import regtests

CHECKOUT = os.environ.get("EVENER_HAPROXY_CHECKOUT")
VTEST = os.environ.get("EVENER_VTEST")
FLOOR = 40  # tests known to pass; raised as more do


@pytest.mark.skipif(not (CHECKOUT and VTEST), reason="EVENER_HAPROXY_CHECKOUT and EVENER_VTEST are not set")
@pytest.mark.timeout(3600)
def test_regression_tests_of_haproxy() -> None:
    assert CHECKOUT and VTEST
    checkout = Path(CHECKOUT)
    tests = regtests.collect(checkout, [])
    program = Path(sys.executable).parent / "haproxy"
    verdicts = regtests.run_all(Path(VTEST), checkout, program, tests, jobs=2)
    passed = [test for test, verdict in verdicts.items() if verdict == "pass"]
    assert len(passed) >= FLOOR, f"{len(passed)} of {len(tests)} pass: {passed}"
