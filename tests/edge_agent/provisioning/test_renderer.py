"""Only what changed is rendered again; what cannot be rendered is refused with every reason."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from contract.devices import Level, load_catalogue
from edge_agent.provisioning.config import DeviceConfig, DirectoryEntry
from edge_agent.provisioning.errors import ConfigRefused, RenderError
from edge_agent.provisioning.render import Renderer
from tests.contract.devices.test_loading import DESCRIPTION, plugin
from tests.support.site_phones import account, generic, site, yealink

CATALOGUE = load_catalogue()


def test_a_change_of_one_device_renders_that_device_only() -> None:
    renderer = Renderer(CATALOGUE)
    first = renderer.render(site(yealink(), generic()))
    assert renderer.devices_rendered == 2
    second = renderer.render(site(yealink(settings={"network/vlan": True}), generic(), version=2))
    assert renderer.devices_rendered == 3
    assert first.find("020000000201.conf") is second.find("020000000201.conf")
    assert first.find("805ec0000200.cfg") != second.find("805ec0000200.cfg")


def test_the_same_configuration_again_renders_nothing() -> None:
    renderer = Renderer(CATALOGUE)
    renderer.render(site(yealink()))
    renderer.render(site(yealink(), version=2))
    assert renderer.devices_rendered == 1


def test_a_new_time_zone_renders_every_device() -> None:
    renderer = Renderer(CATALOGUE)
    renderer.render(site(yealink(), generic()))
    renderer.render(site(yealink(), generic(), time_zone="Asia/Tokyo"))
    assert renderer.devices_rendered == 4


def test_the_files_of_a_device_that_went_are_gone() -> None:
    renderer = Renderer(CATALOGUE)
    renderer.render(site(yealink(), generic()))
    library = renderer.render(site(generic(), version=2))
    assert library.names == ("020000000201.conf",)
    assert library.device_id("805ec0000200") is None


def test_the_same_content_has_the_same_entity_tag_and_other_content_another() -> None:
    first = Renderer(CATALOGUE).render(site(yealink())).find("805ec0000200.cfg")
    again = Renderer(CATALOGUE).render(site(yealink(), version=7)).find("805ec0000200.cfg")
    other = Renderer(CATALOGUE).render(site(yealink(accounts=()))).find("805ec0000200.cfg")
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.etag == again.etag != other.etag


def test_every_device_that_cannot_be_rendered_is_named_with_its_reasons() -> None:
    with pytest.raises(ConfigRefused) as caught:
        Renderer(CATALOGUE).render(
            site(
                DeviceConfig("a", "805ec0000001", "yealink/t99"),
                yealink("t41s", "805ec0000002", accounts=(account(7), account(7))),
                yealink("t54w", "805ec0000003", settings={"network/vlan_id": 0, "x/y": 1}),
            )
        )
    assert caught.value.problems == (
        "device 805ec0000001: no device plug-in describes the model 'yealink/t99'",
        "device 805ec0000002: two accounts have position 7",
        "device 805ec0000002: Yealink SIP-T41S has 6 lines, and no position 7",
        "device 805ec0000002: Yealink SIP-T41S has 6 lines, and no position 7",
        "device 805ec0000003: network/vlan_id: must be at least 1",
        "device 805ec0000003: x/y: is not a setting of Yealink SIP-T54W",
    )


def test_a_time_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigRefused, match="there is no time zone 'Mars/Olympus'"):
        Renderer(CATALOGUE).render(site(time_zone="Mars/Olympus"))


def acme(template: str, root: Path, description: str = DESCRIPTION) -> Renderer:
    return Renderer(load_catalogue(plugin(root, description, template=template)))


def acme_phone(name: str = "Reception") -> DeviceConfig:
    return DeviceConfig("d", "0004f2ab0001", "acme/one", accounts=(account(name=name),))


def test_a_value_in_a_file_of_xml_is_escaped_and_the_template_is_not(tmp_path: Path) -> None:
    description = DESCRIPTION.replace('scope = "device"', 'scope = "device"\nsyntax = "xml"')
    renderer = acme("<a b=\"{{ accounts[1].label }}\">{{ accounts[1].label ~ '!' }}</a>", tmp_path, description)
    file = renderer.render(site(acme_phone("<&\"']]>"))).find("0004f2ab0001.cfg")
    assert file is not None
    escaped = b"&lt;&amp;&quot;&apos;]]&gt;"
    assert file.body == b'<a b="' + escaped + b'">' + escaped + b"!</a>"


def test_a_file_name_in_the_vendors_upper_case_is_found_in_any_case(tmp_path: Path) -> None:
    renderer = acme("x", tmp_path, DESCRIPTION.replace("{mac}", "Config{MAC}"))
    assert renderer.render(site(acme_phone())).find("CONFIG0004F2AB0001.cfg") is not None


def test_characters_that_a_vendors_file_cannot_hold_are_left_out_of_names(tmp_path: Path) -> None:
    renderer = acme("{{ accounts[1].display_name }}", tmp_path, "unwritable = '\"$'\n" + DESCRIPTION)
    file = renderer.render(site(acme_phone('The "front" $desk'))).find("0004f2ab0001.cfg")
    assert file is not None
    assert file.body == b"The front desk"


def test_files_that_name_their_server_are_rendered_again_when_it_moves(tmp_path: Path) -> None:
    renderer = acme("{{ server_url }}/", tmp_path)
    first = renderer.render(site(acme_phone()))
    second = renderer.render(replace(site(acme_phone()), server_url="http://192.0.2.99:8090"))
    bodies = [file.body for library in (first, second) if (file := library.find("0004f2ab0001.cfg"))]
    assert bodies == [b"http://192.0.2.10:8090/", b"http://192.0.2.99:8090/"]


def test_a_template_with_a_mistake_is_named_by_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"acme/templates/device\.j2:2: "):
        acme("fine\n{% if %}\n", tmp_path)


@pytest.mark.parametrize(
    "template",
    [
        "{{ nothing }}",
        "{{ device.nothing }}",
        "{{ settings['no/such'].value }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ accounts[1].password.__class__ }}",
        "{{ accounts.clear() }}",
        "{% include 'other.j2' %}",
        "{{ range(10**9) | list }}",
    ],
)
def test_a_template_that_reaches_for_what_is_not_given_is_refused(template: str, tmp_path: Path) -> None:
    renderer = acme(template, tmp_path)
    with pytest.raises(ConfigRefused, match=r"device\.j2 cannot be rendered"):
        renderer.render(site(DeviceConfig("d", "0004f2000001", "acme/one", accounts=(account(),))))


def test_a_refusal_by_a_template_does_not_tell_the_values(tmp_path: Path) -> None:
    renderer = acme("{{ accounts[accounts[1].password].label }}", tmp_path)
    with pytest.raises(ConfigRefused) as caught:
        renderer.render(site(DeviceConfig("d", "0004f2000001", "acme/one", accounts=(account(),))))
    assert "planted" not in str(caught.value)


def with_levels(device: DeviceConfig, *levels: Level) -> DeviceConfig:
    return replace(device, levels=levels)


def test_what_is_set_for_a_site_reaches_its_phones_and_their_own_settings_win() -> None:
    site_wide = Level("site", {"*": {"time/ntp_server": "ntp.example", "network/vlan": True}})
    library = Renderer(CATALOGUE).render(
        site(with_levels(yealink(settings={"network/vlan": False}), site_wide), with_levels(generic(), site_wide))
    )
    phone_, other = library.find("805ec0000200.cfg"), library.find("020000000201.conf")
    assert phone_ is not None
    assert other is not None
    assert b"local_time.ntp_server1 = ntp.example\n" in phone_.body
    assert b"static.network.vlan.internet_port_enable = 0\n" in phone_.body
    assert b"ntp_server = ntp.example\n" in other.body


def test_what_is_set_for_one_vendor_renders_only_its_phones_again() -> None:
    renderer = Renderer(CATALOGUE)
    renderer.render(site(yealink(), generic()))
    level = Level("tenant", {"yealink": {"time/ntp_server": "ntp.example"}})
    renderer.render(site(with_levels(yealink(), level), with_levels(generic(), level), version=2))
    assert renderer.devices_rendered == 3


def test_a_new_name_in_the_directory_renders_no_device_again() -> None:
    renderer = Renderer(CATALOGUE)
    renderer.render(site(yealink()))
    renderer.render(replace(site(yealink(), version=2), directory=(DirectoryEntry("Workshop", "201"),)))
    assert renderer.devices_rendered == 1


def test_a_phone_that_can_fetches_by_https_where_the_site_has_it(tmp_path: Path) -> None:
    description = DESCRIPTION.replace("[[files]]", "https = true\n[[files]]")
    catalogue = load_catalogue(plugin(tmp_path, description, template="{{ server_url }} {{ device.fetch_user }}\n"))
    device = DeviceConfig("d", "0004f2000001", "acme/one", fetch_password=SecretStr("x"))
    config = replace(site(device), secure_url="https://edge.example:8443")
    file = Renderer(catalogue).render(config).find("0004f2000001.cfg")
    assert file is not None
    assert file.body == b"https://edge.example:8443 0004f2000001\n"
