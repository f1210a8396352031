"""The edge's session with a hand-driven clock: what it says, what it expects, and when it gives up."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.sync.events import AlarmChanged, EngineTold, EventBody, FaxFailed
from contract.sync.mailbox_events import FaxSheets, MessageChanged, Recording
from contract.sync.messages import (
    Applied,
    BlobPiece,
    BlobRequest,
    Challenge,
    Command,
    Event,
    EventAck,
    Goodbye,
    Hello,
    Message,
    Ping,
    Pong,
    Rejected,
    SnapshotMessage,
    StateChange,
    Welcome,
)
from contract.sync.quality import CallQuality
from contract.sync.state import Stamp, StateRecord
from contract.sync.versions import BLOBS, QUALITY
from edge_agent.sync.outbox import StoredEvent
from edge_agent.sync.session import (
    Action,
    BeginEpoch,
    CameOnline,
    Disconnect,
    EdgeSession,
    Facts,
    ForgetEvents,
    ReadOutbox,
    ReadState,
    RunCommand,
    Send,
    State,
    TakePiece,
    TakeSnapshot,
    TakeState,
)
from edge_agent.sync.site import ChannelSettings

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
BINDING = b"b" * 32
SETTINGS = ChannelSettings(ping_interval=1.5, ping_deadline=1.5, connect_deadline=5.0, window=100)


def new_session(last_sent: int = 1000) -> EdgeSession:
    facts = Facts(
        edge_id="edge-1",
        agent_version="1.0",
        applied_version=3,
        applied_digest="0" * 64,
        secrets=frozenset({"a:1"}),
        outbox_epoch="epoch-1",
        last_sent=last_sent,
    )
    return EdgeSession(facts, lambda binding: (b"signed " + binding).ljust(64, b"."), SETTINGS, now=0.0)


def welcome(acknowledged: int = 0, protocol: int = 1) -> Welcome:
    return Welcome(protocol=protocol, acknowledged=acknowledged, now=MOMENT)


def online(acknowledged: int = 0) -> EdgeSession:
    session = new_session()
    session.open(BINDING)
    session.receive(welcome(acknowledged), 0.0)
    session.outbox_read(())
    return session


def events(first: int, count: int) -> tuple[StoredEvent, ...]:
    what = AlarmChanged(alarm="test", severity="warning", active=True, text="")
    return tuple(StoredEvent(number, EventBody(at=MOMENT, what=what)) for number in range(first, first + count))


def sent(actions: list[Action]) -> list[Message]:
    return [action.message for action in actions if isinstance(action, Send)]


def test_on_quic_the_first_message_is_a_hello_bound_to_the_exporter() -> None:
    (hello,) = sent(new_session().open(BINDING))
    assert isinstance(hello, Hello)
    assert hello.proof.startswith(b"signed " + BINDING)
    assert (hello.applied_version, hello.secrets, hello.outbox_epoch) == (3, ("a:1",), "epoch-1")


def test_on_websocket_the_hello_waits_for_the_challenge_and_is_bound_to_its_nonce() -> None:
    session = new_session()
    assert session.open(None) == []
    (hello,) = sent(session.receive(Challenge(nonce=b"n" * 32), 0.1))
    assert isinstance(hello, Hello)
    assert hello.proof.startswith(b"signed " + b"n" * 32)


def test_a_welcome_brings_the_edge_online_and_events_are_read_from_what_was_acknowledged() -> None:
    session = new_session()
    session.open(BINDING)
    actions = session.receive(welcome(acknowledged=7), 0.0)
    assert actions == [CameOnline(), ForgetEvents("epoch-1", 7), ReadState(), ReadOutbox(7, 64)]
    assert session.state is State.ONLINE


def test_a_hub_that_does_not_welcome_in_time_is_left() -> None:
    session = new_session()
    session.open(BINDING)
    assert session.deadline == 5.0
    assert session.advance(4.9) == []
    (action,) = session.advance(5.0)
    assert isinstance(action, Disconnect)
    assert session.deadline is None


def test_a_silent_hub_is_asked_after_the_interval_and_left_after_the_deadline() -> None:
    session = online()
    assert session.deadline == 1.5
    assert sent(session.advance(1.5)) == [Ping(number=1)]
    assert session.deadline == 3.0
    (action,) = session.advance(3.0)
    assert isinstance(action, Disconnect)
    assert action.welcome_back


def test_anything_the_hub_says_counts_as_a_sign_of_life() -> None:
    session = online()
    session.advance(1.5)
    session.receive(Pong(number=1), 2.0)
    assert session.deadline == 3.5
    session.receive(Ping(number=9), 3.0)
    assert session.deadline == 4.5


def test_a_ping_is_answered_with_its_number() -> None:
    assert sent(online().receive(Ping(number=9), 0.0)) == [Pong(number=9)]


def test_no_more_events_than_the_window_are_in_flight_and_acknowledgements_open_it() -> None:
    session = online()
    assert session.outbox_grew() == [ReadOutbox(0, 64)]
    actions = session.outbox_read(events(1, 64))
    assert len(sent(actions)) == 64
    assert actions[-1] == ReadOutbox(64, 36)
    actions = session.outbox_read(events(65, 36))
    assert len(sent(actions)) == 36
    assert not any(isinstance(action, ReadOutbox) for action in actions)
    assert session.outbox_grew() == []
    actions = session.receive(EventAck(epoch="epoch-1", sequence=50), 0.1)
    assert actions == [ForgetEvents("epoch-1", 50), ReadOutbox(100, 50)]


def test_after_an_empty_read_the_session_waits_until_the_outbox_grows() -> None:
    session = online()
    assert session.outbox_grew() == [ReadOutbox(0, 64)]
    assert session.outbox_grew() == []
    assert session.outbox_read(()) == [ReadOutbox(0, 64)]
    assert session.outbox_read(()) == []
    assert session.outbox_grew() == [ReadOutbox(0, 64)]


def test_an_acknowledgement_of_another_epoch_forgets_nothing() -> None:
    assert online().receive(EventAck(epoch="other", sequence=50), 0.1) == []


def test_a_hub_that_knows_higher_numbers_than_the_outbox_makes_it_begin_a_new_epoch() -> None:
    session = new_session(last_sent=10)
    session.open(BINDING)
    actions = session.receive(welcome(acknowledged=11), 0.0)
    assert actions[0] == BeginEpoch()
    assert isinstance(actions[-1], Disconnect)


def test_snapshots_commands_and_state_are_handed_on() -> None:
    session = online()
    record = StateRecord(key="a/b", value=True, stamp=Stamp(wall_ms=1, node="cloud"))
    command = Command(command_id="c-1", name="report_registrations")
    assert session.receive(SnapshotMessage(version=4, snapshot={"x": 1}), 0.0) == [TakeSnapshot(4, {"x": 1})]
    assert session.receive(command, 0.0) == [RunCommand(command)]
    assert session.receive(StateChange(records=(record,)), 0.0) == [TakeState((record,))]


def test_many_state_records_go_in_several_messages() -> None:
    stamp = Stamp(wall_ms=1, node="edge-1")
    records = [StateRecord(key=f"k/{number}", value=1, stamp=stamp) for number in range(450)]
    messages = sent(online().state_read(records))
    assert [len(m.records) for m in messages if isinstance(m, StateChange)] == [200, 200, 50]


@pytest.mark.parametrize(
    ("reason", "retry", "welcome_back", "replaced"),
    [
        ("replaced", True, True, True),
        ("shutting_down", True, True, False),
        ("unauthorized", False, False, False),
        ("revoked", False, False, False),
        ("unsupported_version", True, True, False),
    ],
)
def test_a_goodbye_ends_the_session_and_says_whether_to_come_back(
    reason: str, retry: bool, welcome_back: bool, replaced: bool
) -> None:
    for session in (new_session(), online()):
        goodbye = Goodbye.model_validate({"reason": reason, "text": "why", "retry": retry})
        (action,) = session.receive(goodbye, 0.0)
        assert isinstance(action, Disconnect)
        assert (action.welcome_back, action.replaced) == (welcome_back, replaced)
        assert "why" in action.why


def test_a_protocol_that_is_not_spoken_here_is_refused() -> None:
    session = new_session()
    session.open(BINDING)
    actions = session.receive(welcome(protocol=99), 0.0)
    assert [type(message) for message in sent(actions)] == [Goodbye]
    assert session.state is State.CLOSED


def test_leaving_says_goodbye_once() -> None:
    session = online()
    assert [type(message) for message in sent(session.leave())] == [Goodbye]
    assert session.leave() == []


def test_what_is_known_only_after_the_connection_ended_is_kept_for_the_next() -> None:
    session = online()
    session.lost()
    assert session.verdict(Applied(version=1, digest="0" * 64)) == []
    assert session.outbox_read(events(1, 3)) == []
    assert session.outbox_grew() == []


def test_how_calls_were_heard_is_told_only_to_a_hub_that_takes_it_and_holds_up_nothing() -> None:
    told = StoredEvent(2, EventBody(at=MOMENT, what=CallQuality(sip_call_id="a@b", source="engine", packets=50)))
    stored = (*events(1, 1), told, *events(3, 1))
    older, newer = online(), new_session()
    newer.open(BINDING)
    newer.receive(welcome().model_copy(update={"features": (QUALITY,)}), 0.0)
    assert [one.sequence for one in sent(older.outbox_read(stored)) if isinstance(one, Event)] == [1, 3]
    assert [one.sequence for one in sent(newer.outbox_read(stored)) if isinstance(one, Event)] == [1, 2, 3]


def test_a_fax_and_what_the_engine_can_are_told_only_to_a_hub_that_knows_faxes_and_hold_up_nothing() -> None:
    speech = MessageChanged(
        user_id="fax-1",
        message_id="0" * 16,
        stamp=Stamp(wall_ms=1, node="edge"),
        folder="inbox",
        heard=False,
        received_at=MOMENT,
        duration_seconds=30.0,
        recording=Recording(digest="ab" * 32, size_bytes=1),
    )
    engine = EngineTold(engine="freeswitch", receives_fax=True)
    failed = FaxFailed(service_id="fax-1", sip_call_id="a@b")
    fax = speech.model_copy(update={"fax": FaxSheets(pages=2)})
    stored = [
        StoredEvent(sequence, EventBody(at=MOMENT, what=what))
        for sequence, what in enumerate((speech, fax, engine, failed), 1)
    ]
    for features, told in (((), []), (("messages",), [1]), (("messages", "fax"), [1, 2, 3, 4])):
        session = new_session()
        session.open(BINDING)
        came = session.receive(welcome().model_copy(update={"features": features}), 0.0)
        assert came[0] == CameOnline(takes_messages="messages" in features, takes_faxes="fax" in features)
        sendings = sent(session.outbox_read([*stored, *events(5, 1)]))
        assert [one.sequence for one in sendings if isinstance(one, Event)] == [*told, 5]


MESSAGES: list[Message] = [
    Challenge(nonce=b"n" * 32),
    welcome(),
    Goodbye(reason="replaced"),
    SnapshotMessage(version=1, snapshot={}),
    EventAck(epoch="epoch-1", sequence=3),
    Ping(number=1),
    Pong(number=1),
    Command(command_id="c", name="x"),
    Rejected(version=1, problems=("x",)),
    Event(epoch="e", sequence=1, body=events(1, 1)[0].body),
]


@settings(max_examples=200)
@given(st.lists(st.sampled_from(MESSAGES)), st.booleans())
def test_whatever_a_hub_sends_nothing_follows_a_disconnect_and_a_deadline_stands_until_then(
    messages: list[Message], challenged: bool
) -> None:
    session = new_session()
    actions = session.open(None if challenged else BINDING)
    for number, message in enumerate(messages):
        before = session.state
        actions = session.receive(message, number / 100)
        if before is State.CLOSED:
            assert actions == []
        assert all(not isinstance(action, Disconnect) for action in actions[:-1])
        assert (session.deadline is None) == (session.state is State.CLOSED)


REQUEST = BlobRequest(digest="d" * 64, offset=0, length=10)


def hands_out() -> EdgeSession:
    """Online at a hub that hands out blobs."""
    session = new_session()
    session.open(BINDING)
    came = session.receive(welcome().model_copy(update={"features": (BLOBS,)}), 0.0)
    assert came[0] == CameOnline(hands_out_blobs=True)
    return session


def test_a_piece_is_asked_for_only_of_a_hub_that_hands_them_out_and_only_one_at_a_time() -> None:
    assert online().ask_piece(REQUEST) == []
    session = hands_out()
    assert session.ask_piece(REQUEST) == [Send(REQUEST)]
    assert session.ask_piece(REQUEST) == []
    piece = BlobPiece(digest=REQUEST.digest, offset=0, data=b"0123456789")
    assert session.receive(piece, 1.0) == [TakePiece(piece)]
    assert session.ask_piece(REQUEST) == [Send(REQUEST)]


def test_why_there_is_no_piece_is_passed_on_as_well() -> None:
    session = hands_out()
    session.ask_piece(REQUEST)
    refusal = BlobPiece(digest=REQUEST.digest, offset=0, refused="missing")
    assert session.receive(refusal, 1.0) == [TakePiece(refusal)]


@pytest.mark.parametrize(
    "piece",
    [
        BlobPiece(digest="e" * 64, offset=0, data=b"x"),
        BlobPiece(digest="d" * 64, offset=5, data=b"x"),
        BlobPiece(digest="d" * 64, offset=0, data=b"01234567890"),
    ],
    ids=["another blob", "another place", "more than was asked for"],
)
def test_a_piece_that_was_not_asked_for_ends_the_connection(piece: BlobPiece) -> None:
    session = hands_out()
    session.ask_piece(REQUEST)
    actions = session.receive(piece, 1.0)
    assert isinstance(actions[-1], Disconnect)
    assert not any(isinstance(action, TakePiece) for action in actions)


def test_a_piece_out_of_the_blue_ends_the_connection() -> None:
    actions = hands_out().receive(BlobPiece(digest="d" * 64, offset=0, data=b"x"), 1.0)
    assert isinstance(actions[-1], Disconnect)
