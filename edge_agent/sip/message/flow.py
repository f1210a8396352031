"""A flow: the way that messages to one peer take (RFC 5626 §2)."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

Transport = Literal["udp", "tcp", "tls", "ws", "wss"]
"""As in Via, lower case (RFC 3261 §20.42, RFC 7118 §5.2)."""


TO_A_NAME = -1
"""As `connection` of a flow whose host is a name, to be looked up (RFC 3263)."""
TO_A_NAME_ANYHOW = -2
"""The same, by whichever transport the name's owner prefers (RFC 3263 §4.1)."""


class Flow(NamedTuple):
    """One way to a peer.

    Args:
        transport: which transport.
        host: the peer's numeric address, or its name.
        port: the peer's port; 0 with a name: to be looked up as well.
        connection: for streams the number of one connection; 0 means whichever connection leads there, opened when
            there is none; always 0 for UDP. Less than 0, `TO_A_NAME` or `TO_A_NAME_ANYHOW`, where `host` is a name.
        name: the name that `host` was found for, where that matters: a TLS peer's certificate has to be for it
            (RFC 5922 §7.3); empty: the address is all that is known.
    """

    transport: Transport
    host: str
    port: int
    connection: int = 0
    name: str = ""

    @property
    def source(self) -> str:
        """`address:port`, as people write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def reliable(self) -> bool:
        """Whether the transport retransmits for us."""
        return self.transport != "udp"


OUTSIDE = "+"
"""Behind a transport: what remote peers are told."""


class SentBy(dict[str, bytes]):
    """`host:port` of this edge by transport; `udp6` and the like for IPv6 peers, `udp+` for remote ones."""

    is_remote: Callable[[str], bool] | None = None
    """Whether a numeric address is none of the site's own networks; None: nobody is told anything else."""


def local_kind(flow: Flow, sent_by: Mapping[str, bytes]) -> str:
    """Which of our own addresses belongs to a flow: a key of `sent_by`."""
    if isinstance(sent_by, SentBy) and sent_by.is_remote is not None:
        outside = flow.transport + OUTSIDE
        if outside in sent_by and sent_by.is_remote(flow.host):
            return outside
    six = flow.transport + "6"
    return six if ":" in flow.host and six in sent_by else flow.transport
