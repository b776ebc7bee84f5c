"""The JSON file that the JSON signal asks for: keepalived.json, as exporters read it (version 1 or 2).

Keys, and the mixture of numbers and booleans, are the original's, as is its leaving out of empty lists.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from evener.keepalived.vrrp.admission import Stats
from evener.keepalived.vrrp.describe import addresses
from evener.keepalived.vrrp.describe_routes import route_line, rule_line
from evener.keepalived.vrrp.describe_tracked import quoted
from evener.keepalived.vrrp.fsm import Machine
from evener.keepalived.vrrp.plan import Auth, Instance, Program, State, TrackKind
from evener.keepalived.vrrp.plan_tracked import TrackedProcess
from evener.keepalived.vrrp.router import Router

JSON_NAME = "keepalived.json"

STATS_KEYS = (
    "advert_rcvd", "advert_sent", "become_master", "release_master", "packet_len_err", "advert_interval_err",
    "ip_ttl_err", "invalid_type_rcvd", "addr_list_err", "invalid_authtype", "authtype_mismatch",
    "auth_failure", "auth_ext_missing", "auth_ext_malformed", "auth_ext_unknown_key",
    "auth_ext_invalid_hmac", "auth_ext_stale", "auth_ext_replay", "pri_zero_rcvd", "pri_zero_sent",
)  # fmt: skip


def document(instances: Iterable[tuple[Machine, Stats, float]], router: Router | None = None) -> str:
    """The text of the file, from each instance, its counters and when (wall clock) its state last changed.

    With ``router`` it is version 2, which has the tracked processes beside the instances.
    """
    listed: Any = [
        {"data": _data(machine, since), "stats": {key: getattr(stats, key) for key in STATS_KEYS}}
        for machine, stats, since in instances
    ]
    if router is not None:
        processes = [_process(router, process) for process in router.plan.processes]
        listed = {"vrrp": listed, **({"track_process": processes} if processes else {})}
    return json.dumps(listed, separators=(",", ":"))


def _process(router: Router, process: TrackedProcess) -> dict[str, Any]:
    return {
        "process": process.name,
        **({"parameters": " ".join(process.argv[1:])} if process.argv[1:] else {}),
        "param_match": process.match or "none",
        "min_processes": process.quorum,
        **({} if process.quorum_max is None else {"max_processes": process.quorum_max}),
        "have_quorum": bool(router.known.get((TrackKind.PROCESS, process.name))),
        "terminate_delay": _short(process.terminate_delay_us / 1e6),
        "fork_delay": _short(process.fork_delay_us / 1e6),
        "full_command": process.full_command,
    }


def _data(machine: Machine, since: float) -> dict[str, Any]:
    config = machine.config
    master = machine.state is State.MASTER
    return {
        "iname": config.name,
        "dont_track_primary": int(not config.track_primary),
        "skip_check_adv_addr": int(config.skip_check_adv_addr),
        "strict_mode": int(config.strict),
        "vmac_ifname": config.virtual.name if config.virtual else "",
        "ifp_ifname": config.wire or "",
        "master_priority": machine.master_priority,
        "last_transition": since,
        **_garp(config),
        "lower_prio_no_advert": int(config.lower_prio_no_advert),
        "higher_prio_send_advert": int(config.higher_prio_send_advert),
        "vrid": config.vrid,
        "base_priority": config.priority,
        "effective_priority": machine.priority,
        "vipset": master,
        "promote_secondaries": config.promote_secondaries,
        "adver_int": _short(config.advert_cs / 100),
        "master_adver_int": _short(machine.master_advert_us / 1e6),
        "accept": int(config.accept),
        "nopreempt": not config.preempt,
        "preempt_delay": config.preempt_delay_us // 1_000_000,
        "state": int(machine.state),
        "wantstate": int(State.MASTER if machine.wants_master else machine.state),
        "version": config.version,
        "smtp_alert": config.notify.mail,
        "notify_deleted": config.notify.send_deleted,
        **_scripts(config),
        **{key: several for key, several in _lists(config, master).items() if several},
        "auth_type": int(config.auth),
        **({"auth_data": "********"} if config.auth is not Auth.NONE else {}),
    }


def _lists(config: Instance, master: bool) -> dict[str, list[str]]:
    return {
        "vips": addresses(config, master, advertised=True),
        "evips": addresses(config, master, advertised=False),
        "vroutes": [route_line(route) for route in config.routes],
        "vrules": [rule_line(rule) for rule in config.rules],
        "track_ifp": [t.name for t in config.tracks if t.kind is TrackKind.INTERFACE],
        "track_script": [t.name for t in config.tracks if t.kind is TrackKind.SCRIPT],
        "track_process": [t.name for t in config.tracks if t.kind is TrackKind.PROCESS],
    }


def _short(value: float) -> float:
    """As printf's %g says it: six digits, and no fraction where there is none."""
    rounded = float(f"{value:g}")
    return int(rounded) if rounded.is_integer() else rounded


def _garp(config: Instance) -> dict[str, float]:
    garp = config.garp
    return {
        "garp_delay": _short(garp.master_delay_us / 1e6),
        "garp_refresh": garp.refresh_us // 1_000_000,
        "garp_rep": garp.master_repeat,
        "garp_refresh_rep": garp.refresh_repeat,
        "garp_lower_prio_delay": garp.lower_prio_delay_us // 1_000_000,
        "garp_lower_prio_rep": garp.lower_prio_repeat,
    }


def _scripts(config: Instance) -> dict[str, str]:
    notify = config.notify
    named: dict[str, Program | None] = {
        "script_backup": notify.backup,
        "script_master": notify.master,
        "script_fault": notify.fault,
        "script_stop": notify.stop,
        "script_deleted": notify.deleted,
        "script": notify.any,
        "script_master_rx_lower_pri": notify.master_rx_lower_pri,
    }
    return {key: quoted(program) for key, program in named.items() if program is not None}


def wall_clock(then_us: int, now_us: int) -> float:
    """The wall clock of a moment on the loop's clock."""
    return round(time.time() - (now_us - then_us) / 1e6, 6)
