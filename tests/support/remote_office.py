"""An edge with its cloud or without, its office, and real phones behind real NATs; what they do with each other.

To be started by `unshare --map-root-user --net python -m tests.support.remote_office FOLDER TRANSPORT NAT SCENE CLOUD`.
"""

import json
import os
import signal
import sys
import wave
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from cloud.local.baresip import Baresip, PhoneAccount
from contract.snapshot import Snapshot
from contract.snapshot.sip_policy import SipPolicy
from tests.support.certificates import Authority
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.homes import HOME_PHONES, INSIDE, PUBLIC, Home, Kind, inside_of, office, station
from tests.support.reachable_cloud import ReachableCloud
from tests.support.snapshots import voice_office
from tests.support.waiting import eventually
from tests.support.wire_ear import WireEar

DOMAIN: Final = "remote.tandem.test"
TONES: Final = {"201": 440, "202": 620, "210": 0, "300": 800, "301": 1240, "310": 1480}
"""What each user's phone says all the time; 210 has none."""
PORTS: Final = {"udp": 5060, "tcp": 5060, "tls": 5061}
PATIENCE: Final = 60.0
ASKED_SECONDS: Final = 10
"""How often phones are asked whether they are there."""
FORGETS_SECONDS: Final = 25
"""After which a NAT forgets what is silent."""


class RemoteOffice:
    """The edge, and phones as they are asked for.

    Args:
        folder: for the edge's state and the phones' files.
        stack: ends all of it.
        transport: of the phones at home: `udp`, `tcp` or `tls`.
        kind: of their NATs.
        cloud: whether it is `reached`, or `cut`.
        more: settings of the edge, by the names of its environment.
    """

    def __init__(
        self,
        folder: Path,
        stack: ExitStack,
        transport: str,
        kind: Kind,
        cloud: str,
        more: dict[str, str] | None = None,
    ) -> None:
        self.folder, self.transport, self._stack = folder, transport, stack
        office()
        self.homes = [Home(stack, number, kind, FORGETS_SECONDS) for number in (30, 60)]
        self._authority = Authority(folder)
        certificate, key = self._authority.issue(PUBLIC, "edge")
        self.cloud = ReachableCloud(folder / "cloud", _snapshot(), cloud)
        stack.callback(self.cloud.close)
        secrets = {f"s-{one}:1": f"password-of-{one}" for one in TONES}
        prepare_state(folder / "state", _snapshot(), secrets, self.cloud.identity)
        settings = {
            "TANDEM_EDGE_SIP_ADDRESS": "0.0.0.0",
            **{f"TANDEM_EDGE_SIP_{name.upper()}_PORT": str(port) for name, port in PORTS.items()},
            "TANDEM_EDGE_SIP_ADVERTISED_HOST": INSIDE,
            "TANDEM_EDGE_SIP_PUBLIC_HOST": PUBLIC,
            "TANDEM_EDGE_SIP_TLS_CERTIFICATE": str(certificate),
            "TANDEM_EDGE_SIP_TLS_KEY": str(key),
            "SSL_CERT_FILE": str(self._authority.file),
        }
        self.edge = EdgeProcess(folder / "state", {**settings, **(more or {})})
        stack.callback(self.edge.stop, PATIENCE)
        self.edge.ready(90)
        self.cloud.is_known_to(self.edge)
        self.ears: dict[str, WireEar] = {}
        self.phones: dict[str, Baresip] = {}

    def desk(self, number: str) -> Baresip:
        """A real phone in the office, registered."""
        address = "10.0.0." + number.removeprefix("2").lstrip("0") + "0"
        with inside_of(station(self._stack, address, "office")):
            return self._phone(number, address, INSIDE, "udp")

    def remote(self, number: str) -> Baresip:
        """A real phone at home, registered: 30… in the first, 31… in the second."""
        home, which = int(number[1]), int(number[2])
        with inside_of(self.homes[home].phones[which]):
            return self._phone(number, HOME_PHONES[which], PUBLIC, self.transport)

    def _phone(self, number: str, address: str, edge: str, transport: str) -> Baresip:
        registrar = f"{edge}:{PORTS[transport]}"
        account = PhoneAccount(number, f"auth{number}", f"password-of-{number}", DOMAIN, registrar, transport)
        authority = self._authority.file if transport == "tls" else None
        self.ears[number] = self._stack.enter_context(WireEar(address))
        phone = Baresip(self.folder / f"phone-{number}", account, TONES[number], authority=authority, address=address)
        self.phones[number] = self._stack.enter_context(phone)
        phone.registered(PATIENCE)
        return phone

    def call(self, caller: str, callee: str) -> None:
        """A call that is answered, in which both hear each other."""
        for one in (caller, callee):
            self.phones[one].take_events()
        self.phones[caller].dial(f"sip:{callee}@{DOMAIN}")
        self.phones[callee].accept(PATIENCE)
        self.phones[caller].wait_for("CALL_ESTABLISHED", within=PATIENCE)
        self.talk(caller, callee)

    def talk(self, one: str, other: str) -> None:
        """Wait until each of two phones hears the other's tone."""
        for who, whom in ((one, other), (other, one)):
            self.hears(who, TONES[whom])

    def hears(self, who: str, tone: int) -> None:
        """Wait until this is what a phone hears; 0: nothing."""
        heard: list[int] = []

        def does() -> bool:
            heard.append(self.ears[who].hears())
            return heard[-1] == tone

        try:
            eventually(does, PATIENCE)
        except AssertionError:
            so_far = self.ears[who].packets
            raise AssertionError(f"{who} hears {heard[-1]} Hz, not {tone}; {so_far} packets so far") from None

    def hang_up(self, who: str, other: str) -> None:
        """End a call, seen at both ends; nothing is relayed any more."""
        self.phones[who].hang_up()
        for one in (who, other):
            self.phones[one].wait_for("CALL_CLOSED", within=PATIENCE)
        self.streams(0)

    def media(self) -> dict[str, Any]:
        """The media process, as the status shows it."""
        found = [one for one in self.edge.status()["processes"] if one["name"] == "media"]
        return dict(found[0])

    def streams(self, count: int) -> None:
        """Wait until so many streams are relayed."""
        eventually(lambda: self.media()["figures"].get("relay.streams") == count, PATIENCE, f"{count} relayed streams")

    def rtpengine(self) -> dict[str, Any]:
        """rtpengine, as the status shows it; empty: it is not there."""
        found = [one for one in self.edge.status()["processes"] if one["name"] == "rtpengine"]
        return dict(found[0]) if found else {}

    def at_rtpengine(self, count: int, own: int = 0) -> None:
        """Wait until rtpengine carries so many streams, and our own relay those."""

        def are() -> bool:
            theirs = self.rtpengine().get("figures", {}).get("rtpengine.streams")
            return (theirs, self.media()["figures"].get("relay.streams")) == (count, own)

        eventually(are, PATIENCE, f"{count} streams at rtpengine and {own} at our own relay")

    def messages(self, number: str) -> list[Path]:
        """The recordings of a mailbox whose messages are complete."""
        mailbox = self.folder / "state" / "mailboxes" / f"user-{number}"
        if not [one for one in mailbox.glob("*.json") if json.loads(one.read_text())]:
            return []
        return sorted(mailbox.glob("*.wav"))


def _snapshot() -> Snapshot:
    policy = SipPolicy(qualify_phones_seconds=ASKED_SECONDS, local_networks=("10.0.0.0/24",))
    office = voice_office(TONES)
    return office.model_copy(update={"site": office.site.model_copy(update={"domain": DOMAIN, "sip": policy})})


def with_the_office(world: RemoteOffice) -> None:
    """Calls both ways, a hold, a transfer, a media process that is killed, a NAT that gets another address."""
    world.desk("201")
    world.remote("300")
    world.call("300", "201")
    world.streams(1)

    world.phones["300"].command("hold")
    world.hears("300", 0)
    world.phones["300"].command("resume")
    world.talk("300", "201")

    world.phones["201"].command("hold")
    world.hears("201", 0)
    world.phones["201"].command("resume")
    world.talk("300", "201")

    before = world.media()["pid"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: world.media()["pid"] not in (None, before), PATIENCE, "another media process")
    world.talk("300", "201")
    world.hang_up("300", "201")

    world.call("201", "300")
    other = world.desk("202")
    world.phones["201"].command("transfer", f"sip:202@{DOMAIN}")
    other.accept(PATIENCE)
    world.talk("300", "202")

    world.homes[0].rebind()
    world.talk("300", "202")
    if world.transport == "udp":
        world.hang_up("300", "202")
        world.call("300", "202")
        world.hang_up("202", "300")


def at_two_homes(world: RemoteOffice) -> None:
    """Phones behind two NATs, whose addresses inside are the same, and two behind one."""
    for number in ("300", "301", "310"):
        world.remote(number)
    world.call("300", "310")
    world.streams(1)
    world.hang_up("310", "300")
    world.call("310", "301")
    world.hang_up("310", "301")
    world.call("300", "301")
    world.streams(0)
    world.hang_up("301", "300")


def left_alone(world: RemoteOffice) -> None:
    """The NAT forgets what is silent; the edge keeps its door open, so that the phone is found much later."""
    world.desk("201")
    phone = world.remote("300")

    def asked() -> int:
        return sum(one.start_line.startswith("OPTIONS ") and not one.sent for one in phone.traffic())

    eventually(lambda: asked() * ASKED_SECONDS > 2 * FORGETS_SECONDS, 240, "asked for twice as long")
    world.call("201", "300")
    world.hang_up("201", "300")


def leaving_a_message(world: RemoteOffice) -> None:
    """What is said from home is what is on the edge's disk."""
    phone = world.remote("300")
    phone.dial(f"sip:210@{DOMAIN}")
    phone.wait_for("CALL_ESTABLISHED", within=PATIENCE)
    eventually(lambda: world.ears["300"].packets > 100, PATIENCE, "the greeting is heard")
    mailbox = world.folder / "state" / "mailboxes" / "user-210"
    eventually(
        lambda: sum(one.stat().st_size for one in mailbox.glob("*.wav")) > 5 * 16_000, PATIENCE, "it is recorded"
    )
    phone.hang_up()
    (recording,) = eventually(lambda: world.messages("210"), PATIENCE, "the message is kept")
    with wave.open(str(recording), "rb") as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64)
    second = sound[len(sound) // 2 :][:8000]
    assert abs(float(np.abs(np.fft.rfft(second)).argmax()) - TONES["300"]) < 20
    world.streams(0)


def through_rtpengine(world: RemoteOffice) -> None:
    """Calls by rtpengine: holds, and kills of the media process and of rtpengine itself; a NAT with another address."""
    world.desk("201")
    world.remote("300")
    eventually(lambda: world.rtpengine().get("figures", {}).get("rtpengine.ahead"), PATIENCE, "ports open ahead")
    world.call("300", "201")
    world.at_rtpengine(1)

    for who, other in (("300", "201"), ("201", "300")):
        world.phones[who].command("hold")
        world.hears(who, 0)
        world.phones[who].command("resume")
        world.talk(who, other)
    world.at_rtpengine(1)

    before = world.media()["pid"]
    os.kill(before, signal.SIGKILL)
    world.talk("300", "201")
    eventually(lambda: world.media()["pid"] not in (None, before), PATIENCE, "another media process")
    world.at_rtpengine(1)

    before = world.rtpengine()["pid"]
    os.kill(before, signal.SIGKILL)
    world.talk("300", "201")
    eventually(lambda: world.rtpengine()["pid"] not in (None, before), PATIENCE, "another rtpengine")
    world.at_rtpengine(0, own=1)
    world.talk("300", "201")
    world.phones["201"].command("hold")
    world.hears("201", 0)
    world.phones["201"].command("resume")
    world.talk("300", "201")
    world.hang_up("300", "201")

    world.call("201", "300")
    world.at_rtpengine(1)
    so_far = world.ears["300"].packets
    eventually(lambda: world.ears["300"].packets > so_far + 400, PATIENCE, "rtpengine has learned who sends, for good")
    world.homes[0].rebind()
    world.talk("300", "201")
    world.at_rtpengine(0, own=1)
    world.hang_up("201", "300")
    world.at_rtpengine(0)


SETTINGS: Final = {"through_rtpengine": {"TANDEM_EDGE_MEDIA_RELAY": "rtpengine"}}
"""Of the edge, by scene."""
SCENES: Final[dict[str, Callable[[RemoteOffice], None]]] = {
    one.__name__: one for one in (with_the_office, at_two_homes, left_alone, leaving_a_message, through_rtpengine)
}


if __name__ == "__main__":
    folder, transport, kind, scene, cloud = sys.argv[1:]
    with ExitStack() as life:
        SCENES[scene](RemoteOffice(Path(folder), life, transport, cast(Kind, kind), cloud, SETTINGS.get(scene)))
    print("all of it happened", flush=True)
