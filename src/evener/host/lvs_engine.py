"""Which LVS engine there is: IPVS where the kernel has it, nftables elsewhere or on demand."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from evener.keepalived.lvs.ipvs import DestinationKey, Engine, Measured, ServiceKey, Traffic
from evener.keepalived.lvs.plan import CheckerOptions

if TYPE_CHECKING:
    from evener.host.nft.marking import MarkTables
    from evener.keepalived.lvs.nft_direct import Timeouts


HELD_ROUNDS, HELD_PAUSE_S = 20, 0.1


class LvsMachine:
    """An engine as the control socket sees it (``keepalived.lvs.control.Machine``)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def engine(self) -> str:
        return self._engine.name

    def traffic(self) -> dict[tuple[ServiceKey, DestinationKey | None], Traffic]:
        try:
            return self._engine.traffic()
        except OSError:
            return {}

    def disconnect(self, key: ServiceKey, destinations: list[DestinationKey]) -> int | None:
        from evener.host.nft.engine import NftEngine

        if isinstance(self._engine, NftEngine):
            return self._engine.disconnect(key, destinations)
        return None


def measured(engine: Engine) -> dict[tuple[ServiceKey, DestinationKey | None], Measured]:
    """All that an engine counts; nftables estimates nothing."""
    from evener.host.netlink.ipvs import Ipvs

    try:
        if isinstance(engine, Ipvs):
            return engine.measured()
        return {place: Measured(traffic) for place, traffic in engine.traffic().items()}
    except OSError:
        return {}


def upkeep(engine: Engine) -> bool:
    """Whether something had to be loaded again that others removed from under an engine."""
    from evener.host.nft.engine import NftEngine

    return isinstance(engine, NftEngine) and engine.repair()


def hold(name: str) -> socket.socket | None:
    """A sign that a table is ours, which goes with the process; None while another has it. Abstract names
    are those of a network namespace, as tables are."""
    sign = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    for _ in range(HELD_ROUNDS):
        try:
            sign.bind(f"\0evener/{name}")
            return sign
        except OSError:
            time.sleep(HELD_PAUSE_S)  # one that is stopping
    sign.close()
    return None


def use_timeouts(engine: Engine, options: CheckerOptions) -> None:
    """Those of a reload, where nftables is the engine."""
    from evener.host.nft.engine import NftEngine

    if isinstance(engine, NftEngine):
        engine.set_timeouts(nft_timeouts(options))


def open_engine(options: CheckerOptions, log: Callable[[str], None]) -> Engine | None:
    """None when there is none, which has been said."""
    if options.engine == "nft":
        return _open_nft(options, log)
    from evener.host.namespace import within
    from evener.host.netlink.generic import NoFamily
    from evener.host.netlink.ipvs import open_ipvs

    log("Initializing ipvs")
    try:
        return within(options.namespace, open_ipvs)
    except OSError as error:
        if isinstance(error, NoFamily) and options.engine == "auto":
            log("IPVS: not in this kernel, virtual servers run on nftables")
            return _open_nft(options, log)
        log(f"IPVS: Can't initialize ipvs: {error.strerror}")
    return None


def nft_timeouts(options: CheckerOptions) -> Timeouts:
    """lvs_timeouts; what they leave open is as in IPVS."""
    from evener.keepalived.lvs.nft_direct import IPVS_TIMEOUTS, Timeouts

    tcp, fin, udp = options.timeouts_s or (0, 0, 0)
    usual = IPVS_TIMEOUTS
    return Timeouts(tcp or usual.tcp_s, fin or usual.tcp_fin_s, udp or usual.udp_s)


def _open_nft(options: CheckerOptions, log: Callable[[str], None]) -> Engine | None:
    from evener.host.namespace import within
    from evener.host.nft.engine import NftEngine
    from evener.keepalived.lvs.nft_table import table_name

    log("Initializing nftables")
    name = table_name(options.instance)

    def make() -> NftEngine | None:
        alone = hold(name)
        if alone is None:
            return None
        engine = NftEngine(
            approximate=options.approximate,
            disconnect=options.disconnect,
            timeouts=nft_timeouts(options),
            name=name,
        )
        engine.alone = alone
        return engine

    try:
        engine = within(options.namespace, make)
        if engine is None:
            log(f"nftables: another process keeps table {name} here: give each daemon an instance name")
        return engine
    except OSError as error:
        log(f"nftables: cannot open a socket: {error.strerror}")
        return None


def open_marking(options: CheckerOptions, engine: Engine, log: Callable[[str], None]) -> MarkTables | None:
    """The tables of nftables_ipvs, which only IPVS has a use for."""
    if options.marking is None or engine.name != "ipvs":
        return None
    from evener.host.namespace import within
    from evener.host.nft.marking import MarkTables

    make = partial(MarkTables, options.marking, log)
    try:
        return within(options.namespace, make)
    except OSError as error:
        log(f"nftables_ipvs: cannot open a socket: {error.strerror}")
        return None
