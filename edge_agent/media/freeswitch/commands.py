"""Commands for FreeSWITCH's event socket, as bytes; no argument can end a command and begin another.

Only the applications listed here are ever asked for: one that is not loaded is answered with +OK all the same, and then
the call is hung up.
"""

from typing import Final

from edge_agent.errors import EdgeError

APPLICATIONS: Final = frozenset({"answer", "conference", "deflect", "echo", "playback", "record", "set"})
"""What a call may be made to execute."""


class BadCommand(EdgeError):
    """An argument that the protocol cannot carry, or an application that is not ours to use."""


def connect() -> bytes:
    """Take over the call that the connection was opened for; answered by `ChannelData`."""
    return b"connect\n\n"


def linger(seconds: int) -> bytes:
    """Keep the connection for `seconds` after the call, so that its last events arrive."""
    return f"linger {seconds}\n\n".encode()


def my_events() -> bytes:
    """Send the events of this call."""
    return b"myevents plain\n\n"


def divert_events() -> bytes:
    """Send the events that only the running application would see, digits among them."""
    return b"divert_events on\n\n"


def stop_playing(call: str) -> bytes:
    """End what the call with this UUID is playing; its execution completes as usual."""
    return f"api uuid_break {_line(call)} all\n\n".encode()


def conference(name: str, *words: str) -> bytes:
    """Do something in a conference, such as `mute 3` or `play /some/file`."""
    return f"api conference {' '.join(_line(word) for word in (name, *words))}\n\n".encode()


def variable(call: str, name: str) -> bytes:
    """Ask for a variable of a call; `_undef_` is the answer where it has none."""
    return f"api uuid_getvar {_line(call)} {_line(name)}\n\n".encode()


def execute(application: str, argument: str, execution: str) -> bytes:
    """Let the call execute an application.

    `execution` is a UUID of ours by which CHANNEL_EXECUTE_COMPLETE is recognised. An argument of several lines, or a
    long one, goes into the body.
    """
    if application not in APPLICATIONS:
        raise BadCommand(f"no application {application[:40]!r} is used here")
    head = f"sendmsg\ncall-command: execute\nexecute-app-name: {application}\nEvent-UUID: {_line(execution)}\n"
    if not argument:
        return f"{head}\n".encode()
    data = argument.encode()
    if b"\n" not in data and b"\r" not in data and len(data) < 1024:
        return f"{head}execute-app-arg: {argument}\n\n".encode()
    return f"{head}content-type: text/plain\ncontent-length: {len(data)}\n\n".encode() + data


def hang_up(cause: str = "NORMAL_CLEARING") -> bytes:
    """End the call with one of FreeSWITCH's causes."""
    return f"sendmsg\ncall-command: hangup\nhangup-cause: {_line(cause)}\n\n".encode()


def _line(text: str) -> str:
    if "\n" in text or "\r" in text or "\0" in text:
        raise BadCommand("an argument with a line end in it")
    return text
