"""Plug-ins that come with the configuration: rendered beside the others, kept while they are the same, sandboxed."""

import hashlib
from dataclasses import replace

import pytest

from contract.devices import load_catalogue
from edge_agent.provisioning.config import DeviceConfig, PluginPackage, ProvisioningConfig
from edge_agent.provisioning.errors import ConfigRefused
from edge_agent.provisioning.render import Renderer
from tests.support.device_archives import GOOD, packed
from tests.support.site_phones import account, site, yealink

CATALOGUE = load_catalogue()
DEVICE = DeviceConfig("d1", "0004f2000001", "acme/one", "Front desk", accounts=(account(),))


def package(files: dict[str, bytes] | None = None) -> PluginPackage:
    content = packed(files or dict(GOOD))
    return PluginPackage("acme", hashlib.sha256(content).hexdigest(), content)


def config(*packages: PluginPackage, device: DeviceConfig = DEVICE) -> ProvisioningConfig:
    return replace(site(device, yealink()), plugins=packages)


def test_a_phone_of_a_model_that_came_with_the_configuration_has_its_file() -> None:
    renderer = Renderer(CATALOGUE)
    file = renderer.render(config(package())).find("0004f2000001.cfg")
    assert file is not None
    assert file.body.startswith(b"name = Front desk\nuser = line-200\n")
    renderer.render(config(package()))
    assert renderer.devices_rendered == 2


def test_a_new_content_renders_its_phones_again_and_no_others() -> None:
    renderer = Renderer(CATALOGUE)
    renderer.render(config(package()))
    other = package({**GOOD, "templates/device.j2": b"new\n"})
    file = renderer.render(config(other)).find("0004f2000001.cfg")
    assert file is not None
    assert file.body == b"new\n"
    assert renderer.devices_rendered == 3


def test_a_plug_in_that_is_gone_takes_its_models_along() -> None:
    renderer = Renderer(CATALOGUE)
    renderer.render(config(package()))
    with pytest.raises(ConfigRefused, match="no device plug-in describes the model 'acme/one'"):
        renderer.render(config())


def test_a_damaged_package_is_refused_and_what_was_rendered_stays_possible() -> None:
    renderer = Renderer(CATALOGUE)
    with pytest.raises(ConfigRefused, match=r"acme/settings\.xml:1"):
        renderer.render(config(package({**GOOD, "settings.xml": b"<x/>"})))
    assert renderer.render(config(package())).find("0004f2000001.cfg") is not None


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ device.__init__.__globals__ }}",
        "{{ accounts.__class__.__base__.__subclasses__() }}",
        "{{ range.__self__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ ().__class__.__bases__[0] }}",
        "{% for x in range(10**9) %}x{% endfor %}",
        "{{ namespace }}",
        "{{ cycler.__init__ }}",
        "{{ device | attr('__class__') }}",
        "{{ 'x' * 999999999 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '{:>999999999}'.format(1) }}",
        "{{ 'x'.ljust(999999999) }}",
        "{{ 'x' | center(999999999) }}",
        "{{ 9 ** 9 ** 9 }}",
        "{% for a in range(9000) %}{% for b in range(9000) %}{{ device.mac }}\n{% endfor %}{% endfor %}",
        "{{ '%s' | format(device) | list | first * 999999999 }}",
    ],
)
def test_a_template_that_reaches_out_of_its_sandbox_is_refused(template: str) -> None:
    with pytest.raises(ConfigRefused):
        Renderer(CATALOGUE).render(config(package({**GOOD, "templates/device.j2": template.encode()})))


@pytest.mark.parametrize(
    "name", ["{{ 7 * 7 }}", "{% raw %}x", "${7*7}", "#set($x = 1)$x", "{{ device.admin_password }}"]
)
def test_a_name_is_never_read_as_a_template(name: str) -> None:
    device = replace(DEVICE, name=name, accounts=(account(name=name),))
    file = Renderer(CATALOGUE).render(config(package(), device=device)).find("0004f2000001.cfg")
    assert file is not None
    assert f"name = {name}\n".encode() in file.body
