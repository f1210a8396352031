"""A database that lies outside its folder stays with it, and goes with it."""

import os
from pathlib import Path

import pytest

from cloud.local.outside_folder import place_outside


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir()
    return made


def test_a_folder_finds_its_place_again(root: Path, folder: Path) -> None:
    place = place_outside(folder, root)
    (place / "data").mkdir()
    assert place_outside(folder, root) == place
    assert (place / "data").is_dir()


def test_a_folder_that_was_removed_takes_its_database_along_and_begins_anew(root: Path, folder: Path) -> None:
    before = place_outside(folder, root)
    for file in folder.iterdir():
        file.unlink()
    after = place_outside(folder, root)
    assert after != before
    assert not before.exists()


def test_a_database_that_runs_is_left_alone(root: Path, folder: Path, tmp_path: Path) -> None:
    place = place_outside(folder, root)
    (place / "data").mkdir()
    (place / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    (folder / "postgres-is-at").unlink()
    other = tmp_path / "other"
    other.mkdir()
    place_outside(other, root)
    assert place.is_dir()
