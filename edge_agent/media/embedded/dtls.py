"""DTLS 1.2 with `use_srtp` (RFC 5764) by OpenSSL: datagrams in, datagrams out, and the keys of SRTP at its end.

OpenSSL repeats lost flights by its own clock: `advance` is to be called often. Nothing here has a socket or waits.
"""

import hmac
from datetime import datetime, timedelta
from hashlib import sha256, sha384, sha512
from typing import Final, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto

from edge_agent.media.dtls_terms import Fingerprint
from edge_agent.media.sdes import SrtpKeys
from edge_agent.tokens import Tokens

DATAGRAM_BYTES: Final = 1200
"""What we send at once, so that it passes every network."""
MOST_DATAGRAMS: Final = 100
"""That a handshake may take; an honest one takes some six."""
RECORD_HEADER: Final = 13
_MOST_READS: Final = 4
_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_DTLS_1_2: Final = 0xFEFD
_PROFILE: Final = b"SRTP_AES128_CM_SHA1_80"
_LABEL: Final = b"EXTRACTOR-dtls_srtp"
_KEY, _SALT = 16, 14
_TAG_BYTES: Final = 10
_VALID: Final = timedelta(days=3650)
_CIPHERS: Final = b"ECDHE+AESGCM:ECDHE+CHACHA20"
_HASHES: Final = {"sha-256": sha256, "sha-384": sha384, "sha-512": sha512}


class DtlsIdentity:
    """The certificate of a process, made anew with each: nobody can tell by it which edge this was before."""

    def __init__(self, now: datetime, tokens: Tokens) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, tokens.token(8))])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + _VALID)
            .sign(key, SHA256())
        )
        self.fingerprint = Fingerprint("sha-256", certificate.fingerprint(SHA256()))
        self._context = SSL.Context(SSL.DTLS_METHOD)
        self._context.set_min_proto_version(_DTLS_1_2)
        self._context.set_max_proto_version(_DTLS_1_2)
        self._context.set_cipher_list(_CIPHERS)
        self._context.set_options(SSL.OP_NO_QUERY_MTU | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET)
        self._context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        self._context.set_tlsext_use_srtp(_PROFILE)
        self._context.use_certificate(certificate)
        self._context.use_privatekey(key)
        # Whoever it is signed by: the fingerprint is what is checked, at the end (RFC 5763 §5).
        self._context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        self._context.set_cookie_generate_callback(_cookie)
        self._context.set_cookie_verify_callback(
            lambda connection, cookie: hmac.compare_digest(_cookie(connection), cookie)
        )

    def connection(self, cookie: bytes) -> SSL.Connection:
        """A connection in memory; with a `cookie`, a client has to send it back before it gets more than that."""
        made = SSL.Connection(self._context, None)
        made.set_ciphertext_mtu(DATAGRAM_BYTES)
        if cookie:
            made.set_app_data(cookie)
            made.set_options(cast("int", SSL.OP_COOKIE_EXCHANGE))  # None only for an OpenSSL that was built without
        return made


def _cookie(connection: SSL.Connection) -> bytes:
    cookie = connection.get_app_data()
    return cookie if isinstance(cookie, bytes) else b""


def begins_handshake(data: bytes) -> bool:
    """Whether a datagram begins with a ClientHello in the clear."""
    return len(data) > RECORD_HEADER and data[0] == _HANDSHAKE and data[RECORD_HEADER] == _CLIENT_HELLO


class DtlsAssociation:
    """One handshake, and what is left of it afterwards.

    Args:
        identity: our certificate.
        active: we begin, else the peer does.
        fingerprints: one of them must be that of the peer's certificate.
        cookie: what a client has to send back first; empty where its address is proven.
    """

    def __init__(
        self, identity: DtlsIdentity, active: bool, fingerprints: tuple[Fingerprint, ...], cookie: bytes = b""
    ) -> None:
        self._connection = identity.connection(b"" if active else cookie)
        self._active, self._fingerprints = active, fingerprints
        self._datagrams = 0
        self.keys: SrtpKeys | None = None
        """What audio is encrypted with; None until the peer has proven itself."""
        self.failed = ""
        """Why there will be no keys; empty: there may be."""
        if active:
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()

    def begin(self) -> list[bytes]:
        """The first flight of the active side."""
        self._handshake()
        return self._outgoing()

    def receive(self, data: bytes) -> list[bytes]:
        """A datagram came: what goes back."""
        if self.failed:
            return []
        self._datagrams += 1
        if self.keys is None and self._datagrams > MOST_DATAGRAMS:
            self.failed = f"no end after {MOST_DATAGRAMS} datagrams"
            return []
        self._connection.bio_write(data)
        if self.keys is None:
            self._handshake()
        else:
            self._read()
        return self._outgoing()

    def advance(self) -> list[bytes]:
        """Time has passed: what is to be sent again."""
        if self.failed or self.keys is not None or self._connection.DTLSv1_get_timeout() != 0:
            return []
        try:
            self._connection.DTLSv1_handle_timeout()
        except SSL.Error:
            self.failed = "no answer"
        return self._outgoing()

    def _handshake(self) -> None:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.Error as error:
            self.failed = f"handshake: {_reason(error)}"
            return
        self.failed = self._proven()

    def _proven(self) -> str:
        """Takes the keys if the peer is whom its description names; else the reason why not."""
        certificate = self._connection.get_peer_certificate()
        if certificate is None:
            return "no certificate"
        encoded, proven = crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate), False
        for expected in self._fingerprints:
            proven |= hmac.compare_digest(_HASHES[expected.hash_name](encoded).digest(), expected.digest)
        if not proven:
            return "a certificate of another fingerprint than the description's"
        if self._connection.get_selected_srtp_profile() != _PROFILE:
            return "no profile of SRTP in common"
        exported = self._connection.export_keying_material(_LABEL, 2 * (_KEY + _SALT))
        client = exported[:_KEY] + exported[2 * _KEY : 2 * _KEY + _SALT]
        server = exported[_KEY : 2 * _KEY] + exported[2 * _KEY + _SALT :]
        ours, theirs = (client, server) if self._active else (server, client)
        self.keys = SrtpKeys(_TAG_BYTES, ours, theirs)
        return ""

    def _read(self) -> None:
        """Let OpenSSL repeat its last flight when the peer repeats its own; data has no meaning here."""
        for _ in range(_MOST_READS):
            try:
                self._connection.recv(DATAGRAM_BYTES)
            except SSL.Error:  # nothing more, an alert, or the peer's end: the call says by itself when it is over
                return

    def _outgoing(self) -> list[bytes]:
        """What OpenSSL wrote, in datagrams: whole records, as many as go into one."""
        written = bytearray()
        while True:
            try:
                written += self._connection.bio_read(65_536)
            except SSL.WantReadError:
                break
        datagrams: list[bytes] = []
        at = begun = 0
        while at < len(written):
            end = at + RECORD_HEADER + int.from_bytes(written[at + 11 : at + 13])
            if end - begun > DATAGRAM_BYTES and at > begun:
                datagrams.append(bytes(written[begun:at]))
                begun = at
            at = end
        return [*datagrams, bytes(written[begun:at])] if written else []


def _reason(error: SSL.Error) -> str:
    """OpenSSL's own word for what went wrong."""
    said = error.args[0] if error.args else ()
    return str(said[0][-1]) if isinstance(said, list) and said else type(error).__name__
