"""Phones are told to fetch again: one by one, after their calls, again when they do not hear, and with an end."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.devices import load_catalogue
from contract.sync.events import PhoneResync
from edge_agent.ports import Notice, NoticeOutcome, NoticeRefused, NoticeState
from edge_agent.provisioning.handed import Handed
from edge_agent.provisioning.render import Renderer
from edge_agent.provisioning.resync import FETCH_SECONDS, OUTCOME_SECONDS, PACE_SECONDS, RETRY_SECONDS, Resync
from tests.support.site_phones import RecordedReporter, account, generic, phone, site, yealink

CATALOGUE = load_catalogue()
YEALINK, SNOM, GENERIC = "device-1", "device-2", "device-3"
MODELS = {YEALINK: "yealink/t54w", SNOM: "snom/d785", GENERIC: "generic/sip"}


class World:
    def __init__(self) -> None:
        self.reporter, self.sent = RecordedReporter(), list[Notice]()
        self.refuse = False
        self.resync = Resync(CATALOGUE, self.send, self.reporter)
        self.resync.serve(MODELS)
        self.now = 1000.0

    def send(self, notice: Notice) -> None:
        if self.refuse:
            raise NoticeRefused("too many wait")
        self.sent.append(notice)

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.resync.advance(self.now)

    def told(self, state: NoticeState, text: str = "") -> None:
        self.resync.told(NoticeOutcome(self.sent[-1].notice_id, state, text=text), self.now)

    @property
    def states(self) -> list[tuple[str, str, str]]:
        return [
            (each.device_id, each.state, each.text) for each in self.reporter.reports if isinstance(each, PhoneResync)
        ]


def test_a_changed_phone_is_asked_by_its_vendors_event_and_seen_to_fetch() -> None:
    world = World()
    assert world.resync.changed([YEALINK], world.now) == 1
    world.later(0)
    assert [(each.device_id, each.event) for each in world.sent] == [(YEALINK, "check-sync;reboot=false")]
    world.told("accepted")
    world.resync.fetched(YEALINK)
    assert [state for _, state, _ in world.states] == ["asked", "fetched"]
    assert world.resync.deadline is None


def test_an_order_may_have_phones_start_again_and_names_itself_in_what_becomes_of_them() -> None:
    world = World()
    world.resync.ordered("job-1", [SNOM], world.now, reboot=True)
    world.later(0)
    assert world.sent[0].event == "check-sync;reboot=true"
    world.told("accepted")
    assert {each.job_id for each in world.reporter.reports if isinstance(each, PhoneResync)} == {"job-1"}


def test_a_phone_in_a_call_is_waited_for_as_long_as_the_call_lasts() -> None:
    world = World()
    world.resync.ordered("job-1", [YEALINK], world.now)
    world.later(0)
    world.told("deferred")
    world.later(10_000)
    world.told("accepted")
    assert [state for _, state, _ in world.states] == ["deferred", "asked"]


def test_a_phone_that_cannot_be_asked_is_tried_again_and_then_given_up_with_the_reason() -> None:
    world = World()
    world.resync.ordered("job-1", [YEALINK], world.now)
    world.later(0)
    for wait in RETRY_SECONDS:
        world.told("unreachable", "no answer within 32 seconds")
        assert world.states == []
        world.later(wait)
    world.told("unreachable", "no answer within 32 seconds")
    assert len(world.sent) == 4
    assert world.states == [(YEALINK, "failed", "no answer within 32 seconds")]


def test_a_notice_without_a_word_and_one_that_is_refused_are_tried_again() -> None:
    world = World()
    world.resync.ordered("job-1", [YEALINK], world.now)
    world.refuse = True
    world.later(0)
    world.refuse = False
    world.later(RETRY_SECONDS[0])
    assert len(world.sent) == 1
    world.later(OUTCOME_SECONDS)
    world.later(RETRY_SECONDS[1])
    assert len(world.sent) == 2
    late = replace(NoticeOutcome(world.sent[0].notice_id, "accepted"))
    world.resync.told(late, world.now)
    assert world.states == []


def test_a_phone_that_was_asked_and_does_not_fetch_has_failed() -> None:
    world = World()
    world.resync.ordered("job-1", [YEALINK], world.now)
    world.later(0)
    world.told("accepted")
    world.later(FETCH_SECONDS)
    assert world.states[-1] == (YEALINK, "failed", "it was asked and did not fetch its files")


def test_a_change_says_nothing_of_phones_that_are_not_there_but_an_order_does() -> None:
    world = World()
    world.resync.changed([YEALINK, GENERIC], world.now)
    world.later(0)
    world.told("not_registered")
    assert world.states == []
    assert len(world.resync) == 0
    world.resync.ordered("job-1", [GENERIC, "device-9"], world.now)
    assert world.states == [
        (GENERIC, "failed", "its vendor has no notice for this"),
        ("device-9", "failed", "the site has no such device"),
    ]


def test_many_phones_are_asked_one_after_the_other() -> None:
    world = World()
    models = {f"d{n}": "yealink/t54w" for n in range(1000)}
    world.resync.serve(models)
    world.resync.ordered("job-1", models, world.now)
    world.later(0)
    assert len(world.sent) == 1
    for _ in range(1000):
        deadline = world.resync.deadline
        assert deadline is not None
        world.later(max(0.0, deadline - world.now))
        if len(world.sent) == 1000:
            break
    assert len(world.sent) == 1000
    assert world.now - 1000.0 == pytest.approx(999 * PACE_SECONDS, rel=0.01)


def test_a_device_that_is_deleted_is_forgotten() -> None:
    world = World()
    world.resync.ordered("job-1", [YEALINK, SNOM], world.now)
    world.resync.serve({SNOM: "snom/d785"})
    world.later(1)
    assert [each.device_id for each in world.sent] == [SNOM]


def test_only_the_devices_whose_own_files_differ_have_changed() -> None:
    renderer, handed = Renderer(CATALOGUE), Handed()
    old = renderer.render(site(yealink(), generic(), phone("snom/d785", "000413a1b2c3")))
    new = renderer.render(site(yealink(accounts=(account(name="Front"),)), generic(), yealink(mac="805ec0000201")))
    assert handed.serve(old.digests()) == ()
    assert handed.serve(new.digests()) == ("device-805ec0000200",)
    assert handed.serve(new.digests()) == ()  # it is being told


def test_a_change_that_nobody_was_told_of_is_found_after_a_restart() -> None:
    before = Handed()
    before.serve({YEALINK: "1", SNOM: "1"})
    before.serve({YEALINK: "2", SNOM: "2"})
    before.settled(SNOM)
    after = Handed(before.content)
    assert after.serve({YEALINK: "2", SNOM: "2", GENERIC: "1"}) == (YEALINK,)
    after.settled(YEALINK)
    assert Handed(after.content).serve({YEALINK: "2", SNOM: "3"}) == (SNOM,)


@given(st.binary(max_size=60) | st.sampled_from([b"[1]", b'{"a": 1}', b"[[[[", b'{"device-1": "2"}']))
def test_whatever_was_kept_is_read_or_forgotten(content: bytes) -> None:
    assert Handed(content).serve({YEALINK: "1"}) in ((), (YEALINK,))


def test_what_is_nested_without_end_is_forgotten() -> None:
    assert Handed(b"[" * 100_000).serve({YEALINK: "1"}) == ()


def test_a_phone_of_an_uploaded_plug_in_is_told_by_that_plug_ins_event() -> None:
    world = World()
    acme = replace(CATALOGUE.plugins["generic"], vendor="acme", resync_event="acme-sync")
    assert world.resync.changed(["device-9"], world.now) == 0
    world.resync.serve({"device-9": "acme/one"}, CATALOGUE.extended({"acme": acme}))
    assert world.resync.changed(["device-9"], world.now) == 1
    world.later(0)
    assert [each.event for each in world.sent] == ["acme-sync"]


def test_who_waits_hears_that_a_phone_is_not_told_any_more() -> None:
    world, over = World(), list[str]()
    world.resync.over = over.append
    world.resync.changed([YEALINK, GENERIC], world.now)
    assert over == [GENERIC]  # it has no way to hear
    world.later(0)
    world.told("accepted")
    world.resync.fetched(YEALINK)
    assert over == [GENERIC, YEALINK]
