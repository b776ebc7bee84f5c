"""Which instance of a new plan is which one of the plan before: that one's state goes on.

As in the original, what others see on the wire makes it the same virtual router; its name does not. But where
several look the same (unicast to different peers), a name that has stayed tells which is which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from evener.keepalived.vrrp.plan import Instance


def the_same(old: Mapping[str, Instance], wanted: Iterable[Instance]) -> dict[str, str]:
    """From the names of ``wanted`` to what they were called, for those that were there."""
    wanted = tuple(wanted)
    kept = {
        new.name: new.name for new in wanted if new.name in old and identity(new) == identity(old[new.name])
    }
    others: dict[tuple[object, ...], list[str]] = {}
    for name, config in old.items():
        if name not in kept:
            others.setdefault(identity(config), []).append(name)
    for new in wanted:
        if new.name not in kept and (names := others.get(identity(new))):
            kept[new.name] = names.pop(0)
    return kept


def identity(config: Instance) -> tuple[object, ...]:
    """What makes it the same virtual router on the same sockets, so that a reload may keep its state."""
    return (
        config.vrid,
        config.version,
        config.family,
        config.interface,
        config.virtual,
        config.source,
        config.mcast_group,
        config.unicast,
    )
