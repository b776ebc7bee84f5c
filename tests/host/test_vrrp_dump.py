"""The files that exporters read."""

import json
import os
import socket
import stat
from pathlib import Path

import pytest

from evener.host.vrrp_dump import statistics, write_private
from evener.host.vrrp_json import STATS_KEYS, document
from evener.keepalived.vrrp.admission import Stats
from evener.keepalived.vrrp.fsm import Machine
from evener.keepalived.vrrp.plan import Auth, Instance, Notifications, Program, VirtualAddress

VIP = VirtualAddress(socket.inet_aton("10.0.0.100"), 24, "eth0", label="eth0:1")
CONFIG = Instance(
    "VI_1",
    51,
    "eth0",
    addresses=(VIP,),
    auth=Auth.PASS,
    password=b"secret",
    notify=Notifications(any=Program(("/n", "x"))),
)


def test_json_has_the_originals_keys() -> None:
    entry = json.loads(document([(Machine(CONFIG), Stats(advert_sent=7), 1234.5)]))[0]
    assert list(entry) == ["data", "stats"]
    data, stats = entry["data"], entry["stats"]
    assert tuple(stats) == STATS_KEYS
    assert stats["advert_sent"] == 7
    assert data["vips"] == ["10.0.0.100/24 dev eth0 scope global label eth0:1"]
    assert data["auth_data"] == "********"
    assert data["script"] == "'/n' 'x'"
    assert [data[key] for key in ("state", "vrid", "base_priority")] == [0, 51, 100]
    assert data["last_transition"] == 1234.5
    assert "secret" not in json.dumps(entry)


def test_statistics_lines() -> None:
    text = statistics([("VI_1", Stats(advert_rcvd=3, ip_ttl_err=1, pri_zero_sent=2))])
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0] == "VRRP Instance: VI_1"
    assert "Received: 3" in lines
    assert "TTL: 1" in lines
    assert lines[-2:] == ["Received: 0", "Sent: 2"]


def test_files_are_private_and_follow_no_link(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "keepalived.stats"
    victim.write_text("precious", encoding="ascii")
    path.symlink_to(victim)
    write_private(path, "new")
    assert victim.read_text(encoding="ascii") == "precious"
    assert path.read_text(encoding="ascii") == "new"
    assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600
    with pytest.raises(OSError):
        write_private(tmp_path / "no" / "where", "x")
