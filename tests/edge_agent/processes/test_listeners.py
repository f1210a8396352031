"""Whose phones listen to a page by multicast, and who has to be called."""

import hashlib

from contract.snapshot import Device, DevicePlugin, DialPlan, Line, Multicast, Paging, Snapshot, User
from edge_agent.processes.listeners import Listeners
from tests.support.device_archives import GOOD, packed
from tests.support.example_site import SITE

MODELS = {"a": "yealink/t54w", "b": "polycom/vvx450", "c": "grandstream/gxp2160", "d": "nobody/phone", "e": "common/x"}


def group(name: str, priority: int, members: str) -> Paging:
    stream = Multicast(address=f"239.1.0.{priority}", port=5000, priority=priority)
    return Paging(service_id=name, name=name, extension=f"7{priority}", members=tuple(members), multicast=stream)


def site(*groups: Paging, **more: object) -> Snapshot:
    people = sorted({*MODELS, "f"})
    return Snapshot.model_validate(
        {
            "version": 1,
            "site": SITE,
            "users": [User(user_id=one, username=one, display_name=one) for one in people],
            "lines": [
                Line(
                    line_id=one,
                    user_id=one,
                    device_id=one if one in MODELS else None,
                    auth_username=one,
                    password="s:1",
                )
                for one in people
            ],
            "devices": [Device(device_id=one, mac=f"02000000000{one}", model=model) for one, model in MODELS.items()],
            "dial_plan": DialPlan(voice_services=groups),
            **more,
        }
    )


def test_who_has_a_phone_that_listens_is_not_to_be_called() -> None:
    heard = Listeners().listening(site(group("hall", 1, "abcdef")))
    assert heard == {"hall": {"a", "c"}}


def test_a_phone_listens_to_so_many_groups_as_its_model_takes() -> None:
    heard = Listeners().listening(site(group("fire", 1, "ac"), group("hall", 2, "ac")))
    assert heard == {"fire": {"a", "c"}, "hall": {"a"}}


def test_nobody_listens_where_no_group_has_an_address() -> None:
    called = Paging(service_id="p", name="P", extension="750", members=("a",))
    assert Listeners().listening(site(called)) == {}


def test_a_plug_in_of_the_sites_own_counts_before_the_one_that_is_shipped() -> None:
    listeners, content = Listeners(), packed(GOOD)
    own = DevicePlugin(vendor="yealink", digest=hashlib.sha256(content).hexdigest(), content=content)
    hall = group("hall", 1, "ac")
    assert listeners.listening(site(hall, device_plugins=[own])) == {"hall": {"c"}}
    broken = DevicePlugin(vendor="yealink", digest=hashlib.sha256(b"x").hexdigest(), content=b"x")
    assert listeners.listening(site(hall, device_plugins=[broken])) == {"hall": {"c"}}
    assert listeners.listening(site(hall)) == {"hall": {"a", "c"}}
