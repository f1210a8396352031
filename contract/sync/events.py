"""What an edge tells the cloud: one model per kind of event, in a closed union."""

from typing import Annotated, Literal

from pydantic import Field

from contract.values import Frozen, Id, MacAddress, Text, UtcTime

Long = Annotated[str, Field(max_length=1024)]

Disposition = Literal["answered", "busy", "no_answer", "cancelled", "failed"]


class RegistrationChanged(Frozen):
    """A binding came, was refreshed, or went."""

    kind: Literal["registration"] = "registration"
    state: Literal["registered", "removed", "expired"]
    user_id: Id
    line_id: Id
    device_id: Id | None = None
    contact: Long
    user_agent: Text = ""
    source: Text = ""
    """`address:port` that the REGISTER came from."""
    transport: Literal["udp", "tcp", "tls", "ws", "wss"] = "udp"
    expires_at: UtcTime | None = None
    """When the binding lapses unless refreshed; None when it is gone."""


class CallEnded(Frozen):
    """A call detail record (CDR): one per call, written when the call is over."""

    kind: Literal["call"] = "call"
    call_id: Id
    """Opaque, unique for ever; the same record sent twice has the same."""
    sip_call_id: Long
    caller: Text
    """User part of the caller's address."""
    callee: Text
    """What was dialled."""
    caller_user_id: Id | None = None
    callee_user_id: Id | None = None
    started_at: UtcTime
    answered_at: UtcTime | None = None
    ended_at: UtcTime
    disposition: Disposition
    status: Annotated[int, Field(ge=100, le=699)]
    """The final SIP status code sent to the caller."""
    interrupted: bool = False
    """True: the edge stopped during the call, and this record was closed at its next start."""
    reasons: Annotated[tuple[Text, ...], Field(max_length=50)] = ()
    """Why the call went where it went, from the dial plan."""


class AlarmChanged(Frozen):
    """Something at the site needs a person, or no longer does."""

    kind: Literal["alarm"] = "alarm"
    alarm: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]
    """What is wrong, as a fixed name such as `process_restarted`."""
    severity: Literal["information", "warning", "critical"]
    active: bool
    text: Long


class UnknownPhoneSeen(Frozen):
    """A phone that the site does not know asked for its configuration."""

    kind: Literal["unknown_phone"] = "unknown_phone"
    mac: MacAddress | None = None
    vendor: Text = ""
    model: Text = ""
    firmware: Text = ""
    user_agent: Text = ""
    address: Text
    """IP address that asked."""
    protocol: Literal["tftp", "http", "https", "sip"]


Happening = Annotated[
    RegistrationChanged | CallEnded | AlarmChanged | UnknownPhoneSeen,
    Field(discriminator="kind"),
]


class EventBody(Frozen):
    """An event as it lies in the outbox: when it happened (edge's clock) and what."""

    at: UtcTime
    what: Happening
