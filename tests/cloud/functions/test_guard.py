"""Webhooks go to the public internet only, whatever a name resolves to."""

import ipaddress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from cloud.functions.deliver_webhooks.sending import HttpSender
from cloud.functions.guard import AddressRefused, NameUnknown, checked_address, is_public
from cloud.functions.retry_after import parse_retry_after
from cloud.pbx.webhooks import Outgoing, url_problems
from tests.support.customers import TOKENS, HandClock


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "ff0e::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "192.0.0.8",
        "192.88.99.1",
        "64:ff9b:1::a00:1",
        "3fff::1",
        "5f00::1",
        "no address",
    ],
)
def test_addresses_that_only_we_can_reach_are_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_will_do(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_each_of_its_ipv6_forms(address: ipaddress.IPv4Address) -> None:
    verdict = is_public(str(address))
    assert is_public(f"::ffff:{address}") is verdict
    assert is_public(str(ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | int(address)))) is verdict


def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    with pytest.raises(AddressRefused):
        checked_address("rebinding.example", 443, lambda host, port: ["8.8.8.8", "127.0.0.1"])


def test_a_name_without_addresses_is_unknown() -> None:
    with pytest.raises(NameUnknown):
        checked_address("nowhere.example", 443, lambda host, port: [])


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::1]"])
def test_the_sender_connects_to_no_private_address_however_it_is_written(host: str) -> None:
    sender = HttpSender(HandClock())
    outgoing = Outgoing(
        TOKENS.id(), f"https://{host}:1/", "msg_1", "{}", SecretStr("whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=")
    )
    outcome = sender.send(outgoing)
    assert outcome.status is None
    assert outcome.error in {AddressRefused.__doc__, NameUnknown.__doc__}


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "https://",
        "https://user:pw@example.com/",
        "https://example.com:99999/",
        "https://example.com/#here",
        "https://exa mple.com/",
        "https://example.com/" + "x" * 3000,
        "https://exämple.com/",
        "",
    ],
)
def test_urls_that_are_no_https_urls_are_refused_with_a_reason(url: str) -> None:
    assert url_problems(url)


def test_an_ordinary_https_url_is_accepted_and_http_only_where_it_is_allowed() -> None:
    assert url_problems("https://example.com:8443/hook?a=b") == []
    assert url_problems("http://127.0.0.1:8000/", insecure_allowed=True) == []


@given(st.text(max_size=60))
def test_any_url_is_accepted_or_refused_but_never_an_error(url: str) -> None:
    url_problems(url, insecure_allowed=True)


@given(st.text(max_size=60))
def test_any_retry_after_is_a_time_or_nothing(value: str) -> None:
    seconds = parse_retry_after(value, HandClock().now())
    assert seconds is None or seconds >= 0


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert parse_retry_after("120", now) == 120
    assert parse_retry_after("Thu, 01 Jan 2026 00:02:00 GMT", now) == 120
    assert parse_retry_after("Wed, 31 Dec 2025 00:00:00 GMT", now) == 0
    assert parse_retry_after("soon", now) is None
