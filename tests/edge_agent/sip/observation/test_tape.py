"""What is remembered of calls, and how little."""

from edge_agent.sip.message import Flow
from edge_agent.sip.message.flow import Transport
from edge_agent.sip.observation.tape import FRESH, Tape, TapeRules, call_id_of
from edge_agent.sip.transport import SipTransport
from tests.support.hand_clock import HandClock
from tests.support.sip_traces import CALLER, request, response
from tests.support.transport_listener import listening
from tests.support.waiting import eventually_async

MUCH = 10_000_000


def record(tape: Tape, *messages: bytes, at: float = 1.0) -> None:
    for data in messages:
        tape.fresh.append((at, False, CALLER, data))


def texts(tape: Tape, call_id: bytes, now: float = 1.0) -> list[bytes]:
    recording = tape.recording(call_id, now)
    return [heard.data for heard in recording.messages(MUCH)] if recording is not None else []


def test_the_messages_of_a_call_are_kept_in_their_order() -> None:
    tape = Tape(TapeRules())
    said = [request("INVITE"), response(180, "Ringing"), response(200, "OK"), request("ACK")]
    record(tape, said[0], request("INVITE", "call-2"), *said[1:])
    assert texts(tape, b"call-1") == said
    assert texts(tape, b"call-2") == [request("INVITE", "call-2")]
    assert texts(tape, b"call-3") == []


def test_of_a_long_call_the_beginning_and_the_end_are_kept_and_the_rest_is_counted() -> None:
    tape = Tape(TapeRules(messages_per_call=4))
    said = [request("INVITE"), *(request("INFO", number=number) for number in range(2, 10))]
    record(tape, *said)
    assert texts(tape, b"call-1") == [*said[:2], *said[-2:]]
    recording = tape.recording(b"call-1", 1.0)
    assert recording is not None
    assert (recording.left_out, len(recording)) == (5, 9)


def test_of_many_calls_those_that_were_silent_for_longest_are_forgotten() -> None:
    tape = Tape(TapeRules(calls=2))
    record(tape, request("INVITE", "a"), request("INVITE", "b"), response(200, "OK", call_id="a"))
    record(tape, request("INVITE", "c"))
    assert [len(texts(tape, name)) for name in (b"a", b"b", b"c")] == [2, 0, 1]
    assert len(tape) == 2


def test_memory_has_a_limit_in_bytes() -> None:
    tape = Tape(TapeRules(bytes=100_000))
    for number in range(2000):
        record(tape, request("INVITE", f"call-{number}", body=b"x" * 5000))
        record(tape, request("OPTIONS", f"ask-{number}", body=b"x" * 5000))
        tape.batch_ended(1.0)
        assert tape.size <= 125_000
    assert texts(tape, b"call-1999")
    assert not texts(tape, b"call-1000")


def test_a_long_message_is_cut() -> None:
    tape = Tape(TapeRules(message_bytes=600))
    record(tape, request("INVITE", body=b"x" * 5000))
    assert [len(one) for one in texts(tape, b"call-1")] == [600]


def test_registrations_do_not_push_out_calls() -> None:
    tape = Tape(TapeRules(calls=4))
    record(tape, request("INVITE"))
    record(tape, *(request("REGISTER", f"phone-{number}") for number in range(100)))
    assert texts(tape, b"call-1")
    assert texts(tape, b"phone-99")
    assert not texts(tape, b"phone-98")  # a quarter of four


def test_what_came_before_the_invite_of_a_call_stays_with_it() -> None:
    tape = Tape(TapeRules())
    record(tape, request("OPTIONS"), request("INVITE", number=2))
    assert texts(tape, b"call-1") == [request("OPTIONS"), request("INVITE", number=2)]


def test_a_flood_is_kept_up_to_so_many_messages_a_second_and_the_newest_of_them() -> None:
    tape = Tape(TapeRules(sorted_per_second=FRESH))
    for batch in range(3):
        record(tape, *(request("INVITE", f"{batch}-{number}") for number in range(FRESH)))
        tape.batch_ended(1.0)
    assert tape.not_kept == 2 * FRESH
    record(tape, request("INVITE", "later"), at=2.0)
    assert texts(tape, b"later", 2.0)


def test_a_call_id_is_found_however_it_is_written() -> None:
    assert call_id_of(b"BYE sip:a SIP/2.0\r\nCall-ID: one\r\n\r\n") == b"one"
    assert call_id_of(b"BYE sip:a SIP/2.0\r\ni:two \r\nX: y\r\n\r\n") == b"two"
    assert call_id_of(b"BYE sip:a SIP/2.0\r\nCALL-id  :  three\r\n\r\n") == b"three"
    assert call_id_of(b"BYE sip:a SIP/2.0\r\nVia: x\r\n\r\n") == b""


async def test_the_transport_tells_what_goes_over_its_sockets_in_both_directions() -> None:
    clock = HandClock()
    tape, other = Tape(TapeRules()), Tape(TapeRules())
    here = SipTransport(clock, udp=("127.0.0.1", 0), tcp=("127.0.0.1", 0), tape=tape)
    there = SipTransport(clock, udp=("127.0.0.1", 0), tcp=("127.0.0.1", 0), tape=other)
    async with listening(here), listening(there) as heard:
        kinds: tuple[Transport, ...] = ("udp", "tcp")
        for kind in kinds:
            here.send(request("INVITE", kind), Flow(kind, *there.local[kind]))
        await eventually_async(lambda: len(heard.heard) == 2)
        for kind in kinds:
            sent = tape.recording(kind.encode(), clock.monotonic())
            came = other.recording(kind.encode(), clock.monotonic())
            assert sent is not None
            assert came is not None
            assert [one.sent for one in sent.messages(MUCH)] == [True]
            assert [one.sent for one in came.messages(MUCH)] == [False]
            assert sent.first[0].data == came.first[0].data
