"""Settings of the SIP process beyond its sockets: bounds, timers, and what registrar and proxy go by at this machine.

Each section has the fields of what it becomes in `edge_agent.sip` (`Limits`, `Timers`, `LockoutRules`, `OverloadRules`,
`SipConfig`) under the same names and with the same defaults, which a test compares. What stands beside a field, its
range, unit and meaning, is what docs/settings.md and the example file are written from.
"""

import ipaddress
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.fields import FieldInfo

_LEAST_SESSION: Final = 90
"""RFC 4028 §4."""


class Section(BaseModel):
    """A part of the settings: complete, unchanging, and refusing names that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def whole(default: int, least: int, most: int, unit: str, meaning: str) -> Any:
    """A setting that is a whole number.

    Args:
        default: without any other word.
        least: smallest value that is taken.
        most: largest value that is taken.
        unit: what is counted; empty where the meaning says it.
        meaning: for people, in one line.
    """
    return Field(default, ge=least, le=most, description=meaning, json_schema_extra=_extra(unit, f"{least} to {most}"))


def real(default: float, least: float, most: float, unit: str, meaning: str) -> Any:
    """As `whole`, for a number that may have a fraction."""
    extra = _extra(unit, f"{least:g} to {most:g}")
    return Field(default, ge=least, le=most, allow_inf_nan=False, description=meaning, json_schema_extra=extra)


def other(default: Any, meaning: str, allowed: str, unit: str = "", most: int | None = None) -> Any:
    """As `whole`, for a setting that is no number; `allowed` says what may stand there."""
    return Field(default, description=meaning, json_schema_extra=_extra(unit, allowed), max_length=most)


def _extra(unit: str, allowed: str) -> dict[str, Any]:
    return {"unit": unit, "allowed": allowed}


def unit_of(field: FieldInfo) -> str:
    """What a setting counts; empty where its meaning says it."""
    return _said(field, "unit")


def allowed_in(field: FieldInfo) -> str:
    """What may stand in a setting, for people; empty for those that are not declared here."""
    return _said(field, "allowed")


def _said(field: FieldInfo, name: str) -> str:
    extra = field.json_schema_extra
    return str(extra.get(name, "")) if isinstance(extra, dict) else ""


class LimitSettings(Section):
    """Bounds on what peers can push (`edge_agent.sip.message.Limits`)."""

    message_bytes: int = whole(
        65_536, 4_096, 1_048_576, "bytes", "One message, from its start line to the end of its body."
    )
    headers: int = whole(256, 32, 4_096, "lines", "Header lines of one message.")
    header_bytes: int = whole(8_192, 512, 65_536, "bytes", "One line of a message's head, unfolded.")
    contacts_per_request: int = whole(16, 1, 256, "contacts", "Contact values in one REGISTER.")
    contacts_per_aor: int = whole(10, 1, 256, "contacts", "Bindings that one address of record may have.")
    bindings: int = whole(50_000, 10, 1_000_000, "bindings", "Bindings of the whole site.")
    transactions: int = whole(
        100_000, 100, 1_000_000, "transactions", "Server transactions at one time; beyond it: 503 with Retry-After."
    )
    invites_per_user: int = whole(
        100, 2, 10_000, "calls", "Calls of one user that nobody answered yet; beyond it: 503 with Retry-After."
    )
    branches: int = whole(60, 1, 1_000, "contacts", "Contacts that one request is forked to.")
    open_calls: int = whole(
        20_000, 10, 1_000_000, "calls", "Calls in progress; beyond it the oldest one's record is closed."
    )
    call_seconds: float = real(43_200.0, 60.0, 604_800.0, "seconds", "How long a call without a BYE stays open.")
    nonces: int = whole(20_000, 100, 1_000_000, "nonces", "Digest nonces whose use is remembered.")
    notices: int = whole(
        20_000, 10, 1_000_000, "notices", "NOTIFYs without a subscription that wait to be sent or answered."
    )
    subscriptions: int = whole(50_000, 10, 1_000_000, "subscriptions", "Subscriptions to this edge.")
    subscriptions_per_user: int = whole(500, 1, 100_000, "subscriptions", "Of those, of one user.")
    publications: int = whole(20_000, 10, 1_000_000, "publications", "Event states published to this edge.")
    publications_per_user: int = whole(10, 1, 1_000, "publications", "Of those, of one user.")
    publication_bytes: int = whole(16_384, 256, 65_536, "bytes", "Body of one publication.")
    udp_request_bytes: int = whole(
        1_300, 500, 65_507, "bytes", "A longer request goes by TCP where the peer may have it (RFC 3261 §18.1.1)."
    )
    tcp_connections: int = whole(4_000, 10, 1_000_000, "connections", "Streams (TCP, TLS, WebSocket) at one time.")
    tcp_connections_per_host: int = whole(1_000, 1, 1_000_000, "connections", "Of those, from one address.")
    tcp_opened_per_host: int = whole(64, 1, 10_000, "connections", "Connections that we open to one address.")
    tcp_opened_idle_seconds: float = real(
        900.0, 30.0, 86_400.0, "seconds", "A connection that we opened is closed after so long without any byte."
    )
    tcp_idle_seconds: float = real(
        3_900.0, 30.0, 86_400.0, "seconds", "A stream without any byte for so long is closed."
    )
    tcp_buffer_bytes: int = whole(
        1_048_576, 65_536, 67_108_864, "bytes", "What may wait to be written to one stream before it is closed."
    )
    tcp_connect_seconds: float = real(4.0, 0.5, 60.0, "seconds", "How long opening a stream may take.")
    half_open: int = whole(
        512, 8, 100_000, "connections", "Streams whose first message has not come; beyond it the oldest is closed."
    )
    half_open_per_host: int = whole(128, 2, 100_000, "connections", "Of those, from one address; beyond it: refused.")
    handshake_seconds: float = real(
        5.0, 0.5, 60.0, "seconds", "How long the TLS handshake of an accepted stream may take."
    )
    first_message_seconds: float = real(
        30.0, 1.0, 600.0, "seconds", "How soon an accepted stream's first message must be whole."
    )
    message_seconds: float = real(30.0, 1.0, 600.0, "seconds", "How long a later message may take, first to last byte.")
    ws_ping_seconds: float = real(30.0, 5.0, 3_600.0, "seconds", "A WebSocket that was silent for so long is pinged.")
    ws_silent_seconds: float = real(
        90.0, 10.0, 7_200.0, "seconds", "A WebSocket that was silent for so long is closed."
    )


class TimerSettings(Section):
    """Durations of transactions (`edge_agent.sip.transaction.Timers`; RFC 3261 §17)."""

    t1: float = real(
        0.5, 0.1, 4.0, "seconds", "T1, the round-trip time estimate: first retransmission; give up after 64 of it."
    )
    t2: float = real(4.0, 1.0, 32.0, "seconds", "T2, the longest pause between retransmissions.")
    t4: float = real(5.0, 1.0, 32.0, "seconds", "T4, the longest time that a message stays in the network.")
    timer_c: float = real(
        185.0, 181.0, 3_600.0, "seconds", "Timer C, how long an INVITE may ring without another provisional response."
    )
    linger: float = real(
        32.0, 4.0, 64.0, "seconds", "How long finished transactions absorb what is sent again (Timers D, J, L, M)."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.t1 > self.t2:
            raise ValueError(f"t1 = {self.t1} is longer than t2 = {self.t2}")
        return self


class LockoutSettings(Section):
    """How much guessing of passwords is allowed (`edge_agent.sip.config.LockoutRules`)."""

    failures_per_name_and_source: int = whole(10, 3, 1_000, "failures", "Wrong passwords of one name from one address.")
    failures_per_source: int = whole(
        50, 5, 100_000, "failures", "Of any name from one address, by names that never proved themselves there."
    )
    failures_per_name: int = whole(
        200, 10, 100_000, "failures", "Of one name from any address, where it never proved itself."
    )
    window_seconds: float = real(300.0, 10.0, 86_400.0, "seconds", "In how long a time.")
    lock_seconds: float = real(300.0, 1.0, 86_400.0, "seconds", "How long is refused afterwards.")
    challenges_per_second: float = real(
        50.0, 1.0, 100_000.0, "a second", "Answers given to one address from which nobody ever proved anything."
    )
    challenge_burst: int = whole(500, 10, 1_000_000, "answers", "Of those, at once.")
    remembered: int = whole(20_000, 100, 1_000_000, "entries", "Of each table of names and addresses.")
    alarm_seconds: float = real(
        60.0,
        1.0,
        86_400.0,
        "seconds",
        "While locks fall, the alarm is told anew at most so often, with how many there are.",
    )


RetryAfter = Annotated[int, Field(ge=1, le=600)]


class OverloadSettings(Section):
    """When new dialogs are turned away (`edge_agent.sip.config.OverloadRules`)."""

    standing_seconds: float = real(0.25, 0.05, 10.0, "seconds", "After so long with nothing but full batches: 503.")
    release_seconds: float = real(1.0, 0.1, 60.0, "seconds", "After so long without one: every call is taken again.")
    retry_after_seconds: tuple[RetryAfter, RetryAfter] = other(
        (5, 14), "First and last of the times after which a caller is told to try again.", "two of 1 to 600", "seconds"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        first, last = self.retry_after_seconds
        if first > last:
            raise ValueError(f"retry_after_seconds = [{first}, {last}]: the first is later than the last")
        return self


class RegistrarSettings(Section):
    """Registrations, digest, subscriptions and notices (`edge_agent.sip.config.SipConfig`)."""

    min_expires: int = whole(
        30, 10, 86_400, "seconds", "Shortest registration; a shorter one gets 423 (RFC 3261 §10.2.8)."
    )
    default_expires: int = whole(3_600, 10, 604_800, "seconds", "Granted when a phone asks for none.")
    max_expires: int = whole(3_600, 10, 604_800, "seconds", "Longest registration granted.")
    nonce_seconds: int = whole(300, 30, 86_400, "seconds", "How long a digest nonce may be used.")
    contacts_elsewhere: bool = other(
        False, "Whether a phone may register a contact at another address than it sends from.", "true or false"
    )
    path_without_support: bool = other(
        True,
        "Whether a Path is kept for a phone that does not say that it knows Path (RFC 3327 §5.3).",
        "true or false",
    )
    service_route: bool = other(
        False, "Whether phones are told to send everything through this edge (RFC 3608).", "true or false"
    )
    flow_timer_seconds: int = whole(
        120, 0, 3_600, "seconds", "How often phones with outbound promise to be heard on a connection; 0: as they like."
    )
    max_subscription: int = whole(3_600, 60, 604_800, "seconds", "Longest subscription and publication granted.")
    notifies_per_batch: int = whole(200, 1, 10_000, "requests", "NOTIFYs of subscriptions sent at once.")
    restored_per_second: float = real(
        50.0, 1.0, 10_000.0, "a second", "Subscriptions of before a restart that are told their state again."
    )
    notices_per_second: float = real(
        20.0, 0.1, 1_000.0, "a second", "Pace at which phones are told things they did not subscribe to."
    )
    notice_wait_seconds: float = real(
        21_600.0, 0.0, 604_800.0, "seconds", "How long such a notice waits for the phone's call to end."
    )
    unsolicited_messages: bool = other(
        True, "Whether phones that did not subscribe are told of waiting messages all the same.", "true or false"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.min_expires <= self.default_expires <= self.max_expires:
            raise ValueError(
                f"min_expires = {self.min_expires}, default_expires = {self.default_expires} and max_expires = "
                f"{self.max_expires} are not in order"
            )
        return self


ForeignHost = Annotated[str, StringConstraints(pattern=r"^[0-9a-z]([0-9a-z.:-]{0,251}[0-9a-z])?$")]
"""A name in lower case or a numeric address, without port and brackets."""


TrunkPort = Annotated[int, Field(ge=0, le=65535)]


class TrunkPortSettings(Section):
    """Where SIP trunks' providers reach this edge; listened on while the site has a trunk (`edge_agent.sip.trunks`)."""

    udp_port: TrunkPort = other(5080, "UDP port for providers.", "0 to 65535")
    tcp_port: TrunkPort = other(5080, "TCP port for providers.", "0 to 65535")
    tls_port: TrunkPort | Literal["off"] = other(5081, "TLS port for providers.", '0 to 65535, or "off"')
    public_host: str = other(
        "",
        "The address that providers are told, such as the one before a NAT; empty: this edge's own.",
        "a numeric address or a name",
        most=253,
    )
    calls: int = whole(500, 1, 10_000, "calls", "Calls by all trunks at one time; beyond it: 503.")
    min_session_expires: int = whole(
        90, 90, 86_400, "seconds", "Shortest session timer that is taken of providers (RFC 4028)."
    )
    relay: Literal["never", "auto", "always"] = other(
        "auto",
        "Whether media goes through this edge; auto: where a phone's address means nothing to the provider and "
        "`relay_address` does, and between IPv4 and IPv6.",
        '"never", "auto" or "always"',
    )
    relay_address: str = other(
        "",
        "The address that providers send relayed media to; empty: `public_host` if it is one, else this edge's own.",
        "a numeric address",
        most=45,
    )
    relay_first_port: int = whole(
        17_408, 1024, 65_532, "", "First port of relayed media; an m= line takes four while its call lasts."
    )
    relay_last_port: int = whole(18_431, 1027, 65_535, "", "Last port of relayed media.")

    @model_validator(mode="after")
    def _can_relay(self) -> Self:
        if self.relay_last_port < self.relay_first_port + 3:
            raise ValueError("relay_last_port has to be at least 3 above relay_first_port")
        if self.relay_address:
            try:
                ipaddress.ip_address(self.relay_address)
            except ValueError:
                raise ValueError("relay_address has to be a numeric address, such as 198.51.100.7") from None
        return self


class CallSettings(Section):
    """How calls are carried (`edge_agent.sip.config.SipConfig`)."""

    serial_ring_seconds: float = real(
        20.0, 1.0, 180.0, "seconds", "How long contacts of one q ring before those of the next lower q do."
    )
    session_expires: int = whole(
        0,
        0,
        86_400,
        "seconds",
        "Session timer asked for where the caller asks for none, at least 90; 0: none (RFC 4028).",
    )
    min_session_expires: int = whole(
        0, 0, 86_400, "seconds", "Shortest session timer that is let through, at least 90; 0: any (RFC 4028)."
    )
    foreign_hosts: tuple[ForeignHost, ...] = other(
        (),
        "Hosts beyond the site that its users may send requests to, besides those that the portal names.",
        "up to 64 names in lower case or addresses, without ports",
        most=64,
    )

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        for name in ("session_expires", "min_session_expires"):
            if 0 < (value := getattr(self, name)) < _LEAST_SESSION:
                raise ValueError(f"{name} = {value}: has to be 0 or from {_LEAST_SESSION} to 86400 seconds")
        if 0 < self.session_expires < self.min_session_expires:
            raise ValueError(
                f"session_expires = {self.session_expires} is less than "
                f"min_session_expires = {self.min_session_expires}"
            )
        return self
