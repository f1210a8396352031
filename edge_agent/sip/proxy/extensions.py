"""Extensions that a request requires of us (RFC 3261 §8.2.2.3, §16.3 step 5)."""

from __future__ import annotations

from edge_agent.sip.message import Message, SipError
from edge_agent.sip.message.build import RawHeader


class Unsupported(SipError):
    """An extension was required that is not understood here."""

    def __init__(self, wanted: bytes) -> None:
        super().__init__(420, "Bad Extension")
        self.headers: list[RawHeader] = [(b"Unsupported", wanted)]


def refuse_extensions(request: Message, name: bytes, understood: frozenset[bytes] = frozenset()) -> None:
    """See that a request requires nothing that we do not understand.

    Args:
        name: of the header that requires it, in small letters: `require` or `proxy-require`.
        understood: option tags, in small letters.

    Raises:
        Unsupported: it does.
    """
    if request.has(name):
        wanted = [one for one in request.values(name) if one.lower() not in understood]
        if wanted:
            raise Unsupported(b", ".join(wanted))
