"""Plug-ins in archives: what is no plain small file of a plug-in is refused, and nothing is believed or written."""

import contextlib
import io
import stat
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.devices import PluginProblems, Problem, load_plugin
from contract.devices.archive import MAX_PACKED_BYTES, pack, unpack
from tests.support.device_archives import GOOD, packed


def problems_of(data: bytes) -> list[str]:
    with pytest.raises(PluginProblems) as caught:
        unpack(data, "acme")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("around", ["", "acme/", "whatever-1.0/"])
def test_an_archive_of_a_folder_or_of_what_is_in_it_is_the_same_plug_in(around: str) -> None:
    assert unpack(packed(GOOD, around), "acme") == GOOD
    assert load_plugin("acme", unpack(packed(GOOD, around), "acme")).models["one"].key == "acme/one"


def test_the_same_files_are_packed_into_the_same_bytes() -> None:
    assert pack(GOOD) == pack(dict(reversed(list(GOOD.items()))))
    assert unpack(pack(GOOD), "acme") == GOOD


@pytest.mark.parametrize(
    "name",
    [
        "../evil.toml",
        "templates/../../evil.j2",
        "/etc/passwd",
        "templates\\..\\evil.j2",
        "C:evil",
        "templates/deep/er.j2",
        "other/file.txt",
        ".hidden",
        "templates/..",
        "a\nb",
        "x" * 300,
    ],
)
def test_a_name_that_leads_out_of_the_folder_or_elsewhere_is_refused(name: str) -> None:
    data = packed({**GOOD, name: b"x"})
    assert any("a file is called by" in problem for problem in problems_of(data))


def test_a_link_a_second_file_of_a_name_and_an_unknown_method_are_refused() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        link = zipfile.ZipInfo("settings.xml")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("plugin.toml", "a")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("plugin.toml", "b")
        archive.writestr("x.txt", "c", zipfile.ZIP_LZMA)
    assert problems_of(data.getvalue()) == [
        "acme/plugin.toml:0: is there twice",
        "acme/settings.xml:0: is no plain file",
        "acme/x.txt:0: is packed by a method that is not taken",
    ]


def test_a_bomb_is_refused_by_what_comes_out_and_not_by_what_it_says() -> None:
    bomb = packed({**GOOD, "settings.xml": b"\0" * (20 << 20)})
    assert len(bomb) < MAX_PACKED_BYTES
    assert problems_of(bomb) == ["acme/settings.xml:0: damaged, or larger than is taken"]
    lying = bomb.replace((20 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != bomb
    assert problems_of(lying) == ["acme/settings.xml:0: damaged, or larger than is taken"]
    many = packed({f"templates/{number}.j2": b" " * (1 << 20) for number in range(12)})
    assert len([problem for problem in problems_of(many) if "larger" in problem]) == 4


def test_too_many_files_and_too_large_an_archive_are_refused() -> None:
    assert problems_of(packed({f"{number}.txt": b"" for number in range(201)})) == ["acme:0: more than 200 files"]
    assert problems_of(b"x" * (MAX_PACKED_BYTES + 1)) == [
        f"acme:0: the archive is larger than {MAX_PACKED_BYTES} bytes"
    ]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 3000), st.integers(1, 40))
def test_whatever_arrives_is_a_folder_or_a_list_of_problems(noise: bytes, place: int, length: int) -> None:
    good = packed(GOOD)
    for data in (noise, good[:place] + noise[:length] + good[place + length :], good[:place]):
        try:
            folder = unpack(data, "acme")
        except PluginProblems:
            continue
        with contextlib.suppress(PluginProblems):
            load_plugin("acme", folder)


_chunk = st.sampled_from(
    [
        "<settings>",
        "</settings>",
        '<group name="g" label="G">',
        "</group>",
        '<setting name="a" type="string"',
        ' like="a"',
        ' label="A" default=""/>',
        "<!DOCTYPE x>",
        "&x;",
        'if="(a+)+"',
        "[[files]]",
        "label = 1",
        "like = 'one'",
        "\0",
        "é",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_chunk, max_size=12).map(" ".join), st.lists(_chunk, max_size=6).map("\n".join))
def test_any_description_and_settings_give_a_plug_in_or_named_problems(xml: str, toml: str) -> None:
    folder = {**GOOD, "settings.xml": xml.encode(), "plugin.toml": GOOD["plugin.toml"] + toml.encode()}
    found: tuple[Problem, ...] = ()
    try:
        load_plugin("acme", folder)
    except PluginProblems as error:
        found = error.problems
    assert all(problem.file.startswith("acme/") for problem in found)
