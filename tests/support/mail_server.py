"""A mail server on the loopback (RFC 5321), which keeps what it takes and refuses what it is told to."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailServer:
    """What it took, and how it answers."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    """Answer by command, such as `RCPT` → `550 No such user`; the others are taken."""


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A running one."""
    state = MailServer()

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # who wanted to talk TLS and could not hangs up
                self._talk()

        def _talk(self) -> None:
            self._say("220 mail.test ESMTP")
            while line := self.rfile.readline(1000):
                command = line[:4].upper().decode("ascii", "replace").strip()
                if command == "QUIT":
                    self._say("221 Bye")
                    return
                if refusal := state.refusals.get(command):
                    self._say(refusal)
                elif command == "EHLO":
                    self._say("250 mail.test")
                elif command == "DATA":
                    self._say("354 Go on")
                    self._take()
                else:
                    if command == "RCPT":
                        state.recipients.append(line.decode().partition("<")[2].partition(">")[0])
                    self._say("250 OK")

        def _take(self) -> None:
            lines: list[bytes] = []
            while (line := self.rfile.readline(1000)) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            mail = message_from_bytes(b"".join(lines), policy=policy.default)
            assert isinstance(mail, EmailMessage)
            state.mails.append(mail)
            self._say("250 Taken")

        def _say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as server:
        server.daemon_threads = True
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
