"""The part of global_defs about the processes: names, scheduling, limits."""

from __future__ import annotations

from evener.keepalived.arguments import Flag, Number, OptionalNumber, String
from evener.keepalived.blocks.common import NICE, RTTIME, named, realtime
from evener.keepalived.blocks.scheduling import Affinity
from evener.keepalived.declare import Block, word
from evener.text.record import dataclass

LOWEST = (
    " Where it is permitted, 1 without this, {0}_priority and max_auto_priority"
    " ({0}_priority 0: an ordinary process)."
)


@dataclass(frozen=True, slots=True)
class ProcessSettings(Block):
    """Names, priorities and limits of the processes."""

    process_names: bool = word(
        Flag(), "Name the processes keepalived, keepalived_vrrp and so on.", default=False
    )
    process_name: str | None = named("Name of the parent process.")
    vrrp_process_name: str | None = named("Name of the VRRP process.")
    checker_process_name: str | None = word(String(), "Name of the checker process.")
    lvs_process_name: str | None = word(
        String(), "Old spelling of checker_process_name.", sets="checker_process_name"
    )
    bfd_process_name: str | None = named("Name of the BFD process.")
    vrrp_priority: int | None = word(
        NICE,
        "Nice value of the VRRP process.",
        complaint="Invalid vrrp process priority specified",
        missing="No vrrp process priority specified",
    )
    vrrp_no_swap: bool = word(Flag(), "Lock the VRRP process in memory.", default=False)
    vrrp_rt_priority: int | None = realtime("vrrp", LOWEST.format("vrrp"))
    vrrp_cpu_affinity: tuple[int, ...] = word(
        Affinity("vrrp"),
        "CPUs the VRRP process may run on.",
        default=(),
        missing="No vrrp cpu_id set specified",
    )
    vrrp_rlimit_rttime: int | None = word(
        RTTIME,
        "Microseconds the VRRP process, realtime, runs without a pause until it is said in the log.",
        complaint="Invalid vrrp real-time limit - {word}",
    )
    vrrp_rlimit_rtime: int | None = word(
        RTTIME,
        "Old spelling of vrrp_rlimit_rttime.",
        sets="vrrp_rlimit_rttime",
        complaint="Invalid vrrp real-time limit - {word}",
    )
    checker_priority: int | None = word(
        NICE,
        "Nice value of the checker process.",
        complaint="Invalid checker process priority specified",
        missing="No checker process priority specified",
    )
    checker_no_swap: bool = word(Flag(), "Lock the checker process in memory.", default=False)
    checker_rt_priority: int | None = realtime("checker")
    checker_cpu_affinity: tuple[int, ...] = word(
        Affinity("checker"),
        "CPUs the checker process may run on.",
        default=(),
        missing="No checker cpu_id set specified",
    )
    checker_rlimit_rttime: int | None = word(
        RTTIME,
        "Microseconds the checker process, realtime, runs without a pause until it is said in the log.",
        complaint="Invalid checker real-time limit - {word}",
    )
    checker_rlimit_rtime: int | None = word(
        RTTIME,
        "Old spelling of checker_rlimit_rttime.",
        sets="checker_rlimit_rttime",
        complaint="Invalid checker real-time limit - {word}",
    )
    bfd_priority: int | None = word(
        NICE,
        "Nice value of the BFD process.",
        complaint="Invalid bfd process priority specified",
        missing="No bfd process priority specified",
    )
    bfd_no_swap: bool = word(Flag(), "Lock the BFD process in memory.", default=False)
    bfd_rt_priority: int | None = realtime("bfd", LOWEST.format("bfd"))
    bfd_cpu_affinity: tuple[int, ...] = word(
        Affinity("bfd"), "CPUs the BFD process may run on.", default=(), missing="No bfd cpu_id set specified"
    )
    bfd_rlimit_rttime: int | None = word(
        RTTIME,
        "Microseconds the BFD process, realtime, runs without a pause until it is said in the log.",
        complaint="Invalid bfd real-time limit - {word}",
    )
    bfd_rlimit_rtime: int | None = word(
        RTTIME,
        "Old spelling of bfd_rlimit_rttime.",
        sets="bfd_rlimit_rttime",
        complaint="Invalid bfd real-time limit - {word}",
    )
    max_auto_priority: int | None = word(
        OptionalNumber(-1, 99, 0),
        "Raise the realtime priority when timers are late, up to this.",
        complaint="max_auto_priority '{word}' must be in [0, 99] (or -1 to disable) - ignoring",
    )
    min_auto_priority_delay: int | None = word(
        Number(1, 10_000_000),
        "Microseconds of lateness that raise the priority.",
        complaint="min_auto_priority_delay '{word}' must be in [1, 10000000] - ignoring",
        missing="min_auto_priority_delay requires delay time",
    )
