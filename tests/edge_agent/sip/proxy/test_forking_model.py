"""A forked call in random order: whatever phones, timers, losses and the caller do, the rules of a proxy hold.

RFC 3261 §16.7, §16.8, §17; RFC 6026. One call to one user with three phones; each step is seen by what the messages
on the network say, and at the end nothing may be left.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge_agent.sip.message import Message
from tests.support.memory_network import Address, Delivery
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone

PHONES = 3
MOST_MESSAGES = 11
"""The edge's repetitions of one message: timers A, E and G, and what a phone or the caller repeats within a step."""
TIMER_B = 32.0
phones = st.integers(0, PHONES - 1)
provisional = st.sampled_from([100, 180, 183])
final = st.sampled_from([200, 302, 400, 404, 408, 480, 486, 487, 500, 503, 600, 603])
seconds = st.sampled_from([0.3, 1.0, 6.0, 21.0, 33.0, 190.0])


class Fork(RuleBasedStateMachine):
    """One INVITE to a user with three phones, of which some may have a lower q."""

    @initialize(lower=st.lists(phones, unique=True, max_size=2))
    def invite(self, lower: list[int]) -> None:
        self.site = MemorySite()
        self.caller = self.site.phone("200")
        self.phones = [self.site.phone("201", q="0.5" if at in lower else "1.0") for at in range(PHONES)]
        self.site.network.loses = self.is_lost
        self.to_lose = 0
        self.taken_back = self.acknowledged = False
        self.answers: list[tuple[SipPhone, Message, int]] = []
        self.late: set[int] = set()
        """Answers, by their place, that came when the edge had given the phone up (Timer B)."""
        self.request = self.caller.authenticated("INVITE", uri("201"))
        self.steps = 0
        self.began = self.now()

    def now(self) -> float:
        return self.site.network.clock.monotonic()

    def called_at(self, phone: SipPhone) -> float:
        return next(one.at for one in self.sent(phone.address) if one.start == "INVITE")

    def is_lost(self, data: bytes, source: Address, target: Address) -> bool:
        del data, source, target
        self.to_lose -= self.to_lose > 0
        return self.to_lose > 0

    # -- what may happen

    @rule(which=phones, status=st.one_of(provisional, final))
    def phone_answers(self, which: int, status: int) -> None:
        phone = self.phones[which]
        if "INVITE" in phone.methods:
            invite = phone.ringing
            phone.answer(status, invite)
            if self.now() - self.called_at(phone) > TIMER_B - 1.0:
                self.late.add(len(self.answers))
            self.answers.append((phone, invite, status))
        self.site.network.run()

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def phone_repeats_an_answer(self, data: st.DataObject) -> None:
        phone, invite, status = data.draw(st.sampled_from(self.answers[-4:]))
        phone.answer(status, invite)
        self.site.network.run()

    @precondition(lambda self: not self.finals() and self.now() - self.began < TIMER_B - 1.0)
    @rule()
    def caller_repeats_its_invite(self) -> None:
        self.caller.send(self.request)
        self.site.network.run()

    @rule()
    def caller_takes_it_back(self) -> None:
        self.taken_back = True
        self.caller.cancel(self.request)
        self.site.network.run()

    @precondition(lambda self: any(status >= 300 for status in self.finals()))
    @rule()
    def caller_acknowledges_a_refusal(self) -> None:
        self.acknowledged = True
        refusal = next(one for one in self.final_responses() if one.status >= 300)
        self.caller.acknowledge_refusal(self.request, refusal)
        self.site.network.run()

    @rule(seconds=seconds)
    def time_passes(self, seconds: float) -> None:
        self.site.network.run(seconds)

    @rule(count=st.integers(1, 4))
    def messages_will_be_lost(self, count: int) -> None:
        self.to_lose = count + 1

    # -- what holds

    def final_responses(self) -> list[Message]:
        """Of the INVITE that was let in, without what came to CANCEL."""
        number = self.request.cseq
        return [one for one in self.caller.responses if one.cseq == number and one.status >= 200]

    def finals(self) -> list[int]:
        return [one.status for one in self.final_responses()]

    def sent(self, target: Address) -> list[Delivery]:
        return [one for one in self.site.network.log if one.source == EDGE and one.target == target]

    @invariant()
    def the_caller_gets_one_refusal_and_none_after_a_2xx(self) -> None:
        finals = self.finals()
        refusals = {(one.status, one.to_tag) for one in self.final_responses() if one.status >= 300}
        assert len(refusals) <= 1, finals
        if 200 in finals:
            assert all(status == 200 for status in finals[finals.index(200) :]), finals

    @invariant()
    def each_phone_has_one_transaction(self) -> None:
        for phone in self.phones:
            branches = {one.via.branch for one in phone.requests if one.method == b"INVITE"}
            assert len(branches) <= 1

    @invariant()
    def one_answer_brings_a_bounded_number_of_messages(self) -> None:
        self.steps += 1
        for target in (self.caller.address, *(phone.address for phone in self.phones)):
            assert len(self.sent(target)) <= MOST_MESSAGES * (self.steps + 4)

    @invariant()
    def nobody_rings_on_when_the_call_is_over(self) -> None:
        if self.something_was_lost():
            return
        decisive = any(status == 200 or status >= 600 for phone in self.phones for status in self.in_time(phone))
        if not decisive and not self.taken_back:
            return
        for phone in self.phones:
            statuses = self.in_time(phone)
            if statuses and max(statuses) < 200:
                assert "CANCEL" in phone.methods, "a phone rings on"

    def in_time(self, phone: SipPhone) -> list[int]:
        """What it answered while the edge still waited for it: its first final answer is the last of these."""
        given = [status for at, (one, _, status) in enumerate(self.answers) if one is phone and at not in self.late]
        first = next((at for at, status in enumerate(given) if status >= 200), len(given))
        return given[: first + 1]

    def something_was_lost(self) -> bool:
        return any(one.lost for one in self.site.network.log)

    # -- what is left at the end

    def teardown(self) -> None:
        if not hasattr(self, "site"):
            return
        lossless = not self.something_was_lost()
        self.to_lose = 0
        # The caller acknowledges whatever refusal comes, and every timer has its time: Timer C for each q, and 32 s.
        for _ in range(12):
            self.site.network.run(60.0)
            if refusals := [one for one in self.final_responses() if one.status >= 300]:
                self.caller.acknowledge_refusal(self.request, refusals[0])
        self.site.network.run(60.0)
        figures = self.site.endpoint.figures()
        assert (figures["transactions.client"], figures["transactions.server"]) == (0, 0)
        if lossless:
            self.everything_came_to_an_end()

    def everything_came_to_an_end(self) -> None:
        assert self.finals(), "the caller was left without a final response"
        answered = 200 in self.finals()
        assert len(self.site.log.open_calls) == answered


Fork.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestForking = Fork.TestCase
