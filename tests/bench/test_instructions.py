"""Instructions of the proxy per request: counted, not timed, so that the same run always tells the same.

``perf`` counts them where the machine lets it, else valgrind's callgrind does; without either there is
nothing to gate. The limits leave a tenth above what was measured when they were set.
"""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import run

pytest.importorskip("evener.engine.core")

LIMITS = {"keep-alive": 30_000, "rules-50": 60_000}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> run.Bench:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler for the load generator")
    return run.Bench(tmp_path_factory.mktemp("bench"), "haproxy")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", LIMITS)
def test_instructions_per_request(bench: run.Bench, name: str) -> None:
    scenario = next(scenario for scenario in run.SCENARIOS if scenario.name == name)
    counted = bench.instructions("evener", scenario) if shutil.which("perf") else None
    if counted is None and shutil.which("valgrind"):
        counted = bench.callgrind("evener", scenario)
    if counted is None:
        pytest.skip("neither perf (with a counter of instructions) nor valgrind is there")
    assert counted <= LIMITS[name], f"{counted:,.0f} instructions per request"
