"""Converters that are known and not executed: what needs ciphers.

Using one is told to the user; the expression then gives no sample.
"""

from __future__ import annotations

from evener.haproxy.sample import Type
from evener.haproxy.sample_planned import declare_planned_converters

declare_planned_converters(
    "aes_cbc_dec(integer,string,string[,string]): bin\naes_cbc_enc(integer,string,string[,string]): bin",
    Type.BIN, "Decrypt or encrypt with AES in cipher block chaining mode. Needs a TLS library.",
)  # fmt: skip
declare_planned_converters(
    "aes_gcm_dec(integer,string,string,string[,string]): bin\n"
    "aes_gcm_enc(integer,string,string,string[,string]): bin",
    Type.BIN, "Decrypt or encrypt with AES in Galois counter mode. Needs a TLS library.",
)  # fmt: skip
