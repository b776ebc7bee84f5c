"""In a worker: what the control process tells it, carried out on its engine and its copy of the plan."""

from __future__ import annotations

from collections.abc import Sequence

from evener.cli import haproxy_asked as asked
from evener.cli.haproxy_joining import Joining
from evener.engine.core import Engine
from evener.haproxy import token_certificates
from evener.haproxy.compile import packed
from evener.haproxy.plan import Plan
from evener.haproxy.sharing import Change, Replica
from evener.host.workers import Channel, Message

MANY = 4  #: changes told at once: a key and its value may be as long as a line, and are escaped


class Obeying:
    """The end of the channel that is a worker's."""

    def __init__(self, plan: Plan, engine: Engine, channel: Channel, index: int) -> None:
        self.plan, self.engine, self.channel = plan, engine, channel
        self.replica = Replica(index, plan.lists, self.share, engine.later)
        self.joining = Joining(plan, engine)

    def share(self, changes: Sequence[Change]) -> None:
        """Tell what rules changed here, in packets of a size that is always taken."""
        for at in range(0, len(changes), MANY):
            self.channel.tell("shared", changes[at : at + MANY])
        self.flush()

    def flush(self) -> None:
        if not self.channel.flush():
            self.engine.later(5, self.flush)

    def receive(self) -> None:
        for message in self.channel.receive():
            self.obey(message)

    def obey(self, message: Message) -> None:
        engine = self.engine
        match message[0]:
            case "shared":
                self.replica.hear(message[1], message[2])
            case "soft-stop":
                engine.soft_stop()
            case "hard-stop":
                engine.hard_stop()
            case "pause":
                engine.pause()
            case "resume":
                engine.resume()
            case "maxconn":
                engine.maxconn = message[1]
            case "asked":
                asked.answer(engine, self.channel, message[1], message[2:])
                self.flush()
            case "cookies":
                asked.set_cookies(self.plan, message[1], message[2])
            case "permit":
                token_certificates.permit(message[1].encode("utf-8", "surrogateescape"), message[2])
            case "rename":
                self.rename(*message[1:])
            case "address":
                self.move(*message[1:])
            case _:
                self.joining.obey(message)

    def rename(self, backend: int, server: int, name: str) -> None:
        self.plan.backends[backend].servers[server].name = name
        self.engine.backends[backend].servers[server].name = name.encode()

    def move(self, backend: int, server: int, family: int, host: str, port: int) -> None:
        self.engine.backends[backend].servers[server].set_address(family, packed(family, host), port)
        plan = self.plan.backends[backend].servers[server]
        plan.family, plan.address, plan.port = family, host, port
