"""The checks and corrections of one vrrp_instance after everything was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from evener.keepalived.arguments import SECOND
from evener.keepalived.blocks.global_defs import GlobalDefs
from evener.keepalived.blocks.vrrp_instance import VrrpInstance
from evener.keepalived.ends import unicast_said
from evener.keepalived.instance_facts import OWNER, family_of, priority_of, strict_of, version_of
from evener.keepalived.reading import Reading
from evener.text.span import Span

CENTISECOND = SECOND // 100
DOWN_ADVERTS = 3
MOST_VIPS = {4: 255, 6: 89}
"""What the count field and a packet of 1500 bytes hold."""

V3_LONGEST = 4095 * CENTISECOND
"""RFC 9568 5.2.7: twelve bits of centiseconds."""


UNSET = frozenset(
    {"down_timer_adverts", "garp_lower_prio_repeat", "garp_lower_prio_delay",
     "lower_prio_no_advert", "higher_prio_send_advert"}
)  # fmt: skip
"""Fields that go back to what strict mode makes of them."""

NOT_STRICT: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    (
        "down_timer_adverts",
        lambda adverts: adverts not in (None, DOWN_ADVERTS),
        "down_timer_adverts is incompatible with strict mode - resetting",
    ),
    ("garp_lower_prio_repeat", bool, "Strict mode requires no repeat garps. resetting"),
    ("garp_lower_prio_delay", bool, "Strict mode requires no repeat garp delay. resetting"),
    (
        "lower_prio_no_advert",
        lambda silent: silent is False,
        "Strict mode requires no lower priority advert. resetting",
    ),
    (
        "higher_prio_send_advert",
        bool,
        "strict mode requires higher_prio_send_advert to be clear. resetting",
    ),
    ("vmac_xmit_base", bool, "xmit_base is incompatible with strict mode - resetting"),
    (
        "no_virtual_ipaddress",
        bool,
        "no_virtual_ipaddress and strict mode incompatible, clearing no_virtual_ipaddress",
    ),
)
"""What strict mode resets: the field, when it is in the way, and what is said."""


class InstanceCompletion:
    """One instance on its way to what is executed."""

    def __init__(self, reading: Reading, settings: GlobalDefs, instance: VrrpInstance) -> None:
        self.reading = reading
        self.settings = settings
        self.made = instance
        self.name = instance.name

    def complete(self) -> VrrpInstance | None:
        """The instance as it will be executed; None when it cannot be, and the original reads no further."""
        self._state()
        self._authentication()
        self._hmac()
        self._peers()
        if not self._place():
            return None
        self._vips()
        self._preempt()
        if strict_of(self.settings, self.made):
            self._strict()
        self._accept()
        if self.made.mcast_dst_ip is not None and self.made.unicast_peer:
            self._change("group-and-peers", "multicast destination specified with unicast - ignoring",
                         mcast_dst_ip=None)  # fmt: skip
        self._owner()
        self._advert()
        self._vmac()
        self._trackers()
        return self.made if self._some_vip() else None

    def _strict(self) -> None:
        """The RFCs leave no choice."""
        for field, wrong, message in NOT_STRICT:
            if wrong(getattr(self.made, field)):
                self._change("not-strict", message, None, **{field: None if field in UNSET else False})
        made = self.made
        if made.use_vmac is not None and made.use_vmac.mac:
            message = "cannot specify MAC address with strict mode - clearing"
            self.reading.warn("not-strict", f"({self.name}): {message}")
            self.made = replace(made, use_vmac=replace(made.use_vmac, mac=None))
        vips = () if made.unicast_peer or family_of(made) == 4 else made.virtual_ipaddress
        if vips and not vips[0].address.is_link_local:
            message = f"({self.name}) the first IPv6 VIP address must be link local"
            self.reading.warn("vip-not-link-local", message)

    def _owner(self) -> None:
        """Adverts are ignored by owners of the addresses only."""
        ignores = self.made.owner_ignore_adverts
        if ignores and priority_of(self.made) != OWNER:
            message = f"ignoring owner_ignore_adverts since priority is not {OWNER}"
            self._change("no-owner", message, owner_ignore_adverts=False)
        elif ignores is False and priority_of(self.made) == OWNER:
            message = f"strict_mode with priority {OWNER} requires owner_ignore_adverts"
            self._change("owner-must-ignore", message, owner_ignore_adverts=True)

    def _change(self, code: str, message: str, span: Span | None = None, **changes: Any) -> None:
        self.reading.warn(code, f"({self.name}) {message}", span)
        self.made = replace(self.made, **changes)

    def _place(self) -> bool:
        """Where adverts are sent and received."""
        made = self.made
        if strict_of(self.settings, made) and made.unicast_peer and made.interface is not None:
            message = f"({self.name}) Unicast peers are not supported in strict mode"
            self.reading.alert("unicast-and-strict", message)
            return False
        source = made.unicast_src_ip or made.mcast_src_ip
        if made.interface is not None:
            return True
        if source is None:
            message = f"({self.name}): Unicast instances must have unicast_src_ip or interface"
        elif source.is_link_local and source.version == 6:
            message = f"({self.name}) Non link-local address required if interface omitted"
        else:
            return True
        self.reading.alert("no-interface", message)
        return False

    def _peers(self) -> None:
        made = self.made
        if made.unicast_peer or made.unicast_fault_no_peer or not unicast_said(self.reading, made):
            return
        message = (
            "A unicast keyword has been specified without any unicast peers. Defaulting to multicast. "
            "This usage is deprecated - please update your configuration."
        )
        self.reading.warn("no-peers", f"({self.name}) {message}")

    def _authentication(self) -> None:
        auth = self.made.authentication
        if auth is None:
            return
        if strict_of(self.settings, self.made):
            self._change(
                "auth-ignored", "Strict mode does not support authentication. Ignoring.", authentication=None
            )
        elif version_of(self.settings, self.made) == 3 and auth.auth_type is not None:
            message = "VRRP version 3 does not support authentication. Ignoring."
            self._change("auth-ignored", message, authentication=None)
        elif auth.auth_type is not None and not auth.auth_pass:
            message = "Authentication specified but no password given. Ignoring"
            self._change("auth-ignored", message, authentication=None)
        elif auth.auth_type == "AH":
            self._ah()

    def _ah(self) -> None:
        """The sequence number of adverts must be heard before one is sent."""
        if family_of(self.made) == 6:
            message = "Cannot use AH authentication with IPv6. ignoring"
            self._change("ah-and-ipv6", message, authentication=None)
        elif self.made.state == "MASTER" and priority_of(self.made) != OWNER:
            message = "Initial state master is incompatible with AH authentication - clearing"
            self._change("ah-and-master", message, state=None)

    def _hmac(self) -> None:
        """The extension and the old authentication do not go together, and a signature needs its key."""
        auth = self.made.auth_hmac
        if auth is None:
            return
        if self.made.authentication is not None and self.made.authentication.auth_type is not None:
            message = "auth_hmac cannot be combined with authentication, dropping legacy auth"
            self._change("two-authentications", message, authentication=None)
        active = auth.active_key or 0
        if all(key.number != active for key in auth.key):
            message = f"auth_hmac active_key {active} is not defined, disabling extension"
            self._change("no-active-key", message, auth_hmac=None)
        elif strict_of(self.settings, self.made) and auth.mode not in (None, "enforce"):
            message = "strict mode requires auth_hmac mode enforce"
            self._change("hmac-and-strict", message, auth_hmac=replace(auth, mode="enforce"))

    def _state(self) -> None:
        made = self.made
        strict = strict_of(self.settings, made)
        if strict and family_of(made) == 6 and made.version == 2:
            message = "cannot use IPv6 with VRRP version 2; setting version 3"
            self._change("ipv6-and-version", message, version=3)
        owner = priority_of(made) == OWNER
        if strict and (made.state == "MASTER") != owner and made.state is not None:
            word = "State MASTER must match being address owner"
            self._change("state-and-owner", word, state="MASTER" if owner else "BACKUP")

    def _preempt(self) -> None:
        made = self.made
        if made.nopreempt and priority_of(made) == OWNER:
            message = f"nopreempt is incompatible with priority {OWNER}. resetting nopreempt"
            self._change("nopreempt-and-owner", message, nopreempt=False)
        if self.made.nopreempt and made.state == "MASTER":
            message = "Warning - nopreempt will not work with initial state MASTER - clearing"
            self._change("nopreempt-and-master", message, nopreempt=False)
        if made.preempt_delay and made.state == "MASTER":
            message = "Warning - preempt delay will not work with initial state MASTER - clearing"
            self._change("preempt-delay-and-master", message, preempt_delay=None)
        if self.made.preempt_delay and strict_of(self.settings, made):
            message = "preempt_delay is incompatible with strict mode - resetting"
            self._change("not-strict", message, preempt_delay=None)
        if self.made.preempt_delay and self.made.nopreempt:
            message = "preempt_delay is incompatible with nopreempt mode - resetting"
            self._change("preempt-delay-and-nopreempt", message, preempt_delay=None)
        if made.timer_expired_backup is not None and not self.made.nopreempt:
            message = "expired_timer_backup requires nopreempt - resetting"
            self._change("expired-and-preempt", message, timer_expired_backup=None)

    def _accept(self) -> None:
        """RFC 3768 has no accept mode."""
        made = self.made
        if made.accept and strict_of(self.settings, made) and version_of(self.settings, made) == 2:
            message = "warning - accept mode for VRRP version 2 does not comply with RFC3768 - resetting"
            self._change("accept-and-strict", message, accept=False)

    def _vips(self) -> None:
        made = self.made
        most = MOST_VIPS[family_of(made)]
        if len(made.virtual_ipaddress) > most:
            message = (
                f"Number of VIPs ({len(made.virtual_ipaddress)}) exceeds maximum/space available in packet "
                f"(max {most} addresses) - excess moved to eVIPs"
            )
            kept, excess = made.virtual_ipaddress[:most], made.virtual_ipaddress[most:]
            excluded = (*excess, *made.virtual_ipaddress_excluded)
            self._change(
                "too-many-vips", message, virtual_ipaddress=kept, virtual_ipaddress_excluded=excluded
            )

    def _some_vip(self) -> bool:
        """VRRPv3 has no adverts without addresses, nor has strict mode."""
        made = self.made
        if made.virtual_ipaddress or made.no_virtual_ipaddress:
            return True
        needed = version_of(self.settings, made) == 3 or strict_of(self.settings, made)
        word = "required" if needed else "sensible"
        self.reading.warn("no-vip", f"({self.name}) No VIP specified; at least one is {word}")
        return not needed

    def _advert(self) -> None:
        """VRRPv2 counts seconds, VRRPv3 centiseconds."""
        interval = self.made.advert_int
        if interval is None:
            return
        shown = f"advertisement interval {interval / SECOND:.6f}s"
        if version_of(self.settings, self.made) == 2:
            if interval % SECOND:
                rounded = max(1, (interval + SECOND // 2) // SECOND) * SECOND
                message = f"VRRPv2 {shown} must be an integer. rounding"
                self._change("advert-rounded", message, advert_int=rounded)
            return
        if interval > V3_LONGEST:
            shown = f"advertisement interval {interval / SECOND:.2f}s"
            message = f"VRRPv3 {shown} is out of range. Must be less than 40.96s. Setting to 40.95s"
            self._change("advert-too-long", message, advert_int=V3_LONGEST)
        elif interval % CENTISECOND:
            rounded = max(1, (interval + CENTISECOND // 2) // CENTISECOND) * CENTISECOND
            message = f"VRRPv3 {shown} must be in units of 10ms - rounding"
            self._change("advert-rounded", message, advert_int=rounded)

    def _vmac(self) -> None:
        made = self.made
        if (made.use_vmac is not None or made.use_ipvlan is not None) and made.promote_secondaries:
            message = "promote_secondaries is automatically set for vmacs - ignoring"
            self._change("vmac-promotes", message, promote_secondaries=False)
        if made.vmac_xmit_base and made.use_vmac is None:
            self._change("no-vmac", "vmac_xmit_base is only valid with a vmac", vmac_xmit_base=False)
        if made.use_ipvlan is not None and made.use_ipvlan.address is None and family_of(made) == 4:
            message = (
                "IPv4 ipvlan requires a source ip address to be configured. setting instance to fault state"
            )
            self.reading.warn("ipvlan-without-address", f"({self.name}) {message}")

    def _trackers(self) -> None:
        made = self.made
        own = [t for t in made.track_interface if t.name == made.interface]
        if own:
            kept = tuple(t for t in made.track_interface if t not in own)
            message = f"Ignoring track_interface {made.interface} since own interface"
            self._change("tracks-itself", message, track_interface=kept)
