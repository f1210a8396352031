"""Two calls of trunks that a phone brings together: the proxy sees no more of them, yet they have one record."""

from dataclasses import replace
from urllib.parse import quote

import pytest

from contract.snapshot import CallPattern, DialPattern, InternalRule, OutsideRule, Trunk
from edge_agent.sip.dialog import DialogKey
from edge_agent.sip.message import Message
from edge_agent.sip.presence.events import SWEEP_SECONDS
from edge_agent.sip.proxy.transfers import SECONDS, Transfers
from tests.edge_agent.sip.proxy.test_dial_plan import with_plan
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone

TRUNK = Trunk(gateway_id="trunk", name="Trunk", host="voice.test", username="office")
OUT = OutsideRule(
    rule_id="out",
    name="Out",
    patterns=(DialPattern(prefix="0"),),
    call=CallPattern(prefix="+41", keep="variable"),
    gateways=("trunk",),
)


def replaces_of(dialog: DialogKey) -> str:
    """A Replaces that names a call of the trunks' user agent."""
    tags = f";to-tag={dialog.local_tag.decode()};from-tag={dialog.remote_tag.decode()}"
    return dialog.call_id.decode() + tags


class Joining:
    """202 talks to a caller outside and to somebody that he called outside, and brings them together."""

    def __init__(self, site: MemorySite) -> None:
        self.site = site
        self.agent = SipPhone(site.network, ("127.0.0.1", 5070), EDGE, "0791112233", (200,))
        self.configure()
        self.phone = site.phone("202", 200)
        self.came = self.agent.request("INVITE", uri("202"))
        site.network.run()
        self.came_answer, self.arrived = self.agent.responses[-1], self.phone.ringing
        self.agent.in_dialog("ACK", self.came, self.came_answer)
        site.network.clock.advance(5)
        self.went = self.phone.authenticated("INVITE", uri("0792223344"))
        self.went_answer = self.phone.responses[-1]
        assert (self.came_answer.status, self.went_answer.status) == (200, 200)
        self.phone.in_dialog("ACK", self.went, self.went_answer)
        site.network.run()
        tags = self.came_answer.from_tag, self.came_answer.to_tag
        self.kept = DialogKey(self.came.call_id, *tags)
        self.other = DialogKey(self.went.call_id, self.went_answer.to_tag, self.went_answer.from_tag)

    def configure(self, out: OutsideRule = OUT, **permissions: tuple[str, ...]) -> None:
        """Who may what, by the numbers of users after a letter; anybody may call out."""
        users: dict[str, dict[str, object]] = {name[1:]: {"permissions": own} for name, own in permissions.items()}
        config = with_plan(users, rules=(InternalRule(rule_id="internal"), out), trunks=(TRUNK,))
        config = replace(config, trunks_at=self.agent.address, trusted=frozenset({self.agent.address}))
        self.site.configure(config)

    @property
    def calls(self) -> Transfers:
        """What the trunks' user agent tells."""
        return self.site.endpoint.calls.transfers

    def refer(self, *others: DialogKey) -> int:
        """202 asks for it, or to be joined with another call; the status of that."""
        headers = "&".join(f"Replaces={quote(replaces_of(one))}" for one in others or (self.other,))
        self.within(self.phone, "REFER", f"Refer-To: <sip:0792223344@127.0.0.1:5070?{headers}>\r\n")
        return self.phone.responses[-1].status

    def within(self, who: SipPhone, method: str, headers: str = "") -> Message:
        """In the dialog of the caller."""
        called = who is self.phone
        ringing = self.arrived if called else self.came
        message = who.in_dialog(method, ringing, self.came_answer, called, headers=headers)
        self.site.network.run()
        return message

    def leave(self) -> None:
        """Both dialogs with 202 are over."""
        self.within(self.agent, "BYE")
        self.agent.in_dialog("BYE", self.agent.ringing, self.went_answer, as_callee=True)
        self.site.network.run()

    def told(self) -> list[str]:
        return [reason.partition(" (")[0] for reason in self.site.record.reasons]


@pytest.fixture
def joining(site: MemorySite) -> Joining:
    return Joining(site)


@pytest.mark.parametrize("asked", ["seen", "long ago", "and left"])
@pytest.mark.parametrize(("by_other", "who"), [(False, "0791112233"), (True, "0792223344")])
def test_two_calls_that_are_joined_are_one_record_until_the_last_of_them_ends(
    joining: Joining, asked: str, by_other: bool, who: str
) -> None:
    assert joining.refer() == 200
    if asked == "long ago":
        joining.site.network.run(SECONDS + SWEEP_SECONDS)
    if asked == "and left":
        joining.leave()
    joining.calls.joined(joining.kept, joining.other)
    if asked != "and left":
        joining.leave()
    joining.site.network.run(SECONDS + SWEEP_SECONDS)
    assert (joining.site.log.records, len(joining.site.log.open_calls)) == ([], 1)
    assert len(joining.site.endpoint.calls.newest(10)) == 1
    joining.site.network.clock.advance(60)
    joining.calls.parted(joining.kept, by_other)
    record = joining.site.record
    assert (record.caller, record.callee, record.callee_user_id) == ("0791112233", "202", "user-202")
    assert (record.sip_call_id, record.disposition) == (joining.came.call_id.decode(), "answered")
    assert (record.ended_at - record.started_at).total_seconds() >= 60
    told = joining.told()
    assert told[-4:] == [
        "answered: 202 took the call",
        "consulted: 202 asked 0792223344 first",
        "transferred: 202 passed the call on to 0792223344",
        f"hung_up: {who} ended the call",
    ]
    assert joining.site.log.open_calls == {}
    assert joining.site.endpoint.calls.newest(10) == []


def test_calls_that_could_not_be_joined_go_on_with_a_record_each(joining: Joining) -> None:
    assert joining.refer() == 200
    joining.calls.not_joined(joining.kept, joining.other)
    assert len(joining.site.log.open_calls) == 2
    joining.leave()
    first, second = joining.site.log.records
    assert {first.caller, second.caller} == {"0791112233", "202"}
    assert any(one.startswith("transfer_failed: 202 could not") for one in (*first.reasons, *second.reasons))


def test_what_is_said_of_calls_that_nobody_knows_changes_nothing(joining: Joining) -> None:
    stranger = DialogKey(b"nobody", b"a", b"b")
    joining.calls.joined(stranger, joining.other)
    joining.calls.joined(joining.kept, joining.kept)
    joining.calls.not_joined(stranger, joining.kept)
    joining.calls.parted(stranger, False)
    joining.leave()
    assert len(joining.site.log.records) == 2


@pytest.fixture
def theirs(joining: Joining) -> tuple[Message, Message]:
    """A call of 201 to somebody outside, and its answer."""
    phone = joining.site.phone("201", 200)
    went = phone.authenticated("INVITE", uri("0793334455"))
    answer = phone.responses[-1]
    assert answer.status == 200
    phone.in_dialog("ACK", went, answer)
    joining.site.network.run()
    return went, answer


@pytest.mark.parametrize(("permissions", "status"), [((), 403), (("CallPickup",), 200)])
def test_the_call_of_another_is_joined_by_who_may_pick_it_up(
    joining: Joining, theirs: tuple[Message, Message], permissions: tuple[str, ...], status: int
) -> None:
    joining.configure(_202=permissions)
    went, answer = theirs
    other = DialogKey(went.call_id, answer.to_tag, answer.from_tag)
    assert joining.refer(joining.other, other) == status
    came = next(one for one in joining.site.log.open_calls.values() if one.caller == "0791112233")
    told = "transfer_refused: 202 may not pass the call on to 0793334455 (Transfer Not Allowed)"
    assert (told in came.reasons) == (status == 403)


@pytest.mark.parametrize(("permissions", "status"), [((), 403), (("Mobile",), 200)])
def test_a_call_that_another_placed_and_passed_on_is_joined_by_who_might_have_called_there(
    joining: Joining, theirs: tuple[Message, Message], permissions: tuple[str, ...], status: int
) -> None:
    """201, who may call mobiles, passes such a call on to 202, who talks to a caller from outside."""
    went, answer = theirs
    joining.configure(OUT.model_copy(update={"permissions": ("Mobile",)}), _201=("Mobile",), _202=permissions)
    tags = f";local-tag={answer.to_tag.decode()};remote-tag={answer.from_tag.decode()}"
    headers = f"P-Served-User: <{uri('201')}>\r\nTarget-Dialog: {went.call_id.decode()}{tags}\r\n"
    passed = joining.agent.request("INVITE", uri("202"), headers=headers, call="passed-on")
    joining.site.network.run()
    taken = joining.agent.responses[-1]
    assert taken.status == 200
    assert joining.refer(DialogKey(passed.call_id, taken.from_tag, taken.to_tag)) == status


def test_calls_that_came_in_and_those_that_one_placed_are_joined_whatever_one_may_call_now(joining: Joining) -> None:
    joining.configure(OUT.model_copy(update={"permissions": ("Mobile",)}))
    assert joining.refer() == 200
    came = joining.agent.request("INVITE", uri("202"), call="another")
    joining.site.network.run()
    answer = joining.agent.responses[-1]
    assert joining.refer(DialogKey(came.call_id, answer.from_tag, answer.to_tag)) == 200
