"""Fetches of TLS connections (manual section 7.3.4). There is no TLS yet, so only a few have an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.sample import Source, Type, fetch
from evener.haproxy.sample_planned import declare_planned_fetches

_CLIENT: Final = Source.CLIENT_CONNECTION
_SERVER: Final = Source.SERVER_CONNECTION
_DOC: Final = "Known; there is no TLS yet."


@fetch("ssl_fc", Type.BOOL, _CLIENT)
def ssl_fc() -> Callable[[Any], bool]:
    """Whether the client's connection is encrypted."""
    return lambda txn: False


@fetch("ssl_bc", Type.BOOL, _SERVER)
def ssl_bc() -> Callable[[Any], bool]:
    """Whether the server's connection is encrypted."""
    return lambda txn: False


@fetch("ssl_fc_has_sni", Type.BOOL, _CLIENT)
def ssl_fc_has_sni() -> Callable[[Any], bool]:
    """Whether a server name was asked for on the client's connection."""
    return lambda txn: False


@fetch("ssl_fc_is_resumed", Type.BOOL, _CLIENT)
def ssl_fc_is_resumed() -> Callable[[Any], bool]:
    """Whether the client's connection resumed a session instead of making a new one."""
    return lambda txn: False


@fetch("ssl_bc_is_resumed", Type.BOOL, _SERVER)
def ssl_bc_is_resumed() -> Callable[[Any], bool]:
    """Whether the server's connection resumed a session instead of making a new one."""
    return lambda txn: False


_SECRETS: Final = {
    "client_early_traffic_secret": "client for early data",
    "client_handshake_traffic_secret": "client during the handshake",
    "client_traffic_secret_0": "client for data",
    "early_exporter_secret": "exporter for early data",
    "exporter_secret": "exporter",
    "server_handshake_traffic_secret": "server during the handshake",
    "server_traffic_secret_0": "server for data",
}
_SIDES: Final = {"fc": "client", "bc": "server"}
declare_planned_fetches(
    "\n".join(
        f"ssl_{side}_{name}: str | The TLS 1.3 secret of the {use}, on the {whose}'s connection. It needs "
        "``tune.ssl.keylog on``."
        for side, whose in _SIDES.items()
        for name, use in _SECRETS.items()
    ),
    _CLIENT,
    _DOC,
)
declare_planned_fetches(
    """
    ssl_bc_alg_keysize: sint | Bits of the symmetric key of the server's connection, as its cipher has them.
    ssl_bc_alpn: str | The protocol that was agreed on by ALPN on the server's connection.
    ssl_bc_cipher: str | Name of the cipher of the server's connection.
    ssl_bc_client_random: bin
    | The random bytes that began the handshake of the server's connection, to decrypt recorded traffic.
    ssl_bc_curve: str | Name of the curve of the key agreement on the server's connection.
    ssl_bc_err: sint
    | The last error of the server's connection, as a number of the TLS library; 0 when there was none.
    ssl_bc_err_str: str | The last error of the server's connection, in words.
    ssl_bc_npn: str
    | The protocol that was agreed on by NPN, the forerunner of ALPN, on the server's connection.
    ssl_bc_protocol: str | Version of TLS on the server's connection, as TLSv1.3.
    ssl_bc_server_random: bin
    | The random bytes that the server answered with on the server's connection, to decrypt recorded
    | traffic.
    ssl_bc_session_id: bin | The session identifier of the server's connection.
    ssl_bc_session_key: bin | The master key of the session of the server's connection, up to TLS 1.2.
    ssl_bc_sni: str | The server name that was asked for on the server's connection.
    ssl_bc_unique_id: bin | What binds an application to the server's connection (RFC 5929, section 3).
    ssl_bc_use_keysize: sint | Bits of the symmetric key of the server's connection that are really secret.
    """,
    _SERVER,
    _DOC,
)
_CERTIFICATE: Final = """
    ssl_X_der: bin | WHOSE, in DER.
    ssl_X_i_dn([string,integer,string]): str
    | The issuer of WHOSE: all of its name, or the part of that type, of that number (negative: from the
    | end), in that format (rfc2253).
    ssl_X_key_alg: str | The algorithm of the key in WHOSE, as rsaEncryption.
    ssl_X_notafter: str | When WHOSE ends to be valid, as YYMMDDhhmmss and a Z.
    ssl_X_notbefore: str | When WHOSE begins to be valid, as YYMMDDhhmmss and a Z.
    ssl_X_s_dn([string,integer,string]): str
    | The subject of WHOSE: all of its name, or the part of that type, of that number (negative: from the
    | end), in that format (rfc2253).
    ssl_X_serial: bin | The serial number of WHOSE, as bytes.
    ssl_X_sha1: bin | The SHA-1 fingerprint of WHOSE, as bytes.
    ssl_X_sig_alg: str | The algorithm that WHOSE was signed with.
    ssl_X_version: sint | The version of WHOSE.
    """
_WHOSE: Final = {
    "c": "the client's certificate",
    "f": "the certificate that was shown to the client",
    "s": "the server's certificate",
}
for _letter, _whose in _WHOSE.items():
    _named = _CERTIFICATE.replace("_X_", f"_{_letter}_").replace("| WHOSE", f"| {_whose.capitalize()}")
    declare_planned_fetches(_named.replace("WHOSE", _whose), _CLIENT, _DOC)
declare_planned_fetches(
    """
    ssl_c_ca_err: sint
    | The first error in verifying an authority of the client's certificate; 0 when there was none.
    ssl_c_ca_err_depth: sint | How far from the client's certificate that authority was.
    ssl_c_chain_der: bin | The client's certificate with the chain that came with it, in DER.
    ssl_c_err: sint | The first error in verifying the client's certificate itself; 0 when there was none.
    ssl_c_policies([string]): str
    | The policies in the client's certificate, separated by commas or by the argument.
    ssl_c_r_dn([string,integer,string]): str
    | The name of the root that the client's certificate leads to, taken apart as for ``ssl_c_s_dn``.
    ssl_c_san: str | The alternative names in the client's certificate, separated by commas.
    ssl_c_used: bool | Whether the client showed a certificate on this very connection.
    ssl_c_verify: sint
    | What verifying the client's certificate ended with, as a number of the TLS library; 0 when all was
    | well.
    ssl_fc_alg_keysize: sint | Bits of the symmetric key of the client's connection, as its cipher has them.
    ssl_fc_alpn: str | The protocol that was agreed on by ALPN on the client's connection.
    ssl_fc_cipher: str | Name of the cipher of the client's connection.
    ssl_fc_cipherlist_bin([integer]): str
    | The ciphers that the client offered, as bytes. An argument of 1 leaves out the values of GREASE (RFC
    | 8701).
    ssl_fc_cipherlist_hex([integer]): bin
    | The ciphers that the client offered, as hexadecimal digits. An argument of 1 leaves out the values
    | of GREASE (RFC 8701).
    ssl_fc_cipherlist_str([integer]): str
    | The ciphers that the client offered, by name. An argument of 1 leaves out the values of GREASE (RFC
    | 8701).
    ssl_fc_cipherlist_xxh: sint | A hash (xxh64) of the ciphers that the client offered.
    ssl_fc_client_random: bin
    | The random bytes that began the handshake of the client's connection, to decrypt recorded traffic.
    ssl_fc_crtname: str | File name of the certificate that was shown on the client's connection.
    ssl_fc_curve: str | Name of the curve of the key agreement on the client's connection.
    ssl_fc_early_rcvd: bool
    | Whether data came before the handshake of the client's connection ended, even if it has ended since.
    ssl_fc_ecformats_bin: str | The point formats that the client offered, as bytes.
    ssl_fc_eclist_bin([integer]): str
    | The curves that the client offered, as bytes. An argument of 1 leaves out the values of GREASE (RFC
    | 8701).
    ssl_fc_err: sint
    | The last error of the client's connection, as a number of the TLS library; 0 when there was none.
    ssl_fc_err_str: str | The last error of the client's connection, in words.
    ssl_fc_extlist_bin([integer]): str
    | The extensions that the client sent, as bytes. An argument of 1 leaves out the values of GREASE (RFC
    | 8701).
    ssl_fc_has_crt: bool
    | Whether the client showed a certificate on the client's connection; also true of a resumed session
    | that had none.
    ssl_fc_has_early: bool
    | Whether data came before the handshake of the client's connection ended, and it may still be a
    | replay.
    ssl_fc_npn: str
    | The protocol that was agreed on by NPN, the forerunner of ALPN, on the client's connection.
    ssl_fc_protocol: str | Version of TLS on the client's connection, as TLSv1.3.
    ssl_fc_protocol_hello_id: sint | The version in the client's hello, as a number.
    ssl_fc_server_random: bin
    | The random bytes that the server answered with on the client's connection, to decrypt recorded
    | traffic.
    ssl_fc_session_id: bin | The session identifier of the client's connection.
    ssl_fc_session_key: bin | The master key of the session of the client's connection, up to TLS 1.2.
    ssl_fc_sigalgs_bin([integer]): bin
    | The signature algorithms that the client offered, as bytes. An argument of 1 leaves out the values
    | of GREASE (RFC 8701).
    ssl_fc_sni: str | The server name that was asked for on the client's connection.
    ssl_fc_supported_versions_bin([integer]): bin
    | The versions that the client offered, as bytes. An argument of 1 leaves out the values of GREASE
    | (RFC 8701).
    ssl_fc_unique_id: bin | What binds an application to the client's connection (RFC 5929, section 3).
    ssl_fc_use_keysize: sint | Bits of the symmetric key of the client's connection that are really secret.
    ssl_s_chain_der: bin | The server's certificate with the chain that came with it, in DER.
    """,
    _CLIENT,
    _DOC,
)
