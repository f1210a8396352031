"""Messages over the API: whose they are, their sound in parts, and what is done with them."""

from typing import Any

import pytest
from sqlalchemy import select

from cloud.models import AuditEntry, Command
from tests.cloud.api.test_mailboxes import with_group
from tests.support.api_world import ApiWorld
from tests.support.customers import add_user, enrolled_edge
from tests.support.left_messages import TellingEdge, described, sound

SOUND = sound(10.0)
LARGE = sound(300.0)
WAV = {"Accept": "audio/wav"}


class Mailbox:
    """A user's mailbox with messages in it."""

    def __init__(self, world: ApiWorld) -> None:
        self.world = world
        edge = enrolled_edge(world.databases.api, world.ours, world.clock.now())
        self.telling = TellingEdge(world.databases, edge.known, world.clock)
        self.own = f"/users/{world.user_id}/mailbox/messages"

    def leave(self, number: int = 1, content: bytes = SOUND, *, send: bool = True, **more: Any) -> str:
        assert self.telling.tell(self.telling.message(self.world.user_id, content, f"{number:016x}", **more)) == [None]
        if send:
            files = self.world.services.files
            assert files is not None
            rules = {"voicemail": {"recordings_leave": True}}
            assert self.world.admin.patch(f"/sites/{self.world.ours.site_id}", rules).status == 200
            assert self.telling.send(files.store, content).complete
        found: str = self.world.user.get(self.own).json["items"][0]["id"]
        return found


@pytest.fixture
def mailbox(world: ApiWorld) -> Mailbox:
    return Mailbox(world)


def test_a_user_sees_the_messages_by_folder_with_counts_and_no_one_elses(mailbox: Mailbox, world: ApiWorld) -> None:
    mailbox.leave(1, send=False)
    mailbox.leave(2, send=False, heard=True, folder="saved")
    listed = world.user.get(mailbox.own).json
    assert [one["folder"] for one in listed["items"]] == ["saved", "inbox"]
    assert listed["counts"]["inbox"] == {"messages": 1, "unheard": 1}
    assert listed["items"][1]["caller_name"] == "Ada Example"
    assert listed["items"][1]["audio"] == "at_the_site"
    assert [one["folder"] for one in world.user.get(f"{mailbox.own}?folder=inbox").json["items"]] == ["inbox"]
    first = world.user.get(f"{mailbox.own}?limit=1").json
    rest = world.user.get(f"{mailbox.own}?limit=1&cursor={first['next']}").json
    assert [one["folder"] for one in first["items"] + rest["items"]] == ["saved", "inbox"]
    with world.databases.api.session(world.ours.scope) as session:
        other = add_user(session, world.ours, "299").id
    assert world.user.get(f"/users/{other}/mailbox/messages").status == 404
    assert world.admin.get(f"/users/{other}/mailbox/messages").json["items"] == []
    assert world.stranger.get(mailbox.own).status == 404


def test_an_administrator_hears_a_users_message_and_the_audit_says_so(mailbox: Mailbox, world: ApiWorld) -> None:
    message = mailbox.leave()
    path = f"{mailbox.own}/{message}/audio"
    assert world.user.get(path, WAV).body == SOUND
    assert world.admin.get(path, WAV | {"Range": "bytes=0-99"}).body == SOUND[:100]
    assert world.admin.get(path, WAV | {"Range": "bytes=100-199"}).status == 206
    assert world.stranger.get(path).status == 404
    assert world.anyone.get(path).status == 401
    with world.databases.api.session(world.ours.scope) as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "voicemail.listened"))
        assert entry.resource_id == str(world.user_id)


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-1", 206, 0, 1),
        ("bytes=100-", 206, 100, len(SOUND) - 1),
        ("bytes=-10", 206, len(SOUND) - 10, len(SOUND) - 1),
        (f"bytes=0-{10**14}", 206, 0, len(SOUND) - 1),
        ("bytes=9-3", 200, 0, len(SOUND) - 1),
        ("bytes=0-1,5-6", 200, 0, len(SOUND) - 1),
        ("octets=0-1", 200, 0, len(SOUND) - 1),
        ("bytes=-", 200, 0, len(SOUND) - 1),
    ],
)
def test_the_sound_comes_in_the_part_that_is_asked_for(
    mailbox: Mailbox, world: ApiWorld, asked: str, status: int, first: int, last: int
) -> None:
    answer = world.user.get(f"{mailbox.own}/{mailbox.leave()}/audio", WAV | {"Range": asked})
    assert (answer.status, answer.body) == (status, SOUND[first : last + 1])
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers.get("content-range") == (f"bytes {first}-{last}/{len(SOUND)}" if status == 206 else None)


def test_what_is_beyond_the_end_is_told_and_another_recording_is_given_whole(mailbox: Mailbox, world: ApiWorld) -> None:
    path = f"{mailbox.own}/{mailbox.leave()}/audio"
    beyond = world.user.get(path, WAV | {"Range": f"bytes={len(SOUND)}-"})
    assert (beyond.status, beyond.headers["content-range"]) == (416, f"bytes */{len(SOUND)}")
    assert world.user.get(path, WAV | {"Range": "bytes=0-1", "If-Range": '"other"'}).status == 200
    assert world.user.get(path, WAV | {"Range": "bytes=0-1", "If-Range": f'"{described(SOUND).digest}"'}).status == 206


def test_a_large_recording_is_given_in_parts_only_none_above_a_megabyte(mailbox: Mailbox, world: ApiWorld) -> None:
    path = f"{mailbox.own}/{mailbox.leave(content=LARGE)}/audio"
    refused = world.user.get(path, WAV)
    assert refused.status == 422
    assert refused.json["type"].endswith("range-needed")
    whole, at = b"", 0
    while at < len(LARGE):
        part = world.user.get(path, WAV | {"Range": f"bytes={at}-"})
        assert part.status == 206
        assert len(part.body) <= 1024 * 1024
        whole, at = whole + part.body, at + len(part.body)
    assert whole == LARGE


def test_a_recording_that_stays_at_the_site_is_not_there_and_that_is_said(mailbox: Mailbox, world: ApiWorld) -> None:
    message = mailbox.leave(send=False)
    answer = world.user.get(f"{mailbox.own}/{message}/audio")
    assert answer.status == 404
    assert "stays at its site" in answer.json["detail"]
    world.admin.patch(f"/sites/{world.ours.site_id}", {"voicemail": {"recordings_leave": True}})
    assert world.user.get(f"{mailbox.own}/{message}").json["audio"] == "coming"
    assert world.user.get(f"{mailbox.own}/{mailbox.leave(2)}/audio?part=comment").status == 404


def test_what_is_done_with_a_message_shows_at_once_and_is_asked_of_the_edge(mailbox: Mailbox, world: ApiWorld) -> None:
    path = f"{mailbox.own}/{mailbox.leave(send=False)}"
    assert world.user.patch(path, {"heard": True}).json["heard"] is True
    assert world.user.patch(path, {"folder": "saved"}).json["folder"] == "saved"
    assert world.user.delete(path).status == 204
    deleted = world.user.get(path).json
    assert deleted["folder"] == "deleted"
    assert deleted["deleted_at"] is not None
    back = world.user.patch(path, {"folder": "inbox", "heard": False}).json
    assert (back["folder"], back["heard"], back["deleted_at"]) == ("inbox", False, None)
    assert world.user.patch(path, {"folder": "inbox"}).status == 200  # nothing new: nothing is asked
    with world.databases.api.session(world.ours.scope) as session:
        asked = session.scalars(select(Command).where(Command.name == "change_message").order_by(Command.id)).all()
        assert [(one.arguments["folder"], one.arguments["heard"]) for one in asked] == [
            ("inbox", "true"),
            ("saved", "true"),
            ("deleted", "true"),
            ("inbox", "false"),
        ]
    for body in ({"folder": "attic"}, {"heard": "perhaps"}, {"caller_name": "x"}):
        assert world.user.patch(path, body).status == 422
    assert world.stranger.patch(path, {"heard": True}).status == 404
    assert world.stranger.delete(path).status == 404


def test_what_is_mailed_is_the_users_own_to_say(world: ApiWorld) -> None:
    path = f"/users/{world.user_id}/mailbox/mail"
    assert world.user.get(path).json["email"] is None
    wish = {"email": "ada@customer.test", "recording": "attach", "format": "brief", "delete_after": True}
    assert world.user.put(path, wish).json == wish
    assert world.admin.get(path).json == wish
    refused = world.user.put(path, {**wish, "recording": "link"})
    assert refused.fields == {"delete_after"}
    for wrong in ({"email": "nobody"}, {"format": "long"}, {"recording": True}):
        assert world.user.put(path, {**wish, **wrong}).status == 422
    assert world.stranger.put(path, wish).status == 404
    assert world.user.put(path, {"email": None}).json["email"] is None
    assert world.user.get(path).json["recording"] == "none"


def test_the_owners_of_a_group_mailbox_see_the_same_messages_and_nobody_else(mailbox: Mailbox, world: ApiWorld) -> None:
    with world.databases.api.session(world.ours.scope) as session:
        other = add_user(session, world.ours, "377").id
    with_group(world, str(world.user_id), str(other))
    told = mailbox.telling.message("support", SOUND, f"{7:016x}", caller_user_id="support")
    assert mailbox.telling.tell(told) == [None]
    (shown,) = world.user.get(mailbox.own).json["items"]
    assert (shown["mailbox"], shown["caller_user_id"]) == ("Support", None)
    theirs = f"/users/{other}/mailbox/messages"
    assert [one["id"] for one in world.admin.get(theirs).json["items"]] == [shown["id"]]
    # What one owner does with it, the others see, and the edge is asked for it by the mailbox's own name.
    assert world.user.patch(f"{mailbox.own}/{shown['id']}", {"folder": "saved"}).status == 200
    assert world.admin.get(theirs).json["counts"]["saved"] == {"messages": 1, "unheard": 0}
    with world.databases.api.session(world.ours.scope) as session:
        wish = session.scalars(select(Command).where(Command.name == "change_message")).one()
        assert wish.arguments["user_id"] == "support"
    with_group(world, str(other))
    assert world.user.get(mailbox.own).json["items"] == []
    assert world.user.get(f"{mailbox.own}/{shown['id']}").status == 404
    assert world.user.patch(f"{mailbox.own}/{shown['id']}", {"heard": True}).status == 404
    gone = told.model_copy(update={"gone": True})
    assert mailbox.telling.tell(gone) == [None]
    assert world.admin.get(theirs).json["items"] == []


def test_a_message_of_a_mailbox_that_the_site_has_not_is_taken_by_nobody(mailbox: Mailbox, world: ApiWorld) -> None:
    told = mailbox.telling.message("support", SOUND)
    assert mailbox.telling.tell(told) == ["an id in it is none of ours: no mailbox support"]


def test_the_imap_mailbox_is_the_users_own_to_say_and_its_password_never_comes_out(world: ApiWorld) -> None:
    path = f"/users/{world.user_id}/mailbox/imap"
    assert world.user.get(path).json["host"] is None
    account = {"host": "imap.customer.test", "username": "ada@customer.test", "folder": "Voicemail"}
    assert world.user.put(path, account).fields == {"password"}
    shown = world.user.put(path, {**account, "password": "planted-1"})
    assert (shown.status, shown.json["port"], shown.json["security"]) == (200, 993, "tls")
    assert world.admin.get(path).json == shown.json
    assert "planted-1" not in str(shown.json)
    moved = world.user.put(path, {**account, "folder": "Calls", "delete_after": True})
    assert (moved.status, moved.json["folder"], moved.json["delete_after"]) == (200, "Calls", True)
    elsewhere = {**account, "host": "imap.other.test"}
    assert world.user.put(path, elsewhere).fields == {"password"}
    assert world.user.put(path, {**account, "security": "starttls"}).fields == {"password"}
    started = world.user.put(path, {**account, "security": "starttls", "password": "planted-2"})
    assert started.json["port"] == 143
    wrong: tuple[dict[str, object], ...] = (
        {"host": "imap.test/x"},
        {"host": "[::1]"},
        {"port": 0},
        {"security": "none"},
        {"folder": ""},
        {"folder": "a\r\nb"},
        {"username": "a\r\nb"},
        {"password": ""},
        {"password": "a\r\nb"},
        {"username": ""},
    )
    for one in wrong:
        assert world.user.put(path, {**account, "password": "x", **one}).status == 422
    assert world.stranger.put(path, account).status == 404
    assert world.user.put(path, {"host": None}).json["host"] is None
    with world.databases.api.session(world.ours.scope) as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.voicemail_imap_changed")).all()
        assert len(entries) == 4
        assert "planted" not in str([entry.changes for entry in entries])
