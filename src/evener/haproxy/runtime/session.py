"""Commands about the session itself, and the small ones that need nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evener.haproxy.runtime_api import (
    INFO,
    Answer,
    Level,
    Prompt,
    Session,
    Told,
    command,
)

_NUMBER = re.compile(r"\d{1,9}\Z", re.ASCII)
_DURATION = re.compile(r"(\d{1,9})(us|ms|s|m|h|d)?\Z", re.ASCII)
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

PROMPT_HELP = """\
Usage: prompt [help | n | i | p | timed]*
Changes the default prompt and interactive mode. Available options:
  help    display this help
  n       set to single-command mode (no prompt, single command)
  i       set to interactive mode only (no prompt, multi-command)
  p       set to prompt+interactive mode (prompt + multi-command)
  timed   toggle displaying the current date in the prompt
Without any argument, toggles between n/i->p, p->n.
"""


@command("help", "help [<command>]", ok=("help", "help show stat"), bad=("halp",))
def help_(session: Session, words: Sequence[str]) -> Answer:
    """list matching or all commands"""
    return Told(session.help(words), INFO)


@command("prompt", "prompt [help | n | i | p | timed ]*", ok=("prompt", "prompt i"), bad=("promptx",))
def prompt(session: Session, words: Sequence[str]) -> Answer:
    """toggle interactive mode with prompt"""
    modes = {"n": Prompt.ONCE, "i": Prompt.INTERACTIVE, "p": Prompt.PROMPT}
    if not {*modes, "timed"} >= {*words}:
        return PROMPT_HELP
    wanted = [modes[word] for word in words if word in modes]
    if "timed" in words:
        session.timed = not session.timed
        wanted = wanted or [Prompt.PROMPT]
    if wanted:
        session.prompt = wanted[-1]
    elif not words:
        session.prompt = Prompt.ONCE if session.prompt is Prompt.PROMPT else Prompt.PROMPT
    return None


@command("quit", "quit", ok=("quit",), bad=("quitx",))
def quit_(session: Session, _words: Sequence[str]) -> Answer:
    """disconnect"""
    session.ended = True
    return None


@command("user", "user", ok=("user",), bad=("userx",))
def user(session: Session, _words: Sequence[str]) -> Answer:
    """lower the level of the current CLI session to user"""
    session.level = Level.USER
    return None


@command("operator", "operator", level=Level.OPERATOR, ok=("operator",), bad=("user;operator",))
def operator(session: Session, _words: Sequence[str]) -> Answer:
    """lower the level of the current CLI session to operator"""
    session.level = Level.OPERATOR
    return None


@command(
    "expert-mode",
    "expert-mode [on|off]",
    level=Level.ADMIN,
    listed=False,
    ok=("expert-mode on",),
    bad=("expert",),
)
def expert_mode(session: Session, words: Sequence[str]) -> Answer:
    """permit commands that are only meant for developers"""
    if not words:
        return Told(f"expert-mode is {'ON' if session.expert else 'OFF'}", INFO)
    session.expert = words[0] == "on"
    return None


@command(
    "experimental-mode",
    "experimental-mode [on|off]",
    level=Level.ADMIN,
    listed=False,
    ok=("experimental-mode on",),
    bad=("experimental",),
)
def experimental_mode(session: Session, words: Sequence[str]) -> Answer:
    """permit commands that may change in later versions"""
    if not words:
        return Told(f"experimental-mode is {'ON' if session.experimental else 'OFF'}", INFO)
    session.experimental = words[0] == "on"
    return None


@command(
    "set severity-output",
    "set severity-output [none|number|string]",
    ok=("set severity-output number",),
    bad=("set severity-output loud",),
)
def set_severity_output(session: Session, words: Sequence[str]) -> Answer:
    """set presence of severity level in feedback information"""
    if not words or words[0] not in ("none", "number", "string"):
        return Told("one of 'none', 'number', 'string' is a required argument")
    session.severity = words[0]
    return None


@command("set timeout", "set timeout [cli] <delay>", ok=("set timeout cli 10s",), bad=("set timeout x",))
def set_timeout(session: Session, words: Sequence[str]) -> Answer:
    """change a timeout setting"""
    if not words or words[0] != "cli":
        return Told("'set timeout' only supports 'cli'.")
    if len(words) < 2:
        return Told("Expects an integer value.")
    match = _DURATION.match(words[1])
    if match is None or not int(match[1]):
        return Told("Invalid timeout value.")
    session.timeout = int(match[1]) * _SECONDS[match[2] or "s"]
    return None


@command("echo", "echo <text>", ok=("echo a b",), bad=("ecko",))
def echo(_session: Session, words: Sequence[str]) -> Answer:
    """print text to the output"""
    return Told(" ".join(words), INFO)


@command("show cli level", "show cli level", ok=("show cli level",), bad=("show cli lever",))
def show_cli_level(session: Session, _words: Sequence[str]) -> Answer:
    """display the level of the current CLI session"""
    return Told(session.level.name.lower(), INFO)


@command(
    "show cli sockets",
    "show cli sockets",
    ok=("show cli sockets",),
    bad=("show cli socket",),
)
def show_cli_sockets(session: Session, _words: Sequence[str]) -> Answer:
    """dump list of cli sockets"""
    listed = "".join(f"{address} {level} all\n" for address, level in session.control.sockets)
    return f"# socket lvl processes\n{listed}"


@command("show version", "show version", ok=("show version",), bad=("show versions",))
def show_version(session: Session, _words: Sequence[str]) -> Answer:
    """show version of the current process"""
    return Told(session.control.facts.version, INFO)


@command(
    "show env",
    "show env [var]",
    level=Level.OPERATOR,
    ok=("show env",),
    bad=("show env NO_SUCH_VARIABLE", "user;show env"),
)
def show_env(session: Session, words: Sequence[str]) -> Answer:
    """dump environment variables known to the process"""
    known = session.control.environment
    if not words:
        return "".join(f"{name}={value}\n" for name, value in known.items())
    if words[0] not in known:
        return Told("Variable not found")
    return f"{words[0]}={known[words[0]]}\n"


@command(
    "show startup-logs",
    "show startup-logs",
    level=Level.OPERATOR,
    ok=("show startup-logs",),
    bad=("show startup-log", "user;show startup-logs"),
)
def show_startup_logs(session: Session, _words: Sequence[str]) -> Answer:
    """report logs emitted during HAProxy startup"""
    return "".join(session.control.startup_log)
