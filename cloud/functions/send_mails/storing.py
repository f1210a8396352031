"""One message into a folder of somebody's IMAP mailbox (RFC 3501 APPEND), by imaplib, always over TLS.

The host is named by a tenant, so it is hostile: its address is checked and kept to, and it is heard for so long and so
much only. What goes wrong is said in words of our own: nothing of what the server says, and never the password.
"""

import base64
import imaplib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from typing import Any, Final

from cloud.functions.guard import AddressRefused, NameUnknown, Resolve, checked_address, resolve
from cloud.functions.send_mails.sending import MailNotSent
from cloud.pbx.secrets import KeyService
from cloud.pbx.voicemail_imap import ImapLogIn, ImapSecurity

MAX_ANSWER_BYTES: Final = 256 * 1024
"""All that a server may say while one message is put there."""
_CODE: Final = re.compile(rb"\[([A-Z-]{1,30})[\] ]")


@dataclass(frozen=True, slots=True)
class ImapStore:
    """Puts messages into IMAP mailboxes.

    Args:
        keys: opens the passwords.
        sender: address that messages come from.
        portal_url: where links lead.
        private_allowed: private addresses will do (tests, and servers in the cloud's own network).
        timeout_seconds: for the whole of one message, from connecting on.
        resolver: host names to addresses.
        tls: whom to trust; None means the system's authorities.
    """

    keys: KeyService
    sender: str
    portal_url: str
    private_allowed: bool = False
    timeout_seconds: float = 30.0
    resolver: Resolve = resolve
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def store(self, to: ImapLogIn, message: EmailMessage) -> None:
        """Put a message there, not seen; a folder that is not there is made.

        Raises:
            MailNotSent: it was not taken.
        """
        try:
            address = checked_address(to.host, to.port, self.resolver, private_allowed=self.private_allowed)
        except NameUnknown:
            raise MailNotSent(f"there is no host {to.host}") from None
        except AddressRefused:
            raise MailNotSent(f"{to.host} is at an address that is not public: no message is put there") from None
        with self._connected(to, address) as server:
            _log_in(server, to)
            _append(server, to.folder, message.as_bytes(policy=policy.SMTP))

    @contextmanager
    def _connected(self, to: ImapLogIn, address: str) -> Iterator["_Server"]:
        where, server, expired = f"{to.host} port {to.port}", None, threading.Event()
        sockets: list[socket.socket] = []

        def give_up() -> None:
            expired.set()
            for each in sockets:
                _shut(each)

        def watch(made: socket.socket) -> None:
            sockets.append(made)
            if expired.is_set():
                _shut(made)

        deadline = threading.Timer(self.timeout_seconds, give_up)
        deadline.daemon = True
        deadline.start()
        try:
            server = _Server(to, address, self.timeout_seconds, self.tls, watch)
            if to.security is ImapSecurity.STARTTLS:
                if "STARTTLS" not in server.capabilities:
                    raise MailNotSent(f"{where} offers no STARTTLS: the password is not sent unencrypted")
                server.encrypt()
            if expired.is_set():
                raise TimeoutError
            yield server
        except ssl.SSLCertVerificationError as error:
            raise MailNotSent(f"the certificate of {to.host} is not accepted: {error.verify_message}") from None
        except (OSError, imaplib.IMAP4.error) as error:
            if expired.is_set() or isinstance(error, TimeoutError):
                raise MailNotSent(f"{where} was not done within {self.timeout_seconds:g} seconds") from None
            name = "it is no IMAP server" if isinstance(error, imaplib.IMAP4.error) else type(error).__name__
            raise MailNotSent(f"{where} is not reached: {name}") from None
        finally:
            if server is not None:
                server.close_down()
            deadline.cancel()
            for each in sockets:
                each.close()


class _Server(imaplib.IMAP4):
    """A connection to the address that was checked; the name is for the certificate."""

    def __init__(
        self, to: ImapLogIn, address: str, timeout: float, tls: ssl.SSLContext, watch: Callable[[socket.socket], None]
    ) -> None:
        self._address, self._tls, self._watch = address, tls, watch
        self._tls_at_once = to.security is ImapSecurity.TLS
        self._left = MAX_ANSWER_BYTES
        super().__init__(to.host, to.port, timeout)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        made = socket.create_connection((self._address, self.port), timeout)
        self._watch(made)
        return self._wrapped(made) if self._tls_at_once else made

    def _wrapped(self, plain: socket.socket) -> ssl.SSLSocket:
        made = self._tls.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        self._watch(made)  # before the handshake, which may take for ever
        made.do_handshake()
        return made

    def encrypt(self) -> None:
        """As `starttls`, but the handshake is watched; what the server said before counts no more."""
        if self.xatom("STARTTLS")[0] != "OK":
            raise self.error("no STARTTLS after all")
        self.sock = self._wrapped(self.sock)
        self.file = self.sock.makefile("rb")
        said = self.capability()[1][-1] or b""
        self.capabilities = tuple(said.decode("ascii", "replace").upper().split())

    def read(self, size: int) -> bytes:
        """A literal of the server's."""
        self._heard(size)
        return super().read(size)

    def readline(self) -> bytes:
        """A line of the server's."""
        line = super().readline()
        self._heard(len(line))
        return line

    def _heard(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise self.abort("the server says too much")

    def close_down(self) -> None:
        """Say goodbye where that still goes."""
        try:
            self.logout()
        except (OSError, imaplib.IMAP4.error):
            return
        finally:
            self.file.close()  # which `logout` leaves open where it fails, and the socket with it


def _log_in(server: _Server, to: ImapLogIn) -> None:
    """By SASL PLAIN (RFC 4616), which takes any character, or LOGIN where a server has nothing better."""
    password = to.password.get_secret_value()
    try:
        if "AUTH=PLAIN" in server.capabilities:
            server.authenticate("PLAIN", lambda _: f"\0{to.username}\0{password}".encode())
        elif "LOGINDISABLED" not in server.capabilities and (to.username + password).isascii():
            server.login(_quoted(to.username), password)
        else:
            raise MailNotSent(f"{to.host} takes no user name and password (neither AUTH=PLAIN nor LOGIN)")
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        if "[UNAVAILABLE]" in str(error):  # RFC 5530 §3: what it asks is down, and the password may be right
            raise MailNotSent(f"{to.host} cannot tell now whether the password is right") from None
        raise MailNotSent(f"{to.host} refuses the user name or the password") from None


def _append(server: _Server, folder: str, content: bytes) -> None:
    name = mailbox_name(folder)
    outcome = _try_append(server, name, content)
    if outcome == "TRYCREATE":
        if server.create(name)[0] == "OK":
            server.subscribe(name)
            outcome = _try_append(server, name, content)
        if outcome == "TRYCREATE":
            raise MailNotSent(f"there is no folder {folder!r}, and the server does not let it be made")
    if outcome == "OVERQUOTA":
        raise MailNotSent("the mailbox is full")
    if outcome:
        raise MailNotSent(f"the server does not take the message: {outcome}")


def _try_append(server: _Server, name: str, content: bytes) -> str:
    """Empty when it was taken, else why not: the code of RFC 5530, or `NO`."""
    # No flags: the message is not seen. No date: the server's own.
    status, said = server.append(name, None, None, content)
    if status == "OK":
        return ""
    return next((found[1].decode() for line in said if (found := _code_in(line)) is not None), "NO")


def _code_in(line: Any) -> re.Match[bytes] | None:
    return _CODE.search(line) if isinstance(line, bytes) else None


def mailbox_name(folder: str) -> str:
    """A folder's name as IMAP has it: modified UTF-7 (RFC 3501 §5.1.3), quoted."""
    coded, wide = [], ""
    for one in [*folder, ""]:
        if one and not " " <= one <= "~":
            wide += one
            continue
        if wide:
            coded.append("&" + base64.b64encode(wide.encode("utf-16-be"), b"+,").decode().rstrip("=") + "-")
            wide = ""
        coded.append("&-" if one == "&" else one)
    return _quoted("".join(coded))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _shut(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it ended by itself
