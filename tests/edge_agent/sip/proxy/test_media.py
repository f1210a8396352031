"""Media of phones behind NAT: which calls are relayed, what each side is told, and when ports are free again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from contract.snapshot import MediaException
from edge_agent.ports import RelayedStream
from edge_agent.sip.endpoint import RESTATE_SECONDS
from edge_agent.sip.message import DropReason, Message
from edge_agent.sip.relaying.descriptions import streams_of
from edge_agent.sip.relaying.rules import MediaRules
from tests.support.memory_site import MemorySite, uri
from tests.support.sip_phone import SipPhone

INSIDE, OUTSIDE = "10.0.0.1", "203.0.113.1"
RULES = MediaRules("behind_nat", inside=(INSIDE,), outside=(OUTSIDE,))


def described(host: str, port: int = 4000) -> bytes:
    """A phone's description of one audio stream."""
    lines = f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
    return lines.encode()


def place_in(message: Message) -> tuple[str, int]:
    """Where the first stream of a body leads; the body is as long as its header says."""
    assert message.get(b"content-length") == b"%d" % len(message.body)
    media = streams_of(message.body)[0].media
    assert media is not None
    return media


SDP = "Content-Type: application/sdp\r\n"


class Office:
    """A site that relays, and its phones."""

    def __init__(self, rules: MediaRules = RULES) -> None:
        self.site = MemorySite()
        self.site.configure(replace(self.site.config, media=rules))

    def phone(self, username: str, host: str, *answers: int, behind: str = "", port: int = 5060) -> SipPhone:
        """A registered phone: `host` is where it sends from, `behind` the NAT address that its packets get."""
        address = (behind or host, port)
        phone = SipPhone(self.site.network, address, self.site.address, username, answers)
        phone.private_host = host if behind else ""
        phone.sdp = described(host)
        assert phone.register().status == 200
        phone.responses.clear()
        return phone

    def call(self, caller: SipPhone, callee: SipPhone) -> tuple[Message, Message]:
        """INVITE and 2xx of a call, acknowledged."""
        invite = caller.authenticated("INVITE", uri(callee.username), headers=SDP, body=caller.sdp.decode())
        answer = caller.responses[-1]
        if answer.status == 200:
            caller.in_dialog("ACK", invite, answer)
            self.site.network.run()
        return invite, answer

    @property
    def carried(self) -> Sequence[RelayedStream]:
        """What the relay carries now."""
        return self.site.carried[-1] if self.site.carried else ()


def test_a_call_from_behind_a_nat_to_a_phone_at_the_site_goes_through_the_relay() -> None:
    office = Office()
    caller = office.phone("200", "192.168.1.20", behind="198.51.100.7")
    callee = office.phone("201", "10.0.0.21", 180, 200)
    _, answer = office.call(caller, callee)
    assert place_in(callee.ringing) == (INSIDE, 17410)
    assert place_in(answer) == (OUTSIDE, 17408)
    (stream,) = office.site.carried[-1]
    (opened,) = office.site.log.open_calls.values()
    assert (stream.call_id, stream.caller) == (opened.sip_call_id, 0)
    # A private address at the far end means somebody else here: the address behind which it is stands for it.
    assert stream.first.media == ("198.51.100.7", 4000)
    assert stream.second.media == ("10.0.0.21", 4000)
    assert office.site.endpoint.figures()["relayed.now"] == 1


def test_a_phone_behind_a_nat_is_called_through_the_relay() -> None:
    office = Office()
    caller = office.phone("200", "10.0.0.20")
    callee = office.phone("201", "192.168.1.21", 183, 200, behind="198.51.100.7")
    _, answer = office.call(caller, callee)
    early = next(one for one in caller.responses if one.status == 183)
    assert place_in(callee.ringing)[0] == OUTSIDE
    assert place_in(early) == place_in(answer) == (INSIDE, 17408)


@pytest.mark.parametrize("hung_up_by", ["caller", "callee"])
def test_ports_are_free_again_when_either_side_hangs_up(hung_up_by: str) -> None:
    office = Office()
    caller = office.phone("200", "10.0.0.20")
    callee = office.phone("201", "192.168.1.21", 200, behind="198.51.100.7")
    invite, answer = office.call(caller, callee)
    if hung_up_by == "caller":
        caller.in_dialog("BYE", invite, answer)
    else:
        callee.in_dialog("BYE", callee.ringing, answer, as_callee=True)
    office.site.network.run()
    assert not office.carried
    assert office.site.endpoint.figures()["relayed.now"] == 0


def test_two_phones_at_the_site_send_to_each_other() -> None:
    office = Office()
    caller, callee = office.phone("200", "10.0.0.20"), office.phone("201", "10.1.0.21", 200)
    _, answer = office.call(caller, callee)
    assert (callee.ringing.body, answer.body) == (caller.sdp, callee.sdp)
    assert not office.carried


@pytest.mark.parametrize(
    ("inner", "wish", "relayed"),
    [("192.168.1.21", True, False), ("192.168.1.21", False, True), ("192.168.7.21", True, True)],
)
def test_behind_one_nat_phones_of_one_network_send_to_each_other_if_the_site_wants_it(
    inner: str, wish: bool, relayed: bool
) -> None:
    office = Office(replace(RULES, direct_behind_one_nat=wish))
    caller = office.phone("200", "192.168.1.20", behind="198.51.100.7", port=5061)
    callee = office.phone("201", inner, 200, behind="198.51.100.7", port=5062)
    office.call(caller, callee)
    assert (place_in(callee.ringing)[0] == OUTSIDE) is relayed


def test_behind_two_nats_the_relay_names_its_outside_to_both() -> None:
    office = Office()
    caller = office.phone("200", "192.168.1.20", behind="198.51.100.7")
    callee = office.phone("201", "192.168.1.21", 200, behind="198.51.100.8")
    _, answer = office.call(caller, callee)
    assert (place_in(callee.ringing)[0], place_in(answer)[0]) == (OUTSIDE, OUTSIDE)


@pytest.mark.parametrize(
    ("rules", "relayed"),
    [
        (replace(RULES, relay="never"), False),
        (replace(RULES, exceptions=(MediaException(user_id="user-201", relay_media="never"),)), False),
        (replace(RULES, exceptions=(MediaException(user_id="user-203", relay_media="never"),)), True),
        (replace(RULES, inside=()), False),
    ],
)
def test_site_and_user_say_when_media_is_relayed(rules: MediaRules, relayed: bool) -> None:
    office = Office(rules)
    caller = office.phone("200", "10.0.0.20")
    callee = office.phone("201", "192.168.1.21", 200, behind="198.51.100.7")
    office.call(caller, callee)
    assert (place_in(callee.ringing)[0] == OUTSIDE) is relayed


def test_a_user_whose_media_is_always_relayed_has_it_so_at_the_site_too() -> None:
    office = Office(
        replace(RULES, relay="never", exceptions=(MediaException(user_id="user-200", relay_media="always"),))
    )
    caller, callee = office.phone("200", "10.0.0.20"), office.phone("201", "10.0.0.21", 200)
    office.call(caller, callee)
    assert place_in(callee.ringing)[0] == INSIDE


def test_a_remote_phone_with_an_address_of_its_own_reaches_a_private_one_through_the_relay_only() -> None:
    office = Office()
    caller = office.phone("200", "198.51.100.9")
    callee = office.phone("201", "10.0.0.21", 200)
    _, answer = office.call(caller, callee)
    assert (place_in(callee.ringing)[0], place_in(answer)[0]) == (INSIDE, OUTSIDE)


def test_the_sites_networks_say_who_is_remote_even_with_private_addresses() -> None:
    office = Office(replace(RULES, local_networks=("10.0.0.0/24",)))
    caller, callee = office.phone("200", "10.9.0.20"), office.phone("201", "10.0.0.21", 200)
    _, answer = office.call(caller, callee)
    assert (place_in(callee.ringing)[0], place_in(answer)[0]) == (INSIDE, OUTSIDE)


def test_of_a_fork_only_the_branch_behind_a_nat_is_relayed_and_what_does_not_answer_gives_its_ports_back() -> None:
    office = Office()
    caller = office.phone("200", "10.0.0.20")
    far = office.phone("201", "192.168.1.21", 183, behind="198.51.100.7")
    near = office.phone("201", "10.0.0.21")
    invite, _ = office.call(caller, far)
    assert place_in(far.ringing)[0] == OUTSIDE
    assert near.ringing.body == caller.sdp
    assert len(office.carried) == 1
    near.answer(200)
    office.site.network.run()
    answer = caller.responses[-1]
    caller.in_dialog("ACK", invite, answer)
    office.site.network.run()
    assert (answer.status, answer.body) == (200, near.sdp)
    assert not office.carried


def test_two_relayed_branches_have_ports_of_their_own() -> None:
    office = Office()
    caller = office.phone("200", "10.0.0.20")
    one = office.phone("201", "192.168.1.21", 183, behind="198.51.100.7")
    other = office.phone("201", "192.168.1.22", 183, 200, behind="198.51.100.8")
    _, answer = office.call(caller, one)
    early = [place_in(response) for response in caller.responses if response.status == 183]
    assert len(set(early)) == 2
    assert place_in(answer) in early
    assert place_in(one.ringing) != place_in(other.ringing)
    assert len(office.carried) == 1


def test_hold_and_another_port_within_the_dialog_keep_the_relays_ports() -> None:
    office = Office()
    caller = office.phone("200", "10.0.0.20", 200)
    callee = office.phone("201", "192.168.1.21", 200, behind="198.51.100.7")
    invite, answer = office.call(caller, callee)
    told = place_in(callee.ringing)
    caller.in_dialog(
        "INVITE", invite, answer, headers=SDP, body=(described("10.0.0.20", 4444) + b"a=sendonly\r\n").decode()
    )
    office.site.network.run()
    assert place_in(callee.ringing) == told
    assert callee.ringing.body.endswith(b"a=sendonly\r\n")
    (stream,) = office.site.carried[-1]
    assert stream.first.media == ("10.0.0.20", 4444)
    callee.in_dialog(
        "INVITE",
        invite_of(callee),
        answer,
        as_callee=True,
        headers=SDP,
        body=(described("192.168.1.21", 4002)).decode(),
    )
    office.site.network.run()
    assert place_in(caller.ringing) == place_in(answer)
    (stream,) = office.site.carried[-1]
    assert stream.second.media == ("198.51.100.7", 4002)


def invite_of(callee: SipPhone) -> Message:
    """The INVITE that began the dialog."""
    return next(one for one in callee.requests if one.method == b"INVITE")


def test_a_refused_change_leaves_the_media_where_it_was() -> None:
    office = Office()
    caller = office.phone("200", "10.0.0.20")
    callee = office.phone("201", "192.168.1.21", 200, behind="198.51.100.7")
    invite, answer = office.call(caller, callee)
    callee.answers = (488,)
    caller.in_dialog("INVITE", invite, answer, headers=SDP, body=(described("10.0.0.20", 4444)).decode())
    office.site.network.run()
    (stream,) = office.site.carried[-1]
    assert stream.first.media == ("10.0.0.20", 4000)


def test_an_offer_in_the_answer_and_its_answer_in_the_ack_are_relayed() -> None:
    office = Office()
    caller = office.phone("200", "10.0.0.20")
    callee = office.phone("201", "192.168.1.21", 200, behind="198.51.100.7")
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    assert place_in(answer)[0] == INSIDE
    caller.in_dialog("ACK", invite, answer, headers=SDP, body=caller.sdp.decode())
    office.site.network.run()
    acknowledged = callee.requests[-1]
    assert acknowledged.method == b"ACK"
    assert place_in(acknowledged)[0] == OUTSIDE
    (stream,) = office.site.carried[-1]
    assert (stream.first.media, stream.second.media) == (("10.0.0.20", 4000), ("198.51.100.7", 4000))


def test_a_call_that_is_refused_or_given_up_keeps_no_port() -> None:
    office = Office()
    caller = office.phone("200", "10.0.0.20")
    callee = office.phone("201", "192.168.1.21", 486, behind="198.51.100.7")
    office.call(caller, callee)
    assert not office.carried
    callee.answers = (180,)
    invite, _ = office.call(caller, callee)
    assert len(office.carried) == 1
    caller.cancel(invite)
    office.site.network.run()
    assert not office.carried


def test_a_call_whose_bye_never_comes_gives_its_ports_back_when_its_record_is_closed() -> None:
    office = Office()
    office.site.configure(replace(office.site.config, limits=replace(office.site.config.limits, call_seconds=60.0)))
    caller = office.phone("200", "10.0.0.20")
    callee = office.phone("201", "192.168.1.21", 200, behind="198.51.100.7")
    office.call(caller, callee)
    office.site.network.run(90.0)
    assert not office.carried
    assert office.site.record.interrupted


def test_a_media_process_that_is_started_anew_is_told_within_a_second() -> None:
    office = Office()
    caller = office.phone("200", "10.0.0.20")
    callee = office.phone("201", "192.168.1.21", 200, behind="198.51.100.7")
    office.call(caller, callee)
    told = len(office.site.carried)
    office.site.network.run(2 * RESTATE_SECONDS)
    assert len(office.site.carried) > told
    assert len(office.carried) == 1


def test_when_no_port_is_left_a_call_goes_through_as_it_is() -> None:
    office = Office()
    while office.site.pool.take() is not None:
        pass
    caller = office.phone("200", "10.0.0.20")
    callee = office.phone("201", "192.168.1.21", 200, behind="198.51.100.7")
    _, answer = office.call(caller, callee)
    assert answer.body == callee.sdp
    assert office.site.endpoint.figures()["relayed.no_port"] > 0


def test_remote_phones_without_tls_are_refused_where_the_site_wants_that_and_those_at_the_site_are_not() -> None:
    office = Office()
    office.site.configure(replace(office.site.config, remote_tls_only=True))
    remote = SipPhone(office.site.network, ("198.51.100.7", 5060), office.site.address, "200")
    answer = remote.register()
    assert (answer.status, answer.reason) == (403, b"TLS Is Required from Remote Networks")
    assert office.site.endpoint.drops[DropReason.NOT_ENCRYPTED] == 1
    remote.request("INVITE", uri("201"))
    office.site.network.run()
    assert remote.statuses[-1] == 403
    office.phone("201", "10.0.0.21")


@pytest.mark.parametrize("answers", [True, False], ids=["the callee", "the caller"])
def test_a_phone_behind_a_nat_that_names_another_port_in_its_call_than_it_registered_is_reached_all_the_same(
    answers: bool,
) -> None:
    office = Office()
    remote = office.phone("200", "192.168.1.20", 200, behind="198.51.100.7")
    desk = office.phone("201", "10.0.0.21", 200)
    # As baresip does over TCP: the port that it sends from.
    contact = "sip:200-7f@192.168.1.20:60298;transport=tcp"
    remote.named = contact
    caller, callee = (desk, remote) if answers else (remote, desk)
    invite, answer = office.call(caller, callee)
    if answers:
        desk.in_dialog("BYE", invite, answer)
    else:
        desk.in_dialog("BYE", desk.ringing, answer, as_callee=True)
    office.site.network.run()
    assert [one.uri for one in remote.requests if one.method == b"BYE"] == [contact.encode()]
    assert office.site.endpoint.figures()["relayed.now"] == 0
