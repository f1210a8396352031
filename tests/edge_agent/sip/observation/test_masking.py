"""What people are shown of messages lets nobody act as somebody else or listen in."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sip.observation.masking import masked
from tests.support.sip_traces import SDP, request

DIGEST = (
    'Digest username="auth200", realm="r", nonce="n", uri="sip:demo", response="0123456789abcdef", '
    'qop=auth, nc=00000001, cnonce="c"'
)


def test_the_response_of_digest_credentials_is_masked_and_the_rest_stays() -> None:
    for name in ("Authorization", "Proxy-Authorization", "proxy-authorization"):
        shown = masked(request("REGISTER", headers=f"{name}: {DIGEST}\r\n"))
        assert b"0123456789abcdef" not in shown
        assert b'response="xxxxxxxxxxxxxxxx", qop=auth' in shown
        assert b'username="auth200"' in shown


def test_credentials_that_are_folded_or_of_another_scheme_are_masked() -> None:
    folded = DIGEST.replace(", ", ",\r\n ")
    assert b"0123456789abcdef" not in masked(request("REGISTER", headers=f"Authorization: {folded}\r\n"))
    basic = masked(request("REGISTER", headers="Authorization: Basic c2VjcmV0OnBhc3M=\r\n"))
    assert b"Authorization: Basic xxxxxxxxxxxxxxxx\r\n" in basic


def test_media_keys_are_masked() -> None:
    lines = (
        b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0a2V5|2^20|1:4\r\n"
        b"k=base64:c2VjcmV0a2V5\r\na=key-mgmt:mikey c2VjcmV0a2V5\r\na=ice-pwd:c2VjcmV0a2V5\r\n"
    )
    shown = masked(request("INVITE", headers="Content-Type: application/sdp\r\n", body=SDP + lines))
    assert b"c2VjcmV0a2V5" not in shown
    assert SDP in shown
    assert b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:xxx" in shown
    mixed = request("INVITE", headers='Content-Type: multipart/mixed;boundary="x"\r\n', body=b"--x\r\n\r\n" + lines)
    assert b"c2VjcmV0a2V5" not in masked(mixed)


def test_what_people_write_and_press_is_masked() -> None:
    text = request("MESSAGE", headers="Content-Type: text/plain\r\n", body=b"my PIN is 4711")
    assert b"4711" not in masked(text)
    digits = request("INFO", headers="c: application/dtmf-relay\r\n", body=b"Signal=7\r\nDuration=160\r\n")
    assert masked(digits).endswith(b"xxxxxxxx\r\nxxxxxxxxxxxx\r\n")


def test_a_password_in_an_address_is_masked() -> None:
    shown = masked(request("INVITE", uri="sip:200:hunter2@demo", headers="Contact: <sips:a:hunter2@x>\r\n"))
    assert b"hunter2" not in shown
    assert b"sip:200:xxxxxxx@demo" in shown


def test_the_proof_of_a_dialog_is_masked() -> None:
    header = "Record-Route: <sip:192.0.2.1:5060;lr;t=0123456789abcdef;c=0123456789ab>\r\n"
    assert b"<sip:192.0.2.1:5060;lr;t=xxxxxxxxxxxxxxxx;c=xxxxxxxxxxxx>" in masked(request("INVITE", headers=header))


@given(st.binary(max_size=400))
def test_whatever_it_is_its_length_stays(data: bytes) -> None:
    assert len(masked(data)) == len(data)
    message = request("INVITE", headers=f"Authorization: {DIGEST}\r\n", body=data)
    assert len(masked(message)) == len(message)
    assert b"0123456789abcdef" not in masked(message).partition(b"\r\n\r\n")[0]
