"""What paging groups with a multicast address say to phones, read back as each vendor's phone reads its file."""

from dataclasses import replace

import pytest

from contract.devices import multicast_level, multicast_places
from contract.snapshot import Multicast, Paging
from tests.edge_agent.provisioning.test_capabilities import SPECIMENS
from tests.edge_agent.provisioning.test_catalogue import CATALOGUE, one_line_phone, values_of

PLACES = {"yealink": 10, "snom": 10, "grandstream": 1}


def group(number: int, name: str = "Hall", urgent: bool = False) -> Paging:
    stream = Multicast(address=f"239.1.0.{number}", port=5000 + 2 * number)
    return Paging(service_id=f"g{number}", name=name, extension=f"75{number}", urgent=urgent, multicast=stream)


def told(kind: str, *groups: Paging) -> dict[str, str]:
    device = replace(one_line_phone(CATALOGUE.model(SPECIMENS[kind])), levels=(multicast_level(groups),))
    values = values_of(CATALOGUE.model(SPECIMENS[kind]), device)
    return {key.partition(": ")[2]: value for key, value in values.items()}


@pytest.mark.parametrize("kind", SPECIMENS)
def test_phones_listen_where_their_vendor_says_how(kind: str) -> None:
    places = multicast_places(CATALOGUE.model(SPECIMENS[kind]))
    assert places == PLACES.get(kind, 0)
    listens = any("239.1.0.1:5002" in value for value in told(kind, group(1)).values())
    assert listens == (places > 0)


def test_a_yealink_listens_to_the_most_important_group_first_and_no_page_interrupts_a_call() -> None:
    found = told("yealink", group(1, "Feuer & Flamme", urgent=True), group(2, urgent=True), group(3))
    listen = "multicast.listen_address"
    assert [found[f"{listen}.{place}.ip_address"] for place in (1, 2, 3, 4)] == [
        "239.1.0.1:5002", "239.1.0.2:5004", "239.1.0.3:5006", "",
    ]  # fmt: skip
    assert [found[f"{listen}.{place}.label"] for place in (1, 2, 4)] == ["Feuer Flamme", "Hall", ""]
    assert found["multicast.receive_priority.enable"] == "1"
    assert found["multicast.receive_priority.priority"] == "0"
    assert found["multicast.receive.ignore_dnd.priority"] == "2"
    assert told("yealink", group(1), group(2, urgent=True))["multicast.receive.ignore_dnd.priority"] == "0"


def test_a_phone_forgets_what_it_is_told_no_more() -> None:
    assert told("yealink")["multicast.listen_address.1.ip_address"] == ""
    snom = told("snom")
    assert snom["settings/phone-settings[1]/multicast_listen[1]"] == "off"
    assert snom["settings/phone-settings[1]/mc_address[1]"] == ""
    assert told("grandstream")["gs_provision/config[1]/P1569[1]"] == ""


def test_a_snom_has_the_most_important_group_at_its_highest_index_and_priority() -> None:
    found = told("snom", group(1), group(2))
    there = "settings/phone-settings[1]"
    assert found[f"{there}/multicast_listen[1]"] == "on"
    written = {
        found[f"{there}/mc_address[{number}]@idx"]: found[f"{there}/mc_address[{number}]"] for number in range(1, 11)
    }
    assert written["10"] == "239.1.0.1:5002,interrupt=0,priority=10"
    assert written["9"] == "239.1.0.2:5004,interrupt=0,priority=9"
    assert written["8"] == ""


def test_a_grandstream_listens_to_the_most_important_group_alone() -> None:
    found = told("grandstream", group(1), group(2))
    there = "gs_provision/config[1]"
    assert [found[f"{there}/P{number}[1]"] for number in (1566, 1567, 1569)] == ["0", "1", "239.1.0.1:5002"]


def test_names_and_numbers_of_groups_are_what_every_file_can_hold() -> None:
    many = [group(number, "%NULL% #1 \"<&'; " + "x" * 200) for number in range(1, 14)]
    settings = multicast_level(many).settings["*"]
    assert len([path for path in settings if path.endswith("/address")]) == 10
    assert settings["multicast/1/label"] == "NULL 1 " + "x" * 25
    for kind in PLACES:
        told(kind, *many)
