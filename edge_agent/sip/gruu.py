"""Globally routable URIs of single phones (RFC 5627): public ones that name the phone, temporary ones that do not.

A temporary GRUU keeps nothing here: its user part is a sealed token of user, phone and Call-ID, which only this edge
can read, and which is good as long as the phone is registered under that very Call-ID (§3.3): a phone that starts over
invalidates every one that it had. After a restart it goes on, as the key does.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import TYPE_CHECKING, Final

from edge_agent.sip.config import SipConfig
from edge_agent.sip.location import Binding, Location
from edge_agent.sip.message import SipError, Uri
from edge_agent.tokens import Tokens

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_GR: Final = re.compile(rb"[A-Za-z0-9\-_.!~*'()\[\]/:&+$]+")
_PREFIX: Final = b"tgruu."
_NONCE_BYTES: Final = 12
_HASH_BYTES: Final = 8


class Gruus:
    """Makes and reads GRUUs.

    Args:
        location: phones that are registered.
        key: secret of this edge, the same after a restart.
        tokens: nonces.
        config: of the site.
    """

    def __init__(self, location: Location, key: bytes, tokens: Tokens, config: SipConfig) -> None:
        self._location = location
        self._tokens = tokens
        self._hash_key = hmac.digest(key, b"temporary-gruu-hash", "sha256")
        self._seal_key = hmac.digest(key, b"temporary-gruu", "sha256")
        self._made_seal: AESGCM | None = None
        self.configure(config)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._config = config
        self._domain = config.domain.encode()

    @property
    def _seal(self) -> AESGCM:
        """Made when the first phone wants a temporary GRUU, since the library takes 7 MB and few phones do."""
        if self._made_seal is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            self._made_seal = AESGCM(self._seal_key)
        return self._made_seal

    def public(self, binding: Binding) -> bytes:
        """The public GRUU of the phone (§4.3 of the RFC: its instance is in it); empty when it gave no usable one."""
        name = gruu_of(binding.instance)
        if not name or _GR.fullmatch(name) is None:
            return b""
        return b"sip:" + self._config.users[binding.user_id].username.encode() + b"@" + self._domain + b";gr=" + name

    def temporary(self, binding: Binding) -> bytes:
        """A new temporary GRUU of the phone; empty when it gave no instance."""
        if not self.public(binding):
            return b""
        nonce = bytes.fromhex(self._tokens.token(_NONCE_BYTES))
        clear = self._mark(binding) + binding.user_id.encode()
        token = base64.urlsafe_b64encode(nonce + self._seal.encrypt(nonce, clear, self._domain)).rstrip(b"=")
        return b"sip:" + _PREFIX + token + b"@" + self._domain + b";gr"

    def resolved(self, uri: Uri, now: float) -> Uri:
        """The public GRUU that a temporary one of ours stands for; any other URI as it is.

        Raises:
            SipError: 404, no phone of the site, or no longer valid (§5.1).
        """
        if not uri.user.startswith(_PREFIX) or b"gr" not in uri.params:
            return uri
        mark, user_id = self._opened(uri)
        for binding in self._location.of_user(user_id, now):
            if binding.instance and hmac.compare_digest(self._mark(binding), mark):
                return Uri.parse(self.public(binding))
        raise SipError(404, "Not Found")

    def _opened(self, uri: Uri) -> tuple[bytes, str]:
        from cryptography.exceptions import InvalidTag

        token = uri.user[len(_PREFIX) :]
        try:
            sealed = base64.urlsafe_b64decode(token + b"=" * (-len(token) % 4))
            clear = self._seal.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._domain)
        except (binascii.Error, ValueError, InvalidTag):
            raise SipError(404, "Not Found") from None
        return clear[:_HASH_BYTES], clear[_HASH_BYTES:].decode("utf-8", "replace")

    def _mark(self, binding: Binding) -> bytes:
        """Phone and Call-ID, in eight bytes."""
        text = binding.instance + b"\0" + binding.call_id
        return hmac.digest(self._hash_key, text, "sha256")[:_HASH_BYTES]


def gruu_of(instance: bytes) -> bytes:
    """The `gr` of a phone that gave this `+sip.instance` (RFC 5627 §4.3)."""
    return instance.strip(b'"').strip(b"<>")
