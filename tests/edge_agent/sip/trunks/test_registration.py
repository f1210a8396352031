"""Registrations, OPTIONS and pauses: whether a trunk is taken for one that works (RFC 3261 §10.2)."""

import hashlib
import re
from typing import Any

import pytest

from tests.support.trunk_world import OFFER, TrunkWorld, trunk

CHALLENGE = 'WWW-Authenticate: Digest realm="provider", nonce="n{}", algorithm={}, qop="auth"'


def world_that_registers(**more: Any) -> TrunkWorld:
    return TrunkWorld(trunk(register_seconds=600, **more))


def granted(world: TrunkWorld, seconds: int = 600, more: str = "") -> None:
    contact = world.provider.newest("REGISTER").need(b"contact").decode().partition(">")[0] + f">;expires={seconds}"
    world.provider.reply(200, headers=f"Contact: <sip:other@192.0.2.9>;expires=9, {contact}{more}", to="REGISTER")


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_a_challenge_is_answered_and_the_registration_renewed_before_it_ends(algorithm: str) -> None:
    """RFC 3261 §10.2.6, §22.2; RFC 8760."""
    world = world_that_registers(auth_username="login")
    first = world.provider.newest("REGISTER")
    assert (first.uri, first.need(b"expires")) == (b"sip:192.0.2.50", b"600")
    assert first.need(b"to") == b"<sip:office@192.0.2.50>"
    world.provider.reply(401, headers=CHALLENGE.format(1, algorithm), to="REGISTER")
    again = world.provider.newest("REGISTER")
    assert (again.call_id, again.cseq[0]) == (first.call_id, 2)
    proof = dict(re.findall(r'(\w+)="?([^",]+)"?', again.need(b"authorization").decode()))
    hashed = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]
    ha1, ha2 = (hashed(one.encode()).hexdigest() for one in ("login:provider:secret", "REGISTER:sip:192.0.2.50"))
    told = f"{ha1}:n1:{proof['nc']}:{proof['cnonce']}:auth:{ha2}"
    assert proof["response"] == hashed(told.encode()).hexdigest()
    granted(world)
    assert (world.trunks.down, world.trunks.status[0].registered) == (frozenset(), True)
    world.provider.forget()
    world.wait(530)
    assert world.provider.got == []
    world.wait(12)
    assert world.provider.newest("REGISTER").cseq[0] == 3
    assert world.trunks.status[0].registered


def test_wrong_credentials_are_told_of_and_tried_again_after_a_minute_at_most_so_often() -> None:
    world = world_that_registers()
    for nonce in (1, 2):
        world.provider.reply(401, headers=CHALLENGE.format(nonce, "MD5"), to="REGISTER")
    assert world.told[-1][0].problem == "its registration was refused with 401"
    assert world.trunks.down == {"first"}
    world.provider.forget()
    world.wait(44)
    assert world.provider.got == []
    world.wait(2)
    granted(world)
    assert world.trunks.down == frozenset()
    assert world.told[-1][0].problem == ""


def test_an_interval_that_is_too_brief_is_asked_for_as_the_provider_wants_it() -> None:
    """RFC 3261 §10.2.8."""
    world = world_that_registers()
    world.provider.reply(423, headers="Min-Expires: 1800", to="REGISTER")
    assert world.provider.newest("REGISTER").need(b"expires") == b"1800"
    granted(world, 1800)
    assert world.trunks.status[0].registered


def test_a_provider_that_asks_for_a_pause_gets_it() -> None:
    """RFC 3261 §20.33, §21.5.4."""
    world = world_that_registers()
    world.provider.reply(503, headers="Retry-After: 120", to="REGISTER")
    assert world.trunks.down == {"first"}
    world.provider.forget()
    world.wait(119)
    assert world.provider.got == []
    world.wait(2)
    assert world.provider.newest("REGISTER")


def test_silence_is_told_of_and_pauses_double() -> None:
    world = world_that_registers()
    world.wait(33)
    assert world.told[-1][0].problem == "its registration was not answered"
    pauses = []
    for _ in range(4):
        world.provider.forget()
        began = world.clock.monotonic()
        while "REGISTER" not in world.provider.kinds():
            world.wait(0.5)
        pauses.append(world.clock.monotonic() - began)
        world.wait(33)
    assert pauses == sorted(pauses)
    assert pauses[-1] > 2 * pauses[0]


def test_a_call_is_known_by_the_token_of_the_contact_wherever_it_comes_from() -> None:
    world = world_that_registers()
    granted(world)
    contact = re.search(rb"<sip:([^>]*)>", world.provider.newest("REGISTER").need(b"contact"))
    assert contact
    world.stranger.ask("INVITE", f"sip:{contact[1].decode()}", OFFER)
    assert world.edge.newest("INVITE")
    wrong = re.sub(r"line=\w+", "line=0123456789abcdef", contact[1].decode())
    world.stranger.forget()
    world.stranger.ask("INVITE", f"sip:{wrong}", OFFER, call="call-2")
    assert world.stranger.got == []


def test_a_provider_that_is_given_by_name_is_known_by_where_it_answered() -> None:
    """RFC 3263: what it is called is looked up, and calls may come from there without the token."""
    world = world_that_registers(host="sip.provider.test")
    register = world.provider.newest("REGISTER")
    assert (register.uri, register.need(b"to")) == (b"sip:sip.provider.test", b"<sip:office@sip.provider.test>")
    world.provider.ask("OPTIONS", "sip:198.51.100.1:5080", call="early")
    assert "200" not in world.provider.kinds()
    granted(world)
    world.call_in()
    assert world.edge.newest("INVITE")
    world.call_out()
    assert world.provider.newest("INVITE").uri == b"sip:+41791112233@sip.provider.test"
    world.wait(4.9)
    assert world.edge.kinds()[-1] == "100" or "503" not in world.edge.kinds()
    world.wait(0.2)
    assert world.edge.newest("503")


def test_calls_go_where_the_registration_says_and_it_is_given_back_when_the_trunk_goes() -> None:
    """RFC 3608."""
    world = world_that_registers()
    granted(world, more="\nService-Route: <sip:192.0.2.51;lr>")
    world.call_out()
    assert world.provider.newest("INVITE").need(b"route") == b"<sip:192.0.2.51;lr>"
    world.trunks.configure(world.settings(), world.clock.monotonic())
    assert world.provider.newest("REGISTER").need(b"expires") == b"0"


def test_a_trunk_that_did_not_change_keeps_its_registration() -> None:
    world = world_that_registers()
    granted(world)
    world.provider.forget()
    world.trunks.configure(world.settings(trunk(register_seconds=600)), world.clock.monotonic())
    assert (world.provider.got, world.trunks.status[0].registered) == ([], True)
    world.trunks.configure(world.settings(trunk(register_seconds=600), passwords="new"), world.clock.monotonic())
    assert [one.need(b"expires") for one in world.provider.got] == [b"0", b"600"]


def test_two_options_without_an_answer_in_a_row_say_that_a_trunk_is_silent() -> None:
    world = TrunkWorld(trunk(options_seconds=30))
    assert world.provider.newest("OPTIONS")
    world.wait(33)
    assert world.trunks.down == frozenset()
    world.wait(40)
    assert world.trunks.down == {"first"}
    assert world.told[-1][0].problem == "it does not answer"
    while "OPTIONS" not in world.provider.kinds():
        world.wait(1)
    world.provider.reply(404, to="OPTIONS")
    assert (world.trunks.down, world.told[-1][0].problem) == (frozenset(), "")


def test_options_that_are_answered_503_pause_calls_for_as_long_as_it_says() -> None:
    world = TrunkWorld(trunk(options_seconds=30))
    world.provider.reply(503, headers="Retry-After: 20", to="OPTIONS")
    assert world.told[-1][0].problem == "it asked for a pause"
    world.wait(22)
    assert world.trunks.down == frozenset()


def test_why_a_provider_could_not_be_connected_to_is_told_and_told_anew_when_it_is_something_else() -> None:
    world = TrunkWorld(trunk(register_seconds=600, transport="tls"))
    world.complaints["192.0.2.50"] = "its certificate is for a.test, not for 192.0.2.50"
    world.wait(33)
    assert world.trunks.status[0].problem.endswith("(its certificate is for a.test, not for 192.0.2.50)")
    world.complaints["192.0.2.50"] = "connection refused"
    world.wait(120)
    problems = [told[0].problem for told in world.told if told[0].problem]
    assert problems[0].startswith("its registration was not answered (its certificate")
    assert problems[-1] == "its registration was not answered (connection refused)"
