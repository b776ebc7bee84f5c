"""IR to the plan of the VRRP process: every number resolved, every address packed.

Decides what a setting that was not given means: the instance's own word, else global_defs, else the
original's default. Nothing here can fail: what cannot be executed was reported while the configuration
was read. The plan's classes, and their units, are in ``vrrp/plan.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evener.keepalived.addresses import IpEntry
from evener.keepalived.arguments import SECOND
from evener.keepalived.blocks.global_defs import GlobalDefs
from evener.keepalived.blocks.vrrp_instance import VrrpInstance, VrrpSyncGroup
from evener.keepalived.blocks.vrrp_tracking import Tracking
from evener.keepalived.compile_address import virtual_address
from evener.keepalived.compile_hmac import hmac_of
from evener.keepalived.compile_interface import (
    address_interfaces,
    extra_if,
    linkbeat_of,
    moved,
    virtual_interface,
)
from evener.keepalived.compile_lvs_sync import lvs_sync
from evener.keepalived.compile_mail import mail_of
from evener.keepalived.compile_tracks import (
    static_tracks,
    tracked_files,
    tracked_processes,
    tracked_sessions,
    tracks,
)
from evener.keepalived.complete_tracks import weighs
from evener.keepalived.describe_globals import Process, describe
from evener.keepalived.instance_facts import (
    DEFAULT_ADVERT,
    accepts,
    family_of,
    priority_of,
    strict_of,
    version_of,
)
from evener.keepalived.ir import Configuration
from evener.keepalived.numbers import INT_MAX, whole
from evener.keepalived.scripts import ScriptCommand
from evener.keepalived.trackers.things import VrrpScript
from evener.keepalived.vrrp import plan, plan_machine
from evener.text.diagnostic import Diagnostics

if TYPE_CHECKING:
    from evener.keepalived.snmp.plan import SnmpPlan

CENTISECOND = SECOND // 100
PASSWORD_BYTES = 8
DEFAULT_INTERFACE = "eth0"
DEFAULT_REPEAT = 5
DEFAULT_DELAY_S = 5
DEFAULT_DOWN_ADVERTS = 3
SNMP_WORDS = (
    "enable_snmp_vrrp", "enable_snmp_rfc", "enable_snmp_rfcv2", "enable_snmp_rfcv3", "enable_snmp_checker",
)  # fmt: skip


def compile_plan(configuration: Configuration, diagnostics: Diagnostics | None = None) -> plan.VrrpPlan:
    """The plan of a complete configuration (``resolve.load``). ``diagnostics`` gets nothing so far."""
    settings = configuration.global_defs
    return plan.VrrpPlan(
        options=replace(
            _options(settings),
            described=describe(configuration, Process.VRRP),
            described_parent=describe(configuration, Process.PARENT),
            files=_dump_files(configuration),
            pid_directory=pid_directory(configuration),
            instance=configuration.instance,
            bus=_bus(configuration),
            snmp=snmp_of(configuration),
        ),
        instances=tuple(_instance(configuration, i) for i in configuration.vrrp_instance),
        scripts=tuple(_script(script) for script in configuration.vrrp_script),
        groups=tuple(_group(configuration, g) for g in configuration.vrrp_sync_group),
        files=tracked_files(configuration),
        processes=tracked_processes(configuration),
        sessions=tracked_sessions(configuration),
        static=_static(configuration),
        garp_groups=tuple(
            plan.GarpGroup(group.members, group.garp_interval or 0, group.gna_interval or 0)
            for group in configuration.garp_group
        ),
        linkbeat=linkbeat_of(configuration),
        debounces=tuple(
            plan.Debounce(entry.interface, entry.down, entry.down if entry.up is None else entry.up)
            for entry in configuration.interface_up_down_delays
        ),
        lvs_sync=lvs_sync(configuration),
    )


def _dump_files(configuration: Configuration) -> plan_machine.DumpFiles:
    """``data_use_instance``: daemons of several instances do not overwrite each other's files."""
    settings = configuration.global_defs
    parts = (configuration.instance, configuration.net_namespace) if settings.data_use_instance else ()
    suffix = "".join(f"_{part}" for part in parts if part)
    return plan_machine.DumpFiles(
        settings.state_dump_file, settings.stats_dump_file, settings.json_dump_file, suffix
    )


def _bus(configuration: Configuration) -> plan_machine.BusOptions | None:
    settings, usual = configuration.global_defs, plan_machine.BusOptions()
    if not settings.enable_dbus:
        return None
    return plan_machine.BusOptions(
        settings.dbus_service_name or usual.service,
        settings.dbus_no_interface_name or usual.no_interface,
        configuration.net_namespace,
    )


def snmp_of(configuration: Configuration) -> SnmpPlan | None:
    """What both processes need for it; nothing of it is imported where nobody asks for any."""
    if not any(getattr(configuration.global_defs, word) for word in SNMP_WORDS):
        return None
    from evener.keepalived.compile_snmp import snmp_plan

    return snmp_plan(configuration)


def _static(configuration: Configuration) -> plan.StaticPlan:
    device = configuration.global_defs.default_interface or DEFAULT_INTERFACE
    return plan.StaticPlan(
        tuple(virtual_address(entry, device, False) for entry in configuration.static_ipaddress),
        tuple(entry.route for entry in configuration.static_routes),
        tuple(entry.rule for entry in configuration.static_rules),
    )


def pid_directory(configuration: Configuration) -> str | None:
    """Daemons of several namespaces or instances on one machine must not take each other's files."""
    if configuration.net_namespace is not None:
        return f"keepalived/{configuration.net_namespace}"
    return "keepalived" if configuration.use_pid_dir or configuration.instance is not None else None


def first(*values: Any) -> Any:
    """The first value that was given."""
    return next((value for value in values if value is not None), None)


def _options(settings: GlobalDefs) -> plan.GlobalOptions:
    options = plan.GlobalOptions()
    user = settings.script_user
    group4, group6 = settings.vrrp_mcast_group4, settings.vrrp_mcast_group6
    return replace(
        options,
        router_id=settings.router_id or "",
        json_version=settings.json_version or 1,
        mcast_group4=group4.packed if group4 else options.mcast_group4,
        mcast_group6=group6.packed if group6 else options.mcast_group6,
        check_unicast_src=settings.vrrp_check_unicast_src,
        garp_interval_us=settings.vrrp_garp_interval or 0,
        gna_interval_us=settings.vrrp_gna_interval or 0,
        startup_delay_us=settings.vrrp_startup_delay or 0,
        delay_after_boot_us=settings.vrrp_delay_after_boot or 0,
        log_unknown_vrids=settings.log_unknown_vrids,
        script_user=user.name if user else None,
        script_group=user.group if user else None,
        script_security=settings.enable_script_security,
        mail=mail_of(settings),
        mail_faults=not settings.no_email_faults,
        notify_fifo=_fifo(settings.notify_fifo, settings.notify_fifo_script),
        vrrp_notify_fifo=_fifo(settings.vrrp_notify_fifo, settings.vrrp_notify_fifo_script),
        scheduling=plan.Scheduling(
            nice=settings.vrrp_priority,
            rt_priority=settings.vrrp_rt_priority,
            rlimit_rttime_us=settings.vrrp_rlimit_rttime,
            cpu_affinity=settings.vrrp_cpu_affinity,
            no_swap=settings.vrrp_no_swap,
            most_auto_priority=max(0, settings.max_auto_priority or 0),
            auto_delay_us=settings.min_auto_priority_delay or SECOND,
        ),
        rx_policy=_rx_policy(settings),
        buffers=plan_machine.Buffers(
            command=_buffer(settings, "vrrp_netlink_cmd_rcv_bufs"),
            monitor=_buffer(settings, "vrrp_netlink_monitor_rcv_bufs"),
            process=_buffer(settings, "process_monitor_rcv_bufs"),
        ),
        quiet_igmp=settings.disable_local_igmp,
        states_on_reload=settings.fifo_write_vrrp_states_on_reload,
        supplementary_groups=bool(settings.set_supplementary_groups),
        follow_links=not settings.use_symlink_paths,
        firewall=plan_machine.FirewallOptions(
            settings.nftables or "keepalived",
            first(settings.nftables_priority, -1),
            settings.nftables_ifindex,
            settings.nftables_counters,
        ),
        process_name=settings.vrrp_process_name,
        parent_process_name=settings.process_name,
    )


def _buffer(settings: GlobalDefs, name: str) -> plan_machine.Buffer:
    return plan_machine.Buffer(getattr(settings, name) or 0, bool(getattr(settings, f"{name}_force")))


def _rx_policy(settings: GlobalDefs) -> plan_machine.RxPolicy:
    policy, multiplier = settings.vrrp_rx_bufs_policy, settings.vrrp_rx_bufs_multiplier or 3
    if policy is None:
        return plan_machine.RxPolicy()
    word = str(policy)
    if word in ("MTU", "ADVERT"):
        return plan_machine.RxPolicy(word, multiplier)
    return (
        plan_machine.RxPolicy(size=int(word)) if not whole(word, 1, INT_MAX)[0] else plan_machine.RxPolicy()
    )


def _fifo(fifo: ScriptCommand | None, script: ScriptCommand | None) -> plan.Fifo | None:
    if fifo is None:
        return None
    user = fifo.user
    return plan.Fifo(
        fifo.argv[0], user.name if user else None, user.group if user else None, _program(script)
    )


def _program(command: ScriptCommand | None) -> plan.Program | None:
    if command is None or not command.argv:
        return None
    user = command.user
    return plan.Program(command.argv, user.name if user else None, user.group if user else None)


def _script(script: VrrpScript) -> plan.Script:
    program = _program(script.script)
    assert program is not None, "a vrrp_script without a script was removed when it was read"
    if script.user is not None:
        program = replace(program, user=script.user.name, group=script.user.group)
    weight, reverse = script.weight or (0, False)
    return plan.Script(
        name=script.name,
        program=program,
        interval_us=first(script.interval, 1000) * 1000,
        timeout_us=first(script.timeout, 0) * 1000,
        rise=first(script.rise, 1),
        fall=first(script.fall, 1),
        init_fail=script.init_fail,
        weight=weight,
        reverse=reverse,
    )


def _notify(settings: GlobalDefs, block: Tracking) -> plan.Notifications:
    changes = first(block.notify_priority_changes, settings.vrrp_notify_priority_changes, False)
    made = plan.Notifications(
        master=_program(block.notify_master),
        backup=_program(block.notify_backup),
        fault=_program(block.notify_fault),
        stop=_program(block.notify_stop),
        any=_program(block.notify),
        priority_changes=changes,
        mail=first(block.smtp_alert, settings.smtp_alert_vrrp, settings.smtp_alert, False),
    )
    if not isinstance(block, VrrpInstance):
        return made
    return replace(
        made,
        deleted=_program(block.notify_deleted),
        send_deleted=block.notify_deleted is not None,
        master_rx_lower_pri=_program(block.notify_master_rx_lower_pri),
    )


def _garp(settings: GlobalDefs, made: VrrpInstance) -> plan.GarpOptions:
    """vrrp_min_garp: one, and no second set, where nothing else is said."""
    least = bool(settings.vrrp_min_garp)
    repeat = first(made.garp_master_repeat, settings.vrrp_garp_master_repeat, 1 if least else DEFAULT_REPEAT)
    delay = first(made.garp_master_delay, settings.vrrp_garp_master_delay, 0 if least else DEFAULT_DELAY_S)
    # What the instance says of garp_master_... is not meant for these.
    of_all = settings.vrrp_garp_master_repeat, settings.vrrp_garp_master_delay
    lower_repeat = first(
        made.garp_lower_prio_repeat,
        settings.vrrp_garp_lower_prio_repeat,
        first(of_all[0], 1 if least else DEFAULT_REPEAT),
    )
    lower_delay = first(
        made.garp_lower_prio_delay,
        settings.vrrp_garp_lower_prio_delay,
        first(of_all[1], 0 if least else DEFAULT_DELAY_S),
    )
    if strict_of(settings, made):
        lower_repeat = lower_delay = 0
    refresh = first(made.garp_master_refresh, settings.vrrp_garp_master_refresh, 0)
    refresh_repeat = first(made.garp_master_refresh_repeat, settings.vrrp_garp_master_refresh_repeat, 1)
    return plan.GarpOptions(
        master_repeat=repeat,
        master_delay_us=delay * SECOND,
        lower_prio_repeat=lower_repeat,
        lower_prio_delay_us=lower_delay * SECOND,
        refresh_us=refresh * SECOND,
        refresh_repeat=refresh_repeat,
        **extra_if(made.garp_extra_if or settings.vrrp_garp_extra_if),
    )


def _instance(configuration: Configuration, made: VrrpInstance) -> plan.Instance:
    settings = configuration.global_defs
    assert made.virtual_router_id is not None, "an instance without VRID was removed when it was read"
    unicast = bool(made.unicast_peer) or made.unicast_fault_no_peer
    virtual = virtual_interface(configuration, made)
    others = address_interfaces(configuration, made)
    source = made.unicast_src_ip if unicast else made.mcast_src_ip
    password = _password(made)
    return plan.Instance(
        name=made.name,
        vrid=made.virtual_router_id,
        interface=made.interface,
        version=version_of(settings, made),
        family=plan.Family.INET if family_of(made) == 4 else plan.Family.INET6,
        priority=priority_of(made),
        state=plan.State.MASTER if made.state == "MASTER" else plan.State.BACKUP,
        advert_cs=first(made.advert_int, DEFAULT_ADVERT) // CENTISECOND,
        addresses=moved(_addresses(settings, made, virtual.name if virtual else None), others),
        address_virtuals=tuple(others.values()),
        vrf=made.vrf,
        rx_buffer=made.kernel_rx_buf_size,
        old_checksum=made.old_unicast_checksum == "",
        other_priority=made.timer_expired_backup,
        routes=tuple(entry.route for entry in made.virtual_routes),
        rules=tuple(entry.rule for entry in made.virtual_rules),
        source=source.packed if source else None,
        track_source=made.track_src_ip,
        mcast_group=made.mcast_dst_ip.packed if made.mcast_dst_ip else None,
        peers=tuple(plan.Peer(p.address.packed, p.min_ttl, p.max_ttl) for p in made.unicast_peer),
        unicast=unicast,
        unicast_ttl=made.unicast_ttl,
        check_unicast_src=made.check_unicast_src or settings.vrrp_check_unicast_src,
        auth=plan.Auth[made.authentication.auth_type or "NONE"]
        if password and made.authentication
        else plan.Auth.NONE,
        password=password,
        hmac=hmac_of(made),
        preempt=not made.nopreempt,
        preempt_delay_us=made.preempt_delay or 0,
        down_timer_adverts=first(
            made.down_timer_adverts, settings.vrrp_down_timer_adverts, DEFAULT_DOWN_ADVERTS
        ),
        garp=_garp(settings, made),
        lower_prio_no_advert=_flag(settings, made, "lower_prio_no_advert"),
        higher_prio_send_advert=_flag(settings, made, "higher_prio_send_advert"),
        strict=strict_of(settings, made),
        owner_ignores_adverts=_flag(settings, made, "owner_ignore_adverts"),
        v3_checksum_as_v2=first(made.v3_checksum_as_v2, settings.v3_checksum_as_v2, False),
        skip_check_adv_addr=_flag(settings, made, "skip_check_adv_addr"),
        track_primary=not made.dont_track_primary,
        tracks=(*tracks(configuration, made), *static_tracks(configuration, made.name)),
        notify=_notify(settings, made),
        promote_secondaries=made.promote_secondaries,
        accept=accepts(settings, made),
        virtual=virtual,
    )


STRICT = {"lower_prio_no_advert": True, "higher_prio_send_advert": False, "owner_ignore_adverts": True}
"""What strict mode makes of flags that an instance does not set."""


def _flag(settings: GlobalDefs, made: VrrpInstance, name: str) -> bool:
    """A [BOOL] of the instance whose default is the global ``vrrp_<name>``."""
    rfc = STRICT.get(name) if strict_of(settings, made) else None
    return bool(first(getattr(made, name), rfc, getattr(settings, "vrrp_" + name)))


def _password(made: VrrpInstance) -> bytes:
    auth = made.authentication
    if auth is None or auth.auth_type is None or not auth.auth_pass:
        return b""
    text = auth.auth_pass.encode("utf-8", "surrogateescape")
    return text[:PASSWORD_BYTES].ljust(PASSWORD_BYTES, b"\0")


def _addresses(
    settings: GlobalDefs, made: VrrpInstance, virtual: str | None
) -> tuple[plan.VirtualAddress, ...]:
    device = virtual or made.interface or settings.default_interface or DEFAULT_INTERFACE

    def each(entries: tuple[IpEntry, ...], advertised: bool) -> list[plan.VirtualAddress]:
        return [virtual_address(entry, device, advertised) for entry in entries]

    return (*each(made.virtual_ipaddress, True), *each(made.virtual_ipaddress_excluded, False))


def _group(configuration: Configuration, group: VrrpSyncGroup) -> plan.SyncGroup:
    notify = _notify(configuration.global_defs, group)
    return plan.SyncGroup(group.name, group.members, tracks(configuration, group), notify, weighs(group))
