"""Paging groups with a multicast address: what may stand there, and who listens."""

from typing import Any

import pytest
from pydantic import ValidationError

from contract.snapshot import DialPlan, Multicast, Paging, listened
from tests.support.example_site import small_site


def group(name: str, members: tuple[str, ...] = (), priority: int = 5, **more: Any) -> Paging:
    stream = Multicast(address="239.1.2.3", port=5000 + 2 * len(name), priority=priority)
    return Paging(service_id=name, name=name, extension=f"75{len(name)}", members=members, multicast=stream, **more)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"address": "224.0.1.75"}, "for a site's own use, 239.0.0.0 to 239.255.255.255"),
        ({"address": "192.0.2.1"}, "no multicast address"),
        ({"address": "239.1.2"}, "no multicast address"),
        ({"address": "239.1.2.03"}, "no multicast address"),
        ({"address": "ff15::1"}, "no multicast address"),
        ({"port": 5001}, "multiple of 2"),
        ({"port": 1022}, "1024"),
        ({"port": 65_536}, "65534"),
        ({"priority": 0}, "greater than or equal to 1"),
        ({"priority": 11}, "less than or equal to 10"),
        ({"hops": 0}, "greater than or equal to 1"),
        ({"hops": 33}, "less than or equal to 32"),
        ({"codec": "opus"}, "pcmu"),
    ],
)
def test_an_address_is_one_of_the_sites_own_with_an_even_port(wrong: dict[str, Any], told: str) -> None:
    Multicast.model_validate({"address": "239.255.0.1", "port": 5004})
    with pytest.raises(ValidationError, match=told):
        Multicast.model_validate({"address": "239.255.0.1", "port": 5004} | wrong)


def test_two_groups_of_a_site_do_not_send_to_one_address() -> None:
    one, other = group("a"), group("bb")
    small_site(dial_plan=DialPlan(voice_services=(one, other)))
    same = other.model_copy(update={"multicast": one.multicast})
    with pytest.raises(ValidationError, match=r"2 paging groups send to 239.1.2.3, port 5002"):
        small_site(dial_plan=DialPlan(voice_services=(one, same)))


def test_a_device_listens_for_everybody_who_has_a_line_on_it_to_the_most_important_group_first() -> None:
    services = (
        group("everybody", ("ann", "ben", "cem"), priority=9),
        group("fire", ("ben",), priority=1),
        group("hall", ("ann",), priority=9),
        group("off", ("ann",), enabled=False),
        Paging(service_id="called", name="Called", extension="760", members=("ann",)),
    )
    lines = [("desk", "ann"), ("desk", "ben"), ("shop", "cem"), (None, "ann"), ("lobby", "dan")]
    heard = {device: [one.name for one in groups] for device, groups in listened(services, lines).items()}
    assert heard == {"desk": ["fire", "everybody", "hall"], "shop": ["everybody"]}
