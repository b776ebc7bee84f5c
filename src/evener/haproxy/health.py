"""The level of health of one server as its checks end, and when the next check is due.

A level runs from 0 to rise + fall - 1; from ``rise`` on the server counts as healthy. One success
after a fall, or one failure after a rise, moves the level by one; reaching ``rise`` jumps to the top
and falling below it drops to 0, so that ``fall`` failures in a row are needed to go down and ``rise``
successes to come back. It knows neither servers nor sockets nor time.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from evener.haproxy.checks.outcome import CheckStatus, Outcome, Verdict
from evener.haproxy.checks.steps import CONNECT_ONLY, Script
from evener.text.record import dataclass


class InitState(Enum):
    """``init-state``: whether the server starts up, and how many checks change that."""

    NONE = "none"
    FULLY_UP = "fully-up"
    UP = "up"
    DOWN = "down"
    FULLY_DOWN = "fully-down"


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """What a ``server`` line and its section say about one check. Durations in milliseconds."""

    script: Script = CONNECT_ONLY
    rise: int = 2
    fall: int = 3
    inter: int = 2000
    fastinter: int = 0
    downinter: int = 0
    timeout: int = 0  #: ``timeout check``
    connect_timeout: int = 0
    address: str | None = None
    port: int | None = None
    send_proxy: bool = False
    proxy_v2: bool = False  #: the PROXY header of the server's line is one of version 2
    proxy_ssl: bool = False  #: which says that nothing is encrypted
    proxy_checksum: bool = False  #: and has a checksum
    proxy_local: bool = True  #: and says that nobody is spoken for
    socks4: tuple[str, int] | None = None  #: host and port of the SOCKS4 proxy of the server's line
    via_socks4: bool = False  #: ``check-via-socks4``
    namespace: str | None = None  #: the network namespace to connect from
    agent: bool = False
    init: InitState = InitState.NONE


INITIAL = Outcome(CheckStatus.INI)


class Effect(Enum):
    """What the end of a check asks for, whatever the server's state."""

    NOTHING = "nothing"
    UP = "up"
    DOWN = "down"
    STOPPING = "stopping"


class Health:
    """The level of one check of one server, and the outcome that moved it last."""

    __slots__ = ("enabled", "failures", "level", "outcome", "paused", "running", "settings")

    def __init__(self, settings: CheckSettings) -> None:
        self.settings = settings
        self.level = self._initial()
        self.outcome = INITIAL
        self.enabled = True
        self.paused = False  #: the server is in maintenance
        self.running = False  #: a check is under way
        self.failures = 0

    def _initial(self) -> int:
        rise = self.settings.rise
        return {
            InitState.NONE: 0,
            InitState.FULLY_UP: self.top,
            InitState.UP: rise,
            InitState.DOWN: rise - 1,
            InitState.FULLY_DOWN: 0,
        }[self.settings.init]

    @property
    def top(self) -> int:
        return self.settings.rise + self.settings.fall - 1

    @property
    def healthy(self) -> bool:
        return self.level >= self.settings.rise

    def ended(self, outcome: Outcome) -> tuple[Effect, bool]:
        """Account for a finished check: (what it asks for, whether anything about it changed)."""
        changed = outcome.status is not self.outcome.status
        self.outcome = outcome
        verdict = outcome.status.verdict
        if verdict is Verdict.FAILED:
            if self.level > 0:
                changed = True
                self.failures += 1
                self.level = self.level - 1 if self.level > self.settings.rise else 0
            return (Effect.NOTHING if self.healthy else Effect.DOWN), changed
        if verdict not in (Verdict.PASSED, Verdict.CONDITIONAL):
            return Effect.NOTHING, changed
        if self.level < self.top:
            changed = True
            self.level += 1
            if self.healthy:
                self.level = self.top
        if not self.healthy:
            return Effect.NOTHING, changed
        return (Effect.UP if verdict is Verdict.PASSED else Effect.STOPPING), changed

    def weaken(self) -> None:
        """The next failure is the last but one, if there is that much left."""
        self.level = min(self.level, self.settings.rise + 1)

    def revive(self) -> None:
        """Leaving maintenance: up, but one failure is enough to go down."""
        self.level = {
            InitState.NONE: self.settings.rise,
            InitState.FULLY_UP: self.top,
            InitState.UP: self.settings.rise,
            InitState.DOWN: self.settings.rise - 1,
            InitState.FULLY_DOWN: 0,
        }[self.settings.init]

    def move(self, address: str | None = None, port: int | None = None) -> None:
        """Check another address or port from now on; None leaves that part as it is."""
        settings = self.settings
        self.settings = replace(settings, address=address or settings.address, port=port or settings.port)

    def interval(self, up: bool) -> int:
        """Milliseconds between checks: ``inter`` when stable up, ``downinter`` when surely down,
        ``fastinter`` in between."""
        settings = self.settings
        if up and self.level >= self.top:
            return settings.inter
        if not up and self.level == 0:
            return settings.downinter or settings.inter
        return settings.fastinter or settings.inter

    def told(self, used: bool = True) -> str:
        """``3/3 UP`` or ``1/2 DOWN``, as the check log line ends; DRAIN is a server without a weight."""
        if self.healthy:
            return f"{self.level - self.settings.rise + 1}/{self.settings.fall} {'UP' if used else 'DRAIN'}"
        return f"{self.level}/{self.settings.rise} DOWN"

    def state_bits(self) -> int:
        """``srv_check_state``: 1 under way, 2 configured, 4 enabled, 8 paused, 16 agent."""
        bits = 2 | (1 if self.running else 0) | (4 if self.enabled else 0)
        return bits | (8 if self.paused else 0) | (16 if self.settings.agent else 0)
