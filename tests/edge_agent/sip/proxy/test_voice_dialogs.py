"""Calls of a media engine that was killed are ended in its place: phones are told by a BYE that says why."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sip.message import Message
from edge_agent.sip.proxy.voice_dialogs import KIND, MOST, PAUSES
from tests.support.memory_network import Address
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone

ENGINE: Address = ("127.0.0.1", 5070)


class Voice:
    """A site whose voice services are at an engine that answers at once, and calls in its place."""

    def __init__(self, site: MemorySite) -> None:
        self.site = site
        self.engine = SipPhone(site.network, ENGINE, EDGE, "echo", (200,))
        services = {"echo_test": f"sip:echo@{ENGINE[0]}:{ENGINE[1]}"}
        site.configure(replace(site.config, services=services, trusted=frozenset({ENGINE})))
        site.config = site.endpoint._config
        site.endpoint.engine_is("engine-1")

    def called(self, phone: SipPhone) -> tuple[Message, Message]:
        """A phone calls the echo test: its INVITE and the answer."""
        invite = phone.authenticated("INVITE", uri("*99"))
        assert phone.statuses[-1] == 200
        phone.in_dialog("ACK", invite, phone.responses[-1])
        self.site.network.run()
        return invite, phone.responses[-1]

    def calls(self, phone: SipPhone) -> tuple[Message, Message]:
        """The engine calls a phone that answers."""
        invite = self.engine.request("INVITE", uri(phone.username))
        self.site.network.run()
        answer = self.engine.responses[-1]
        assert answer.status == 200
        self.engine.in_dialog("ACK", invite, answer)
        self.site.network.run()
        return invite, answer

    def becomes(self, engine_id: str) -> None:
        """Another engine, or none."""
        self.site.endpoint.engine_is(engine_id)
        self.site.network.flush()
        self.site.network.run()

    def agent_is_killed(self) -> None:
        """Another process goes on with what was kept."""
        self.site.endpoint = self.site.started()

    @property
    def rows(self) -> dict[str, str]:
        return self.site.kept.load(KIND)


@pytest.fixture
def voice(site: MemorySite) -> Voice:
    return Voice(site)


def byes(phone: SipPhone) -> list[Message]:
    return [one for one in phone.requests if one.method == b"BYE"]


@pytest.mark.parametrize("placed", [False, True], ids=["a phone called", "the engine called"])
@pytest.mark.parametrize("killed", ["engine", "agent"])
def test_a_phone_whose_engine_was_killed_is_told_why_its_call_is_over(voice: Voice, placed: bool, killed: str) -> None:
    phone = voice.site.phone("200", 200)
    invite, answer = voice.calls(phone) if placed else voice.called(phone)
    assert len(voice.rows) == 1
    if killed == "agent":
        voice.agent_is_killed()
        voice.becomes("engine-2")
    else:
        voice.becomes("")
    (bye,) = byes(phone)
    assert (bye.call_id, bye.need(b"reason")[:17]) == (invite.call_id, b"SIP;cause=503;tex")
    own, other = (answer.from_tag, answer.to_tag) if placed else (answer.to_tag, answer.from_tag)
    assert (bye.from_tag, bye.to_tag) == (own, other)
    assert bye.cseq[0] > (invite.cseq[0] if placed else 0)
    assert (voice.rows, len(voice.site.endpoint.voice)) == ({}, 0)
    if killed == "engine":
        assert len(voice.site.endpoint.calls) == 0
        assert voice.site.record.disposition == "answered"
        assert voice.site.record.reasons[-1].startswith("voice_lost: ")


def test_an_engine_that_outlived_the_agent_keeps_its_calls(voice: Voice) -> None:
    phone = voice.site.phone("200")
    invite, answer = voice.called(phone)
    voice.agent_is_killed()
    voice.becomes("engine-1")
    assert byes(phone) == []
    assert len(voice.rows) == 1
    phone.in_dialog("BYE", invite, answer)
    voice.site.network.run()
    assert (voice.engine.methods[-1], voice.rows) == ("BYE", {})


def test_a_call_that_was_answered_before_the_engine_said_its_name_is_its_own(voice: Voice) -> None:
    phone = voice.site.phone("200")
    voice.becomes("")
    voice.called(phone)
    voice.becomes("engine-2")
    voice.becomes("engine-2")
    assert byes(phone) == []
    voice.becomes("engine-3")
    assert len(byes(phone)) == 1


@pytest.mark.parametrize("by", ["phone", "engine"])
def test_a_call_that_is_over_is_ended_by_nobody(voice: Voice, by: str) -> None:
    phone = voice.site.phone("200", 200)
    invite, answer = voice.calls(phone)
    if by == "engine":
        voice.engine.in_dialog("BYE", invite, answer)
    else:
        phone.in_dialog("BYE", phone.ringing, answer, as_callee=True)
    voice.site.network.run()
    assert voice.rows == {}
    before = len(phone.requests)
    voice.becomes("")
    assert len(phone.requests) == before


def test_calls_between_phones_are_left_alone(voice: Voice) -> None:
    caller, callee = voice.site.phone("200"), voice.site.phone("201", 200)
    caller.authenticated("INVITE", uri("201"))
    voice.becomes("")
    assert (byes(caller), byes(callee), voice.rows) == ([], [], {})
    assert len(voice.site.endpoint.calls) == 1


def test_the_bye_goes_where_the_phone_said_last_that_it_is(voice: Voice) -> None:
    phone = voice.site.phone("200")
    invite, answer = voice.called(phone)
    elsewhere = voice.site.phone("200")
    phone.named = elsewhere.contact
    phone.in_dialog("INVITE", invite, answer)
    voice.site.network.run()
    voice.agent_is_killed()
    voice.becomes("engine-2")
    assert (byes(phone), len(byes(elsewhere))) == ([], 1)


def test_the_bye_has_a_later_number_than_whatever_the_engine_asked_before(voice: Voice) -> None:
    """RFC 3261 §12.2.1.1; else the phone would refuse it."""
    phone = voice.site.phone("200", 200)
    invite, answer = voice.calls(phone)
    voice.engine.in_dialog("INFO", invite, answer, cseq=70_000)
    voice.site.network.run()
    voice.agent_is_killed()
    voice.becomes("engine-2")
    assert [one.cseq[0] for one in byes(phone)] == [70_001]


def test_what_the_engine_rang_stops_ringing(voice: Voice) -> None:
    phone = voice.site.phone("200", 180)
    voice.engine.request("INVITE", uri("200"))
    voice.site.network.run()
    voice.becomes("")
    assert phone.methods[-2:] == ["CANCEL", "ACK"]
    assert len(voice.site.endpoint.calls) == 0


def test_who_waits_for_the_engines_answer_gets_one(voice: Voice) -> None:
    voice.engine.answers = ()
    phone = voice.site.phone("200")
    phone.authenticated("INVITE", uri("*99"))
    assert phone.statuses[-1] == 100
    voice.becomes("")
    assert phone.statuses[-1] >= 500


def test_a_phone_whose_connection_broke_too_is_told_when_it_is_back(voice: Voice) -> None:
    phone = voice.site.phone("200", tcp=True)
    voice.called(phone)
    voice.site.network.disconnect(phone.address)
    voice.agent_is_killed()
    voice.becomes("engine-2")
    assert byes(phone) == []
    assert len(voice.rows) == 1
    voice.site.network.connect(phone.address)
    assert phone.register(cseq="90").status == 200
    voice.site.network.run(PAUSES[0] + 1.0)
    assert (len(byes(phone)), voice.rows) == (1, {})


def test_a_phone_that_stays_away_is_given_up(voice: Voice) -> None:
    phone = voice.site.phone("200", tcp=True)
    voice.called(phone)
    voice.site.network.disconnect(phone.address)
    voice.becomes("")
    voice.site.network.run(sum(PAUSES) + 33 * (len(PAUSES) + 1))
    assert voice.rows == {}


def test_a_bye_that_nobody_answers_is_sent_again_and_then_given_up(voice: Voice) -> None:
    phone = voice.site.phone("200")
    voice.called(phone)
    voice.site.network.loses = lambda data, source, target: target == phone.address
    voice.becomes("")
    voice.site.network.run(33)
    sent = [one for one in voice.site.network.log if one.target == phone.address and one.start == "BYE"]
    assert len(sent) == 11
    assert voice.rows == {}


def test_calls_are_kept_until_they_have_lasted_longer_than_any_may(voice: Voice) -> None:
    phone = voice.site.phone("200")
    voice.called(phone)
    voice.site.network.run(voice.site.config.limits.call_seconds + 60)
    assert (voice.rows, byes(phone)) == ({}, [])


@given(
    st.one_of(
        st.text(max_size=50),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda inner: st.dictionaries(st.sampled_from(["engine", "number", "at", "dialog", "key"]), inner),
            max_leaves=8,
        ).map(json.dumps),
    )
)
def test_a_row_that_makes_no_sense_is_dropped(text: str) -> None:
    site = MemorySite()
    site.kept.kept[KIND, "a"] = text
    site.endpoint = site.started()
    assert (site.kept.load(KIND), len(site.endpoint.voice)) == ({}, 0)


def test_there_is_a_bound_on_what_is_kept(voice: Voice) -> None:
    assert voice.site.endpoint.voice.most == MOST == 10_000
    voice.site.endpoint.voice.most = 2
    calls = [voice.called(voice.site.phone(number)) for number in ("200", "201", "202")]
    assert len(voice.rows) == 2
    kept = "".join(voice.rows)
    assert [invite.call_id.decode() in kept for invite, _ in calls] == [False, True, True]


@pytest.mark.parametrize("hidden", [False, True], ids=["its own", "hidden from it"])
def test_an_engine_that_would_act_on_replaces_by_itself_is_told_by_another_name(voice: Voice, hidden: bool) -> None:
    voice.site.configure(replace(voice.site.config, hides_replaces=hidden))
    phone = voice.site.phone("200", 200)
    place = "one-call;to-tag=ours;from-tag=theirs"
    phone.authenticated("INVITE", uri("*99"), headers=f"Replaces: {place}\r\nX-Tandem-Replaces: forged\r\n")
    (invite,) = (one for one in voice.engine.requests if one.method == b"INVITE")
    told = (invite.get(b"replaces"), invite.get(b"x-tandem-replaces"))
    assert told == ((None, place.encode()) if hidden else (place.encode(), b"forged"))
