"""IR to the plan of the whole daemon: each process's part by its own compiler."""

from __future__ import annotations

from evener.keepalived.blocks.global_defs import umask_of
from evener.keepalived.compile import _program, compile_plan, pid_directory
from evener.keepalived.compile_bfd import bfd_plan
from evener.keepalived.compile_lvs import Compiled, compile_lvs
from evener.keepalived.ir import Configuration
from evener.keepalived.plan import DaemonPlan, Errand, ParentPlan, ReloadTime, SavedText
from evener.keepalived.print import text
from evener.keepalived.scripts import ScriptCommand


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
        reload_time=_reload_time(configuration),
        saved=_saved(configuration),
        umask=umask_of(settings.umask)[1] if settings.umask else None,
    )


def _reload_time(configuration: Configuration) -> ReloadTime | None:
    settings = configuration.global_defs
    path = settings.reload_time_file
    return None if path is None else ReloadTime(path, settings.reload_repeat)


def _saved(configuration: Configuration) -> SavedText | None:
    directory = configuration.global_defs.config_save_dir
    return None if directory is None else SavedText(directory, text(configuration))


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
