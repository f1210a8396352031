"""Stands in for FreeSWITCH's program: its arguments, its pid file and its event socket, and no calls.

What it answers was recorded (tests/data/esl). With `broken` in its name it ends at once. A call that it is to place is
answered at once, busy when its number is 486, and never answered when it is 180.
"""

import os
import re
import signal
import socket
import socketserver
import sys
from pathlib import Path

CHANNELS: list[socket.socket] = []
"""Calls that were placed."""


class Connection(socketserver.StreamRequestHandler):
    """Takes a password, then answers what it is asked."""

    def handle(self) -> None:
        """One connection."""
        self.wfile.write(b"Content-Type: auth/request\n\n")
        if self.command() != b"auth " + PASSWORD:
            self.wfile.write(b"Content-Type: command/reply\nReply-Text: -ERR invalid\n\n")
            return
        self.wfile.write(b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
        while command := self.command():
            if command.startswith(b"bgapi originate "):
                self.originate(command)
                continue
            answer = self.answer(command.removeprefix(b"api "))
            if command.startswith(b"api "):
                self.wfile.write(b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(answer), answer))
            else:
                self.wfile.write(b"Content-Type: command/reply\nReply-Text: +OK event listener enabled plain\n\n")

    def command(self) -> bytes:
        """The next command; empty at the connection's end."""
        lines = [self.rfile.readline().strip()]
        while lines[-1]:
            lines.append(self.rfile.readline().strip())
        return b"\n".join(lines).strip()

    def originate(self, command: bytes) -> None:
        """Place a call, which means: bring one to the event socket."""
        self.wfile.write(b"Content-Type: command/reply\nReply-Text: +OK Job-UUID: as wished\n\n")
        found = re.match(
            rb".*origination_uuid=([^|}]+).*/sip:([^@]+)@.*&socket\(([^ ]+):([0-9]+) .*\nJob-UUID: (.+)", command
        )
        assert found is not None, command
        call, number, host, port, job = found.groups()
        if number == b"180":
            return
        if number != b"486":
            channel = socket.create_connection((host.decode(), int(port)))
            CHANNELS.append(channel)
            reply = b"Content-Type: command/reply\nReply-Text: %2BOK%0A\n\n"
            channel.sendall(b"Event-Name: CHANNEL_DATA\nUnique-ID: " + call + b"\n" + reply)
        outcome = b"-ERR USER_BUSY\n" if number == b"486" else b"+OK " + call + b"\n"
        event = b"Event-Name: BACKGROUND_JOB\nJob-UUID: %s\nContent-Length: %d\n\n%s" % (job, len(outcome), outcome)
        self.wfile.write(b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(event), event))

    def answer(self, question: bytes) -> bytes:
        """What FreeSWITCH says to it."""
        if question == b"reloadxml":
            whole = FILE.read_text(encoding="utf-8").rstrip().endswith("</document>")
            return b"+OK [Success]\n" if whole else b"+OK [[error near line 60]: missing >]\n"
        if question.startswith(b"show"):
            return b'{"row_count":0}\n'
        return b"UP 0 years, 0 days, 0 hours, 0 minutes, 1 second\n"


def place(option: str) -> Path:
    """The folder that an option names."""
    return Path(sys.argv[sys.argv.index(option) + 1])


if __name__ == "__main__":
    if "broken" in sys.argv[0]:
        sys.exit(255)
    FILE = place("-conf") / "freeswitch.xml"
    configured = FILE.read_text(encoding="utf-8")
    PASSWORD = re.findall('name="password" value="([^"]*)"', configured)[0].encode()
    port = int(re.findall('name="listen-port" value="([0-9]*)"', configured)[0])
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), Connection) as server:
        (place("-run") / "freeswitch.pid").write_text(f"{os.getpid()}", encoding="ascii")
        server.serve_forever()
