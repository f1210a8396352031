"""Authentication: nonces without memory, replay, staleness, and the order of algorithms."""

from collections import Counter
from dataclasses import replace

import pytest

from edge_agent.sip.authentication import Authenticator, Refusal
from edge_agent.sip.config import Credential
from edge_agent.sip.location import Location
from edge_agent.sip.lockout import Lockout
from edge_agent.sip.message import Flow, Message, ha1, parse, parse_credentials, response_value
from edge_agent.sip.message.message import NO_FLOW
from tests.support.counted_tokens import CountedTokens
from tests.support.hand_clock import HandClock
from tests.support.memory_site import with_limits
from tests.support.sip_site import KEY, REALM, SiteLog, password_of, sip_config


class Door:
    """An authenticator and somebody who knocks."""

    def __init__(self, algorithms: tuple[str, ...] = ("MD5",), **limits: float) -> None:
        self.clock = HandClock()
        self.config = with_limits(sip_config(algorithms=algorithms), **limits)
        self.tokens = CountedTokens()
        self.authenticator = self.after_restart()

    def after_restart(self, key: bytes = KEY) -> Authenticator:
        lockout = Lockout(self.config.lockout, Location(), SiteLog(), Counter())
        return Authenticator(key, self.tokens, self.clock, self.config, lockout)

    def challenges(self, refusal: Refusal = Refusal.MISSING) -> list[dict[bytes, bytes]]:
        given = self.authenticator.challenge(proxy=False, refusal=refusal, flow=NO_FLOW)
        return [parse_credentials(value) for _, value in given]

    def knock(self, challenge: dict[bytes, bytes], nc: str = "00000001", **changed: str) -> Credential | Refusal:
        return self.authenticator.verify(request(challenge, nc, **changed), b"authorization")


def request(challenge: dict[bytes, bytes], nc: str = "00000001", **changed: str) -> Message:
    """A REGISTER that answers a challenge."""
    username = changed.get("username", "auth200")
    algorithm = challenge[b"algorithm"].decode()
    secret = ha1(algorithm, username, REALM, changed.get("password", password_of(username[4:]))).encode()
    qop = changed.get("qop", "auth").encode()
    nonce = changed.get("nonce", challenge[b"nonce"].decode()).encode()
    proof = response_value(algorithm.encode(), secret, b"REGISTER", b"sip:x", nonce, nc.encode(), b"c", qop)
    counted = f", qop={qop.decode()}, nc={nc}, cnonce=c" if qop else ""
    value = (
        f'Digest username="{username}", realm="{changed.get("realm", REALM)}", nonce="{nonce.decode()}", uri="sip:x", '
        f'response="{proof.decode()}", algorithm={algorithm}{counted}'
    )
    return parse(f"REGISTER sip:x SIP/2.0\r\nAuthorization: {value}\r\n\r\n".encode())


def line_of(found: Credential | Refusal) -> str:
    """The line that was let in."""
    assert isinstance(found, Credential), found
    return found.line_id


def test_the_right_password_is_let_in() -> None:
    door = Door()
    (challenge,) = door.challenges()
    assert (challenge[b"realm"], challenge[b"qop"], challenge[b"algorithm"]) == (REALM.encode(), b"auth", b"MD5")
    assert line_of(door.knock(challenge)) == "line-200"


def test_without_credentials_for_our_realm_something_is_missing() -> None:
    door = Door()
    (challenge,) = door.challenges()
    assert door.authenticator.verify(parse(b"REGISTER sip:x SIP/2.0\r\n\r\n"), b"authorization") is Refusal.MISSING
    assert door.knock(challenge, realm="another") is Refusal.MISSING


@pytest.mark.parametrize(
    "changed",
    [
        {"password": "wrong"},
        {"username": "nobody"},
        {"nc": "00000000"},
        {"nc": "1"},
        {"nc": "zzzzzzzz"},
        {"qop": "auth-int"},
    ],
)
def test_what_proves_nothing_is_wrong(changed: dict[str, str]) -> None:
    door = Door()
    assert door.knock(door.challenges()[0], **changed) is Refusal.WRONG


def test_algorithms_are_offered_in_the_configured_order_and_each_is_accepted() -> None:
    for order in (("MD5", "SHA-256"), ("SHA-256", "MD5"), ("SHA-256",)):
        door = Door(order)
        offered = door.challenges()
        assert [one[b"algorithm"].decode() for one in offered] == list(order)
        for challenge in offered:
            assert line_of(door.knock(challenge, username="auth201", nc=f"0000000{len(order)}")) == "line-201"
            door.clock.advance(1)
            offered[:] = door.challenges()


def test_an_algorithm_that_was_not_offered_is_not_accepted() -> None:
    door = Door(("SHA-256",))
    challenge = {**door.challenges()[0], b"algorithm": b"MD5"}
    assert isinstance(door.knock(challenge), Refusal)


def test_a_nonce_count_is_good_once_and_may_come_a_little_out_of_order() -> None:
    door = Door()
    (challenge,) = door.challenges()
    for nc in (1, 3, 2, 64, 70):
        assert line_of(door.knock(challenge, f"{nc:08x}")) == "line-200"
    for nc in (1, 2, 3, 5, 64, 70):
        assert door.knock(challenge, f"{nc:08x}") is Refusal.STALE, nc
    assert line_of(door.knock(challenge, f"{69:08x}")) == "line-200"


def test_a_nonce_is_stale_after_its_time_and_the_challenge_says_so() -> None:
    door = Door()
    (challenge,) = door.challenges()
    door.clock.advance(300)
    assert line_of(door.knock(challenge)) == "line-200"
    door.clock.advance(2)
    assert door.knock(challenge, "00000002") is Refusal.STALE
    assert door.challenges(Refusal.STALE)[0][b"stale"] == b"true"


def test_after_a_restart_a_nonce_is_stale_so_that_nothing_recorded_can_be_sent_again() -> None:
    door = Door()
    (challenge,) = door.challenges()
    assert line_of(door.knock(challenge)) == "line-200"
    again = door.after_restart()
    for nc in ("00000001", "00000002"):
        assert again.verify(request(challenge, nc), b"authorization") is Refusal.STALE


def test_a_nonce_of_the_other_edge_or_another_key_is_stale() -> None:
    door = Door()
    (challenge,) = door.challenges()
    other = door.after_restart(b"another key of this length......")
    assert other.verify(request(challenge), b"authorization") is Refusal.STALE


def test_a_nonce_is_good_only_at_the_address_that_it_was_given_to() -> None:
    door = Door()
    (challenge,) = door.challenges()
    from_elsewhere = request(challenge)
    from_elsewhere.flow = Flow("udp", "192.0.2.66", 5060)
    assert door.authenticator.verify(from_elsewhere, b"authorization") is Refusal.STALE
    assert line_of(door.knock(challenge)) == "line-200"


def test_a_made_up_nonce_is_stale() -> None:
    door = Door()
    (challenge,) = door.challenges()
    made_up = challenge[b"nonce"].decode()[:-1] + "x"
    assert door.knock(challenge, nonce=made_up) is Refusal.STALE
    assert door.knock(challenge, nonce="") is Refusal.STALE


def test_without_qop_a_nonce_is_good_for_one_request() -> None:
    door = Door()
    (challenge,) = door.challenges()
    assert line_of(door.knock(challenge, qop="")) == "line-200"
    assert door.knock(challenge, qop="") is Refusal.STALE


def test_memory_of_nonces_is_bounded_and_what_was_forgotten_is_never_accepted_again() -> None:
    door = Door(nonces=3)
    used = []
    for _ in range(5):
        used.append(door.challenges()[0])
        door.clock.advance(1)
        line_of(door.knock(used[-1]))
    for challenge in used:
        assert door.knock(challenge) is Refusal.STALE


def test_another_configuration_counts_from_then_on() -> None:
    door = Door()
    (challenge,) = door.challenges()
    door.authenticator.configure(replace(door.config, credentials={}))
    assert door.knock(challenge) is Refusal.WRONG


def test_a_name_that_is_no_text_is_nobody_s() -> None:
    door = Door()
    challenge = door.challenges()[0]
    strange = bytes(request(challenge)).replace(b'username="auth200"', b'username="auth\xff200"')
    assert door.authenticator.verify(parse(strange), b"authorization") is Refusal.WRONG


def test_names_that_are_remembered_are_bounded() -> None:
    door = Door()
    one = door.config.credentials["auth200"]
    secrets = {f"auth{n}": ha1("MD5", f"auth{n}", REALM, password_of(str(n))) for n in range(5000)}
    many = {name: replace(one, auth_username=name, ha1={"MD5": secret}) for name, secret in secrets.items()}
    door.authenticator.configure(replace(door.config, credentials=many))
    challenge = door.challenges()[0]
    for name in many:
        door.knock(challenge, username=name)
    assert 0 < len(door.authenticator._known) < len(many)


def test_secrets_are_not_shown() -> None:
    config = sip_config()
    secret = config.credentials["auth200"].ha1["MD5"]
    assert secret not in repr(config)
    assert secret not in repr(config.credentials["auth200"])
