"""Opening the server state files that a configuration names, and handing their rows to the servers.

``global``: one file for all backends (``server-state-file``); ``local``: one for each, named by
``server-state-file-name`` or like the backend; both under ``server-state-base`` unless they begin with a
slash. A file that is not there yet is worth a notice and no more.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evener.cli.haproxy_console import Console
from evener.haproxy import state_file, stats_file
from evener.haproxy.control import Control
from evener.haproxy.fleet import Fleet
from evener.haproxy.plan import BackendPlan, Plan
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.state_file import BadFile, StateRow


class States:
    """The rows that concern the servers of a plan."""

    def __init__(self, configuration: Any, plan: Plan, console: Console) -> None:
        self._global = configuration.global_
        self._console = console
        self._rows: dict[tuple[str, str], StateRow] = {}
        shared: list[StateRow] | None = None
        for backend in plan.backends:
            proxy: Proxy = backend.ir
            wanted = proxy.connections.load_server_state_from_file
            if not backend.servers or wanted in (None, "none"):
                continue
            if wanted == "global":
                if shared is None:
                    shared = self._shared()
                self._keep(backend, [row for row in shared if row.backend == backend.name])
            else:
                self._keep(backend, self._local(backend))

    def find(self, backend: str, server: str) -> StateRow | None:
        return self._rows.get((backend, server))

    def take_over(self, fleet: Fleet, now: float) -> None:
        """Give the servers of the fleet what their rows say."""
        for server, row in state_file.pairs(list(fleet), self.find):
            warning = state_file.take_over(server, row, now)
            if warning is not None:
                self._console.tell("WARNING", warning)
        if self._rows:
            fleet.settle_quietly()

    def _keep(self, backend: BackendPlan, rows: list[StateRow]) -> None:
        known = {server.name for server in backend.servers}
        local = backend.ir.connections.load_server_state_from_file == "local"
        for row in rows:
            if row.server in known:
                self._rows[backend.name, row.server] = row
            elif local:
                told = f"can't find server '{row.server}' in backend '{backend.name}'"
                self._console.tell("WARNING", f"Proxy '{backend.name}': {told}")

    def _shared(self) -> list[StateRow]:
        if self._global.server_state_file is None:
            return []
        path = self._path(self._global.server_state_file)
        return self._read(path, "config: ", "global server state file", "")

    def _local(self, backend: BackendPlan) -> list[StateRow]:
        name = backend.ir.connections.server_state_file_name
        path = self._path(backend.name if name in (None, "", "use-backend-name") else name)
        rows = self._read(path, f"Proxy '{backend.name}': ", "server state file", ".")
        for row in rows:
            if row.backend != backend.name:
                told = (
                    f"backend name mismatch: from server state file: '{row.backend}', "
                    f"from running config '{backend.name}'"
                )
                self._console.tell("WARNING", f"Proxy '{backend.name}': {told}")
        return [row for row in rows if row.backend == backend.name]

    def _path(self, name: str) -> str:
        base = self._global.server_state_base
        if name.startswith("/") or not base:
            return name
        return f"{base}{'' if base.endswith('/') else '/'}{name}"

    def _read(self, path: str, lead: str, what: str, end: str) -> list[StateRow]:
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as opened:
                return state_file.read(opened.read())
        except OSError as error:
            kind = "NOTICE" if isinstance(error, FileNotFoundError) else "WARNING"
            self._console.tell(kind, f"{lead}Can't open {what} '{path}': {error.strerror}{end}")
        except BadFile as bad:
            if bad.kind == "empty":
                self._console.tell("NOTICE", f"{lead}Empty {what} '{path}'.")
            elif bad.kind == "version":
                article = "the " if end or lead.startswith("config") else ""
                self._console.tell("WARNING", f"{lead}Can't get version of {article}{what} '{path}'.")
            else:
                self._console.tell("WARNING", f"{lead}corrupted {what} '{path}' at line {bad.kind}.")
        return []


def preload(path: str | None, control: Control, console: Console) -> None:
    """Begin with the counters of a stats-file."""
    if path is None:
        return
    try:
        text = Path(path).read_text("utf-8", "replace")
        for row, column, value in list(stats_file.load(text, control.plan, control.statistics)):
            control.cells.set(row, column, value)
    except OSError:
        console.tell("WARNING", f"config: Can't load stats-file '{path}': cannot open file.")
    except stats_file.BadStatsFile:
        console.tell("WARNING", f"config: Invalid stats-file format in file '{path}'.")
