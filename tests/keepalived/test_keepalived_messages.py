"""The sentences of keepalived -t, configuration by configuration: exactly these, each once."""

# ruff: noqa: E501 - a message stands on one line
from __future__ import annotations

import pytest
from kadtext import NAME, instance, read, said

from evener.keepalived.compile import compile_plan
from evener.keepalived.reading import Program, Surroundings
from evener.text.render_keepalived import render_all

MACHINE = Surroundings(
    interfaces=frozenset(["lo", "eth0", "eth1"]),
    program=lambda argv, user, secure: Program.FINE if argv[0] == "/ok" else Program.MISSING,
    user_exists=lambda user, group: user == "root",
)

NO_PEERS = "(A) A unicast keyword has been specified without any unicast peers. Defaulting to multicast. This usage is deprecated - please update your configuration."

INSTANCE = [
    ("priority 77", []),
    ("priority 100 200", []),
    (
        "priority 256",
        [
            "(Line 2) number '256' outside range [1, 255]",
            "(Line 2) (A) Priority not valid! must be between 1 & 255. Using default 100",
        ],
    ),
    (
        "priority abc",
        [
            "(Line 2) invalid number 'abc'",
            "(Line 2) (A) Priority not valid! must be between 1 & 255. Using default 100",
        ],
    ),
    (
        "priority 1_0",
        [
            "(Line 2) invalid number '1_0'",
            "(Line 2) (A) Priority not valid! must be between 1 & 255. Using default 100",
        ],
    ),
    (
        "priority",
        [
            "(Line 2) *** Configuration line starting `priority` is missing a parameter after keyword `priority` at word position 2"
        ],
    ),
    ("state FOO", ["(Line 2) (A) unknown state 'FOO', defaulting to BACKUP"]),
    ("bogus 1", ["(Line 2) Unknown keyword 'bogus'"]),
    (
        "version 4",
        ["(Line 2) number '4' outside range [2, 3]", "(Line 2) (A): Version must be either 2 or 3"],
    ),
    (
        "advert_int -1",
        [
            "(Line 2) negative number '-1'",
            "(Line 2) (A) Advert interval (-1) not valid! Must be > 0 - ignoring",
        ],
    ),
    (
        "advert_int 300",
        [
            "(Line 2) number '300' outside range [0.010000, 255.000000]",
            "(Line 2) (A) Advert interval (300) not valid! Must be > 0 - ignoring",
        ],
    ),
    ("advert_int 0.1", ["(A) VRRPv2 advertisement interval 0.100000s must be an integer. rounding"]),
    ("version 3\nadvert_int 0.1", []),
    (
        "version 3\nadvert_int 50",
        [
            "(A) VRRPv3 advertisement interval 50.00s is out of range. Must be less than 40.96s. Setting to 40.95s"
        ],
    ),
    (
        "version 3\nadvert_int 0.015",
        ["(A) VRRPv3 advertisement interval 0.015000s must be in units of 10ms - rounding"],
    ),
    ("authentication {\nauth_type FOO\n}", ["(Line 3) (A) unknown authentication type 'FOO'"]),
    (
        "authentication {\nauth_type PASS\nauth_pass 123456789\n}",
        ["(Line 4) Truncating auth_pass to 8 characters"],
    ),
    ("authentication {\nauth_type PASS\n}", ["(A) Authentication specified but no password given. Ignoring"]),
    (
        "version 3\nauthentication {\nauth_type PASS\nauth_pass x\n}",
        ["(A) VRRP version 3 does not support authentication. Ignoring."],
    ),
    (
        "strict_mode\nauthentication {\nauth_type PASS\nauth_pass x\n}",
        ["(A) Strict mode does not support authentication. Ignoring."],
    ),
    (
        "state MASTER\npriority 9\nnopreempt",
        ["(A) Warning - nopreempt will not work with initial state MASTER - clearing"],
    ),
    ("state MASTER\nnopreempt", ["(A) nopreempt is incompatible with priority 255. resetting nopreempt"]),
    (
        "virtual_ipaddress {\n10.0.0.300/24\n}",
        ["(Line 3) VRRP parsed invalid IP 10.0.0.300/24. skipping IP..."],
    ),
    (
        "virtual_ipaddress {\n10.0.0.1/33\n}",
        [
            "(Line 3) number '33' outside range [0, 32]",
            "(Line 3) Invalid address prefix len 33 for address 10.0.0.1/33 - using 32",
        ],
    ),
    (
        "virtual_ipaddress {\n10.0.0.1/24 10.0.0.2/24\n}",
        ["(Line 3) Unknown configuration entry '10.0.0.2/24' for ip address - ignoring"],
    ),
    (
        "virtual_ipaddress {\n10.0.0.1\n10.0.0.1\n}",
        ["(Line 4) (A): VIP duplicates a VIP 10.0.0.1 - ignoring"],
    ),
    (
        "virtual_ipaddress_excluded {\n10.0.0.1\n10.0.0.1\n10.1.0.1/24\n}",
        [
            "(Line 4) (A): Excluded VIP duplicates an excluded VIP 10.0.0.1 - ignoring",
            "(Line 10) (A): VIP duplicates an excluded VIP 10.1.0.1/24 - ignoring",
            "(A) No VIP specified; at least one is sensible",
        ],
    ),
    (
        "virtual_ipaddress {\n10.0.0.1\nfd00::1/64\n}",
        ["(Line 4) (A): address family must match VRRP instance [fd00::1/64] - ignoring"],
    ),
    (
        "virtual_ipaddress {\n10.0.0.1 dev eth9\n}",
        [
            "(Line 3) WARNING - interface eth9 for ip address 10.0.0.1 doesn't exist",
            "Non-existent interface specified in configuration",
        ],
    ),
    (
        "unicast_peer {\n10.0.0.999\n}",
        [
            "(Line 3) Configuration error: VRRP instance[A] malformed unicast peer address[10.0.0.999]. Skipping...",
            "(A) A unicast keyword has been specified without any unicast peers. Defaulting to multicast. This usage is deprecated - please update your configuration.",
        ],
    ),
    ("unicast_peer {\n10.0.0.2\n10.0.0.2\n}", ["(Line 4) (A) 10.0.0.2 - duplicate unicast_peer"]),
    (
        "unicast_src_ip x",
        [
            "(Line 2) Configuration error: VRRP instance[A] malformed src address[x]. Skipping...",
            NO_PEERS,
        ],
    ),
    ("track_script {\nnope\n}", ["(Line 3) (A) track script nope not found, ignoring..."]),
    ("track_file {\nnope\n}", ["(Line 3) (A) track file nope not found, ignoring..."]),
    (
        "track_interface {\neth7\n}",
        [
            "(Line 3) (A) tracked interface eth7 doesn't exist",
            "Non-existent interface specified in configuration",
        ],
    ),
    ("track_interface {\neth0\n}", ["(A) Ignoring track_interface eth0 since own interface"]),
    ("interface lo", ["(Line 2) (A) cannot use a loopback interface (lo) for vrrp - ignoring"]),
    (
        "use_vmac\nunicast_src_ip 10.0.0.1\nunicast_peer {\n10.0.0.2\n}",
        ["(Line 12) (A) unicast with use_vmac requires vmac_xmit_base - setting"],
    ),
    ("garp_master_repeat 0", ["(Line 2) (A): garp_master_repeat must be greater than 0, setting to 1"]),
    ("strict_mode maybe", ["(Line 2) (A) invalid strict_mode maybe specified"]),
    (
        "virtual_rules {\nfrom foo\n}",
        ["(Line 3) VRRP parsed invalid IP foo. skipping IP...", "(Line 3) Invalid rule from address foo"],
    ),
]


@pytest.mark.parametrize(("body", "expected"), INSTANCE)
def test_inside_an_instance(body: str, expected: list[str]) -> None:
    assert said(instance(body), surroundings=MACHINE) == expected


WHOLE = [
    ("", []),
    ("foo", ["(Line 1) Unknown keyword 'foo'"]),
    (
        "foo {\nbar\n}",
        [
            "(Line 1) Unknown keyword 'foo'",
            "(Line 1) Unexpected '{' - ignoring",
            "(Line 2) Unknown keyword 'bar'",
            "(Line 3) Unknown keyword '}'",
        ],
    ),
    ("global_defs {\n}\n}", ["(Line 3) Extra '}' found", "(Line 3) Unknown keyword '}'"]),
    (
        "global_defs {\nrouter_id x",
        ["There are 1 missing '}'s or extra '{'s\n  the block opened in line 1 is not closed"],
    ),
    (
        "global_defs\nrouter_id x\n}",
        [
            "(Line 2) Missing '{' at beginning of configuration block",
            "(Line 2) Unknown keyword 'router_id'",
            "(Line 3) Extra '}' found",
            "(Line 3) Unknown keyword '}'",
        ],
    ),
    ("global_defs {\nrouter_id\n}", ["(Line 2) routerid name missing - ignoring"]),
    (
        "global_defs {\nvrrp_strict maybe\n}",
        ["(Line 2) Invalid value 'maybe' for global vrrp_strict specified"],
    ),
    ("global_defs {\nscript_user nobodyknows\n}", ["(Line 2) Error setting global script uid/gid"]),
    (
        "global_defs {\ninclude_check readable\n}",
        ["(Line 2) Unknown include_check type 'readable' - ignoring"],
    ),
    (
        "global_defs {\nchecker_rt_priority 130\n}",
        ["(Line 2) checker process real-time priority 130 greater than maximum 99 - setting to maximum"],
    ),
    (instance("", "A") + instance("", "A"), ["(Line 9) vrrp instance A already defined"]),
    (instance("", "A") + "vrrp_instance A {\nbogus\n}\n", ["(Line 9) vrrp instance A already defined"]),
    (
        "bfd_instance B {\nneighbor_ip 10.0.0.3\n}\n" * 2,
        [
            "(Line 4) BFD B already specified",
            "(Line 4) Configuration error: BFD instance B already configured - ignoring",
        ],
    ),
    ("track_file T {\nfile /ok\n}\n" * 2 + instance(""), []),
    (
        "vrrp_track_process T {\nprocess a\n}\nvrrp_track_process T {\nprocess b\nbogus\n}\n",
        ["(Line 6) Unknown keyword 'bogus'"],
    ),
    (instance("", "A") + instance("", "B"), ["A and B both use VRID 9 with IPv4 on interface eth0"]),
    ("vrrp_instance A {\ninterface eth0\n}", ["(A) the virtual router id must be set"]),
    ("vrrp_instance A {\nvirtual_router_id 9\n}", ["(A) Unknown interface!"]),
    (
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 9\n}",
        ["(A) No VIP specified; at least one is sensible"],
    ),
    (
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 9\nversion 3\n}",
        ["(A) No VIP specified; at least one is required"],
    ),
    ("vrrp_instance A {\ninterface eth0\nvirtual_router_id 9\nno_virtual_ipaddress\n}", []),
    (
        "vrrp_instance A {\ninterface eth9\nvirtual_router_id 9\nno_virtual_ipaddress\n}",
        [
            "(Line 2) WARNING - interface eth9 for vrrp_instance A doesn't exist",
            "Non-existent interface specified in configuration",
        ],
    ),
    (
        "global_defs {\ndynamic_interfaces\n}\nvrrp_instance A {\ninterface eth9\nvirtual_router_id 9\nno_virtual_ipaddress\n}",
        [],
    ),
    ("vrrp_script c {\n}", ["(Line 2) No script set for vrrp_script c - removing"]),
    (
        "vrrp_script c {\nscript /ok\n}\n" + instance(""),
        ["SECURITY VIOLATION - scripts are being executed but script_security not enabled."],
    ),
    ("vrrp_script c {\nscript /ok\n}", []),  # without instances nobody looks
    ("global_defs {\nenable_script_security\nscript_user root\n}\nvrrp_script c {\nscript /ok\n}\n", []),
    (
        "global_defs {\nenable_script_security\n}\nvrrp_script c {\nscript /ok\n}\n",
        [
            "(Line 6) Unable to set default user for vrrp script c - removing",
            "(Line 6) Unable to set default user keepalived_script for script",
        ],
    ),
    (
        "vrrp_script c {\nscript /no\n}\n" + instance(""),
        ["Disabling track script c since not found/accessible"],
    ),
    (
        "vrrp_sync_group G {\ngroup {\nA\n}\n}",
        [
            "Virtual router A specified in sync group G doesn't exist - ignoring",
            "Sync group G, no matching virtual router found in group declaration - removing",
        ],
    ),
    (
        "vrrp_sync_group G {\ngroup {\nA\n}\n}\n" + instance(""),
        ["Sync group G has only 1 virtual router(s) - this probably isn't what you want"],
    ),
    ("vrrp_sync_group G {\n}", ["(Line 2) Sync group G has no members - removing"]),
    (
        "bfd_instance B {\n}",
        ["(Line 2) Configuration error: BFD instance B has no neighbor address set, disabling instance"],
    ),
    (
        "virtual_server 10.0.0.500 80 {\nprotocol TCP\n}",
        ["(Line 1) Invalid virtual server IP address/port 10.0.0.500/80 - skipping"],
    ),
    ("virtual_server_group G {\n}", ["(Line 2) virtual server group G has no entries - removing"]),
    (
        "virtual_server 10.0.0.5 80 {\nprotocol TCP\nlb_algo foo\nlb_kind nat\nreal_server 10.0.0.7 80 {\n}\n}",
        [
            "(Line 3) Invalid lvs_scheduler 'foo' - ignoring",
            "(Line 4) PARSER : unknown [nat] routing method for virtual server.",
            "Virtual server [10.0.0.5]:tcp:80: no scheduler set, setting default 'wlc'",
            "Virtual server [10.0.0.5]:tcp:80: no forwarding method set, setting default NAT",
        ],
    ),
]


@pytest.mark.parametrize(("text", "expected"), WHOLE)
def test_whole_configurations(text: str, expected: list[str]) -> None:
    assert said(text, surroundings=MACHINE) == expected


def test_an_unexpected_brace_ends_the_block_around_it() -> None:
    assert said(instance("priority ${P}")) == [
        "(Line 2) invalid number '$'",
        "(Line 2) (A) Priority not valid! must be between 1 & 255. Using default 100",
        "(Line 2) Unexpected '{' - ignoring",
        "(Line 2) Unknown keyword 'P'",
        "(Line 3) Unknown keyword 'interface'",
        "(Line 4) Unknown keyword 'virtual_router_id'",
        "(Line 5) Unknown keyword 'virtual_ipaddress'",
        "(Line 5) Unexpected '{' - ignoring",
        "(Line 6) Unknown keyword '10.1.0.1/24'",
        "(Line 7) Unknown keyword '}'",
        "(Line 8) Unknown keyword '}'",
        "(A) the virtual router id must be set",
    ]


def test_nothing_is_said_of_what_stands_behind_a_missing_word() -> None:
    configuration, found = read("vrrp_instance A {\nbogus\npriority\nbogus2\n}\nbogus3\n")
    assert configuration is None
    assert [d.code for d in found] == ["unknown-keyword", "missing-parameter", "unknown-keyword"]
    assert [d.span.line for d in found if d.span] == [2, 3, 6]  # other processes read on


def test_the_parent_names_no_file_when_there_is_one() -> None:
    _, found = read("global_defs {\nfoo\nvrrp_version 4\n}\nvrrp_instance A {\nbogus\n}\n")
    lines = render_all(found)
    assert "(Line 3) VRRP Error: Version must be either 2 or 3" in lines
    assert f"({NAME}: Line 6) Unknown keyword 'bogus'" in lines


def test_spans_are_as_narrow_as_the_word() -> None:
    _, found = read("vrrp_instance A {\n  priority abc # c\n}\n")
    span = next(d for d in found if d.code == "bad-number").span
    assert span is not None
    assert (span.line, span.start, span.end) == (2, 11, 14)
    assert span.source.line(2)[span.start : span.end] == "abc"


def test_bytes_that_are_no_text() -> None:
    assert said(b"\xff\n") == ["(Line 1) Unknown keyword '\\xff'"]


def test_ports_that_do_not_count_are_reset_and_what_is_the_same_then_is_one() -> None:
    text = (
        "virtual_server 10.0.0.5 80 {\nprotocol TCP\nlvs_sched rr\nlvs_method DR\n"
        "real_server 10.0.0.7 80 {\nweight 1\n}\nreal_server 10.0.0.7 81 {\nweight 1\n}\n}\n"
    )
    assert said(text) == [
        "WARNING - virtual server [10.0.0.5]:tcp:80 and real server [10.0.0.7]:tcp:81 ports don't match - resetting",
    ]
    configuration, _ = read(text)
    assert configuration is not None
    assert [real.name[1] for real in configuration.virtual_server[0].real_server] == [80]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("preempt_delay 3", "preempt_delay is incompatible with strict mode - resetting"),
        ("down_timer_adverts 4", "down_timer_adverts is incompatible with strict mode - resetting"),
        ("garp_lower_prio_repeat 2", "Strict mode requires no repeat garps. resetting"),
        ("garp_lower_prio_delay 2", "Strict mode requires no repeat garp delay. resetting"),
        ("lower_prio_no_advert off", "Strict mode requires no lower priority advert. resetting"),
        (
            "higher_prio_send_advert",
            "strict mode requires higher_prio_send_advert to be clear. resetting",
        ),
        ("use_vmac\nvmac_xmit_base", "xmit_base is incompatible with strict mode - resetting"),
        ("unicast_peer {\n10.1.0.2\n}", "Unicast peers are not supported in strict mode"),
        ("owner_ignore_adverts", "ignoring owner_ignore_adverts since priority is not 255"),
    ],
)
def test_strict_mode_resets_what_the_rfcs_do_not_know(body: str, message: str) -> None:
    assert f"(A) {message}" in said(instance(f"strict_mode\nversion 3\n{body}"))


def test_defaults_of_strict_mode() -> None:
    configuration, _ = read(instance("strict_mode\nversion 3"))
    assert configuration is not None
    made = compile_plan(configuration).instances[0]
    assert made.lower_prio_no_advert and not made.higher_prio_send_advert and not made.accept
    assert (made.garp.lower_prio_repeat, made.garp.lower_prio_delay_us) == (0, 0)


def test_a_block_without_its_brace_is_read_by_its_owner_and_passed_over_by_the_others() -> None:
    text = (
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 9\nauthentication\nauth_type PASS\nauth_pass x\n}\n"
        "virtual_ipaddress {\n10.1.0.1/24\n}\n}\n"
    )
    assert said(text) == [
        "(Line 5) Missing '{' at beginning of configuration block",
        "(Line 8) Unknown keyword 'virtual_ipaddress'",
        "(Line 8) Unexpected '{' - ignoring",
        "(Line 9) Unknown keyword '10.1.0.1/24'",
        "(Line 10) Unknown keyword '}'",
        "(Line 11) Extra '}' found",
        "(Line 11) Unknown keyword '}'",
    ]


def test_where_the_parent_ends_nobody_else_says_anything() -> None:
    text = "includea nope\nglobal_defs {\nbar\n}\nfoo\n" + instance("bogus")
    assert said(text) == [
        "(Line 1) Config files missing 'nope'.",
        "(Line 3) Unknown keyword 'bar'",
        "(Line 5) Unknown keyword 'foo'",
    ]


def test_a_missing_interface_ends_what_is_said_of_instances() -> None:
    text = "vrrp_instance A {\ninterface eth9\nvirtual_router_id 9\n}\n"
    assert said(text, surroundings=Surroundings(interfaces=frozenset(["lo"]))) == [
        "(Line 2) WARNING - interface eth9 for vrrp_instance A doesn't exist",
        "Non-existent interface specified in configuration",
    ]


def test_the_lines_of_a_block_whose_name_is_wrong_are_passed_over() -> None:
    text = "virtual_server 10.0.0.5 80 {\nprotocol TCP\nlvs_sched rr\nlvs_method NAT\nreal_server x 80 {\nbogus\n}\n"
    assert said(text + "real_server 10.0.0.7 80 {\n}\nsorry_server 10.0.0.8 80\nhysteresis 2\n}\n") == [
        "(Line 5) Invalid real server ip address/port x/80 - skipping",
        "Virtual server [10.0.0.5]:tcp:80: hysteresis 2 >= quorum 1; setting hysteresis to 0",
    ]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("vrrp_mcast_group4 10.0.0.1", ["vrrp_mcast_group4 [10.0.0.1] is not multicast. Skipping"]),
        ("vrrp_mcast_group6 224.0.0.5", ["vrrp_mcast_group6 [224.0.0.5] is not IPv6. Skipping"]),
        ("vrrp_mcast_group4 224.0.0.20", []),
        ("include_check read match", ["Duplicate include_check 'match' specified - ignoring"]),
        ("include_check match +read", []),
        ("include_check +foo", ["Unknown include_check type 'foo' - ignoring"]),
    ],
)
def test_groups_and_checks_of_includes(lines: str, found: list[str]) -> None:
    assert said(f"global_defs {{\n{lines}\n}}\n") == [f"(Line 2) {message}" for message in found]


def test_a_track_group_without_members() -> None:
    assert said("track_group a { }\n") == ["(Line 1) Static track group a has no members - removing"]


def test_files_are_tracked_by_the_process_that_ends_as_well() -> None:
    """What it has said before it ends is said."""
    configuration = (
        "track_file f { file /nowhere/f }\nvirtual_server 10.0.0.5 80 {\nprotocol TCP\ndelay_loop\n}\n"
    )
    _, found = read(configuration, surroundings=Surroundings(directory_exists=lambda path: False))
    assert [diagnostic.code for diagnostic in found] == ["no-directory", "missing-parameter"]
