"""Native sets find what one comparison after the other finds."""

import random

import pytest

from evener.haproxy.map_lookup import Networks as PlainNetworks
from evener.haproxy.pattern import Network
from evener.haproxy.pattern_search import first_of, heads, insides, tails, words
from evener.lookup.keys import Keys
from evener.lookup.networks import Networks
from evener.lookup.texts import Texts

DELIMITERS = b"./"


def test_texts_are_what_they_were_made_from() -> None:
    texts = [b"", b"a", b"\0\xff", b"x" * 70_000, b""]
    made = Texts(iter(texts))
    assert list(made) == texts
    assert (len(made), made[3]) == (5, texts[3])
    for outside in (-1, 5, 1 << 40):
        with pytest.raises(IndexError):
            made[outside]


@pytest.mark.parametrize("seed", range(60))
def test_keys(seed: int) -> None:
    draw = random.Random(seed)

    def text(most: int) -> bytes:
        return bytes(draw.choice(b"ab./\0") for _ in range(most))

    keys = [text(draw.choice([0, 1, 2, 3, 5, 9, 40])) for _ in range(draw.choice([0, 1, 5, 80]))]
    gone = bytearray(draw.random() < 0.3 for _ in keys)
    places = [number for number in range(len(keys)) if not gone[number]]
    live = [keys[number] for number in places]
    made = Keys(Texts(keys), gone)
    stripped = Keys(Texts([key.strip(DELIMITERS) for key in keys]), gone)
    for _ in range(60):
        value = draw.choice(
            [text(draw.choice([0, 1, 3, 9, 300])), b"".join(draw.choices([*keys, b"."], k=3))]
        )
        for found, plain in (
            (made.exact(value), first_of(live).get(value)),
            (made.head(value), heads(live)(value)),
            (made.tail(value), tails(live)(value)),
            (made.inside(value), insides(live)(value)),
            (stripped.word(value, DELIMITERS), words(DELIMITERS)(live)(value)),
        ):
            assert found == (-1 if plain is None else places[plain]), value
        assert made.all(value) == [number for number, key in enumerate(keys) if key == value]


@pytest.mark.parametrize("seed", range(30))
def test_networks(seed: int) -> None:
    draw = random.Random(seed)
    networks = [network(draw) for _ in range(draw.choice([0, 1, 30, 200]))]
    gone = bytearray(draw.random() < 0.3 for _ in networks)
    made = Networks(Texts(n.address for n in networks), Texts(n.mask for n in networks), gone)
    for length in (4, 16):
        plain = PlainNetworks()  # by family: it looks into the other one, too
        for number, known in enumerate(networks):
            if not gone[number] and len(known.mask) == length:
                plain.add(known, number)
        assert made.has(length) is any(len(known.mask) == length for known in networks)
        for _ in range(100):
            address = near(draw, length)
            found = plain.find(address)
            assert made.closest(address) == (-1 if found is None else found)
    assert made.closest(b"") == made.closest(b"12345") == -1


def test_masks_may_have_holes() -> None:
    made = Networks(
        Texts([b"\x0a\0\0\7", b"\x0a\0\0\0"]), Texts([b"\xff\0\0\xff", b"\xff\0\0\0"]), bytearray(2)
    )
    assert made.closest(b"\x0a\1\2\7") == 0
    assert made.closest(b"\x0a\1\2\6") == 1


def near(draw: random.Random, length: int) -> bytes:
    return bytes([32, draw.randrange(2), *(draw.choice([0, 0, 1, 255]) for _ in range(length - 2))])


def network(draw: random.Random) -> Network:
    length = draw.choice([4, 16])
    bits = draw.choice([0, 8, 9, 16, 31, length * 8, draw.randrange(length * 8)])
    number = (1 << length * 8) - (1 << (length * 8 - bits))
    mask = number.to_bytes(length, "big")
    return Network(bytes(a & m for a, m in zip(near(draw, length), mask, strict=True)), mask)


def test_what_is_gone_may_return() -> None:
    gone = bytearray(2)
    made = Keys(Texts([b"k", b"k"]), gone)
    seen = []
    for gone[0], gone[1] in ((0, 0), (1, 0), (1, 1), (0, 1)):
        seen.append(made.exact(b"k"))
    assert seen == [0, 1, -1, 0]


def test_wrong_dimensions_are_refused() -> None:
    with pytest.raises(ValueError):
        Keys(Texts([b"a", b"b"]), bytearray(1))
    with pytest.raises(ValueError):
        Networks(Texts([b"1234"]), Texts([]), bytearray(1))
    with pytest.raises(ValueError):
        Networks(Texts([b"1234"]), Texts([b"123"]), bytearray(1))
    with pytest.raises(ValueError):
        Networks(Texts([b"1234"]), Texts([b"x" * 16]), bytearray(1))
