"""Messages survive the wire; anything else is refused by one error, within limits."""

import re
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.sync import codec
from contract.sync.codec import CodecError, FrameReader, decode, encode, frame
from contract.sync.delta import diff
from contract.sync.events import AlarmChanged, EventBody
from contract.sync.messages import (
    Applied,
    BlobPiece,
    BlobRequest,
    Challenge,
    Command,
    CommandResult,
    DeltaMessage,
    Event,
    EventAck,
    Goodbye,
    Hello,
    Message,
    Ping,
    Pong,
    Rejected,
    SealedSecret,
    Secrets,
    SnapshotMessage,
    StateChange,
    Welcome,
)
from contract.sync.state import Stamp, StateRecord
from tests.support.example_site import small_site

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ALARM = AlarmChanged(alarm="disk_full", severity="critical", active=True, text="no space left")

EVERY_MESSAGE: list[Message] = [
    Challenge(nonce=bytes(range(32))),
    Hello(
        edge_id="edge-1", proof=bytes(64), protocols=(1,), schemas=(1,), agent_version="0.1.0", outbox_epoch="epoch-1"
    ),
    Welcome(protocol=1, acknowledged=7, wanted_version=3, now=NOON),
    Welcome(protocol=1, acknowledged=7, now=NOON, features=("blobs",)),
    Goodbye(reason="replaced"),
    SnapshotMessage(version=1, snapshot=small_site().model_dump(mode="json")),
    DeltaMessage(delta=diff(small_site(), small_site(version=2, lines=()))),
    Applied(version=1, digest="0" * 64),
    Rejected(version=2, problems=("devices: unknown model",)),
    Secrets(secrets=(SealedSecret(ref="secret-1:1", sealed=b"\x00\xff" * 20),)),
    StateChange(records=(StateRecord(key="do_not_disturb/user-1", value=True, stamp=Stamp(wall_ms=1, node="edge-1")),)),
    Event(epoch="epoch-1", sequence=1, body=EventBody(at=NOON, what=ALARM)),
    EventAck(epoch="epoch-1", sequence=1),
    Command(command_id="c1", name="report_registrations"),
    CommandResult(command_id="c1", ok=True),
    BlobRequest(digest="0" * 64, offset=262_144, length=262_144),
    BlobPiece(digest="0" * 64, offset=262_144, data=b"\x00\xff" * 4096),
    BlobPiece(digest="0" * 64, offset=0, refused="not_named"),
    Ping(number=1),
    Pong(number=1),
]


@pytest.mark.parametrize("message", EVERY_MESSAGE, ids=lambda message: message.type)
def test_every_message_comes_back_as_it_went(message: Message) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=200))
def test_any_bytes_give_a_message_or_the_one_error(data: bytes) -> None:
    try:
        decode(data)
    except CodecError:
        return


@given(st.binary(max_size=200), st.sampled_from([0, 1]))
def test_any_content_behind_a_right_header_gives_a_message_or_the_one_error(data: bytes, flags: int) -> None:
    try:
        decode(bytes((1, flags)) + data)
    except CodecError:
        return


@given(st.sampled_from(EVERY_MESSAGE), st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_never_does_more_than_the_one_error(message: Message, place: int, value: int) -> None:
    data = bytearray(encode(message))
    data[place % len(data)] = value
    try:
        decode(bytes(data))
    except CodecError:
        return


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_moment_that_no_calendar_has_in_utc_is_the_one_error(at: str) -> None:
    event = next(message for message in EVERY_MESSAGE if message.type == "event")
    text = re.sub(r'"at":"[^"]*"', f'"at":"{at}"', event.model_dump_json())
    assert at in text
    with pytest.raises(CodecError):
        decode(b"\x01\x00" + text.encode())


@pytest.mark.parametrize("sequence", [2**63, 2**70])
def test_a_number_that_no_database_takes_is_the_one_error(sequence: int) -> None:
    event = next(message for message in EVERY_MESSAGE if message.type == "event")
    text = re.sub(r'"sequence":\d+', f'"sequence":{sequence}', event.model_dump_json())
    with pytest.raises(CodecError):
        decode(b"\x01\x00" + text.encode())


def test_a_codec_version_from_the_future_is_named() -> None:
    with pytest.raises(CodecError, match="codec version 2, only 1 is spoken here"):
        decode(b"\x02\x00{}")


def test_a_decompression_bomb_is_refused_before_it_unfolds() -> None:
    with pytest.raises(CodecError, match="too long, cut off"):
        decode(b"\x01\x01" + zlib.compress(b" " * 10_001), max_decoded_bytes=10_000)


def test_an_error_never_repeats_what_arrived() -> None:
    with pytest.raises(CodecError) as caught:
        decode(b'\x01\x00{"type":"ping","number":"hunter2"}')
    assert "hunter2" not in str(caught.value)


def test_a_message_over_the_limit_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "MAX_DECODED_BYTES", 10)
    with pytest.raises(CodecError, match="at most 10 are allowed"):
        encode(Ping(number=1))


@settings(max_examples=50)
@given(st.lists(st.sampled_from(EVERY_MESSAGE), max_size=5), st.integers(1, 50))
def test_a_stream_cut_anywhere_gives_the_same_messages(messages: list[Message], size: int) -> None:
    stream = b"".join(frame(encode(message)) for message in messages)
    reader = FrameReader()
    payloads = [p for at in range(0, len(stream), size) for p in reader.feed(stream[at : at + size])]
    assert [decode(payload) for payload in payloads] == messages


def test_an_announced_length_over_the_limit_is_refused_before_it_arrives() -> None:
    with pytest.raises(CodecError, match="announced"):
        FrameReader(limit=100).feed((101).to_bytes(4, "big"))


def test_a_welcome_to_an_edge_that_knows_no_features_does_not_have_the_field() -> None:
    assert b"features" not in encode(Welcome(protocol=1, acknowledged=7, now=NOON))


@pytest.mark.parametrize("piece", [{"data": b""}, {"data": b"x", "refused": "missing"}, {"data": bytes(262_145)}])
def test_a_piece_is_some_bytes_and_not_too_many_or_a_reason(piece: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BlobPiece(digest="0" * 64, offset=0, **piece)
