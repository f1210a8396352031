"""The event socket's messages: whole recorded conversations with a real FreeSWITCH, in any cut, and hostile bytes."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.media.freeswitch import esl
from edge_agent.media.freeswitch.esl import (
    ApiResponse,
    AuthRequest,
    ChannelData,
    CommandReply,
    DisconnectNotice,
    EslError,
    EslReader,
    Event,
    Message,
)
from tests.support import esl_recordings

RECORDINGS = esl_recordings.names()
LAST_WORDS = (DisconnectNotice, CommandReply, ApiResponse, Event)


def whole(name: str) -> list[Message]:
    return EslReader().feed(esl_recordings.said_by_freeswitch(name))


def events(name: str, kind: str) -> list[Event]:
    return [message for message in whole(name) if isinstance(message, Event) and message.name == kind]


def test_there_are_recordings() -> None:
    assert len(RECORDINGS) == 64


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_message_of_a_recording_is_understood_to_its_last_byte(name: str) -> None:
    data = esl_recordings.said_by_freeswitch(name)
    reader = EslReader()
    messages = reader.feed(data)
    outside = data.count(b"Content-Type: ") - data.count(b"\nContent-Type: application/")
    assert len(messages) == outside
    assert isinstance(messages[-1], LAST_WORDS)
    assert reader.feed(b"Content-Type: auth/request\n\n") == [AuthRequest()], "nothing may be left over"


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_cut_of_the_stream_changes_nothing(name: str) -> None:
    data, expected = esl_recordings.said_by_freeswitch(name), whole(name)
    for size in (1, 7, 1460):
        reader = EslReader()
        cut = [data[at : at + size] for at in range(0, len(data), size)] if size > 1 else [data[:4000], data[4000:]]
        assert [message for piece in cut for message in reader.feed(piece)] == expected


@pytest.mark.parametrize("name", [name for name in RECORDINGS if "inbound" not in name and not name.startswith("30")])
def test_each_command_of_a_call_has_its_answer(name: str) -> None:
    answers = [message for message in whole(name) if isinstance(message, ChannelData | CommandReply | ApiResponse)]
    asked = [command for frame in esl_recordings.asked_by_agent(name) for command in frame.split(b"\n\n") if command]
    assert len(answers) <= len(asked)
    assert isinstance(answers[0], ChannelData)


def test_the_answer_to_connect_is_unescaped_and_tells_of_the_call() -> None:
    first = whole("01-ivr-outbound-async-full")[0]
    assert isinstance(first, ChannelData)
    assert first.headers["Channel-Caller-ID-Name"] == "Caller 1000"
    assert first.headers["Reply-Text"] == "+OK\n"
    assert first.headers["variable_sip_to_user"] == "1001"


def test_a_percent_sign_means_itself_outside_an_event_and_is_undone_inside() -> None:
    assert CommandReply("100%25 done") in whole("12-api-errors-outbound")
    completed = events("12-api-errors-outbound", "CHANNEL_EXECUTE_COMPLETE")
    # FreeSWITCH does not escape what looks escaped already: the variable is 100%25, its event says 100%.
    assert "pct=100% done" in {event.headers.get("Application-Data") for event in completed}


def test_names_beyond_ascii_are_read() -> None:
    assert CommandReply("żółć 日本") in whole("12-api-errors-outbound")


def test_digits_that_a_caller_pressed_come_one_by_one() -> None:
    pressed = [event.headers["DTMF-Digit"] for event in events("01-ivr-outbound-async-full", "DTMF")]
    assert "".join(pressed) == "1234#"


def test_digits_heard_in_the_audio_are_events_too() -> None:
    sources = {event.headers["DTMF-Source"] for event in events("11-inband-dtmf", "DTMF")}
    assert sources == {"INBAND_AUDIO"}


def test_events_as_json_say_the_same_as_plain_ones() -> None:
    (created,) = events("21c-inbound-json", "CHANNEL_CREATE")
    assert created.headers["Event-Name"] == "CHANNEL_CREATE"
    assert created.headers["Unique-ID"]


def test_a_wrong_password_is_told_before_the_connection_ends() -> None:
    messages = whole("21a-inbound-bad-auth")
    assert messages == [AuthRequest(), CommandReply("-ERR invalid"), DisconnectNotice(linger=False)]
    assert isinstance(messages[1], CommandReply)
    assert not messages[1].ok


def test_the_background_job_says_in_its_body_what_came_of_it() -> None:
    jobs = events("21b-inbound", "BACKGROUND_JOB")
    assert jobs
    assert all(job.body.startswith(("+OK", "-ERR")) for job in jobs)


def test_conference_events_name_their_subclass() -> None:
    kinds = {event.subclass for event in events("20-conference-3-party-inbound", "CUSTOM")}
    assert "conference::maintenance" in kinds


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"Content-Type: text/event-xml\n\n", "unknown kind 'text/event-xml'"),
        (b"no colon here\n\n", "without a colon"),
        (b"Content-Type: api/response\nContent-Length: -1\n\n", "no number"),
        (b"Content-Type: api/response\nContent-Length: 1e3\n\n", "no number"),
        (b"Content-Type: api/response\nContent-Length: 99999999\n\n", f"more than {esl.MOST_BODY_BYTES}"),
        (b"Content-Type: text/event-json\nContent-Length: 2\n\n[]", "no JSON object"),
        (b"Content-Type: text/event-json\nContent-Length: 2\n\n{:", "no JSON"),
        (b"Content-Type: text/event-plain\nContent-Length: 25\n\nContent-Length: 9\n\nshort\n\n", "cut off"),
        (b"Content-Type: text/rude-rejection\nContent-Length: 0\n\n", "refuses"),
        (b"a: b\n" * (esl.MOST_HEADERS + 1) + b"\n", f"more than {esl.MOST_HEADERS} headers"),
        (b"x" * (esl.MOST_HEADER_BYTES + 1), f"more than {esl.MOST_HEADER_BYTES} bytes"),
    ],
)
def test_what_is_not_the_protocol_is_refused_by_name(data: bytes, named: str) -> None:
    with pytest.raises(EslError, match=named):
        EslReader().feed(data)


@given(st.lists(st.binary(max_size=200), max_size=10))
@settings(max_examples=300)
def test_any_bytes_give_messages_or_our_one_error(pieces: list[bytes]) -> None:
    reader = EslReader()
    with contextlib.suppress(EslError):
        for piece in pieces:
            reader.feed(piece)


@given(at=st.integers(0, 5000), byte=st.integers(0, 255), name=st.sampled_from(RECORDINGS[:10]))
@settings(max_examples=200, deadline=None)
def test_a_recording_with_one_wrong_byte_gives_messages_or_our_one_error(at: int, byte: int, name: str) -> None:
    data = bytearray(esl_recordings.said_by_freeswitch(name)[:20_000])
    data[at % len(data)] = byte
    with contextlib.suppress(EslError):
        EslReader().feed(bytes(data))
