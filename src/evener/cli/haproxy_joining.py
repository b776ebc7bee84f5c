"""In a worker: servers and backends that the control process has made or deleted at run time.

The worker makes the same for itself, from the same words (``newcomers``, ``new_backends``); here they become
objects of its engine, in the places that the messages name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evener.cli import assemble
from evener.engine import core
from evener.haproxy import new_backends, newcomers
from evener.haproxy.plan import Plan


class Joining:
    """What one worker knows of those that come and go. ``obey`` takes the messages about them."""

    def __init__(self, plan: Plan, engine: core.Engine) -> None:
        self.plan = plan
        self.engine = engine
        self._usual: dict[int, new_backends.Switching] = {}  #: of frontends whose switching was replaced
        self._acts: dict[str, Callable[..., None]] = {
            "add-server": self.add_server,
            "drop-server": self.drop_server,
            "add-backend": self.add_backend,
            "drop-backend": self.drop_backend,
            "publish-backend": self.publish,
        }

    def obey(self, message: Sequence[Any]) -> None:
        act = self._acts.get(message[0])
        if act is not None:
            act(*message[1:])

    def add_server(self, backend: int, place: int, row: int, words: Sequence[str]) -> None:
        back, made = self.plan.backends[backend], self.engine.backends[backend]
        read, _ = newcomers.read_server(back, words)
        made.put_server(place, assemble.server(newcomers.settle(back, read, place, row)))
        _lay_out(made)

    def drop_server(self, backend: int, place: int, nowhere: int) -> None:
        made = self.engine.backends[backend]
        self.engine.drop_server(made.servers[place], nowhere)
        newcomers.remove(self.plan.backends[backend], place, nowhere)
        _lay_out(made)

    def add_backend(self, place: int, number: int, row: int, words: Sequence[str]) -> None:
        proxy = new_backends.read_backend(self.plan, list(words))
        back = new_backends.settle(self.plan, proxy, place, number, row)
        self.engine.put_backend(place, assemble.backend(back, self.engine.segment, self.plan.frontends))

    def drop_backend(self, place: int, nowhere: int) -> None:
        self.engine.backends[place].row = nowhere
        new_backends.remove(self.plan, place, nowhere)

    def publish(self, place: int, published: bool) -> None:
        new_backends.publish(self.plan, place, published)
        for front in new_backends.leading_to(self.plan, self.plan.backends[place].name):
            made = self.engine.frontends[front.index]
            usual = self._usual.setdefault(
                front.index, (made.on_content, made.on_request, made.default_backend)
            )
            if new_backends.named_by(front.ir) & self.plan.hidden.keys():
                usual = new_backends.switching_without(self.plan, front)
            made.on_content, made.on_request, made.default_backend = usual


def _lay_out(made: core.Backend) -> None:
    if made.rebuild is not None:
        made.rebuild(made)
