"""The few functions of OpenSSL's libcrypto that Python's own library does not offer: AES, and public keys.

Loaded when first used: a configuration that needs none of it pays nothing. Every function gives None, or
False, where the library is missing or refuses; nothing here raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import ctypes

_NAMES: Final = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so")
_POINTERS: Final = (
    "BIO_new_mem_buf", "PEM_read_bio_PUBKEY", "PEM_read_bio_X509", "X509_get_pubkey", "EVP_MD_CTX_new",
    "EVP_get_digestbyname", "EVP_get_cipherbyname", "EVP_CIPHER_CTX_new", "EVP_PKEY_CTX_new",
    "d2i_AutoPrivateKey", "d2i_PUBKEY", "PEM_read_bio_PrivateKey",
)  # fmt: skip
_RSA, _EC = 6, 408  #: types of keys
_PADDING_PSS: Final = 6
_CTRL_PADDING: Final = 0x1001
_LARGEST: Final = 4096  #: bytes of what an RSA or EC operation gives
_SET_IVLEN, _GET_TAG, _SET_TAG, _WRAP_ALLOW = 9, 0x10, 0x11, 1


@cache
def library() -> Any:
    import ctypes

    for name in _NAMES:
        try:
            found = ctypes.CDLL(name)
        except OSError:
            continue
        for function in _POINTERS:
            getattr(found, function).restype = ctypes.c_void_p
        return found
    return None


def version() -> tuple[int, ...]:
    """As the original compares them: of 3.0.22 they are 3, 0, 0, 22; zeros where there is no library."""
    import ctypes

    found = library()
    if found is None:
        return 0, 0, 0, 0
    found.OpenSSL_version_num.restype = ctypes.c_ulong
    number = int(found.OpenSSL_version_num())
    return number >> 28, number >> 20 & 0xFF, number >> 12 & 0xFF, number >> 4 & 0xFF


def has_provider(name: str) -> bool:
    """Whether the library can load a provider of that name; True where there is no library to ask."""
    import ctypes

    found = library()
    if found is None or not hasattr(found, "OSSL_PROVIDER_load"):
        return True
    found.OSSL_PROVIDER_load.restype = ctypes.c_void_p
    loaded = found.OSSL_PROVIDER_load(None, name.encode("utf-8", "surrogateescape"))
    if loaded:
        found.OSSL_PROVIDER_unload(ctypes.c_void_p(loaded))
    return bool(loaded)


class PublicKey:
    """A key of a PEM file: a public key, or that of a certificate."""

    def __init__(self, pointer: int, kind: int) -> None:
        import ctypes

        self._pointer = ctypes.c_void_p(pointer)
        self.kind = kind

    @property
    def is_rsa(self) -> bool:
        return self.kind == _RSA

    @property
    def is_ec(self) -> bool:
        return self.kind == _EC

    def verifies(self, digest: str, signature: bytes, data: bytes, pss: bool = False) -> bool:
        import ctypes

        crypto = library()
        context = ctypes.c_void_p(crypto.EVP_MD_CTX_new())
        of_key = ctypes.c_void_p()
        method = ctypes.c_void_p(crypto.EVP_get_digestbyname(digest.encode()))
        try:
            if crypto.EVP_DigestVerifyInit(context, ctypes.byref(of_key), method, None, self._pointer) != 1:
                return False
            if pss and crypto.EVP_PKEY_CTX_ctrl(of_key, -1, -1, _CTRL_PADDING, _PADDING_PSS, None) <= 0:
                return False
            lengths = ctypes.c_size_t(len(signature)), ctypes.c_size_t(len(data))
            return bool(crypto.EVP_DigestVerify(context, signature, lengths[0], data, lengths[1]) == 1)
        finally:
            crypto.EVP_MD_CTX_free(context)
            crypto.ERR_clear_error()


class PrivateKey(PublicKey):
    """A key that opens what was enciphered for it, or agrees on a secret with somebody else's public key."""

    def decrypts(self, data: bytes, padding: str, digest: str) -> bytes | None:
        """RSA; ``padding``: ``pkcs1``, or ``oaep`` with that digest."""
        import ctypes

        with self._context() as (crypto, context):
            if context is None or crypto.EVP_PKEY_decrypt_init(context) != 1:
                return None
            said = {"rsa_padding_mode": padding, "rsa_oaep_md": digest, "rsa_mgf1_md": digest}
            for name, value in said.items():
                wanted = value and crypto.EVP_PKEY_CTX_ctrl_str(context, name.encode(), value.encode()) <= 0
                if wanted:
                    return None
            room = ctypes.create_string_buffer(_LARGEST)
            size = ctypes.c_size_t(_LARGEST)
            given = ctypes.c_size_t(len(data))
            if crypto.EVP_PKEY_decrypt(context, room, ctypes.byref(size), data, given) != 1:
                return None
            return room.raw[: size.value]

    def agrees(self, other: PublicKey) -> bytes | None:
        import ctypes

        with self._context() as (crypto, context):
            if context is None or crypto.EVP_PKEY_derive_init(context) != 1:
                return None
            if crypto.EVP_PKEY_derive_set_peer(context, other._pointer) != 1:
                return None
            room = ctypes.create_string_buffer(_LARGEST)
            size = ctypes.c_size_t(_LARGEST)
            if crypto.EVP_PKEY_derive(context, room, ctypes.byref(size)) != 1:
                return None
            return room.raw[: size.value]

    @contextmanager
    def _context(self) -> Iterator[tuple[Any, Any]]:
        import ctypes

        crypto = library()
        context = ctypes.c_void_p(crypto.EVP_PKEY_CTX_new(self._pointer, None))
        try:
            yield crypto, context if context else None
        finally:
            crypto.EVP_PKEY_CTX_free(context)
            crypto.ERR_clear_error()


def private_key(der: bytes) -> PrivateKey | None:
    """From the forms of RFC 8017, RFC 5915 or RFC 5958."""
    found = _from_der("d2i_AutoPrivateKey", der)
    return PrivateKey(*found) if found is not None else None


def private_pem(text: bytes) -> PrivateKey | None:
    """The first key of a PEM file; one that is locked by a passphrase is none."""
    import ctypes

    crypto = library()
    if crypto is None:
        return None
    source = ctypes.c_void_p(crypto.BIO_new_mem_buf(text, len(text)))
    try:
        found = crypto.PEM_read_bio_PrivateKey(source, None, None, b"")  # nobody is asked for a passphrase
        return PrivateKey(found, _kind(crypto, found)) if found else None
    finally:
        crypto.BIO_free(source)
        crypto.ERR_clear_error()


def public_der(der: bytes) -> PublicKey | None:
    found = _from_der("d2i_PUBKEY", der)
    return PublicKey(*found) if found is not None else None


def _from_der(function: str, der: bytes) -> tuple[int, int] | None:
    import ctypes

    crypto = library()
    if crypto is None:
        return None
    start = ctypes.c_char_p(der)
    try:
        found = getattr(crypto, function)(None, ctypes.byref(start), ctypes.c_long(len(der)))
        return (found, _kind(crypto, found)) if found else None
    finally:
        crypto.ERR_clear_error()


def _kind(crypto: Any, pointer: int) -> int:
    import ctypes

    ask = getattr(crypto, "EVP_PKEY_get_base_id", None) or crypto.EVP_PKEY_base_id
    return int(ask(ctypes.c_void_p(pointer)))


def public_key(text: bytes, certificate: bool = False) -> PublicKey | None:
    import ctypes

    crypto = library()
    if crypto is None:
        return None
    source = ctypes.c_void_p(crypto.BIO_new_mem_buf(text, len(text)))
    try:
        if not certificate:
            found = crypto.PEM_read_bio_PUBKEY(source, None, None, None)
        else:
            read = ctypes.c_void_p(crypto.PEM_read_bio_X509(source, None, None, None))
            found = crypto.X509_get_pubkey(read) if read else None
            crypto.X509_free(read)  # the key has its own reference
        if not found:
            return None
        return PublicKey(found, _kind(crypto, found))
    finally:
        crypto.BIO_free(source)
        crypto.ERR_clear_error()


def aes(
    name: str, key: bytes, nonce: bytes, data: bytes, *, encrypt: bool, tag: bytes = b"", more: bytes = b"",
) -> tuple[bytes, bytes] | None:  # fmt: skip
    """``name``: ``aes-128-gcm``, ``aes-256-cbc``, ``aes-128-wrap``... ``more``: data that is only
    authenticated. Gives the result and, of GCM when encrypting, the tag."""
    import ctypes

    crypto = library()
    cipher = ctypes.c_void_p(crypto.EVP_get_cipherbyname(name.encode())) if crypto is not None else None
    if not cipher:
        return None
    context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    try:
        return _ciphered(crypto, context, cipher, name, key, nonce, data, encrypt, tag, more)
    finally:
        crypto.EVP_CIPHER_CTX_free(context)
        crypto.ERR_clear_error()


def _ciphered(
    crypto: Any, context: ctypes.c_void_p, cipher: ctypes.c_void_p, name: str, key: bytes, nonce: bytes,
    data: bytes, encrypt: bool, tag: bytes, more: bytes,
) -> tuple[bytes, bytes] | None:  # fmt: skip
    import ctypes

    gcm, wrap = name.endswith("gcm"), name.endswith("wrap")
    if len(key) != int(name.split("-")[1]) // 8:
        return None
    if name.endswith("cbc"):
        nonce = nonce[:16].ljust(16, b"\0")
    if wrap:
        crypto.EVP_CIPHER_CTX_set_flags(context, _WRAP_ALLOW)
    if crypto.EVP_CipherInit_ex(context, cipher, None, None, None, int(encrypt)) != 1:
        return None
    if gcm and crypto.EVP_CIPHER_CTX_ctrl(context, _SET_IVLEN, len(nonce), None) != 1:
        return None
    if crypto.EVP_CipherInit_ex(context, None, None, key, None if wrap else nonce, int(encrypt)) != 1:
        return None
    if gcm and not encrypt and crypto.EVP_CIPHER_CTX_ctrl(context, _SET_TAG, len(tag), tag) != 1:
        return None
    made, room = ctypes.c_int(), ctypes.create_string_buffer(len(data) + 32)
    if more and crypto.EVP_CipherUpdate(context, None, ctypes.byref(made), more, len(more)) != 1:
        return None
    if crypto.EVP_CipherUpdate(context, room, ctypes.byref(made), data, len(data)) != 1:
        return None
    end, last = ctypes.c_int(), ctypes.create_string_buffer(32)
    if crypto.EVP_CipherFinal_ex(context, last, ctypes.byref(end)) != 1:
        return None
    given = ctypes.create_string_buffer(16)
    if gcm and encrypt and crypto.EVP_CIPHER_CTX_ctrl(context, _GET_TAG, 16, given) != 1:
        return None
    return room.raw[: made.value] + last.raw[: end.value], given.raw if gcm else b""
