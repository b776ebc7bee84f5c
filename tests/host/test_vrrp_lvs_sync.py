"""The sync daemon of IPVS follows the state of its instance: sender or receiver, never both."""

from __future__ import annotations

import errno

import pytest

from evener.host import vrrp_lvs_sync
from evener.host.vrrp_lvs_sync import LvsSync
from evener.keepalived.vrrp.messages import Told
from evener.keepalived.vrrp.plan import SyncDaemon
from evener.wire.ipvs import STATE_BACKUP, STATE_MASTER

PLAN = SyncDaemon("eth0", "VI", 51)
NAMES = {STATE_MASTER: "master", STATE_BACKUP: "backup"}


class Engine:
    def __init__(self) -> None:
        self.orders: list[str] = []
        self.code = 0

    def synchronise(self, plan: SyncDaemon, state: int, on: bool) -> int:
        self.orders.append(f"{'+' if on else '-'}{NAMES[state]} {plan.sync_id}")
        return self.code

    def close(self) -> None:
        self.orders.append("closed")

    def take(self) -> list[str]:
        taken, self.orders = self.orders, []
        return taken


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr(vrrp_lvs_sync, "open_ipvs", lambda: made)
    return made


def test_states(engine: Engine) -> None:
    log: list[str] = []
    sync = LvsSync(log.append)
    sync.adopt(PLAN)
    assert engine.take() == []
    sync.start()
    assert engine.take() == ["+backup 51"]
    sync.told("other", Told.MASTER)
    sync.told("VI", Told.BACKUP)
    sync.told("VI", Told.MASTER_RX_LOWER_PRI)
    assert engine.take() == []
    sync.told("VI", Told.MASTER)
    assert engine.take() == ["-backup 51", "+master 51"]
    sync.told("VI", Told.FAULT)
    assert engine.take() == ["-master 51", "+backup 51"]
    sync.close()
    assert engine.take() == ["-backup 51", "closed"]
    assert log == []


def test_a_reload_disturbs_nothing_that_stays(engine: Engine) -> None:
    sync = LvsSync(lambda line: None)
    sync.adopt(PLAN)
    sync.start()
    sync.told("VI", Told.MASTER)
    engine.take()
    sync.adopt(SyncDaemon("eth0", "VI", 51))
    assert engine.take() == []
    sync.adopt(SyncDaemon("eth0", "VI", 52))
    assert engine.take() == ["-master 51", "+master 52"]
    sync.adopt(None)
    assert engine.take() == ["-master 52"]


def test_refusals_are_logged(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    sync = LvsSync(log.append)
    engine.code = errno.ENODEV
    sync.adopt(PLAN)
    sync.start()
    assert log == ["IPVS cmd IP_VS_SO_SET_STARTDAEMON(1163) error: No such device(19)"]

    def refuse() -> Engine:
        raise OSError(errno.ENOENT, "no such family")

    monkeypatch.setattr(vrrp_lvs_sync, "open_ipvs", refuse)
    without = LvsSync(log.append)
    without.adopt(PLAN)
    without.start()
    without.told("VI", Told.MASTER)
    without.close()
    assert log[1:] == ["IPVS: Can't initialize ipvs: no such family"]
