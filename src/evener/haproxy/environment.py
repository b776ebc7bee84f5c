"""The environment a configuration is read with: a value, never the process's own.

The configuration changes it while it is being read (``setenv`` and its relatives in a ``global``
section), and everything after that line sees the change. Only when the program runs does whoever starts
children take ``variables`` as their environment.

The original reads its files twice: the first time only to find such settings. What the first reading
leaves behind is where the second one starts; ``presetenv`` may therefore find a variable that a later
line set, or miss one that a later ``resetenv`` removed.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from evener.haproxy.build import BRANCH, VERSION

_HTTP_COUNTS = "%ac/%fc/%bc/%sc/%rc %sq/%bq"
_HTTP = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc " + _HTTP_COUNTS + " %hr %hs %{+Q}r"
_KEYLOG = (
    ("CLIENT_RANDOM", "session_key", ",hex"),
    ("CLIENT_EARLY_TRAFFIC_SECRET", "client_early_traffic_secret", ""),
    ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "client_handshake_traffic_secret", ""),
    ("SERVER_HANDSHAKE_TRAFFIC_SECRET", "server_handshake_traffic_secret", ""),
    ("CLIENT_TRAFFIC_SECRET_0", "client_traffic_secret_0", ""),
    ("SERVER_TRAFFIC_SECRET_0", "server_traffic_secret_0", ""),
    ("EXPORTER_SECRET", "exporter_secret", ""),
    ("EARLY_EXPORTER_SECRET", "early_exporter_secret", ""),
)


def _keylog(side: str) -> str:
    text = "\n".join(
        f"{label} %[ssl_{side}_client_random,hex] %[ssl_{side}_{fetch}{convert}]"
        for label, fetch, convert in _KEYLOG
    )
    # the original has two blanks in one place
    return text.replace("] %[ssl_bc_session_key", "]  %[ssl_bc_session_key")


LOG_FORMATS: Mapping[str, str] = {
    "HAPROXY_HTTP_LOG_FMT": _HTTP,
    "HAPROXY_HTTP_CLF_LOG_FMT": '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s '
    "%TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl",
    "HAPROXY_HTTPS_LOG_FMT": _HTTP + " %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/"
    "%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc",
    "HAPROXY_TCP_LOG_FMT": "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts " + _HTTP_COUNTS,
    "HAPROXY_TCP_CLF_LOG_FMT": '%{+Q}o %{-Q}ci - - [%T] "TCP " 000 %B "" "" %cp %ms %ft %b %s '
    '%Th %Tw %Tc %Tt %U %ts-- %ac %fc %bc %sc %rc %sq %bq "" "" ',
    "HAPROXY_KEYLOG_FC_LOG_FMT": _keylog("fc"),
    "HAPROXY_KEYLOG_BC_LOG_FMT": _keylog("bc"),
}


MOST_KEPT: Final = 64 << 20
"""So many characters of values the files may set: each may be made of others."""


class Refused(Exception):
    """A change that cannot be made; the message is the original's."""


class Environment:
    """Variables by name, and the four keywords that change them."""

    __slots__ = ("kept", "variables")

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = dict(variables)
        self.kept = 0  #: characters that ``setenv`` and ``presetenv`` have put in

    @classmethod
    def of_process(cls, *, master_worker: bool = False) -> Environment:
        """The process's environment and what is known before the first file is read."""
        environment = cls(os.environ)
        environment.set("HAPROXY_STARTUP_VERSION", VERSION)
        environment.set("HAPROXY_BRANCH", BRANCH)
        if master_worker:
            environment.set("HAPROXY_MWORKER", "1")
        return environment

    def prepare(self, files: Sequence[str], local_peer: str | None) -> None:
        """What the second reading may use besides."""
        self.variables.update(LOG_FORMATS)
        self.set("HAPROXY_CFGFILES", ";".join(files))
        if local_peer is not None or "HAPROXY_LOCALPEER" not in self.variables:
            self.set("HAPROXY_LOCALPEER", local_peer or socket.gethostname())

    def conclude(self, sockets: Sequence[str]) -> None:
        """Once all is read: formats of logs are forgotten, where commands are taken is known."""
        for name in LOG_FORMATS:
            if "KEYLOG" not in name:
                self.variables.pop(name, None)
        if sockets:
            self.set("HAPROXY_CLI", ";".join(sockets))

    def get(self, name: str) -> str | None:
        return self.variables.get(name)

    def set(self, name: str, value: str) -> None:
        self.variables[name] = value

    def closest(self, name: str) -> str | None:
        """The variable that ``name`` was perhaps meant to be."""
        import difflib

        match = difflib.get_close_matches(name, self.variables, n=1, cutoff=0.8)
        return match[0] if match else None

    def change(self, words: Sequence[str]) -> None:
        """Do what a ``setenv``, ``presetenv``, ``unsetenv`` or ``resetenv`` line says; raises Refused."""
        CHANGES[words[0]](self, words)

    def _assign(self, words: Sequence[str]) -> None:
        keyword = words[0]
        if len(words) < 2:
            raise Refused(f"'{keyword}' expects environment variable name.\n.")
        name = words[1]
        if len(words) < 3:
            raise Refused(f"'{keyword}' expects environment variable value for '{name}'.\n.")
        if len(words) > 3:
            raise Refused(f"'{keyword}' cannot handle unexpected argument '{words[3]}'.")
        if "=" in name:
            raise Refused(f"'{keyword}' failed on variable '{name}' : Invalid argument.\n")
        if keyword == "setenv" or name not in self.variables:
            if len(words[2]) + self.kept > MOST_KEPT:
                raise Refused(f"'{keyword}' failed on variable '{name}' : Cannot allocate memory.\n")
            self.kept += len(words[2])
            self.set(name, words[2])

    def _unset(self, words: Sequence[str]) -> None:
        if len(words) < 2:
            raise Refused(f"'{words[0]}' expects at least one variable name.\n")
        for name in words[1:]:
            if "=" in name:
                raise Refused(f"'{words[0]}' failed on variable '{name}' : Invalid argument.\n")
            self.variables.pop(name, None)

    def _reset(self, words: Sequence[str]) -> None:
        keep = {name: self.variables[name] for name in words[1:] if name in self.variables}
        self.variables = keep


CHANGES: Mapping[str, Callable[[Environment, Sequence[str]], None]] = {
    "setenv": Environment._assign,
    "presetenv": Environment._assign,
    "unsetenv": Environment._unset,
    "resetenv": Environment._reset,
}
