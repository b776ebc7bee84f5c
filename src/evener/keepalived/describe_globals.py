"""The first part of keepalived.data: what global_defs amounts to, in the original's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evener.keepalived.arguments import SECOND
from evener.keepalived.blocks.global_defs import GlobalDefs

NUMBERS = (
    ("VRRP process priority", "vrrp_priority"),
    ("VRRP realtime priority", "vrrp_rt_priority"),
    ("Checker process priority", "checker_priority"),
    ("Checker realtime priority", "checker_rt_priority"),
)
FLAGS = (
    ("VRRP check unicast_src", "vrrp_check_unicast_src"),
    ("VRRP skip check advert addresses", "vrrp_skip_check_adv_addr"),
    ("VRRP strict mode", "vrrp_strict"),
)
BUFFERS = (
    "vrrp_netlink_cmd_rcv_bufs", "vrrp_netlink_cmd_rcv_bufs_force", "vrrp_netlink_monitor_rcv_bufs",
    "vrrp_netlink_monitor_rcv_bufs_force", "process_monitor_rcv_bufs", "process_monitor_rcv_bufs_force",
    "lvs_netlink_cmd_rcv_bufs", "lvs_netlink_cmd_rcv_bufs_force", "lvs_netlink_monitor_rcv_bufs",
    "lvs_netlink_monitor_rcv_bufs_force", "rs_init_notifies", "no_checker_emails",
)  # fmt: skip


def describe(settings: GlobalDefs, namespace: str | None) -> tuple[str, ...]:
    return ("------< Global definitions >------", *(f" {line}" for line in _lines(settings, namespace)))


def _lines(settings: GlobalDefs, namespace: str | None) -> Iterator[str]:
    yield f"Network namespace = {namespace or '(default)'}"
    keeps = "Don't replace" if settings.use_symlink_paths else "Replace"
    yield f"{keeps} symlinks in script paths"
    groups = "Set" if settings.set_supplementary_groups else "Don't set"
    yield f"{groups} supplementary groups for all scripts"
    yield f"Router ID = {settings.router_id or ''}"
    yield from _mail(settings)
    for name in ("smtp_alert", "smtp_alert_vrrp", "smtp_alert_checker"):
        value = getattr(settings, name)
        yield f"Default {name} = {'unset' if value is None else 'on' if value else 'off'}"
    yield f"Checkers log all failures = {_true(settings.checker_log_all_failures)}"
    checked = settings.reload_check_config
    yield (
        "No test config before reload" if checked is None else f"Test config before reload, log to {checked}"
    )
    yield f"Dynamic interfaces = {_true(settings.dynamic_interfaces is not None)}"
    yield f"Default interface = {settings.default_interface or 'eth0'}"
    yield f"Disable local IGMP = {_yes(settings.disable_local_igmp)}"
    yield f"Use VRRPv2 checksum for VRRPv3 IPv4 = {_yes(settings.v3_checksum_as_v2)}"
    yield f"LVS flush = {_true(settings.lvs_flush)}"
    yield f"FIFO write vrrp states on reload = {_true(settings.fifo_write_vrrp_states_on_reload)}"
    yield f"VRRP notify priority changes = {_true(settings.vrrp_notify_priority_changes)}"
    yield f"VRRP IPv4 mcast group = {settings.vrrp_mcast_group4 or '224.0.0.18'}"
    yield f"VRRP IPv6 mcast group = {settings.vrrp_mcast_group6 or 'ff02::12'}"
    yield from _garp(settings)
    yield f"VRRP default protocol version = {settings.vrrp_version}"
    yield from (f"{title} = {_true(getattr(settings, name))}" for title, name in FLAGS)
    yield f"Max auto priority = {settings.max_auto_priority or 0}"
    yield f"Min auto priority delay = {settings.min_auto_priority_delay or SECOND} usecs"
    yield from (f"{title} = {getattr(settings, name) or 0}" for title, name in NUMBERS)
    yield f"VRRP don't swap = {_true(settings.vrrp_no_swap)}"
    yield f"VRRP realtime limit = {settings.vrrp_rlimit_rttime or 10000}"
    yield f"Script security {'enabled' if settings.enable_script_security else 'disabled'}"
    if settings.script_user is not None:
        yield f"Default script user = {settings.script_user.name}"
    yield from (f"{name} = {int(getattr(settings, name) or 0)}" for name in BUFFERS)
    yield f"rx_bufs_multiples = {settings.vrrp_rx_bufs_multiplier or 3}"
    yield f"json_version {settings.json_version or 1}"
    if settings.vrrp_startup_delay:
        yield f"vrrp_startup_delay = {settings.vrrp_startup_delay / SECOND:g}"
    yield f"iproute usr directory {settings.iproute_usr_dir or '/usr/share/iproute2'}"
    yield f"iproute etc directory {settings.iproute_etc_dir or '/etc/iproute2'}"


def _mail(settings: GlobalDefs) -> Iterator[str]:
    if settings.smtp_server:
        yield f"Smtp server = {settings.smtp_server[0]}"
        yield f"Smtp server port = {settings.smtp_server[1] if len(settings.smtp_server) > 1 else 25}"
        yield f"Smtp server connection timeout = {settings.smtp_connect_timeout or 30}"
    if settings.smtp_helo_name:
        yield f"Smtp HELO name = {settings.smtp_helo_name}"
    if settings.notification_email_from:
        yield f"Email notification from = {settings.notification_email_from}"
    if settings.notification_email:
        yield "Email notification to:"
        yield from (f"  {' '.join(line)}" for line in settings.notification_email)


def _garp(settings: GlobalDefs) -> Iterator[str]:
    def number(name: str, default: int) -> Any:
        value = getattr(settings, name)
        return default if value is None else value

    yield f"Gratuitous ARP delay = {number('vrrp_garp_master_delay', 5)}"
    yield f"Gratuitous ARP repeat = {number('vrrp_garp_master_repeat', 5)}"
    yield f"Gratuitous ARP refresh timer = {number('vrrp_garp_master_refresh', 0)}"
    yield f"Gratuitous ARP refresh repeat = {number('vrrp_garp_master_refresh_repeat', 1)}"
    yield f"Gratuitous ARP lower priority delay = {number('vrrp_garp_lower_prio_delay', 5)}"
    yield f"Gratuitous ARP lower priority repeat = {number('vrrp_garp_lower_prio_repeat', 5)}"
    yield f"Num adverts before down = {number('vrrp_down_timer_adverts', 3)}"
    yield f"Send advert after receive lower priority advert = {_true(not settings.vrrp_lower_prio_no_advert)}"
    yield f"Send advert after receive higher priority advert = {_true(settings.vrrp_higher_prio_send_advert)}"
    yield f"Gratuitous ARP interval = {number('vrrp_garp_interval', 0) / SECOND:.6f}"
    yield f"Gratuitous NA interval = {number('vrrp_gna_interval', 0) / SECOND:.6f}"


def _true(value: bool | None) -> str:
    return "true" if value else "false"


def _yes(value: bool | None) -> str:
    return "yes" if value else "no"
