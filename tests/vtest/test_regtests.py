"""HAProxy's own regression tests, run against this program.

They are not part of the project. EVENER_HAPROXY_CHECKOUT names a checkout of haproxy/haproxy and
EVENER_VTEST a built vtest; without them there is nothing to run. ``fixtures/haproxy/regtests.tsv`` lists
the tests of plain TCP and HTTP/1 that are not passed, each with the reason: all others must be.
"""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import regtests

CHECKOUT = os.environ.get("EVENER_HAPROXY_CHECKOUT")
VTEST = os.environ.get("EVENER_VTEST")
FLOOR = 145  # tests that must pass in all
LISTED = Path(__file__).parents[2] / "fixtures" / "haproxy" / "regtests.tsv"
#: What a reason may begin with: the work the test needs.
NEEDS = {
    "TLS",
    "HTTP/2",
    "HTTP/3",
    "Lua",
    "master",
    "peers",
    "resolvers",
    "FastCGI",
    "SPOE",
    "mailers",
    "reference",
}


def reasons() -> dict[str, str]:
    """Reason by test path, of the tests that are not passed."""
    rows = [line.split("\t") for line in LISTED.read_text().splitlines() if not line.startswith("#")]
    return {row[0]: row[1] for row in rows}


def test_every_test_not_passed_has_a_reason_that_is_one() -> None:
    listed = reasons()
    assert list(listed) == sorted(listed)
    for path, reason in listed.items():
        assert reason.split(":")[0] in NEEDS, f"{path}: {reason}"


@pytest.mark.skipif(not (CHECKOUT and VTEST), reason="EVENER_HAPROXY_CHECKOUT and EVENER_VTEST are not set")
@pytest.mark.timeout(3600)
def test_regression_tests_of_haproxy() -> None:
    assert CHECKOUT and VTEST
    checkout = Path(CHECKOUT)
    tests = regtests.collect(checkout, [])
    program = Path(sys.executable).parent / "haproxy"
    verdicts = regtests.run_all(Path(VTEST), checkout, program, tests, jobs=2)
    again = [Path(test) for test, verdict in verdicts.items() if verdict == "FAIL" and test not in reasons()]
    verdicts |= regtests.run_all(Path(VTEST), checkout, program, again, jobs=1)  # some race by themselves
    passed = [test for test, verdict in verdicts.items() if verdict == "pass"]
    missing = [test for test in verdicts if test not in passed and test not in reasons()]
    assert not missing, f"neither passed nor listed in {LISTED.name}: {missing}"
    assert len(passed) >= FLOOR, f"{len(passed)} of {len(tests)} pass: {passed}"


#: Tests that want a program with TLS, and then use only what needs a library of cryptography.
UNENCRYPTED = (
    "converter/aes_cbc.vtc",
    "converter/aes_gcm.vtc",
    "converter/digest.vtc",
    "converter/hmac.vtc",
    "converter/secure_memcmp.vtc",
    "converter/sha2.vtc",
    "jwt/jwt_decrypt.vtc",
    "server/cli_add_check_server.vtc",
    "server/cli_add_track_server.vtc",
    "ssl/crt_store.vtc",
)


@pytest.mark.skipif(not (CHECKOUT and VTEST), reason="EVENER_HAPROXY_CHECKOUT and EVENER_VTEST are not set")
@pytest.mark.timeout(600)
def test_what_wants_tls_and_needs_none(tmp_path: Path) -> None:
    """They are run without the line that asks for the feature, beside their files."""
    assert CHECKOUT and VTEST
    for folder in {Path(name).parent for name in UNENCRYPTED}:
        shutil.copytree(Path(CHECKOUT) / "reg-tests" / folder, tmp_path / "reg-tests" / folder)
    tests = [Path("reg-tests") / name for name in UNENCRYPTED]
    for test in tests:
        text = (tmp_path / test).read_text()
        (tmp_path / test).write_text(re.sub(r"(?m)^feature cmd .*OPENSSL.*$", "", text))
    program = Path(sys.executable).parent / "haproxy"
    verdicts = regtests.run_all(Path(VTEST), tmp_path, program, tests, jobs=1)
    assert set(verdicts.values()) == {"pass"}, verdicts
