"""Fuzz target: a whole endpoint, given a sequence of messages by phones and strangers, with steps of the clock between.

A sequence is a list of records, put apart by `SEPARATOR`. The first byte of a record says what happens:

- `a`, `b`: a registered phone (200, 201) sends the rest; `c`: one on a stream; `t`: a trusted service; `s`: a stranger;
- `w`: time passes, as long as the next byte says; `x`: the stream of `c` breaks; `k`: another configuration.

In what is sent `@AUTH@` stands for credentials that answer the sender's last challenge, `@ROUTE@` for the last
Record-Route that it saw, `@TO@` for the last To, `@BRANCH@` for the branch of the last request that it got.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace
from typing import Final

from edge_agent.sip.message import DropReason, Message, check_request
from tests.support.memory_network import Address
from tests.support.memory_site import EDGE, MemorySite
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import KEY, password_of, sip_config

SEPARATOR: Final = b"\n--\n"
MOST_RECORDS: Final = 24
STEPS: Final = (0.01, 0.5, 1.0, 4.0, 5.0, 20.0, 33.0, 190.0)
TRUSTED: Final[Address] = ("192.0.2.50", 5070)
STRANGER: Final[Address] = ("192.0.2.60", 5080)
_REST_SECONDS: Final = 900.0
_MOST_SENT_FOR_EACH: Final = 120
"""Retransmissions of one request to a handful of phones are some dozens."""

_CONFIG = replace(sip_config(), trusted=frozenset({TRUSTED}), emergency_numbers=("112",))
_OTHER = replace(_CONFIG, serial_ring_seconds=5.0)
_SECRETS = (KEY, *(password_of(name).encode() for name in ("200", "201", "202", "203")))


class Errors(logging.Handler):
    """Raises what the endpoint caught and logged."""

    def emit(self, record: logging.LogRecord) -> None:
        """Remember it."""
        if record.exc_info and record.exc_info[1]:
            self.seen.append(record.exc_info[1])

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[BaseException] = []


class World:
    """A site with four peers, and what holds for it whatever they do."""

    def __init__(self) -> None:
        self._config = _CONFIG
        self.site = MemorySite(config=_CONFIG)
        self.peers = {
            b"a": self.site.phone("200"),
            b"b": self.site.phone("201"),
            b"c": self.site.phone("202", tcp=True),
            b"t": self._joined(TRUSTED, "203"),
            b"s": self._joined(STRANGER, "203"),
        }
        self.site.network.log.clear()
        self._hosts = {peer.address[0] for peer in self.peers.values()}
        self._errors = Errors()
        self.records = 0

    def _joined(self, address: Address, username: str) -> SipPhone:
        return SipPhone(self.site.network, address, EDGE, username, (180,))

    def play(self, data: bytes) -> None:
        """Let everything happen, then let time pass until nothing can be left."""
        logger = logging.getLogger("edge_agent.sip.endpoint")
        logger.addHandler(self._errors)
        propagate, logger.propagate = logger.propagate, False
        try:
            for record in data.split(SEPARATOR)[:MOST_RECORDS]:
                self.records += 1
                self._happen(record[:1], record[1:])
                self._look()
            self.site.network.run(_REST_SECONDS)
            self._look()
        finally:
            logger.removeHandler(self._errors)
            logger.propagate = propagate
        layer = self.site.endpoint.layer
        assert (layer.client_count, layer.server_count) == (0, 0), "transactions are left"

    def _happen(self, kind: bytes, rest: bytes) -> None:
        network = self.site.network
        if kind == b"w":
            network.run(STEPS[rest[0] % len(STEPS)] if rest else 0.1)
        elif kind == b"x":
            with contextlib.suppress(KeyError):
                network.disconnect(self.peers[b"c"].address)
        elif kind == b"k":
            self._config = _OTHER if self._config is _CONFIG else _CONFIG
            self.site.configure(self._config)
        elif (peer := self.peers.get(kind)) is not None:
            network.send(self._filled(rest, peer), peer.address, EDGE)
            network.run(0.05)

    def _filled(self, text: bytes, peer: SipPhone) -> bytes:
        if b"@" not in text:
            return text
        seen = [*peer.requests[-1:], *peer.responses[-1:]]
        routes = [value for one in seen for value in one.all(b"record-route")]
        tos = [value for one in seen for value in one.all(b"to")]
        branches = [one.via.branch for one in peer.requests[-1:]]
        for word, values in ((b"@ROUTE@", routes), (b"@TO@", tos), (b"@BRANCH@", branches)):
            text = text.replace(word, values[-1] if values else b"")
        if b"@AUTH@" in text:
            text = text.replace(b"@AUTH@", self._credentials(text, peer))
        return text

    def _credentials(self, text: bytes, peer: SipPhone) -> bytes:
        challenges = [one for one in peer.responses if one.status in (401, 407)]
        words = text.split(b" ", 2)
        if not challenges or len(words) < 3:
            return b""
        method, uri = (word.decode("latin-1") for word in words[:2])
        return peer.credentials(challenges[-1], method, uri).encode("latin-1").removesuffix(b"\r\n")

    def _look(self) -> None:
        """What must hold at every moment."""
        if self._errors.seen:
            raise self._errors.seen[0]
        assert self.site.endpoint.drops[DropReason.INTERNAL_ERROR] == 0
        sent = [one for one in self.site.network.log if one.source == EDGE]
        assert len(sent) <= _MOST_SENT_FOR_EACH * self.records
        for one in sent:
            assert one.target[0] in self._hosts, f"sent to a stranger: {one.target}"
            assert not any(secret in one.data for secret in _SECRETS)
            _is_well_formed(one.message)
        self.site.network.log.clear()


def _is_well_formed(message: Message) -> None:
    """A request that the edge sends is one that it would take.

    Of responses it passes on what it need not look at, and an ACK repeats the To of what it acknowledges.
    """
    if not message.status and message.method != b"ACK":
        check_request(message)


def one_sequence(data: bytes) -> None:
    """A sequence of records.

    Raises:
        AssertionError: a property does not hold.
        Exception: whatever escapes is a finding as well.
    """
    World().play(data)
