"""``dataclass`` as in the standard library, with the methods made when they are first used.

The standard decorator writes, compiles and runs the source of six methods for each class, half a
millisecond altogether: with the hundred classes of a vocabulary, most of which a run never makes an object
of, that was a quarter of the time until ``haproxy`` listens. Here only ``__init__`` has source of its own,
and it is compiled when the first object is made. What comes out is a dataclass in every respect
(``fields``, ``replace``, ``is_dataclass``, inheritance in both directions); type checkers see the
standard one.
"""

from __future__ import annotations

import dataclasses
import operator
import reprlib
from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, FrozenInstanceError
from types import MemberDescriptorType, SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass


def _dataclass(
    cls: type | None = None,
    /,
    *,
    frozen: bool = False,
    slots: bool = False,
    eq: bool = True,
    repr: bool = True,
) -> Any:
    """The decorator: ``@dataclass`` or ``@dataclass(frozen=True, slots=True, ...)``."""

    def make(cls: type) -> type:
        return _made(cls, frozen=frozen, slots=slots, eq=eq, shown=repr)

    return make if cls is None else make(cls)


if not TYPE_CHECKING:
    dataclass = _dataclass


def _made(cls: Any, *, frozen: bool, slots: bool, eq: bool, shown: bool) -> type:
    fields = _fields(cls)
    names = tuple(fields)
    own = set(cls.__dict__)
    if slots:
        cls = _slotted(cls, names)
    cls.__dataclass_fields__ = fields
    cls.__dataclass_params__ = SimpleNamespace(
        init=True, repr=shown, eq=eq, order=False, unsafe_hash=False, frozen=frozen, match_args=True,
        kw_only=False, slots=slots, weakref_slot=False,
    )  # fmt: skip
    matched = tuple(name for name, entry in fields.items() if entry.init)
    cls.__match_args__ = matched  # type: ignore[misc]
    if "__init__" not in own:
        cls.__init__ = _late_init(cls, list(fields.values()), frozen, slots)
    if shown and "__repr__" not in own:
        cls.__repr__ = _repr([entry.name for entry in fields.values() if entry.repr])
    if eq:
        _comparing(cls, list(fields.values()), frozen, own)
    if frozen:
        cls.__setattr__, cls.__delattr__ = _refusals(cls, frozenset(names))
        if slots:
            cls.__getstate__, cls.__setstate__ = _states(names)
    return cls  # type: ignore[no-any-return]


def _fields(cls: Any) -> dict[str, Field[Any]]:
    """Inherited fields, then those of the class's annotations, in the standard's order."""
    fields: dict[str, Field[Any]] = {}
    for base in cls.__mro__[-1:0:-1]:
        fields.update(base.__dict__.get("__dataclass_fields__", {}))
    for name, annotation in cls.__annotations__.items():
        if str(annotation).startswith(("ClassVar", "typing.ClassVar")):
            continue
        default = cls.__dict__.get(name, MISSING)
        if isinstance(default, MemberDescriptorType):
            default = MISSING
        entry: Any = default if isinstance(default, Field) else dataclasses.field(default=default)
        if type(entry.default).__hash__ is None:
            raise ValueError(f"mutable default for field {name}: use default_factory")
        entry.name, entry.type, entry.kw_only = name, annotation, False
        entry._field_type = dataclasses._FIELD  # type: ignore[attr-defined]
        fields[name] = entry
        if isinstance(default, Field):
            if entry.default is MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, entry.default)
    return fields


def _slotted(cls: Any, names: tuple[str, ...]) -> Any:
    """The same class with slots instead of a dictionary: it has to be made anew."""
    inherited = {name for base in cls.__mro__[1:-1] for name in base.__dict__.get("__slots__", ())}
    members = {key: value for key, value in cls.__dict__.items() if key not in names}
    members["__slots__"] = tuple(name for name in names if name not in inherited)
    for key in ("__dict__", "__weakref__"):
        members.pop(key, None)
    made = type(cls)(cls.__name__, cls.__bases__, members)
    made.__qualname__ = cls.__qualname__
    return made


def _late_init(cls: Any, fields: list[Field[Any]], frozen: bool, slots: bool) -> Callable[..., None]:
    def __init__(self: Any, *arguments: Any, **named: Any) -> None:
        made = _init(cls, fields, frozen, slots)
        made.__qualname__ = f"{cls.__qualname__}.__init__"
        cls.__init__ = made
        made(self, *arguments, **named)

    return __init__


def _init(cls: Any, fields: list[Field[Any]], frozen: bool, slots: bool) -> Callable[..., None]:
    """Compile ``__init__``. Values of frozen classes go in by the slots' own setters."""
    scope: dict[str, Any] = {"_MISSING": MISSING, "_set": object.__setattr__}
    parameters, body = ["self"], []
    optional = False
    for entry in fields:
        name, value = entry.name, entry.name
        if entry.default_factory is not MISSING:
            scope[f"_f_{name}"] = entry.default_factory
            value = f"_f_{name}() if {name} is _MISSING else {name}" if entry.init else f"_f_{name}()"
            default = "_MISSING"
        elif entry.default is not MISSING:
            scope[f"_d_{name}"] = entry.default
            default = f"_d_{name}"
            value = name if entry.init else default
        else:
            default = ""
        if entry.init:
            if optional and not default:
                raise TypeError(f"non-default argument {name!r} follows default argument")
            optional = optional or bool(default)
            parameters.append(f"{name}={default}" if default else name)
        elif not default:
            continue
        if not frozen:
            body.append(f"self.{name} = {value}")
        elif slots:
            scope[f"_s_{name}"] = getattr(cls, name).__set__
            body.append(f"_s_{name}(self, {value})")
        else:
            body.append(f"_set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    lines = "\n    ".join(body or ["pass"])
    exec(f"def __init__({', '.join(parameters)}):\n    {lines}", scope)
    return scope["__init__"]  # type: ignore[no-any-return]


def _repr(names: list[str]) -> Callable[[Any], str]:
    @reprlib.recursive_repr()
    def __repr__(self: Any) -> str:
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({inside})"

    return __repr__


def _all(names: Iterable[str]) -> Callable[[Any], Any]:
    """What gets all those attributes at once."""
    wanted = tuple(names)
    return operator.attrgetter(*wanted) if wanted else lambda made: ()


def _comparing(cls: Any, fields: list[Field[Any]], frozen: bool, own: set[str]) -> None:
    compared = _all(entry.name for entry in fields if entry.compare)
    hashed = _all(entry.name for entry in fields if (entry.compare if entry.hash is None else entry.hash))

    def __eq__(self: Any, other: object) -> Any:
        return compared(self) == compared(other) if type(other) is type(self) else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(hashed(self))

    if "__eq__" not in own:
        cls.__eq__ = __eq__
    # A class that only says what equality is has None for a hash: Python's doing, not the author's.
    if "__hash__" not in own or ("__eq__" in own and cls.__dict__["__hash__"] is None):
        cls.__hash__ = __hash__ if frozen else None


def _refusals(cls: Any, names: frozenset[str]) -> tuple[Callable[..., None], Callable[..., None]]:
    def __setattr__(self: Any, name: str, value: Any) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: Any, name: str) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    return __setattr__, __delattr__


def _states(names: tuple[str, ...]) -> tuple[Callable[..., Any], Callable[..., None]]:
    """What ``copy`` and ``pickle`` need of frozen objects with slots."""

    def __getstate__(self: Any) -> list[Any]:
        return [getattr(self, name) for name in names]

    def __setstate__(self: Any, state: list[Any]) -> None:
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)

    return __getstate__, __setstate__


def setters(cls: type) -> dict[str, Callable[[Any, Any], None]]:
    """What puts values into a copy (``slots.copied``) of a frozen object that nobody else has seen yet."""
    return {name: getattr(cls, name).__set__ for name in cls.__dict__["__dataclass_fields__"]}
