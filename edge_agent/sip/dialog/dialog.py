"""One dialog, at the side that answered (UAS) or at the side that asked (UAC)."""

from typing import Any, NamedTuple

from edge_agent.sip.message import BadMessage, DropReason, Message, NameAddr, RawHeader, SipError, Uri, new_request

_TARGET_REFRESH = frozenset({b"INVITE", b"UPDATE", b"SUBSCRIBE", b"NOTIFY", b"REFER"})
"""Requests whose Contact is where the peer is from then on (RFC 3261 §12.2, 3311 §5.1, 6665 §4.4.1)."""
MAX_ROUTES = 20
"""Entries of a route set; more hops than that no call of a site has."""


class DialogKey(NamedTuple):
    """What a dialog is found by, as this side sees it (§12)."""

    call_id: bytes
    local_tag: bytes
    remote_tag: bytes


class Dialog:
    """The state of a dialog (§12.1): sequence numbers, addresses, route set and remote target."""

    __slots__ = ("_local", "_local_seq", "_remote", "_remote_seq", "key", "remote_target", "route_set")

    def __init__(
        self,
        key: DialogKey,
        local: NameAddr,
        remote: NameAddr,
        local_seq: int,
        remote_seq: int | None,
        route_set: tuple[bytes, ...],
        remote_target: Uri,
    ) -> None:
        self.key = key
        self._local, self._remote = local, remote
        self._local_seq, self._remote_seq = local_seq, remote_seq
        self.route_set = route_set
        """Values for Route headers, in the order of sending."""
        self.remote_target = remote_target
        """Request-URI of what is sent next."""

    @staticmethod
    def answering(request: Message, local_tag: bytes) -> "Dialog":
        """The UAS side of the dialog that a response with `local_tag` to this request makes (§12.1.1).

        Raises:
            BadMessage: the request lacks what a dialog needs (a Contact), or it is malformed.
        """
        return Dialog(
            DialogKey(request.call_id, local_tag, request.from_tag),
            request.address(b"to"),
            request.address(b"from"),
            0,
            request.cseq[0],
            _record_route(request),
            contact_of(request),
        )

    @staticmethod
    def asking(request: Message, response: Message) -> "Dialog":
        """The UAC side of the dialog that this response to our request makes (§12.1.2).

        Raises:
            BadMessage: the response lacks what a dialog needs, or it is malformed.
        """
        return Dialog(
            DialogKey(request.call_id, request.from_tag, response.to_tag),
            request.address(b"from"),
            response.address(b"to"),
            request.cseq[0],
            None,
            _record_route(response)[::-1],
            contact_of(response),
        )

    def receive(self, request: Message) -> None:
        """Check a request's place in the sequence and take over its Contact if it may change it (§12.2.2).

        Raises:
            SipError: 500, when its CSeq is lower than one seen before.
            BadMessage: a malformed Contact.
        """
        number = request.cseq[0]
        if self._remote_seq is not None and number < self._remote_seq:
            raise SipError(500, "CSeq Out of Order")
        if request.method in _TARGET_REFRESH and request.get(b"contact") is not None:
            self.remote_target = contact_of(request)
        self._remote_seq = number

    def request(self, method: bytes, headers: tuple[RawHeader, ...] = (), body: bytes = b"") -> Message:
        """The next request of this side, complete but for Via (§12.2.1.1)."""
        return self._numbered(method, self.next_number(), headers, body)

    @property
    def number(self) -> int:
        """Of this side's newest request; 0: it sent none."""
        return self._local_seq

    def ack(self, number: int, headers: tuple[RawHeader, ...] = (), body: bytes = b"") -> Message:
        """The ACK of a 2xx to the INVITE of that number (§13.2.2.4), complete but for Via."""
        return self._numbered(b"ACK", number, headers, body)

    def next_number(self) -> int:
        """The sequence number of the next request of this side."""
        self._local_seq += 1
        return self._local_seq

    def answered(self, response: Message) -> None:
        """Take over the Contact of a 2xx to a request that may change it (§12.2.1.2)."""
        if response.get(b"contact") is not None:
            self.remote_target = contact_of(response)

    def confirmed(self, response: Message) -> None:
        """The 2xx that turns an early dialog into one: its route set counts (§13.2.2.4)."""
        self.route_set = _record_route(response)[::-1]
        self.answered(response)

    def _numbered(self, method: bytes, number: int, headers: tuple[RawHeader, ...], body: bytes) -> Message:
        target, routes = bytes(self.remote_target), self.route_set
        uri = target
        if routes and b"lr" not in NameAddr.parse(routes[0], "Route").uri.params:
            # A strict router takes its address from the Request-URI, and the target goes to the end.
            uri, routes = bytes(NameAddr.parse(routes[0], "Route").uri), (*routes[1:], b"<" + target + b">")
        lines: list[RawHeader] = [(b"Route", value) for value in routes]
        lines += [
            (b"Max-Forwards", b"70"),
            (b"From", _with_tag(self._local, self.key.local_tag)),
            (b"To", _with_tag(self._remote, self.key.remote_tag)),
            (b"Call-ID", self.key.call_id),
            (b"CSeq", b"%d " % number + method),
        ]
        return new_request(method, uri, [*lines, *headers], body)

    def kept(self) -> dict[str, object]:
        """The dialog as values that can be written to disk; its own sequence numbers are the keeper's to count."""
        return {
            "key": [part.decode("latin-1") for part in self.key],
            "local": bytes(self._local).decode("latin-1"),
            "remote": bytes(self._remote).decode("latin-1"),
            "remote_seq": self._remote_seq,
            "route_set": [value.decode("latin-1") for value in self.route_set],
            "target": bytes(self.remote_target).decode("latin-1"),
        }

    @staticmethod
    def restored(row: dict[str, Any], local_seq: int) -> "Dialog":
        """A dialog from what `kept` gave.

        Args:
            row: as it was kept.
            local_seq: at least the number of the last request of this side.

        Raises:
            KeyError, TypeError, ValueError, BadMessage: it makes no sense.
        """
        call_id, local_tag, remote_tag = (str(part).encode("latin-1") for part in row["key"])
        remote_seq = row["remote_seq"]
        return Dialog(
            DialogKey(call_id, local_tag, remote_tag),
            NameAddr.parse(row["local"].encode("latin-1")),
            NameAddr.parse(row["remote"].encode("latin-1")),
            local_seq,
            None if remote_seq is None else int(remote_seq),
            tuple(str(value).encode("latin-1") for value in row["route_set"]),
            Uri.parse(row["target"].encode("latin-1")),
        )

    @property
    def next_hop(self) -> Uri:
        """Where requests of this side are sent first: the first route, else the remote target (§12.2.1.1)."""
        return NameAddr.parse(self.route_set[0], "Route").uri if self.route_set else self.remote_target


def contact_of(message: Message) -> Uri:
    """The URI of the one Contact.

    Raises:
        BadMessage: there is none, more than one, or it is not a SIP URI.
    """
    values = message.values(b"contact")
    if len(values) != 1:
        raise BadMessage(DropReason.MISSING_HEADER, "Exactly One Contact Is Needed", partial=message)
    uri = NameAddr.parse(values[0], "Contact").uri
    if not uri.is_sip:
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "Contact Is Not a SIP URI", partial=message)
    return uri


def _record_route(message: Message) -> tuple[bytes, ...]:
    values = message.values(b"record-route")
    if len(values) > MAX_ROUTES:
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "Too Many Record-Routes", partial=message)
    for value in values:
        NameAddr.parse(value, "Record-Route")
    return tuple(values)


def _with_tag(address: NameAddr, tag: bytes) -> bytes:
    params = {name: value for name, value in address.params.items() if name != b"tag"}
    if tag:
        params[b"tag"] = tag
    return bytes(NameAddr(address.uri, address.display, params))
