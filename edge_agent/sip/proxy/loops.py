"""Requests that go round: told from those that only spiral (RFC 3261 §16.3 step 4, RFC 5393 §4.2.1)."""

from zlib import crc32

from edge_agent.sip.message import Message, SipError
from edge_agent.sip.transaction import TransactionLayer


def loop_mark(request: Message, layer: TransactionLayer) -> bytes:
    """What tells a loop from a spiral (§16.3 step 4, RFC 5393 §4.2.1): the same request, decided the same way.

    Raises:
        SipError: 482, this very request went through here before.
    """
    parts = [request.uri, request.from_tag, request.to_tag, request.call_id, b"%d" % request.cseq[0]]
    if request.has(b"route"):
        parts += request.all(b"route")
    mark = b"%08x" % crc32(b"\0".join(parts))
    if not layer.was_here(request):
        return mark
    for value in request.values(b"via"):
        at = value.find(b"branch=")
        branch = value[at + 7 :].partition(b";")[0]
        if layer.is_own_branch(branch) and branch.endswith(b"." + mark):
            raise SipError(482, "Loop Detected")
    return mark
