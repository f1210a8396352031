"""Digest values against the examples of the RFCs."""

import pytest

from edge_agent.sip.message import BadMessage, ha1, parse_credentials, response_value

NONCE = b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def test_the_example_of_rfc_2617() -> None:
    secret = ha1("MD5", "Mufasa", "testrealm@host.com", "Circle Of Life").encode()
    assert secret == b"939e7578ed9e3c518a452acee763bce9"
    nonce = b"dcd98b7102dd2f0e8b11d0f600bfb0c093"
    proof = response_value(b"MD5", secret, b"GET", b"/dir/index.html", nonce, b"00000001", b"0a4f113b", b"auth")
    assert proof == b"6629fae49393a05397450978507c4ef1"


@pytest.mark.parametrize(
    ("algorithm", "wanted"),
    [
        ("MD5", b"8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", b"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm: str, wanted: bytes) -> None:
    secret = ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life").encode()
    name = algorithm.encode()
    assert response_value(name, secret, b"GET", b"/dir/index.html", NONCE, b"00000001", CNONCE, b"auth") == wanted


def test_a_response_without_qop_is_computed_as_in_rfc_2069() -> None:
    secret = ha1("MD5", "Mufasa", "testrealm@host.com", "CircleOfLife").encode()
    nonce = b"dcd98b7102dd2f0e8b11d0f600bfb0c093"
    # RFC 2069's own example carries a misprint; this is the value of its published erratum.
    assert response_value(b"MD5", secret, b"GET", b"/dir/index.html", nonce) == b"1949323746fe6a43ef61f9606e7febea"


def test_parameters_are_read_with_quotes_escapes_and_odd_spaces() -> None:
    value = b'DIGEST username = "a\\"b" ,realm="x, y",  NC=00000001,uri="sip:a;b=c"'
    assert parse_credentials(value) == {
        b"username": b'a"b',
        b"realm": b"x, y",
        b"nc": b"00000001",
        b"uri": b"sip:a;b=c",
    }


@pytest.mark.parametrize(
    "value", [b"Basic abc", b"Digest a", b'Digest a="b', b"Digest a=1, a=2", b'Digest a="1" b="2"']
)
def test_what_is_no_digest_is_refused(value: bytes) -> None:
    with pytest.raises(BadMessage):
        parse_credentials(value)
