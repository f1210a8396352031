"""Plug-in folders become a catalogue, or a list of everything that is wrong with them."""

from pathlib import Path

import pytest

from contract.devices import PluginProblems, UnknownModel, load_catalogue

DESCRIPTION = """label = "Acme"
ouis = ["0004f2"]
user_agents = ['^Acme (?P<model>\\w+)']

[[files]]
name = "{mac}.cfg"
template = "device.j2"
scope = "device"

[models.one]
label = "Acme One"
lines = 2
"""
SETTINGS = (
    '<settings><group name="g" label="G"><setting name="a" type="string" label="A" default=""/></group></settings>'
)


def plugin(root: Path, description: str = DESCRIPTION, settings: str = SETTINGS, template: str | None = "x") -> Path:
    folder = root / "acme"
    (folder / "templates").mkdir(parents=True)
    (folder / "plugin.toml").write_text(description)
    (folder / "settings.xml").write_text(settings)
    if template is not None:
        (folder / "templates" / "device.j2").write_text(template)
    return root


def problems_of(root: Path) -> list[str]:
    with pytest.raises(PluginProblems) as caught:
        load_catalogue(root)
    return [str(problem) for problem in caught.value.problems]


def test_the_shipped_plug_ins_load_and_name_the_models_that_the_product_promises() -> None:
    keys = {model.key for model in load_catalogue().models}
    t4s, t4u = {"t41s", "t42s", "t46s", "t48s"}, {"t41u", "t42u", "t43u", "t46u", "t48u"}
    t5 = {"t53", "t53w", "t54w", "t57w", "t58w"}
    assert keys >= {f"yealink/{name}" for name in t4s | t4u | t5} | {"generic/sip"}


def test_a_model_is_found_by_vendor_and_name() -> None:
    model = load_catalogue().model("yealink/t54w")
    assert (model.label, model.lines, model.key) == ("Yealink SIP-T54W", 16, "yealink/t54w")


@pytest.mark.parametrize("key", ["yealink/t99", "acme/one", "", "yealink", "yealink/", "../yealink/t54w"])
def test_a_model_that_no_plug_in_describes_is_unknown_and_never_guessed(key: str) -> None:
    catalogue = load_catalogue()
    assert catalogue.find(key) is None
    with pytest.raises(UnknownModel):
        catalogue.model(key)


def test_conditions_give_each_model_its_own_settings() -> None:
    catalogue = load_catalogue()
    assert "network/wifi" in catalogue.model("yealink/t54w").settings
    assert "network/wifi" not in catalogue.model("yealink/t46s").settings
    assert "screen/contrast" in catalogue.model("yealink/t41s").settings
    assert "line_key/27/type" in catalogue.model("yealink/t46s").settings
    assert "line_key/28/type" not in catalogue.model("yealink/t46s").settings


def test_a_new_folder_is_all_that_a_new_vendor_needs(tmp_path: Path) -> None:
    model = load_catalogue(plugin(tmp_path)).model("acme/one")
    assert (model.lines, list(model.settings), model.files[0].name) == (2, ["g/a"], "{mac}.cfg")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("lines = 2", "lines = 0", "acme/plugin.toml:12: models.one.lines: "),
        ("lines = 2", "lines = 2\ncolour = 'red'", "acme/plugin.toml:13: models.one.colour: "),
        ('scope = "device"', 'scope = "planet"', "acme/plugin.toml:8: files.0.scope: "),
        ('ouis = ["0004f2"]', 'ouis = ["0004F2"]', "acme/plugin.toml:2: ouis.0: "),
        ('label = "Acme"\n', "", "acme/plugin.toml:1: label: "),
        ("lines = 2", "lines = ", "acme/plugin.toml:12: "),
        ("(?P<model>", "(?P<model", "acme/plugin.toml:3: user_agents: is no regular expression"),
        ('"{mac}.cfg"', '"{mac}{colour}.cfg"', "acme/plugin.toml:6: model one has no colour"),
        ('"{mac}.cfg"', '"phone.cfg"', "acme/plugin.toml:6: a device's file needs {mac}"),
        ('scope = "device"', 'scope = "device"\nsyntax = "yaml"', "acme/plugin.toml:9: files.0.syntax: "),
        ("[[files]]", 'resync_event = "check sync"\n[[files]]', "acme/plugin.toml:5: resync_event: "),
        (
            "[[files]]",
            'dhcp_vendor_classes = ["("]\n[[files]]',
            "acme/plugin.toml:5: dhcp_vendor_classes: is no regular",
        ),
        ('"device.j2"', '"other.j2"', "acme/templates/other.j2:0: plugin.toml names it"),
    ],
)
def test_what_is_wrong_with_a_description_is_named_by_file_and_line(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert old in DESCRIPTION
    found = problems_of(plugin(tmp_path, DESCRIPTION.replace(old, new)))
    assert any(problem.startswith(expected) for problem in found), found


def test_a_vendor_says_how_its_phones_are_told_to_fetch_and_how_they_write_their_names(tmp_path: Path) -> None:
    description = DESCRIPTION.replace(
        "[[files]]",
        'resync_event = "check-sync;reboot=false"\nreboot_event = "check-sync;reboot=true"\n'
        "dhcp_vendor_classes = ['^acme']\nunwritable = '\"$'\n\n[[files]]",
    ).replace('"{mac}.cfg"', '"{MAC}.Cfg"')
    plugin_ = load_catalogue(plugin(tmp_path, description)).plugins["acme"]
    assert (plugin_.resync_event, plugin_.reboot_event) == ("check-sync;reboot=false", "check-sync;reboot=true")
    assert plugin_.dhcp_vendor_classes[0].match("Acme One")
    assert plugin_.unwritable == {'"', "$"}
    assert plugin_.models["one"].files[0].name == "{MAC}.Cfg"


def test_the_problems_of_every_folder_are_reported_together(tmp_path: Path) -> None:
    plugin(tmp_path, settings="<settings/>")
    (tmp_path / "empty").mkdir()
    found = problems_of(tmp_path)
    assert found == [
        "acme/settings.xml:1: there is no <group>",
        "empty/plugin.toml:0: the file cannot be read",
        "empty/settings.xml:0: the file cannot be read",
    ]


def test_a_template_that_is_too_large_or_missing_is_a_problem(tmp_path: Path) -> None:
    assert "larger than 256 KiB" in problems_of(plugin(tmp_path, template="x" * 300_000))[0]
    assert "it is not there" in problems_of(plugin(tmp_path / "second", template=None))[0]
