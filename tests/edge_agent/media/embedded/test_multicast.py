"""What is said in a room, as one RTP stream to a multicast address; sent and heard on loopback."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from edge_agent.media.codecs import ALL, PCMU
from edge_agent.media.embedded import coding
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.mix import MOST_MEMBERS
from edge_agent.media.embedded.multicast import MulticastVoice
from edge_agent.media.embedded.rooms import Room, Rooms
from edge_agent.media.embedded.sounds import Sounds
from edge_agent.media.errors import MixFull, MulticastFailed
from edge_agent.media.session import MulticastTo, Seat
from tests.edge_agent.media.embedded.test_mix import Caller, no_stream
from tests.support.counted_tokens import CountedTokens
from tests.support.multicast_ear import LOOPBACK, Arrived, MulticastEar, free_port, has_tone, sound_of
from tests.support.waiting import eventually

GROUP = "239.192.7.1"
FRAMES = 25

pytestmark = pytest.mark.allow_hosts([LOOPBACK, GROUP])


@pytest.fixture
def ear() -> Iterator[MulticastEar]:
    with MulticastEar([(GROUP, free_port())]) as made:
        yield made


def stream(to: MulticastTo) -> MulticastVoice:
    return MulticastVoice(to, LOOPBACK, coding.usable(ALL), CountedTokens())


def to(ear: MulticastEar, codec: str = "pcmu", hops: int = 1) -> MulticastTo:
    (group,) = ear.groups
    return MulticastTo(*group, codec, hops)


def room_of(*callers: Caller) -> tuple[Rooms, Room]:
    rooms = Rooms(Sounds({}), stream)
    for caller in callers:
        room = rooms.join("page", caller, Seat())
    return rooms, room


def heard(ear: MulticastEar, rooms: Rooms, frames: int = FRAMES) -> list[Arrived]:
    """What comes of some ticks."""
    before = len(ear.packets)
    for _ in range(frames):
        rooms.tick()
    eventually(lambda: len(ear.packets) == before + frames, what="every packet arrives")
    return ear.packets[before:]


def test_each_tick_is_one_packet_of_20_ms_and_the_first_one_is_marked(ear: MulticastEar) -> None:
    rooms, room = room_of(Caller(400))
    with room.multicast(to(ear)):
        packets = heard(ear, rooms)
    assert [packet.marker for packet in packets] == [True, *[False] * (FRAMES - 1)]
    assert {packet.payload_type for packet in packets} == {0}
    assert {len(packet.payload) for packet in packets} == {160}
    assert len({packet.ssrc for packet in packets}) == 1
    assert {b.sequence - a.sequence & 0xFFFF for a, b in itertools.pairwise(packets)} == {1}
    assert {b.timestamp - a.timestamp & 0xFFFFFFFF for a, b in itertools.pairwise(packets)} == {160}
    assert has_tone(sound_of(packets), 400)
    assert not has_tone(sound_of(packets), 1000)


def test_g722_is_wideband_with_the_same_clock(ear: MulticastEar) -> None:
    codec = pytest.importorskip("G722")
    rooms, room = room_of(Caller(400))
    with room.multicast(to(ear, "g722")):
        packets = heard(ear, rooms)
    assert {packet.payload_type for packet in packets} == {9}
    assert {len(packet.payload) for packet in packets} == {160}
    assert {b.timestamp - a.timestamp & 0xFFFFFFFF for a, b in itertools.pairwise(packets)} == {160}
    decoder = codec.G722(16_000, 64_000)
    sound = np.concatenate([decoder.decode(packet.payload) for packet in packets]).astype(np.float64)
    assert has_tone(sound, 400, rate=16_000)


def test_a_codec_that_the_machine_cannot_do_gives_way_to_pcmu(ear: MulticastEar) -> None:
    voice = MulticastVoice(to(ear, "g722"), LOOPBACK, (PCMU,), CountedTokens())
    samples: Samples = np.zeros(160, dtype=np.int16)
    voice.hear(samples)
    eventually(lambda: ear.packets, what="the packet arrives")
    voice.close()
    assert ear.packets[0].payload_type == 0


def test_nobody_hears_the_stream_and_it_counts_as_no_caller(ear: MulticastEar) -> None:
    one, other = Caller(400), Caller(700)
    rooms, room = room_of(one, other)
    with room.multicast(to(ear)):
        assert room.members == 2
        heard(ear, rooms, 10)
        assert one.hears == {700: 3000}
        assert set(room.speaking) == {one, other}
    assert room.members == 2
    rooms.tick()
    assert len(ear.packets) == 10, "nothing is sent after the block"


def test_a_room_lasts_until_its_stream_ends(ear: MulticastEar) -> None:
    caller = Caller(400)
    rooms, room = room_of(caller)
    with room.multicast(to(ear)):
        rooms.leave("page", caller)
        assert len(rooms) == 1
    assert len(rooms) == 0


def test_how_many_networks_it_may_cross_is_set_on_each_packet(ear: MulticastEar) -> None:
    rooms, room = room_of(Caller(400))
    with room.multicast(to(ear, hops=7)):
        assert heard(ear, rooms, 1)[0].hops == 7
    with room.multicast(to(ear)):
        assert heard(ear, rooms, 1)[0].hops == 1


def test_no_such_interface_is_told_at_once(ear: MulticastEar) -> None:
    with pytest.raises(MulticastFailed, match=r"by 192\.0\.2\.77"):
        MulticastVoice(to(ear), "192.0.2.77", ALL, CountedTokens())


def test_a_full_room_takes_no_stream() -> None:
    rooms = Rooms(Sounds({}), no_stream)
    for _ in range(MOST_MEMBERS):
        room = rooms.join("page", Caller(400), Seat())
    with pytest.raises(MixFull), room.multicast(MulticastTo(GROUP, 5000)):
        pass


def test_what_cannot_be_sent_is_counted_and_ends_nothing(ear: MulticastEar, monkeypatch: pytest.MonkeyPatch) -> None:
    voice = stream(to(ear))
    monkeypatch.setattr("edge_agent.media.embedded.sockets.send", lambda *_: False)
    silence: Samples = np.zeros(160, dtype=np.int16)
    voice.hear(silence)
    voice.hear(silence)
    assert (voice.sent, voice.not_sent) == (0, 2)
    voice.close()
