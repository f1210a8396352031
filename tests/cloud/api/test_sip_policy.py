"""What a site decides about its SIP: kept as what differs, checked field by field, shown, and in the snapshot."""

import re
from pathlib import Path

import pytest

from cloud.pbx.compiler import compile_site
from cloud.pbx.database import PLATFORM
from contract.snapshot import SipPolicy, TrustedPeer
from contract.snapshot.emergency_numbers import NUMBERS_BY_COUNTRY
from tests.support.api_world import ApiWorld

POLICY = {
    "from_policy": "lenient",
    "foreign_hosts": ["meet.example", "203.0.113.9"],
    "trusted_peers": [
        {"name": "Trunk", "networks": ["192.0.2.0/28"], "port": 5060},
        {"name": "Other edge", "certificate_names": ["edge-2.site.example"]},
    ],
    "country": "DE",
    "emergency_numbers": ["555", "112"],
}


def where(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def compiled(world: ApiWorld) -> SipPolicy:
    with world.databases.api.session(PLATFORM) as session:
        return compile_site(session, world.ours.site_id, 1).site.sip


def test_a_site_trusts_nobody_and_is_strict_until_somebody_says_otherwise(world: ApiWorld) -> None:
    shown = world.admin.get(where(world)).json["sip"]
    assert shown == {
        "from_policy": "strict",
        "foreign_hosts": [],
        "trusted_peers": [],
        "country": None,
        "emergency_numbers": [],
        "numbers_for_help": [],
        "qualify_phones_seconds": 0,
        "qualify_phones": "behind_nat",
        "qualify_gateways_seconds": 0,
        "relay_media": "behind_nat",
        "media_exceptions": [],
        "local_networks": [],
        "direct_behind_one_nat": True,
        "remote_tls_only": False,
    }
    assert compiled(world) == SipPolicy()


def test_what_is_decided_is_shown_and_reaches_the_snapshot(world: ApiWorld) -> None:
    changed = world.admin.patch(where(world), {"sip": POLICY})
    assert changed.status == 200, changed.body
    shown = changed.json["sip"]
    assert shown["numbers_for_help"] == ["112", "110", "555"]
    assert [peer["name"] for peer in shown["trusted_peers"]] == ["Trunk", "Other edge"]
    policy = compiled(world)
    assert policy.from_policy == "lenient"
    assert policy.foreign_hosts == ("meet.example", "203.0.113.9")
    assert policy.trusted_peers[1] == TrustedPeer(name="Other edge", certificate_names=("edge-2.site.example",))
    assert policy.numbers_for_help == ("112", "110", "555")


def test_a_part_that_is_not_sent_stays_and_null_takes_it_back_to_its_default(world: ApiWorld) -> None:
    world.admin.patch(where(world), {"sip": POLICY})
    shown = world.admin.patch(where(world), {"sip": {"country": None, "trusted_peers": None}}).json["sip"]
    assert (shown["country"], shown["trusted_peers"], shown["from_policy"]) == (None, [], "lenient")
    assert shown["numbers_for_help"] == ["555", "112"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"trusted_peers": [{"name": "Anybody"}]}, "sip.trusted_peers.0"),
        ({"trusted_peers": [{"name": "x", "networks": ["192.0.2.1/28"]}]}, "sip.trusted_peers.0.networks.0"),
        ({"trusted_peers": [{"name": "x", "certificate_names": ["*.example"]}]},
         "sip.trusted_peers.0.certificate_names.0"),
        ({"trusted_peers": [{"name": "x", "networks": ["::/0"], "port": 70000}]}, "sip.trusted_peers.0.port"),
        ({"foreign_hosts": ["Not A Host"]}, "sip.foreign_hosts.0"),
        ({"foreign_hosts": ["192.0.2.999"]}, "sip.foreign_hosts.0"),
        ({"country": "ZZ"}, "sip.country"),
        ({"country": "de"}, "sip.country"),
        ({"emergency_numbers": ["*1"]}, "sip.emergency_numbers.0"),
        ({"from_policy": "anything"}, "sip.from_policy"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named(world: ApiWorld, changes: dict[str, object], field: str) -> None:
    answer = world.admin.patch(where(world), {"sip": changes})
    assert (answer.status, answer.fields) == (422, {field})
    assert compiled(world) == SipPolicy()


def test_another_tenants_site_is_not_there(world: ApiWorld) -> None:
    assert world.stranger.patch(where(world), {"sip": {"from_policy": "lenient"}}).status == 404
    assert compiled(world) == SipPolicy()


def test_every_country_has_numbers_that_a_site_could_have_too() -> None:
    for country, numbers in NUMBERS_BY_COUNTRY.items():
        assert SipPolicy(country=country).numbers_for_help == numbers
        assert SipPolicy(emergency_numbers=numbers).numbers_for_help == numbers
        assert len(set(numbers)) == len(numbers) > 0


def test_how_often_phones_and_gateways_are_asked_is_decided_and_too_often_is_refused(world: ApiWorld) -> None:
    wanted = {"qualify_phones_seconds": 30, "qualify_phones": "all", "qualify_gateways_seconds": 60}
    changed = world.admin.patch(where(world), {"sip": wanted})
    assert changed.status == 200, changed.body
    assert changed.json["sip"].items() >= wanted.items()
    policy = compiled(world)
    assert (policy.qualify_phones_seconds, policy.qualify_phones, policy.qualify_gateways_seconds) == (30, "all", 60)
    for seconds in (9, 3601, -1):
        assert world.admin.patch(where(world), {"sip": {"qualify_phones_seconds": seconds}}).status == 422


def test_the_portal_offers_every_country_whose_numbers_are_known() -> None:
    source = Path("cloud/portal/src/sites/countries.ts").read_text(encoding="utf-8")
    offered = re.search(r'"((?:[A-Z]{2} )+[A-Z]{2})"', source)
    assert offered is not None
    assert offered[1].split() == sorted(NUMBERS_BY_COUNTRY)
