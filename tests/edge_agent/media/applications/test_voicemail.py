"""Voicemail as callers and owners of mailboxes meet it, by the keys; the disk is real, the call is a script."""

from dataclasses import dataclass, field, replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from contract.pin import hashed, is_right
from edge_agent.media.applications.voicemail import Mailbox, Voicemail, VoicemailConfig
from edge_agent.media.applications.voicemail.attempts import LOCKED_SECONDS
from edge_agent.media.errors import SessionEnded
from edge_agent.media.mailbox.message import Caller, Folder, Message
from edge_agent.media.mailbox.store import MailboxLimits, MailboxStore
from edge_agent.media.speech import Languages
from edge_agent.tokens import SystemTokens
from tests.support.hand_clock import HandClock
from tests.support.scripted_call import HangsUp, Nothing, ScriptedCall, Speaks, Step

LANGUAGES = Languages()
TOKENS = SystemTokens()
PIN = "2580"
BOXES = {
    "u-1": Mailbox("u-1", "anna", "200", pin=hashed(PIN, TOKENS.token(16))),
    "u-2": Mailbox("u-2", "bert", "201"),
    "u-3": Mailbox("u-3", "cleo", "202", language="de"),
}


@dataclass
class Site:
    """Mailboxes of three users."""

    folder: Path
    clock: HandClock = field(default_factory=HandClock)
    config: VoicemailConfig = field(default_factory=lambda: VoicemailConfig(BOXES))
    written: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = MailboxStore(self.folder, self.clock, TOKENS, MailboxLimits(messages=5))
        self.voicemail = Voicemail(self.store, LANGUAGES, lambda: self.config, self.written.update, self.clock, TOKENS)

    async def call(self, *script: Step, action: str = "deposit", mailbox: str = "anna", **call: Any) -> ScriptedCall:
        """One call to its end, whoever ends it."""
        made = ScriptedCall(script, arguments={"action": action, "mailbox": mailbox}, **call)
        try:
            await self.voicemail.run(made)
        except SessionEnded:
            made.heard.append("ended")
        return made

    async def own(self, *script: Step, mailbox: str = "anna") -> ScriptedCall:
        """The owner at their own phone."""
        return await self.call(*script, action="retrieve", mailbox=mailbox)

    def inbox(self, user_id: str = "u-1") -> list[Message]:
        return self.store.messages(user_id, Folder.INBOX)

    async def left(self, seconds: float = 5.0, **call: Any) -> Message:
        """A message that somebody left just now."""
        before = {one.message_id for one in self.inbox()}
        self.clock.advance(60)
        await self.call(Speaks(seconds), "2", Nothing(), **call)
        return next(one for one in self.inbox() if one.message_id not in before)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def phrases(call: ScriptedCall) -> list[str]:
    """What was said, without numbers and recordings."""
    return [one.partition("phrase.")[2] for one in call.heard if one.startswith("phrase.")]


# -- leaving a message


async def test_a_caller_leaves_a_message_after_the_tone(site: Site) -> None:
    call = await site.call(Speaks(5), "2", Nothing())
    assert call.heard[:7] == [
        "phrase.please_leave_a_message_for",
        "phrase.extension",
        "number.2",
        "number.0",
        "number.0",
        "phrase.after_the_tone",
        "beep",
    ]
    assert phrases(call)[-3:] == ["deposit_review", "sent", "goodbye"]
    (message,) = site.inbox()
    assert (message.duration_seconds, message.urgent, message.heard) == (5.0, False, False)
    assert message.caller == Caller(number="+4930123456")


async def test_a_caller_who_hangs_up_when_they_have_spoken_has_left_a_message(site: Site) -> None:
    call = await site.call(Speaks(4, hangs_up=True))
    assert call.heard[-1] == "ended"
    assert [one.duration_seconds for one in site.inbox()] == [4.0]


async def test_a_caller_who_says_nothing_leaves_nothing(site: Site) -> None:
    scripts: list[list[Step]] = [[Speaks(0.2, hangs_up=True)], [HangsUp()], [Speaks(0.5, key=""), Nothing()]]
    for script in scripts:
        await site.call(*script)
    assert site.inbox() == []
    assert [one for one in site.folder.rglob("*") if one.is_file()] == []


async def test_a_message_is_listened_to_recorded_again_and_sent_as_urgent(site: Site) -> None:
    call = await site.call(Speaks(5), "1", "3", Speaks(3), "4", Nothing())
    assert call.heard.count("beep") == 2
    assert phrases(call)[-2:] == ["marked_urgent", "goodbye"]
    (message,) = site.inbox()
    assert (message.duration_seconds, message.urgent) == (3.0, True)


async def test_a_message_that_is_cancelled_is_none(site: Site) -> None:
    call = await site.call(Speaks(5), "*", Nothing())
    assert "cancelled" in phrases(call)
    assert site.inbox() == []


async def test_what_is_too_short_is_recorded_again_and_what_is_too_long_is_cut(site: Site) -> None:
    call = await site.call(Speaks(0.3), Speaks(999), "2", Nothing())
    assert "too_short" in phrases(call)
    assert [one.duration_seconds for one in site.inbox()] == [300.0]


async def test_whoever_does_not_choose_has_sent_it(site: Site) -> None:
    await site.call(Speaks(5), Nothing(), Nothing())
    await site.call(Speaks(5), "9", "9", "9", Nothing())
    assert len(site.inbox()) == 2


async def test_a_full_mailbox_says_so(site: Site) -> None:
    for _ in range(5):
        await site.left()
    call = await site.call(Nothing())
    assert phrases(call)[-2:] == ["mailbox_full", "goodbye"]


async def test_a_disk_that_is_full_is_told_to_the_caller(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(site.store, "begin", full)
    call = await site.call(Nothing())
    assert "cannot_record" in phrases(call)


async def test_a_call_from_a_user_of_the_site_can_be_answered_with_a_message(site: Site) -> None:
    message = await site.left(caller="201", asserted="bert")
    assert message.caller == Caller(number="201", user_id="u-2")
    # What a caller only says of themselves does not count.
    assert (await site.left(caller="201")).caller.user_id == ""


async def test_the_greeting_in_use_is_heard_and_skipped_by_any_key(site: Site) -> None:
    await site.own("5", "1", "1", Speaks(6), "2", "*", "8")
    call = await site.call("#", Speaks(5), "2", Nothing())
    assert call.heard[:2] == ["greeting.standard", "beep"]
    site.config = VoicemailConfig({**BOXES, "u-1": replace(BOXES["u-1"], greeting="out_of_office")})
    call = await site.call(Speaks(5), "2", Nothing())
    assert call.heard[0] == "phrase.please_leave_a_message_for"


async def test_the_recorded_name_stands_for_the_extension(site: Site) -> None:
    await site.own("5", "2", Speaks(2), "2", "*", "8")
    call = await site.call(Speaks(5), "2", Nothing())
    assert call.heard[:3] == ["phrase.please_leave_a_message_for", "greeting.name", "phrase.after_the_tone"]


async def test_zero_leads_to_the_operator_where_there_is_one(site: Site) -> None:
    call = await site.call("0", Speaks(5), "2", Nothing())
    assert call.transferred == ""
    site.config = VoicemailConfig(BOXES, operator="100")
    assert (await site.call("0")).transferred == "100"
    assert (await site.own("0")).transferred == "100"
    assert len(site.inbox()) == 1


async def test_a_mailbox_answers_in_its_own_language(site: Site) -> None:
    paths: list[Path] = []
    call = ScriptedCall([Speaks(5), "2", Nothing()], arguments={"action": "deposit", "mailbox": "cleo"})
    play = call.play

    async def noting(*prompts: Any, **how: Any) -> float:
        paths.extend(one.path for one in prompts)
        return await play(*prompts, **how)

    call.play = noting  # type: ignore[method-assign]
    await site.voicemail.run(call)
    assert paths[0].parent.name == "de"


# -- listening


async def test_the_owner_hears_how_many_messages_wait_and_each_of_them(site: Site) -> None:
    first = await site.left()
    second = await site.left()
    call = await site.own("1", Nothing(), "4", Nothing(), "3", "8")
    assert call.heard[:4] == ["phrase.you_have", "number.2", "phrase.new_messages", "phrase.main_menu"]
    assert call.heard.index(second.message_id) < call.heard.index(first.message_id)
    assert phrases(call)[-3:] == ["no_more_messages", "main_menu", "goodbye"]
    assert [one.message_id for one in site.store.messages("u-1", Folder.SAVED)] == [first.message_id]
    assert [one.message_id for one in site.store.messages("u-1", Folder.DELETED)] == [second.message_id]
    call = await site.own("8")
    assert call.heard[:7] == [
        "phrase.you_have",
        "phrase.no",
        "phrase.new_messages",
        "phrase.and",
        "number.1",
        "phrase.saved_message",
        "phrase.main_menu",
    ]


async def test_a_message_that_was_begun_is_heard_and_others_stay_new(site: Site) -> None:
    await site.left()
    await site.left()
    await site.own("1", "9", HangsUp())
    assert sorted(one.heard for one in site.inbox()) == [False, True]


async def test_a_deleted_message_is_taken_back(site: Site) -> None:
    await site.left()
    await site.own("1", "4", "3", Nothing(), "3", "8")
    assert [one.folder for one in site.inbox()] == [Folder.INBOX]


async def test_the_envelope_says_who_and_when_and_how_long(site: Site) -> None:
    site.config = VoicemailConfig(BOXES, zone=timezone(timedelta(hours=1)))
    await site.left(5.0, caller="201", asserted="bert")
    call = await site.own("1", "1", "0", "8")
    said = call.heard[call.heard.index("phrase.from") :]
    assert said[:6] == ["phrase.from", "phrase.extension", "number.2", "number.0", "number.1", "phrase.received"]
    assert said[6:11] == ["word.today", "word.at", "number.1", "number.17", "word.am"]
    assert said[11:13] == ["number.5", "phrase.seconds"]


async def test_seven_and_nine_go_back_and_on_while_a_message_plays(site: Site) -> None:
    message = await site.left(60.0)
    call = await site.own("1", "9", "7", "7", "4", "8")
    played = [one for one in call.heard if one.startswith(message.message_id)]
    assert played == [message.message_id, f"{message.message_id}@11", f"{message.message_id}@2", message.message_id]


async def test_messages_are_left_and_come_back_to_by_star_and_pound(site: Site) -> None:
    first, second = await site.left(), await site.left()
    call = await site.own("1", "#", "*", "#", "#", "8")
    played = [one for one in call.heard if one in (first.message_id, second.message_id)]
    assert played == [second.message_id, first.message_id, second.message_id, first.message_id]


async def test_a_message_that_goes_for_good_meanwhile_is_passed_over(site: Site) -> None:
    first, second = await site.left(), await site.left()
    call = ScriptedCall(["1", "#", "#", "8"], arguments={"action": "retrieve", "mailbox": "anna"})
    play = call.play

    async def cleaning(*prompts: Any, **how: Any) -> float:
        if any(one.path.stem == second.message_id for one in prompts):
            site.store.move("u-1", second.message_id, Folder.DELETED)
            site.store.empty_deleted("u-1")
        return await play(*prompts, **how)

    call.play = cleaning  # type: ignore[method-assign]
    await site.voicemail.run(call)
    assert first.message_id in call.heard
    assert phrases(call)[-3:] == ["no_more_messages", "main_menu", "goodbye"]


# -- sending


async def test_a_message_is_sent_on_with_a_comment(site: Site) -> None:
    message = await site.left(7.0)
    call = await site.own("1", "5", "201#", "999#", "202#", "#", "1", Speaks(3), "2", "4", "8")
    assert "no_mailbox" in phrases(call)
    assert "sent" in phrases(call)
    for user_id in ("u-2", "u-3"):
        (copy,) = site.inbox(user_id)
        assert (copy.caller, copy.comment, copy.duration_seconds) == (message.caller, True, 7.0)
        assert copy.forwarded_by == Caller(number="200", user_id="u-1")
    # Who gets it hears the comment first.
    call = await site.own("1", Nothing(), "1", "8", "8", mailbox="bert")
    copy_id = site.inbox("u-2")[0].message_id
    assert [one for one in call.heard if one.startswith(copy_id)][:2] == [f"{copy_id}.comment", copy_id]
    assert list(site.folder.glob(".scratch*")) == []


async def test_a_user_of_the_site_is_answered_with_a_message_and_nobody_else(site: Site) -> None:
    await site.left(caller="201", asserted="bert")
    await site.own("1", "6", Speaks(4), "2", "4", "8")
    (answer,) = site.inbox("u-2")
    assert (answer.caller, answer.duration_seconds) == (Caller(number="200", user_id="u-1"), 4.0)
    await site.left()
    assert "reply_impossible" in phrases(await site.own("1", "6", "4", "8"))


async def test_a_message_is_sent_to_several_at_once_and_whose_mailbox_is_full_is_told(site: Site) -> None:
    await site.own("4", "201#", "202#", "#", Speaks(4), "2", "8")
    assert [one.duration_seconds for user in ("u-2", "u-3") for one in site.inbox(user)] == [4.0, 4.0]
    for _ in range(4):
        await site.call(Speaks(2), "2", Nothing(), mailbox="bert")
    call = await site.own("4", "201#", "202#", "#", Speaks(4), "2", "8")
    assert "mailbox_full" in phrases(call)
    assert len(site.inbox("u-3")) == 2
    call = await site.own("4", "#", "8")
    assert "cancelled" in phrases(call)


# -- PINs and options


async def test_from_any_phone_one_logs_in_by_extension_and_pin(site: Site) -> None:
    await site.left()
    call = await site.call("*", f"200#{PIN}#", "8")
    assert phrases(call) == [
        "please_leave_a_message_for",
        "extension",
        "after_the_tone",
        "enter_extension",
        "enter_pin",
        "you_have",
        "new_message",
        "main_menu",
        "goodbye",
    ]


async def test_an_unknown_extension_and_a_mailbox_without_a_pin_look_like_a_wrong_pin(site: Site) -> None:
    said = []
    for number, pin in (("999", "1111"), ("201", ""), ("201", "0000"), ("200", "1111")):
        call = await site.call("*", f"{number}#{pin}#", HangsUp())
        said.append(phrases(call)[3:])
    assert all(one == ["enter_extension", "enter_pin", "wrong_pin"][: len(one)] for one in said)
    assert len({tuple(one) for one in said}) == 1


async def test_after_five_wrong_pins_a_mailbox_is_closed_for_a_while_to_who_knows_it_too(site: Site) -> None:
    for _ in range(5):
        await site.call("*", "200#1111#", HangsUp())
    assert "pin_locked" in phrases(await site.call("*", "200#", Nothing()))
    # At one's own phone nothing is asked for, and nothing is locked.
    assert "main_menu" in phrases(await site.own("8"))
    site.clock.advance(LOCKED_SECONDS + 1)
    assert "main_menu" in phrases(await site.call("*", f"200#{PIN}#", "8"))


async def test_a_new_pin_is_kept_as_a_hash_and_has_to_be_a_good_one(site: Site) -> None:
    assert "pin_too_short" in phrases(await site.own("5", "5", "1234#", "*", "8"))
    assert "pin_differs" in phrases(await site.own("5", "5", "2468#", "8642#", "*", "8"))
    assert site.written == {}
    assert "pin_changed" in phrases(await site.own("5", "5", "2468#", "2468#", "*", "8"))
    kept = site.written["voicemail_pin/u-1"]
    assert "2468" not in kept
    assert is_right("2468", kept)
    assert not is_right("2469", kept)


async def test_the_greeting_in_use_is_chosen_among_those_that_were_recorded(site: Site) -> None:
    assert "no_such_greeting" in phrases(await site.own("5", "3", "2", "*", "8"))
    await site.own("5", "1", "2", Speaks(6), "2", "3", "2", "*", "8")
    assert site.written == {"voicemail_greeting/u-1": "out_of_office"}
    await site.own("5", "3", "0", "*", "8")
    assert site.written == {"voicemail_greeting/u-1": "system"}


async def test_a_greeting_that_is_not_kept_leaves_the_old_one(site: Site) -> None:
    await site.own("5", "1", "1", Speaks(6), "2", "*", "8")
    old = (site.folder / "u-1" / "greeting.standard.wav").read_bytes()
    await site.own("5", "1", "1", Speaks(3), "*", "*", "8")
    await site.own("5", "1", "1", Speaks(3, hangs_up=True))
    assert (site.folder / "u-1" / "greeting.standard.wav").read_bytes() == old
    assert [one.name for one in (site.folder / "u-1").iterdir()] == ["greeting.standard.wav"]


async def test_the_deleted_go_for_good_by_the_options(site: Site) -> None:
    await site.left()
    await site.own("1", "4", "5", "4", "*", "8")
    assert site.store.messages("u-1", Folder.DELETED) == []


async def test_a_caller_who_never_presses_a_key_is_said_goodbye_to(site: Site) -> None:
    call = await site.own(Nothing(), Nothing(), Nothing(), Nothing())
    assert phrases(call)[-4:] == ["main_menu", "main_menu", "main_menu", "goodbye"]


async def test_a_mailbox_that_is_not_there_asks_whose_it_is(site: Site) -> None:
    call = await site.call(f"200#{PIN}#", "8", mailbox="nobody")
    assert "main_menu" in phrases(call)
