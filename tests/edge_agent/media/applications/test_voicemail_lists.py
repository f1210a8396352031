"""Distribution lists and group mailboxes by the keys; the disk is real, the call is a script."""

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest

from contract.mailbox_state import LIST, MOST_MEMBERS
from contract.pin import hashed
from edge_agent.media.applications.voicemail import Mailbox, VoicemailConfig
from edge_agent.media.errors import SessionEnded
from edge_agent.media.mailbox.message import Caller, Folder
from tests.edge_agent.media.applications.test_voicemail import BOXES, PIN, TOKENS, Site, phrases
from tests.support.scripted_call import HangsUp, Nothing, ScriptedCall, Speaks

GROUP_PIN = "7391"
GROUP = Mailbox("support", "300", "300", pin=hashed(GROUP_PIN, TOKENS.token(16)), owners=("u-1", "u-2"))
OTHER = Mailbox("sales", "301", "301", owners=("u-1",))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, config=VoicemailConfig(BOXES, lists={"70": ("u-2", "u-3", "u-gone")}))


def with_groups(site: Site, *groups: Mailbox) -> Site:
    site.config = replace(site.config, mailboxes={**BOXES, **{one.user_id: one for one in groups}})
    return site


async def test_a_message_is_sent_to_everybody_on_a_list_of_the_site(site: Site) -> None:
    call = await site.own("4", "*70#", "#", Speaks(4), "2", "8")
    assert call.heard[call.heard.index("phrase.list") :][:3] == ["phrase.list", "number.7", "number.0"]
    assert [one.duration_seconds for user in ("u-2", "u-3") for one in site.inbox(user)] == [4.0, 4.0]
    assert site.store.mailboxes() == ("u-2", "u-3")


async def test_a_message_is_sent_on_to_a_list_of_ones_own_that_was_just_made(site: Site) -> None:
    message = await site.left(6.0)
    call = await site.own(
        *("5", "6", "3", "2", "201#", "202#", "999#", "200#", "#", "*", "*", "*"),
        *("1", "5", "*3#", "#", "2", "4", "8"),
    )
    assert phrases(call).count("list_added") == 3
    assert "no_mailbox" in phrases(call)
    assert site.written == {f"{LIST}/u-1/3": "u-2 u-3 u-1"}
    # Whoever sends is not sent it, though they are on the list themselves.
    for user_id in ("u-2", "u-3"):
        (copy,) = site.inbox(user_id)
        assert (copy.caller, copy.forwarded_by) == (message.caller, Caller(number="200", user_id="u-1"))
    assert site.inbox() == []
    assert [one.message_id for one in site.store.messages("u-1", Folder.DELETED)] == [message.message_id]


async def test_a_list_is_heard_shortened_and_deleted(site: Site) -> None:
    site.config = VoicemailConfig({**BOXES, "u-1": replace(BOXES["u-1"], lists={"0": ("u-2", "u-3")})})
    call = await site.own("5", "6", "0", "1", "3", "201#", "3", "201#", "1", Nothing(), "4", "*", "*", "8")
    extensions = [call.heard[at + 1 : at + 4] for at, name in enumerate(call.heard) if name == "phrase.extension"]
    # The first time a key ends it, and is the next choice; the second time only one is left to be named.
    assert extensions == [["number.2", "number.0", "number.1"], ["number.2", "number.0", "number.2"]]
    assert "list_removed" in phrases(call)
    assert "list_without" in phrases(call)
    assert site.written == {f"{LIST}/u-1/0": ""}
    assert "list_empty" in phrases(await site.own("5", "6", "1", "1", "*", "*", "*", "8"))


async def test_a_list_that_is_not_there_is_told_and_so_is_one_that_is_full(site: Site) -> None:
    call = await site.own("4", "*71#", "*3#", "*#", "#", "8")
    assert phrases(call).count("no_list") == 3
    full = {f"m-{number}": Mailbox(f"m-{number}", f"m{number}", str(1000 + number)) for number in range(MOST_MEMBERS)}
    anna = replace(BOXES["u-1"], lists={"1": tuple(full)})
    site.config = VoicemailConfig({**BOXES, **full, "u-1": anna})
    call = await site.own("5", "6", "1", "2", "201#", "*", "*", "*", "8")
    assert "too_many" in phrases(call)
    assert site.written == {}


async def test_a_message_for_several_owners_is_one_message_to_all_of_them(site: Site) -> None:
    with_groups(site, GROUP)
    call = ScriptedCall([Speaks(5), "2", Nothing()], arguments={"service": "support"})
    await site.voicemail.run(call)
    assert call.heard[:5] == [
        "phrase.please_leave_a_message_for",
        "phrase.extension",
        "number.3",
        "number.0",
        "number.0",
    ]
    (message,) = site.inbox("support")
    call = await site.own("6", "1", Nothing(), "3", "8", mailbox="bert")
    said = call.heard[: call.heard.index("phrase.main_menu")]
    assert said == [
        *("phrase.you_have", "phrase.no", "phrase.new_messages"),
        *("phrase.extension", "number.3", "number.0", "number.0", "number.1", "phrase.new_message"),
    ]
    assert message.message_id in call.heard
    assert [one.message_id for one in site.store.messages("support", Folder.SAVED)] == [message.message_id]
    # Nobody else is offered it, and an owner of several says which.
    assert "group_menu" not in phrases(await site.own("6", "8", mailbox="cleo"))
    with_groups(site, GROUP, OTHER)
    call = await site.own("6", "302#", "6", "300#", "2", Nothing(), "4", "8")
    assert "no_mailbox" in phrases(call)
    assert [one.message_id for one in site.store.messages("support", Folder.DELETED)] == [message.message_id]


async def test_a_group_mailbox_opens_by_its_pin_and_by_that_of_an_owner_at_his_own_phone(site: Site) -> None:
    with_groups(site, GROUP)

    async def menu(pin: str, asserted: str) -> bool:
        call = ScriptedCall(
            ["*", f"300#{pin}#", "8"], arguments={"service": "support"}, caller="200", asserted=asserted
        )
        with contextlib.suppress(SessionEnded):
            await site.voicemail.run(call)
        return "you_have" in phrases(call)

    assert await menu(GROUP_PIN, "")
    assert await menu(PIN, "anna")
    # The PIN of an owner is his own only at his phone; nobody else's opens it.
    assert not await menu(PIN, "")
    assert not await menu(PIN, "cleo")


async def test_wrong_pins_of_owners_close_a_group_mailbox_too(site: Site) -> None:
    with_groups(site, replace(GROUP, pin=""))
    for _ in range(5):
        await site.call("*", "300#1111#", HangsUp(), asserted="anna")
    assert "pin_locked" in phrases(await site.call("*", "300#", Nothing(), asserted="anna"))


async def test_a_group_mailbox_is_answered_and_answers(site: Site) -> None:
    with_groups(site, GROUP)
    await site.call(Speaks(5), "2", Nothing(), mailbox="300", caller="202", asserted="cleo")
    await site.own("6", "1", "6", Speaks(3), "2", "4", "8")
    (answer,) = site.inbox("u-3")
    assert answer.caller == Caller(number="300", user_id="support")
    await site.own("1", "6", Speaks(2), "2", "4", "8", mailbox="cleo")
    assert [one.duration_seconds for one in site.inbox("support")] == [2.0]
