"""The hub's session with a hand-driven clock and answers given by hand."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.hub.actions import Action, Ask, Close, Send, SessionSettings, WentOnline
from cloud.hub.questions import (
    EventsKept,
    FetchNews,
    FetchPiece,
    FindEdge,
    Found,
    Holding,
    KeepEvents,
    KnownEdge,
    MergeState,
    News,
    Offer,
    Opened,
    OpenLease,
    Peer,
    PieceFetched,
    Question,
    RecordVerdict,
    StoreResult,
    VerdictRecorded,
)
from cloud.hub.session import MAX_WAITING_EVENTS, HubSession, State
from contract.sync.codec import encode
from contract.sync.events import AlarmChanged, EventBody
from contract.sync.messages import (
    Applied,
    BlobPiece,
    BlobRequest,
    Challenge,
    Command,
    CommandResult,
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
    proof_text,
)
from contract.sync.state import Stamp, StateRecord
from contract.sync.versions import BLOBS, CALL_RECORDINGS, CONFERENCE_RECORDINGS, FAX, FEATURES, MESSAGES, QUALITY

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
BINDING = b"b" * 32
KEY = Ed25519PrivateKey.generate()
PEER = Peer("connection-1", "quic", "192.0.2.1:4433")
SETTINGS = SessionSettings()
EDGE = KnownEdge("edge-1", "site-1", "tenant-1", KEY.public_key().public_bytes_raw(), b"s" * 32)


def hello(key: Ed25519PrivateKey = KEY, binding: bytes = BINDING, protocols: tuple[int, ...] = (1,)) -> Hello:
    return Hello(
        edge_id="edge-1",
        proof=key.sign(proof_text("edge-1", binding)),
        protocols=protocols,
        schemas=(1,),
        features=tuple(sorted(FEATURES)),
        agent_version="1.0",
        applied_version=3,
        applied_digest="0" * 64,
        secrets=("a:1",),
        outbox_epoch="epoch-1",
    )


def new_session(challenge: bool = False) -> HubSession:
    return HubSession(PEER, BINDING, SETTINGS, 0.0, challenge=challenge)


def online() -> HubSession:
    """A session whose first news have been fetched."""
    session = new_session()
    session.receive(hello(), 0.0)
    session.answered(Found(EDGE), 0.0, MOMENT)
    session.answered(Opened(0, 3), 0.0, MOMENT)
    session.answered(News("c1"), 0.0, MOMENT)
    return session


def sent(actions: list[Action]) -> list[Message]:
    return [action.message for action in actions if isinstance(action, Send)]


def asked(actions: list[Action]) -> list[Question]:
    return [action.question for action in actions if isinstance(action, Ask)]


def goodbye(actions: list[Action]) -> Goodbye:
    (message,) = [message for message in sent(actions) if isinstance(message, Goodbye)]
    assert isinstance(actions[-1], Close)
    return message


def event(sequence: int) -> Event:
    what = AlarmChanged(alarm="test", severity="warning", active=True, text="")
    return Event(epoch="epoch-1", sequence=sequence, body=EventBody(at=MOMENT, what=what))


def offer(version: int) -> Offer:
    return Offer(version, SnapshotMessage(version=version, snapshot={}))


def news_question(actions: list[Action]) -> FetchNews:
    (question,) = asked(actions)
    assert isinstance(question, FetchNews)
    return question


def test_an_edge_is_looked_up_proved_given_the_lease_and_welcomed() -> None:
    session = new_session()
    assert session.open() == []
    assert asked(session.receive(hello(), 0.0)) == [FindEdge("edge-1")]
    holding = Holding(3, "0" * 64, frozenset({"a:1"}), FEATURES)
    assert asked(session.answered(Found(EDGE), 0.0, MOMENT)) == [OpenLease(EDGE, PEER, "1.0", "epoch-1", holding)]
    actions = session.answered(Opened(17, 4), 0.0, MOMENT)
    told = (BLOBS, MESSAGES, QUALITY, CALL_RECORDINGS, CONFERENCE_RECORDINGS, FAX)
    assert actions == [
        WentOnline(EDGE),
        Send(Welcome(protocol=1, acknowledged=17, wanted_version=4, now=MOMENT, features=told)),
        Ask(FetchNews(EDGE, holding, None, "", "connection-1", offers=True, whole=False)),
    ]


def test_on_websocket_the_hub_begins_with_the_nonce() -> None:
    assert sent(new_session(challenge=True).open()) == [Challenge(nonce=BINDING)]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, hello()),
        (EDGE, hello(key=Ed25519PrivateKey.generate())),
        (EDGE, hello(binding=b"another connection's binding")),
    ],
)
def test_strangers_wrong_keys_and_proofs_for_other_connections_get_the_same_answer(
    found: KnownEdge | None, said: Hello
) -> None:
    session = new_session()
    session.receive(said, 0.0)
    bye = goodbye(session.answered(Found(found), 0.0, MOMENT))
    assert (bye.reason, bye.retry) == ("unauthorized", False)
    assert bye.text == "this edge is not known here, or its proof does not hold"
    assert session.edge is None


def test_a_revoked_edge_is_told_so_only_after_its_proof_held() -> None:
    revoked = KnownEdge(EDGE.edge_id, EDGE.site_id, EDGE.tenant_id, EDGE.identity_key, EDGE.sealing_key, revoked=True)
    session = new_session()
    session.receive(hello(), 0.0)
    assert goodbye(session.answered(Found(revoked), 0.0, MOMENT)).reason == "revoked"
    session = new_session()
    session.receive(hello(key=Ed25519PrivateKey.generate()), 0.0)
    assert goodbye(session.answered(Found(revoked), 0.0, MOMENT)).reason == "unauthorized"


def test_a_peer_that_shares_no_protocol_version_is_answered() -> None:
    assert goodbye(new_session().receive(hello(protocols=(98, 99)), 0.0)).reason == "unsupported_version"


def test_a_connection_that_says_nothing_is_closed_after_five_seconds() -> None:
    session = new_session()
    assert session.deadline == 5.0
    assert goodbye(session.advance(5.0)).reason == "unauthorized"
    assert session.deadline is None


def test_an_edge_that_waits_for_a_slow_database_is_asked_to_come_back() -> None:
    session = new_session()
    session.receive(hello(), 0.0)
    bye = goodbye(session.advance(5.0))
    assert (bye.reason, bye.retry) == ("shutting_down", True)


def test_a_first_message_other_than_hello_is_a_protocol_error() -> None:
    assert goodbye(new_session().receive(event(1), 0.0)).reason == "protocol_error"


def test_events_are_acknowledged_only_after_they_are_kept_and_batched_meanwhile() -> None:
    session = online()
    assert asked(session.receive(event(1), 0.0)) == [KeepEvents(EDGE, "epoch-1", (event(1),))]
    assert session.receive(event(2), 0.0) == []
    assert session.receive(event(3), 0.0) == []
    actions = session.answered(EventsKept("epoch-1", 1), 0.0, MOMENT)
    assert sent(actions) == [EventAck(epoch="epoch-1", sequence=1)]
    assert asked(actions) == [KeepEvents(EDGE, "epoch-1", (event(2), event(3)))]


def test_an_edge_that_sends_more_events_than_may_wait_is_sent_away() -> None:
    session = online()
    for sequence in range(1, MAX_WAITING_EVENTS + 2):
        session.receive(event(sequence), 0.0)
    assert goodbye(session.receive(event(MAX_WAITING_EVENTS + 2), 0.0)).reason == "protocol_error"


def test_when_the_database_fails_the_edge_is_asked_to_come_back() -> None:
    session = online()
    session.receive(event(1), 0.0)
    bye = goodbye(session.store_failed())
    assert (bye.reason, bye.retry) == ("shutting_down", True)
    assert session.answered(EventsKept("epoch-1", 1), 0.0, MOMENT) == []


def test_secrets_go_before_the_snapshot_and_a_second_offer_waits_for_the_verdict() -> None:
    session = online()
    news_question(session.wake())
    assert sent(session.answered(News("c2", offer(4)), 1.0, MOMENT)) == [SnapshotMessage(version=4, snapshot={})]
    assert news_question(session.wake()).offers is False
    session.answered(News("c3"), 1.0, MOMENT)
    verdict = Applied(version=4, digest="1" * 64)
    assert asked(session.receive(verdict, 2.0)) == [RecordVerdict(EDGE, verdict)]
    question = news_question(session.answered(VerdictRecorded(), 2.0, MOMENT))
    assert (question.offers, question.settled) == (True, 4)
    assert question.holding == Holding(4, "1" * 64, None, FEATURES)


def request(offset: int = 0) -> BlobRequest:
    return BlobRequest(digest="d" * 64, offset=offset, length=262_144)


def piece(offset: int = 0) -> BlobPiece:
    return BlobPiece(digest="d" * 64, offset=offset, data=bytes(262_144))


def test_an_edge_that_knows_no_blobs_is_welcomed_in_words_that_it_knows() -> None:
    session = new_session()
    session.receive(hello().model_copy(update={"features": ("delta",)}), 0.0)
    session.answered(Found(EDGE), 0.0, MOMENT)
    (welcome, *_) = sent(session.answered(Opened(0, 3), 0.0, MOMENT))
    assert b"features" not in encode(welcome)


def test_a_piece_of_a_blob_is_fetched_at_once_and_the_next_when_the_edges_share_allows_it() -> None:
    session = online()
    assert asked(session.receive(request(), 1.0)) == [FetchPiece(EDGE, request())]
    assert sent(session.answered(PieceFetched(piece()), 1.0, MOMENT)) == [piece()]
    assert session.receive(request(262_144), 1.0) == []
    due = 1.0 + 262_144 / SETTINGS.blob_bytes_per_second
    assert session.deadline == due
    assert asked(session.advance(due)) == [FetchPiece(EDGE, request(262_144))]


def test_while_a_piece_is_on_its_way_everything_else_goes_on() -> None:
    session = online()
    session.receive(request(), 1.0)
    news_question(session.wake())
    assert sent(session.answered(News("c2", offer(4)), 1.0, MOMENT)) == [SnapshotMessage(version=4, snapshot={})]
    assert sent(session.receive(Ping(number=7), 1.0)) == [Pong(number=7)]


def test_refusals_count_as_a_little_so_that_nobody_asks_in_vain_again_and_again() -> None:
    session = online()
    session.receive(request(), 1.0)
    session.answered(PieceFetched(BlobPiece(digest="d" * 64, offset=0, refused="not_named")), 1.0, MOMENT)
    assert session.receive(request(), 1.0) == []
    assert session.deadline is not None
    assert session.deadline > 1.0


@pytest.mark.parametrize("answered", [False, True])
def test_an_edge_that_asks_for_a_second_piece_before_the_first_came_is_sent_away(answered: bool) -> None:
    session = online()
    session.receive(request(), 1.0)
    if answered:
        session.answered(PieceFetched(piece()), 1.0, MOMENT)
        session.receive(request(), 1.0)
    assert goodbye(session.receive(request(262_144), 1.0)).reason == "protocol_error"


def test_a_rejected_version_is_settled_and_the_edge_still_holds_what_it_held() -> None:
    session = online()
    session.wake()
    session.answered(News("c2", offer(4)), 1.0, MOMENT)
    verdict = Rejected(version=4, problems=("no",))
    assert asked(session.receive(verdict, 2.0)) == [RecordVerdict(EDGE, verdict)]
    question = news_question(session.answered(VerdictRecorded(), 2.0, MOMENT))
    assert (question.settled, question.holding.version, question.whole) == (4, 3, False)


def test_a_delta_that_did_not_fit_is_followed_by_the_whole_snapshot_once() -> None:
    session = online()
    session.wake()
    session.answered(News("c2", offer(4)), 1.0, MOMENT)
    again = Rejected(version=4, problems=("does not fit",), resend=True)
    assert news_question(session.receive(again, 2.0)).whole is True
    session.answered(News("c3", offer(4)), 2.0, MOMENT)
    assert asked(session.receive(again, 3.0)) == [RecordVerdict(EDGE, again)]


def test_an_offer_without_an_answer_is_repeated_whole() -> None:
    session = online()
    session.wake()
    session.answered(News("c2", offer(4)), 1.0, MOMENT)
    asked_again: list[Question] = []
    now = 1.0
    while not asked_again:
        assert session.deadline is not None
        now = session.deadline
        asked_again = asked(session.advance(now))
        session.receive(Pong(number=0), now)
    (question,) = asked_again
    assert isinstance(question, FetchNews)
    assert (now, question.whole, question.offers) == (61.0, True, True)


def test_waking_twice_while_news_are_fetched_fetches_once_more() -> None:
    session = online()
    news_question(session.wake())
    assert session.wake() == []
    assert session.wake() == []
    news_question(session.answered(News("c2"), 1.0, MOMENT))
    assert session.answered(News("c3"), 1.0, MOMENT) == []


def test_a_command_is_sent_once_and_its_result_stored() -> None:
    session = online()
    command = Command(command_id="c-1", name="report_registrations")
    session.wake()
    assert sent(session.answered(News("c2", commands=(command,)), 1.0, MOMENT)) == [command]
    session.wake()
    assert sent(session.answered(News("c3", commands=(command,)), 1.0, MOMENT)) == []
    result = CommandResult(command_id="c-1", ok=True)
    assert asked(session.receive(result, 1.0)) == [StoreResult(EDGE, result)]
    assert session.receive(CommandResult(command_id="c-2", ok=True), 1.0) == []


def test_state_records_are_merged_one_batch_at_a_time() -> None:
    session = online()
    record = StateRecord(key="a/b", value=True, stamp=Stamp(wall_ms=1, node="edge-1"))
    assert asked(session.receive(StateChange(records=(record,)), 0.0)) == [MergeState(EDGE, (record,))]
    assert session.receive(StateChange(records=(record,)), 0.0) == []


@pytest.mark.parametrize("news", [News("c2", taken_over=True), News("c2", revoked=True)])
def test_news_that_end_the_connection_end_it(news: News) -> None:
    session = online()
    session.wake()
    bye = goodbye(session.answered(news, 1.0, MOMENT))
    assert bye.reason == ("replaced" if news.taken_over else "revoked")


def test_a_silent_edge_is_asked_and_then_given_up() -> None:
    session = online()
    assert session.deadline == 4.0
    assert sent(session.advance(4.0)) == [Ping(number=1)]
    session.receive(Pong(number=1), 5.0)
    assert sent(session.advance(9.0)) == [Ping(number=2)]
    (action,) = session.advance(13.0)
    assert isinstance(action, Close)


def everything_valid() -> list[bytes]:
    messages: list[Message] = [
        hello(),
        event(1),
        Ping(number=1),
        Applied(version=1, digest="0" * 64),
        Rejected(version=1, problems=("x",), resend=True),
        Goodbye(reason="shutting_down"),
        EventAck(epoch="e", sequence=1),
        CommandResult(command_id="x", ok=True),
    ]
    return [encode(message) for message in messages]


@settings(max_examples=300)
@given(
    st.lists(st.one_of(st.binary(max_size=64), st.sampled_from(everything_valid())), max_size=12),
    st.booleans(),
)
def test_any_bytes_get_an_answer_or_a_named_end_and_nothing_follows_the_end(
    payloads: list[bytes], admitted: bool
) -> None:
    session = online() if admitted else new_session()
    for payload in payloads:
        before = session.state
        actions = session.receive_payload(payload, 0.0)
        if before is State.CLOSED:
            assert actions == []
        if session.state is State.CLOSED and before is not State.CLOSED:
            assert isinstance(actions[-1], Close)
            assert actions[-1].why
        assert all(not isinstance(action, Close) for action in actions[:-1])
        assert (session.deadline is None) == (session.state is State.CLOSED)
