"""What phones are told of others, with the cloud reached and cut: lamps (RFC 4235), lists of lamps (RFC 4662), presence
that is published (RFC 3856, 3903), and the directory.

Real phones call, and publish; sipp watches the lamps, for no other free user agent has any.
"""

import itertools
import re
import subprocess

import pytest

from edge_agent.sip.message import parse
from tests.edge_agent.sip.presence.test_lists import read
from tests.support.feature_office import FeatureOffice
from tests.support.phones.phone import Phone, Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import DOMAIN
from tests.support.sipp import Sipp
from tests.support.waiting import eventually

WITHIN = 30.0

pytestmark = [pytest.mark.timeout(240)]


def states_of(watching: Sipp, number: str) -> list[str]:
    """What a watcher was told of the calls of somebody, one by one or in a list, without what was told again."""
    found: list[str] = []
    for text in watching.notifies():
        if "multipart/related" in text:
            told = read(parse(text.encode()))
            uri = f"sip:{number}@{DOMAIN}"
            found += [state or "" for state in told.states(number)] if uri in told.documents else []
        else:
            assert f'entity="sip:{number}@{DOMAIN}"' in text
            found += re.findall(r"<state>(\w+)</state>", text)
    return [state for state, _ in itertools.groupby(found)]


@pytest.mark.peer("sipp", "baresip")
@pytest.mark.parametrize("address", ["one", "list"])
def test_a_lamp_follows_a_call_from_its_ringing_to_its_end(office: FeatureOffice, address: str) -> None:
    watched = office.desks.callee if address == "one" else f"lamps.{office.desks.caller}"
    watching = office.sipp("watch", office.desks.caller, watched, "dialog")
    eventually(watching.notifies, WITHIN, "the whole state at first")
    if address == "list":
        first = read(parse(watching.notifies()[0].encode()))
        assert first.members == [f"sip:{number}@{DOMAIN}" for number in (office.desks.callee, office.desks.third)]
    callee, other = office.baresip(office.desks.callee), office.baresip(office.desks.other, tone_hz=600)
    other.dial(f"sip:{office.desks.callee}@{DOMAIN}")
    callee.wait_for("CALL_INCOMING", within=WITHIN)
    eventually(lambda: states_of(watching, office.desks.callee) == ["early"], WITHIN, "the lamp blinks")
    callee.command("accept")
    other.wait_for("CALL_ESTABLISHED", within=WITHIN)
    eventually(lambda: states_of(watching, office.desks.callee)[-1] == "confirmed", WITHIN, "the lamp is lit")
    office.hear_each_other(other, callee)
    other.hang_up()
    wanted = ["early", "confirmed", "terminated"]
    eventually(lambda: states_of(watching, office.desks.callee) == wanted, WITHIN, "the lamp is dark")
    assert watching.status is None, "it watches on"


class PublishingPhone(PjsuaPhone):
    """A pjsua that publishes its user's presence."""

    publishes = True


def told(phone: Phone, presence: str) -> None:
    """Wait until a phone is told of somebody's presence."""
    eventually(lambda: phone.wait_for(Seen.PRESENCE, WITHIN).detail == presence, WITHIN, presence)


@pytest.mark.peer("pjsua2")
def test_what_a_phone_publishes_of_its_user_is_told_to_who_watches_him(office: FeatureOffice) -> None:
    watching = office.phone(office.desks.caller, PjsuaPhone)
    assert isinstance(watching, PjsuaPhone)
    watching.watch(office.desks.callee)
    told(watching, "closed")
    publishing = office.phone(office.desks.callee, PublishingPhone)
    assert isinstance(publishing, PublishingPhone)
    told(watching, "open")
    publishing.say("open", "At lunch")
    note = "<note>At lunch</note>"
    eventually(lambda: note in (watching.folder / "log").read_text("utf-8"), WITHIN, "a NOTIFY has what was published")
    told(watching, "open")


@pytest.mark.peer("curl")
def test_the_directory_that_phones_fetch_from_the_edge_has_colleagues_and_the_phonebook(office: FeatureOffice) -> None:
    url = f"http://127.0.0.1:{office.site.peer.ports['http']}/yealink-directory.xml"
    book = subprocess.run(["curl", "-sSf", url], capture_output=True, timeout=60, check=True).stdout.decode()
    entries = dict(re.findall(r"<Name>([^<]+)</Name>\s*<Telephone>([^<]+)</Telephone>", book))
    assert entries[f"Desk {office.desks.caller}"] == office.desks.caller
    assert entries["Plumber"] == "+41791112233"
