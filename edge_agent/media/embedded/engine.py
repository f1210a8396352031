"""The embedded engine: it owns the RTP sockets, the loaded prompts and the tick of every call."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from contract.sync.quality import CallQuality
from edge_agent.clock import Clock
from edge_agent.media.codecs import ALL, STATIC, Codec
from edge_agent.media.embedded import wav
from edge_agent.media.embedded.coding import usable
from edge_agent.media.embedded.dtls import DtlsIdentity
from edge_agent.media.embedded.gathering import Gathering
from edge_agent.media.embedded.multicast import MulticastVoice
from edge_agent.media.embedded.rooms import Rooms
from edge_agent.media.embedded.session import EmbeddedSession, SessionLimits
from edge_agent.media.embedded.sockets import RtpPorts
from edge_agent.media.embedded.sounds import Sounds
from edge_agent.media.embedded.ticker import Lateness, Ticker
from edge_agent.media.errors import TooManySessions
from edge_agent.media.session import MulticastTo, Prompt
from edge_agent.ports import CallLeg, QualityTold
from edge_agent.tokens import Tokens


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the embedded engine needs to know.

    Args:
        rtp_address: where RTP listens; the wildcard lets each call use the address that its phone reaches us by.
        rtp_first_port, rtp_last_port: the range; each call takes an even port for RTP and the next for RTCP.
        most_sessions: calls at one time; more get 503.
        limits: how long a call may be quiet.
        codecs: that calls may use, best first; those that this machine cannot do are left out.
        multicast_interface: IPv4 address of the interface that pages leave by; empty: as the machine routes them.
    """

    rtp_address: str = "127.0.0.1"
    rtp_first_port: int = 16384
    rtp_last_port: int = 17407
    most_sessions: int = 50
    limits: SessionLimits = field(default_factory=SessionLimits)
    codecs: tuple[Codec, ...] = ALL
    multicast_interface: str = ""


def _untold(quality: CallQuality) -> None:
    del quality


class EmbeddedEngine:
    """Makes sessions for calls and drives them; it ticks only while there is a call."""

    def __init__(
        self,
        settings: EngineSettings,
        prompts: Iterable[Prompt],
        clock: Clock,
        tokens: Tokens,
        measured: QualityTold = _untold,
    ) -> None:
        """Loads every prompt; raises `PromptError` when one cannot be used. `measured` hears of each answered call."""
        self._measured = measured
        self._settings, self._clock, self._tokens = settings, clock, tokens
        self._sounds = Sounds({prompt.path: wav.load(prompt.path) for prompt in prompts})
        self._codecs = usable(settings.codecs)
        self._identity = DtlsIdentity(clock.now(), tokens)
        self._rooms = Rooms(self._sounds, self._stream)
        self._ports = RtpPorts(settings.rtp_address, settings.rtp_first_port, settings.rtp_last_port, tokens.fraction())
        self._gathering = Gathering(clock)
        self._sessions: set[EmbeddedSession] = set()
        self._ticker = Ticker(clock, self._tick)
        self._drops: Counter[str] = Counter()

    @property
    def lateness(self) -> Lateness:
        """How late the ticks came."""
        return self._ticker.lateness

    @property
    def codecs(self) -> tuple[Codec, ...]:
        """What calls may use: of the settings' codecs those that this machine can do."""
        return self._codecs

    @property
    def sessions(self) -> int:
        """How many calls are up."""
        return len(self._sessions)

    @property
    def drops(self) -> Counter[str]:
        """Datagrams that were not used, by reason, over all calls so far."""
        return sum((session.drops for session in self._sessions), self._drops.copy())

    def session(self, leg: CallLeg) -> EmbeddedSession:
        """A session for a call; raises `CallRefused` when there is no room or its offer cannot be answered."""
        if len(self._sessions) >= self._settings.most_sessions:
            raise TooManySessions(f"{self._settings.most_sessions} calls are up")
        rtp, rtcp = self._ports.open()
        try:
            session = EmbeddedSession(
                leg,
                rtp,
                rtcp,
                self._sounds,
                self._rooms,
                self._codecs,
                self._identity,
                self._settings.limits,
                self._clock,
                self._tokens,
                self._closed,
                self._measured,
            )
        except BaseException:
            rtp.close()
            rtcp.close()
            raise
        self._sessions.add(session)
        self._gathering.add(rtp, session.received)
        asyncio.get_running_loop().add_reader(rtcp, session.reports_readable)
        self._ticker.start()
        return session

    def _stream(self, to: MulticastTo) -> MulticastVoice:
        return MulticastVoice(to, self._settings.multicast_interface, usable(STATIC.values()), self._tokens)

    def _closed(self, session: EmbeddedSession) -> None:
        self._gathering.remove(session.rtp)
        asyncio.get_running_loop().remove_reader(session.rtcp)
        session.rtp.close()
        session.rtcp.close()
        self._sessions.discard(session)
        self._drops.update(session.drops)
        if not self._sessions:
            self._ticker.stop()

    def _tick(self, now: float) -> None:
        self._gathering.gather(now)
        self._rooms.tick()
        for session in tuple(self._sessions):
            session.tick(now)
