"""The longer texts of the haproxy command: version, build report, usage."""

from __future__ import annotations

import os
import sys
from typing import Final

from evener import __version__
from evener.cli.haproxy_args import Show
from evener.haproxy.build import BRANCH, CHECKED, DATE, HOME, VERSION, feature_list

_SYNOPSIS: Final = """\
Usage : {name} [-f <cfgfile|cfgdir>]* [ -vdVD ] [ -n <maxconn> ] [ -N <maxpconn> ]
        [ -p <pidfile> ] [ -m <max megs> ] [ -C <dir> ] [-- <cfgfile>*]
"""
#: The options and what they do, as the usage shows them.
OPTIONS: Final = (
    ("-v", "displays version ; -vv shows known build options."),
    ("-vq/-vqs/-vqb", "only displays version, short version, branch."),
    ("-d", "enters debug mode ; -db only disables background mode."),
    ("-dM[<byte>,help,...]", "accepted for compatibility, does nothing"),
    ("-dt", "accepted for compatibility, does nothing"),
    ("-V", "enters verbose mode (disables quiet mode)"),
    ("-D", "goes daemon ; -C changes to <dir> before loading files."),
    ("-W", "master-worker mode."),
    ("-Ws", "master-worker mode with systemd notify support."),
    ("-q", "quiet mode : don't display messages"),
    ("-c", "check mode : only check config files and exit"),
    ("-cc", "check condition : evaluate a condition and exit"),
    ("-4", "force resolvers to consider IPv4 responses only"),
    ("-n", "sets the maximum total # of connections (uses ulimit -n)"),
    ("-m", "limits the usable amount of memory (in MB)"),
    ("-N", "sets the default, per-proxy maximum # of connections (0)"),
    ("-L", "set local peer name (default to hostname)"),
    ("-p", "writes pids of all children to this file"),
    ("-dC[[key],line]", "display the configuration file, if there is a key, the file will be anonymised"),
    ("-de", "disables epoll() usage even when available"),
    ("-dp", "disables poll() usage even when available"),
    ("-dS", "disables splice usage (broken on old kernels)"),
    ("-dG", "disables getaddrinfo() usage"),
    ("-dR", "disables SO_REUSEPORT usage"),
    ("-dL", "dumps loaded object files after config checks"),
    ("-dK{class[,...]}", "dump registered keywords (use 'help' for list)"),
    ("-dr", "ignores server address resolution failures"),
    ("-dV", "disables SSL verify on servers side"),
    ("-dW", "fails if any warning is emitted"),
    ("-dD", "diagnostic mode : warn about suspicious configuration statements"),
    ("-dF", "disable fast-forward"),
    ("-dI", "enable insecure fork"),
    ("-dZ", "disable zero-copy forwarding"),
    ("-dT", "disable kTLS"),
    ("-sf/-st [pid ]*", "finishes/terminates old pids."),
    ("-x <unix_socket>", "get listening sockets from a unix socket"),
    ("-S <bind>[,<bind options>...]", "new master CLI"),
)

MEMORY_HELP: Final = "-dM is accepted and does nothing: there is no memory allocator here to debug.\n"


def usage_text(name: str) -> str:
    options = "".join(f"        {option} {what}\n" for option, what in OPTIONS)
    return f"{_SYNOPSIS.format(name=name)}{options}\n"


def version_text() -> str:
    system = os.uname()
    return (
        f"HAProxy version {VERSION} {DATE} - {HOME}\n"
        f"Status: this is evener {__version__}, a compatible implementation of HAProxy {BRANCH} in Python.\n"
        f"Running on: {system.sysname} {system.release} {system.version} {system.machine}\n"
    )


def show(what: Show) -> str:
    """What the ``-v`` family prints."""
    if what is Show.NUMBER:
        return VERSION + "\n"
    if what is Show.BRANCH:
        return BRANCH + "\n"
    return version_text() + (_build_report() if what is Show.BUILD else "")


def _build_report() -> str:
    checked = " ".join(sorted(CHECKED))
    return f"""\
Build options : 
  TARGET  = linux-glibc
  ENGINE  = {_engine()}
  PYTHON  = {sys.implementation.name} {".".join(map(str, sys.version_info[:3]))}

Feature list : {feature_list()}
Features that are checked in files (-c), and run only where they are in the list : {checked}

Default settings :
  bufsize = 16384, maxrewrite = 1024, maxpollevents = 200

Built with multi-process support (nbthread starts that many processes, default={_processors()}).
Built without SSL library.
{algorithms()}
Regular expressions : Python's re (Perl syntax).

{POLLERS}
Available multiplexer protocols :
(protocols marked as <default> cannot be specified using 'proto' keyword)
  <default> : mode=HTTP  side=FE|BE  mux=H1    flags=
         h1 : mode=HTTP  side=FE|BE  mux=H1    flags=NO_UPG
  <default> : mode=TCP   side=FE|BE  mux=PASS  flags=
       none : mode=TCP   side=FE|BE  mux=PASS  flags=NO_UPG

Available services : prometheus-exporter

{filters()}
"""  # noqa: W291


def algorithms() -> str:
    import zlib

    from evener.haproxy.compression import ALGORITHMS

    listed = ", ".join(f'{one.name}("{one.token.decode()}")' for one in ALGORITHMS.values())
    return (
        f"Built with zlib version : {zlib.ZLIB_VERSION}\n"
        f"Running on zlib version : {zlib.ZLIB_RUNTIME_VERSION}\n"
        f"Compression algorithms supported : {listed}"
    )


def filters() -> str:
    from evener.haproxy.filters.names import NAMES, PLANNED

    executed = sorted((family, name) for name, family in NAMES.items() if name not in PLANNED)
    return "\n".join(["Available filters :", *(f"\t[{family}] {name}" for family, name in executed)])


def found_at_start() -> str:
    """What ``-V`` and ``-d`` say before anything else."""
    return f"{POLLERS}\n{filters()}\n"


def started_as_root(chroot: bool, user: bool) -> list[str]:
    """Warnings about privileges that a process keeps although it says nothing of them."""
    found = []
    if not chroot:
        found.append(_NO_CHROOT)
    if not user:
        found.append(_NO_USER)
    return found


_NO_CHROOT: Final = (
    "HAProxy was started as root without any 'chroot' directive. A chroot limits filesystem access of an "
    "intruder to a single, preferably empty, directory. It is strongly recommended to enable this "
    "feature whenever possible (it's always possible when starting as root), via 'chroot auto' in the global "
    "section. If you think you have good reasons for running outside a chroot, explicitly configure "
    "'chroot /' to silence this warning."
)
_NO_USER: Final = (
    "HAProxy was started as the root user and does not make use of 'user' nor 'uid' global options to drop "
    "the privileges. This is generally considered as a bad practice security-wise. If running as root is "
    "intentional, please make it explicit using 'uid 0' or 'user root', and also please consider using the "
    "'chroot' directive to isolate the process into a totally empty and read-only directory if possible. "
    "Also, since your operating system supports it, always prefer relying on capabilities with unprivileged "
    "users than running with full privileges (look for 'setcap' in the configurationmanual)."
)

POLLERS: Final = """\
Available polling systems :
      epoll : pref=300,  test result OK
Total: 1 (1 usable), will use epoll.
"""


def _engine() -> str:
    from importlib.util import find_spec

    return "cython" if find_spec("evener.engine.core") else "not built"


def _processors() -> int:
    return len(os.sched_getaffinity(0))


def loaded_objects() -> str:
    """The interpreter and the libraries that it has loaded, as ``-dL`` shows them."""
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        mapped = [line.split(maxsplit=5)[5].rstrip("\n") for line in maps if line.count("/")]
    libraries = dict.fromkeys(path for path in mapped if ".so" in path and path.startswith("/"))
    return "".join(line + "\n" for line in ("List of loaded object files:", sys.executable, *libraries))


def blocked(worker: int, milliseconds: int, clients: int) -> str:
    """``warn-blocked-traffic-after``; the first lines are the original's."""
    return (
        f"worker {worker + 1} has stopped processing traffic for {milliseconds} milliseconds\n"
        f"    with {clients} clients, none of which made any progress meanwhile. Much looking for regular\n"
        "    expressions, or a machine that has no time for this process, may be why. The time after which\n"
        "    this is told is set by 'warn-blocked-traffic-after'."
    )
