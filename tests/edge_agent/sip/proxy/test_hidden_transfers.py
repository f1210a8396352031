"""Transfers that an agent's phone asks of FreeSWITCH: the application hears of each, the phone only what is true."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sip.message import Message, parse
from edge_agent.sip.proxy.hidden_transfers import go_on, hide
from tests.edge_agent.sip.proxy.test_voice_dialogs import Voice
from tests.support.memory_site import MemorySite, uri
from tests.support.sip_phone import SipPhone

FAILED = "SIP/2.0 403 Forbidden\r\n"
TRIED = b"SIP/2.0 100 Trying\r\n"


class Talk:
    """An agent's phone in a call that FreeSWITCH placed."""

    def __init__(self, voice: Voice, hidden: bool = True) -> None:
        voice.site.configure(replace(voice.site.config, hides_replaces=hidden))
        self.voice = voice
        self.phone = voice.site.phone("200", 200)
        self.invite, self.answer = voice.calls(self.phone)

    def asks(self, refer_to: str) -> Message:
        """The phone sends a REFER: as FreeSWITCH gets it."""
        self._say(self.phone, "REFER", f"Refer-To: {refer_to}\r\n")
        return [one for one in self.voice.engine.requests if one.method == b"REFER"][-1]

    def tells(self, body: str, event: str = "refer;id=9") -> Message:
        """FreeSWITCH sends a NOTIFY: as the phone gets it."""
        state = "Subscription-State: terminated;reason=noresource\r\n"
        kind = "Content-Type: message/sipfrag;version=2.0\r\n"
        self._say(self.voice.engine, "NOTIFY", f"Event: {event}\r\n{state}{kind}", body)
        return [one for one in self.phone.requests if one.method == b"NOTIFY"][-1]

    def _say(self, who: SipPhone, method: str, headers: str, body: str = "") -> None:
        called = who is self.phone
        invite = who.ringing if called else self.invite
        who.in_dialog(method, invite, self.answer, as_callee=called, headers=headers, body=body)
        self.voice.site.network.run()


@pytest.fixture
def voice(site: MemorySite) -> Voice:
    return Voice(site)


def test_replaces_goes_by_another_name_and_the_number_of_the_request_beside_it(voice: Voice) -> None:
    place = "one%40host%3Bto-tag%3Da%3Bfrom-tag%3Db"
    refer = Talk(voice).asks(f"<{uri('201')}?Replaces={place}&X-Tandem-Number=1>")
    wanted = f"<{uri('201')}?X-Tandem-Takes={place}&X-Tandem-Number={refer.cseq[0]}>"
    assert refer.need(b"refer-to").decode() == wanted


def test_a_voucher_of_the_proxy_stays(voice: Voice) -> None:
    told = Talk(voice).asks(f"<{uri('201')}>").need(b"refer-to").decode()
    assert told.startswith(f"<{uri('201')}?X-Tandem-Referrer=user-200.")
    assert "&X-Tandem-Number=" in told


def test_what_freeswitch_says_at_once_is_that_it_is_tried_and_what_it_says_then_is_so(voice: Voice) -> None:
    talk = Talk(voice)
    talk.asks(f"<{uri('201')}>")
    first = talk.tells(FAILED)
    assert (first.body, first.need(b"subscription-state")) == (TRIED, b"active;expires=180")
    assert first.need(b"content-length") == b"%d" % len(TRIED)
    last = talk.tells(FAILED)
    assert (last.body, last.need(b"subscription-state")) == (FAILED.encode(), b"terminated;reason=noresource")


def test_other_news_change_nothing(voice: Voice) -> None:
    talk = Talk(voice)
    assert talk.tells(FAILED).body == FAILED.encode()
    talk.asks(f"<{uri('201')}>")
    assert talk.tells(FAILED, "conference").body == FAILED.encode()
    assert talk.tells("SIP/2.0 200 OK\r\n").body == b"SIP/2.0 200 OK\r\n"


def test_an_engine_of_our_own_is_told_as_it_was_asked(voice: Voice) -> None:
    talk = Talk(voice, hidden=False)
    asked = f"<{uri('201')}?Replaces=one>"
    assert talk.asks(asked).need(b"refer-to") == asked.encode()
    assert talk.tells(FAILED).body == FAILED.encode()


def test_a_call_that_the_phone_placed_is_as_it_was(voice: Voice) -> None:
    voice.site.configure(replace(voice.site.config, hides_replaces=True))
    phone = voice.site.phone("200")
    invite, answer = voice.called(phone)
    asked = f"<{uri('201')}?Replaces=one>"
    phone.in_dialog("REFER", invite, answer, headers=f"Refer-To: {asked}\r\n")
    voice.site.network.run()
    (refer,) = (one for one in voice.engine.requests if one.method == b"REFER")
    assert refer.need(b"refer-to") == asked.encode()


def test_a_call_of_an_earlier_process_is_known_to_be_placed(voice: Voice) -> None:
    talk = Talk(voice)
    voice.agent_is_killed()
    voice.becomes("engine-1")
    talk.voice.site.configure(replace(voice.site.config, hides_replaces=True))
    assert b"X-Tandem-Number=" in talk.asks(f"<{uri('201')}>").need(b"refer-to")


@pytest.mark.parametrize("hidden", [False, True], ids=["its own", "hidden from it"])
def test_the_last_news_of_a_transfer_do_not_end_a_call_of_freeswitch(voice: Voice, hidden: bool) -> None:
    voice.site.configure(replace(voice.site.config, hides_replaces=hidden))
    phone = voice.site.phone("200")
    invite, answer = voice.called(phone)
    for event in ("refer", "conference"):
        headers = f"Event: {event}\r\nSubscription-State: terminated;reason=noresource\r\n"
        phone.in_dialog("NOTIFY", invite, answer, headers=headers, body="SIP/2.0 486 Busy Here\r\n")
        voice.site.network.run()
    states = [one.need(b"subscription-state") for one in voice.engine.requests if one.method == b"NOTIFY"]
    ended = b"terminated;reason=noresource"
    assert states == [b"active" if hidden else ended, ended]


HEAD = "REFER sip:a@b SIP/2.0\r\nCSeq: 7 REFER\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "Refer-To: <tel:1>\r\n",
        "Refer-To: <sip:b>\r\n",
        "Refer-To: <sip:a@b>, <sip:c@d>\r\n",
        "Refer-To: <\r\n",
        'Refer-To: <sip:a@b>, "\r\n',
    ],
    ids=["none", "no sip", "nobody", "two", "malformed", "a quote without end"],
)
def test_what_freeswitch_could_not_tell_of_is_left_to_it(headers: str) -> None:
    request = parse(f"{HEAD}{headers}\r\n".encode())
    before = bytes(request)
    assert not hide(request)
    assert bytes(request) == before


@given(st.text(st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=80))
def test_no_refer_to_breaks_it_and_none_has_replaces_afterwards(value: str) -> None:
    request = parse(f"{HEAD}Refer-To: <sip:201@b?{value}>\r\n\r\n".encode())
    if hide(request):
        told = request.need(b"refer-to")
        assert b"\r" not in told
        assert b"?replaces=" not in told.lower()
        assert b"&replaces=" not in told.lower()


def test_a_notify_without_an_event_is_not_it() -> None:
    assert not go_on(parse(f"NOTIFY sip:a@b SIP/2.0\r\nContent-Length: 3\r\n\r\n{'abc'}".encode()))
