"""What an argument and a check may look at while a configuration is read, and how they speak.

``Surroundings`` are the facts of the machine that the original consults while it reads: which
interfaces exist, which users, which programs. Each may be unknown (None), and then nothing is said
about it: a configuration can be checked on a machine it is not meant for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from evener.keepalived.include import Check
from evener.text.diagnostic import Diagnostic, Diagnostics, FatalConfiguration, Severity
from evener.text.record import dataclass
from evener.text.render_keepalived import ParentDiagnostic
from evener.text.span import Span

if TYPE_CHECKING:
    from evener.keepalived.scripts import User

FIRST_RULE_PREFERENCE = 16384
DEFAULT_USER = "keepalived_script"


class Program(Enum):
    """What is known of a program that a script names."""

    FINE = "fine"
    UNSAFE = "it runs as root, and others may write it"
    MISSING = "not found/accessible"
    INSECURE = "insecure"
    NOT_EXECUTABLE = "not executable by its user"
    A_FILE = "a file that is opened, not run"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The machine as far as reading asks for it; None: nothing is known, nothing is checked."""

    interfaces: frozenset[str] | None = None
    program: Callable[[tuple[str, ...], User | None, bool], Program] | None = None
    """Of the words of a script, who runs it, and whether what others may write is refused."""
    user_exists: Callable[[str, str | None], bool] | None = None
    directory_exists: Callable[[str], bool] | None = None
    iproute_names: Callable[..., Mapping[str, int]] | None = None
    """Of a kind; ``directories`` (a tuple) when they are not the usual ones."""
    """The names in a file of iproute2 (``rt_tables``...)."""
    vrf_table: Callable[[str], int | None] | None = None
    resolves: Callable[[str, str], bool] | None = None
    """Whether a host name and a service have an address."""
    cpus: int | None = None
    """How many processors there are."""

    def lacks(self, interface: str) -> bool:
        """Whether it is known that there is no such interface."""
        return self.interfaces is not None and interface not in self.interfaces


class MissingWord(FatalConfiguration):
    """A word is missing that the original needs; the process that reads the block ends."""


PARENT, VRRP, CHECKER, BFD = "parent", "vrrp", "checker", "bfd"
READ_TWICE = ("track_file", "vrrp_track_file")
"""The blocks that the checker process reads as well, before the other does."""
OTHERS = {"virtual_server": CHECKER, "virtual_server_group": CHECKER, "SSL": CHECKER, "bfd_instance": BFD}


ORDER = (CHECKER, VRRP, BFD)
"""In which -t reads for the processes; where it ends, it does not read for those behind."""


def reader_of(keyword: str, block: bool) -> str:
    """The process of the original that reads a block, or a line outside of all blocks."""
    if keyword == "global_defs" or not block:
        return PARENT
    return OTHERS.get(keyword, VRRP)


class Reading:
    """One configuration being read. ``name`` is the innermost block's; ``builders`` are the open ones."""

    def __init__(self, diagnostics: Diagnostics, surroundings: Surroundings) -> None:
        self.diagnostics = diagnostics
        self.surroundings = surroundings
        self.names: list[str] = []
        self.builders: list[Any] = []
        self.marks: list[dict[str, dict[Hashable, str]]] = [{}]  #: of each open block: what it holds, by kind
        self.parent = False  #: whether the lines being read belong to the parent process
        self.dynamic_interfaces = False
        self.missing_interfaces = False
        self.entries: list[tuple[str, Span, Span]] = []  #: whose process, first and last line
        self.hidden: list[tuple[Span, Span]] = []  #: blocks that their process does not see
        self.braceless: set[tuple[int, int]] = set()  #: see ``shape``
        self.ended: set[str] = set()  #: processes of the original that have come to their end
        self.silent = False  #: whether the process of the original that says this has ended
        self.include_check = Check.NONE
        self.seed: int | None = None  #: a random_seed that the reader has not been told yet
        self.inside_planned = False  #: whether a block around was announced as not executed
        self.announced: set[str] = set()
        self.word = ""  #: the first one behind the keyword of the line that is read
        self.said: dict[str, set[str]] = {}  #: value blocks that stood in each instance, even empty ones

        self.vmac_names: dict[str, str] = {}  #: interfaces that instances make, and whose they are
        self.skipped: list[tuple[Span, Span]] = []  #: blocks passed over: first and last line
        self.garp_grouped: set[str] = set()
        self.garp_groups = 0  #: lists of interfaces so far: the original numbers groups by them
        self.begun = False  #: whether a block was read that global_defs may have a say in
        self.late: tuple[Any, ...] = ()  #: facts, when some of them were told behind such a block
        self.secure = False  #: enable_script_security, known from a reading before
        self.sync_interface = ""  #: where IPVS connections are synchronised: whoever says it first
        self.global_sync = ""  #: the same, of lvs_sync_daemon
        self.script_user_fails: bool | None = None  #: None: there is no script_user
        self.default_user_fails: bool | None = None  #: None: nobody has asked for it so far
        self.default_user_asked: dict[str, Span] = {}  #: where it was missed first, by kind of block
        self._rule_preference: dict[int, int] = {}

    def lacks_default_user(self, span: Span) -> bool:
        """Whether a script at ``span`` that names no user has none to run as.

        Without script_user it is keepalived_script, where there is one; else only scripts that need not be
        safe may run, as whoever runs this program.
        """
        exists = self.surroundings.user_exists
        if exists is None:
            return False
        if self.default_user_fails is None:
            self.default_user_fails = self._wants_security() and not exists(DEFAULT_USER, None)
            self.default_user_asked = {"": span} if self.default_user_fails else {}
        if self.default_user_asked:
            kind = self.builders[1].cls.__name__ if len(self.builders) > 1 else ""
            self.default_user_asked.setdefault(kind, span)
        return self.default_user_fails

    def facts(self) -> tuple[Any, ...]:
        """What global_defs has said so far that other blocks are read by."""
        return self.dynamic_interfaces, self._wants_security(), self.global_sync, self.script_user_fails

    def recall(self, facts: tuple[Any, ...]) -> None:
        """What a reading before has found out."""
        self.dynamic_interfaces, self.secure, self.sync_interface, self.default_user_fails = facts

    def _wants_security(self) -> bool:
        """Whether enable_script_security was read so far."""
        settings = self.builders[0].get(("global_defs",))
        inner = [b for b in self.builders[1:2] if b.cls.__name__ == "GlobalDefs"]
        known = [b.get(("enable_script_security",)) for b in inner]
        return self.secure or any(known) or (settings is not None and settings.enable_script_security)

    def default_user_place(self) -> Span | None:
        """Where the original misses its default user: it reads virtual servers before VRRP."""
        asked = self.default_user_asked
        return asked.get("GlobalDefs") or asked.get("VirtualServer") or asked.get("")

    def next_rule_preference(self, family: int) -> int:
        """What a routing rule without a preference gets: counted down, for each family."""
        value = self._rule_preference.get(family, FIRST_RULE_PREFERENCE)
        self._rule_preference[family] = value - 1
        return value

    @property
    def name(self) -> str:
        return self.names[-1] if self.names else ""

    def mark(self, kind: str, key: Hashable, note: str = "") -> str | None:
        """Remember that the innermost block holds ``key``; the note of an earlier one, or None."""
        held = self.marks[-1].setdefault(kind, {})
        before = held.get(key)
        if before is None:
            held[key] = note
        return before

    def knows(self, kind: str, key: Hashable) -> bool:
        """Whether the configuration holds a block ``key`` of this kind so far."""
        return key in self.marks[0].get(kind, {})

    def say(self, severity: Severity, code: str, message: str, span: Span | None) -> None:
        if self.silent:
            return
        kind = ParentDiagnostic if self.parent else Diagnostic
        self.diagnostics.add(kind(code, severity, message, span))

    def alert(self, code: str, message: str, span: Span | None = None) -> None:
        """Something is refused."""
        self.say(Severity.ALERT, code, message, span)

    def warn(self, code: str, message: str, span: Span | None = None) -> None:
        """Something is corrected or doubtful."""
        self.say(Severity.WARNING, code, message, span)

    def notice(self, code: str, message: str, span: Span | None = None) -> None:
        """Something the user should know; ``-t`` does not fail for it."""
        self.say(Severity.NOTICE, code, message, span)

    def misses(self, interface: str) -> bool:
        """Whether an interface does not exist and has to; the configuration will not run then."""
        if not self.surroundings.lacks(interface) or self.dynamic_interfaces:
            return False
        self.missing_interfaces = True
        return True

    def interface(self, name: str, message: str, span: Span | None) -> bool:
        """Say ``message`` when the interface does not exist and has to; whether it is well."""
        if not self.misses(name):
            return True
        self.warn("unknown-interface", message, span)
        return False
