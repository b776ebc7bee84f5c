"""Sections whose lines are known word by word and kept: nothing of them is executed yet.

Each section has a table of the words its lines may begin with and how many arguments they take. What the
arguments mean is not looked at.
"""

from __future__ import annotations

from typing import Final

from evener.haproxy.line import Line
from evener.haproxy.sections.likeness import closest
from evener.haproxy.sections.reading import TIGHT, Place
from evener.haproxy.sections.tables import planned
from evener.vocab.blocks import Keyword
from evener.vocab.registry import Registry

_TABLES: Final = {
    "acme": """
account-key 1             | File of the account's key.
acme-vars 1               | Variables given to the program that answers challenges.
bits 1                    | Size of RSA keys.
challenge 1               | How control of a domain is shown.
challenge-ready 1+        | When a challenge may be answered.
contact 1                 | Address of the account's owner.
curves 1                  | Curves of elliptic keys.
directory 1               | Address of the authority's directory.
dns-delay 1               | How long to wait before names are looked up.
dns-timeout 1             | How long a name may take to appear.
eab-key-id 1              | Name of the key that binds to an outside account.
eab-mac-alg 1             | Algorithm of that key.
eab-mac-key 1             | File of that key.
keytype 1                 | RSA or elliptic keys.
map 1                     | Map in which answers to challenges are put.
profile 1                 | Profile that is asked for.
provider-name 1           | Name of the provider of domain names.
reuse-key 1               | Whether a renewal keeps the key.
""",
    "crt-store": """
crt-base 1                | Directory of certificates.
key-base 1                | Directory of keys.
load 2+                   | A certificate, where its parts are, and its name.
""",
    "fcgi-app": """
acl 2+                    | A test for set-param.
docroot 1                 | Where the application's scripts are.
hide-header 1+            | Drop that header of responses.
index 1                   | Script for paths that end with a slash.
log-stderr 1+             | Where the application's errors are logged.
option 1+                 | How connections to the application are used.
pass-header 1+            | Keep that header of requests or responses.
path-info 1               | What separates the script from the rest of the path.
set-param 2+              | A parameter that the application is given.
unset-param 1+            | A parameter that it is not given.
""",
    "mailers": """
mailer 2+                 | A mail server: its name and address.
timeout 2                 | How long a mail may take.
""",
    "namespace_list": """
namespace 1+              | Network namespaces to open.
""",
    "resolvers": """
accepted_payload_size 1   | Largest answer that is accepted.
hold 2                    | How long the last answer of that kind is believed.
nameserver 2+             | A name server: its name and address.
parse-resolv-conf 0       | The system's name servers too.
resolution_pool_size 1    | Former limit of resolutions.
resolve_retries 1         | How often a question is asked again.
timeout 2                 | How long answers may take, and how far apart questions are.
""",
    "traces": """
trace 1+                  | What is traced, how much of it, and where to.
""",
}
#: What is said about a section without a name; those not listed need none.
UNNAMED: Final = {
    "fcgi-app": "'fcgi-app' expects <name> as argument.",
    "mailers": "missing name for mailers section.",
    "resolvers": "missing name for resolvers section.",
}
#: Sections whose complaints have no blank before the colon, and those that guess what was meant.
_TIGHT: Final = frozenset({"fcgi-app"})
_GUESSING: Final = frozenset({"acme", "crt-store", "traces"})


def _registries() -> dict[str, Registry[Keyword]]:
    made: dict[str, Registry[Keyword]] = {}
    for section, table in _TABLES.items():
        made[section] = Registry(f"{section} line")
        for word in planned(table, (section,)):
            made[section].declare(word)
        made[section].freeze()
    return made


LISTED: Final = _registries()


def check_line(line: Line, place: Place) -> bool:
    """Whether the section knows the line's first word and there are enough arguments; says so otherwise."""
    known = LISTED[place.kind]
    name = line.words[0]
    word = known.get(name)
    lead = TIGHT if place.kind in _TIGHT else None
    if word is None:
        meant = closest(name, known.names()) if place.kind in _GUESSING else None
        guess = f"; did you mean '{meant}' maybe ?" if meant else ""
        message = f"unknown keyword '{name}' in '{place.kind}' section{guess}"
        place.diagnostics.alert("unknown-keyword", message, line.span(0), lead=lead)
        return False
    count = len(line.words) - 1
    if count < word.least:
        message = f"'{name}' expects {word.least} argument{'s' if word.least > 1 else ''}."
        place.diagnostics.alert("missing-argument", message, line.span(len(line.words)), lead=lead)
        return False
    if word.most is not None and count > word.most:
        message = f"'{name}' cannot handle unexpected argument '{line.words[word.most + 1]}'."
        place.diagnostics.alert("unexpected-argument", message, line.span(word.most + 1), lead=lead)
        return False
    return True
