"""Paging by multicast at a whole edge whose cloud is away: real phones page, and others listen on loopback."""

import os
import signal
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from contract.snapshot import Device, Multicast, Paging, VoiceService
from tests.support.edge_process import ENGINE
from tests.support.multicast_ear import LOOPBACK, ListeningPhone, MulticastEar, free_port, has_tone, sound_of
from tests.support.phone_formats import read
from tests.support.phones.phone import NotSeen, Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite
from tests.support.waiting import eventually
from tests.system.test_call_park import NUMBERS, hears_a_phone, snapshot

BEEP_HZ: Final = 1000
MAC: Final = "805ec0000001"
GROUP: Final = "239.192.7.2"

pytestmark = [
    pytest.mark.peer("pjsua2"),
    pytest.mark.timeout(180),
    pytest.mark.skipif(ENGINE == "freeswitch", reason="FreeSWITCH sends no stream: every member is called"),
]


class Office:
    """An edge; the user at 201 has a desk phone of a vendor whose phones listen, those at 200 and 202 have not.

    Args:
        folder: for the edge.
        stack: what ends with the test.
        groups: of the site.
    """

    def __init__(self, folder: Path, stack: ExitStack, *groups: VoiceService) -> None:
        before = snapshot()
        lines = tuple(
            line.model_copy(update={"device_id": "desk"}) if line.user_id == "user-201" else line
            for line in before.lines
        )
        plan = before.dial_plan.model_copy(update={"voice_services": groups})
        desk = Device(device_id="desk", mac=MAC, model="yealink/t54w")
        whole = before.model_copy(update={"lines": lines, "devices": (desk,), "dial_plan": plan})
        environment = {"TANDEM_EDGE_MEDIA_MULTICAST_INTERFACE": LOOPBACK}
        self.site = PeerSite(folder, NUMBERS, whole, environment=environment)
        stack.callback(self.site.stop)
        self._stack = stack

    def phones(self, *numbers: str) -> list[PjsuaPhone]:
        """Phones that have registered."""
        found = [
            self._stack.enter_context(PjsuaPhone(f"phone-{n}", self.site.account(n, "udp"), self.site.surroundings))
            for n in numbers
        ]
        for phone in found:
            phone.wait_for(Seen.REGISTERED)
        return found

    def desk_phone(self) -> Mapping[str, str]:
        """What the desk phone reads in the file that it fetches."""
        url = f"http://{LOOPBACK}:{self.site.ports['http']}/{MAC}.cfg"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return read("yealink", "text", answer.read())

    def media(self) -> dict[str, Any]:
        """What the agent tells of the media process."""
        (media,) = (one for one in self.site.edge.status()["processes"] if one["name"] == "media")
        return dict(media)


def hall(port: int, **more: object) -> Paging:
    return Paging.model_validate(
        {
            "service_id": "hall",
            "name": "Hall",
            "extension": "750",
            "members": ("user-200", "user-201", "user-202"),
            "multicast": Multicast(address=GROUP, port=port, priority=5),
        }
        | more
    )


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def test_a_page_is_one_stream_with_a_tone_first_that_ends_with_the_call_and_others_are_called(
    tmp_path: Path, stack: ExitStack
) -> None:
    port = free_port()
    office = Office(tmp_path, stack, hall(port))
    ear = stack.enter_context(MulticastEar([(GROUP, port)]))
    caller, listens, called = office.phones("200", "201", "202")
    caller.call("750")
    for phone in (caller, called):
        phone.wait_for(Seen.ANSWERED)
    eventually(lambda: has_tone(sound_of(ear.of(1)), BEEP_HZ), within=30, what="the tone is heard")
    eventually(lambda: has_tone(sound_of(ear.of(1)[-50:]), PjsuaPhone.tone_hz), within=30, what="the caller is heard")
    eventually(lambda: hears_a_phone(called), within=30, what="who does not listen is called")
    with pytest.raises(NotSeen):  # it has a phone that listens, so it is not called
        listens.wait_for(Seen.ANSWERED, 0)
    packets = ear.of(1)
    assert (len({packet.ssrc for packet in packets}), {packet.hops for packet in packets}) == (1, {1})
    caller.hang_up()
    called.closed()
    eventually(lambda: ear.is_quiet(1), what="the stream ends")


def test_a_more_important_page_takes_over_and_the_other_is_heard_again_after_it(
    tmp_path: Path, stack: ExitStack
) -> None:
    ports = [free_port()]
    ports.append(next(port for port in iter(free_port, None) if port not in ports))
    fire = hall(
        ports[1],
        service_id="fire",
        name="Fire",
        extension="751",
        members=("user-201",),
        multicast=Multicast(address=GROUP, port=ports[1], priority=1),
    )
    office = Office(tmp_path, stack, hall(ports[0], members=("user-201",)), fire)
    values = office.desk_phone()
    assert [values[f"multicast.listen_address.{place}.label"] for place in (1, 2, 3)] == ["Fire", "Hall", ""]
    desk = stack.enter_context(ListeningPhone(values))
    one, other = office.phones("200", "202")
    one.call("750")
    eventually(lambda: desk.plays and desk.plays[0] == 2, within=30, what="the page is played")
    other.call("751")
    eventually(lambda: desk.plays and desk.plays[0] == 1, within=30, what="the more important one takes over")
    other.hang_up()
    other.closed()
    eventually(lambda: desk.plays and desk.plays[0] == 2, within=30, what="the first page is played again")
    one.hang_up()
    one.closed()
    eventually(lambda: desk.is_quiet(2), what="both streams end")


def test_the_stream_ends_when_the_media_process_is_killed_and_the_next_one_pages_again(
    tmp_path: Path, stack: ExitStack
) -> None:
    port = free_port()
    office = Office(tmp_path, stack, hall(port, members=("user-201",)))
    ear = stack.enter_context(MulticastEar([(GROUP, port)]))
    (caller,) = office.phones("200")
    caller.call("750")
    eventually(lambda: len(ear.of(1)) > 50, within=30, what="the page is streamed")
    killed = office.media()["pid"]
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: ear.is_quiet(1), what="the stream ends")
    before = len(ear.of(1))

    def is_back() -> bool:
        now = office.media()
        return now["pid"] not in (0, None, killed) and now["state"] == "configured"

    eventually(is_back, within=30, what="the media process is back")
    caller.hang_up()
    caller.closed()
    caller.call("750")
    eventually(lambda: len(ear.of(1)) > before + 50, within=30, what="the next media process pages")
