"""The few protocols by which subsystems reach what they do not own; the composition root connects them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from contract.sync.events import CallEnded, Disposition, Happening
from contract.sync.quality import CallQuality
from edge_agent.errors import EdgeError


class Reporter(Protocol):
    """Where a subsystem reports what happened at the site, for the cloud to know."""

    def report(self, what: Happening) -> None:
        """Kept durably (safe against kill -9) when this returns, or by the next `CallJournal.keep` at the latest.

        Sent whenever the channel allows.
        """
        ...


@dataclass(slots=True)
class OpenCall:
    """A call in progress, as far as its record is known; what a CDR is closed from if the process dies."""

    call_id: str
    sip_call_id: str
    caller: str
    callee: str
    caller_user_id: str | None
    callee_user_id: str | None
    started_at: datetime
    answered_at: datetime | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How a call ended; with its `OpenCall` this is its record (`contract.sync.events.CallEnded`)."""

    ended_at: datetime
    disposition: Disposition
    status: int
    """The final SIP status code sent to the caller."""
    interrupted: bool = False


class CallJournal(Protocol):
    """Calls in progress, kept durably, so that each ends in exactly one record."""

    def opened(self, call: OpenCall) -> None:
        """A call began, or became known better (answered): the newest state of its `call_id`."""
        ...

    def closed(self, call: OpenCall, end: CallEnd) -> None:
        """The call is over: its open entry goes and its record is reported, both or neither."""
        ...

    def joined(self, call: OpenCall, other_id: str) -> None:
        """Two calls in progress are one from here on: this is its newest state, and the other one has no record.

        After kill -9 both are there as they were, or it is that one call.
        """
        ...

    def keep(self) -> None:
        """Make everything so far safe against kill -9; called before anything leaves that speaks of it."""
        ...


def record_of(call: OpenCall, end: CallEnd) -> CallEnded:
    """The record of a call that is over."""
    return CallEnded(
        call_id=call.call_id,
        sip_call_id=call.sip_call_id,
        caller=call.caller,
        callee=call.callee,
        caller_user_id=call.caller_user_id,
        callee_user_id=call.callee_user_id,
        started_at=call.started_at,
        answered_at=call.answered_at,
        ended_at=end.ended_at,
        disposition=end.disposition,
        status=end.status,
        interrupted=end.interrupted,
        reasons=call.reasons,
    )


class CallRefused(EdgeError):
    """A call, or a change of one, cannot be taken; `status` and `reason` are the SIP answer, the message is for us."""

    status = 500
    reason = "Server Internal Error"


QualityTold = Callable[[CallQuality], None]
"""Hears how well one side of a call was heard, when that side is over. Nothing in it waits."""


class AnswerLater(EdgeError):
    """Raised by a `CallListener` that is asked for a session description and has to ask somebody else first.

    The description then goes by `reanswer` or `acknowledge` of the leg, a refusal by `rerefuse`.
    """


TransferTold = Callable[[int, bool], None]
"""Hears what becomes of a transfer: the status that the peer got from whom it calls, and whether that is final."""


class CallLeg(Protocol):
    """One call that ends here, as its SIP side shows itself to the media plane. Nothing here waits."""

    @property
    def called(self) -> str:
        """User part of the Request-URI: which application is wanted."""
        ...

    @property
    def call_id(self) -> str:
        """Its Call-ID, which the call's record has too."""
        ...

    @property
    def placed(self) -> bool:
        """Whether the call was placed from here, so that the peer is who was called."""
        ...

    @property
    def caller(self) -> str:
        """User part of the From header; what the caller says, not who they are proven to be."""
        ...

    @property
    def asserted(self) -> str:
        """User part of P-Asserted-Identity (RFC 3325): who the proxy says that it is; empty: it does not say."""
        ...

    @property
    def caller_name(self) -> str:
        """Display name of the From header; not proven."""
        ...

    @property
    def arguments(self) -> Mapping[str, str]:
        """Parameters of the Request-URI: what the dial plan tells the application."""
        ...

    @property
    def offer(self) -> bytes | None:
        """The session description that the call came with; None when ours is to be the offer."""
        ...

    @property
    def replaces(self) -> "CallLeg | None":
        """The call that ends once this one is answered, because it takes its place (RFC 3891)."""
        ...

    def ring(self) -> None:
        """Tell the caller that the call has arrived (180)."""
        ...

    def answer(self, description: bytes) -> None:
        """Answer the call (200) with our session description; nothing happens when the caller has gone."""
        ...

    def refuse(self, status: int, reason: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        """End the call before it is answered."""
        ...

    def transfer(self, to: "str | Transfer", told: TransferTold, proven: str = "") -> None:
        """Ask the peer to call somebody else instead (REFER, RFC 3515).

        Args:
            to: a number of the site; or what somebody else in the call asked for.
            told: hears what becomes of it, as far as the caller's phone says.
            proven: id of the authorization code that the caller knew; empty: none is asked for.
        """
        ...

    def hang_up(self) -> None:
        """End the call, whatever state it is in; `MediaPlane.ended` follows."""
        ...


class MediaPlane(Protocol):
    """What a user agent hands its calls to. Nothing here waits."""

    def offered(self, leg: CallLeg) -> None:
        """A call came; it will be answered or refused through `leg`. `CallRefused` refuses it at once."""
        ...

    def confirmed(self, leg: CallLeg, answer: bytes | None) -> None:
        """The caller acknowledged our answer to the call; `answer` is theirs where ours was the offer."""
        ...

    def reoffered(self, leg: CallLeg, offer: bytes | None) -> bytes:
        """The caller wants another session (re-INVITE): our answer to it, or our offer where there is none.

        Raises:
            CallRefused: the session stays as it is.
        """
        ...

    def ended(self, leg: CallLeg, cause: str) -> None:
        """The call is over: `caller` hung up or gave up, `local` we did, `unacknowledged`, `failed`."""
        ...


@dataclass(frozen=True, slots=True)
class Transfer:
    """The peer of a call wants us to call somebody else (REFER, RFC 3515).

    Args:
        target: SIP URI to call, without its headers.
        replaces: value of the Replaces header to call it with (RFC 3891); empty: none, a blind transfer.
        referred_by: value of the Referred-By header to call it with (RFC 3892); empty: none was given.
        served_user: value of P-Served-User (RFC 5502), whose permissions count, where a proxy that is trusted wrote it.
        proven: id of the authorization code that the peer knew, for the site's proxy; empty: none.
        voucher: what the site's proxy wrote into it of whose permissions count; empty: nothing.
    """

    target: str
    replaces: str = ""
    referred_by: str = ""
    served_user: str = ""
    proven: str = ""
    voucher: str = ""


class CallListener(Protocol):
    """What whoever holds a call hears of it beyond what a `MediaPlane` hears. Nothing here waits.

    Descriptions are session descriptions (SDP); None is none.
    """

    def progressed(self, status: int, description: bytes | None) -> bytes | None:
        """A call that we placed rings (1xx above 100); the answer, where `description` is a reliable offer."""
        ...

    def answered(self, description: bytes | None) -> bytes | None:
        """A call that we placed was answered; our answer, where theirs was the offer (it got none of ours).

        Raises:
            AnswerLater: our answer comes by `acknowledge`.
        """
        ...

    def reoffered(self, offer: bytes | None) -> bytes:
        """The peer wants another session: our answer, or our offer where there is none.

        Raises:
            CallRefused: the session stays as it is.
            AnswerLater: ours comes by `reanswer`, or where the peer offers on our own request, by `acknowledge`.
        """
        ...

    def acknowledged(self, answer: bytes | None) -> None:
        """The peer of a call that we placed answered the offer that we gave it for another session (its ACK)."""
        ...

    def changed(self, status: int, description: bytes | None) -> None:
        """What came of our own wish for another session; a refused one leaves it as it was."""
        ...

    def informed(self, content_type: str, body: bytes) -> None:
        """The peer sent information (INFO).

        Raises:
            CallRefused: it is not understood.
        """
        ...

    def record_wanted(self, wanted: bool) -> None:
        """The peer wants the call to be recorded, or no longer (the header `Record` of an INFO).

        Raises:
            CallRefused: it may not, or it cannot be done.
        """
        ...

    def transfer_wanted(self, transfer: Transfer) -> None:
        """The peer wants us to call somebody else; say what becomes of it by the leg's `transfer_progress`.

        Raises:
            CallRefused: we will not.
        """
        ...

    def transfer_progressed(self, status: int, final: bool) -> None:
        """What becomes of the transfer that we asked the peer for: the status that it got from whom it calls."""
        ...

    def ended(self, cause: str, status: int) -> None:
        """The call is over: `peer` hung up, `local` we did, `refused` with that status, `unanswered`, `unreachable`,
        `unacknowledged`, `lapsed` (its session timer), `failed`. Told once."""
        ...


class NoticeRefused(EdgeError):
    """A notice that cannot be sent as it is; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A NOTIFY that no phone subscribed to, such as the one that makes a phone fetch its configuration again.

    Args:
        notice_id: names it in what becomes of it.
        event: value of the Event header, such as `check-sync;reboot=false`.
        device_id: the phone that it is for, told once, whichever of its lines are registered. Of the three, exactly
            one is given.
        line_id: every phone that this line is registered from.
        contact: the phone that registered this Contact URI.
        content_type: of the body; empty without one.
        body: at most 16 KiB in UTF-8.
    """

    notice_id: str
    event: str
    device_id: str = ""
    line_id: str = ""
    contact: str = ""
    content_type: str = ""
    body: str = ""


NoticeState = Literal["deferred", "accepted", "refused", "unreachable", "not_registered", "still_in_a_call", "lost"]
"""`deferred`: the phone is in a call and will be told after it; each of the others is the last word."""


@dataclass(frozen=True, slots=True)
class NoticeOutcome:
    """What became of a notice at one phone.

    Args:
        notice_id: which notice.
        state: see `NoticeState`; `lost`: the process that should have sent it ended first, ask again.
        contact: the Contact URI of the phone; empty when there is none.
        status: the SIP status of its answer; 0 without one.
        text: for people.
    """

    notice_id: str
    state: NoticeState
    contact: str = ""
    status: int = 0
    text: str = ""


class Notifier(Protocol):
    """Sends notices to phones of the site. Whoever is wired to it hears what becomes of each by `NoticeOutcome`s."""

    def notify(self, notice: Notice) -> None:
        """Send it soon, or once the phone's call is over. Nothing here waits.

        Raises:
            NoticeRefused: it is malformed, or too many wait.
        """
        ...


@dataclass(frozen=True, slots=True)
class MessagesWaiting:
    """How many messages a user's mailbox has; none is negative.

    Args:
        user_id: whose.
        new: not heard yet.
        old: heard.
        urgent_new: of the new ones, the urgent.
        urgent_old: of the old ones, the urgent.
    """

    user_id: str
    new: int = 0
    old: int = 0
    urgent_new: int = 0
    urgent_old: int = 0


class MessageLamps(Protocol):
    """Where the voicemail application says how many messages wait, for the lamps of phones (RFC 3842)."""

    def messages_waiting(self, counts: MessagesWaiting) -> None:
        """A mailbox has so many messages now. To be said of every mailbox at the start, too: what has not changed
        tells no phone. Nothing here waits."""
        ...


@dataclass(frozen=True, slots=True)
class RelayEnd:
    """One end of a relayed stream.

    Args:
        port: of ours that this party sends to; RTCP goes to the next one.
        six: whether that is an IPv6 port.
        media: address and port where it says that it receives RTP; None: it did not say, or receives nothing now.
        control: the same for RTCP.
        at: our address that this party was told, where the port was opened ahead; for a relay, where it is to be bound.
            Empty: every one of the family.
    """

    port: int
    six: bool = False
    media: tuple[str, int] | None = None
    control: tuple[str, int] | None = None
    at: str = ""


@dataclass(frozen=True, slots=True)
class RecordingOrder:
    """A relayed stream is to be recorded.

    Args:
        recording_id: names the recording; the same after a process was started anew.
        announce: whether both ends are told first.
        secure: whether its media is encrypted for the ends only, so that it cannot be recorded.
    """

    recording_id: str
    announce: bool = False
    secure: bool = False


@dataclass(frozen=True, slots=True)
class WatchedKeys:
    """The keys that one end of a relayed stream presses are to be told.

    Args:
        end: which, 0 or 1.
        types: payload types by which keys come (RFC 4733).
    """

    end: int
    types: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RelayedStream:
    """Media that goes through this machine: what one end sends is sent on to the other.

    Args:
        first, second: the ends.
        call_id: Call-ID of the record of the call whose voice it is; empty: it is none, or not known yet.
        caller: which end the caller is at, 0 or 1; None: it is not known.
        ahead: names the ports in `PortsAhead`; empty: they were not opened ahead.
        record: how it is to be recorded; None: it is not.
        keys: whose keys are to be told; None: nobody's.
    """

    first: RelayEnd
    second: RelayEnd
    call_id: str = ""
    caller: int | None = None
    ahead: str = ""
    record: RecordingOrder | None = None
    keys: WatchedKeys | None = None


@dataclass(frozen=True, slots=True)
class PortsAhead:
    """Two ports that a relay which chooses its own holds open for a stream to come.

    Args:
        ahead_id: names them; never given again.
        hosts: our address as each end would be told it.
        ports: of each end; RTCP goes to the next one.
    """

    ahead_id: str
    hosts: tuple[str, str]
    ports: tuple[int, int]


class MediaRelay(Protocol):
    """Carries media between two parties that cannot reach each other."""

    def carry(self, streams: tuple[RelayedStream, ...]) -> None:
        """Carry exactly these from now on; what is not named any more ends."""
        ...
