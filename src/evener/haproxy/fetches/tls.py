"""Fetches of TLS connections (manual section 7.3.4). There is no TLS yet, so only two have an answer."""

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


_SECRETS: Final = (
    "client_early_traffic_secret",
    "client_handshake_traffic_secret",
    "client_traffic_secret_0",
    "early_exporter_secret",
    "exporter_secret",
    "server_handshake_traffic_secret",
    "server_traffic_secret_0",
)
declare_planned_fetches(
    "\n".join(f"ssl_{side}_{name}: str" for side in ("fc", "bc") for name in _SECRETS), _CLIENT, _DOC
)
declare_planned_fetches(
    """
    ssl_bc_alg_keysize: sint
    ssl_bc_alpn: str
    ssl_bc_cipher: str
    ssl_bc_client_random: bin
    ssl_bc_curve: str
    ssl_bc_err: sint
    ssl_bc_err_str: str
    ssl_bc_is_resumed: bool
    ssl_bc_npn: str
    ssl_bc_protocol: str
    ssl_bc_server_random: bin
    ssl_bc_session_id: bin
    ssl_bc_session_key: bin
    ssl_bc_sni: str
    ssl_bc_unique_id: bin
    ssl_bc_use_keysize: sint
    """,
    _SERVER,
    _DOC,
)
_CERTIFICATE: Final = """
    ssl_X_der: bin
    ssl_X_i_dn([string,integer,string]): str
    ssl_X_key_alg: str
    ssl_X_notafter: str
    ssl_X_notbefore: str
    ssl_X_s_dn([string,integer,string]): str
    ssl_X_serial: bin
    ssl_X_sha1: bin
    ssl_X_sig_alg: str
    ssl_X_version: sint
    """
for _whose in ("c", "f", "s"):
    declare_planned_fetches(_CERTIFICATE.replace("_X_", f"_{_whose}_"), _CLIENT, _DOC)
declare_planned_fetches(
    """
    ssl_c_ca_err: sint
    ssl_c_ca_err_depth: sint
    ssl_c_chain_der: bin
    ssl_c_err: sint
    ssl_c_policies([string]): str
    ssl_c_r_dn([string,integer,string]): str
    ssl_c_san: str
    ssl_c_used: bool
    ssl_c_verify: sint
    ssl_fc_alg_keysize: sint
    ssl_fc_alpn: str
    ssl_fc_cipher: str
    ssl_fc_cipherlist_bin([integer]): str
    ssl_fc_cipherlist_hex([integer]): bin
    ssl_fc_cipherlist_str([integer]): str
    ssl_fc_cipherlist_xxh: sint
    ssl_fc_client_random: bin
    ssl_fc_crtname: str
    ssl_fc_curve: str
    ssl_fc_early_rcvd: bool
    ssl_fc_ecformats_bin: str
    ssl_fc_eclist_bin([integer]): str
    ssl_fc_err: sint
    ssl_fc_err_str: str
    ssl_fc_extlist_bin([integer]): str
    ssl_fc_has_crt: bool
    ssl_fc_has_early: bool
    ssl_fc_has_sni: bool
    ssl_fc_is_resumed: bool
    ssl_fc_npn: str
    ssl_fc_protocol: str
    ssl_fc_protocol_hello_id: sint
    ssl_fc_server_random: bin
    ssl_fc_session_id: bin
    ssl_fc_session_key: bin
    ssl_fc_sigalgs_bin([integer]): bin
    ssl_fc_sni: str
    ssl_fc_supported_versions_bin([integer]): bin
    ssl_fc_unique_id: bin
    ssl_fc_use_keysize: sint
    ssl_s_chain_der: bin
    """,
    _CLIENT,
    _DOC,
)
