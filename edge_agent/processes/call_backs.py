"""The user agent that rings phones for call-backs, on a loopback port of the SIP process."""

from typing import Final

from edge_agent.clock import Clock
from edge_agent.ports import CallLeg, CallListener, CallRefused
from edge_agent.sip.location import Binding
from edge_agent.sip.message import Flow, Message, Uri
from edge_agent.sip.observation.tape import Tape
from edge_agent.sip.transport import SipTransport
from edge_agent.sip.user_agent import UserAgent, UserAgentSettings
from edge_agent.sip.user_agent.leg import PlacedLeg
from edge_agent.tokens import Tokens

_LOOPBACK: Final = "127.0.0.1"


class CallBackPort:
    """A socket and a user agent; it calls by the proxy, which trusts it.

    Args:
        address: that the proxy is bound to.
        proxy_port: its UDP port.
        tape: what is sent and received.
        clock: monotonic time.
        tokens: tags, branches, ids.
    """

    def __init__(self, address: str, proxy_port: int, tape: Tape | None, clock: Clock, tokens: Tokens) -> None:
        self._proxy = Flow("udp", _LOOPBACK if address in ("0.0.0.0", "::") else address, proxy_port)
        self._transport = SipTransport(clock, udp=(_LOOPBACK, 0), tape=tape)
        self._clock, self._tokens = clock, tokens
        self._agent: UserAgent | None = None

    async def open(self) -> None:
        """Bind the port.

        Raises:
            OSError: it cannot be bound.
        """
        await self._transport.open()
        settings = UserAgentSettings(*self.address)
        self._agent = UserAgent(settings, self._transport.send, _NoCalls(), self._clock, self._tokens, admits=_nobody)
        self._transport.attach(self._agent)

    @property
    def address(self) -> tuple[str, int]:
        """Where it is."""
        return self._transport.local["udp"]

    def place(
        self, binding: Binding, addressee: Uri, local: Uri, display: bytes, offer: bytes, listener: CallListener
    ) -> PlacedLeg:
        """Ring a phone where it is registered.

        Args:
            binding: of the phone.
            addressee: its user: phones call on as whom they were called.
            local: our address, which the phone shows.
            display: the name beside it, quoted.
            offer: our session description.
            listener: hears of the call.

        Raises:
            CallRefused: it cannot be.
        """
        if self._agent is None:
            raise CallRefused("not begun yet")
        return self._agent.place(
            binding.uri, local, listener, offer, flow=self._proxy, display=display, addressee=addressee
        )

    async def close(self) -> None:
        """Let go of the socket."""
        await self._transport.close()


class _NoCalls:
    """The `MediaPlane` of a user agent that nobody calls."""

    def offered(self, leg: CallLeg) -> None:
        """See `MediaPlane`."""
        raise CallRefused("nobody is called here")

    def confirmed(self, leg: CallLeg, answer: bytes | None) -> None:
        """See `MediaPlane`."""

    def reoffered(self, leg: CallLeg, offer: bytes | None) -> bytes:
        """See `MediaPlane`."""
        raise CallRefused("nobody is called here")

    def ended(self, leg: CallLeg, cause: str) -> None:
        """See `MediaPlane`."""


def _nobody(request: Message) -> bool:
    del request
    return False
