"""Recording of calls by a trunk, of a whole edge whose cloud is away: Kamailio as provider, real phones."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cloud.local.baresip import PhoneAccount
from contract.snapshot import HuntGroup, RecordingOnDemand, RecordingPolicy, RecordingRule
from edge_agent.__main__ import main
from edge_agent.clock import SystemClock
from edge_agent.media.recording.store import CallRecording, CallRecordings
from edge_agent.processes.call_recordings import open_call_recordings
from edge_agent.tokens import SystemTokens
from tests.support.kamailio_provider import REALM
from tests.support.phones.sipp_phone import sipp
from tests.support.phones.sipp_script import Script
from tests.support.recorded_calls import RATE, channels_of, first_hz, last_hz, loudest_hz
from tests.support.trunk_office import DOMAIN, MOBILE, TONES, Office
from tests.support.waiting import eventually

pytestmark = [pytest.mark.peer("kamailio", "baresip", "sipp"), pytest.mark.timeout(180)]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


def rule(**more: object) -> RecordingPolicy:
    return RecordingPolicy(rules=(RecordingRule.model_validate({"name": "Some calls", **more}),))


def kept(office: Office) -> CallRecordings:
    return open_call_recordings(office.state_dir, SystemClock(), SystemTokens())


def recorded(office: Office) -> CallRecording:
    """The one recording, once it has ended."""
    eventually(lambda: bool(kept(office).all()), 60, "the recording has ended")
    (found,) = kept(office).all()
    return found


def seconds(office: Office) -> float:
    """On the disk, of the one recording that goes on."""
    (one,) = kept(office).unended()
    return kept(office).sound(one).seconds


def media(office: Office) -> dict[str, Any]:
    (found,) = (one for one in office.edge.status()["processes"] if one["name"] == "media")
    return dict(found)


def test_a_call_out_is_announced_to_both_and_recorded_with_each_side_in_its_channel(office: Office) -> None:
    provider = office.provider("first")
    office.begin(recording=rule(direction="out", user_ids=("user-200",)))
    office.registered(provider)
    phone, mobile = office.call_out(provider)
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    found = recorded(office)
    (record,) = office.records()
    assert (found.sip_call_id, found.announced, found.caller) == (record.sip_call_id, True, 0)
    caller, callee = channels_of(kept(office).wav(found.recording_id))
    assert (last_hz(caller), last_hz(callee)) == (TONES["200"], TONES[MOBILE])
    # What both heard at the beginning is the announcement, and not each other.
    assert first_hz(caller) not in (0, TONES["200"])
    assert first_hz(callee) not in (0, TONES[MOBILE])
    out = office.folder / "out"
    assert main(["export-recordings", str(out), "--state-dir", str(office.state_dir)]) == 0
    (file,) = out.iterdir()
    assert file.read_bytes() == b"".join(kept(office).wav(found.recording_id))
    for file in (office.state_dir / "call_recordings").iterdir():
        assert b"RIFF" not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0


def test_a_call_in_is_recorded_on_when_the_media_process_is_killed(office: Office) -> None:
    provider = office.provider("first")
    office.begin(recording=rule(direction="in", announcement="none"))
    office.registered(provider)
    phone, mobile = office.phone("202"), office.outside(provider)
    mobile.dial(f"sip:0441112202@{REALM}")
    phone.accept()
    mobile.wait_for("CALL_ESTABLISHED")
    office.talk("202", MOBILE)

    eventually(lambda: seconds(office) >= 2, 60, "two seconds are on the disk")
    before = media(office)["pid"]
    os.kill(before, signal.SIGKILL)
    (left,) = kept(office).unended()
    callee, caller = channels_of(kept(office).wav(left))  # playable as it was left
    assert (loudest_hz(caller[RATE:]), loudest_hz(callee[RATE:])) == (TONES[MOBILE], TONES["202"])
    at_the_kill = seconds(office)
    eventually(lambda: media(office)["pid"] not in (None, before), 60, "another media process is there")

    def since() -> tuple[int, int]:
        """What was recorded last of each, since the kill."""
        callee, caller = channels_of(kept(office).wav(left))
        after = int(at_the_kill + 1) * RATE
        return last_hz(caller[after:]), last_hz(callee[after:])

    eventually(lambda: since() == (TONES[MOBILE], TONES["202"]), 60, "it goes on")
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    found = recorded(office)
    assert found.recording_id == left
    assert found.caller == 1
    assert since() == (TONES[MOBILE], TONES["202"])


def test_calls_by_a_gateway_are_recorded_both_ways_with_the_sites_side_on_the_left(office: Office) -> None:
    office.begin(relay="never", recording=rule(trunk_ids=("pri",)), gateway=True)
    phone, mobile = office.phone("200"), office.behind_gateway()
    for caller, called, number in ((phone, mobile, MOBILE), (mobile, phone, "200")):
        caller.dial(f"sip:{number}@{caller.account.domain}")
        called.accept()
        caller.wait_for("CALL_ESTABLISHED")
        office.talk("200", MOBILE)
        eventually(lambda: seconds(office) >= 6, 30, "six seconds are on the disk")
        caller.hang_up()
        called.wait_for("CALL_CLOSED")
        eventually(lambda: kept(office).unended() == (), 60, "the recording has ended")
    records = {one.sip_call_id: one for one in office.records(2)}
    found = sorted(kept(office).all(), key=lambda one: one.began_at)
    assert [(one.caller, one.announced) for one in found] == [(0, True), (1, True)]
    for one in found:
        reasons = [told.partition(" (")[0] for told in records[one.sip_call_id].reasons]
        assert "recorded: by the rule Some calls" in reasons
        inside, outside = channels_of(kept(office).wav(one.recording_id))
        assert (last_hz(inside), last_hz(outside)) == (TONES["200"], TONES[MOBILE])
        assert first_hz(inside) not in (0, TONES["200"])
        assert first_hz(outside) not in (0, TONES[MOBILE])


def test_calls_that_no_rule_names_are_not_recorded_and_go_directly(office: Office) -> None:
    provider = office.provider("first")
    office.begin(recording=rule(direction="in"))
    office.registered(provider)
    phone, mobile = office.call_out(provider)
    assert media(office)["figures"].get("relay.streams", 0) == 0
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    office.records()
    assert kept(office).all() == []
    assert kept(office).unended() == ()


def on_demand(announcement: str = "before") -> RecordingPolicy:
    wish = RecordingOnDemand.model_validate({"announcement": announcement, "keys": "*1"})
    return RecordingPolicy(on_demand=wish)


@pytest.mark.parametrize("way", ["trunk", "gateway", "inside"])
def test_the_record_key_of_a_phone_has_a_part_of_a_call_recorded_and_its_record_says_so(
    office: Office, way: str
) -> None:
    provider = office.provider("first")
    office.begin(relay="never", recording=on_demand("none"), recorders=("200",), gateway=way == "gateway")
    office.registered(provider)
    number = "202" if way == "inside" else MOBILE
    if way == "gateway":
        callee = office.behind_gateway()
    else:
        callee = office.phone(number) if way == "inside" else office.outside(provider)
    target = f"127.0.0.1:{office.edge_port}"
    account = PhoneAccount("200", "auth200", "password-of-200", DOMAIN, target)
    talks = Script().invite().expect_answer().wait(1000)
    talks.ask("INFO", "Record: on", within=True).expect(200).wait(3000)
    talks.ask("INFO", "Record: off", within=True).expect(200).wait(1000)
    with sipp(office.folder, account, talks.hang_up(), number) as phone:
        callee.accept()
        phone.succeeds(40)
    found = recorded(office)
    (record,) = office.records()
    assert (found.sip_call_id, found.announced, found.caller) == (record.sip_call_id, False, 0)
    assert 2 < found.seconds < 5
    _, right = channels_of(kept(office).wav(found.recording_id))
    assert last_hz(right) == TONES[number]
    told = [reason.partition(" (")[0] for reason in record.reasons if reason.startswith("recorded")]
    assert told == ["recorded: on demand, from now on", "recorded: on demand, until now"]


def test_keys_pressed_during_a_call_begin_a_recording_that_is_announced_and_end_it(office: Office) -> None:
    provider = office.provider("first")
    office.begin(relay="never", recording=on_demand(), recorders=("202",))
    office.registered(provider)
    phone, mobile = office.phone("202"), office.outside(provider)
    mobile.dial(f"sip:0441112202@{REALM}")
    phone.accept()
    mobile.wait_for("CALL_ESTABLISHED")
    office.talk("202", MOBILE)
    assert kept(office).unended() == ()
    for key in "*1":
        phone.command("sndcode", key)
    eventually(lambda: len(kept(office).unended()) == 1, 20, "a recording has begun")
    (one,) = kept(office).unended()
    eventually(lambda: kept(office).sound(one).seconds >= 6, 30, "six seconds are on the disk")
    for key in "*1":
        phone.command("sndcode", key)
    found = recorded(office)
    assert (found.recording_id, found.announced, found.caller) == (one, True, 1)
    office.talk("202", MOBILE)  # the call goes on
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    (record,) = office.records()
    assert len([reason for reason in record.reasons if reason.startswith("recorded: on demand")]) == 2
    callee, caller = channels_of(kept(office).wav(found.recording_id))
    assert first_hz(callee) not in (0, TONES["202"])
    assert first_hz(caller) not in (0, TONES[MOBILE])


def test_who_has_no_permission_is_refused_and_his_calls_go_directly(office: Office) -> None:
    provider = office.provider("first")
    office.begin(relay="never", recording=on_demand(), recorders=("200",))
    office.registered(provider)
    mobile = office.outside(provider)
    account = PhoneAccount("201", "auth201", "password-of-201", DOMAIN, f"127.0.0.1:{office.edge_port}")
    talks = Script().invite().expect_answer().ask("INFO", "Record: on", within=True).expect(488)
    with sipp(office.folder, account, talks.hang_up(), MOBILE) as phone:
        mobile.accept()
        phone.succeeds(40)
    assert kept(office).all() == []
    assert kept(office).unended() == ()


def test_a_call_from_phone_to_phone_is_recorded_for_a_group_and_one_without_its_members_goes_directly(
    office: Office,
) -> None:
    group = HuntGroup(group_id="sales", name="Sales", extension="600", members=("user-202",))
    office.begin(relay="never", recording=rule(calls="inside", group_ids=("sales",)), groups=(group,))
    phones = {number: office.phone(number) for number in ("200", "201", "202")}
    for called in ("201", "202"):
        phones["200"].dial(f"sip:{called}@{DOMAIN}")
        phones[called].accept()
        phones["200"].wait_for("CALL_ESTABLISHED")
        office.talk("200", called)
        if called == "201":
            assert media(office)["figures"].get("relay.streams", 0) == 0
        else:
            eventually(lambda: seconds(office) >= 6, 30, "six seconds are on the disk")
        phones["200"].hang_up()
        phones[called].wait_for("CALL_CLOSED")
    found = recorded(office)
    (record,) = [one for one in office.records(2) if one.callee == "202"]
    assert (found.sip_call_id, found.announced, found.caller) == (record.sip_call_id, True, 0)
    assert [one.partition(" (")[0] for one in record.reasons if one.startswith("recorded")] == [
        "recorded: by the rule Some calls"
    ]
    caller, callee = channels_of(kept(office).wav(found.recording_id))
    assert (last_hz(caller), last_hz(callee)) == (TONES["200"], TONES["202"])
    assert first_hz(caller) not in (0, TONES["200"])
