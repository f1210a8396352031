"""Keying material of a QUIC connection's TLS session (RFC 8446 §7.5), which a proof of possession is bound to.

aioquic has no public call for it, so this reaches inside: the exporter secret is taken when the 1-RTT keys are
installed, where the transcript ends with the server's Finished on both sides. Everything private is touched here and
nowhere else, and `take` says when it is not there any more.
"""

from collections.abc import Callable
from typing import Any, Final

from aioquic import tls
from aioquic.quic.connection import QuicConnection
from cryptography.hazmat.primitives import hashes

from cloud.hub.errors import ExporterUnavailable

_LENGTH: Final = 32


class Exporter:
    """Takes the exporter secret of one connection; make it before the handshake begins.

    Args:
        quic: the connection.
    """

    def __init__(self, quic: QuicConnection) -> None:
        self._quic: Any = quic
        self._secret: bytes | None = None
        initialize: Callable[[bytes], None] | None = getattr(quic, "_initialize", None)
        if initialize is None:
            return

        def initialize_and_watch(peer_cid: bytes) -> None:
            initialize(peer_cid)
            self._watch()

        self._quic.__dict__["_initialize"] = initialize_and_watch

    def take(self, label: bytes) -> bytes:
        """32 bytes that only the two ends of this connection know, for `label`.

        Raises:
            ExporterUnavailable: the handshake is not complete, or aioquic has changed inside.
        """
        if self._secret is None:
            raise ExporterUnavailable("aioquic gave no exporter secret; its internals may have changed")
        try:
            algorithm: hashes.HashAlgorithm = self._quic.tls.key_schedule.algorithm
            empty = _hash(algorithm, b"")
            secret = tls.hkdf_expand_label(algorithm, self._secret, label, empty, algorithm.digest_size)
            return bytes(tls.hkdf_expand_label(algorithm, secret, b"exporter", empty, _LENGTH))
        except (AttributeError, TypeError) as error:
            raise ExporterUnavailable("aioquic has changed inside; no exporter can be taken") from error

    def _watch(self) -> None:
        context: Any = getattr(self._quic, "tls", None)
        install = getattr(context, "update_traffic_key_cb", None)
        if context is None or install is None:
            return

        def install_and_take(direction: Any, epoch: Any, suite: Any, secret: Any) -> None:
            if epoch == tls.Epoch.ONE_RTT and self._secret is None:
                schedule = getattr(context, "key_schedule", None)
                if schedule is not None and hasattr(schedule, "derive_secret"):
                    self._secret = schedule.derive_secret(b"exp master")
            install(direction, epoch, suite, secret)

        context.update_traffic_key_cb = install_and_take


def _hash(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()
