"""A flow: the way that messages to one peer take (RFC 5626 §2)."""

from typing import Literal, NamedTuple

Transport = Literal["udp", "tcp"]


class Flow(NamedTuple):
    """One way to a peer.

    Args:
        transport: which transport.
        host: the peer's numeric address.
        port: the peer's port.
        connection: for streams the number of one connection; 0 means whichever connection leads there, opened when
            there is none. Always 0 for UDP.
    """

    transport: Transport
    host: str
    port: int
    connection: int = 0

    @property
    def source(self) -> str:
        """`address:port`, as people write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def reliable(self) -> bool:
        """Whether the transport retransmits for us."""
        return self.transport != "udp"
