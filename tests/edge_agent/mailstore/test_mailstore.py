"""A mailstore of sipXcom's, made by its documented layout, comes to an edge: once, whole, and what cannot is named."""

import contextlib
import json
import os
import wave
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from cloud.pbx.default_dial_plan import default_dial_plan
from contract.snapshot import Site, Snapshot, User
from edge_agent.__main__ import main
from edge_agent.clock import SystemClock
from edge_agent.mailstore.reading import Sender, Unreadable, moment_of, sender_of
from edge_agent.mailstore.sound import NoSound, sound_of
from edge_agent.media.mailbox.message import Caller, Folder, Message
from edge_agent.media.mailbox.store import MailboxStore
from edge_agent.processes.voicemail import SiteVoicemail
from edge_agent.sync.store import SnapshotStore
from edge_agent.tokens import SystemTokens
from tests.edge_agent.processes.test_voicemail import Bells, prepared, record
from tests.support.waiting import eventually_async

SITE_ID = "6f2c1f6e-54a5-4d6c-9a35-0c53a4a2f7a1"
MOMENT = "Tue, 7-Aug-2012 03:04:05 PM CEST"


def sound(path: Path, seconds: float = 2.0, rate: int = 8000, hertz: float = 440.0) -> None:
    at = np.arange(int(seconds * rate)) / rate
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((8000 * np.sin(2 * np.pi * hertz * at)).astype("<i2").tobytes())


class OldStore:
    """`/var/sipxdata/mediaserver/data/mailstore` as sipXcom writes it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def message(
        self, user: str, stem: str, folder: str = "inbox", *marks: str, number: str = "00", seconds: float = 2.0
    ) -> Path:
        """A message; the file that describes it."""
        place = self.root / user / folder
        place.mkdir(parents=True, exist_ok=True)
        sound(place / f"{stem}-{number}.wav", seconds)
        return self.describe(place, stem, number, *marks)

    @staticmethod
    def describe(
        place: Path, stem: str, number: str, *marks: str, sender: str = "Ada &lt;sip:201@old.test&gt;"
    ) -> Path:
        path = place / f"{stem}-{number}.xml"
        path.write_text(
            "<?xml version='1.0' encoding='UTF-8'?><messagedescriptor>"
            f"<id>{stem}</id><from>{sender}</from><durationsecs>2</durationsecs><timestamp>{MOMENT}</timestamp>"
            "<subject>Voice Message</subject><priority>normal</priority></messagedescriptor>"
        )
        for mark in marks:
            (place / f"{stem}-{number}.{mark}").touch()
        return path


class Edge:
    """An edge's state folder with users 200 and 201, and its mailboxes."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        users = (("200", "anna", ("2000",)), ("201", "bert", ()))
        self.snapshot = Snapshot(
            version=1,
            site=Site(
                site_id=SITE_ID, tenant_id="t", name="S", domain="new.test", realm="r", time_zone="Europe/Berlin"
            ),
            users=tuple(
                User(
                    user_id=f"u-{number}",
                    username=name,
                    display_name=name,
                    extension=number,
                    aliases=aliases,
                    permissions=("Voicemail",),
                )
                for number, name, aliases in users
            ),
            dial_plan=default_dial_plan(UUID(SITE_ID)),
        )
        SnapshotStore(state_dir / "snapshot").save(self.snapshot)

    def messages(self, user_id: str, folder: Folder = Folder.INBOX) -> list[Message]:
        return MailboxStore(self.state_dir / "mailboxes", SystemClock(), SystemTokens()).messages(user_id, folder)


@pytest.fixture
def old(tmp_path: Path) -> OldStore:
    (tmp_path / "mailstore").mkdir()
    return OldStore(tmp_path / "mailstore")


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    return Edge(tmp_path / "edge")


def bring(old: OldStore, edge: Edge, *more: str) -> int:
    return main(["import-mailstore", str(old.root), "--state-dir", str(edge.state_dir), *more])


def test_messages_come_with_all_that_was_known_of_them(
    old: OldStore, edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    old.message("200", "00000001", "inbox", "sta", "urg", seconds=3.0)
    old.message("200", "00000002", "saved")
    old.message("200", "00000003", "deleted")
    old.message("200", "00000004", "conference")
    assert bring(old, edge) == 0
    (new,) = edge.messages("u-200")
    assert (new.heard, new.urgent, new.duration_seconds, new.comment) == (False, True, 3.0, False)
    assert new.caller == Caller(number="201", name="Ada", user_id="u-201")
    assert new.received_at == datetime(2012, 8, 7, 13, 4, 5, tzinfo=UTC)
    assert [one.heard for one in edge.messages("u-200", Folder.SAVED)] == [True, True]
    (deleted,) = edge.messages("u-200", Folder.DELETED)
    # It can be taken back as long as if it had been deleted here, just now.
    assert deleted.deleted_at is not None
    assert datetime.now(UTC) - deleted.deleted_at < timedelta(minutes=5)
    said = capsys.readouterr().out
    assert "[1/1] 200 -> 200: 4 messages brought, 0 brought before, 0 greetings, 0 lists, 0 not read" in said
    assert "PINs are not in a mailstore" in said


def test_a_second_time_brings_no_doubles_and_nothing_that_was_deleted_for_good(old: OldStore, edge: Edge) -> None:
    first = old.message("200", "00000001", "inbox", "sta")
    old.message("200", "00000002", "inbox", seconds=4.0)
    assert bring(old, edge) == 0
    # One was saved over there meanwhile, and one here was deleted for good.
    (old.root / "200" / "saved").mkdir()
    for file in first.parent.glob("00000001-00.*"):
        file.rename(old.root / "200" / "saved" / file.name)
    store = MailboxStore(edge.state_dir / "mailboxes", SystemClock(), SystemTokens())
    (gone,) = (one for one in store.messages("u-200", Folder.INBOX) if one.duration_seconds == 4.0)
    store.move("u-200", gone.message_id, Folder.DELETED)
    store.empty_deleted("u-200")
    old.message("200", "00000003", "inbox", seconds=5.0)
    assert bring(old, edge) == 0
    assert sorted(one.duration_seconds for one in edge.messages("u-200")) == [2.0, 5.0]


def test_a_message_that_was_sent_on_keeps_its_comment_and_who_sent_it(old: OldStore, edge: Edge) -> None:
    old.message("200", "00000007", "inbox", seconds=1.5)
    place = old.root / "200" / "inbox"
    sound(place / "00000007-01.wav", 6.0)
    old.describe(place, "00000007", "01", sender="sip:+4930123456@old.test;user=phone")
    assert bring(old, edge) == 0
    (message,) = edge.messages("u-200")
    assert (message.duration_seconds, message.comment) == (6.0, True)
    assert message.caller == Caller(number="+4930123456")
    assert message.forwarded_by == Caller(number="201", name="Ada", user_id="u-201")
    assert (edge.state_dir / "mailboxes" / "u-200" / f"{message.message_id}.comment.wav").exists()


def test_what_cannot_be_read_is_named_and_all_else_comes(
    old: OldStore, edge: Edge, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    old.message("200", "00000001")
    old.message("200", "00000002").write_text("<messagedescriptor><from>x")
    old.message("200", "00000003").write_text('<!DOCTYPE m [<!ENTITY a "aaaa">]><m><from>&a;</from></m>')
    old.message("200", "00000004").write_text("<m>" + "x" * 70_000 + "</m>")
    (old.message("200", "00000005").parent / "00000005-00.wav").write_bytes(b"RIFF and nothing else")
    file = old.message("200", "00000006").parent / "00000006-00.wav"
    file.rename(file.with_suffix(".mp3"))
    path = old.message("200", "00000007")
    path.write_text(path.read_text().replace(MOMENT, "yesterday"))
    (old.message("200", "00000008").parent / "00000008-00.xml").unlink()
    secret = tmp_path / "secret.xml"
    secret.write_text(path.read_text())
    linked = old.message("200", "00000009")
    linked.unlink()
    linked.symlink_to(secret)
    old.message("999", "00000001")
    assert bring(old, edge) == 1
    assert [one.duration_seconds for one in edge.messages("u-200")] == [2.0]
    said = capsys.readouterr().out
    reasons = (
        "00000002-00.xml: 00000002-00.xml is not read",
        "a document type declaration is not accepted",
        "larger than 65536 bytes",
        "00000005-00.wav: not a WAV file",
        "MP3 is not read",
        "its timestamp is no moment: 'yesterday'",
        "00000008-00.wav: a recording of which nothing is known",
        "00000009-00.xml: it is a link",
        "[2/2] 999: NOT BROUGHT",
        "8 not read",
    )
    assert [one for one in reasons if one not in said] == []


def test_a_mailbox_comes_to_whoever_is_named_for_it_or_has_the_alias(old: OldStore, edge: Edge) -> None:
    old.message("999", "00000001")
    old.message("2000", "00000001", seconds=3.0)
    assert bring(old, edge, "--as", "999=bert") == 0
    assert [one.duration_seconds for one in edge.messages("u-201")] == [2.0]
    assert [one.duration_seconds for one in edge.messages("u-200")] == [3.0]


async def test_a_running_edge_takes_up_messages_greetings_and_what_was_set_there(old: OldStore, edge: Edge) -> None:
    old.message("200", "00000001", "inbox", "sta")
    sound(old.root / "200" / "standard.wav", 3.0, 16_000)
    sound(old.root / "200" / "outofoffice.wav")
    (old.root / "200" / "mailboxprefs.xml").write_text("<prefs><activegreeting>outofoffice</activegreeting></prefs>")
    (old.root / "200" / "distribution.xml").write_text(
        "<distributions><list><index>3</index><destination>201</destination><destination>777</destination></list>"
        "<list><index>4</index><destination>201</destination></list></distributions>"
    )
    bell = Bells()
    voicemail = SiteVoicemail(edge.state_dir, bell, SystemClock(), SystemTokens())
    try:
        voicemail.prepare(prepared(edge.snapshot, record("voicemail_list/u-200/4", "u-200")))
        voicemail.commit()
        assert bring(old, edge) == 1  # 777 has no mailbox here
        await eventually_async(lambda: any((one.user_id, one.new) == ("u-200", 1) for one in bell.lamps), within=30)
        # What was set here since stays as it is.
        wanted = {"voicemail_greeting/u-200": "out_of_office", "voicemail_list/u-200/3": "u-201"}
        await eventually_async(lambda: bell.values == wanted, within=30)
        greeting = voicemail.store.greeting("u-200", "standard")
        assert greeting is not None
        with wave.open(str(greeting)) as file:
            assert (file.getframerate(), file.getnframes()) == (8000, 24_000)
        await eventually_async(lambda: not (edge.state_dir / "mailboxes" / ".imported").exists(), within=30)
    finally:
        voicemail.stop()


def test_a_kill_at_any_moment_leaves_whole_messages_and_the_next_time_goes_on(
    old: OldStore, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 4):
        old.message("200", f"0000000{number}", seconds=float(number))
    steps = 0

    class Killed(BaseException):
        pass

    real = os.fsync

    def fails(descriptor: int) -> None:
        nonlocal steps
        steps -= 1
        if steps == 0:
            raise Killed
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fails)
    for lasts in range(1, 9):
        steps, before = lasts, len(edge.messages("u-200"))
        with contextlib.suppress(Killed):
            bring(old, edge)
            assert before == 3, "it ended without being killed, though there was something to be done"
        for message in edge.messages("u-200"):
            assert (edge.state_dir / "mailboxes" / "u-200" / f"{message.message_id}.wav").stat().st_size > 44
    steps = -1
    assert bring(old, edge) == 0
    assert sorted(one.duration_seconds for one in edge.messages("u-200")) == [1.0, 2.0, 3.0]


def test_it_does_not_begin_where_it_cannot_end(
    old: OldStore, edge: Edge, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bring(old, edge) == 2
    old.message("200", "1")
    assert bring(old, edge, "--as", "200") == 2
    assert bring(old, edge, "--as", "2OO=201") == 2
    assert main(["import-mailstore", str(tmp_path / "nowhere"), "--state-dir", str(edge.state_dir)]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["import-mailstore", str(old.root), "--state-dir", str(tmp_path / "empty")]) == 2
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert bring(old, edge) == 2
    said = capsys.readouterr().err
    assert f"{old.root} holds no mailboxes: there has to be a folder for each, such as 200/inbox" in said
    assert "--as 200: it has to be OLD=NEW" in said
    assert f"--as 2OO=201: {old.root} has no mailbox 2OO" in said
    assert "is no folder" in said
    assert "has no configuration yet" in said
    assert "run this as the user of the edge agent" in said


def test_a_recording_at_sixteen_kilohertz_sounds_the_same_at_eight(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", 2.0, 16_000, hertz=1000.0)
    (tmp_path / "b.wav").write_bytes(sound_of(tmp_path / "a.wav"))
    with wave.open(str(tmp_path / "b.wav")) as file:
        assert (file.getframerate(), file.getnframes()) == (8000, 16_000)
        samples = np.frombuffer(file.readframes(16_000), dtype="<i2").astype(np.float64)
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    assert np.argmax(spectrum) == 2000
    assert spectrum[1990:2011].sum() / spectrum.sum() > 0.999
    assert 7500 < np.abs(samples[1000:15_000]).max() < 8200
    sound(tmp_path / "c.wav", 1.0, 16_000, hertz=7000.0)
    (tmp_path / "d.wav").write_bytes(sound_of(tmp_path / "c.wav"))
    with wave.open(str(tmp_path / "d.wav")) as file:
        folded = np.frombuffer(file.readframes(8000), dtype="<i2")
    assert np.abs(folded[500:7500]).max() < 100  # what a telephone does not carry does not come back as another tone
    sound(tmp_path / "e.wav", 1.0, 44_100)
    with pytest.raises(NoSound, match="44100 samples"):
        sound_of(tmp_path / "e.wav")
    sound(tmp_path / "f.wav", 0.0)
    with pytest.raises(NoSound, match="nothing was recorded"):
        sound_of(tmp_path / "f.wav")


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ('"Ada B." <sip:201@old.test>', Sender("201", "Ada B.")),
        ("sip:201@old.test;transport=udp", Sender("201", "")),
        ("201@old.test", Sender("201", "")),
        ("201", Sender("201", "")),
        ("", Sender("", "")),
    ],
)
def test_who_left_a_message_is_read_in_every_writing(text: str, sender: Sender) -> None:
    assert sender_of(text) == sender


def test_moments_are_those_of_their_zone_or_of_the_sites() -> None:
    east = timezone(timedelta(hours=2))
    assert moment_of("Sun, 1-Jan-2017 12:00:00 AM UTC", east) == datetime(2017, 1, 1, tzinfo=UTC)
    assert moment_of("Sun, 1-Jan-2017 12:30:00 PM EST", east) == datetime(2017, 1, 1, 17, 30, tzinfo=UTC)
    assert moment_of("Sun, 1-Jan-2017 02:00:00 AM XYZ", east) == datetime(2017, 1, 1, tzinfo=UTC)
    for wrong in ("", "1-Foo-2017 12:00:00 AM UTC", "31-Feb-2017 12:00:00 AM UTC", "x" * 500, json.dumps({})):
        with pytest.raises(Unreadable):
            moment_of(wrong, east)
