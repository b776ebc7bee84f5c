"""What Lua files declare, read off them."""

from __future__ import annotations

import pytest

from evener.haproxy import scripts
from evener.haproxy.scripts import Declared, Scripts, declarations, library, syntax_error

PLAIN = """
-- core.register_fetches("commented", f)
--[==[ core.register_action("c2", {"http-req"}, f) ]] ]==]
local s, t = "core.register_fetches('instring', f)", [[ core.register_service("long", "http", f) ]]
core.register_fetches("host", function(txn) return "x" end)
core.register_converters('upper', function(text) return text:upper() end)
core.register_action("two", { "http-req", 'http-res' }, act, 2)
core.register_action('none', {"tcp-req"}, function(txn) local a, b = f(1, 2) end)
core.register_action("some", {"http-req"}, act, COUNT)
core.register_service("page", "http", function(applet) end)
core.register_filter("tap", Tap, function(filter, args) return filter end)
core.register_init(function() core.Info("x") end)
"""


@pytest.fixture
def loaded() -> Scripts:
    made = Scripts()
    made.learn(PLAIN)
    return made


def test_names_of_a_plain_file(loaded: Scripts) -> None:
    assert loaded.complete
    assert {(kind, name) for kind, name in loaded.known} == {
        ("fetch", "host"),
        ("converter", "upper"),
        ("action", "two"),
        ("action", "none"),
        ("action", "some"),
        ("service", "page"),
        ("filter", "tap"),
    }


def test_what_is_known_of_actions_and_services(loaded: Scripts) -> None:
    assert loaded.find("action", "lua.two") == Declared(("http-request", "http-response"), 2)
    assert loaded.find("action", "lua.none") == Declared(("tcp-request content",), 0)
    assert loaded.find("action", "lua.some") == Declared(("http-request",), None)
    assert loaded.find("service", "lua.page") == Declared(("http",))
    assert loaded.find("fetch", "lua.two") is None
    assert loaded.actions("http-request") == ["lua.two", "lua.some"]


@pytest.mark.parametrize(
    "text",
    [
        'local helpers = require("helpers")',
        "core.register_fetches(name, f)",
        'core.register_fetches("a" .. i, f)',
        'local r = core.register_fetches r("a", f)',
        'core["register_" .. kind]("a", f)',
        'for _, n in ipairs(NAMES) do core.register_action(n, {"http-req"}, f) end',
        'dofile("other.lua")',
    ],
)
def test_names_that_cannot_be_known(text: str) -> None:
    made = Scripts()
    made.learn(text)
    assert not made.complete
    assert made.find("fetch", "lua.anything") == Declared()


@pytest.mark.parametrize("text", ['core.register_action("a', "core.register_fetches(", "[[", "--[[", "\0("])
def test_broken_text_is_survived(text: str) -> None:
    declarations(text)


def test_a_long_text_that_nobody_checked_may_declare_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "library", lambda: None)
    made = Scripts()
    made.learn("[[" * 1_000_000)
    assert not made.complete


def test_nothing_is_known_of_what_no_file_declares() -> None:
    assert Scripts().find("fetch", "lua.x") is None
    assert Scripts(complete=False).find("fetch", "lua.x") == Declared()


@pytest.mark.skipif(library() is None, reason="no Lua library on this machine")
def test_a_file_that_is_no_program() -> None:
    assert syntax_error("a.lua", PLAIN.encode()) == ""
    assert syntax_error("a.lua", b"#!/usr/bin/lua\nlocal x = 1\n") == ""
    assert syntax_error("a.lua", b"local x\nx = = 1\n") == "a.lua:2: unexpected symbol near '='"
    assert "binary chunk" in syntax_error("a.lua", b"\x1bLua\x54\0")
