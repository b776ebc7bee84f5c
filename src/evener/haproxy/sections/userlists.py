"""``userlist``: users, their passwords, and the groups they belong to (section 12.2).

Who is let in is decided by ``haproxy.userlist``, from these lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Final

from evener.haproxy.sections.forms import Form, seen, tight
from evener.haproxy.sections.reading import BAD_NAME, BARE, TIGHT, Place
from evener.haproxy.sections.rule_words import Reported
from evener.haproxy.userlist import milliseconds
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor
from evener.vocab.blocks import Known, Repeat, block, keyword, spans

if TYPE_CHECKING:
    from evener.haproxy.ir import Configuration
    from evener.text.diagnostic import Diagnostics


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """``password`` is as written: a hash as crypt(3) makes them, or plain text (``plain``)."""

    name: str
    password: str | None = None
    plain: bool = False
    groups: tuple[str, ...] = ()


def split(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def named(cursor: Cursor) -> str:
    if not cursor.more:
        cursor.index += 1
        raise tight(cursor, "missing-argument", f"'{cursor.name}' expects <name> as arguments.")
    return cursor.take()


def once(cursor: Cursor, name: str) -> None:
    """A second one of that name is passed over."""
    place: Place = cursor.context
    if seen(place, cursor.name, name, cursor):
        message = f"ignoring duplicated {cursor.name} '{name}' in userlist '{place.name}'."
        place.diagnostics.warning("duplicate-name", message, cursor.span(), lead=TIGHT)
        raise Reported


def value_of(cursor: Cursor) -> str:
    """The word after an option; the original takes a missing one for an empty one."""
    return cursor.take() if cursor.more else ""


_MOST: Final = 10  #: milliseconds


def slow_hash(password: str, cursor: Cursor) -> None:
    """A hash that takes long takes as long for every request: nothing else is done meanwhile."""
    took = milliseconds(password)
    if took >= _MOST:
        message = (
            f"the hash algorithm used for this password takes {took} milliseconds to verify, which can have "
            "devastating performance and stability impacts. Please hash this password using a lighter "
            "algorithm (one that is compatible with web usage)."
        )
        place: Place = cursor.context
        place.diagnostics.warning("slow-hash", message, cursor.span(), lead=TIGHT)


class GroupArgument(Argument[Group]):
    usage = "<name> [users <user>,<user>,...]"

    def read(self, cursor: Cursor) -> Group:
        name = named(cursor)
        if (wrong := BAD_NAME.search(name)) is not None:
            message = f"character '{wrong[0]}' is not permitted in 'group' name '{name}'."
            raise tight(cursor, "bad-name", message)
        once(cursor, name)
        users: str | None = None
        while cursor.more:
            if cursor.take() != "users":
                raise tight(cursor, "unknown-option", "'group' only supports 'users' option.")
            if users is not None:
                message = f"'users' option already defined in 'group' name '{name}'."
                raise tight(cursor, "already-said", message)
            users = value_of(cursor)
        return Group(name, split(users or ""))

    def words(self, value: Group) -> list[str]:
        return [value.name, *(["users", ",".join(value.users)] if value.users else [])]


class UserArgument(Argument[User]):
    usage = "<name> [{ password | insecure-password } <password>] [groups <group>,<group>,...]"

    def read(self, cursor: Cursor) -> User:
        name = named(cursor)
        once(cursor, name)
        password, plain, groups = None, False, ""
        while cursor.more:
            word = cursor.take()
            if word in ("password", "insecure-password"):
                password, plain = value_of(cursor), word == "insecure-password"
                if not plain:
                    slow_hash(password, cursor)
            elif word == "groups":
                groups = value_of(cursor)
            else:
                message = "'user' only supports 'password', 'insecure-password' and 'groups' options."
                raise tight(cursor, "unknown-option", message)
        return User(name, password, plain, split(groups))

    def words(self, value: User) -> list[str]:
        words = [value.name]
        if value.password:
            words += ["insecure-password" if value.plain else "password", value.password]
        return [*words, *(["groups", ",".join(value.groups)] if value.groups else [])]


@block("userlist line")
@dataclass(frozen=True, slots=True)
class Users:
    name: str = ""
    group: tuple[Group, ...] = keyword(
        GroupArgument(),
        "A group, and perhaps who belongs to it. Users may name their groups instead.",
        ok=("group admins", "group admins users ann,bob"),
        bad=("group", "group a/b", "group a of", "group a users b users c"),
        repeat=Repeat.COLLECT,
        needs="user ann, user bob",
    )
    user: tuple[User, ...] = keyword(
        UserArgument(),
        "A user. ``password`` is followed by a hash as crypt(3) makes them, "
        "``insecure-password`` by the password itself; without either nobody gets in under that name.",
        ok=("user ann insecure-password secret", "user ann password $5$salt$digest groups admins"),
        bad=("user", "user ann secret"),
        repeat=Repeat.COLLECT,
        needs="group admins",
    )
    span: Span | None = field(default=None, compare=False)
    spans: Mapping[str, Span] = spans()
    known: tuple[Known, ...] = ()


def verify(section: Users, configuration: Configuration, diagnostics: Diagnostics) -> None:
    """Groups and users that are named must be there."""
    users, groups = ({entry.name for entry in side} for side in (section.user, section.group))
    missing = [
        f"no such user '{u}' specified in group '{g.name}'"
        for g in section.group
        for u in g.users
        if u not in users
    ]
    missing += [
        f"no such group '{g}' specified in user '{u.name}'"
        for u in section.user
        for g in u.groups
        if g not in groups
    ]
    for what in missing[:1]:
        diagnostics.alert("unknown-name", f"userlist '{section.name}': {what}", section.span, lead=BARE)


FORM: Final = Form(
    Users,
    missing="'userlist' expects <name> as arguments.",
    lead=TIGHT,
    twice="ignoring duplicated userlist '{name}'.",
    twice_lead=TIGHT,
    twice_warns=True,
    unknown_lead=TIGHT,
    verify=verify,
)
