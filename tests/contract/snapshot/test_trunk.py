"""What a trunk may say, and what trunks of one site have to agree on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from contract.snapshot import DialPlan, Trunk
from tests.support.certificates import Authority
from tests.support.example_site import small_site


def trunk(trunk_id: str = "first", **more: Any) -> Trunk:
    return Trunk.model_validate({"gateway_id": trunk_id, "name": trunk_id, "host": "sip.provider.test", **more})


def test_authorities_are_certificates_in_pem_one_or_several(tmp_path: Path) -> None:
    pem = Authority(tmp_path, "one").file.read_text() + Authority(tmp_path, "two").file.read_text()
    assert trunk(certificate_authorities=pem).certificate_authorities == pem
    assert trunk().certificate_authorities == ""


@pytest.mark.parametrize(
    "broken",
    [
        lambda pem: "somebody",
        lambda pem: pem.replace("CERTIFICATE", "PRIVATE KEY"),
        lambda pem: pem + "and more",
        lambda pem: pem[: len(pem) // 2],
        lambda pem: pem.replace("BEGIN CERTIFICATE-----\n", "BEGIN CERTIFICATE-----\nAA"),
        lambda pem: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    ],
)
def test_what_is_no_certificate_is_refused_and_not_repeated(tmp_path: Path, broken: Callable[[str], str]) -> None:
    text = broken(Authority(tmp_path).file.read_text())
    with pytest.raises(ValidationError) as refused:
        trunk(certificate_authorities=text)
    (problem,) = refused.value.errors()
    assert problem["loc"] == ("certificate_authorities",)
    assert "not certificates in PEM" in problem["msg"]


@pytest.mark.parametrize(
    ("second", "agree"),
    [
        ({"transport": "tls"}, False),
        ({}, False),
        ({"transport": "udp", "port": 5060}, True),
        ({"transport": "tls", "host": "sip.other.test"}, True),
        ({"transport": "tls", "host": "sip.other.test", "outbound_proxy": "sip.provider.test"}, False),
    ],
)
def test_trunks_that_share_connections_agree_on_who_may_sign(
    tmp_path: Path, second: dict[str, Any], agree: bool
) -> None:
    pem = Authority(tmp_path).file.read_text()
    trunks = (trunk(transport="tls", certificate_authorities=pem), trunk("second", **second))
    if agree:
        small_site(dial_plan=DialPlan(trunks=trunks))
        return
    with pytest.raises(ValidationError, match=r"first and second lead to sip\.provider\.test by other authorities"):
        small_site(dial_plan=DialPlan(trunks=trunks))
