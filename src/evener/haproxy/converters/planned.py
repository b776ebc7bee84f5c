"""Converters that are known and not executed: what needs stick tables, or ciphers.

Using one is told to the user; the expression then gives no sample.
"""

from __future__ import annotations

from evener.haproxy.sample import Type, declare_planned_converters

declare_planned_converters("in_table(table): bool", Type.ANY, "Whether the input is a key of a stick table.")

_COUNTERS = (
    "bytes_in_rate bytes_out_rate clr_gpc0 clr_gpc1 conn_cnt conn_cur conn_rate glitch_cnt glitch_rate gpc0 "
    "gpc0_rate gpc1 gpc1_rate gpt0 http_err_cnt http_err_rate http_fail_cnt http_fail_rate http_req_cnt "
    "http_req_rate inc_gpc0 inc_gpc1 kbytes_in kbytes_out server_id sess_cnt sess_rate trackers"
)
declare_planned_converters(
    "\n".join(f"table_{name}(table): sint" for name in _COUNTERS.split()), Type.ANY,
    "A counter that a stick table keeps for the input, 0 when it does not have it.",
)  # fmt: skip
_NUMBERED = ("clr_gpc", "gpc", "gpc_rate", "gpt", "inc_gpc")
declare_planned_converters(
    "\n".join(f"table_{name}(integer,table): sint" for name in _NUMBERED),
    Type.ANY, "One of the numbered counters that a stick table keeps for the input.",
)  # fmt: skip
declare_planned_converters(
    "table_expire(table[,integer]): sint\ntable_idle(table[,integer]): sint", Type.ANY,
    "How long an entry of a stick table has left, or has not been used, in milliseconds.",
)  # fmt: skip

declare_planned_converters(
    "aes_cbc_dec(integer,string,string[,string]): bin\naes_cbc_enc(integer,string,string[,string]): bin",
    Type.BIN, "Decrypt or encrypt with AES in cipher block chaining mode. Needs a TLS library.",
)  # fmt: skip
declare_planned_converters(
    "aes_gcm_dec(integer,string,string,string[,string]): bin\n"
    "aes_gcm_enc(integer,string,string,string[,string]): bin",
    Type.BIN, "Decrypt or encrypt with AES in Galois counter mode. Needs a TLS library.",
)  # fmt: skip
