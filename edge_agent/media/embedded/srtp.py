"""Secure RTP and RTCP (RFC 3711): AES in counter mode and HMAC-SHA1, packets in and packets out.

Keys are used for the packets of one call, far fewer than a key is good for.
"""

import hmac
from hashlib import sha1
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from edge_agent.media.embedded import rtp
from edge_agent.media.embedded.rtp import DropReason

_KEY: Final = 16
_HEADER: Final = 12
_WINDOW: Final = 64
"""Packets that may come late (§3.3.2)."""
_RTP: Final = 0
_RTCP: Final = 3
_ENCRYPTED: Final = 1 << 31
_INDEX_BYTES: Final = 4
_RTCP_HEADER: Final = 8
_RTCP_TAG_BYTES: Final = 10
"""Of every suite that we do: the short tag is for RTP only (RFC 4568 §6.2.2)."""
_MOST_SOURCES: Final = 4
"""Senders under one key at one time: a phone that begins a new stream takes the place of its oldest."""


class _Keys:
    """Session keys of a master key with its salt (§4.3.1); no key is ever derived anew.

    `label` is the first of the three that the keys are derived by: `_RTP` or `_RTCP`.
    """

    def __init__(self, master: bytes, label: int = _RTP) -> None:
        key, salt = master[:_KEY], master[_KEY:]

        def derived(number: int, size: int) -> bytes:
            counter = int.from_bytes(salt) ^ label + number << 48
            return _keystream(AES(key), counter << 16, bytes(size))

        self.cipher = AES(derived(0, 16))
        self.authentication = hmac.new(derived(1, 20), digestmod=sha1)
        self.salt = int.from_bytes(derived(2, 14))

    def crypt(self, ssrc: int, index: int, data: bytes) -> bytes:
        """Encrypt or decrypt the payload of the packet with this index (§4.1.1)."""
        return _keystream(self.cipher, self.salt << 16 ^ ssrc << 64 ^ index << 16, data)

    def tag(self, packet: bytes, roll_over: int) -> bytes:
        """What proves a packet (§4.2), in full."""
        proof = self.authentication.copy()
        proof.update(packet)
        proof.update(roll_over.to_bytes(4))
        return proof.digest()


class SrtpSender:
    """Encrypts the packets of one sequence."""

    def __init__(self, master: bytes, tag_bytes: int) -> None:
        self._keys, self._tag_bytes = _Keys(master), tag_bytes
        self._roll_over = 0
        self._last: int | None = None

    def protect(self, packet: bytes) -> bytes:
        """A packet of ours, without CSRCs or extension; they are to be given in their order."""
        sequence = int.from_bytes(packet[2:4])
        if self._last is not None and sequence < self._last:
            self._roll_over = self._roll_over + 1 & 0xFFFFFFFF
        self._last = sequence
        payload = self._keys.crypt(int.from_bytes(packet[8:12]), self._roll_over << 16 | sequence, packet[_HEADER:])
        secured = packet[:_HEADER] + payload
        return secured + self._keys.tag(secured, self._roll_over)[: self._tag_bytes]


class _Source:
    """What is known of one SSRC: the highest index, and which of the ones before have come."""

    __slots__ = ("highest", "seen")

    def __init__(self, index: int) -> None:
        self.highest, self.seen = index, 0

    def guess(self, sequence: int) -> int:
        """The index that a sequence number most probably means (§3.3.1)."""
        last = self.highest & 0xFFFF
        roll_over = self.highest >> 16
        if last < 0x8000 and sequence - last > 0x8000:
            roll_over = max(0, roll_over - 1)
        elif last >= 0x8000 and last - 0x8000 > sequence:
            roll_over += 1
        return roll_over << 16 | sequence

    def replayed(self, index: int) -> bool:
        """It has come before, or is too old to tell."""
        behind = self.highest - index
        return behind >= _WINDOW or (behind >= 0 and bool(self.seen >> behind & 1))

    def came(self, index: int) -> None:
        """A genuine packet came."""
        ahead = index - self.highest
        if ahead > 0:
            self.seen = (self.seen << min(ahead, _WINDOW) | 1) & (1 << _WINDOW) - 1
            self.highest = index
        else:
            self.seen |= 1 << -ahead


class SrtpReceiver:
    """Decrypts what came under one master key; nothing that is not genuine changes anything."""

    def __init__(self, master: bytes, tag_bytes: int) -> None:
        self._keys, self._tag_bytes = _Keys(master), tag_bytes
        self._sources: dict[int, _Source] = {}

    def unprotect(self, data: bytes) -> bytes | DropReason:
        """The packet in a datagram, or why it is not used; for any bytes at all."""
        if len(data) < _HEADER + self._tag_bytes:
            return DropReason.TOO_SHORT
        if len(data) > rtp.MAX_BYTES:
            return DropReason.TOO_LONG
        if data[0] >> 6 != 2:
            return DropReason.BAD_VERSION
        if 192 <= data[1] <= 223:
            return DropReason.RTCP
        packet, tag = data[: -self._tag_bytes], data[-self._tag_bytes :]
        start = _HEADER + 4 * (data[0] & 0x0F)
        if data[0] & 0x10:
            start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4])
        if start > len(packet):
            return DropReason.BAD_HEADER
        sequence, ssrc = int.from_bytes(data[2:4]), int.from_bytes(data[8:12])
        source = self._sources.get(ssrc) or _Source(sequence)
        index = source.guess(sequence)
        if source.replayed(index):
            return DropReason.REPLAYED
        if not hmac.compare_digest(self._keys.tag(packet, index >> 16 & 0xFFFFFFFF)[: self._tag_bytes], tag):
            return DropReason.NOT_GENUINE
        source.came(index)
        if ssrc not in self._sources and len(self._sources) >= _MOST_SOURCES:
            del self._sources[next(iter(self._sources))]
        self._sources[ssrc] = source
        return packet[:start] + self._keys.crypt(ssrc, index, packet[start:])


class SrtcpSender:
    """Encrypts our reports (§3.4)."""

    def __init__(self, master: bytes) -> None:
        self._keys, self._index = _Keys(master, _RTCP), 0

    def protect(self, data: bytes) -> bytes:
        """A compound packet of ours."""
        self._index += 1
        body = self._keys.crypt(int.from_bytes(data[4:8]), self._index, data[_RTCP_HEADER:])
        secured = data[:_RTCP_HEADER] + body
        index = self._index | _ENCRYPTED
        return secured + index.to_bytes(_INDEX_BYTES) + self._keys.tag(secured, index)[:_RTCP_TAG_BYTES]


class SrtcpReceiver:
    """Decrypts the reports of a peer: those of one sender after the other, each newer than the one before."""

    def __init__(self, master: bytes) -> None:
        self._keys, self._last = _Keys(master, _RTCP), -1

    def unprotect(self, data: bytes) -> bytes | DropReason:
        """The compound packet in a datagram, or why it is not used; for any bytes at all."""
        if len(data) < _RTCP_HEADER + _INDEX_BYTES + _RTCP_TAG_BYTES:
            return DropReason.TOO_SHORT
        if len(data) > rtp.MAX_BYTES:
            return DropReason.TOO_LONG
        packet, tag = data[:-_RTCP_TAG_BYTES], data[-_RTCP_TAG_BYTES:]
        packet, index = packet[:-_INDEX_BYTES], int.from_bytes(packet[-_INDEX_BYTES:])
        if not hmac.compare_digest(self._keys.tag(packet, index)[:_RTCP_TAG_BYTES], tag):
            return DropReason.NOT_GENUINE
        number = index & ~_ENCRYPTED
        if number <= self._last:
            return DropReason.REPLAYED
        self._last = number
        if not index & _ENCRYPTED:
            return packet
        body = self._keys.crypt(int.from_bytes(packet[4:8]), number, packet[_RTCP_HEADER:])
        return packet[:_RTCP_HEADER] + body


def _keystream(cipher: AES, counter: int, data: bytes) -> bytes:
    return Cipher(cipher, CTR(counter.to_bytes(16))).encryptor().update(data)
