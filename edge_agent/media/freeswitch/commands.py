"""Commands for FreeSWITCH's event socket, as bytes; no argument can end a command and begin another.

Only the applications listed here are ever asked for: one that is not loaded is answered with +OK all the same, and then
the call is hung up.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import SecretStr

from edge_agent.errors import EdgeError

APPLICATIONS: Final = frozenset({"answer", "conference", "echo", "playback", "record", "ring_ready", "rxfax", "set"})
"""What a call may be made to execute."""

QUESTIONS: Final = frozenset({"module_exists", "reloadxml", "show", "status", "uuid_kill", "uuid_transfer"})
"""What FreeSWITCH itself is asked for."""

FAX_MODULE: Final = "mod_spandsp"
TRANSFER_EVENT: Final = "sofia::error"
_MOST_TARGET: Final = 1024
"""FreeSWITCH cuts it off there."""


class BadCommand(EdgeError):
    """An argument that the protocol cannot carry, or an application that is not ours to use."""


def connect() -> bytes:
    """Take over the call that the connection was opened for; answered by `ChannelData`."""
    return b"connect\n\n"


def password(secret: SecretStr) -> bytes:
    """Log in on a control connection; answered by `CommandReply`."""
    return f"auth {_line(secret.get_secret_value())}\n\n".encode()


def api(name: str, *words: str) -> bytes:
    """Ask FreeSWITCH itself, such as `reloadxml`; answered by `ApiResponse`."""
    if name not in QUESTIONS:
        raise BadCommand(f"no command {name[:40]!r} is used here")
    return f"api {' '.join(_line(word) for word in (name, *words))}\n\n".encode()


def show_channels() -> bytes:
    """Ask which calls there are; answered by JSON."""
    return api("show", "channels", "as", "json")


def has_fax() -> bytes:
    """Ask whether there is fax; answered by `true` or `false`."""
    return api("module_exists", FAX_MODULE)


def jobs_events() -> bytes:
    """Send what came of jobs, on a control connection."""
    return b"event plain BACKGROUND_JOB\n\n"


def originate(variables: Mapping[str, str], address: str, socket_at: str, job: str) -> bytes:
    """Place a call and bring it to an event socket once it is answered; what came of it is told by BACKGROUND_JOB.

    Args:
        variables: of the call; a value may not have `|`, which stands between them.
        address: whom to call, in FreeSWITCH's spelling.
        socket_at: host and port to bring the call to.
        job: our name for it.
    """
    if any(set("|{}[]'\"\\") & set(value) for value in variables.values()) or set(" ',|{}[]") & set(address):
        raise BadCommand("a value that FreeSWITCH would read as something else")
    of_call = "|".join(f"{name}={_line(value)}" for name, value in variables.items())
    # In quotes: a display name has spaces, at which the command would end else.
    call = f"originate '{{^^|{of_call}}}{_line(address)}' '&socket({socket_at} async full)'"
    return f"bgapi {call}\nJob-UUID: {_line(job)}\n\n".encode()


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


def set_variables(call: str, values: Mapping[str, str]) -> bytes:
    """Set variables of a call; an empty value takes one away. A value may not have `;`, which stands between them."""
    if any(set(";=") & set(name + value) for name, value in values.items()):
        raise BadCommand("a value that FreeSWITCH would read as something else")
    each = ";".join(f"{name}={_line(value)}" for name, value in values.items())
    return f"api uuid_setvar_multi {_line(call)} {each}\n\n".encode()


def refer(call: str, target: str) -> bytes:
    """Have the other end of a call call somebody else (REFER); `target` is a SIP URI.

    An answered call waits for what becomes of it, and ends then, unless its variable `sip_refer_continue_after_reply`
    is true.
    """
    if not target.startswith(("sip:", "sips:")) or len(target) >= _MOST_TARGET or set(" <>") & set(target):
        raise BadCommand("no SIP URI that FreeSWITCH would send in Refer-To")
    return f"api uuid_deflect {_line(call)} {_line(target)}\n\n".encode()


def transfer_events() -> bytes:
    """Send, among the events of this call, those of transfers that FreeSWITCH cannot carry out by itself."""
    return f"event plain CUSTOM {TRANSFER_EVENT}\n\n".encode()


def tell_transfer(call: str, number: int, status: int) -> bytes:
    """Tell the other end of a call what became of the transfer that it asked for (NOTIFY, RFC 3515 §2.4.4).

    Args:
        call: its UUID.
        number: of the REFER (CSeq); 0: it is not known, and it was the only one.
        status: what came of it.
    """
    body = f"SIP/2.0 {status} {'OK' if status < 300 else 'Not Reached'}\r\n"
    event = f"refer;id={number}" if number else "refer"
    return (
        f"sendevent NOTIFY\nuuid: {_line(call)}\nevent-string: {event}\n"
        f"content-type: message/sipfrag;version=2.0\ncontent-length: {len(body)}\n\n{body}"
    ).encode()


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
