"""What an edge tells the cloud: one model per kind of event, in a closed union."""

from typing import Annotated, Literal

from pydantic import Field

from contract.sync.call_recordings import CallRecorded
from contract.sync.mailbox_events import CallerText, MessageChanged
from contract.sync.quality import CallQuality
from contract.sync.queue_events import QueueCallEnded
from contract.values import Digest, Frozen, Id, MacAddress, Text, UtcTime

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


class EmergencyCalled(Frozen):
    """Somebody at the site calls for help, at this moment; told before it is known whether help answers."""

    kind: Literal["emergency"] = "emergency"
    call_id: Id
    """Of the record that the call ends in (`CallEnded`)."""
    number: Text
    """What was dialled."""
    caller: Text = ""
    """Who calls, for people: name and extension, or what the call says."""
    user_id: Id | None = None
    device_id: Id | None = None
    source: Text = ""
    """`address:port` of the phone."""
    location_id: Id | None = None
    location_name: Text = ""
    address: Long = ""
    """Where help is to go: the dispatchable location."""
    caller_id: Text = ""
    """The number that stands for the place (ELIN)."""


PhoneProtocol = Literal["tftp", "http", "https", "ftp", "sip", "dhcp"]
"""How a phone asked; `sip` is the multicast plug and play."""

Certainty = Literal["hint", "likely", "claimed", "asked", "proven"]
"""How far a fact about a phone may be trusted: `hint` by the form of a file's name, `likely` by half of the
MAC address, `claimed` by its own words, `asked` by a name that means nothing else, `proven` by a certificate."""


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
    protocol: PhoneProtocol
    certainty: Annotated[dict[Literal["mac", "vendor", "model", "firmware"], Certainty], Field(max_length=4)] = {}
    switch_port: Text = ""
    """Where it is plugged in, when a switch or relay said so (DHCP option 82)."""


RefusalReason = Literal[
    "too_many_guesses",
    "too_many_requests",
    "network_not_served",
    "not_approved",
    "clear_text",
    "proof_needed",
    "wrong_password",
    "wrong_certificate",
    "not_taken",
]


class PhoneRefused(Frozen):
    """A phone did not get what it asked for, and why; the phone itself was not told why."""

    kind: Literal["phone_refused"] = "phone_refused"
    reason: RefusalReason
    mac: MacAddress | None = None
    device_id: Id | None = None
    address: Text
    protocol: PhoneProtocol
    user_agent: Text = ""


class PhoneFetched(Frozen):
    """A known phone fetched its own file."""

    kind: Literal["phone_fetched"] = "phone_fetched"
    device_id: Id
    address: Text
    protocol: PhoneProtocol
    proof: Literal["none", "password", "certificate"] = "none"
    user_agent: Text = ""
    model: Text = ""
    firmware: Text = ""
    version: Annotated[int, Field(ge=1)]
    """The snapshot version that its file was made from."""
    switch_port: Text = ""
    """Where it is plugged in, when a switch or relay said so (DHCP option 82)."""


class PhoneResync(Frozen):
    """How far a phone is with fetching its files again after it was told to."""

    kind: Literal["phone_resync"] = "phone_resync"
    device_id: Id
    job_id: Id | None = None
    """The order of the portal's that it belongs to; None: the edge told the phone because its files changed."""
    state: Literal["deferred", "asked", "fetched", "registered", "failed"]
    text: Text = ""
    """Why it waits, or failed."""


class PhoneUploaded(Frozen):
    """A phone sent a file of its own: a log, or what was set on the phone itself."""

    kind: Literal["phone_uploaded"] = "phone_uploaded"
    device_id: Id
    name: Text
    size: Annotated[int, Field(ge=0)]
    content: Annotated[bytes, Field(max_length=65_536)]
    """Its end, when it is longer; passwords in it are struck out."""


class EngineTold(Frozen):
    """What the site's voice services run on, told at each start and when it changes."""

    kind: Literal["engine"] = "engine"
    engine: Literal["embedded", "freeswitch"]
    receives_fax: bool


class FaxFailed(Frozen):
    """A call to a fax mailbox ended before a whole page had come; one that brought pages is a message."""

    kind: Literal["fax_failed"] = "fax_failed"
    service_id: Id
    sip_call_id: Annotated[str, Field(min_length=1, max_length=1024)]
    """Of the call's record."""
    station: CallerText = ""
    """What the machine that sent says of itself (TSI, ITU-T T.30); not proven."""
    result: CallerText = ""
    """What the engine says of the transfer, for people."""


class PhoneFirmware(Frozen):
    """How far a phone is with the firmware that it is to have; told once for each step."""

    kind: Literal["phone_firmware"] = "phone_firmware"
    device_id: Id
    firmware_id: Id
    state: Literal["told", "fetched", "running", "failed"]
    """`told`: its file names the firmware now; `fetched`: it has one of its files, whole (most have one
    only); `running`: it shows the version; `failed`: it does not, long after it was told, or cannot be told."""
    version: Text = ""
    """What the phone last said it runs (User-Agent)."""
    text: Text = ""
    """Why it failed."""


class BlobChanged(Frozen):
    """A file that the snapshot names has come, or could not be fetched."""

    kind: Literal["blob"] = "blob"
    state: Literal["fetched", "failed"]
    digest: Digest
    size_bytes: Annotated[int, Field(ge=0)]
    text: Text = ""
    """Why it failed; it is tried again."""


Happening = Annotated[
    RegistrationChanged
    | CallEnded
    | AlarmChanged
    | EmergencyCalled
    | UnknownPhoneSeen
    | PhoneRefused
    | PhoneFetched
    | PhoneResync
    | PhoneUploaded
    | PhoneFirmware
    | BlobChanged
    | MessageChanged
    | QueueCallEnded
    | EngineTold
    | FaxFailed
    | CallQuality
    | CallRecorded,
    Field(discriminator="kind"),
]


class EventBody(Frozen):
    """An event as it lies in the outbox: when it happened (edge's clock) and what."""

    at: UtcTime
    what: Happening
