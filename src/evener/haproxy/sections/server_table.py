"""Server options that are known without being acted on: TLS and name resolution, not done yet, and tuning."""

from __future__ import annotations

from evener.haproxy.sections.tables import absent, harmless, planned, refused
from evener.haproxy.sections.tls_checks import SERVER, SERVER_MISSING

TABLE = (
    *planned(
        """
allow-0rtt 0           | Send early data of TLS 1.3.
alpn 1                 | Protocols offered in the TLS handshake.
ca-file 1              | Authorities that the server's certificate is verified against.
check-alpn 1           | Protocols offered by checks.
check-pool-conn-name 1 | Name of the pooled connection a check may use.
check-proto 1          | Protocol spoken by checks; h1 is anyway.
check-reuse-pool 0     | Checks may use pooled connections. Here workers have those, and not who checks.
check-sni 1            | Server name that checks ask for.
check-sni-auto 0       | Checks ask for the server name found in the Host header.
check-ssl 0            | Checks speak TLS.
ciphers 1              | Cipher suites up to TLS 1.2.
ciphersuites 1         | Cipher suites of TLS 1.3.
client-sigalgs 1       | Signature algorithms of the client certificate.
crl-file 1             | Certificate revocation list.
crt 1                  | Client certificate.
curves 1               | Elliptic curves offered.
force-sslv3 0          | Only SSLv3.
force-tlsv10 0         | Only TLS 1.0.
force-tlsv11 0         | Only TLS 1.1.
force-tlsv12 0         | Only TLS 1.2.
force-tlsv13 0         | Only TLS 1.3.
idle-ping 1            | Send an HTTP/2 ping on an idle connection after that time.
no-check-reuse-pool 0  | Checks use connections of their own, as they always do here.
no-check-sni-auto 0    | Checks do not look at the Host header for a server name.
no-check-ssl 0         | Checks do not speak TLS.
no-renegotiate 0       | Refuse TLS renegotiation.
no-sni-auto 0          | Do not take the server name from the Host header.
no-ssl 0               | Do not speak TLS.
no-ssl-reuse 0         | Do not resume TLS sessions.
no-sslv3 0             | Refuse SSLv3.
no-tls-tickets 0       | No stateless session resumption.
no-tlsv10 0            | Refuse TLS 1.0.
no-tlsv11 0            | Refuse TLS 1.1.
no-tlsv12 0            | Refuse TLS 1.2.
no-tlsv13 0            | Refuse TLS 1.3.
npn 1                  | Protocols offered by the predecessor of ALPN.
proto 1                | Force the protocol instead of negotiating it; h1 is spoken anyway.
renegotiate 0          | Allow TLS renegotiation.
resolve-net 1          | Networks preferred among resolved addresses.
resolve-opts 1         | Options of name resolution.
resolve-prefer 1       | Address family preferred among resolved addresses.
resolvers 1            | Resolvers section that keeps the address up to date.
sigalgs 1              | Signature algorithms offered.
sni 1                  | Expression that gives the server name asked for.
sni-auto 0             | Ask for the server name found in the Host header.
ssl 0                  | Speak TLS to this server.
ssl-max-ver 1          | Newest version of TLS.
ssl-min-ver 1          | Oldest version of TLS.
ssl-reuse 0            | Resume TLS sessions.
tls-tickets 0          | Stateless session resumption.
verify 1               | Whether the server's certificate is verified.
verifyhost 1           | Name that the server's certificate must have.
ws 1                   | Protocol used for websockets; h1 is anyway.
""",
        checks=SERVER,
        missing=SERVER_MISSING,
    ),
    *harmless(
        """
cc 1        | Congestion control algorithm of the kernel.
ktls 1      | Whether the kernel encrypts.
no-tfo 0    | No TCP fast open.
shard 1     | Which peers keep the entries of this server.
""",
        checks=SERVER,
        missing=SERVER_MISSING,
    ),
    *absent(
        """
no-verifyhost 0 | Do not verify the name in the certificate.
quic-cc-algo 1  | Congestion control of QUIC.
"""
    ),
    *refused("usesrc | 'usesrc' only allowed after a 'source' statement."),
)
