"""Voicemail in the media process: mailboxes of the snapshot's users, their PINs from site state, and their lamps."""

import asyncio
import wave
from pathlib import Path
from uuid import uuid4

from cloud.pbx.default_dial_plan import default_dial_plan
from contract.snapshot import DistributionList, GroupMailbox, Site, Snapshot, User, VoicemailPolicy
from contract.sync.state import Stamp, StateRecord
from edge_agent.clock import SystemClock
from edge_agent.media.mailbox.message import Caller, Folder
from edge_agent.media.mailbox.store import MailboxLimits
from edge_agent.ports import MessagesWaiting
from edge_agent.processes.child import Bell
from edge_agent.processes.link import Prepare
from edge_agent.processes.voicemail import SiteVoicemail
from edge_agent.tokens import SystemTokens
from edge_agent.views import mailbox_limits, voicemail_config
from tests.support.waiting import eventually_async


class Bells(Bell):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.lamps: list[MessagesWaiting] = []
        self.values: dict[str, str | bool] = {}

    def messages_waiting(self, counts: MessagesWaiting) -> None:
        self.lamps.append(counts)

    def wrote(self, values: dict[str, str | bool]) -> None:
        self.values |= values


def user(number: str, *permissions: str, enabled: bool = True) -> User:
    return User(
        user_id=f"u-{number}",
        username=f"name{number}",
        display_name=number,
        extension=number,
        permissions=permissions,
        enabled=enabled,
    )


def snapshot(policy: VoicemailPolicy | None = None) -> Snapshot:
    return Snapshot(
        version=1,
        site=Site(
            site_id="s",
            tenant_id="t",
            name="Site",
            domain="demo.tandem.test",
            realm="r",
            time_zone="Europe/Berlin",
            voicemail=policy or VoicemailPolicy(),
        ),
        users=(user("200", "Voicemail"), user("201"), user("202", "Voicemail", enabled=False)),
        dial_plan=default_dial_plan(uuid4()),
    )


def record(key: str, value: str | None, wall_ms: int = 1) -> StateRecord:
    return StateRecord(key=key, value=value, stamp=Stamp(wall_ms=wall_ms, node="edge-1"))


def prepared(made: Snapshot, *state: StateRecord) -> Prepare:
    return Prepare(version=made.version, snapshot=made, secrets={}, state=state)


def test_who_may_has_a_mailbox_that_answers_as_the_site_decided() -> None:
    policy = VoicemailPolicy(
        language="de", longest_seconds=60, operator="100", messages=9, deleted_days=1, kept_days=30
    )
    made = snapshot(policy)
    state = {
        "voicemail_pin/u-200": record("voicemail_pin/u-200", "scrypt:x:y"),
        "voicemail_greeting/u-200": record("voicemail_greeting/u-200", "out_of_office"),
    }
    config = voicemail_config(made, state)
    (box,) = config.mailboxes.values()
    assert (box.user_id, box.username, box.extension) == ("u-200", "name200", "200")
    assert (box.pin, box.greeting, box.language) == ("scrypt:x:y", "out_of_office", "de")
    assert (str(config.zone), config.longest_seconds, config.operator) == ("Europe/Berlin", 60, "100")
    assert mailbox_limits(made) == MailboxLimits(messages=9, deleted_days=1, kept_days=30)
    assert voicemail_config(made, {}).mailboxes["u-200"].greeting == "standard"


async def test_lamps_are_told_at_the_start_and_whenever_a_message_comes(tmp_path: Path) -> None:
    bell = Bells()
    voicemail = SiteVoicemail(tmp_path, bell, SystemClock(), SystemTokens())
    voicemail.prepare(prepared(snapshot()))
    assert bell.lamps == []
    voicemail.commit()
    await eventually_async(lambda: bell.lamps == [MessagesWaiting("u-200")])

    def leave() -> None:

        draft = voicemail.store.begin("u-200", Caller(number="201"))
        with wave.open(str(draft.audio), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(bytes(32_000))
        voicemail.store.keep(draft, urgent=True)

    await asyncio.to_thread(leave)
    await eventually_async(lambda: bell.lamps[-1] == MessagesWaiting("u-200", new=1, urgent_new=1))
    voicemail.stop()


async def test_what_users_change_at_the_site_counts_from_the_next_call_on(tmp_path: Path) -> None:
    voicemail = SiteVoicemail(tmp_path, Bells(), SystemClock(), SystemTokens())
    voicemail.prepare(prepared(snapshot(), record("voicemail_pin/u-200", "scrypt:old:x", 5)))
    voicemail.commit()
    config = voicemail.application._config
    assert config().mailboxes["u-200"].pin == "scrypt:old:x"
    voicemail.set_state([record("voicemail_pin/u-200", "scrypt:new:x", 9)])
    voicemail.set_state([record("voicemail_pin/u-200", "scrypt:late:x", 7)])
    assert config().mailboxes["u-200"].pin == "scrypt:new:x"
    # A configuration that comes later brings what the agent knew when it was prepared, which may be older.
    voicemail.prepare(prepared(snapshot(), record("voicemail_pin/u-200", "scrypt:old:x", 5)))
    voicemail.commit()
    assert config().mailboxes["u-200"].pin == "scrypt:new:x"
    voicemail.stop()


def with_group(*owners: str) -> Snapshot:
    made = snapshot()
    group = GroupMailbox(service_id="support", name="Support", extension="300", owners=owners)
    plan = made.dial_plan.model_copy(update={"voice_services": (group,)})
    return made.model_copy(update={"version": 2, "dial_plan": plan})


def leave(voicemail: SiteVoicemail, mailbox: str) -> None:
    draft = voicemail.store.begin(mailbox, Caller(number="201"))
    with wave.open(str(draft.audio), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    voicemail.store.keep(draft)


async def test_the_lamps_of_all_owners_tell_of_a_group_mailbox_and_of_their_own(tmp_path: Path) -> None:
    bell = Bells()
    voicemail = SiteVoicemail(tmp_path, bell, SystemClock(), SystemTokens())
    voicemail.prepare(prepared(with_group("u-200", "u-201")))
    voicemail.commit()
    await asyncio.to_thread(leave, voicemail, "support")

    def lamps() -> dict[str, int]:
        return {one.user_id: one.new for one in bell.lamps}

    await eventually_async(lambda: lamps() == {"u-200": 1, "u-201": 1})
    await asyncio.to_thread(leave, voicemail, "u-200")
    await eventually_async(lambda: lamps() == {"u-200": 2, "u-201": 1})
    (message,) = await asyncio.to_thread(voicemail.store.messages, "support", Folder.INBOX)
    await asyncio.to_thread(voicemail.store.mark_heard, "support", message.message_id)
    await eventually_async(lambda: lamps() == {"u-200": 1, "u-201": 0})
    # Whoever owns it no longer is told so, without any message coming.
    await asyncio.to_thread(leave, voicemail, "support")
    await eventually_async(lambda: lamps() == {"u-200": 2, "u-201": 1})
    voicemail.prepare(prepared(with_group("u-201")))
    voicemail.commit()
    await eventually_async(lambda: lamps() == {"u-200": 1, "u-201": 1})
    voicemail.stop()


def test_lists_of_users_and_of_the_site_are_as_they_were_set() -> None:
    lists = (DistributionList(number="70", name="Everybody", members=("u-200", "support")),)
    made = with_group("u-200")
    made = made.model_copy(update={"site": made.site.model_copy(update={"voicemail": VoicemailPolicy(lists=lists)})})
    state = {
        key: record(key, value)
        for key, value in {"voicemail_list/u-200/3": "support u-201", "voicemail_list/support/0": ""}.items()
    }
    config = voicemail_config(made, state)
    assert config.lists == {"70": ("u-200", "support")}
    assert config.mailboxes["u-200"].lists == {"3": ("support", "u-201")}
    group = config.mailboxes["support"]
    assert (group.extension, group.owners, group.lists) == ("300", ("u-200",), {})
