"""Which LVS engine there is: IPVS where the kernel has it, nftables elsewhere or on demand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from evener.keepalived.lvs.ipvs import DestinationKey, Engine, ServiceKey, Traffic
from evener.keepalived.lvs.plan import CheckerOptions

if TYPE_CHECKING:
    from evener.keepalived.lvs.nft_direct import Timeouts


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


def upkeep(engine: Engine) -> bool:
    """Whether something had to be loaded again that others removed from under an engine."""
    from evener.host.nft.engine import NftEngine

    return isinstance(engine, NftEngine) and engine.repair()


def use_timeouts(engine: Engine, options: CheckerOptions) -> None:
    """Those of a reload, where nftables is the engine."""
    from evener.host.nft.engine import NftEngine

    if isinstance(engine, NftEngine):
        engine.set_timeouts(nft_timeouts(options))


def open_engine(options: CheckerOptions, log: Callable[[str], None]) -> Engine | None:
    """None when there is none, which has been said."""
    if options.engine == "nft":
        return _open_nft(options, log)
    from evener.host.netlink.generic import NoFamily
    from evener.host.netlink.ipvs import open_ipvs

    log("Initializing ipvs")
    try:
        return open_ipvs()
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
    from evener.host.nft.engine import NftEngine

    log("Initializing nftables")
    try:
        return NftEngine(
            approximate=options.approximate,
            disconnect=options.disconnect,
            timeouts=nft_timeouts(options),
        )
    except OSError as error:
        log(f"nftables: cannot open a socket: {error.strerror}")
        return None
