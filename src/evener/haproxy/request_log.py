"""The log line of a transaction: which format, at what level, to whom, and when there is none.

The engine calls the policies made here at the end of each transaction and at the steps that ``log-steps``
or ``option logasap`` ask for. Where lines go is not known here: an ``Outlet`` stands for the targets of one
proxy that share a profile until the worker hangs its sender on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.aliases import REQUEST_LINE
from evener.haproxy.connection_errors import number_of_sentence
from evener.haproxy.log_steps import EVENTS, CompiledProfile, Line, Texts, profile_of
from evener.haproxy.logformat import (
    HTTP_CLF_LOG,
    HTTP_LOG,
    HTTPS_LOG,
    TCP_CLF_LOG,
    TCP_LOG,
    Format,
    compile_log_line,
    read_format,
)
from evener.haproxy.notes import notes, peek
from evener.haproxy.scope import CompileEnv
from evener.haproxy.sections.log_sections import LogProfile
from evener.haproxy.sections.logs import Logging
from evener.haproxy.sections.options import Options
from evener.haproxy.text_txn import TextRequest
from evener.haproxy.txn import CONTINUE, Txn

Policy = Callable[[Txn], int]
Write = Callable[[Any], bytes]
Send = Callable[..., None]

ERR: Final = 3
INFO: Final = 6

#: What is known when a request begins.
_KNOWN_BEFORE: Final = frozenset(
    ("o", "H", "T", "Tl", "Ts", "b", "f", "ft", "lc", "ms", "pid", "t", "tr", "trg", "trl", "tsc", "rt")
)
#: What is logged without any log option: only who connected to whom, at once, at level info.
GREETING: Final = "Connect from "
DEFAULT_LOG: Final = GREETING + "%ci:%cp to %fi:%fp (%f/{})"
NO_DATA: Final = b"-"


class Outlet:
    """Targets of one proxy; ``send`` (level, message, structured data) is set when the process knows its
    sockets. ``profile`` is that of these targets, None for the proxy's own formats. ``direct`` (level) lists
    the sockets where messages may be put without ``send``, for a second; None when there are others."""

    __slots__ = ("direct", "logs", "profile", "send", "tag")

    def __init__(self, logs: Sequence[Any], tag: str | None, profile: CompiledProfile | None = None) -> None:
        self.logs = tuple(logs)
        self.tag = tag
        self.profile = profile
        self.send: Send = lambda level, message, data=NO_DATA: None
        self.direct: Callable[[int], Sequence[Any] | None] = lambda level: None


def format_of(logging: Logging, options: Options, http: bool) -> Format:
    """The format in force: ``log-format``, else what ``option httplog`` or ``tcplog`` stand for."""
    if logging.log_format is not None:
        return logging.log_format
    if options.httpslog and http:
        return known(HTTPS_LOG)
    if options.httplog is not None and http:
        return known(HTTP_CLF_LOG if options.httplog == "clf" else HTTP_LOG)
    if options.tcplog is not None or options.httplog is not None:
        return known(TCP_CLF_LOG if options.tcplog == "clf" else TCP_LOG)
    return known(DEFAULT_LOG.format("HTTP" if http else "TCP"))


def known(text: str) -> Format:
    made = read_format(text)
    assert isinstance(made, Format), made
    return made


def failed(txn: Txn) -> bool:
    """Whether the transaction counts as an error for ``dontlog-normal`` and ``log-separate-errors``."""
    response = txn.res
    if txn.termination[:1] not in b"-L":
        return True
    return (response is not None and response.status >= 500) or txn.retries > 0


def unread(txn: Txn) -> bool:
    """Whether the transaction ended before a request was read, which has a format of its own."""
    return txn.backend is None and txn.termination[1:2] == b"R" and (txn.req is None or not txn.req.method)


class Unread:
    """A transaction as it is before its request is looked at."""

    __slots__ = ("_txn",)
    req: Final = TextRequest(b"", b"", [])
    res: Final = None

    def __init__(self, txn: Any) -> None:
        self._txn = txn

    def __getattr__(self, name: str) -> Any:
        return getattr(self._txn, name)


class RequestLog:
    """The logging of one frontend; ``outlets`` are its targets by profile, in order of their lines."""

    def __init__(
        self,
        logs: Sequence[Any],
        logging: Logging,
        options: Options,
        http: bool,
        env: CompileEnv,
        profiles: dict[str, LogProfile],
    ) -> None:
        self.env, self.options, self.http, self.steps = env, options, http, logging.log_steps
        self.profiles, self.early, self.brief = profiles, False, False
        own = format_of(logging, options, http)
        self.greets = logging.log_format is None and own.text.startswith(GREETING)
        self.asap = bool(options.logasap) and self.steps is None and not self.greets
        env.log_early = self.asap
        names = list(dict.fromkeys(log.profile for log in logs))
        self.outlets = tuple(
            self.outlet([log for log in logs if log.profile == name], name, logging.log_tag) for name in names
        )
        if self.outlets:
            self.texts = self.compiled(logging)

    def outlet(self, logs: Sequence[Any], name: str | None, tag: str | None) -> Outlet:
        profile = self.profile(name) if name is not None else None
        return Outlet(logs, profile.tag or tag if profile is not None else tag, profile)

    def profile(self, name: str) -> CompiledProfile | None:
        found = self.profiles.get(name)
        return None if found is None else profile_of(found, self.env)

    def compiled(self, logging: Logging) -> Texts:
        write = compile_log_line(format_of(logging, self.options, self.http), self.env)
        on_error = compile_log_line(logging.error_log_format, self.env) if logging.error_log_format else write
        data = compile_log_line(logging.log_format_sd, self.env) if logging.log_format_sd else None
        return Texts(write, on_error, data)

    # -- when -------------------------------------------------------------------------------------

    def accepted(self) -> Policy | None:
        """The line of ``log-steps accept`` in HTTP: for each request, of which it does not know yet."""
        log = self.at("accept")
        return None if log is None else lambda txn: log(Unread(txn))  # type: ignore[arg-type]

    def wants(self, step: str) -> bool:
        """Whether a line is written at that step of each transaction."""
        if not self.outlets:
            return False
        if self.steps is not None:
            return step in self.steps or "all" in self.steps
        if self.greets:
            return False
        if self.asap and step in ("connect", "response"):
            return (step == "response") is self.http
        return step == "close"

    def at(self, step: str) -> Policy | None:
        """The policy of a step before the end; None when nothing is written then."""
        if not self.wants(step):
            return None
        asap, log = self.asap, self.logged(step)

        def run(txn: Txn) -> int:
            log(txn, INFO)
            if asap:
                notes(txn).logged = True
            return CONTINUE

        return run

    def request(self) -> Policy | None:
        """A format that shows nothing but the first line of the request is written when that is there - and
        once more for the response of a server."""
        shown, slots = self.env.shown - {"ST"}, self.env.request_slots
        if not self.outlets or not self.http or self.steps is not None:
            return None
        if not shown <= REQUEST_LINE | _KNOWN_BEFORE or slots.headers or slots.rules:
            return None  # whatever else is shown, be it by a rule: all is written at the end
        self.brief = "ST" in self.env.shown
        if self.brief or not shown & REQUEST_LINE:
            return None
        log, quiet = self.logged("close"), bool(self.options.dontlog_normal)
        self.early = True

        def run(txn: Txn) -> int:
            found = peek(txn)
            level = INFO if found is None or found.log_level is None else found.log_level
            if level >= 0 and not quiet:
                log(txn, level)
            return CONTINUE

        return run

    def greeting(self) -> Policy | None:
        """Without any log option: one line when the stream begins, which no rule can change any more."""
        if not self.outlets or not self.greets or self.steps is not None:
            return None
        log = self.logged("close")

        def run(txn: Txn) -> int:
            log(txn, INFO)
            return CONTINUE

        return run

    def at_end(self) -> Policy | None:
        """What is called at the end of each transaction; None when nobody listens."""
        if not self.outlets or (self.greets and self.steps is None and self.texts.error is self.texts.text):
            return None
        if self.simple():
            return self.usual()
        close, error = self.logged("close"), self.logged("error")
        separate, only_errors = bool(self.options.log_separate_errors), bool(self.options.dontlog_normal)
        closing, http, early, brief = self.wants("close"), self.http, self.early, self.brief

        def run(txn: Txn) -> int:
            level = INFO
            if early and not unread(txn) and (txn.res is None or txn.own_reply):
                return CONTINUE
            if brief and txn.own_reply and txn.termination[1:2] == b"H" and txn.t_response >= 0:
                return CONTINUE  # what is to be shown was there before a rule took the response away
            if separate or only_errors:
                bad = failed(txn)
                if only_errors and not bad:
                    return CONTINUE
                level = ERR if separate and bad else INFO
            found = peek(txn)
            if found is not None:
                if found.logged:
                    return CONTINUE
                if found.log_level is not None:
                    level = found.log_level
                    if level < 0:
                        return CONTINUE
            if http and unread(txn):
                error(txn, level)
            elif closing:
                close(txn, level)
            return CONTINUE

        return run

    def simple(self) -> bool:
        """One outlet that gets a line of the proxy's own at the end: what nearly everybody has."""
        (first, *others), texts = self.outlets, self.texts
        return (
            not others
            and first.profile is None
            and texts.data is None
            and self.steps is None
            and not self.asap
            and not (self.greets or self.early or self.brief)
        )

    def usual(self) -> Policy:
        """``at_end`` without the detours."""
        outlet, write, on_error = self.outlets[0], self.texts.text, self.texts.error
        separate, only_errors = bool(self.options.log_separate_errors), bool(self.options.dontlog_normal)
        origin, http = self.env.log_origin, self.http
        origin[0] = EVENTS["close"].encode()

        def run(txn: Txn) -> int:
            level = INFO
            if separate or only_errors:
                bad = failed(txn)
                if only_errors and not bad:
                    return CONTINUE
                level = ERR if separate and bad else INFO
            found = peek(txn)
            if found is not None and found.log_level is not None:
                if found.log_level < 0:
                    return CONTINUE
                level = found.log_level
            outlet.send(level, (on_error if http and unread(txn) else write)(txn))
            return CONTINUE

        if self.env.fold is None or separate or only_errors:
            return run
        return self.env.fold.log(run, outlet, INFO, write)

    def refused(self, no_null: bool) -> Callable[[Txn, str], None] | None:
        """The line about a connection that did not begin with the header it needs: ``error-log-format``, or
        what is always said then."""
        if not self.outlets:
            return None
        own = self.texts.error is not self.texts.text
        write = self.texts.error if own else compile_log_line(known("%ci:%cp [%t] %f/"), self.env)
        level = ERR if own and self.options.log_separate_errors else INFO

        def run(txn: Txn, why: str) -> None:
            if no_null and why.startswith("Connection closed"):
                return
            notes(txn).refused = number_of_sentence(why)
            plan = getattr(txn.listener, "plan", None)
            name = getattr(plan, "name", "") or getattr(plan, "id", 0)
            said = b"" if own else f"{name}: {why}".encode()
            for outlet in self.outlets:
                outlet.send(level, write(txn) + said)

        return run

    def logged(self, step: str) -> Callable[[Txn, int], None]:
        """Writes the lines of a step, at a level, to all outlets."""
        assert self.outlets
        origin, env = EVENTS.get(step, step).encode(), self.env
        lines = [
            (outlet, line) for outlet in self.outlets if (line := self.line(outlet.profile, step)) is not None
        ]
        if len(lines) == 1 and lines[0][1].data is None:
            outlet, text = lines[0][0], lines[0][1].text

            def one(txn: Txn, level: int) -> None:
                env.log_origin[0] = origin
                outlet.send(level, text(txn), NO_DATA)

            return one

        def several(txn: Txn, level: int) -> None:
            env.log_origin[0] = origin
            for outlet, line in lines:
                data = line.data
                outlet.send(level, line.text(txn), NO_DATA if data is None else data(txn) or NO_DATA)

        return several

    def line(self, profile: CompiledProfile | None, step: str) -> Line | None:
        return self.texts.at(step) if profile is None else profile.line(step, self.texts)

    # -- rules ------------------------------------------------------------------------------------

    def do_log(self, step: str, profile: str | None) -> Policy:
        """``do-log`` of a ruleset, with the profile it names or those of the targets."""
        if not self.outlets:
            return lambda txn: CONTINUE
        if profile is None:
            log = self.logged(step)
        else:
            line, origin, env = self.line(self.profile(profile), step), step.encode(), self.env

            def log(txn: Txn, level: int) -> None:
                env.log_origin[0] = origin
                if line is not None:
                    data = NO_DATA if line.data is None else line.data(txn) or NO_DATA
                    for outlet in self.outlets:
                        outlet.send(level, line.text(txn), data)

        def run(txn: Txn) -> int:
            found = peek(txn)
            level = INFO if found is None or found.log_level is None else found.log_level
            if level >= 0:
                log(txn, level)
            return CONTINUE

        return run
