"""The part of global_defs about mail, LVS, DBus and SNMP."""

from __future__ import annotations

from typing import Any

from evener.keepalived.arguments import SECOND, Flag, Number, OptionalString, String, Strings, Timer, address
from evener.keepalived.blocks.common import SECONDS, SIZE, first_only, yes_no
from evener.keepalived.blocks.lvs_words import FlushOnStop, SyncDaemon, SyncWords, Timeouts
from evener.keepalived.blocks.vrrp_settings import VrrpSettings
from evener.keepalived.declare import Values, collected, word
from evener.keepalived.numbers import INT_MAX, UINT_MAX, whole
from evener.keepalived.scripts import Script, ScriptCommand
from evener.text.record import dataclass
from evener.vocab.arguments import Cursor

MAIL_PORT = "25"


def mail_server(reading: Any, builder: Any, value: tuple[str, ...], span: Any) -> tuple[str, ...] | None:
    """The server has to be found now: mail must not wait for a resolver later."""
    host, port = value[0], value[1] if len(value) > 1 else MAIL_PORT
    code, message, _ = whole(port, 1, 65535)
    known = reading.surroundings.resolves
    if code:
        reading.alert(code, message, span)
    if code or (address(host) is None and known is not None and not known(host, port)):
        reading.alert("unknown-server", f"Invalid smtp server {host} {port}", span)
        return None
    return value


def first_sync_daemon(reading: Any, builder: Any, value: SyncWords, span: Any) -> SyncWords | None:
    """The first counts."""
    before = builder.get(("lvs_sync_daemon",))
    if before is None:
        reading.sync_interface = reading.global_sync = value.interface
        return value
    text = (
        f"lvs_sync_daemon has already been specified as {before.interface} {before.instance or ''} - ignoring"
    )
    reading.alert("said-twice", text, span)
    return None


def some_seconds(reading: Any, builder: Any, value: int, span: Any) -> int:
    if not value:
        reading.warn("no-time", "smtp_conect_timeout must be greater than 0, setting to 1", span)
    return value or 1


class FirstOnly(String):
    """One word; that others are passed over is said."""

    def read(self, cursor: Cursor) -> str:
        text = super().read(cursor)
        if cursor.more:
            message = f"emailfrom - ignoring extra entries '{cursor.take()}' ..."
            cursor.context.alert("extra-words", message, cursor.span())
            cursor.rest()
        return text


STATS_INTERVAL = Timer(1000, 30 * SECOND)


@dataclass(frozen=True, slots=True)
class ServiceSettings(VrrpSettings):
    """Mail, virtual servers, management."""

    notification_email_from: str | None = word(
        FirstOnly(), "Sender of mail.", missing="emailfrom missing - ignoring"
    )
    smtp_server: tuple[str, ...] = word(
        Strings("<HOST>|<IPADDR> [<PORT>]", good="10.0.0.25 25"),
        "Server that takes mail.",
        default=(),
        bad=("smtp_server mail.example 70000",),
        check=mail_server,
    )
    smtp_helo_name: str | None = word(
        String(), "Name given to the mail server.", missing="", bad=("SMTP_HELO_NAME",)
    )
    smtp_connect_timeout: int | None = word(
        SECONDS,
        "Seconds to wait for the mail server.",
        complaint="smtp_connect_timeout '{word}' must be in [0, 4294] - ignoring",
        ok=("smtp_connect_timeout 30",),
        bad=("smtp_connect_timeout 0", "smtp_connect_timeout x"),
        check=some_seconds,
    )
    notification_email: tuple[tuple[str, ...], ...] = collected(
        Values(Strings(good="admin@example.com")), "Recipients of mail."
    )
    smtp_alert: bool | None = yes_no("Send mail by default.")
    smtp_alert_vrrp: bool | None = yes_no("Send mail about VRRP by default.")
    smtp_alert_checker: bool | None = yes_no("Send mail about checkers by default.")
    no_email_faults: bool = word(Flag(), "No mail about faults.", default=False)
    no_checker_emails: bool | None = yes_no("No mail about real servers.")
    checker_log_all_failures: bool | None = yes_no(
        "Log every failed check.", complaint="Invalid value for checker_log_all_failures specified"
    )
    rs_init_notifies: bool | None = yes_no("Notify about real servers' first states.")
    lvs_timeouts: tuple[tuple[str, int], ...] = word(Timeouts(), "Timeouts of IPVS connections.", default=())
    lvs_flush: bool = word(Flag(), "Empty the IPVS table at start.", default=False)
    lvs_flush_on_stop: str | None = word(FlushOnStop(), "Empty the IPVS table at stop.")
    lvs_flush_onstop: str | None = word(
        FlushOnStop(), "Old spelling of lvs_flush_on_stop.", sets="lvs_flush_on_stop"
    )
    lvs_sync_daemon: SyncWords | None = word(
        SyncDaemon(), "Synchronise IPVS connections with the other node.", check=first_sync_daemon
    )
    lvs_notify_fifo: ScriptCommand | None = word(
        Script(),
        "FIFO for states of servers.",
        missing="No lvs_notify_fifo name specified",
        check=first_only("lvs_notify_fifo", "lvs_notify_fifo already specified - ignoring {word}"),
    )
    lvs_notify_fifo_script: ScriptCommand | None = word(
        Script(),
        "Reader of that FIFO.",
        missing="No lvs_notify_fifo_script specified",
        check=first_only(
            "lvs_notify_fifo_script", "lvs_notify_fifo_script already specified - ignoring {word}"
        ),
    )
    lvs_netlink_cmd_rcv_bufs: int | None = word(
        SIZE,
        "Receive buffer of the checker's command socket.",
        complaint="lvs_netlink_cmd_rcv_bufs size ({word}) invalid",
        missing="{keyword} size missing",
    )
    lvs_netlink_cmd_rcv_bufs_force: bool | None = yes_no("Set it beyond the system's limit.")
    lvs_netlink_monitor_rcv_bufs: int | None = word(
        SIZE,
        "Receive buffer of the checker's monitor socket.",
        complaint="lvs_netlink_monitor_rcv_bufs size ({word}) invalid",
        missing="{keyword} size missing",
    )
    lvs_netlink_monitor_rcv_bufs_force: bool | None = yes_no("Set it beyond the system's limit.")
    nftables_ipvs: str | None = word(
        OptionalString("[<TABLE>]"),
        "nftables table that marks packets for IPVS.",
        check=first_only("nftables_ipvs", "ipvs nftables already specified - ignoring"),
    )
    nftables_ipvs_priority: int | None = word(
        Number(-INT_MAX - 1, INT_MAX),
        "Priority of its base chain.",
        complaint="invalid ipvs nftables chain priority '{word}'",
    )
    nftables_ipvs_start_fwmark: int | None = word(
        Number(1, UINT_MAX),
        "First mark that is used.",
        complaint="invalid ipvs nftables start_fwmark priority '{word}'",
    )
    snmp_socket: str | None = word(
        String(), "Where the SNMP master agent listens.", missing="SNMP error : snmp socket name missing"
    )
    enable_traps: bool = word(Flag(), "Send SNMP traps.", default=False)
    enable_snmp_vrrp: bool = word(Flag(), "KEEPALIVED-MIB for VRRP.", default=False)
    enable_snmp_keepalived: bool = word(Flag(), "Old spelling of enable_snmp_vrrp.", sets="enable_snmp_vrrp")
    enable_snmp_rfc: bool = word(Flag(), "Both MIBs of the VRRP RFCs.", default=False)
    enable_snmp_rfcv2: bool = word(Flag(), "VRRP-MIB (RFC 2787).", default=False)
    enable_snmp_rfcv3: bool = word(Flag(), "VRRPv3-MIB (RFC 6527).", default=False)
    enable_snmp_checker: bool = word(Flag(), "KEEPALIVED-MIB for virtual servers.", default=False)
    snmp_vs_stats_update_interval: int | None = word(
        STATS_INTERVAL,
        "Age of virtual servers' statistics.",
        complaint="snmp stats vs update interval '{word}' invalid - ignoring",
    )
    snmp_rs_stats_update_interval: int | None = word(
        STATS_INTERVAL,
        "Age of real servers' statistics.",
        complaint="snmp stats vs update interval '{word}' invalid - ignoring",
    )
    enable_dbus: bool = word(
        Flag(), "Put VRRP on the system's DBus: its states, signals, and a few requests.", default=False
    )
    dbus_service_name: str | None = word(
        String(),
        "Name on the bus (default: org.keepalived.Vrrp1).",
        missing="dbus_service_name missing - ignoring",
    )
    dbus_no_interface_name: str | None = word(
        String(),
        "Stands in paths for the interface of an instance that has none (default: none).",
        missing="dbus_no_interface_name missing - ignoring",
    )
