"""``defaults``, ``frontend``, ``backend`` and ``listen``: opening them, inheriting, reading their lines.

A proxy starts from the values of its defaults section: the one named by ``from``, otherwise the last one
read. Rules of different kinds run in a fixed order whatever their order in the file; a rule that stands
after one that runs later gets a warning.
"""

from __future__ import annotations

import re
from typing import Any, Final

from evener.haproxy.line import Line
from evener.haproxy.scope import Scope
from evener.haproxy.sections.proxy import VOCABULARY, Kind, Proxy
from evener.haproxy.sections.reading import MISSING, SERVER_LEAD, TIGHT, Place, read_value, where_of
from evener.haproxy.sections.sides import fits, not_negatable
from evener.haproxy.statements import read_statement
from evener.text.diagnostic import Diagnostics, FatalConfiguration
from evener.text.span import Span
from evener.vocab.blocks import Builder, Keyword, Slot, changed

_BAD_NAME: Final = re.compile(r"[^A-Za-z0-9_.:\-]")
_UPPER: Final = "config : Parsing [{place}]: "

#: Rules are processed in this order; the fact ``rules`` of a declaration is its place in it.
REQUEST_ORDER: Final = (
    ("tcp-request connection", ("rules", "tcp_request_connection")),
    ("tcp-request session", ("rules", "tcp_request_session")),
    ("tcp-request content", ("rules", "tcp_request_content")),
    ("monitor fail", ("connections", "monitor_fail")),
    ("http-request", ("rules", "http_request")),
    ("redirect", ("rules", "redirect")),
    ("use_backend", ("switching", "use_backend")),
)
RESPONSE_ORDER: Final = (
    ("tcp-response content", ("rules", "tcp_response_content")),
    ("http-response", ("rules", "http_response")),
)
HTTP: Final = ("http-request", "http-response", "http-after-response")
FINAL: Final = frozenset({"allow", "deny", "return", "redirect", "reject", "tarpit", "silent-drop", "auth"})
"""Actions after which no other rule of the set is tried."""
#: For each set of rules those that are tried after it.
_LATER: Final = {
    name: order[index + 1 :]
    for order in (REQUEST_ORDER, RESPONSE_ORDER)
    for index, (name, _) in enumerate(order)
}
for _name in (name for name, _ in REQUEST_ORDER if name != "use_backend"):
    _LATER[_name] = (*_LATER[_name], ("use-server", ("switching", "use_server")))
_RULES: Final = (*REQUEST_ORDER, *RESPONSE_ORDER, ("", ("rules", "http_after_response")))
_NAMING: Final = frozenset({"use_backend", "default_backend"})
"""What names a backend is ignored in a backend, where it has to name one all the same."""
_UNFIT: Final = {
    "frontend": ("tcp-response content",),
    "backend": ("tcp-request connection", "tcp-request session"),
}
"""Rules that a proxy without the other side cannot inherit."""


class ProxyNames:
    """The proxies and defaults sections read so far."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self.diagnostics = diagnostics
        self.defaults: list[Proxy] = []
        self.proxies: list[Proxy] = []
        self.by_name: dict[str, tuple[str, Span]] = {}
        self.referenced: set[int] = set()
        self.sides: dict[int, str] = {}  #: which kind of proxy inherits the rules of a defaults section
        self._carried: dict[int, tuple[str, ...]] = {}

    def origin(self, kind: str, name: str, wanted: str | None, line: Line) -> Proxy | None:
        """The defaults section to inherit from; says when it is missing or doubtful."""
        if wanted is None:
            last = self.defaults[-1] if self.defaults and kind != "defaults" else None
            if last is not None and id(last) in self.referenced and last.name:
                self.diagnostics.warning(
                    "mixed-defaults",
                    f"defaults section '{last.name}' (declared at {last.span}) is explicitly referenced by "
                    "another proxy and implicitly used here. To avoid any ambiguity don't mix both usage. "
                    "Add a last defaults section not explicitly used or always use explicit references.",
                    line.span(0),
                )
            return last
        found = [section for section in self.defaults if section.name == wanted]
        if not found:
            word = "proxy" if kind == "listen" else kind
            message = f"defaults section '{wanted}' not found for {word} '{name}'."
            raise self.diagnostics.abort("unknown-defaults", message, line.span(len(line.words) - 1))
        if len(found) > 1:
            message = (
                f"ambiguous defaults section name '{wanted}' referenced by {kind} '{name}' exists "
                f"at least at {found[-1].span} and {found[-2].span}."
            )
            span = line.span(len(line.words) - 1)
            self.diagnostics.alert("ambiguous-defaults", message, span)
        self.referenced.add(id(found[-1]))
        return found[-1]

    def side(self, origin: Proxy, kind: str) -> str:
        """The kind of the first proxy that inherits its rules."""
        return self.sides.setdefault(id(origin), kind)

    def carried(self, defaults: Proxy) -> tuple[str, ...]:
        """The kinds of rules that a defaults section hands down."""
        known = self._carried.get(id(defaults))
        if known is None:
            known = tuple(name for name, path in _RULES if get(defaults, path))
            self._carried[id(defaults)] = known
        return known

    def claim(self, kind: str, name: str, line: Line) -> None:
        """Say when a proxy of that name exists already."""
        before = self.by_name.get(name)
        if before is None:
            self.by_name[name] = (kind, where_of(line))
            return
        now, then = ("proxy" if word == "listen" else word for word in (kind, before[0]))
        sentence = f"{now} '{name}' has the same name as {then} '{name}' declared at {before[1]}."
        if before[0] == kind or "listen" in (before[0], kind):
            self.diagnostics.alert("duplicate-proxy", sentence, line.span(1), lead=_UPPER)
        advice = " This is no longer supported as of 3.3. Please rename one or the other."
        raise self.diagnostics.abort("duplicate-proxy", sentence + advice, line.span(1), lead=_UPPER)


class BrokenProxy:
    """A proxy whose first line was wrong: nothing can be said inside it."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def line(self, line: Line) -> None:
        self.place.alert("broken-section", "'listen' or 'defaults' expected.", line.span(0))

    def close(self) -> None:
        """There is nothing to hand over."""


def open_proxy(names: ProxyNames, place: Place, line: Line) -> ProxySection | BrokenProxy:
    """Open the section of ``line``, or what takes its lines when that line is wrong."""
    return usable_proxy(names, place, line) or BrokenProxy(place)


def usable_proxy(names: ProxyNames, place: Place, line: Line) -> ProxySection | None:
    kind, words = line.words[0], list(line.words[1:])
    wanted, refused = None, False
    if kind == "defaults" and words[:1] == ["from"] and len(words) == 2:
        words, wanted = [], words[1]
    elif len(words) >= 3 and words[1] == "from":
        wanted = words[2]
        if len(words) > 3:
            message = f"'{kind}' cannot handle unexpected argument '{words[3]}'."
            place.alert("unexpected-argument", message, line.span(4))
            return None
    elif len(words) > 1 and kind != "defaults":
        refused = True
    if not words and kind != "defaults":
        raise place.diagnostics.abort("missing-name", f"'{kind}' expects an <id> argument", line.span(1))
    name = words[0] if words else ""
    check_name(kind, name, place, line)
    if refused:
        # About other words after the name of a backend the original says nothing, and leaves it out.
        if kind in ("frontend", "listen"):
            message = "please use the 'bind' keyword for listening addresses."
            place.alert("address-on-section", message, line.span(2))
        return None
    place.name = name
    origin = names.origin(kind, name, wanted, line)
    if kind != "defaults":
        names.claim(kind, name, line)
    if origin is not None:
        check_inheritable(names, kind, origin, place, line)
    facts = {"kind": Kind(kind), "name": name, "origin": origin, "origin_named": wanted is not None}
    start = changed(origin or Proxy(), {**facts, "span": where_of(line), "description": None, "spans": {}})
    return ProxySection(names, place, start)


def check_name(kind: str, name: str, place: Place, line: Line) -> None:
    wrong = _BAD_NAME.search(name)
    if wrong:
        message = f"character '{wrong[0]}' is not permitted in '{kind}' name '{name}'."
        place.alert("bad-name", message, line.span(1))


def check_inheritable(names: ProxyNames, kind: str, origin: Proxy, place: Place, line: Line) -> None:
    """Some defaults sections may not be inherited from: those with rules, by other defaults or both sides."""
    rules = names.carried(origin)
    if not rules and not (kind == "defaults" and origin.rules.acl):
        return
    unfit = next((name for name in _UNFIT.get(kind, ()) if name in rules), "")
    declared = f"(defaults section at {origin.span})"
    if kind == "defaults":
        message = (
            f"a defaults section cannot inherit from a defaults section defining TCP/HTTP rules {declared}."
        )
    elif kind == "listen":
        message = "a listen section cannot inherit from a defaults section defining TCP/HTTP rules."
    elif unfit:
        what = f"'{unfit}'" if kind != "backend" else " or ".join(f"'{name}'" for name in _UNFIT[kind])
        message = f"a {kind} section cannot inherit from a defaults section defining {what} rules {declared}."
    elif names.side(origin, kind) != kind:
        message = (
            "frontends and backends cannot inherit from the same defaults section if it defines "
            f"TCP/HTTP rules {declared}."
        )
    else:
        return
    raise place.diagnostics.abort("bad-defaults", message, line.span(0), lead=TIGHT)


def get(proxy: Proxy, path: tuple[str, ...]) -> Any:
    value: Any = proxy
    for name in path:
        value = getattr(value, name)
    return value


#: Keywords that may stand in sections of a kind, whatever else is said: found while lines are read.
_at_home: set[tuple[str, str]] = set()
#: Keywords after which nothing else has to be done.
_quiet: set[str] = set()


class ProxySection:
    """One proxy while its lines are read."""

    def __init__(self, names: ProxyNames, place: Place, start: Proxy) -> None:
        self.names = names
        self.place = place
        self.start = start
        self.servers: dict[str, int] = {}  #: the line of each server
        self.numbers: dict[int, Line] = {}
        self.rule = False  #: the line at hand is an HTTP rule
        self.builder: Builder[Proxy] = Builder(Proxy, start)
        acls = start.rules.acls() if start.rules.acl else {}
        place.scope = Scope(
            place.diagnostics, place.kind, place.name, acls=acls, stick_counters=place.stick_counters,
            experiments=place.experiments, scripts=place.scripts, http=start.mode == "http",
        )  # fmt: skip
        place.base = start.default_server

    def line(self, line: Line) -> None:
        self.rule = False
        slot = read_statement(self.builder, VOCABULARY, line, self.place, self.accepts)
        if slot is None:
            if self.rule:
                # A rule that cannot be read ends the reading, in the original too.
                self.place.diagnostics.aborted = True
                raise FatalConfiguration(line.words[0])
            return
        word = slot.keyword
        if word.name in _quiet:
            return
        if word.name == "server":
            self.named(line, self.builder.get(slot.path)[-1].options.id)
        elif word.name == "default-server":
            self.place.base = self.builder.get(slot.path)
        elif word.name == "mode" and self.place.scope is not None:
            self.place.scope.http = self.builder.get(slot.path) == "http"
        elif "same_as" in word.facts:
            self.renamed(word, line)
        elif word.name not in ("mode", *HTTP) and "rules" not in word.facts:
            _quiet.add(word.name)
        if word.name in HTTP:
            self.after_final(word.name, slot, line)
        rules = word.facts.get("rules")
        if rules is not None:
            self.misplaced(rules, line)

    def accepts(self, word: Keyword, line: Line, place: Place) -> bool:
        if (word.name, place.kind) in _at_home:
            self.rule = word.name in HTTP
            return True
        ignored = word.facts.get("in_backend")
        if ignored is not None and place.kind == "backend":
            if not_negatable(word, line, place):
                return False
            if read_value(Slot(word, ()), line, len(word.name.split()), place) is MISSING:
                return False
            text = ignored.replace("{name}", place.name).replace("{word}", word.name)
            place.warning("wrong-side", text, line.span(0))
            return False
        fitting = fits(word, line, place)
        if not fitting and place.kind == "backend" and word.name in _NAMING:
            self.builder.keep(line.words, where_of(line))
        self.rule = fitting and word.name in HTTP
        if fitting and "named_defaults" not in word.facts:
            _at_home.add((word.name, place.kind))
        return fitting

    def renamed(self, word: Keyword, line: Line) -> None:
        """An option that has another name now: the new one is set as well."""
        new = word.facts["same_as"]
        old = word.name.split()[1]
        message = f"option '{old}' is deprecated. please use '{new}' if absolutely needed."
        self.place.diagnostics.warning("deprecated-option", message, line.span(0), lead=TIGHT)
        slot, _ = VOCABULARY.find(new.split())
        if isinstance(slot, Slot):
            self.builder.set(slot.path, True, where_of(line))

    def named(self, line: Line, number: int | None) -> None:
        """Two servers of a proxy have two names, and two numbers."""
        name = line.words[1]
        first = self.servers.setdefault(name, line.number)
        if first != line.number:
            message = (
                f"'server {self.place.name}/{name}' : another server named '{name}' was already defined "
                f"at line {first}, please use a distinct name."
            )
            self.place.diagnostics.alert("duplicate-server", message, line.span(1), lead=SERVER_LEAD)
        if number is None:
            return
        other = self.numbers.setdefault(number, line)
        if other is not line:
            message = (
                f"'server {self.place.name}/{name}' : 'id' : custom id {number} already used at "
                f"{where_of(other)} ('server {other.words[1]}')."
            )
            self.place.diagnostics.alert("duplicate-id", message, line.span(1), lead=SERVER_LEAD)

    def after_final(self, ruleset: str, slot: Slot, line: Line) -> None:
        """A rule after one that always ends the rule set is never tried."""
        rules = self.builder.get(slot.path)[len(get(self.start, slot.path)) :]
        before = rules[-2] if len(rules) > 1 else None
        if before is None or before.condition is not None or "ignore-empty" in before.words:
            return
        if before.action in FINAL:
            message = (
                f"previous '{ruleset}' action is final and has no condition attached, "
                "further entries are NOOP."
            )
            self.place.diagnostics.warning("unreachable-rule", message, line.span(0), lead=TIGHT)

    def misplaced(self, rules: str, line: Line) -> None:
        for name, path in _LATER.get(rules, ()):
            if len(self.builder.get(path)) > len(get(self.start, path)):
                article = "an" if name.startswith("http") else "a"
                message = (
                    f"a '{rules}' rule placed after {article} '{name}' rule will still be processed before."
                )
                self.place.warning("misplaced-rule", message, line.span(0))
                return

    def close(self) -> None:
        used = [known for known in self.builder.known if known.words[0] == "ssl-f-use"]
        if used and self.start.kind.front:
            from evener.haproxy.sections.frontend_certificates import look_for

            look_for(used, self.place)
        made = self.builder.finish()
        if self.place.named:
            made = changed(made, {"named_servers": self.place.named})
        (self.names.defaults if made.kind is Kind.DEFAULTS else self.names.proxies).append(made)
