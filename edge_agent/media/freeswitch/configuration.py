"""The one file that a FreeSWITCH of the agent's own is configured by: a profile on loopback, and a constant dialplan.

Its dialplan brings every call to the agent, three times: the second and the third time a call that is up comes back to
an agent that was started again.
"""

from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import quoteattr

from pydantic import SecretStr

LOOPBACK: Final = "127.0.0.1"
PROFILE: Final = "tandem"
"""Name of the SIP profile, which calls are placed by."""
CONTEXT: Final = "tandem"
"""Of the dialplan."""
SILENT_MILLISECONDS: Final = 60_000
"""A call whose phone sends nothing for this long is ended."""
AGENT_AWAY_MILLISECONDS: Final = 4_000
"""How long a call waits for an agent that is being started again."""
AGENT_LATE_MILLISECONDS: Final = 30_000
"""How long one that is answered waits on, for an agent that takes long."""

_MODULES: Final = (
    "mod_logfile",
    "mod_event_socket",
    "mod_commands",
    "mod_dptools",
    "mod_dialplan_xml",
    "mod_sndfile",
    "mod_tone_stream",
    "mod_conference",
    "mod_opus",
    "mod_spandsp",
    "mod_sofia",
)
"""Those that are not installed are passed over by FreeSWITCH, with a line in its log."""


@dataclass(frozen=True, slots=True)
class FreeSwitchPorts:
    """Where it listens on loopback, and where it brings calls to.

    Args:
        sip: UDP port of the profile.
        control: TCP port of its event socket.
        events: TCP port at which the agent takes calls.
        rtp: first and last RTP port.
        rtp_address: an address of this machine that phones reach; FreeSWITCH cannot take a wildcard.
    """

    sip: int
    control: int
    events: int
    rtp: tuple[int, int]
    rtp_address: str


def configuration(ports: FreeSwitchPorts, password: SecretStr, most_sessions: int, codecs: tuple[str, ...]) -> str:
    """The whole of `freeswitch.xml`.

    Args:
        ports: where it listens.
        password: of its event socket; the file is nobody else's to read.
        most_sessions: legs at one time.
        codecs: their names in FreeSWITCH's spelling, the most wanted first.
    """
    preferred = ",".join(codecs)
    sections = (
        _section("configuration", *_configurations(ports, password, most_sessions, preferred)),
        _section("dialplan", _dialplan(ports.events)),
        _section("directory"),
    )
    return f'<?xml version="1.0"?>\n<document type="freeswitch/xml">\n{"".join(sections)}</document>\n'


def _configurations(ports: FreeSwitchPorts, password: SecretStr, most_sessions: int, codecs: str) -> list[str]:
    loaded = "".join(f"<load module={quoteattr(module)}/>" for module in _MODULES)
    profile = _params(
        {
            "context": CONTEXT,
            "dialplan": "XML",
            "sip-ip": LOOPBACK,
            "sip-port": str(ports.sip),
            "rtp-ip": ports.rtp_address,
            # Else it does nothing for a call until a packet comes: a phone that sends none in silence would hang.
            "rtp-timer-name": "soft",
            "auth-calls": "false",
            "accept-blind-reg": "false",
            "disable-register": "true",
            "manage-presence": "false",
            "inbound-codec-prefs": codecs,
            "outbound-codec-prefs": codecs,
            "inbound-codec-negotiation": "generous",
            "rfc2833-pt": "101",
            "dtmf-duration": "2000",
            "enable-100rel": "false",
            "inbound-late-negotiation": "true",
            "parse-invite-tel-params": "true",
            "user-agent-string": "Tandem",
        },
        "settings",
    )
    return [
        _configuration("modules.conf", f"<modules>{loaded}</modules>"),
        _configuration(
            "switch.conf",
            _params(
                {
                    "loglevel": "warning",
                    "max-sessions": str(most_sessions),
                    "sessions-per-second": "100",
                    "rtp-start-port": str(ports.rtp[0]),
                    "rtp-end-port": str(ports.rtp[1]),
                    "rtp-enable-zrtp": "false",
                    "auto-restart": "false",
                },
                "settings",
            ),
        ),
        _configuration("logfile.conf", _LOG),
        _configuration(
            "event_socket.conf",
            _params(
                {
                    "listen-ip": LOOPBACK,
                    "listen-port": str(ports.control),
                    "password": password.get_secret_value(),
                    "apply-inbound-acl": "loopback.auto",
                },
                "settings",
            ),
        ),
        _configuration("sofia.conf", f"<profiles><profile name={quoteattr(PROFILE)}>{profile}</profile></profiles>"),
        _configuration("conference.conf", _CONFERENCE),
    ]


_LOG: Final = (
    '<settings><param name="rotate-on-hup" value="true"/></settings><profiles><profile name="default">'
    '<settings><param name="rollover" value="4000000"/><param name="maximum-rotate" value="2"/></settings>'
    '<mappings><map name="all" value="warning,err,crit,alert"/></mappings></profile></profiles>'
)
_CONFERENCE: Final = (
    '<caller-controls><group name="none"></group></caller-controls><profiles><profile name="default">'
    '<param name="rate" value="16000"/><param name="interval" value="20"/><param name="energy-level" value="100"/>'
    '<param name="comfort-noise" value="false"/><param name="caller-controls" value="none"/>'
    '<param name="moderator-controls" value="none"/></profile></profiles>'
)
"""The applications read keys themselves."""


_WHILE_ANSWERED: Final = f"${{cond(${{endpoint_disposition}} == ANSWER ? {AGENT_LATE_MILLISECONDS} : 1)}}"


def _dialplan(events: int) -> str:
    to_agent = f'<action application="socket" data="{LOOPBACK}:{events} async full"/>'
    return (
        f"<context name={quoteattr(CONTEXT)}><extension name={quoteattr(CONTEXT)}>"
        '<condition field="destination_number" expression="^.*$">'
        f'<action application="set" data="media_timeout={SILENT_MILLISECONDS}"/>'
        f'{to_agent}<action application="sleep" data="{AGENT_AWAY_MILLISECONDS}"/>{to_agent}'
        f'<action application="sleep" data={quoteattr(_WHILE_ANSWERED)}/>{to_agent}'
        '<action application="respond" data="503"/>'
        "</condition></extension></context>"
    )


def _section(name: str, *parts: str) -> str:
    content = "\n".join(parts)
    return f"<section name={quoteattr(name)}>\n{content}\n</section>\n"


def _configuration(name: str, content: str) -> str:
    return f'<configuration name={quoteattr(name)} description="">{content}</configuration>'


def _params(values: dict[str, str], around: str) -> str:
    params = "".join(f"<param name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in values.items())
    return f"<{around}>{params}</{around}>"
