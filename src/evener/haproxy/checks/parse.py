"""Reading the words of ``option httpchk``, ``http-check`` and ``tcp-check`` into scripts.

The words are those after the keyword, already unquoted. A word that cannot be used raises
``CheckSyntax``. What expressions need of the rest of the configuration is in ``env``; without one the words
are only looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evener.haproxy.addresses import Allow, BadAddress, parse_address
from evener.haproxy.checks.expectation import parse_expect
from evener.haproxy.checks.lively import compile_act, compile_format, compile_number, is_act
from evener.haproxy.checks.steps import (
    SUCCESS,
    Connect,
    Expect,
    Number,
    Remark,
    Script,
    Send,
    SendHttp,
    Step,
    Value,
    hexed,
)
from evener.haproxy.checks.words import NUMBER, CheckSyntax, NotExecuted, Words, hex_of
from evener.haproxy.line import word_bytes
from evener.haproxy.scope import CompileEnv

_FLAGS = ("default", "send-proxy", "via-socks4", "linger")
_TLS = ("ssl", "sni", "alpn")
_PROTOCOLS = {"none": False, "h1": True, "h2": True, "fcgi": True, "spop": False}
"""Whether a protocol is for HTTP."""
_ADDRESS = Allow.NO_PORT | Allow.STREAM | Allow.PORT_ZERO
_CONNECT = (
    "expects 'comment', 'port', 'addr', 'send-proxy', 'ssl', 'sni', 'alpn' or 'via-socks4', 'linger', "
    "'default' but got '{}' as argument."
)
_SEND = (
    "expects 'comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body' or 'body-lf' but got '{}' as argument."
)
_ARGUMENT = "'{}' expects a string as argument."


def parse_connect(words: Sequence[str], http: bool = False, env: CompileEnv | None = None) -> Connect:
    """``connect [default] [port <expr>] [addr <ip[:port]>] [send-proxy] [via-socks4] [linger]
    [proto <name>] [comment <msg>]``. What TLS needs is read and refused as not executed."""
    cursor = Words(words, env)
    made = Connect()
    missing = ""
    while cursor.more():
        word = cursor.next()
        if word == "port":
            made = replace(made, port=_port(cursor))
        elif word == "addr":
            made = _addressed(made, cursor.take(word, "'{}' expects <ipv4|ipv6> as argument."))
        elif word == "comment":
            made = replace(made, comment=cursor.take(word, _ARGUMENT))
        elif word == "proto":
            missing = (
                _protocol(cursor.take(word, "'{}' expects a MUX protocol as argument."), http) or missing
            )
        elif word in _TLS:
            if word != "ssl":
                cursor.take(word, _ARGUMENT)
            missing = word
        elif word in _FLAGS:
            made = replace(made, **{_FIELDS.get(word, word): True})  # type: ignore[arg-type]
        else:
            raise CheckSyntax(_CONNECT.replace("{}", word))
    if missing:
        raise NotExecuted(f"connect {missing}")
    return made


_FIELDS = {"send-proxy": "send_proxy", "via-socks4": "socks4"}


def _port(cursor: Words) -> int | Number:
    text = cursor.take("port", "'{}' expects a port number or a sample expression as argument.")
    if not NUMBER.match(text):
        return compile_number(text, "port", cursor.env)
    if not 0 < int(text) < 65536:
        raise CheckSyntax(
            f"expects a valid TCP port (from range 1 to 65535) or a sample expression, got {text}."
        )
    return int(text)


def _addressed(made: Connect, text: str) -> Connect:
    try:
        address = parse_address(text, _ADDRESS)
    except BadAddress as error:
        raise CheckSyntax(f"'addr' : {error}.") from None
    port = made.port if made.port is not None else address.port or None
    return replace(made, address=address.host, port=port)


def _protocol(name: str, http: bool) -> str:
    """What of it is not executed."""
    if name not in _PROTOCOLS:
        raise CheckSyntax(f"'proto' : unknown MUX protocol '{name}'.")
    if _PROTOCOLS[name] is not http:
        kind = "http-check" if http else "tcp-check"
        raise CheckSyntax(f"'proto' : invalid MUX protocol '{name}' for {kind}")
    return "" if name in ("none", "h1") else f"proto {name}"


def parse_tcp_send(kind: str, words: Sequence[str], env: CompileEnv | None = None) -> Send:
    """``send <data>``, ``send-lf``, ``send-binary``, ``send-binary-lf``, each with a comment."""
    cursor = Words(words, env)
    # The original names what is missing where it means what wants it.
    wanted = f"'{'binary string' if 'binary' in kind else 'string'}' expects a {kind} as argument"
    word = cursor.take(kind, wanted)
    data: Value = word_bytes(word)
    comment = ""
    while cursor.more():
        if cursor.next() != "comment":
            raise CheckSyntax(f"expects 'comment' but got '{cursor.words[cursor.at - 1]}' as argument.")
        comment = cursor.take("comment", _ARGUMENT)
    if kind == "send-binary":
        try:
            data = hex_of(word)
        except CheckSyntax as error:
            raise CheckSyntax(f"'{word}' invalid binary string ({error}).\n") from None
    elif kind == "send-lf":
        data = compile_format(word, env)
    elif kind == "send-binary-lf":
        data = hexed(compile_format(word, env))
    return Send(data, comment)


def parse_http_send(words: Sequence[str], base: SendHttp, env: CompileEnv | None = None) -> SendHttp:
    """``send [meth <m>] [uri <u>|uri-lf <fmt>] [ver <v>] [hdr <n> <fmt>]* [body <s>|body-lf <fmt>]``.
    What is not named comes from ``base`` (the line of ``option httpchk``)."""
    cursor = Words(words, env)
    made = base
    headers: list[tuple[bytes, Value]] = []
    while cursor.more():
        word = cursor.next()
        if word in ("meth", "ver", "comment"):
            text = cursor.take(word, _ARGUMENT)
            field = {"meth": "method", "ver": "version"}.get(word, word)
            made = replace(made, **{field: text if word == "comment" else word_bytes(text)})  # type: ignore[arg-type]
        elif word in ("uri", "uri-lf"):
            made = replace(made, uri=_text(word, cursor))
        elif word == "hdr":
            headers.append(_header(cursor, headers))
        elif word in ("body", "body-lf"):
            made = replace(made, body=_text(word, cursor))
        else:
            raise CheckSyntax(_SEND.replace("{}", word))
    return replace(made, headers=(*made.headers, *headers))


def _header(cursor: Words, before: Sequence[tuple[bytes, Value]]) -> tuple[bytes, Value]:
    wanted = "'{}' expects <name> and <value> as arguments"
    name = cursor.take("hdr", wanted)
    text = cursor.take("hdr", wanted)
    if name.lower() == "host" and any(known.lower() == b"host" for known, _ in before):
        raise CheckSyntax(f"'{name}' header already defined (previous value is '{text}')")
    return word_bytes(name), compile_format(text, cursor.env)


def _text(word: str, cursor: Words) -> Value:
    text = cursor.take(word, _ARGUMENT)
    return compile_format(text, cursor.env) if word.endswith("-lf") else word_bytes(text)


def httpchk_line(words: Sequence[str], send_state: bool = False, env: CompileEnv | None = None) -> SendHttp:
    """``option httpchk [<method>] [<uri>] [<version>] [<host>]``; one word alone is the uri. The host may be
    a log format."""
    if len(words) == 1:
        return SendHttp(uri=word_bytes(words[0]), send_state=send_state)
    method, uri, version, host = [*words, *("OPTIONS", "/", "HTTP/1.0", "")[len(words) :]][:4]
    headers: tuple[tuple[bytes, Value], ...] = ((b"host", compile_format(host, env)),) if host else ()
    return SendHttp(method.encode(), uri.encode(), version.encode(), headers, b"", send_state)


def _commented(step: Step, comment: str) -> Step:
    return step if not comment or step.comment else replace(step, comment=comment)


def http_script(
    httpchk: Sequence[str], rules: Sequence[Sequence[str]], env: CompileEnv | None = None
) -> Script:
    """The script of ``option httpchk <httpchk...>`` with the words of each ``http-check`` line."""
    kinds = {rule[0] for rule in rules if rule}
    base = httpchk_line(httpchk, "send-state" in kinds, env)
    steps: list[Step] = []
    comment = ""
    for rule in rules:
        step = _http_step(rule, steps, base, env)
        if step is not None:
            steps.append(_commented(step, comment))
        comment = rule[1] if rule[0] == "comment" else ""
    if not any(isinstance(step, SendHttp) for step in steps):
        steps.insert(next((n for n, s in enumerate(steps) if isinstance(s, Expect)), len(steps)), base)
    if not isinstance(next(step for step in reversed(steps) if not isinstance(step, Remark)), Expect):
        steps.append(SUCCESS)
    return Script(tuple(steps), http=True, soft_404="disable-on-404" in kinds)


def _http_step(
    rule: Sequence[str], before: list[Step], base: SendHttp, env: CompileEnv | None
) -> Step | None:
    if rule[0] != "send":
        return read_step(rule, http=True, env=env)
    # Without a connect before it the rule amends the request of option httpchk.
    alone = any(isinstance(step, Connect) for step in before)
    return parse_http_send(rule[1:], SendHttp(send_state=base.send_state) if alone else base, env)


def read_step(rule: Sequence[str], http: bool, env: CompileEnv | None = None) -> Step | None:
    """The step that the words of a rule stand for; None for those that only set something."""
    kind, words = rule[0], rule[1:]
    if kind == "connect":
        return parse_connect(words, http, env)
    if kind == "expect":
        return parse_expect(words, http, env)
    if kind == "send" and http:
        return parse_http_send(words, SendHttp(), env)
    if is_act(kind):
        return compile_act(rule, env)
    if kind == "comment":
        if not words:
            raise CheckSyntax("expects a string as argument")
        return Remark(words[0])
    if kind in ("disable-on-404", "send-state"):
        return None
    return parse_tcp_send(kind, words, env)


def tcp_script(rules: Sequence[Sequence[str]], env: CompileEnv | None = None) -> Script:
    """The script of ``option tcp-check`` with the words of each ``tcp-check`` line."""
    steps: list[Step] = []
    comment = ""
    for rule in rules:
        step = read_step(rule, http=False, env=env)
        if step is not None:
            steps.append(_commented(step, comment))
        comment = rule[1] if rule[0] == "comment" else ""
    return Script(tuple(steps), numbered=True)


def misplaced(rules: Sequence[Sequence[str]], http: bool) -> tuple[int, str] | None:
    """The first rule that cannot stand where it does, and why: a ``connect`` is the first of its kind or
    there is none; an exchange over HTTP is a connect, a send, and expectations."""
    seen: list[str] = []
    connected = False
    number = 0
    for index, rule in enumerate(rules):
        if rule[0] in ("send-state", "disable-on-404"):
            continue
        number += 1
        kind = "send" if rule[0].startswith("send") else rule[0]
        if kind not in ("connect", "send", "expect"):
            continue
        if kind == "connect" and seen and not connected:
            return index, (
                "first step MUST also be a 'connect', optionally preceded by a 'set-var', an 'unset-var' or "
                "a 'comment', when there is a 'connect' step in the tcp-check ruleset"
            )
        last = seen[-1] if seen else ""
        missing = ""
        if http and last:
            if kind == "send" and last != "connect":
                missing = "connect"
            elif kind == "expect" and last not in ("send", "expect"):
                missing = "send"
            elif kind == "connect" and last != "expect":
                missing = "expect"
        if missing:
            step = f"at step {number} (missing {missing} rule)."
            return index, f"unable to add http-check {kind} rule {step}"
        connected = connected or kind == "connect"
        seen.append(kind)
    return None
