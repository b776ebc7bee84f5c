"""Reading the words of ``option httpchk``, ``http-check`` and ``tcp-check`` into scripts.

The words are those after the keyword, already unquoted. A word that cannot be used raises
``CheckSyntax``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evener.haproxy.checks.expectation import parse_expect
from evener.haproxy.checks.lively import compile_act, compile_format, is_act
from evener.haproxy.checks.steps import SUCCESS, Connect, Expect, Script, Send, SendHttp, Step, Value, hexed
from evener.haproxy.checks.words import NUMBER, CheckSyntax, Words, hex_of, number_of

_FLAGS = ("default", "send-proxy", "linger")


def parse_connect(words: Sequence[str]) -> Connect:
    """``connect [default] [port <port>] [addr <ip[:port]>] [send-proxy] [linger] [comment <msg>]``."""
    cursor = Words(words)
    found: dict[str, str] = {}
    flags: set[str] = set()
    while cursor.more():
        word = cursor.take("connect")
        if word in ("port", "addr", "comment", "sni", "alpn", "proto"):
            found[word] = cursor.take(word)
        elif word in _FLAGS:
            flags.add(word)
        else:
            raise CheckSyntax(f"'connect' expects 'comment', 'port', 'addr', 'send-proxy' but got '{word}'.")
    address, port = found.get("addr"), found.get("port")
    if address is not None and port is None:
        host, colon, tail = address.rpartition(":")
        if colon and NUMBER.match(tail) and (":" not in host or host.endswith("]")):
            address, port = host.strip("[]"), tail
    return Connect(
        number_of(port, "port") if port is not None else None,
        address,
        "send-proxy" in flags,
        "ssl" in flags,
        "linger" in flags,
        found.get("comment", ""),
    )


def parse_tcp_send(kind: str, words: Sequence[str]) -> Send:
    """``send <data>``, ``send-lf``, ``send-binary``, ``send-binary-lf``, each with a comment."""
    cursor = Words(words)
    word = cursor.take(kind)
    data: Value = word.encode()
    if kind == "send-binary":
        data = hex_of(word)
    elif kind == "send-lf":
        data = compile_format(word)
    elif kind == "send-binary-lf":
        data = hexed(compile_format(word))
    comment = cursor.take("comment") if cursor.peek() == "comment" and cursor.take("comment") else ""
    if cursor.more():
        raise CheckSyntax(f"expects 'comment' but got '{cursor.peek()}' as argument.")
    return Send(data, comment)


def parse_http_send(words: Sequence[str], base: SendHttp) -> SendHttp:
    """``send [meth <m>] [uri <u>|uri-lf <fmt>] [ver <v>] [hdr <n> <fmt>]* [body <s>|body-lf <fmt>]``.
    What is not named comes from ``base`` (the line of ``option httpchk``)."""
    cursor = Words(words)
    method, uri, version = base.method, base.uri, base.version
    headers, body, comment = list(base.headers), base.body, ""
    while cursor.more():
        word = cursor.take("send")
        if word == "meth":
            method = cursor.take(word).encode()
        elif word in ("uri", "uri-lf"):
            uri = _text(word, cursor)
        elif word == "ver":
            version = cursor.take(word).encode()
        elif word == "hdr":
            name = cursor.take(word)
            headers.append((name.encode(), compile_format(cursor.take(word))))
        elif word in ("body", "body-lf"):
            body = _text(word, cursor)
        elif word == "comment":
            comment = cursor.take(word)
        else:
            raise CheckSyntax(
                f"'send' expects 'comment', 'meth', 'uri', 'ver', 'hdr' or 'body' but got '{word}'."
            )
    return SendHttp(method, uri, version, tuple(headers), body, base.send_state, comment)


def _text(word: str, cursor: Words) -> Value:
    text = cursor.take(word)
    return compile_format(text) if word.endswith("-lf") else text.encode()


def httpchk_line(words: Sequence[str], send_state: bool = False) -> SendHttp:
    """``option httpchk [<method>] [<uri>] [<version>] [<host>]``; one word alone is the uri."""
    if len(words) == 1:
        return SendHttp(uri=words[0].encode(), send_state=send_state)
    method, uri, version, host = [*words, *("OPTIONS", "/", "HTTP/1.0", "")[len(words) :]][:4]
    # The old trick of escaped header lines behind the version is still found in the field.
    version, *lines = version.replace("\r", "").split("\n")
    headers: list[tuple[bytes, Value]] = []
    for line in (*lines, f"host: {host}" if host else ""):
        name, colon, value = line.partition(":")
        if colon:
            headers.append((name.strip().lower().encode(), value.strip().encode()))
    return SendHttp(method.encode(), uri.encode(), version.encode(), tuple(headers), b"", send_state)


def _commented(step: Step, comment: str) -> Step:
    return step if not comment or step.comment else replace(step, comment=comment)


def http_script(httpchk: Sequence[str], rules: Sequence[Sequence[str]]) -> Script:
    """The script of ``option httpchk <httpchk...>`` with the words of each ``http-check`` line."""
    kinds = {rule[0] for rule in rules if rule}
    base = httpchk_line(httpchk, "send-state" in kinds)
    steps: list[Step] = []
    comment = ""
    for rule in rules:
        step = _http_step(rule, steps, base)
        if step is not None:
            steps.append(_commented(step, comment))
        comment = rule[1] if rule[0] == "comment" and len(rule) > 1 else ""
    if not any(isinstance(step, SendHttp) for step in steps):
        steps.insert(next((n for n, s in enumerate(steps) if isinstance(s, Expect)), len(steps)), base)
    if not isinstance(steps[-1], Expect):
        steps.append(SUCCESS)
    return Script(tuple(steps), http=True, soft_404="disable-on-404" in kinds)


def _http_step(rule: Sequence[str], before: list[Step], base: SendHttp) -> Step | None:
    kind, words = rule[0], rule[1:]
    if kind == "connect":
        return parse_connect(words)
    if kind == "send":
        # Without a connect before it the rule amends the request of option httpchk.
        alone = any(isinstance(step, Connect) for step in before)
        return parse_http_send(words, SendHttp(send_state=base.send_state) if alone else base)
    if kind == "expect":
        return parse_expect(words, http=True)
    if is_act(kind):
        return compile_act(rule)
    if kind in ("comment", "disable-on-404", "send-state"):
        return None
    raise CheckSyntax(f"'http-check {kind}' is not executed by this version.")


def tcp_script(rules: Sequence[Sequence[str]]) -> Script:
    """The script of ``option tcp-check`` with the words of each ``tcp-check`` line."""
    steps: list[Step] = []
    comment = ""
    for rule in rules:
        step = _tcp_step(rule)
        if step is not None:
            steps.append(_commented(step, comment))
        comment = rule[1] if rule[0] == "comment" and len(rule) > 1 else ""
    return Script(tuple(steps) or (Connect(),), numbered=bool(rules))


def _tcp_step(rule: Sequence[str]) -> Step | None:
    kind, words = rule[0], rule[1:]
    if kind == "connect":
        return parse_connect(words)
    if kind in ("send", "send-lf", "send-binary", "send-binary-lf"):
        return parse_tcp_send(kind, words)
    if kind == "expect":
        return parse_expect(words, http=False)
    if is_act(kind):
        return compile_act(rule)
    if kind == "comment":
        return None
    raise CheckSyntax(f"'tcp-check {kind}' is not executed by this version.")
