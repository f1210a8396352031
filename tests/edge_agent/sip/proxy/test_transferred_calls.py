"""A trunk's call that is transferred is one call for people, and has one record: with its story, however it goes."""

from dataclasses import replace

import pytest

from contract.snapshot import InternalRule, Trunk
from edge_agent.sip.message import Message
from tests.edge_agent.sip.proxy.test_dial_plan import OUT, with_plan
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone

TRUNK = Trunk(gateway_id="trunk", name="Trunk", host="voice.test", username="office")


def naming(answer: Message) -> str:
    """The header that names the call of this answer."""
    tags = f";local-tag={answer.from_tag.decode()};remote-tag={answer.to_tag.decode()}"
    return f"Target-Dialog: {answer.call_id.decode()}{tags}\r\n"


class Passing:
    """A call of the trunk to 202, who passes it on: the trunks' user agent places the calls that it is asked for."""

    def __init__(self, site: MemorySite) -> None:
        self.site = site
        self.agent = SipPhone(site.network, ("127.0.0.1", 5070), EDGE, "0791112233", (200,))
        trusted = frozenset({self.agent.address})
        config = with_plan(rules=(InternalRule(rule_id="internal"), OUT), trunks=(TRUNK,))
        site.configure(replace(config, trunks_at=self.agent.address, trusted=trusted))
        self.phone = site.phone("202", 200)
        self.invite = self.agent.request("INVITE", uri("202"))
        site.network.run()
        self.answer = self.agent.responses[-1]
        assert self.answer.status == 200
        self.agent.in_dialog("ACK", self.invite, self.answer)
        site.network.run()

    def to(self, number: str) -> Message:
        """The call that is placed to pass the first one on."""
        headers = f"P-Served-User: <{uri('202')}>\r\n{naming(self.answer)}"
        invite = self.agent.request("INVITE", uri(number), headers=headers, call=f"passing-{number}")
        self.site.network.run()
        return invite

    def leave(self) -> None:
        """202 hangs up."""
        self.agent.in_dialog("BYE", self.invite, self.answer)
        self.site.network.run()

    def codes(self) -> list[str]:
        """The steps of the only record's story."""
        return [reason.partition(":")[0] for reason in self.site.record.reasons]


@pytest.fixture
def passing(site: MemorySite) -> Passing:
    return Passing(site)


@pytest.mark.parametrize("leaves", ["before the answer", "after it"])
def test_a_transferred_call_is_one_record_whenever_who_transfers_it_leaves(passing: Passing, leaves: str) -> None:
    other = passing.site.phone("201", *((180,) if leaves == "before the answer" else (200,)))
    invite = passing.to("201")
    if leaves == "before the answer":
        passing.leave()
        assert (passing.site.log.records, len(passing.site.log.open_calls)) == ([], 1)
        other.answer(200)
        passing.site.network.run()
    answer = next(one for one in reversed(passing.agent.responses) if one.status == 200 and one.cseq[1] == b"INVITE")
    passing.agent.in_dialog("ACK", invite, answer)
    if leaves == "after it":
        passing.leave()
    passing.site.network.run()
    assert passing.site.log.records == []
    passing.agent.in_dialog("BYE", invite, answer)
    passing.site.network.run()
    record = passing.site.record
    assert (record.caller, record.callee, record.callee_user_id) == ("0791112233", "202", "user-201")
    assert (record.disposition, record.sip_call_id) == ("answered", passing.invite.call_id.decode())
    told = [reason.partition(" (")[0] for reason in record.reasons]
    assert "answered: 202 took the call" in told
    assert "transferred: 202 passed the call on to 201" in told
    assert told[-1] == "hung_up: 0791112233 ended the call"
    assert passing.codes().index("transferred") > passing.codes().index("ring")
    assert passing.site.log.open_calls == {}


@pytest.mark.parametrize("status", [486, 480, 603])
def test_a_call_that_is_not_taken_comes_back_to_who_transferred_it_and_is_one_record(
    passing: Passing, status: int
) -> None:
    passing.site.phone("201", status)
    passing.to("201")
    assert passing.site.log.records == []
    passing.leave()
    record = passing.site.record
    assert (record.callee_user_id, record.disposition) == ("user-202", "answered")
    assert passing.codes()[-1] == "transfer_failed"
    assert passing.site.log.open_calls == {}


def test_a_call_whose_transfer_fails_when_nobody_is_left_ends_then(passing: Passing) -> None:
    other = passing.site.phone("201", 180)
    passing.to("201")
    passing.leave()
    passing.site.network.clock.advance(20)
    other.answer(486)
    passing.site.network.run()
    record = passing.site.record
    assert record.answered_at is not None
    assert (record.ended_at - record.answered_at).total_seconds() >= 20
    assert passing.codes()[-1] == "transfer_failed"
    assert passing.site.log.open_calls == {}


def test_a_call_that_is_transferred_twice_is_one_record(passing: Passing) -> None:
    passing.site.phone("201", 200)
    passing.site.phone("203", 200)
    first = passing.to("201")
    answer = passing.agent.responses[-1]
    passing.agent.in_dialog("ACK", first, answer)
    passing.leave()
    headers = f"P-Served-User: <{uri('201')}>\r\n{naming(answer)}"
    second = passing.agent.request("INVITE", uri("203"), headers=headers, call="passing-203")
    passing.site.network.run()
    last = passing.agent.responses[-1]
    passing.agent.in_dialog("ACK", second, last)
    passing.agent.in_dialog("BYE", first, answer)
    passing.agent.in_dialog("BYE", second, last)
    passing.site.network.run()
    record = passing.site.record
    assert record.callee_user_id == "user-203"
    told = [reason.partition(" (")[0] for reason in record.reasons if reason.startswith("transferred:")]
    assert told == [
        "transferred: 202 passed the call on to 201",
        "transferred: 201 passed the call on to 203",
    ]
    assert passing.site.log.open_calls == {}


def test_a_phone_cannot_put_its_call_into_anothers_record(passing: Passing) -> None:
    """Only the trunks' user agent is believed."""
    passing.site.phone("201", 200)
    stranger = passing.site.phone("203")
    invite = stranger.authenticated("INVITE", uri("201"), headers=naming(passing.answer))
    stranger.in_dialog("BYE", invite, stranger.responses[-1])
    passing.site.network.run()
    assert passing.site.record.caller == "203"
    passing.leave()
    assert len(passing.site.log.records) == 2


def test_whoever_is_called_hears_nothing_of_the_call_that_is_transferred(passing: Passing) -> None:
    other = passing.site.phone("201", 180)
    passing.to("201")
    assert not other.ringing.has(b"target-dialog")


def test_what_is_told_of_a_calls_media_stands_in_its_one_record_also_after_a_transfer(passing: Passing) -> None:
    calls, first = passing.site.endpoint.calls, passing.invite.call_id
    assert calls.users_in(first) == {"user-202"}
    calls.tell(first, "recorded: before")
    passing.site.phone("201", 200)
    invite = passing.to("201")
    answer = next(one for one in reversed(passing.agent.responses) if one.status == 200 and one.cseq[1] == b"INVITE")
    passing.agent.in_dialog("ACK", invite, answer)
    passing.leave()
    assert calls.users_in(invite.call_id) == {"user-201"}
    calls.tell(first, "recorded: after")
    calls.tell(b"of no call", "recorded: never")
    passing.agent.in_dialog("BYE", invite, answer)
    passing.site.network.run()
    told = [reason.partition(" (")[0] for reason in passing.site.record.reasons]
    assert [one for one in told if one.startswith("recorded")] == ["recorded: before", "recorded: after"]
