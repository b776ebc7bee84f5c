"""What the kernel looks at before it hands over a packet, while packets come in floods.

Fifty thousand packets a second are more than Python reads, and what a full socket drops may be the master's
adverts. ``advert_filter`` writes a program of classic BPF that lets through what admission would accept, as
far as a few comparisons can tell: hop limit, version, VRID, the length that the count of addresses
asks for, of version 2 type of authentication, interval and password, of unicast the sender, and the checksum.
(It cannot compute a digest: forged AH and auth_hmac are left to admission.) One in SAMPLE of the rest is let
through as well, so that what is wrong with it is still counted and said, and the end of the flood is noticed.

Raw IPv4 sockets show a filter the packet from its IP header on (here: one without options, which no advert
has), raw IPv6 sockets only what follows it; the rest is reached through the offset of the network header.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from evener.keepalived.vrrp.plan import Auth, Family, GlobalOptions, Instance
from evener.wire import ah, vrrp, vrrp_hmac

SAMPLE = 128
"""A power of two."""

SPARE_ADDRESSES = 16
"""An advert with so many more addresses than any of ours is only let through as a sample."""

MOST_INSTRUCTIONS = 4096
"""BPF_MAXINSNS."""

Instruction = tuple[int, int, int, int]
"""Code, how many to skip when true, when false, and k."""

# A is the accumulator, X the index, M the scratch memory (linux/filter.h).
LOAD, LOAD_HALF, LOAD_BYTE, LOAD_FROM_X = 0x20, 0x28, 0x30, 0x40
LOAD_LENGTH, LOAD_MEMORY, STORE, STORE_X, LOAD_X_MEMORY, LOAD_X = 0x80, 0x60, 0x02, 0x03, 0x61, 0x01
ADD, SUBTRACT, AND, SHIFT_LEFT, SHIFT_RIGHT, ADD_X = 0x04, 0x14, 0x54, 0x64, 0x74, 0x0C
JUMP, IF_EQUAL, IF_ABOVE, IF_EQUAL_X, RETURN, A_TO_X, X_TO_A = 0x05, 0x15, 0x25, 0x1D, 0x06, 0x07, 0x87

NETWORK = 0x1_0000_0000 - 0x100000
"""SKF_NET_OFF."""
RANDOM = 0x1_0000_0000 - 0x1000 + 56
"""SKF_AD_OFF + SKF_AD_RANDOM."""

END, SUM = 0, 1
"""Scratch memory: where the checksummed part ends, and for folding the sum."""

TAIL = -1
"""Instead of an offset: the last eight bytes, where version 2 has its password."""


class Demand(NamedTuple):
    """What adverts of one or more instances have in common. ``fields``: (offset, what may stand there)."""

    version: int
    signed: bool
    """A trailer of auth_hmac may follow."""
    pseudo: bool | None
    """Whether the checksum covers a pseudo header; None: it is not looked at."""
    fields: tuple[tuple[int, tuple[bytes, ...]], ...]


class Frame(NamedTuple):
    """Where things are in the packets of one socket."""

    family: Family
    base: int
    """Where the advert begins."""
    hops: int
    source: int
    most_units: int
    """The longest advert that is looked into, in units of four bytes behind its first eight."""

    @property
    def address_shift(self) -> int:
        return 2 if self.family is Family.INET else 4


def advert_filter(instances: Iterable[Instance], options: GlobalOptions) -> list[Instruction]:
    """The program for a socket that these share (they are of one family; all multicast or all unicast)."""
    instances = list(instances)
    program: list[Instruction] = []
    for strict in (True, False):
        program = _write(instances, _demands(instances, options, strict=strict))
        if len(program) <= MOST_INSTRUCTIONS:
            break
    return program


def _demands(instances: list[Instance], options: GlobalOptions, *, strict: bool) -> dict[Demand, set[int]]:
    """With the VRIDs that they are for."""
    found: dict[tuple[int, int], set[Demand]] = {}
    for config in instances:
        demand = demand_of(config, options, strict=strict)
        found.setdefault((config.version, config.vrid), set()).add(demand)
    demands: dict[Demand, set[int]] = {}
    for (version, vrid), several in found.items():
        demand = several.pop()
        if several:  # unicast instances with one VRID: the least that all demand
            signed = demand.signed or any(other.signed for other in several)
            demand = Demand(version, signed, None, ())
        demands.setdefault(demand, set()).add(vrid)
    return demands


def demand_of(config: Instance, options: GlobalOptions, *, strict: bool) -> Demand:
    """``strict`` False: without what may be different for each of hundreds of instances."""
    frame = _frame_of([config])
    fields: list[tuple[int, tuple[bytes, ...]]] = []
    if config.version == 2:
        interval = config.advert_cs // 100 & 0xFF
        fields.append((frame.base + 4, (bytes((config.auth, interval)),)))
        if config.auth is Auth.PASS and strict:
            fields.append((TAIL, (config.password.ljust(vrrp.AUTH_BYTES, b"\0")[: vrrp.AUTH_BYTES],)))
    if config.unicast and (config.check_unicast_src or options.check_unicast_src) and strict:
        fields.append((frame.source, tuple(sorted(peer.packed for peer in config.peers))))
    as_v2 = config.version == 2 or (config.v3_checksum_as_v2 and config.family is Family.INET)
    # The old checksum is that of another destination: either may be right.
    pseudo = None if config.old_checksum and config.unicast else not as_v2
    return Demand(config.version, config.hmac is not None, pseudo, tuple(fields))


def _frame_of(instances: list[Instance]) -> Frame:
    first = instances[0]
    guarded = ah.HEADER_BYTES if first.auth is Auth.AH else 0
    words = 1 if first.family is Family.INET else 4
    units = words * (max(len(config.advertised) for config in instances) + SPARE_ADDRESSES)
    units += (vrrp.AUTH_BYTES + vrrp_hmac.TRAILER_BYTES) // 4
    if first.family is Family.INET:
        return Frame(first.family, vrrp.IPV4_HEADER_BYTES + guarded, 8, 12, units)
    return Frame(first.family, guarded, NETWORK + 7, NETWORK + 8, units)


class Program:
    """Instructions, with names for places to jump to. Everything jumps forward."""

    def __init__(self) -> None:
        self._code: list[tuple[int, int, int, int | str]] = []
        self._places: dict[str, int] = {}

    def add(self, code: int, k: int = 0) -> None:
        self._code.append((code, 0, 0, k))

    def jump(self, place: str) -> None:
        self._code.append((JUMP, 0, 0, place))

    def jump_if(self, test: int, k: int, place: str) -> None:
        """A conditional jump reaches 255 instructions, an unconditional one any."""
        self._code.append((test, 0, 1, k))
        self.jump(place)

    def demand(self, test: int, k: int = 0, otherwise: str = "drop") -> None:
        """Go on only if the test holds."""
        self._code.append((test, 1, 0, k))
        self.jump(otherwise)

    def place(self, name: str) -> None:
        self._places[name] = len(self._code)

    def finished(self) -> list[Instruction]:
        return [
            (code, true, false, self._places[k] - at - 1 if isinstance(k, str) else k)
            for at, (code, true, false, k) in enumerate(self._code)
        ]


def _write(instances: list[Instance], demands: dict[Demand, set[int]]) -> list[Instruction]:
    frame, program = _frame_of(instances), Program()
    if not instances[0].unicast:
        program.add(LOAD_BYTE, frame.hops)
        program.demand(IF_EQUAL, vrrp.TTL)
    if frame.family is Family.INET:
        program.add(LOAD_BYTE, 0)
        program.demand(IF_EQUAL, 0x45)
    _dispatch(program, frame, demands)
    for number, demand in enumerate(demands):
        program.place(f"demand {number}")
        _check(program, frame, demand, str(number))
    _sum(program, frame)
    _end(program)
    return program.finished()


def _dispatch(program: Program, frame: Frame, demands: dict[Demand, set[int]]) -> None:
    """By version and VRID."""
    versions = sorted({demand.version for demand in demands})
    program.add(LOAD_BYTE, frame.base)
    for version in versions:
        program.jump_if(IF_EQUAL, version << 4 | vrrp.ADVERTISEMENT, f"version {version}")
    program.jump("drop")
    for version in versions:
        program.place(f"version {version}")
        program.add(LOAD_BYTE, frame.base + 1)
        for number, (demand, vrids) in enumerate(demands.items()):
            for vrid in sorted(vrids) if demand.version == version else ():
                program.jump_if(IF_EQUAL, vrid, f"demand {number}")
        program.jump("drop")


def _check(program: Program, frame: Frame, demand: Demand, name: str) -> None:
    """The length; what stands at its places; then the checksum."""
    trailer = vrrp.AUTH_BYTES if demand.version == 2 else 0
    program.add(LOAD_BYTE, frame.base + 3)
    program.add(SHIFT_LEFT, frame.address_shift)
    program.add(ADD, frame.base + vrrp.HEADER_BYTES + trailer)
    program.add(STORE, END)
    program.add(A_TO_X)
    program.add(LOAD_LENGTH)
    if demand.signed:
        program.jump_if(IF_EQUAL_X, 0, f"length {name}")
        program.add(SUBTRACT, vrrp_hmac.TRAILER_BYTES)
        program.demand(IF_EQUAL_X)
        program.place(f"length {name}")
        if frame.family is Family.INET6:  # see Admission: there the checksum is of all that is sent
            program.add(LOAD_LENGTH)
            program.add(STORE, END)
    else:
        program.demand(IF_EQUAL_X)
    for number, (offset, allowed) in enumerate(demand.fields):
        _compare(program, offset, allowed, f"field {name} {number}")
    program.jump("accept" if demand.pseudo is None else "pseudo" if demand.pseudo else "plain")


def _compare(program: Program, offset: int, allowed: tuple[bytes, ...], name: str) -> None:
    if offset == TAIL:
        program.add(X_TO_A)
        program.add(SUBTRACT, vrrp.AUTH_BYTES)
        program.add(A_TO_X)
        for at in (0, 4):
            program.add(LOAD_FROM_X, at)
            program.demand(IF_EQUAL, int.from_bytes(allowed[0][at : at + 4], "big"))
        return
    for number, value in enumerate(allowed):
        program.place(f"{name} {number}")
        other = f"{name} {number + 1}" if number + 1 < len(allowed) else "drop"
        size = 4 if len(value) % 4 == 0 else 2
        for at in range(0, len(value), size):
            program.add(LOAD if size == 4 else LOAD_HALF, offset + at)
            program.demand(IF_EQUAL, int.from_bytes(value[at : at + size], "big"), other)
        program.jump(f"{name} fits")
    program.place(f"{name} fits")


def _sum(program: Program, frame: Frame) -> None:
    """The checksum (RFC 1071), of an advert that ends at M[END]; jumps to its end by fours."""

    def add_half(offset: int) -> None:
        program.add(LOAD_HALF, offset)
        program.add(ADD_X)
        program.add(A_TO_X)

    program.place("pseudo")
    program.add(LOAD_MEMORY, END)
    program.add(SUBTRACT, frame.base)
    program.add(ADD, vrrp.PROTOCOL)
    program.add(A_TO_X)
    for offset in range(0, 8 if frame.family is Family.INET else 32, 2):
        add_half(frame.source + offset)
    program.jump("sum")
    program.place("plain")
    program.add(LOAD_X, 0)
    program.place("sum")
    start = frame.base + vrrp.HEADER_BYTES
    for offset in range(frame.base, start, 2):
        add_half(offset)
    for offset in range(start, start + 4 * frame.most_units, 4):
        program.add(LOAD_MEMORY, END)
        program.jump_if(IF_EQUAL, offset, "fold")
        add_half(offset)
        add_half(offset + 2)
    program.add(LOAD_MEMORY, END)
    program.demand(IF_EQUAL, start + 4 * frame.most_units)
    program.place("fold")
    for _ in range(2):
        program.add(X_TO_A)
        program.add(SHIFT_RIGHT, 16)
        program.add(STORE, SUM)
        program.add(X_TO_A)
        program.add(AND, 0xFFFF)
        program.add(LOAD_X_MEMORY, SUM)
        program.add(ADD_X)
        program.add(A_TO_X)
    program.demand(IF_EQUAL, 0xFFFF)


def _end(program: Program) -> None:
    program.place("accept")
    program.add(RETURN, 0xFFFFFFFF)
    program.place("drop")
    program.add(LOAD, RANDOM)
    program.add(AND, SAMPLE - 1)
    program.jump_if(IF_EQUAL, 0, "accept too")
    program.add(RETURN, 0)
    program.place("accept too")
    program.add(RETURN, 0xFFFFFFFF)
