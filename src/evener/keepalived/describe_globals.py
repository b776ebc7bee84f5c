"""The first part of keepalived.data: what global_defs amounts to, in the original's words."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

from evener.keepalived.arguments import SECOND
from evener.keepalived.blocks.global_defs import GlobalDefs, umask_of
from evener.keepalived.blocks.lvs_words import SyncWords
from evener.keepalived.described import Line, Lines, Named, Owned
from evener.keepalived.ir import Configuration
from evener.keepalived.scripts import NOBODY, ScriptCommand

PROCESSES = (("VRRP", "vrrp"), ("Checker", "checker"), ("BFD", "bfd"))
NAMES = (
    ("Parent", "process_name", ""),
    ("VRRP", "vrrp_process_name", "keepalived_vrrp"),
    ("LVS", "checker_process_name", "keepalived_lvs"),
    ("BFD", "bfd_process_name", "keepalived_bfd"),
)
"""Whose name, its keyword, and what process_names makes of it."""

FILES = (
    ("state dump file", "state_dump_file"),
    ("stats dump file", "stats_dump_file"),
    ("json dump file", "json_dump_file"),
)
REALTIME_LIMIT_US = 10_000
UMASK = 0o177
UNSET = 0xFFFFFFFF
FIFOS = (("Global", "notify_fifo"), ("VRRP", "vrrp_notify_fifo"), ("LVS", "lvs_notify_fifo"))
SWITCHES = ("log_unknown_vrids", "vrrp_owner_ignore_adverts")
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


class Process(Enum):
    """Whose file it is: each process knows what it has looked up itself."""

    PARENT = "parent"
    VRRP = "vrrp"
    CHECKER = "checker"
    BFD = "bfd"


def describe(configuration: Configuration, process: Process) -> Lines:
    return (
        "------< Global definitions >------",
        *(f" {line}" for line in _places(configuration)),
        *(f" {line}" if isinstance(line, str) else line for line in _lines(configuration, process)),
    )


def _places(configuration: Configuration) -> Iterator[str]:
    if configuration.global_defs.config_save_dir is not None:
        yield f"Config save dir = {configuration.global_defs.config_save_dir}"
    yield f"Network namespace = {configuration.net_namespace or '(default)'}"
    ipvs = configuration.net_namespace_ipvs
    yield f"Network namespace ipvs = {'(main namespace)' if ipvs is None else ipvs or '(default)'}"
    if configuration.instance is not None:
        yield f"Instance name = {configuration.instance}"


def _lines(configuration: Configuration, process: Process) -> Iterator[Line]:
    settings = configuration.global_defs
    yield from _names(settings)
    keeps = "Keep" if settings.use_symlink_paths else "Replace"
    yield f"{keeps} symlinks in script paths"
    groups = "Set" if settings.set_supplementary_groups else "Don't set"
    yield f"{groups} supplementary groups for all scripts"
    yield f"Router ID = {settings.router_id}" if settings.router_id else Named("Router ID = ")
    yield from _mail(settings)
    for name in ("smtp_alert", "smtp_alert_vrrp", "smtp_alert_checker"):
        value = getattr(settings, name)
        yield f"Default {name} = {'unset' if value is None else 'on' if value else 'off'}"
    yield f"Checkers log all failures = {_true(settings.checker_log_all_failures)}"
    checked = settings.reload_check_config
    yield (
        "No test config before reload" if checked is None else f"Test config before reload, log to {checked}"
    )
    yield from _reload(settings)
    yield f"Dynamic interfaces = {_true(settings.dynamic_interfaces is not None)}"
    if settings.dynamic_interfaces is not None:
        yield f"Allow interface changes = {_true(settings.dynamic_interfaces == 'allow_if_changes')}"
    if settings.no_email_faults:
        yield "Send emails for fault transitions = off"
    yield from _timeouts(settings)
    if process is Process.VRRP:
        yield f"Default interface = {_default_interface(configuration)}"
    yield from _sync_daemon(settings)
    yield from _fifos(settings, process)
    yield from _routers(settings, process)
    yield from _process(settings, process)


def _default_interface(configuration: Configuration) -> str:
    """The original says which one it has looked up: only addresses without a device need one."""
    needed = any(not entry.dev for entry in configuration.static_ipaddress)
    return (configuration.global_defs.default_interface if needed else None) or "eth0"


def _sync_daemon(settings: GlobalDefs) -> Iterator[str]:
    yield f"Disable local IGMP = {_yes(settings.disable_local_igmp)}"
    yield f"Use VRRPv2 checksum for VRRPv3 IPv4 = {_yes(settings.v3_checksum_as_v2)}"
    yield from _syncd(settings.lvs_sync_daemon)
    yield f"LVS flush = {_true(settings.lvs_flush)}"
    stop = settings.lvs_flush_on_stop
    yield f"LVS flush on stop = {'disabled' if stop is None else stop or 'full'}"


def _routers(settings: GlobalDefs, process: Process) -> Iterator[str]:
    yield f"FIFO write vrrp states on reload = {_true(settings.fifo_write_vrrp_states_on_reload)}"
    yield f"VRRP notify priority changes = {_true(settings.vrrp_notify_priority_changes)}"
    yield f"VRRP IPv4 mcast group = {settings.vrrp_mcast_group4 or '224.0.0.18'}"
    yield f"VRRP IPv6 mcast group = {settings.vrrp_mcast_group6 or 'ff02::12'}"
    yield from _garp(settings, process)
    yield f"VRRP default protocol version = {settings.vrrp_version}"
    yield from _nftables(settings)
    yield from (f"{title} = {_true(getattr(settings, name))}" for title, name in FLAGS)


def _process(settings: GlobalDefs, process: Process) -> Iterator[Line]:
    most = settings.max_auto_priority or 0
    yield f"Max auto priority = {'Disabled' if most == -1 else most}"
    yield f"Min auto priority delay = {settings.min_auto_priority_delay or SECOND} usecs"
    for title, name in PROCESSES:
        yield from _scheduling(settings, title, name)
    yield f"DBus {'enabled' if settings.enable_dbus else 'disabled'}"
    yield f"DBus service name = {settings.dbus_service_name or ''}"
    yield f"DBus no interface name = {settings.dbus_no_interface_name or 'none'}"
    yield f"Script security {'enabled' if settings.enable_script_security else 'disabled'}"
    if settings.script_user is not None and settings.script_user != NOBODY:
        user = settings.script_user
        yield Owned("Default script uid:gid", user.name, user.group)
    yield from (f"{name} = {int(getattr(settings, name) or 0)}" for name in BUFFERS)
    policy = settings.vrrp_rx_bufs_policy
    if policy is not None:
        yield f"rx_bufs_{'policy' if policy in ('MTU', 'ADVERT') else 'size'} = {policy}"
    yield f"rx_bufs_multiples = {settings.vrrp_rx_bufs_multiplier or 3}"
    yield f"umask = 0{umask_of(settings.umask)[1] if settings.umask else UMASK:o}"
    if settings.vrrp_startup_delay:
        yield f"vrrp_startup_delay = {settings.vrrp_startup_delay / SECOND:g}"
    yield from (name for name in SWITCHES if getattr(settings, name))
    if settings.vmac_prefix is not None:
        yield f"VMAC prefix = {settings.vmac_prefix}"
    if settings.vmac_addr_prefix is not None:
        yield f"VMAC address prefix = {settings.vmac_addr_prefix}"
    yield from _realtime(settings, process)
    yield f"json_version {settings.json_version or 1}"
    yield f"iproute usr directory {settings.iproute_usr_dir or '/usr/share/iproute2'}"
    yield f"iproute etc directory {settings.iproute_etc_dir or '/etc/iproute2'}"
    yield from (f"{title} {getattr(settings, name)}" for title, name in FILES if getattr(settings, name))


def _names(settings: GlobalDefs) -> Iterator[str]:
    for title, keyword, usual in NAMES:
        name = getattr(settings, keyword) or (usual if settings.process_names else "")
        if name:
            yield f"{title} process name = {name}"


def _reload(settings: GlobalDefs) -> Iterator[str]:
    if settings.reload_time_file is not None:
        yield f"Reload time file = {settings.reload_time_file}{' (repeat)' if settings.reload_repeat else ''}"
    if settings.reload_file:
        yield f"Reload_file = {settings.reload_file}"
    if settings.tmp_config_directory is not None:
        yield f"config save directory = {settings.tmp_config_directory}"
    if settings.data_use_instance:
        yield "Use instance name in data dumps"


def _timeouts(settings: GlobalDefs) -> Iterator[str]:
    """The original calls the one of UDP by the name of TCP's."""
    told = dict(settings.lvs_timeouts)
    for name, title in (("tcp", "TCP"), ("tcpfin", "TCP FIN"), ("udp", "TCP")):
        if told.get(name):
            yield f"LVS {title} timeout = {told[name]}"


def _nftables(settings: GlobalDefs) -> Iterator[str]:
    if settings.nftables is not None:
        yield f"nftables table name = {settings.nftables or 'keepalived'}"
        priority = settings.nftables_priority
        yield f"nftables base chain priority = {-1 if priority is None else priority}"
        forced = "" if settings.nftables_ifindex else "don't "
        yield f"nftables {forced}force use ifindex for link local IPv6"
    if settings.nftables_ipvs is not None:
        yield f"ipvs nftables table name = {settings.nftables_ipvs or 'keepalived_ipvs'}"
        priority = settings.nftables_ipvs_priority
        yield f"ipvs nftables base chain priority = {-1 if priority is None else priority}"
        yield f"ipvs nftables start fwmark = {settings.nftables_ipvs_start_fwmark or 1000}"
    yield f"nftables with{'' if settings.nftables_counters else 'out'} counters"


def _scheduling(settings: GlobalDefs, title: str, name: str) -> Iterator[str]:
    yield f"{title} process priority = {getattr(settings, f'{name}_priority') or 0}"
    yield f"{title} don't swap = {_true(getattr(settings, f'{name}_no_swap'))}"
    yield f"{title} realtime priority = {getattr(settings, f'{name}_rt_priority') or 0}"
    cpus = getattr(settings, f"{name}_cpu_affinity")
    if cpus:
        yield f"{title} CPU Affinity = {' '.join(str(cpu) for cpu in sorted(set(cpus)))}"
    limit = getattr(settings, f"{name}_rlimit_rttime")
    yield f"{title} realtime limit = {max(limit, 2) if limit else REALTIME_LIMIT_US}"


def _mail(settings: GlobalDefs) -> Iterator[Line]:
    if settings.smtp_server:
        yield f"Smtp server = {settings.smtp_server[0]}"
        yield f"Smtp server port = {settings.smtp_server[1] if len(settings.smtp_server) > 1 else 25}"
    if settings.smtp_helo_name:
        yield f"Smtp HELO name = {settings.smtp_helo_name}"
    elif settings.smtp_server:
        yield Named("Smtp HELO name = ")
    if settings.smtp_server:
        yield f"Smtp server connection timeout = {settings.smtp_connect_timeout or 30}"
    if settings.notification_email_from:
        yield f"Email notification from = {settings.notification_email_from}"
    if settings.notification_email:
        yield "Email notification to:"
        yield from (f"  {' '.join(line)}" for line in settings.notification_email)


def _syncd(words: SyncWords | None) -> Iterator[str]:
    if words is None:
        return
    if words.instance is not None:
        yield f"LVS syncd vrrp name = {words.instance}"
    yield f"LVS syncd interface = {words.interface}"
    yield f"LVS syncd syncid = {words.id or 0}"
    for title, value in (
        ("syncd maxlen =", words.maxlen),
        ("mcast group", words.group),
        ("syncd mcast port =", words.port),
        ("syncd mcast ttl =", words.ttl),
    ):
        if value:
            yield f"LVS {title} {value}"


def _fifos(settings: GlobalDefs, process: Process) -> Iterator[Line]:
    """The process that starts a script tells it the path of its pipe."""
    reader = {"VRRP": Process.VRRP, "LVS": Process.CHECKER}
    for title, name in FIFOS:
        fifo: ScriptCommand | None = getattr(settings, name)
        if fifo is None:
            continue
        script: ScriptCommand | None = getattr(settings, f"{name}_script")
        yield _owned(f"{title} notify fifo = {fifo.argv[0]}", fifo)
        if script is not None:
            starts = reader.get(title, process) is process and process in reader.values()
            words = (*script.argv, fifo.argv[0]) if starts else script.argv
            quoted = " ".join(f"'{word}'" for word in words)
            yield _owned(f"{title} notify fifo script = {quoted}", script)


def _owned(text: str, command: ScriptCommand) -> Owned:
    user = command.user
    return Owned(f"{text}, uid:gid", user.name if user else None, user.group if user else None)


def _realtime(settings: GlobalDefs, process: Process) -> Iterator[str]:
    """What this process has set for itself."""
    if process is Process.PARENT:
        return
    priority = getattr(settings, f"{process.value}_rt_priority")
    if priority:
        yield f"current realtime priority = {priority}"
        limit = getattr(settings, f"{process.value}_rlimit_rttime")
        yield f"current realtime time limit = {max(limit, 2) if limit else REALTIME_LIMIT_US}"


def _garp(settings: GlobalDefs, process: Process) -> Iterator[str]:
    def number(name: str, default: int) -> Any:
        value = getattr(settings, name)
        return default if value is None else value

    yield f"Gratuitous ARP delay = {number('vrrp_garp_master_delay', 5)}"
    yield f"Gratuitous ARP repeat = {number('vrrp_garp_master_repeat', 5)}"
    yield f"Gratuitous ARP refresh timer = {number('vrrp_garp_master_refresh', 0)}"
    yield f"Gratuitous ARP refresh repeat = {number('vrrp_garp_master_refresh_repeat', 1)}"
    if process is Process.VRRP:
        delay, repeat = number("vrrp_garp_master_delay", 5), number("vrrp_garp_master_repeat", 5)
    else:  # nobody else fills in what is not told
        delay = repeat = UNSET
    yield f"Gratuitous ARP lower priority delay = {number('vrrp_garp_lower_prio_delay', delay)}"
    yield f"Gratuitous ARP lower priority repeat = {number('vrrp_garp_lower_prio_repeat', repeat)}"
    yield f"Num adverts before down = {number('vrrp_down_timer_adverts', 3)}"
    extra = settings.vrrp_garp_extra_if
    of = "i/f" if "all" in extra else "VMAC"
    seconds = next((word for word in reversed(extra) if word != "all"), "0")
    yield f"Gratuitous ARP for each secondary {of} = {seconds}s"
    yield f"Send advert after receive lower priority advert = {_true(not settings.vrrp_lower_prio_no_advert)}"
    yield f"Send advert after receive higher priority advert = {_true(settings.vrrp_higher_prio_send_advert)}"
    yield f"Gratuitous ARP interval = {number('vrrp_garp_interval', 0) / SECOND:.6f}"
    yield f"Gratuitous NA interval = {number('vrrp_gna_interval', 0) / SECOND:.6f}"


def _true(value: bool | None) -> str:
    return "true" if value else "false"


def _yes(value: bool | None) -> str:
    return "yes" if value else "no"
