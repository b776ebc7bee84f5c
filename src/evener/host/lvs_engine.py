"""Which LVS engine there is: IPVS where the kernel has it, nftables elsewhere or on demand."""

from __future__ import annotations

from collections.abc import Callable

from evener.keepalived.lvs.ipvs import DestinationKey, Engine, ServiceKey, Traffic
from evener.keepalived.lvs.plan import CheckerOptions


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


def open_engine(options: CheckerOptions, log: Callable[[str], None]) -> Engine | None:
    """None when there is none, which has been said."""
    if options.engine != "nft":
        engine = _open_ipvs(options, log)
        if engine is not None or options.engine == "ipvs":
            return engine
        log("IPVS: not in this kernel, virtual servers run on nftables")
    return _open_nft(options, log)


def _open_ipvs(options: CheckerOptions, log: Callable[[str], None]) -> Engine | None:
    from evener.host.netlink.generic import NoFamily
    from evener.host.netlink.ipvs import open_ipvs

    log("Initializing ipvs")
    try:
        return open_ipvs()
    except NoFamily as error:
        if options.engine == "ipvs":
            log(f"IPVS: Can't initialize ipvs: {error.strerror}")
    except OSError as error:
        log(f"IPVS: Can't initialize ipvs: {error.strerror}")
    return None


def _open_nft(options: CheckerOptions, log: Callable[[str], None]) -> Engine | None:
    from evener.host.nft.engine import NftEngine
    from evener.keepalived.lvs.nft_direct import IPVS_TIMEOUTS, Timeouts

    log("Initializing nftables")
    tcp, fin, udp = options.timeouts_s or (0, 0, 0)
    usual = IPVS_TIMEOUTS
    try:
        return NftEngine(
            approximate=options.approximate,
            disconnect=options.disconnect,
            timeouts=Timeouts(tcp or usual.tcp_s, fin or usual.tcp_fin_s, udp or usual.udp_s),
        )
    except OSError as error:
        log(f"nftables: cannot open a socket: {error.strerror}")
        return None
