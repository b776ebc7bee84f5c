"""What haproxy.cfg has beside its keywords: directives, predicates, quoting, variables, parts of conditions.

An entry is ``name | form``, what it is, an example that is right (lines that begin with ``+``) and one that
is wrong (``-``). A form that goes on begins with ``|``. The tests run every example, and hold the names
against what the reader knows.
"""

from __future__ import annotations

from typing import Final

DIRECTIVES: Final = r"""
.if | .if <condition>
Lines up to ``.elif``, ``.else`` or ``.endif`` are read only when the condition is true. Blocks may
stand inside each other, up to 100 deep; what is skipped is not looked at.
+ .if defined(HOME)
+ .endif
- .if defined(HOME)

.elif | .elif <condition>
Another condition for when none before it in the block was true.
+ .if streq(a,b)
+ .elif defined(HOME)
+ .endif
- .elif defined(HOME)

.else | .else
What is read when no condition of the block was true.
+ .if streq(a,b)
+ .else
+ .endif
- .if streq(a,b)
- .else x
- .endif

.endif | .endif
Ends the block.
+ .if streq(a,b)
+ .endif
- .endif

.diag | .diag <text>
Say something that is only shown with ``-dD``.
+ .diag "an old template"
- .diag two words

.notice | .notice <text>
Say something while the file is read.
+ .notice "made by a template"
- .notice two words

.warning | .warning <text>
Say something as a warning; ``-dW`` makes it fatal.
+ .warning "no certificate was found"
- .warning two words

.alert | .alert <text>
Say something as an error: the file is refused.
+ .if streq(a,b)
+ .alert "never"
+ .endif
- .alert "HOME is not set"
"""

PREDICATES: Final = r"""
defined | defined(<name>)
The variable of the environment exists, even if it is empty.
+ .if defined(HOME)
+ .endif
- .if defined(HOME
- .endif

feature | feature(<name>)
The build has that feature; ``haproxy -vv`` lists them.
+ .if feature(OPENSSL)
+ .endif
- .if feature()x
- .endif

enabled | enabled(<name>)
The option of the process is on: POLL, EPOLL, SPLICE, GETADDRINFO, REUSEPORT, FAST-FORWARD,
SERVER-SSL-VERIFY-NONE...
+ .if enabled(EPOLL)
+ .endif
- .if enabled(
- .endif

streq | streq(<a>,<b>)
Both texts are the same.
+ .if streq("$HOME",/root)
+ .endif
- .if streq(a)
- .endif

strneq | strneq(<a>,<b>)
The texts differ.
+ .if strneq(a,b)
+ .endif
- .if strneq(a)
- .endif

strstr | strstr(<text>,<part>)
The second text is found in the first.
+ .if strstr("$PATH",bin)
+ .endif
- .if strstr(a)
- .endif

version_atleast | version_atleast(<version>)
The program is of that version or a later one.
+ .if version_atleast(2.6)
+ .endif
- .if version_atleast()y
- .endif

version_before | version_before(<version>)
The program is older than that version.
+ .if version_before(2.6)
+ .endif
- .if version_before()y
- .endif

openssl_version_atleast | openssl_version_atleast(<version>)
The TLS library is OpenSSL of that version or a later one.
+ .if openssl_version_atleast(1.1.1)
+ .endif
- .if openssl_version_atleast(x)
- .endif

openssl_version_before | openssl_version_before(<version>)
The TLS library is OpenSSL and older than that version.
+ .if openssl_version_before(3.0.0)
+ .endif
- .if openssl_version_before(x)
- .endif

awslc_api_atleast | awslc_api_atleast(<version>)
The TLS library is AWS-LC with at least that API version.
+ .if feature(OPENSSL_AWSLC) && awslc_api_atleast(30)
+ .endif
- .if awslc_api_atleast(
- .endif

awslc_api_before | awslc_api_before(<version>)
The TLS library is AWS-LC with an API before that version.
+ .if feature(OPENSSL_AWSLC) && awslc_api_before(30)
+ .endif
- .if awslc_api_before(
- .endif

ssllib_name_startswith | ssllib_name_startswith(<name>)
The name of the TLS library begins like that.
+ .if ssllib_name_startswith(OpenSSL)
+ .endif
- .if ssllib_name_startswith(
- .endif

fips_mode | fips_mode()
The TLS library is in its FIPS mode.
+ .if fips_mode()
+ .endif
- .if fips_mode(
- .endif
"""

QUOTING: Final = r"""
" | "<text>"
Blanks and ``#`` are nothing special between double quotes; variables and backslashes still are. A quote
may begin and end anywhere in a word.
+ setenv A "two words # and no comment"
- setenv A "two words

' | '<text>'
Nothing is special between single quotes: this is the one to put regular expressions in.
+ setenv A 'a "$b" \\c'
- setenv A 'two words

\ | \<character>
Takes the meaning from the next character: a blank, ``#``, a quote, ``$`` or a backslash. ``\n``, ``\r``
and ``\t`` are control characters, ``\xHH`` is any byte.
+ setenv A two\ words
- setenv A \xg1

# | # <comment>
The rest of the line is not read, unless the ``#`` is quoted or escaped.
+ setenv A x # a comment
- setenv A # no value

$ | "$<name>", "${<name>[-<default>]}"
Between double quotes a variable of the environment is replaced by its value, by nothing when it is not
set. Outside of them a dollar is an ordinary character, except in addresses.
+ setenv A "${HOME-/root}/x"
- setenv A "${HOME"

${*} | "${<name>[*]}"
The value makes a word for each of its words.
+ presetenv A "x y"
+ setenv B "${A-}"
- setenv A "${A[*}"
"""

VARIABLES: Final = r"""
HAPROXY_BRANCH | "$HAPROXY_BRANCH"
Branch of the version, as 3.5.
+ .notice "$HAPROXY_BRANCH"
- .notice "${HAPROXY_BRANCH"

HAPROXY_STARTUP_VERSION | "$HAPROXY_STARTUP_VERSION"
Version of the program that was started first.
+ .notice "$HAPROXY_STARTUP_VERSION"
- .notice "${HAPROXY_STARTUP_VERSION"

HAPROXY_CFGFILES | "$HAPROXY_CFGFILES"
The files of the configuration, separated by semicolons.
+ description "$HAPROXY_CFGFILES"
- description "${HAPROXY_CFGFILES

HAPROXY_LOCALPEER | "$HAPROXY_LOCALPEER"
Name of this machine among peers: ``localpeer``, ``-L``, or the host's name.
+ description "$HAPROXY_LOCALPEER"
- description "${HAPROXY_LOCALPEER

HAPROXY_MWORKER | "$HAPROXY_MWORKER"
1 with a master process (``-W``), else not set.
+ .if defined(HAPROXY_MWORKER)
+ .endif
- .if defined(HAPROXY_MWORKER

HAPROXY_HTTP_LOG_FMT | "$HAPROXY_HTTP_LOG_FMT"
What ``option httplog`` logs, to add something to it: ``log-format "${HAPROXY_HTTP_LOG_FMT} %hr"``.
+ log-format "$HAPROXY_HTTP_LOG_FMT x"
- log-format "${HAPROXY_HTTP_LOG_FMT

HAPROXY_HTTP_CLF_LOG_FMT | "$HAPROXY_HTTP_CLF_LOG_FMT"
What ``option httplog clf`` logs.
+ log-format "$HAPROXY_HTTP_CLF_LOG_FMT x"
- log-format "${HAPROXY_HTTP_CLF_LOG_FMT

HAPROXY_HTTPS_LOG_FMT | "$HAPROXY_HTTPS_LOG_FMT"
What ``option httpslog`` logs.
+ log-format "$HAPROXY_HTTPS_LOG_FMT x"
- log-format "${HAPROXY_HTTPS_LOG_FMT

HAPROXY_TCP_LOG_FMT | "$HAPROXY_TCP_LOG_FMT"
What ``option tcplog`` logs.
+ log-format "$HAPROXY_TCP_LOG_FMT x"
- log-format "${HAPROXY_TCP_LOG_FMT

HAPROXY_TCP_CLF_LOG_FMT | "$HAPROXY_TCP_CLF_LOG_FMT"
What ``option tcplog clf`` logs.
+ log-format "$HAPROXY_TCP_CLF_LOG_FMT x"
- log-format "${HAPROXY_TCP_CLF_LOG_FMT

HAPROXY_KEYLOG_FC_LOG_FMT | "$HAPROXY_KEYLOG_FC_LOG_FMT"
Items that tell the TLS keys of the client's connection, for network analysers.
+ log-format "$HAPROXY_KEYLOG_FC_LOG_FMT x"
- log-format "${HAPROXY_KEYLOG_FC_LOG_FMT

HAPROXY_KEYLOG_BC_LOG_FMT | "$HAPROXY_KEYLOG_BC_LOG_FMT"
The same of the connection to the server.
+ log-format "$HAPROXY_KEYLOG_BC_LOG_FMT x"
- log-format "${HAPROXY_KEYLOG_BC_LOG_FMT

.FILE | "${.FILE}"
Name of the file that is being read.
+ description "${.FILE}"
- description "${.FILE

.LINE | "${.LINE}"
Number of the line.
+ description "${.LINE}"
- description "${.LINE

.SECTION | "${.SECTION}"
The section that the line belongs to.
+ description "${.SECTION}"
- description "${.SECTION
"""

CONDITIONS: Final = r"""
if | <rule> if <condition>
The rule is applied when the condition is true. Terms side by side must all be true; ``or`` (also
``||``) separates alternatives; ``!`` before a term turns it round. A term is an ACL's name or a test
between braces.
+ http-request deny if METH_TRACE or { path_beg /x } !LOCALHOST
- http-request deny if nosuch

unless | <rule> unless <condition>
The rule is applied when the condition is false.
+ http-request deny unless METH_GET
- http-request deny unless nosuch

{ } | { <sample> [<flag>...] <pattern>... }
An ACL in place, without a name; the braces are words of their own.
+ http-request deny if { src 10.0.0.0/8 }
- http-request deny if {src 10.0.0.0/8}
"""

FLAGS: Final = r"""
-i | <sample> -i <pattern>...
Letters match whatever their case.
+ acl a path -i /a
- acl a path -I /a

-f | <sample> -f <file>
Patterns from a file, one a line; may be said again.
+ acl a src -f /dev/null
- acl a src -f

-m | <sample> -m <method>
How the sample is matched; without it its type decides.
+ acl a path -m beg /a
- acl a path -m

-M | <sample> -M -f <file>
The file has keys and values: only the keys are patterns.
+ acl a path -M -f /dev/null
- acl a path -M -f /nonexistent/x

-n | <sample> -n <pattern>...
No name is looked up in the DNS: what is no address is an error.
+ acl a src -n 10.0.0.1
- acl a src -n nosuch.invalid

-u | <sample> -u <number> <pattern>...
Number of the ACL, for ``show acl`` and its kin; every one may have its own.
+ acl a path -u 5 /a
- acl a path -u x /a

-- | <sample> -- <pattern>...
What follows is a pattern, even when it begins with a dash.
+ acl a path -- -i
- acl a path -- -m beg /a
- acl b path -Z x
"""

METHODS: Final = r"""
found | <sample> -m found
There is a sample, whatever its value; without a pattern.
+ acl a req.hdr(x) -m found
- acl a path -m find

bool | <sample> -m bool [true | false]
The sample is true, or a number other than 0.
+ acl a ssl_fc -m bool
- acl a path -m boolean

int | <sample> -m int <number>...
Numbers: ``5``, a range ``1:5``, ``gt 5`` (also ge, lt, le, eq).
+ acl a req.len -m int gt 5
- acl a path -m int x

ip | <sample> -m ip <address>[/<mask>]...
Addresses and networks of both families.
+ acl a src -m ip 10.0.0.0/8 ::1
- acl a src -m ip 10.0.0.0/99

bin | <sample> -m bin <hexadecimal>...
The same bytes, written as hexadecimal digits.
+ acl a req.payload(0,2) -m bin 1603
- acl a req.payload(0,2) -m bin 1x

len | <sample> -m len <number>...
The length of the sample, compared as numbers are.
+ acl a path -m len gt 5
- acl a path -m len x

str | <sample> -m str <text>...
The same text.
+ acl a path -m str /a
- acl a path -m string /a

beg | <sample> -m beg <text>...
The sample begins with the text.
+ acl a path -m beg /a
- acl a path -m begin /a

end | <sample> -m end <text>...
The sample ends with the text.
+ acl a path -m end .jpg
- acl a path -m ends .jpg

sub | <sample> -m sub <text>...
The text is found somewhere in the sample.
+ acl a path -m sub admin
- acl a path -m substr x

dir | <sample> -m dir <text>...
The text is found between slashes: a directory of a path.
+ acl a path -m dir img
- acl a path -m dirs x

dom | <sample> -m dom <text>...
The text is found between dots: a part of a host name.
+ acl a req.hdr(host) -m dom example
- acl a path -m domain x

reg | <sample> -m reg <regex>...
The regular expression matches somewhere in the sample.
+ acl a path -m reg ^/a
- acl a path -m reg (
"""
