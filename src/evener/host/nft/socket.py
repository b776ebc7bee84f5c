"""A netfilter netlink socket: a batch as one transaction, dumps, single requests.

The kernel works on a request within the system call that sends it; what is received afterwards is there
already, and a timeout guards against our own mistakes.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Sequence

from evener.wire.nfnetlink import (
    NFNL_SUBSYS_NFTABLES,
    NLM_F_ACK,
    NLM_F_DUMP,
    NLMSG_DONE,
    Answer,
    answers,
    batch,
    message,
)
from evener.wire.nftables import Element, Message, Table, elements

NETLINK_NETFILTER = 12
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
SOL_NETLINK, NETLINK_CAP_ACK = 270, 10
RECEIVE_BYTES = 1 << 17
BUFFER_BYTES = 1 << 20
TIMEOUT_S = 10.0
SPARE_BYTES = 4096


class NetfilterSocket:
    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER
        )
        self._socket.bind((0, 0))
        self._socket.settimeout(TIMEOUT_S)
        # A refusal then quotes the header of the message only, however long it was.
        self._socket.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self._room(SO_RCVBUFFORCE, socket.SO_RCVBUF, BUFFER_BYTES)
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def _room(self, force: int, ask: int, size: int) -> None:
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, force, size)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, ask, size)

    def transaction(self, messages: Sequence[Message]) -> dict[int, int]:
        """Carry out all messages or none. Returns what was wrong, by the message's place (-1: with the
        transaction as a whole), as errno; empty: it has been carried out."""
        if not messages:
            return {}
        first = self._sequence + 1
        end = self._sequence = first + len(messages) + 1
        # Refusals come in the order of the messages, so that the answer to the last one is the last.
        encoded = [one.encode(first + 1 + at) for at, one in enumerate(messages[:-1])]
        encoded.append(messages[-1].encode(end - 1, NLM_F_ACK))
        data = batch(NFNL_SUBSYS_NFTABLES, encoded, first, end)
        try:
            self._room(SO_SNDBUFFORCE, socket.SO_SNDBUF, len(data) + SPARE_BYTES)
            self._socket.send(data)
            return self._outcome(first, end - 1)
        except OSError as error:
            if error.errno == errno.EMSGSIZE and len(messages) > 1:
                return self._in_halves(messages)
            return {-1: error.errno or errno.EIO}

    def _in_halves(self, messages: Sequence[Message]) -> dict[int, int]:
        """Where we may not have a buffer that large (a container without rights outside): not at once."""
        middle = len(messages) // 2
        wrong = self.transaction(messages[:middle])
        if wrong:
            return wrong
        return {
            at if at < 0 else at + middle: code for at, code in self.transaction(messages[middle:]).items()
        }

    def _outcome(self, first: int, last: int) -> dict[int, int]:
        wrong: dict[int, int] = {}
        while True:
            try:
                data = self._socket.recv(RECEIVE_BYTES, socket.MSG_DONTWAIT if -1 in wrong else 0)
            except BlockingIOError:
                return wrong
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                wrong[-1] = errno.ENOBUFS  # more refusals than there was room for: the last may be missing
                continue
            for answer in answers(data):
                if answer.error is None or not first <= answer.sequence <= last:
                    continue
                if answer.error:
                    wrong[answer.sequence - first - 1] = answer.error
                if answer.sequence == last or (answer.error and answer.sequence == first):
                    return wrong

    def dump(self, kind: int, family: int, body: bytes) -> Iterator[Answer]:
        """The answers to a dump. Raises OSError."""
        self._sequence += 1
        self._socket.send(message(kind, NLM_F_DUMP, family, body, self._sequence))
        while True:
            for answer in answers(self._socket.recv(RECEIVE_BYTES)):
                if answer.sequence != self._sequence:
                    continue
                if answer.error:
                    raise OSError(answer.error, "dump")
                if answer.kind == NLMSG_DONE or answer.error == 0:
                    return
                yield answer

    def elements(self, table: Table, name: str) -> Iterator[Element]:
        """Of a set or a map. Raises OSError."""
        asked = table.list_elements(name)
        for answer in self.dump(NFNL_SUBSYS_NFTABLES << 8 | asked.kind, asked.family, asked.body):
            yield from elements(answer.body)

    def ask(self, asked: Message) -> Answer:
        """The one answer to a question; its ``error`` is set when there is none."""
        self._sequence += 1
        self._socket.send(asked.encode(self._sequence))
        while True:
            for answer in answers(self._socket.recv(RECEIVE_BYTES)):
                if answer.sequence == self._sequence:
                    return answer

    def request(self, kind: int, family: int, body: bytes) -> int:
        """One request; its errno, 0 for success."""
        self._sequence += 1
        self._socket.send(message(kind, NLM_F_ACK, family, body, self._sequence))
        while True:
            for answer in answers(self._socket.recv(RECEIVE_BYTES)):
                if answer.sequence == self._sequence and answer.error is not None:
                    return answer.error
