"""keepalived_check.data: the virtual servers and their checks as they stand now, in the original's lines.

For people, and for scripts that were written for the original's file. What is not known here (how often a
regular expression is used, when a reload met a server) is left out, or zero.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator

from evener.keepalived.described import Owned, told
from evener.keepalived.lvs.checking import CheckView
from evener.keepalived.lvs.describe_checks import lines_of
from evener.keepalived.lvs.director import Director
from evener.keepalived.lvs.ipvs import FULL_MASK, Forwarding, Method, ServiceFlags, ServiceKey, TunnelType
from evener.keepalived.lvs.plan import Settings, SorryServer, VirtualServer
from evener.keepalived.lvs.pool import Real
from evener.keepalived.lvs.probes import BfdProbe, FileProbe
from evener.keepalived.lvs.service import VirtualService
from evener.keepalived.vrrp.describe import SECOND
from evener.keepalived.vrrp.describe_tracked import quoted
from evener.keepalived.vrrp.plan import Family, Program

Account = Callable[[Program | Owned], str]
FLAGS = {
    "sh": (("sh-port", ServiceFlags.SCHED2), ("sh-fallback", ServiceFlags.SCHED1)),
    "mh": (("mh-port", ServiceFlags.SCHED2), ("mh-fallback", ServiceFlags.SCHED1)),
}
OTHER_FLAGS = (
    ("flag-1", ServiceFlags.SCHED1),
    ("flag-2", ServiceFlags.SCHED2),
    ("flag-3", ServiceFlags.SCHED3),
)
CHECKSUMS = {"nocsum": "no checksum", "csum": "checksum", "remcsum": "remote checksum"}
PROTOCOLS = {socket.IPPROTO_TCP: "TCP", socket.IPPROTO_UDP: "UDP", socket.IPPROTO_SCTP: "SCTP"}


def text(
    director: Director,
    checks: Iterable[CheckView],
    numbers: dict[str, int],
    account: Account,
    machine: str = "",
) -> str:
    """``numbers`` are those in tracked files; ``account`` is ``uid:gid`` of who runs a script."""
    return "".join(f"{line}\n" for line in _lines(director, list(checks), numbers, account, machine))


def _lines(
    director: Director, checks: list[CheckView], numbers: dict[str, int], account: Account, machine: str
) -> Iterator[str]:
    yield from told(director.plan.options.described, account, machine)
    yield "------< LVS Topology >------"
    yield from _groups(director)
    for service in director.services.values():
        yield from _virtual(service, account)
    if checks:
        yield "------< Health checkers >------"
    for check in checks:
        yield from lines_of(check, account)
    yield from _files(checks, numbers)


def _state(on: object) -> str:
    return "enabled" if on else "disabled"


def _time(value: int) -> str:
    return f"{value / SECOND:.6f}"


# -- groups


def groups(director: Director) -> dict[str, list[list[ServiceKey]]]:
    """The entries of each group: a mark, or addresses that follow each other."""
    return {name: list(_ranges(_keys(users))) for name, users in _users(director).items()}


def _users(director: Director) -> dict[str, list[VirtualServer]]:
    found: dict[str, list[VirtualServer]] = {}
    for service in director.services.values():
        if service.plan.group:
            found.setdefault(service.plan.group, []).append(service.plan)
    return found


def _keys(users: list[VirtualServer]) -> list[ServiceKey]:
    return list(dict.fromkeys(_anonymous(key) for user in users for key in user.members))


def _groups(director: Director) -> Iterator[str]:
    for name, users in _users(director).items():
        keys = _keys(users)
        families = {key.family for key in keys if not key.fwmark}
        yield " ------< Virtual server group >------"
        four, six = ("yes" if family in families else "no" for family in (Family.INET, Family.INET6))
        yield f" Virtual Server Group = {name}, IPv4 = {four}, IPv6 = {six}"
        for entry in _ranges(keys):
            yield from _entry(entry, users)


def _anonymous(key: ServiceKey) -> ServiceKey:
    """Without the protocol, which is the virtual server's."""
    return ServiceKey(key.family, 0, key.address, key.port, key.fwmark)


def _ranges(keys: list[ServiceKey]) -> Iterator[list[ServiceKey]]:
    """Addresses that follow each other are a range; marks come last."""
    entry: list[ServiceKey] = []
    for key in sorted(keys, key=lambda one: bool(one.fwmark)):
        if entry and not (key.port == entry[-1].port and _follows(entry[-1], key)):
            yield entry
            entry = []
        entry.append(key)
    if entry:
        yield entry


def _follows(before: ServiceKey, key: ServiceKey) -> bool:
    if key.fwmark or before.family is not key.family:
        return False
    return int.from_bytes(key.address, "big") == int.from_bytes(before.address, "big") + 1


def _entry(keys: list[ServiceKey], users: list[VirtualServer]) -> Iterator[str]:
    key = keys[0]
    if key.fwmark:
        alive = [sum(user.members[0].family is family for user in users) for family in Family]
        yield f"   FWMARK = {key.fwmark}"
        yield f"     Alive: {alive[0]} IPv4, {alive[1]} IPv6"
    else:
        begin, end = _address(key.address), _address(keys[-1].address)
        yield f"   VIP{f' Range = {begin}-{end}' if len(keys) > 1 else f' = {begin}'}, VPORT = {key.port}"
        counts = (sum(_protocol(user) == number for user in users) for number in PROTOCOLS)
        tcp, udp, sctp = counts
        yield f"     Alive: {tcp} tcp, {udp} udp, {sctp} sctp"
    yield "     reloaded = False"


def _protocol(plan: VirtualServer) -> int:
    return next((key.protocol for key in plan.members if key.protocol), 0)


def _address(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


# -- servers


def _virtual(service: VirtualService, account: Account) -> Iterator[str]:
    plan, pool, key = service.plan, service.pool, service.plan.members[0]
    yield " ------< Virtual server >------"
    if plan.group:
        yield f" VS GROUP = {plan.shown}"
    elif key.fwmark:
        yield f" VS FWMARK = {key.fwmark}"
    else:
        yield f" VS VIP = {_address(key.address)}, VPORT = {key.port}"
    if plan.settings.virtualhost:
        yield f"   VirtualHost = {plan.settings.virtualhost}"
    families = {each.family for each in plan.members}
    yield f"   Address family = {_family(key) if len(families) == 1 else 'IPv4 & IPv6'}"
    yield f"   connection timeout = {_time(plan.settings.connect_timeout_us)}"
    yield f"   delay_loop = {_time(plan.settings.delay_loop_us)}"
    yield from _scheduling(plan)
    yield f"   alpha is {_on(plan.alpha)}"
    yield f"   omega is {_on(plan.omega)}"
    yield from _retries(plan.settings)
    yield f"   Inhibit on failure is {_on(plan.settings.inhibit)}"
    yield f"   quorum = {plan.quorum}, hysteresis = {plan.hysteresis}"
    yield from _script("Quorum up", plan.quorum_up, account)
    yield from _script("Quorum down", plan.quorum_down, account)
    if plan.ha_suspend:
        yield "   Using HA suspend"
    yield f"   Using smtp notification = {_yes(plan.mail)}"
    yield f"   {forwarding(plan.settings.forwarding, 'default ')}"
    if plan.sorry is not None:
        yield from _sorry(plan.sorry, pool.sorry_active)
    yield "   VS alive = 1"
    yield f"   quorum_state_up = {int(pool.quorum_up)}"
    yield "   reloaded = 0"
    for real in pool.reals.values():
        yield from _real(real, pool.sorry_active, account)


def _family(key: ServiceKey) -> str:
    return "inet" if key.family is Family.INET else "inet6"


def _on(value: bool) -> str:
    return "ON" if value else "OFF"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _scheduling(plan: VirtualServer) -> Iterator[str]:
    made, protocol = plan.service, _protocol(plan)
    yield f"   lvs_sched = {made.scheduler}"
    yield "   Hashed = disabled"
    for name, flag in FLAGS.get(made.scheduler, OTHER_FLAGS):
        yield f"   {name} = {_state(made.flags & flag)}"
    single = made.flags & ServiceFlags.ONE_PACKET
    idle = " (inactive due to not UDP)" if single and protocol != socket.IPPROTO_UDP else ""
    yield f"   One packet scheduling = {_state(single)}{idle}"
    if made.timeout_s:
        yield f"   persistence timeout = {made.timeout_s}"
    if made.mask or made.prefix != FULL_MASK[made.key.family]:
        yield f"   persistence granularity = {_granularity(plan)}"
    yield f"   protocol = {PROTOCOLS.get(protocol, 'none')}"


def _granularity(plan: VirtualServer) -> str:
    made = plan.service
    if made.key.family is Family.INET6:
        return str(made.prefix)
    solid = (0xFFFFFFFF << (32 - made.prefix)) & 0xFFFFFFFF
    return socket.inet_ntoa(made.mask or solid.to_bytes(4, "big"))


def _retries(settings: Settings) -> Iterator[str]:
    if settings.retry is not None:
        yield f"   Retry count = {settings.retry}"
    if settings.delay_before_retry_us is not None:
        yield f"   Retry delay = {_time(settings.delay_before_retry_us)}"
    if settings.warmup_us is not None:
        yield f"   Warmup = {_time(settings.warmup_us)}"


def _script(title: str, program: Program | None, account: Account) -> Iterator[str]:
    if program is not None:
        yield f"   {title} notify script = {quoted(program)}, uid:gid {account(program)}"


def forwarding(made: Forwarding, before: str = "") -> str:
    """The original leaves ``before`` out where a tunnel is not ipip."""
    if made.method is not Method.TUN:
        return f"{before}forwarding method = {made.method.value}"
    if made.tunnel is TunnelType.IPIP:
        return f"{before}forwarding method = TUN, type = IPIP"
    port = f", port = {made.tunnel_port}" if made.tunnel is TunnelType.GUE else ""
    name = made.tunnel.value.upper()
    return f"forwarding method = TUN, type = {name}{port}, {CHECKSUMS[made.tunnel_checksum.value]}"


def _sorry(sorry: SorryServer, active: bool) -> Iterator[str]:
    yield f"   sorry server = {sorry.shown}"
    yield f"     {forwarding(sorry.forwarding)}"
    yield f"     Inhibit on failure is {_on(sorry.inhibit)}"
    yield f"     set = {int(active or sorry.inhibit)}"
    yield "     alive = 1"


def _real(real: Real, sorry_active: bool, account: Account) -> Iterator[str]:
    plan, settings = real.plan, real.plan.settings
    base = next(reversed(real.fixed.values())) if real.fixed else plan.weight
    effective = base + sum(real.offsets.values())
    yield "   ------< Real server >------"
    yield (
        f"   RIP = {_address(plan.address)}, RPORT = {plan.port},"
        f" WEIGHT = {real.weight} EFF WEIGHT = {effective}"
    )
    yield f"   {forwarding(plan.forwarding)}"
    yield f"   Alpha is {_on(plan.alpha)}"
    yield f"   connection timeout = {_time(settings.connect_timeout_us)}"
    yield f"   connection limit range = {plan.lower} -> {plan.upper}"
    yield f"   Delay loop = {_time(settings.delay_loop_us)}"
    yield from _retries(settings)
    yield f"   Inhibit on failure is {_on(plan.inhibit)}"
    yield from _script("RS up", plan.notify_up, account)
    yield from _script("RS down", plan.notify_down, account)
    if settings.virtualhost:
        yield f"    VirtualHost = '{settings.virtualhost}'"
    yield f"   Using smtp notification = {_yes(plan.mail)}"
    yield f"   initial weight = {plan.weight}"
    yield f"   effective weight = {effective}"
    yield "   previous effective_weight = 0"
    yield f"   alive = {int(real.alive)}"
    yield f"   num failed checkers = {len(real.failed)}"
    yield f"   RS set = {int((real.alive and not sorry_active) or plan.inhibit)}"
    yield "   reloaded = 0"
    probes = [check.probe for check in plan.checks]
    files = [probe for probe in probes if isinstance(probe, FileProbe)]
    if files:
        yield "   Tracked Files"
    for probe in files:
        yield f"     {probe.file.name}, weight {probe.weight}{' reverse' * probe.reverse}"
    sessions = [probe for probe in probes if isinstance(probe, BfdProbe)]
    if sessions:
        yield "   Tracked BFDs"
    yield from (f"     {probe.name}" for probe in sessions)


def _files(checks: list[CheckView], numbers: dict[str, int]) -> Iterator[str]:
    users: dict[str, list[tuple[CheckView, FileProbe]]] = {}
    for view in checks:
        probe = view.course.check.probe
        if isinstance(probe, FileProbe):
            users.setdefault(probe.file.name, []).append((view, probe))
    if users:
        yield "------< Checker track files >------"
    for name, known in users.items():
        yield f" Track file = {name}"
        yield f"   File = {known[0][1].file.path}"
        yield f"   Status = {numbers.get(name, 0)}"
        yield "   Tracking instances :"
        for view, probe in known:
            yield f"     {view.title}, weight {probe.weight}{' reverse' * probe.reverse}"
