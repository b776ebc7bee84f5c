"""Keys of auth_hmac in files."""

from pathlib import Path

import pytest

from evener.host.vrrp_keys import read_key, with_keys
from evener.keepalived.vrrp.plan import HmacAuth, HmacKey, Instance, VrrpPlan


@pytest.mark.parametrize(
    ("content", "mode", "found", "said"),
    [
        ("x" * 32 + "\n", 0o600, b"x" * 32, []),
        ("hex:" + "0a" * 32, 0o400, b"\x0a" * 32, []),
        ("x" * 32, 0o640, b"x" * 32, ["is readable by group or others"]),
        ("short", 0o600, b"", ["length not in range"]),
        ("x" * 5000, 0o600, b"", ["length not in range"]),
    ],
)
def test_read_key(tmp_path: Path, content: str, mode: int, found: bytes, said: list[str]) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    path.chmod(mode)
    messages: list[str] = []
    assert read_key(HmacKey(1, path=str(path)), messages.append) == found
    assert len(messages) == len(said) and all(a in b for a, b in zip(said, messages, strict=True))


def test_a_missing_file_leaves_its_key_out() -> None:
    auth = HmacAuth((HmacKey(1, b"k" * 32), HmacKey(2, path="/nowhere/key")))
    messages: list[str] = []
    plan = with_keys(VrrpPlan(instances=(Instance("V", 5, "eth0", hmac=auth),)), messages.append)
    made = plan.instances[0].hmac
    assert made is not None and made.key(1) == b"k" * 32 and made.key(2) is None
    assert messages == ["(V) auth_hmac key file '/nowhere/key' cannot be opened"]
