"""The agent's settings: one typed object, read once at start from a TOML file and TANDEM_EDGE_* in the environment.

Everything that belongs to a machine is here; everything that belongs to a customer is in the snapshot. Neighbours
may rely on: a `Settings` object is complete and valid, and `load_settings` names every problem of its input at once.
The shipped `edge.example.toml` documents each setting with its default.
"""

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from edge_agent.errors import EdgeError
from edge_agent.media.codecs import CodecName
from edge_agent.sip_settings import (
    CallSettings,
    LimitSettings,
    LockoutSettings,
    OverloadSettings,
    RegistrarSettings,
    Section,
    TimerSettings,
    TrunkPortSettings,
    allowed_in,
    unit_of,
)

PREFIX: Final = "TANDEM_EDGE_"
DEFAULT_FILE: Final = Path("/etc/tandem-edge/edge.toml")
EXAMPLE_FILE: Final = Path(__file__).with_name("edge.example.toml")

_LISTS: Final = ("codecs", "hosts", "plug_and_play_interfaces", "foreign_hosts", "retry_after_seconds")
"""Settings whose words in the environment stand with commas between them."""

RENAMED: Final[Mapping[str, str]] = {}
"""Settings of earlier releases by their old name, with the name that they have now."""

Port = Annotated[int, Field(ge=0, le=65535)]
"""A UDP or TCP port; 0 lets the system choose one, which tests use."""
OptionalPort = Port | Literal["off"]
"""A port, or nothing is listened for."""
Seconds = Annotated[float, Field(gt=0, le=3600)]


class SettingsError(EdgeError):
    """The settings cannot be used; `problems` names every one of them."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class LogSettings(Section):
    """What the agent writes on standard error."""

    format: Literal["human", "json"] = "human"
    level: Literal["debug", "info", "warning", "error"] = "info"


class ChannelSettings(Section):
    """How the agent reaches the cloud; where the cloud is, enrollment has told it."""

    transport: Literal["auto", "websocket"] = "auto"


class SipSettings(Section):
    """Where phones register and call."""

    address: str = "0.0.0.0"
    udp_port: Port = 5060
    tcp_port: Port = 5060
    tls_port: OptionalPort = 5061
    sites_port: OptionalPort = 5063
    ws_port: OptionalPort = "off"
    wss_port: OptionalPort = "off"
    tls_certificate: str = ""
    tls_key: str = ""
    tls_client_authorities: str = ""
    advertised_host: str = ""
    advertised_host_six: str = ""
    public_host: Annotated[str, Field(max_length=253)] = ""
    hosts: Annotated[tuple[str, ...], Field(max_length=64)] = ()
    recorded_bytes: Annotated[int, Field(ge=0, le=1_000_000_000)] = 8_000_000
    recorded_calls: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    recorded_messages_per_call: Annotated[int, Field(ge=2, le=1_000)] = 200
    hep_target: Annotated[str, Field(pattern=r"^$|^(\[[0-9a-fA-F:.]+\]|[0-9A-Za-z.-]+):[0-9]{1,5}$")] = ""
    hep_capture_id: Annotated[int, Field(ge=0, lt=2**32)] = 2001
    hep_password_file: str = ""
    registrar: RegistrarSettings = RegistrarSettings()
    calls: CallSettings = CallSettings()
    trunks: TrunkPortSettings = TrunkPortSettings()
    lockout: LockoutSettings = LockoutSettings()
    overload: OverloadSettings = OverloadSettings()
    limits: LimitSettings = LimitSettings()
    timers: TimerSettings = TimerSettings()

    @model_validator(mode="after")
    def _has_whole_certificate(self) -> Self:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key are given together or not at all")
        return self


class ProvisioningSettings(Section):
    """Where phones fetch their configuration."""

    address: str = "0.0.0.0"
    tftp_port: OptionalPort = 69
    http_port: Port = 8090
    https_port: OptionalPort = 8443
    ftp_port: OptionalPort = "off"
    plug_and_play_port: OptionalPort = 5060
    plug_and_play_interfaces: Annotated[tuple[str, ...], Field(max_length=64)] = ()
    tls_certificate: str = ""
    tls_key: str = ""
    vendor_authorities: str = ""

    @model_validator(mode="after")
    def _has_whole_certificate(self) -> Self:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key are given together or not at all")
        return self


USUAL_CALLS: Final = 50
"""At the voice services at one time, as long as nobody says more; fewer where there are ports for fewer."""


class MediaSettings(Section):
    """The site's own voice services: by which engine, and where they send and receive.

    With engine `freeswitch` the agent starts one (`freeswitch_program`; empty looks for it) and watches over it, unless
    `freeswitch` is `running`: then it is the operator's, `sip_port` is the loopback port of its SIP profile, and its
    dialplan brings each call to `event_port`; the address and the RTP ports are its own affair.

    The relay is no engine: it carries media of calls between parties that cannot reach each other.
    """

    engine: Literal["embedded", "freeswitch"] = "embedded"
    freeswitch: Literal["started", "running"] = "started"
    freeswitch_program: str = ""
    relay: Literal["auto", "own", "rtpengine"] = "auto"
    rtpengine_control: Annotated[str, Field(pattern=r"^$|^(\[[0-9a-fA-F:.]+\]|[0-9.]+):[0-9]{1,5}$")] = ""
    rtpengine_first_port: Annotated[int, Field(ge=1024, le=65_472)] = 18_432
    rtpengine_last_port: Annotated[int, Field(ge=1087, le=65_535)] = 28_431
    address: str = "0.0.0.0"
    sip_port: Port = 0
    event_port: Port = 0
    rtp_first_port: Annotated[int, Field(ge=1024, le=65534)] = 16384
    rtp_last_port: Annotated[int, Field(ge=1025, le=65535)] = 17407
    most_calls: Annotated[int, Field(ge=1, le=500)] = USUAL_CALLS
    longest_call_seconds: Annotated[float, Field(ge=60, le=604_800)] = 43_200
    codecs: Annotated[tuple[CodecName, ...], Field(min_length=1)] = tuple(CodecName)
    multicast_interface: Annotated[str, Field(pattern=r"^$|^[0-9.]{7,15}$")] = ""

    @model_validator(mode="after")
    def _can_relay(self) -> Self:
        if self.rtpengine_last_port < self.rtpengine_first_port + 63:
            raise ValueError("rtpengine_last_port has to be at least 63 above rtpengine_first_port")
        if self.rtpengine_control:
            host, _, port = self.rtpengine_control.rpartition(":")
            try:
                ipaddress.ip_address(host.strip("[]"))
            except ValueError:
                raise ValueError("rtpengine_control has to be a numeric address and a port: 127.0.0.1:2223") from None
            if not 0 < int(port) <= 65_535:
                raise ValueError("rtpengine_control has to end with a port, 1 to 65535: 127.0.0.1:2223")
        return self

    @model_validator(mode="after")
    def _can_serve(self) -> Self:
        if self.rtp_last_port <= self.rtp_first_port:
            raise ValueError("rtp_last_port must be greater than rtp_first_port")
        if self.engine == "freeswitch" and self.freeswitch == "running" and not (self.sip_port and self.event_port):
            raise ValueError(
                "a FreeSWITCH that is running needs sip_port and event_port: where its SIP profile listens, and where "
                "its dialplan brings calls to, both on loopback"
            )
        pairs = len(range(self.rtp_first_port + self.rtp_first_port % 2, self.rtp_last_port, 2))
        if self.engine == "embedded" and self.most_calls > max(pairs, USUAL_CALLS):
            raise ValueError(
                f"most_calls = {self.most_calls} needs {2 * self.most_calls} ports, two for each call: "
                f"rtp_first_port {self.rtp_first_port} to rtp_last_port {self.rtp_last_port} are enough for {pairs}"
            )
        if self.multicast_interface:
            try:
                ipaddress.IPv4Address(self.multicast_interface)
            except ValueError:
                raise ValueError(
                    "multicast_interface has to be an IPv4 address of this machine: 192.168.1.10"
                ) from None
        if len(set(self.codecs)) < len(self.codecs):
            raise ValueError("codecs names one of them twice")
        if not {CodecName.PCMU, CodecName.PCMA}.intersection(self.codecs):
            raise ValueError("codecs needs pcmu or pcma: there are phones and trunks that know nothing else")
        return self


class SupervisionSettings(Section):
    """How the agent watches over its processes."""

    heartbeat_seconds: Seconds = 5.0
    hung_after_seconds: Seconds = 20.0
    start_seconds: Seconds = 30.0
    apply_seconds: Seconds = 30.0
    stop_seconds: Seconds = 5.0
    restart_first_seconds: Seconds = 0.2
    restart_longest_seconds: Seconds = 5.0
    steady_after_seconds: Seconds = 30.0


class HealthSettings(Section):
    """What the agent looks after by itself."""

    interval_seconds: Seconds = 60.0
    free_space_minimum_mb: Annotated[int, Field(ge=1)] = 200


class BlobSettings(Section):
    """Firmware and other large files of the site, kept on this machine."""

    limit_mb: Annotated[int, Field(ge=16, le=1_000_000)] = 4096


class Settings(Section):
    """All settings of one agent."""

    state_dir: Path = Path("/var/lib/tandem-edge")
    log: LogSettings = LogSettings()
    channel: ChannelSettings = ChannelSettings()
    sip: SipSettings = SipSettings()
    provisioning: ProvisioningSettings = ProvisioningSettings()
    media: MediaSettings = MediaSettings()
    supervision: SupervisionSettings = SupervisionSettings()
    health: HealthSettings = HealthSettings()
    blobs: BlobSettings = BlobSettings()


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """What systemd tells a service of type notify (sd_notify(3), sd_watchdog_enabled(3)).

    Args:
        notify_socket: where to tell that the agent is ready; None when nobody listens.
        watchdog_seconds: how often at least it must say that it lives; None when nobody asks.
    """

    notify_socket: str | None = None
    watchdog_seconds: float | None = None


def service_manager(environ: Mapping[str, str] | None = None) -> ServiceManager:
    """What the service manager put into the environment."""
    environ = os.environ if environ is None else environ
    microseconds = environ.get("WATCHDOG_USEC", "")
    return ServiceManager(
        notify_socket=environ.get("NOTIFY_SOCKET") or None,
        watchdog_seconds=int(microseconds) / 1_000_000 if microseconds.isdecimal() and int(microseconds) else None,
    )


def setting_names() -> dict[str, FieldInfo]:
    """Every setting by its dotted name, such as `sip.udp_port` and `sip.limits.headers`."""
    return _names(Settings, "")


def section_names() -> tuple[str, ...]:
    """Every section by its dotted name, such as `sip` and `sip.limits`, each before those inside it."""
    return tuple(_sections(Settings, ""))


def _names(section: type[Section], before: str) -> dict[str, FieldInfo]:
    names: dict[str, FieldInfo] = {}
    for name, field in section.model_fields.items():
        inner = _section(field)
        names |= {before + name: field} if inner is None else _names(inner, f"{before}{name}.")
    return names


def _sections(section: type[Section], before: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        if (inner := _section(field)) is not None:
            yield before + name
            yield from _sections(inner, f"{before}{name}.")


def _section(field: FieldInfo) -> type[Section] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def environment_name(setting: str) -> str:
    """The environment variable of a setting: `sip.udp_port` is `TANDEM_EDGE_SIP_UDP_PORT`."""
    return PREFIX + setting.replace(".", "_").upper()


def load_settings(
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    renamed: Mapping[str, str] = RENAMED,
) -> Settings:
    """The settings of this machine.

    Args:
        file: a TOML file that must exist; None reads the file that TANDEM_EDGE_SETTINGS names, else
            /etc/tandem-edge/edge.toml if there is one.
        environ: the environment; None is this process's own.
        renamed: former names of settings, with their present names.

    Raises:
        SettingsError: naming every setting that is wrong, unknown or renamed.
    """
    environ = os.environ if environ is None else environ
    named = environ.get(PREFIX + "SETTINGS")
    if file is None and named:
        file = Path(named)
    elif file is None and DEFAULT_FILE.exists():
        file = DEFAULT_FILE
    return settings_from(_read(file) if file is not None else {}, environ, renamed)


def settings_from(
    content: dict[str, Any], environ: Mapping[str, str], renamed: Mapping[str, str] = RENAMED
) -> Settings:
    """The settings in the content of a file, with the environment laid over it.

    Raises:
        SettingsError: naming every setting that is wrong, unknown or renamed.
    """
    content = deepcopy(content)
    problems = _unknown_keys(content, renamed)
    problems += _overlay(content, environ)
    try:
        settings = Settings.model_validate(content)
    except ValidationError as error:
        problems += [
            _described(found) for found in error.errors(include_url=False) if found["type"] != "extra_forbidden"
        ]
        raise SettingsError(tuple(problems)) from None
    if problems:
        raise SettingsError(tuple(problems))
    return settings


_SHOWN_CHARACTERS: Final = 40
"""Of a value that is not taken."""


def _described(found: ErrorDetails) -> str:
    """A problem as people read it: which setting, what stands there, and what may."""
    message = found["msg"].removeprefix("Value error, ")
    place = ".".join(map(str, found["loc"]))
    known = setting_names()
    name = next((one for one in (place, place.rpartition(".")[0]) if one in known), None)
    if name is None:
        return f"{place or 'settings'}: {message}"
    shown = repr(found["input"])
    if len(shown) > _SHOWN_CHARACTERS:
        shown = shown[:_SHOWN_CHARACTERS] + "…"
    allowed, unit = allowed_in(known[name]), unit_of(known[name])
    return f"{name} = {shown}: " + (f"has to be {allowed} {unit}".rstrip() if allowed else message)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except OSError as error:
        raise SettingsError((f"{file}: cannot be read: {error.strerror}",)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError((f"{file}: is not TOML: {error}",)) from None


def _unknown_keys(content: Mapping[str, Any], renamed: Mapping[str, str]) -> list[str]:
    known = setting_names()
    problems = []
    for name in _flat(content, ""):
        if name in renamed:
            problems.append(f"{name}: is called {renamed[name]} now")
        elif name not in known and name not in section_names():
            problems.append(_unknown(name, known))
    return problems


def _flat(content: Mapping[str, Any], before: str) -> list[str]:
    """The dotted name of every value, those of sections that hold none included."""
    names: list[str] = []
    for key, value in content.items():
        within = isinstance(value, dict) and value and before + key in section_names()
        names += _flat(value, f"{before}{key}.") if within else [before + key]
    return names


def _unknown(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.7)
    return f"{name}: there is no such setting" + (f"; {near[0]} is meant?" if near else "")


def _overlay(content: dict[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Put what the environment says over what the file says; problems are returned."""
    variables = {environment_name(name): name for name in setting_names()}
    problems = []
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable == PREFIX + "SETTINGS":
            continue
        if variable not in variables:
            problems.append(_unknown(variable, variables))
            continue
        *sections, name = variables[variable].split(".")
        place: Any = content
        for section in sections:
            place = place.setdefault(section, {}) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[name] = (text.split(",") if text else ()) if name in _LISTS else text
    return problems
