"""What once went wrong in HAProxy's samples on bytes of others, one test for each number."""

import socket

import pytest
from samples import REQUEST, txn, value


@pytest.mark.parametrize("occurrence", [-1, -2, -10, -2147483648, 10, 2147483647])
def test_cve_2013_2175_occurrences_that_are_not_there(occurrence: int) -> None:
    """``hdr_ip(x,-1)`` is what many rules ask; fields may be missing or empty."""
    for lines in ("", "X-F:\n", "X-F: 10.0.0.1\n", "X-F: ,,\n", "X-F: 10.0.0.1,10.0.0.2\nX-F: 10.0.0.3\n"):
        on = txn(REQUEST.replace("Cookie:", lines + "Cookie:"))
        found = value(f"req.hdr_ip(x-f,{occurrence})", on)
        listed = [
            part for part in lines.replace("X-F:", "").replace("\n", ",").replace(" ", "").split(",") if part
        ]
        if occurrence in (-1, -2) and len(listed) >= -occurrence:
            assert found == socket.inet_aton(listed[occurrence])
        else:
            assert found is None


def test_cve_2025_11230_a_number_with_a_long_exponent() -> None:
    for number in ("1e1000000000", "1e-1000000000", "1" * 5000, "-" + "9" * 400 + "e99999"):
        on = txn('POST / HTTP/1.1\nHost: a\n\n{"x":' + number + "}")
        value("req.body,json_query('$.x')", on)
        value("req.body,json_query('$.x','int')", on)


def test_cve_2025_32464_a_replacement_longer_than_its_match() -> None:
    """Every match grows; what does not fit in a buffer is cut or gives nothing."""
    replacement = r"\0" * 50
    on = txn("GET / HTTP/1.1\nHost: a\nX: " + "a" * 4000 + "\n\n")
    found = value(f"req.hdr(x),regsub(a,'{replacement}',g)", on)
    assert found is None or len(found) <= 200_000
    assert value(r"req.hdr(host),regsub(a,'\0\0\0',g)", on) == b"aaa"


@pytest.mark.parametrize("text", ["hdr_val(x-n)", "url_port", "url_ip", "urlp_val(i)", "cook_val(c)"])
def test_digits_without_end_are_a_number(text: str) -> None:
    """Python reads none of more than 4300 digits; here it has 32 bits, and a port 16."""
    digits = "9" * 15_000
    for target in (f"http://1.2.3.4:{digits}/", f"http://{digits}.2.3.4/", f"/?i={digits}"):
        on = txn(f"GET {target} HTTP/1.1\nhost: a\nx-n: {digits}\ncookie: c={digits}\n\n")
        assert value(text, on) in (None, -1, 0xFFFF, b"\1\2\3\4")
