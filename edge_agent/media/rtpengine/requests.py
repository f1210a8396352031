"""What is asked of rtpengine, in words of its control protocol, and what its answers say.

A stream is a call of rtpengine's with two parties, `a` and `b`, and one m= line. Its descriptions are written
here: what the parties' own ones say of codecs and keys is none of the relay's business, so RTP, secure RTP and DTLS
pass as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from edge_agent.media.rtpengine.bencode import Encodable, Value
from edge_agent.media.rtpengine.control import RtpengineError
from edge_agent.media.rtpengine.exchanges import Answer

Party = Literal["a", "b"]
PARTIES: Final[tuple[Party, Party]] = ("a", "b")
Request = dict[str, Encodable]
_FLAGS: Final = ("port-latching", "trust-address", "strict-source")
"""Ports stay when a party is described anew; addresses in descriptions count; who is not the party is not heard."""
_NOWHERE: Final = ("0.0.0.0", 9)
_NOWHERE_SIX: Final = ("::", 9)
MOST_LISTED: Final = 4_096


@dataclass(frozen=True, slots=True)
class Heard:
    """One party of a stream, as rtpengine sees it.

    Args:
        address, port: where it sends to: of this machine.
        packets: of RTP that came from it.
        refused: that came from elsewhere, or could not be sent on.
    """

    address: str
    port: int
    packets: int
    refused: int


def interface_name(host: str) -> str:
    """What the interface at which `host` is reached is called at rtpengine; a name must not have colons."""
    return "at-" + host.replace(":", "-").replace(".", "-")


def ping() -> Request:
    """Is it there?"""
    return {"command": "ping"}


def opened(call_id: str, hosts: tuple[str, str]) -> tuple[Request, Request]:
    """Two requests, to be made one after the other, that have ports opened for a stream.

    Args:
        call_id: names the stream.
        hosts: our address as each party is told it.
    """
    first, second = (_NOWHERE_SIX if ":" in host else _NOWHERE for host in hosts)
    offer: Request = {
        **_about(call_id, "offer", "a"),
        "direction": [interface_name(host) for host in hosts],
        "address family": "IP6" if ":" in hosts[1] else "IP4",
        "sdp": description(first, None),
    }
    answer: Request = {**_about(call_id, "answer", "a"), "to-tag": "b", "sdp": description(second, None)}
    return offer, answer


def described(
    call_id: str,
    hosts: tuple[str, str],
    party: Party,
    media: tuple[str, int] | None,
    control: tuple[str, int] | None,
) -> Request:
    """A request that says where a party of an open stream receives.

    Args:
        call_id, hosts: as the stream was opened with.
        party: which.
        media: where it receives RTP; None: nowhere, or it is not known.
        control: the same for RTCP.
    """
    index = PARTIES.index(party)
    there = _NOWHERE_SIX if ":" in hosts[index] else _NOWHERE
    other = hosts[1 - index]
    return {
        **_about(call_id, "offer", party),
        "to-tag": PARTIES[1 - index],
        "direction": [interface_name(hosts[index]), interface_name(other)],
        "address family": "IP6" if ":" in other else "IP4",
        "sdp": description(media or there, control if media is not None else None),
    }


def deleted(call_id: str) -> Request:
    """A request that ends a stream at once."""
    return {"command": "delete", "call-id": call_id, "delete-delay": 0}


def queried(call_id: str) -> Request:
    """A question for what is known of a stream."""
    return {"command": "query", "call-id": call_id}


def listed() -> Request:
    """A question for the streams that there are."""
    return {"command": "list", "limit": MOST_LISTED}


def _about(call_id: str, command: str, party: Party) -> Request:
    return {"command": command, "call-id": call_id, "from-tag": party, "ICE": "remove", "flags": list(_FLAGS)}


def description(media: tuple[str, int], control: tuple[str, int] | None) -> str:
    """A session description (RFC 8866) of one stream of RTP."""
    host, port = media
    family = "IP6" if ":" in host else "IP4"
    lines = ["v=0", f"o=- 1 1 IN {family} {host}", "s=-", f"c=IN {family} {host}", "t=0 0", f"m=audio {port} RTP/AVP 0"]
    if control is not None and control != (host, port + 1):
        at = "IP6" if ":" in control[0] else "IP4"
        lines.append(f"a=rtcp:{control[1]} IN {at} {control[0]}")
    return "\r\n".join(lines) + "\r\n"


def parties_of(answer: Answer) -> tuple[Heard, Heard]:
    """What the answer to `queried` says.

    Raises:
        RtpengineError: it says something else.
    """
    tags = _table(answer, b"tags")
    first, second = (_heard(_table(tags, party.encode())) for party in PARTIES)
    return first, second


def call_ids_of(answer: Answer) -> frozenset[str]:
    """The streams that the answer to `listed` names.

    Raises:
        RtpengineError: it names none.
    """
    calls = answer.get(b"calls")
    if not isinstance(calls, list):
        raise RtpengineError("its list of calls is none")
    return frozenset(one.decode("ascii", "replace") for one in calls if isinstance(one, bytes))


def _heard(tag: Answer) -> Heard:
    rtp = _first(_first(tag, b"medias"), b"streams")
    address, port = rtp.get(b"local address"), rtp.get(b"local port")
    stats = _table(rtp, b"stats")
    packets, refused = stats.get(b"packets"), stats.get(b"errors")
    if not isinstance(address, bytes) or not isinstance(port, int) or not 0 < port <= 65_534:
        raise RtpengineError("it has no port for a party")
    if not isinstance(packets, int) or not isinstance(refused, int):
        raise RtpengineError("it does not count a party's packets")
    # What is refused because it comes from elsewhere is counted as a packet, too.
    return Heard(address.decode("ascii", "replace"), port, max(0, packets - refused), refused)


def _table(table: Answer, key: bytes) -> Answer:
    return _is_table(table.get(key), key)


def _first(table: Answer, key: bytes) -> Answer:
    found = table.get(key)
    return _is_table(found[0] if isinstance(found, list) and found else None, key)


def _is_table(found: Value | None, key: bytes) -> Answer:
    if not isinstance(found, dict):
        raise RtpengineError(f"its answer has no {key.decode()}")
    return found
