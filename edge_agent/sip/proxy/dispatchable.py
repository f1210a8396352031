"""Where a call for help comes from, as a location object in the INVITE (RFC 6442, RFC 4119, RFC 5139, RFC 5491)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contract.snapshot import EmergencyLocation
from edge_agent.sip.message import Message
from edge_agent.sip.xml_text import escape, quoteattr

_PIDF: Final = b"application/pidf+xml"
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10" '
    'xmlns:bp="urn:ietf:params:xml:ns:pidf:geopriv10:basicPolicy" '
    'xmlns:ca="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr" entity='
)


@dataclass(frozen=True, slots=True)
class LocationObject:
    """A location that a call takes along.

    Args:
        name: Content-ID without its brackets; nobody else's.
        document: PIDF-LO.
    """

    name: bytes
    document: bytes

    def write(self, request: Message) -> None:
        """Put it into an INVITE, beside the body that is there; another one by reference is replaced."""
        request.remove(b"geolocation")
        request.remove(b"geolocation-routing")
        request.append(b"Geolocation", b"<cid:" + self.name + b">")
        request.append(b"Geolocation-Routing", b"yes")
        ours = b"Content-Type: " + _PIDF + b"\r\nContent-ID: <" + self.name + b">\r\n\r\n" + self.document
        parts = [ours]
        if request.body:
            kept = b"".join(
                b"%s: %s\r\n" % (name, value)
                for name in (b"Content-Type", b"Content-Disposition", b"Content-Encoding", b"Content-Language")
                if (value := request.get(name.lower())) is not None
            )
            parts.insert(0, kept + b"\r\n" + request.body)
        for name in (b"content-disposition", b"content-encoding", b"content-language"):
            request.remove(name)
        boundary = b"place-" + self.name.partition(b"@")[0]
        request.body = b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in parts) + b"--%s--\r\n" % boundary
        request.set(b"Content-Type", b'multipart/mixed;boundary="' + boundary + b'"')
        request.set(b"Content-Length", b"%d" % len(request.body))


def pidf_lo(place: EmergencyLocation, entity: str, at: datetime) -> bytes:
    """A location object with the civic address of a place; one that has no parts says its address as it is read.

    Args:
        place: where.
        entity: SIP URI of who is there.
        at: when, in UTC.
    """
    elements = place.civic.elements() or [("LOC", place.address or place.name)]
    civic = "".join(f"<ca:{name}>{escape(value)}</ca:{name}>" for name, value in elements)
    return (
        f"{_HEAD}{quoteattr(entity)}>\n"
        '<tuple id="place"><status><gp:geopriv>'
        f'<gp:location-info><ca:civicAddress xml:lang="en">{civic}</ca:civicAddress></gp:location-info>'
        "<gp:usage-rules><bp:retransmission-allowed>yes</bp:retransmission-allowed></gp:usage-rules>"
        "<gp:method>Manual</gp:method></gp:geopriv></status>"
        f"<timestamp>{at:%Y-%m-%dT%H:%M:%SZ}</timestamp></tuple>\n</presence>\n"
    ).encode()
