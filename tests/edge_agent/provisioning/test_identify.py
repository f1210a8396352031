"""Who asks: facts from name, MAC address and User-Agent, with their certainty."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract.devices import load_catalogue
from edge_agent.provisioning.identify import Certainty, Fact, Facts, Identifier

IDENTIFIER = Identifier(load_catalogue())


@pytest.mark.parametrize(
    ("user_agent", "vendor", "model", "firmware", "mac"),
    [
        ("Yealink SIP-T54W 96.86.0.70 80:5e:c0:d5:7d:72", "yealink", "T54W", "96.86.0.70", "805ec0d57d72"),
        ("Yealink SIP-T46S 66.84.0.15 805EC0D57D72", "yealink", "T46S", "66.84.0.15", "805ec0d57d72"),
        ("Yealink W60B 77.85.0.20", "yealink", "W60B", "77.85.0.20", ""),
        ("FileTransport PolycomVVX-VVX_400-UA/4.1.4.7430 Type/Application", "polycom", "VVX-VVX_400", "4.1.4.7430", ""),
        (
            "Mozilla/4.0 (compatible; snomD785-SIP 10.1.169.16 2010.12-00004-g9 00041396D9B4 SXM:0 UXM:0 UXMC:0)",
            "snom",
            "D785",
            "10.1.169.16",
            "00041396d9b4",
        ),
        ("Mozilla/4.0 (compatible; Snom M900 05.20.0001 000413b60680)", "snom", "M900", "05.20.0001", "000413b60680"),
        (
            "Grandstream Model HW GRP2614 SW 1.0.5.15 DevId c074ad0b63ee",
            "grandstream",
            "GRP2614",
            "1.0.5.15",
            "c074ad0b63ee",
        ),
        ("Cisco-CP-8841-3PCC/11.3.1 (00562b043615)", "cisco", "8841-3PCC", "11.3.1", "00562b043615"),
        ("Cisco/SPA508G-7.4.8a (0002FDFF2103)(CBT141400UK)", "cisco", "SPA508G", "7.4.8a", "0002fdff2103"),
        ("Aastra6731i MAC:00-08-5D-29-4C-6B V:3.3.1.4365-SIP", "mitel", "6731i", "3.3.1.4365-SIP", "00085d294c6b"),
        ("Fanvil X5U-V2 2.12.1 0c3800000000", "fanvil", "X5U-V2", "2.12.1", "0c3800000000"),
        ("Htek UC926 2.0.4.2 00:1f:c1:00:00:00", "htek", "UC926", "2.0.4.2", "001fc1000000"),
        ("Panasonic_KX-UT670/01.022 (0080f0000000)", "panasonic", "KX-UT670", "01.022", "0080f0000000"),
        (
            "Gigaset N870 IP PRO/83.V2.11.0+build.a546b91;7C2F80E0D605",
            "gigaset",
            "N870 IP PRO",
            "83.V2.11.0+build.a546b91",
            "7c2f80e0d605",
        ),
        ("AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F602AAC)", "audiocodes", "440HDG-Rev0", "2.2.8.61", "00908f602aac"),
        (
            "SmartNode (Model:SN4112/JS/EUI; Serial:00A0BA08933C; Software Version:R6.2 2012-09-11 H323 SIP FXS FXO)",
            "patton",
            "SN4112",
            "R6.2 2012-09-11 H323 SIP FXS FXO",
            "00a0ba08933c",
        ),
        (
            "Grandstream Model HW HT801 V1.1A SW 1.0.17.5 DevId c074ad273a10",
            "grandstream",
            "HT801",
            "1.0.17.5",
            "c074ad273a10",
        ),
        ("Fanvil X6U Pro 0.0.10 0c383e2cd782", "fanvil", "X6U Pro", "0.0.10", "0c383e2cd782"),
        ("ALE M7 2.13.2 0080f0000000", "ale", "M7", "2.13.2", "0080f0000000"),
        ("curl/8.5.0", "", "", "", ""),
    ],
)
def test_a_user_agent_tells_vendor_model_firmware_and_mac(
    user_agent: str, vendor: str, model: str, firmware: str, mac: str
) -> None:
    facts = IDENTIFIER.identify("anything", user_agent)
    assert (facts.vendor.value, facts.model.value, facts.firmware.value, facts.mac.value) == (
        vendor,
        model,
        firmware,
        mac,
    )
    assert facts.vendor.certainty == (Certainty.CLAIMED if vendor else Certainty.UNKNOWN)


@pytest.mark.parametrize(
    ("name", "mac"),
    [
        ("805ec0d57d72.cfg", "805ec0d57d72"),
        ("805EC0D57D72.BOOT", "805ec0d57d72"),
        ("805ec0d57d72-local.cfg", "805ec0d57d72"),
        ("cfg000b82aabbcc.xml", "000b82aabbcc"),
        ("SEP00562B043615.cnf.xml", "00562b043615"),
        ("snomD785-00041396D9B4.htm", "00041396d9b4"),
        ("Config0080F0000000.cfg", "0080f0000000"),
        ("prov/80-5e-c0-d5-7d-72/x", "805ec0d57d72"),
        ("80:5e:c0:d5:7d:72.cfg", "805ec0d57d72"),
        ("y000000000096.cfg", ""),
        ("y000000000000.boot", ""),
        ("000000000000.cfg", ""),
        ("firmware.rom", ""),
    ],
)
def test_a_name_tells_the_mac_address_in_whatever_form_the_vendor_writes_it(name: str, mac: str) -> None:
    assert IDENTIFIER.identify(name).mac == (Fact(mac, Certainty.ASKED) if mac else Fact())


def test_the_first_half_of_a_mac_address_hints_at_the_vendor() -> None:
    assert IDENTIFIER.identify("000b82aabbcc.txt").vendor == Fact("grandstream", Certainty.LIKELY)
    assert IDENTIFIER.identify("0004f2aabbcc.cfg").vendor == Fact("polycom", Certainty.LIKELY)


def test_what_a_phone_says_counts_more_than_a_hint() -> None:
    facts = IDENTIFIER.identify("000b82aabbcc.cfg", "Yealink SIP-T54W 96.86.0.70")
    assert facts.vendor == Fact("yealink", Certainty.CLAIMED)


def test_the_mac_address_asked_for_counts_more_than_the_one_claimed() -> None:
    facts = IDENTIFIER.identify("805ec0000001.cfg", "Yealink SIP-T54W 96.86.0.70 80:5e:c0:00:00:02")
    assert facts.mac == Fact("805ec0000001", Certainty.ASKED)


@settings(max_examples=200)
@given(st.text(max_size=300), st.text(max_size=300))
@example("a" * 100_000, "Gigaset " + "a" * 100_000)
def test_whatever_is_sent_gives_facts_with_a_true_mac_address_or_none(name: str, user_agent: str) -> None:
    facts = IDENTIFIER.identify(name, user_agent)
    assert isinstance(facts, Facts)
    assert facts.mac.value == "" or (len(facts.mac.value) == 12 and set(facts.mac.value) <= set("0123456789abcdef"))
