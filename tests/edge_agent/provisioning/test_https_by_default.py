"""Which models fetch by HTTPS with their own password where the edge has a certificate, and why others do not."""

from dataclasses import replace
from typing import Final

import pytest
from pydantic import SecretStr

from contract.devices import DeviceModel
from edge_agent.provisioning.render import Renderer
from tests.edge_agent.provisioning.test_capabilities import No
from tests.edge_agent.provisioning.test_catalogue import CATALOGUE, LINE, MAC
from tests.support.site_phones import phone, site

PASSWORD: Final = "planted-fetch-51ab"
SECURE_HOST: Final = "phones.edge.example"
UNPROVEN: Final = "how its file names a server for HTTPS, and whom it trusts, is not known for certain"
TABLE: Final[dict[str, str | No]] = {
    "yealink": "static.auto_provision.server.url",
    "polycom": "device.prov.serverType",
    "grandstream": "P212",
    "snom": "setting_server",
    "snom-dect": No(UNPROVEN),
    "cisco": No("it trusts Cisco's own authority, or one whose certificate it was given before"),
    "cisco-spa": No("it trusts only servers that Cisco's own authority signed a certificate for"),
    "cisco-enterprise": No("it fetches by TFTP or by HTTP on one port"),
    "mitel": No("a name and password for fetching by HTTPS are not known for certain"),
    "fanvil": "FlashProtocol",
    "htek": No(UNPROVEN),
    "gigaset": "Provisioning.global.ProvisioningServer",
    "panasonic": "CFG_STANDARD_FILE_PATH",
    "audiocodes": "provisioning/configuration/url",
    "audiocodes-gateway": No("a name and password for fetching are not known for certain"),
    "avaya": No("it trusts only authorities whose certificates it was given before (TRUSTCERTS)"),
    "algo": "prov.download.method",
    "patton": No(UNPROVEN),
    "generic": No("what reads the file may know no HTTPS; a plug-in of one's own says `https = true`"),
}
"""By kind of model: the parameter that tells it HTTPS, or why it is told HTTP."""


def kind_of(model: DeviceModel) -> str:
    """The line of the table that speaks of the model."""
    family = model.variables.get("family", "")
    if model.vendor == "cisco":
        enterprise = any(file.name.startswith("SEP") for file in model.files)
        return "cisco-enterprise" if enterprise else "cisco-spa" if family == "spa" else "cisco"
    if model.vendor == "snom" and "dect" in model.features:
        return "snom-dect"
    return "audiocodes-gateway" if model.vendor == "audiocodes" and "gateway" in model.features else model.vendor


def secret_file(model: DeviceModel) -> str:
    """The file that only a device of the model gets, at a site with a certificate."""
    device = replace(phone(model.key, MAC, {}, (LINE,)), fetch_password=SecretStr(PASSWORD))
    config = replace(site(device), secure_url=f"https://{SECURE_HOST}:8443")
    library = Renderer(CATALOGUE).render(config)
    names = [
        file.name.format(mac=MAC, MAC=MAC.upper(), **model.variables) for file in model.files if file.scope == "device"
    ]
    files = [found.body for name in names if (found := library.find(name)) is not None]
    return b"\n".join(files).decode()


def test_the_table_speaks_of_every_model_and_of_nothing_else() -> None:
    assert {kind_of(model) for model in CATALOGUE.models} == TABLE.keys()
    for model in CATALOGUE.models:
        assert model.https is isinstance(TABLE[kind_of(model)], str), model.key
    assert all(len(line.reason) > 20 for line in TABLE.values() if isinstance(line, No))


@pytest.mark.parametrize("kind", TABLE)
def test_a_model_is_told_https_and_its_own_password_or_nothing_of_the_secure_server(kind: str) -> None:
    (*_, model) = (one for one in CATALOGUE.models if kind_of(one) == kind)
    text, parameter = secret_file(model), TABLE[kind]
    if isinstance(parameter, No):
        assert SECURE_HOST not in text
    else:
        assert parameter in text
        assert SECURE_HOST in text
        assert PASSWORD in text, "it would have to be let in without proof"


def test_without_a_certificate_every_model_is_told_what_it_was_told_before() -> None:
    device = phone("yealink/t54w", MAC, {}, (LINE,))
    file = Renderer(CATALOGUE).render(site(device)).find(f"{MAC}.cfg")
    assert file is not None
    assert b"server.url = http://" in file.body
