"""What phones report of the calls that they were in (RFC 6035): taken by PUBLISH, checked, and told on. No I/O."""

from __future__ import annotations

from collections import Counter
from typing import Final, Literal

from contract.sync.quality import CallQuality
from edge_agent.ports import QualityTold
from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import BadMessage, DropReason, Message, SipError, response_bytes
from edge_agent.sip.presence.package import EventRefused
from edge_agent.sip.presence.voice_quality_report import CONTENT_TYPE, SessionReport, read
from edge_agent.sip.proxy.recent_calls import MOST, KnownCall, RecentCalls
from edge_agent.sip.transaction import TransactionLayer
from edge_agent.tokens import Tokens

NAME: Final = b"vq-rtcpxr"
_MOST_OF_CALL: Final = 4
"""Reports of one call: two phones, and each once more after a transfer."""


class VoiceQuality:
    """The collector (RFC 6035 §3.3). Nothing is kept of a report: its event state is over when it was told on.

    Args:
        layer: answers.
        calls: by their Call-ID.
        config: of the site, for its limits.
        tokens: entity tags.
        drops: what is malformed is counted here.
        told: hears each report that counts.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        calls: RecentCalls,
        config: SipConfig,
        tokens: Tokens,
        drops: Counter[DropReason],
        told: QualityTold,
    ) -> None:
        self._layer, self._calls, self._config, self._tokens = layer, calls, config, tokens
        self._drops, self._told = drops, told
        self._of_call: dict[str, int] = {}
        self.taken = 0
        """Reports that were told on."""

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._config = config

    def arrived(self, request: Message, caller: str | None, now: float) -> None:
        """A PUBLISH to us of this package that was let in."""
        try:
            self._take(request, caller)
        except EventRefused as refused:
            self._layer.reply(request, refused.status, refused.reason.encode(), refused.headers)
        except BadMessage as bad:
            self._drops[bad.drop] += 1
            self._layer.reply(request, bad.status, bad.reason.encode())
        except SipError as error:
            self._layer.reply(request, error.status, error.reason.encode())
        else:
            headers = [(b"Expires", b"0"), (b"SIP-ETag", self._tokens.token(8).encode())]
            transaction = self._layer.accept(request)
            transaction.respond(200, response_bytes(request, 200, b"", headers, transaction.tag), now)

    def _take(self, request: Message, caller: str | None) -> None:
        if request.has(b"sip-if-match"):
            raise EventRefused(412)
        kind = (request.get(b"content-type") or b"").partition(b";")[0].strip().lower()
        if kind != CONTENT_TYPE or request.has(b"content-encoding"):
            raise EventRefused(415, "", (b"Accept", CONTENT_TYPE))
        if len(request.body) > self._config.limits.publication_bytes:
            raise EventRefused(413)
        report = read(request.body)
        if report is None:
            return
        known = self._calls.find(report.call_id.encode())
        # Of others' calls nobody learns that they are there.
        if known is None or not _was_in(known, caller, request.flow.source):
            raise SipError(404, "No Such Call")
        told = self._of_call.pop(known.sip_call_id, 0) + 1
        self._of_call[known.sip_call_id] = told
        if len(self._of_call) > MOST:
            del self._of_call[next(iter(self._of_call))]
        if told > _MOST_OF_CALL:
            raise SipError(403, "Too Many Reports Of This Call")
        self.taken += 1
        self._told(_quality(report, known, caller, request.flow.source))


def _was_in(known: KnownCall, user_id: str | None, source: str) -> bool:
    """Whether a user was in a call, or a phone was, where somebody else is logged in at it."""
    if user_id is None:
        return False
    return user_id in (known.caller_user_id, known.callee_user_id) or source in _sources(known)


def _sources(known: KnownCall) -> tuple[str, str]:
    return known.caller_source, known.callee_source


def _quality(report: SessionReport, known: KnownCall, user_id: str | None, source: str) -> CallQuality:
    heard: Literal["caller", "callee"] | None = None
    users = known.caller_user_id, known.callee_user_id
    # A user who calls himself is told apart by his phones.
    places = [source == one for one in _sources(known)]
    if sum(places) != 1:
        places = [user_id == one for one in users]
    if sum(places) == 1:
        heard = "callee" if places[0] else "caller"
    return CallQuality(
        sip_call_id=known.sip_call_id,
        source="phone",
        heard=heard,
        user_id=user_id,
        codec=report.codec,
        lost_percent=report.lost_percent,
        late_percent=report.late_percent,
        jitter_ms=report.jitter_ms,
        round_trip_ms=report.round_trip_ms,
        mos=report.mos,
    )
