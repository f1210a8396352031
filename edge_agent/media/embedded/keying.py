"""The keys of one call by DTLS: what we say of ourselves, the paths of audio and reports, and what comes of both."""

import hmac
from dataclasses import replace
from typing import Final

from edge_agent.media.dtls_terms import PROTOCOLS, DtlsAnswer, DtlsOffer, DtlsTerms, IceCredentials
from edge_agent.media.embedded.dtls import DtlsIdentity
from edge_agent.media.embedded.secure_path import SecurePath, other_association
from edge_agent.media.embedded.source import Address
from edge_agent.media.sdp import AudioPlan, Direction
from edge_agent.tokens import Tokens

KEYS_SECONDS: Final = 30.0
"""How long a caller who has confirmed the call has for checks and handshake, until it is given up."""


class Keying:
    """What a session asks about DTLS; it has no socket and no clock."""

    def __init__(self, identity: DtlsIdentity, tokens: Tokens) -> None:
        self._identity = identity
        self._secret = bytes.fromhex(tokens.token(32))
        self._plan: AudioPlan | None = None
        self.audio = SecurePath(identity, tokens)
        self.reports = SecurePath(identity, tokens)
        """Of RTCP, where it has a port of its own."""

    def answer(self, theirs: DtlsOffer) -> DtlsAnswer:
        """What we say to an offer: the same to the same one, so that what has been set up goes on (RFC 8842 §5.3)."""
        agreed = None if self._plan is None else self._plan.dtls
        active = theirs.setup == "passive"
        if theirs.setup == "actpass" and agreed is not None:
            kept = DtlsTerms(theirs, agreed.ours)
            active = agreed.ours.active and not other_association(agreed, kept)
        if agreed is not None and agreed.theirs.ice == theirs.ice and agreed.theirs.tls_id == theirs.tls_id:
            return replace(agreed.ours, active=active)
        ice = theirs.ice or IceCredentials("", "")
        checks = self._said("ice", ice.ufrag, ice.password)
        association = self._said("dtls", theirs.tls_id, *map(str, theirs.fingerprints))
        return DtlsAnswer(self._identity.fingerprint, active, association, IceCredentials(checks[:8], checks[8:40]))

    def offer(self) -> AudioPlan:
        """What we offer to browsers, which take nothing else: DTLS, ICE and RTCP with the audio (RFC 8834, 8835)."""
        checks = self._said("ice", "offer")
        ours = IceCredentials(checks[:8], checks[8:40])
        unknown = DtlsOffer((), "actpass", "", ours, PROTOCOLS[1], self._said("mid", "offer")[:8], bundled=True)
        terms = DtlsTerms(unknown, DtlsAnswer(self._identity.fingerprint, active=False, tls_id="", ice=ours))
        return AudioPlan(None, 0, frozenset(), None, Direction.SENDRECV, rtcp_mux=True, dtls=terms)

    def _said(self, *words: str) -> str:
        """A random word that stands for others: it changes with them, and tells nothing of them."""
        return hmac.digest(self._secret, "\n".join(words).encode(), "sha256").hex()

    def agree(self, plan: AudioPlan) -> None:
        """The outcome of an offer and our answer."""
        self._plan = plan
        if plan.dtls is not None:
            self.audio.agree(plan.dtls, plan.remote)
            if not plan.rtcp_mux:
                self.reports.agree(plan.dtls, plan.rtcp)

    @property
    def used(self) -> bool:
        """Whether the call's keys come by DTLS."""
        return self._plan is not None and self._plan.dtls is not None

    @property
    def paths(self) -> tuple[SecurePath, ...]:
        """The paths that are in use, that of the audio first."""
        if self._plan is None or self._plan.dtls is None:
            return ()
        return (self.audio,) if self._plan.rtcp_mux else (self.audio, self.reports)

    def start(self) -> None:
        """The peer knows our answer."""
        for path in (self.audio, self.reports):
            path.start()

    def settled(self) -> AudioPlan | None:
        """The plan with the keys, and with where the peer was found; None: not yet."""
        plan, audio = self._plan, self.audio.secured
        if plan is None or plan.dtls is None or audio is None:
            return None
        held = plan.remote is None and plan.dtls.theirs.ice is None
        remote: Address | None = None if held else audio.remote
        if plan.rtcp_mux:
            return replace(plan, srtp=audio.keys, remote=remote, rtcp=remote)
        reports = self.reports.secured
        if reports is None:  # nothing may go there yet, and nothing comes
            return replace(plan, srtp=audio.keys, remote=remote, rtcp=None)
        return replace(plan, srtp=audio.keys, remote=remote, rtcp=reports.remote, srtcp=reports.keys)
