"""Bind options that are known without being acted on: TLS, which is not served yet, and kernel tuning."""

from __future__ import annotations

from evener.haproxy.sections.tables import absent, harmless, planned, refused
from evener.haproxy.sections.tls_checks import BIND, BIND_MISSING

TABLE = (
    *planned(
        """
allow-0rtt 0           | Accept early data of TLS 1.3.
alpn 1                 | Protocols offered in the TLS handshake.
ca-file 1              | Authorities that client certificates are verified against.
ca-ignore-err 1        | Verification errors of authorities that are ignored.
ca-sign-file 1         | Authority that signs generated certificates.
ca-sign-pass 1         | Pass phrase of the signing authority's key.
ca-verify-file 1       | Authorities used for verification only, not announced to clients.
ciphers 1              | Cipher suites up to TLS 1.2.
ciphersuites 1         | Cipher suites of TLS 1.3.
client-sigalgs 1       | Signature algorithms accepted of clients.
crl-file 1             | Certificate revocation list.
crt 1                  | Certificate and key to present.
crt-ignore-err 1       | Verification errors of certificates that are ignored.
crt-list 1             | File that lists certificates with options and server names.
curves 1               | Elliptic curves offered.
default-crt 1          | Certificate presented when no name matches.
ecdhe 1                | Curve of ephemeral keys.
force-sslv3 0          | Only SSLv3.
force-tlsv10 0         | Only TLS 1.0.
force-tlsv11 0         | Only TLS 1.1.
force-tlsv12 0         | Only TLS 1.2.
force-tlsv13 0         | Only TLS 1.3.
generate-certificates 0 | Make certificates on the fly for the name the client asks for.
idle-ping 1            | Send an HTTP/2 ping on an idle connection after that time.
no-alpn 0              | Offer no protocol in the TLS handshake.
no-ca-names 0          | Do not send the names of authorities.
no-sslv3 0             | Refuse SSLv3.
no-strict-sni 0        | Accept clients whose server name is not known.
no-tls-tickets 0       | No stateless session resumption.
no-tlsv10 0            | Refuse TLS 1.0.
no-tlsv11 0            | Refuse TLS 1.1.
no-tlsv12 0            | Refuse TLS 1.2.
no-tlsv13 0            | Refuse TLS 1.3.
npn 1                  | Protocols offered by the predecessor of ALPN.
prefer-client-ciphers 0 | Let the client's order of ciphers win.
proto 1                | Force the protocol instead of negotiating it; h1 is spoken anyway.
sigalgs 1              | Signature algorithms offered.
ssl 0                  | Speak TLS on this address.
ssl-max-ver 1          | Newest version of TLS.
ssl-min-ver 1          | Oldest version of TLS.
strict-sni 0           | Refuse clients whose server name is not known.
tls-ticket-keys 1      | File with the keys of session tickets.
tls-tickets 0          | Stateless session resumption.
verify 1               | Whether clients must present a certificate.
nbconn 1               | How many reverse connections are kept open.
""",
        checks=BIND,
        missing=BIND_MISSING,
    ),
    *harmless(
        """
cc 1        | Congestion control algorithm of the kernel.
ktls 1      | Whether the kernel encrypts.
label 1     | A name for tools that look at the configuration.
""",
        checks=BIND,
        missing=BIND_MISSING,
    ),
    *absent(
        """
ech 1              | Keys of encrypted client hellos.
quic-cc-algo 1     | Congestion control of QUIC.
quic-force-retry 0 | Validate addresses of QUIC clients.
quic-socket 1      | How sockets are shared by QUIC connections.
"""
    ),
    *refused(
        "process | 'process {got}' on 'bind' lines is not supported anymore, please use 'thread' instead."
    ),
)
