"""Device over group over site over tenant over the model's default; every value says where it comes from."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.devices import Level, Origin, Step, check_level, load_catalogue, resolve
from contract.devices.resolution import VERSION_SETTING
from tests.contract.devices.test_loading import DESCRIPTION, plugin, problems_of

CATALOGUE = load_catalogue()
MODEL = CATALOGUE.model("yealink/t54w")
PATH = "time/ntp_server"


def level(origin: Origin, value: str, scope: str = "*", source: str = "") -> Level:
    return Level(origin, {scope: {PATH: value}}, source)


LEVELS = [
    level("tenant", "tenant.example"),
    level("site", "site.example"),
    level("group", "light.example", source="light"),
    level("group", "heavy.example", source="heavy"),
]


def test_the_nearest_level_wins_and_the_others_are_named_in_order() -> None:
    found = resolve(MODEL, {PATH: "own.example"}, LEVELS)[PATH]
    assert (found.value, found.origin) == ("own.example", "device")
    assert found.others == (
        Step("group", "heavy.example", "heavy"),
        Step("group", "light.example", "light"),
        Step("site", "site.example"),
        Step("tenant", "tenant.example"),
        Step("default", "pool.ntp.org"),
    )


@pytest.mark.parametrize("count", range(5))
def test_each_level_wins_over_those_before_it(count: int) -> None:
    found = resolve(MODEL, {}, LEVELS[:count])[PATH]
    expected = ["default", "tenant", "site", "group", "group"][count]
    assert found.origin == expected
    assert found.source == ["", "", "", "light", "heavy"][count]


def test_on_one_level_a_model_wins_over_its_vendor_and_a_vendor_over_all() -> None:
    settings = {"*": {PATH: "all"}, "yealink": {PATH: "vendor"}, "yealink/t54w": {PATH: "model"}}
    for scope in ("yealink/t54w", "yealink", "*"):
        assert resolve(MODEL, {}, [Level("site", settings)])[PATH].value == settings.pop(scope)[PATH]


def test_what_is_set_for_another_model_or_vendor_is_not_for_this_one() -> None:
    settings = {"yealink/t41s": {PATH: "x"}, "snom": {PATH: "y"}, "*": {"dect/access_code": "1234"}}
    assert {each.origin for each in resolve(MODEL, {}, [Level("site", settings)]).values()} == {"default"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"acme": {}}, "acme: is neither * nor a vendor nor a model of the device plug-ins"),
        ({"*": {"no/such": 1}}, "*/no/such: is not a setting of any of these models"),
        ({"yealink/t41s": {"network/wifi": True}}, "yealink/t41s/network/wifi: is not a setting of any of these"),
        ({"*": {"network/vlan_id": 5000}}, "*/network/vlan_id: must be at most 4094, for "),
    ],
)
def test_what_no_model_takes_is_refused_on_a_level_by_scope_and_path(
    settings: dict[str, dict[str, int | bool]], expected: str
) -> None:
    found = [str(problem) for problem in check_level(CATALOGUE, settings)]
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_a_level_may_say_what_only_some_models_have() -> None:
    assert check_level(CATALOGUE, {"*": {"network/wifi": True, PATH: "ntp.example"}}) == ()


VERSIONS = """[versions."5.4"]
label = "5.4"
features = ["old"]

[versions."6.0"]
label = "6.0 and later"
features = ["6orLater"]
firmware = '^6\\.'

[models.one]"""
SETTINGS = (
    '<settings><group name="g" label="G">'
    '<setting name="a" type="string" label="A" default="" if="old"/>'
    '<setting name="b" type="string" label="B" default="" unless="old"/></group></settings>'
)


def test_a_devices_firmware_version_is_a_setting_and_decides_which_others_it_has(tmp_path: Path) -> None:
    root = plugin(tmp_path, DESCRIPTION.replace("[models.one]", VERSIONS), SETTINGS)
    model = load_catalogue(root).model("acme/one")
    assert [version.name for version in model.versions] == ["5.4", "6.0"]
    assert set(resolve(model, {})) == {"g/b", VERSION_SETTING}
    assert set(resolve(model, {VERSION_SETTING: "5.4"})) == {"g/a", VERSION_SETTING}
    by_group = Level("group", {"acme": {VERSION_SETTING: "5.4", "g/a": "x", "g/b": "y"}}, "old phones")
    resolved = resolve(model, {}, [by_group])
    assert (resolved["g/a"].value, resolved["g/a"].source) == ("x", "old phones")
    assert "g/b" not in resolved
    assert resolve(model, {"g/b": "kept for later"}, [by_group])["g/a"].value == "x"


def test_a_file_may_be_of_some_models_or_versions_only(tmp_path: Path) -> None:
    second = '[[files]]\nname = "{mac}.old"\ntemplate = "device.j2"\nscope = "device"\nif = "old"\n\n[versions.'
    description = DESCRIPTION.replace("[models.one]", VERSIONS).replace("[versions.", second, 1)
    model = load_catalogue(plugin(tmp_path, description)).model("acme/one")
    assert [spec.name for spec in model.files] == ["{mac}.cfg"]
    assert [spec.name for spec in model.at("5.4").files] == ["{mac}.cfg", "{mac}.old"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("lines = 2", 'lines = 2\nversions = ["7"]', "acme/plugin.toml:13: models.one.versions: there is no version"),
        ("lines = 2", 'like = "two"', "acme/plugin.toml:12: models.one.like: 'two' is no other model"),
        ("lines = 2", 'like = "one"', "acme/plugin.toml:12: models.one.like: 'one' is no other model"),
        ("[[files]]", "certificate_names = ['(']\n[[files]]", "acme/plugin.toml:5: certificate_names: is no "),
    ],
)
def test_what_is_wrong_with_versions_and_likeness_is_named(tmp_path: Path, old: str, new: str, expected: str) -> None:
    found = problems_of(plugin(tmp_path, DESCRIPTION.replace(old, new)))
    assert any(problem.startswith(expected) for problem in found), found


def test_a_model_like_another_says_only_what_is_different(tmp_path: Path) -> None:
    description = DESCRIPTION + (
        'features = ["x"]\nrepeats = { keys = 3 }\n\n[models.two]\nlike = "one"\nlabel = "Acme Two"\n'
        "repeats = { lamps = 4 }\n"
    )
    two = load_catalogue(plugin(tmp_path, description)).model("acme/two")
    assert (two.label, two.lines, dict(two.repeats), two.features) == (
        "Acme Two",
        2,
        {"keys": 3, "lamps": 4},
        frozenset({"x"}),
    )


def test_labels_have_translations_and_fall_back_to_what_the_plug_in_says(tmp_path: Path) -> None:
    root = plugin(tmp_path)
    (root / "acme" / "languages").mkdir()
    (root / "acme" / "languages" / "de.toml").write_text('A = "Ah"\n"Time server" = "Uhr"\n')
    found = load_catalogue(root).plugins["acme"]
    assert [found.text("A", code) for code in ("de", "de-AT", "fr", "en")] == ["Ah", "Ah", "A", "A"]
    assert found.text("Time server", "de") == "Uhr"


_value = st.text(alphabet="abc.", min_size=1, max_size=8).filter(lambda text: text == text.strip())


@given(st.lists(st.one_of(st.none(), _value), min_size=4, max_size=4), st.one_of(st.none(), _value))
def test_the_value_is_always_that_of_the_last_level_that_speaks(values: list[str | None], own: str | None) -> None:
    origins: tuple[Origin, ...] = ("tenant", "site", "group", "group")
    levels = [
        Level(origin, {"*": {PATH: value}} if value is not None else {}, str(number))
        for number, (origin, value) in enumerate(zip(origins, values, strict=True))
    ]
    found = resolve(MODEL, {PATH: own} if own is not None else {}, levels)[PATH]
    spoken = [value for value in (*values, own) if value is not None]
    assert found.value == (spoken[-1] if spoken else "pool.ntp.org")
    assert len(found.others) == len(spoken)
