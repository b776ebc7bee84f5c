"""In which order messages list the actions that a ruleset knows: the original's, which follows its build.

``tcp-request`` and ``tcp-response`` begin with the actions they know themselves, whatever the stage; rulesets
of HTTP only list what was registered. An action that the original does not have comes last.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from evener.haproxy.action import Action

_LEADING: Final = {
    "tcp-request": (
        "'accept', 'reject', 'capture', 'expect-proxy', 'expect-netscaler-cip', 'track-sc0' ... 'track-sc2'"
    ),
    "tcp-response": "'accept', 'close', 'reject'",
}
_LED: Final = frozenset(
    {"accept", "reject", "close", "capture", "expect-proxy", "expect-netscaler-cip", "track-sc"}
)
_COMMON: Final = """
    send-spoe-group wait-for-handshake set-retries set-log-level set-nice switch-mode use-service sc-add-gpc
    sc-inc-gpc sc-inc-gpc0 sc-inc-gpc1 sc-set-gpt sc-set-gpt0 cache-store do-resolve cache-use
"""
_HTTP: Final = """
    add-acl add-header add-headers-bin allow auth capture del-acl del-header del-headers-bin del-map deny
    disable-l7-retry do-log early-hint normalize-uri pause redirect reject replace-header replace-path
    replace-pathq replace-uri replace-value return set-header set-headers-bin set-map set-status set-method
    set-path set-pathq set-query set-uri strict-mode tarpit track-sc set-timeout wait-for-body
"""
_VARIABLES: Final = "set-var-fmt set-var unset-var attach-srv"
_CONNECTION: Final = """
    do-log set-bc-mark set-bc-tos set-dst set-dst-port set-fc-mark set-fc-tos set-mark set-src set-src-port
    set-tos silent-drop set-bandwidth-limit set-priority-class set-priority-offset
"""


def listed(ruleset: str, known: Iterable[Action]) -> str:
    """``'allow', 'deny', ...``: what can stand in the ruleset."""
    http = ruleset.startswith("http")
    order = f"{_COMMON} {_HTTP if http else ''} {_VARIABLES} {_CONNECTION}".split()
    places = {name: place for place, name in reversed(list(enumerate(order)))}
    names = sorted(known, key=lambda action: places.get(action.name, len(order)))
    shown = [_shown(action) for action in names if http or action.name not in _LED]
    leading = _LEADING.get(ruleset.partition(" ")[0])
    return ", ".join([leading, *shown] if leading else shown)


def _shown(action: Action) -> str:
    return "'track-sc(*)'" if action.name == "track-sc" else f"'{action.listed}'"
