"""Which server a key finds: what HAProxy 3.5-dev5 chose for the same keys, servers and weights."""

import sys
from math import gcd
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
from samples import txn

from evener.haproxy.balance.hashing import HashType
from evener.haproxy.balance.keys import first_value, hash_, main_domain, posted
from evener.haproxy.balance.ring import place, ring, share, table
from evener.haproxy.scope import CompileEnv

WEIGHTS = [1, 2, 3, 1, 5, 1, 1, 7]
KEYS = [
    "/362559263633/dir1/x",
    "/c0Z98a9_0/dir2/x",
    "/a4bf9gdX41616Y4d81Z/dir4/x",
    "/-797192434078/dir5/x",
    "/5fbc972bX9/dir0/x",
    "/4-3eb-b50/dir1/x",
    "/603352893100/dir3/x",
    "/138990837848/dir4/x",
    "/_11Y-131f4106e6fg15Zc/dir6/x",
    "/3f986_3Z97-Yagf849-fX_f-/dir0/x",
    "/gX1a12Y3d71b79ZdZ76/dir2/x",
    "/Z1e338-714ef9285ge9/dir3/x",
    "/-87158214161/dir5/x",
    "/2a577YX5bX5YeZZ5956-9daeZZ7/dir6/x",
    "/398--5252_gZ4cZa38Z-5Zef57/dir1/x",
    "/7e387bcXYcc/dir2/x",
    "/25b/dir4/x",
    "/966015444957/dir5/x",
    "/559357781478/dir0/x",
    "/6eX142fea-/dir1/x",
    "/_Xdc_5ge921XZ0/dir3/x",
    "/122e1-Z-316b88gf2cdbbfg/dir4/x",
    "/5e7YdYfZ_Xb5b/dir6/x",
    "/10ba_45ed_0Z4_Xfbga8X_c92/dir0/x",
    "/fbb7681dcX5c5b/dir2/x",
    "/b52bbY34Z-bbgf6-2g7Xc/dir3/x",
    "/Y20/dir5/x",
    "/834571972271/dir6/x",
    "/137585135810/dir1/x",
    "/7aadbe13Y9aX63e1g01af89f/dir2/x",
    "/433d0/dir4/x",
    "/493f4b_f/dir5/x",
    "/882591626635/dir0/x",
    "/X52bd/dir1/x",
    "/cg2ad6989f2a0_a9Z626/dir3/x",
    "/2487_b7e318a_6gZZcac198/dir4/x",
    "/_/dir6/x",
    "/-6g_90/dir0/x",
    "/896480085345/dir2/x",
    "/569XZ3Yc90f3ae/dir3/x",
    "/X95dag_fdc0e19d840f78-d1dcgg0/dir5/x",
    "/_cX2742ad91e_a5/dir6/x",
    "/162006285996/dir1/x",
    "/540882034113/dir2/x",
    "/4a56cY9/dir4/x",
    "/56abf2638_-9-8bga3332a/dir5/x",
    "/3e/dir0/x",
    "/699911205493/dir1/x",
]
#: ``hash-type``, weights, and the index of the server of each key.
SEEN = [
    ("map-based sdbm", WEIGHTS, "442476231674474242574240420747342717604244447325"),
    ("map-based sdbm", [1] * 8, "471134164470251677345652040444643404140420531223"),
    ("map-based djb2", WEIGHTS, "763774247270442737474111774677643441411447774772"),
    ("map-based djb2", [1] * 8, "724061417363700562650767171713376775637171022514"),
    ("map-based wt6", WEIGHTS, "574734272114473777417774771257374754377344277432"),
    ("map-based wt6", [1] * 8, "407372644246617032777004234642143407014140413225"),
    ("map-based crc32", WEIGHTS, "247777423052447757777474271442177217527747377447"),
    ("map-based crc32", [1] * 8, "323002033375056060070466774534777613550325326226"),
    ("map-based sdbm avalanche", WEIGHTS, "417217744547321457454557127045107774447647717475"),
    ("map-based sdbm avalanche", [1] * 8, "515540524361717773116204345263720405610273564153"),
    ("map-based none", WEIGHTS, "000000000000000000000000000000000000000000000000"),
    ("map-based none", [1] * 8, "000000000000000000000000000000000000000000000000"),
    ("consistent", WEIGHTS, "444117224744716170477075447777747411445777777374"),
    ("consistent", [1] * 8, "134617121746716140031065444725345112065675451355"),
    ("consistent djb2", WEIGHTS, "722421771771474726177477647471737777554627737770"),
    ("consistent djb2", [1] * 8, "742421541357570526147074670676734077552620035200"),
    ("consistent wt6", WEIGHTS, "474474174273071261377471713145745107444743224747"),
    ("consistent wt6", [1] * 8, "373505154543037361302071263125415702465243225704"),
    ("consistent crc32 avalanche", WEIGHTS, "471477771417217324407442477747026770447722344774"),
    ("consistent crc32 avalanche", [1] * 8, "176436044737310345505411477345036000417152344362"),
    ("consistent none avalanche", WEIGHTS, "555555555555555555555555555555555555555555555555"),
    ("consistent none avalanche", [1] * 8, "555555555555555555555555555555555555555555555555"),
]
#: ``hash-key`` of servers 127.0.0.1:20100 and up, on a ring.
BY_KEY = {
    "id32": "711075622723471177425447473324545137722147354474",
    "addr-port": "171222751757426773274736747177272724741744724473",
}


def nearest(points: list[tuple[int, int]], key: int) -> int:
    """By the definition: the closest point, the lower of two; distances go around."""
    return min(points, key=lambda p: min((p[0] - key) % (1 << 32), (key - p[0]) % (1 << 32)))[1]


def servers_of(weights: list[int], **options: Any) -> list[Any]:
    """Plans of servers, as far as a ring looks at them."""
    settings = SimpleNamespace(**{"hash_key": None, "guid": None, **options})
    return [
        SimpleNamespace(
            id=n + 1, family=2, address="127.0.0.1", port=20100 + n, ir=SimpleNamespace(options=settings)
        )
        for n in range(len(weights))
    ]


def on_ring(digest: HashType, weights: list[int], **options: Any) -> str:
    servers = servers_of(weights, **options)
    made = ring([(n, place(server), weights[n] * 16) for n, server in enumerate(servers)])
    return "".join(str(nearest(made, digest.of_bytes()(key.encode()))) for key in KEYS)


@pytest.mark.parametrize(("words", "weights", "expected"), SEEN)
def test_keys_go_where_the_reference_sends_them(words: str, weights: list[int], expected: str) -> None:
    method, *rest = words.split()
    function = rest[0] if rest else "sdbm"
    digest = HashType(function, "avalanche" in rest or words == "consistent")
    if method == "consistent":
        assert on_ring(digest, weights) == expected
    else:
        slots = table(shares(*weights), sum(share for _, share in shares(*weights)))
        keys = (digest.of_bytes()(key.encode()) for key in KEYS)
        assert "".join(str(slots[key % len(slots)]) for key in keys) == expected


@pytest.mark.parametrize(("key", "expected"), BY_KEY.items())
def test_servers_stand_where_their_hash_key_says(key: str, expected: str) -> None:
    assert on_ring(HashType("sdbm", True), WEIGHTS, hash_key=key) == expected


def test_without_a_server_only_its_keys_move() -> None:
    digest, weights = HashType("sdbm", True), [1] * 8
    servers = servers_of(weights)
    before = on_ring(digest, weights)
    without = ring([(n, place(s), 16) for n, s in enumerate(servers) if n != 3])
    after = "".join(str(nearest(without, digest.of_bytes()(key.encode()))) for key in KEYS)
    assert all(new == old for old, new in zip(before, after, strict=True) if old != "3")
    assert "3" not in after


def shares(*weights: int) -> list[tuple[int, int]]:
    return [(index, share(weight, gcd(*weights))) for index, weight in enumerate(weights)]


def test_weights_share_what_divides_them_all() -> None:
    assert table(shares(100, 200), 3) == [0, 1, 1]
    assert share(200, 100) == 2 and share(5, 2) == 3
    assert table([], 0) == []
    assert table([(1, 2)], 2) == [1, 1]


def test_all_backups_compete_for_the_slots_of_the_first() -> None:
    """As both releases were seen to do without ``allbackups``."""
    assert table(shares(2, 1, 1, 1, 255, 1), 2) == [4, 4]
    assert table(shares(2, 1), 2) == [0, 0]
    assert table(shares(1, 255, 1), 1) == [0]


@pytest.mark.parametrize(
    ("value", "domain"),
    [
        (b"www.example.com", b"example"),
        (b"example.com", b"example"),
        (b"example", b"example"),
        (b".com", b".com"),
        (b"a..b", b"a."),
        (b"..b", b"."),
    ],
)
def test_the_main_part_of_a_domain(value: bytes, domain: bytes) -> None:
    assert main_domain(value) == domain


def test_the_first_of_several_values() -> None:
    assert first_value(b"a , b") == b"a"
    assert first_value(b'"a,b" ,c') == b'"a,b"'
    assert first_value(b'"a\\",b",c') == b'"a\\",b"'


def test_a_parameter_of_a_form() -> None:
    assert posted(b"x=1&k=abc&z=3", b"k=") == b"abc"
    assert posted(b"k=a b", b"k=") == b"a"
    assert posted(b"k=a\x00b", b"k=") is None
    assert posted(b"kk=a", b"k=") is None


@pytest.mark.parametrize(
    ("expression", "hash_type", "expected"),
    [
        ("req.hdr(x-n),crc32", HashType("none"), crc32(b"12ab")),
        ("req.hdr(x-n)", HashType("none"), 12),
        ("str(10.2.3.4),ipmask(32)", HashType("none"), 10),
        ("req.hdr(x-e)", HashType(), 0),
        ("req.hdr(x-none)", HashType(), None),
    ],
)
def test_what_an_expression_gives_is_the_key(
    expression: str, hash_type: HashType, expected: int | None
) -> None:
    """Not hashed, it is a number in writing; what is empty is a key, what is not there is none."""
    asked: Any = SimpleNamespace(algorithm="hash", argument=expression)
    key = hash_(asked, hash_type, CompileEnv()).key
    assert key is not None
    assert key(txn("GET / HTTP/1.1\nhost: a\nx-n: 12ab\nx-e: \n\n")) == expected
