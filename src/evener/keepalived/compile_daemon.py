"""IR to the plan of the whole daemon: each process's part by its own compiler."""

from __future__ import annotations

from evener.keepalived.compile import _program, compile_plan, pid_directory
from evener.keepalived.compile_bfd import bfd_plan
from evener.keepalived.compile_lvs import Compiled, compile_lvs
from evener.keepalived.ir import Configuration
from evener.keepalived.plan import DaemonPlan, Errand, ParentPlan
from evener.keepalived.route_words import c_number
from evener.keepalived.scripts import ScriptCommand

BITS = {
    f"S_I{what}{who}": 4 >> at << 6 - 3 * place
    for at, what in enumerate("RWX")
    for place, who in enumerate(("USR", "GRP", "OTH"))
}


def compile_daemon(configuration: Configuration, compiled: Compiled | None = None) -> DaemonPlan:
    """``compiled``: see ``compile_lvs``."""
    return DaemonPlan(
        vrrp=compile_plan(configuration),
        checker=compile_lvs(configuration, compiled),
        bfd=bfd_plan(configuration),
        parent=_parent(configuration),
    )


def _parent(configuration: Configuration) -> ParentPlan:
    settings = configuration.global_defs
    return ParentPlan(
        startup=_errand(settings.startup_script, settings.startup_script_timeout),
        shutdown=_errand(settings.shutdown_script, settings.shutdown_script_timeout),
        patience_s=10 if configuration.child_wait_time is None else configuration.child_wait_time,
        reload_file=_reload_file(configuration),
        reload_log=settings.reload_check_config or None,
        umask=umask_of(settings.umask),
    )


def _errand(script: ScriptCommand | None, timeout: int | None) -> Errand | None:
    program = _program(script)
    return None if program is None else Errand(program, timeout or 10)


def _reload_file(configuration: Configuration) -> str | None:
    """Without a name: in the directory of the pid files."""
    told = configuration.global_defs.reload_file
    if told is None or told:
        return told
    directory = pid_directory(configuration)
    return f"/run/{directory}/keepalived.reload" if directory else "/run/keepalived.reload"


def umask_of(words: tuple[str, ...]) -> int | None:
    """A number (octal with a leading 0, hexadecimal with 0x), or names of permissions as in <sys/stat.h>."""
    if not words:
        return None
    number = c_number(words[0], 0o777)
    if number is not None:
        return number
    names = [name for word in words for name in word.split("|") if name]
    if any(name not in BITS for name in names):
        return None
    return sum({BITS[name] for name in names})
