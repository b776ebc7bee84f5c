"""The machine's TLS library (OpenSSL 3), asked what it makes of certificates, keys and lists of names.

It is loaded when a configuration first names such a thing, and by its C interface: Python's ``ssl`` tells
neither why a text is refused nor takes signature algorithms. Where there is no such library (``library()`` is
None), contents are not looked at. Nothing here opens a file; what the library hands out is freed with the
``Keeper`` it was made for. Reasons are the library's own words.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from ctypes import c_char_p, c_int, c_long, c_size_t, c_ulong, c_void_p
from functools import cache
from typing import Any, Final

from evener.haproxy import libcrypto

#: From the library's manual pages: commands of SSL_CTX_ctrl, and what the reason of an error is made of.
_COMMANDS: Final = {"curves": 92, "sigalgs": 98, "client-sigalgs": 102}
_SET_CHAIN = 88
_PEM, _NO_START_LINE = 9, 108
_DOMAIN_PARAMETERS = 0x84

_FUNCTIONS: Final[dict[str, tuple[Any, ...]]] = {
    "BIO_new_mem_buf": (c_void_p, c_char_p, c_int),
    "BIO_free": (c_int, c_void_p),
    "BIO_ctrl": (c_long, c_void_p, c_int, c_long, c_void_p),
    "ERR_clear_error": (None,),
    "ERR_get_error": (c_ulong,),
    "ERR_peek_last_error": (c_ulong,),
    "ERR_reason_error_string": (c_char_p, c_ulong),
    "ERR_error_string_n": (None, c_ulong, c_char_p, c_size_t),
    "PEM_read_bio_PrivateKey": (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    "PEM_read_bio_X509_AUX": (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    "PEM_read_bio_X509": (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    "PEM_X509_INFO_read_bio": (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    "X509_INFO_free": (None, c_void_p),
    "X509_free": (None, c_void_p),
    "X509_check_private_key": (c_int, c_void_p, c_void_p),
    "X509_check_issued": (c_int, c_void_p, c_void_p),
    "EVP_PKEY_free": (None, c_void_p),
    "OPENSSL_sk_new_null": (c_void_p,),
    "OPENSSL_sk_push": (c_int, c_void_p, c_void_p),
    "OPENSSL_sk_num": (c_int, c_void_p),
    "OPENSSL_sk_pop_free": (None, c_void_p, c_void_p),
    "OPENSSL_sk_free": (None, c_void_p),
    "OSSL_DECODER_CTX_new_for_pkey": (
        c_void_p, c_void_p, c_char_p, c_char_p, c_char_p, c_int, c_void_p, c_char_p,
    ),
    "OSSL_DECODER_from_bio": (c_int, c_void_p, c_void_p),
    "OSSL_DECODER_CTX_free": (None, c_void_p),
    "OBJ_sn2nid": (c_int, c_char_p),
    "EC_curve_nist2nid": (c_int, c_char_p),
}  # fmt: skip
_TLS_FUNCTIONS: Final[dict[str, tuple[Any, ...]]] = {
    "TLS_method": (c_void_p,),
    "SSL_CTX_new": (c_void_p, c_void_p),
    "SSL_CTX_free": (None, c_void_p),
    "SSL_CTX_ctrl": (c_long, c_void_p, c_int, c_long, c_void_p),
    "SSL_CTX_set_cipher_list": (c_int, c_void_p, c_char_p),
    "SSL_CTX_set_ciphersuites": (c_int, c_void_p, c_char_p),
    "SSL_CTX_set_security_level": (None, c_void_p, c_int),
    "SSL_CTX_use_certificate": (c_int, c_void_p, c_void_p),
    "SSL_CTX_use_PrivateKey": (c_int, c_void_p, c_void_p),
}
_TLS: Final = "libssl.so.3"

Pointer = int
_Passphrase = ctypes.CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_void_p)


@cache
def library() -> Library | None:
    """The library, loaded once; None where it is not installed, or is an older one."""
    crypto = libcrypto.library()
    try:
        return None if crypto is None else Library(crypto, ctypes.CDLL(_TLS))
    except (OSError, AttributeError):
        return None


class Library:
    """Its functions, with their types."""

    def __init__(self, crypto: ctypes.CDLL, tls: ctypes.CDLL) -> None:
        self.calls: dict[str, Callable[..., Any]] = {}
        for source, functions in ((crypto, _FUNCTIONS), (tls, _TLS_FUNCTIONS)):
            for name, (result, *arguments) in functions.items():
                function = getattr(source, name)
                function.restype, function.argtypes = result, arguments
                self.calls[name] = function
        self.free_entry = ctypes.cast(crypto.X509_INFO_free, c_void_p)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        try:
            return self.calls[name]
        except KeyError:
            raise AttributeError(name) from None

    # -- errors ----------------------------------------------------------------------------------

    def first_reason(self) -> str:
        """The reason of the oldest error, which is taken off the list."""
        return self.reason(self.ERR_get_error())

    def reason(self, code: int) -> str:
        text: bytes | None = self.ERR_reason_error_string(code)
        return text.decode() if text else "(null)"

    def last_error(self) -> str:
        """The newest error in full: ``error:1E08010C:DECODER routines::unsupported``."""
        room = ctypes.create_string_buffer(256)
        self.ERR_error_string_n(self.ERR_peek_last_error(), room, len(room))
        return room.value.decode()

    def chain_error(self) -> str:
        """Why the reading of certificates ended, if not because there are no more."""
        code: int = self.ERR_get_error()
        if not code or (code >> 23 & 0xFF, code & 0x7FFFFF) == (_PEM, _NO_START_LINE):
            return ""
        return self.reason(code)


class Keeper(contextlib.ExitStack):
    """What the library has handed out, until the end of a ``with``; errors are forgotten then too."""

    def __init__(self, known: Library) -> None:
        super().__init__()
        self.library = known
        known.ERR_clear_error()
        self.callback(known.ERR_clear_error)

    def _keep(self, pointer: Pointer | None, free: Callable[[Pointer], Any]) -> Pointer | None:
        if pointer:
            self.callback(free, pointer)
        return pointer

    def text(self, data: bytes) -> Pointer:
        """A text to read from."""
        made = self._keep(self.library.BIO_new_mem_buf(data, len(data)), self.library.BIO_free)
        if not made:
            raise MemoryError
        return made

    def key(self, data: bytes, locked: Callable[[], None]) -> Pointer | None:
        """The first private key of a text; ``locked`` is called when it wants a passphrase."""

        def passphrase(room: int, size: int, writing: int, about: int) -> int:
            locked()
            return 0

        ask = _Passphrase(passphrase)
        found = self.library.PEM_read_bio_PrivateKey(self.text(data), None, ask, None)
        return self._keep(found, self.library.EVP_PKEY_free)

    def certificates(self, data: bytes) -> Iterator[Pointer | None]:
        """The certificates of a text, then None: the error list tells why there are no more."""
        text = self.text(data)
        read = self.library.PEM_read_bio_X509_AUX
        while True:
            found = self._keep(read(text, None, None, None), self.library.X509_free)
            yield found
            if not found:
                return
            read = self.library.PEM_read_bio_X509

    def context(self, level: int | None = None) -> Pointer:
        """A context of connections, with that security level."""
        made = self._keep(self.library.SSL_CTX_new(self.library.TLS_method()), self.library.SSL_CTX_free)
        if not made:
            raise MemoryError
        if level is not None:
            self.library.SSL_CTX_set_security_level(made, level)
        return made

    def chained(self, context: Pointer, chain: list[Pointer]) -> bool:
        stack = self._keep(self.library.OPENSSL_sk_new_null(), self.library.OPENSSL_sk_free)
        for certificate in chain:
            self.library.OPENSSL_sk_push(stack, certificate)
        return bool(self.library.SSL_CTX_ctrl(context, _SET_CHAIN, 1, stack))

    def entries(self, data: bytes) -> int | None:
        """How many certificates, lists of revocations and keys a text holds; None: it cannot be read."""
        found = self.library.PEM_X509_INFO_read_bio(self.text(data), None, None, None)
        if not found:
            return None
        count: int = self.library.OPENSSL_sk_num(found)
        self.library.OPENSSL_sk_pop_free(found, self.library.free_entry)
        return count

    def has_parameters(self, data: bytes) -> bool:
        """Whether Diffie-Hellman parameters are in a text."""
        made = c_void_p()
        decoder = self._keep(
            self.library.OSSL_DECODER_CTX_new_for_pkey(
                ctypes.byref(made), b"PEM", None, b"DH", _DOMAIN_PARAMETERS, None, None
            ),
            self.library.OSSL_DECODER_CTX_free,
        )
        text = self.text(data)
        for _ in range(data.count(b"-----BEGIN ") + 1):
            if made.value or not self.library.OSSL_DECODER_from_bio(decoder, text):
                break
        self._keep(made.value, self.library.EVP_PKEY_free)
        return bool(made.value)


# -- lists of names -----------------------------------------------------------------------------------


def knows(kind: str, names: str) -> bool:
    """Whether the library takes a list: ``ciphers``, ``ciphersuites``, ``curves``, ``sigalgs``,
    ``client-sigalgs``. True where there is no library."""
    known = library()
    if known is None:
        return True
    text = names.encode("utf-8", "surrogateescape")
    with Keeper(known) as keeper:
        context = keeper.context()
        if kind == "ciphers":
            return bool(known.SSL_CTX_set_cipher_list(context, text))
        if kind == "ciphersuites":
            return bool(known.SSL_CTX_set_ciphersuites(context, text))
        return bool(known.SSL_CTX_ctrl(context, _COMMANDS[kind], 0, text))


def knows_curve(name: str) -> bool:
    """Whether a single curve has that name, by either of the ways to spell it."""
    known = library()
    text = name.encode("utf-8", "surrogateescape")
    return known is None or bool(known.EC_curve_nist2nid(text) or known.OBJ_sn2nid(text))
