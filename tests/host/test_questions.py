"""Questions and answers between two ends in one process; every loop is bounded."""

from collections.abc import Callable
from typing import Any

from evener.host import questions
from evener.host.questions import Answering, Asking, question_pair
from evener.host.reactor import READABLE, Reactor


class Both:
    def __init__(self, answer: Callable[[str, list[Any]], bytes]) -> None:
        self.reactor = Reactor()
        self.ours, theirs = question_pair()
        self.theirs = theirs
        self.asking = Asking(theirs)
        Answering(self.reactor, self.ours, answer).start()
        self.reactor.watch(theirs.fileno(), READABLE, lambda _events: self.asking.receive())
        self.heard: list[bytes | None] = []

    def ask(self, *question: Any) -> None:
        self.asking.ask("x", list(question), self.heard.append)

    def turn(self, count: int) -> None:
        for _ in range(2000):
            if len(self.heard) >= count:
                break
            self.reactor.turn(0.2)

    def end(self) -> None:
        self.ours.close()
        self.theirs.close()
        self.reactor.close()


def test_answers_of_any_size_come_whole_and_to_who_asked() -> None:
    both = Both(lambda subject, question: subject.encode() + b"y" * question[0])
    sizes = [0, 1, questions.PIECE - 1, questions.PIECE, 3_000_000, 5]
    for size in sizes:
        both.ask(size)
    both.turn(len(sizes))
    assert [len(answer or b"") for answer in both.heard] == [size + 1 for size in sizes]
    both.end()


def test_an_answer_that_is_too_large_is_none() -> None:
    both = Both(lambda _subject, _question: b"y" * (questions.LARGEST + 1))
    both.ask()
    both.turn(1)
    assert both.heard == [b""]
    both.end()


def test_no_answer_when_the_other_end_is_gone_or_full() -> None:
    both = Both(lambda _subject, _question: b"")
    for _ in range(100_000):
        both.ask("z" * 1000)
        if both.heard:
            break
    assert both.heard == [None]
    both.reactor.unwatch(both.ours.fileno())
    both.ours.close()
    both.ask()
    assert both.heard[-1] is None
    both.end()
