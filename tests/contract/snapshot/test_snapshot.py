"""A snapshot is consistent in itself, and refuses what is not, naming each problem."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.snapshot import (
    Blob,
    DeviceFirmware,
    DialPlan,
    Firmware,
    FirmwareFile,
    Line,
    Music,
    Snapshot,
    SnapshotProblems,
    User,
    manifest,
    parse_snapshot,
    snapshot_digest,
)
from tests.support.example_site import NOON, RECEPTION, WORKSHOP, small_site, snapshots


def as_json(snapshot: Snapshot) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(snapshot.model_dump_json())
    return data


@given(snapshots())
def test_a_snapshot_comes_back_from_json_as_it_went(snapshot: Snapshot) -> None:
    assert parse_snapshot(as_json(snapshot)) == snapshot


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_anything_that_is_not_a_snapshot_is_refused_by_the_one_error(data: object) -> None:
    with pytest.raises(SnapshotProblems):
        parse_snapshot(data)


def test_an_unknown_schema_version_is_named_with_the_known_one() -> None:
    with pytest.raises(SnapshotProblems, match="schema_version 2 is not known here; 1 is"):
        parse_snapshot({**as_json(small_site()), "schema_version": 2})


def test_a_field_that_is_not_known_is_refused_by_its_path() -> None:
    data = as_json(small_site())
    data["users"][0]["colour"] = "blue"
    with pytest.raises(SnapshotProblems, match=r"users.0.colour"):
        parse_snapshot(data)


BLOB = Blob(digest="a" * 64, size_bytes=30_000_000)
FIRMWARE = Firmware(
    firmware_id="firmware-1",
    vendor="yealink",
    models=("t53w", "t54w"),
    version="96.86.0.70",
    files=(FirmwareFile(name="T54W-96.86.0.70.rom", digest=BLOB.digest),),
)
IMAGES = {"firmware": (FIRMWARE,), "blobs": (BLOB,)}
UPGRADED = (
    small_site().devices[0].model_copy(update={"firmware": DeviceFirmware(firmware_id="firmware-1", not_before=NOON)})
)
TWIN = WORKSHOP.model_copy(update={"aliases": ("front",)})
LINE = small_site().lines[0]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"users": (WORKSHOP, RECEPTION)}, "users: records must be sorted by user_id"),
        ({"users": (RECEPTION,)}, "names user user-201, which is not in the snapshot"),
        ({"devices": ()}, "names device device-1, which is not in the snapshot"),
        ({"users": (RECEPTION, TWIN)}, "'front' is used more than once"),
        (
            {"users": (RECEPTION, WORKSHOP.model_copy(update={"permissions": ("Everything",)}))},
            "the unknown permission 'Everything'",
        ),
        (
            {"lines": (LINE, LINE.model_copy(update={"line_id": "line-9", "auth_username": "x"}))},
            "position 1 of device device-1 is used twice",
        ),
        (
            {"lines": (LINE, LINE.model_copy(update={"line_id": "line-9", "position": 2}))},
            "auth_username '200' is used twice",
        ),
        (
            {"devices": (*small_site().devices, small_site().devices[0].model_copy(update={"device_id": "device-2"}))},
            "MAC 805ec0000001 is used twice",
        ),
        ({"devices": (UPGRADED,)}, "device-1 is to have firmware firmware-1, which is not in the snapshot"),
        ({"firmware": (FIRMWARE,)}, f"firmware: firmware-1 names blob {BLOB.digest}, which is not in the snapshot"),
        (
            {"devices": (UPGRADED.model_copy(update={"model": "yealink/t46s"}),), **IMAGES},
            "device-1 is a yealink/t46s, which firmware firmware-1 does not fit",
        ),
        (
            {"devices": (UPGRADED.model_copy(update={"model": "snom/t54w"}),), **IMAGES},
            "device-1 is a snom/t54w, which firmware firmware-1 does not fit",
        ),
        ({"blobs": (BLOB, BLOB)}, "blobs: records must be sorted by digest and unique"),
        (
            {"dial_plan": DialPlan(voice_services=(Music(service_id="m", name="Music", extension="200"),))},
            "dialled: '200' is used more than once: by user .+, music Music",
        ),
        ({"users": (RECEPTION, WORKSHOP.model_copy(update={"aliases": ("*99",)}))}, r"'\*99' is used more than once"),
    ],
)
def test_an_inconsistency_is_named(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        small_site(**changes)


def test_firmware_whose_files_are_in_the_manifest_and_whose_phone_is_of_its_model_is_taken() -> None:
    site = small_site(devices=(UPGRADED,), **IMAGES)
    assert parse_snapshot(as_json(site)) == site


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b.rom", ".hidden", "with space.rom", "", "x" * 129])
def test_a_firmware_file_whose_name_no_phone_could_ask_for_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        FirmwareFile(name=name, digest=BLOB.digest)


def test_two_files_of_a_firmware_have_two_names() -> None:
    files = tuple(FirmwareFile(name=name, digest=BLOB.digest) for name in ("sip.ld", "SIP.LD"))
    with pytest.raises(ValidationError, match="two have the same name"):
        Firmware.model_validate({**FIRMWARE.model_dump(), "files": files})


def test_a_user_may_repeat_its_extension_as_its_user_name() -> None:
    assert small_site(users=(RECEPTION, WORKSHOP)).users[0].username == RECEPTION.extension


def test_the_digest_is_of_the_configuration_and_not_of_its_version() -> None:
    assert snapshot_digest(small_site()) == snapshot_digest(small_site(version=2))
    renamed = small_site(users=(RECEPTION, WORKSHOP.model_copy(update={"display_name": "Garage"})))
    assert snapshot_digest(renamed) != snapshot_digest(small_site())
    changed = {section for section, digest in manifest(renamed).items() if digest != manifest(small_site())[section]}
    assert changed == {"users"}


def test_secret_references_are_collected_and_no_secret_has_a_place() -> None:
    assert small_site().secret_refs() == {"secret-1:1", "secret-2:1"}
    with pytest.raises(ValueError, match="password"):
        Line(line_id="l", user_id="u", auth_username="a", password="hunter2")


@pytest.mark.parametrize("username", ["", "a b", "a@b", "a\r\nb", "x" * 65, "a%20b", '"'])
def test_a_user_name_that_no_sip_uri_could_carry_is_refused(username: str) -> None:
    with pytest.raises(ValueError, match="username"):
        User(user_id="u", username=username, display_name="")
