"""The page of features is held to the code: what it names exists, and what exists it names."""

import re
from pathlib import Path
from typing import get_args
from uuid import UUID

import pytest

from cloud.pbx.default_dial_plan import (
    ECHO_TEST_CODE,
    FEATURE_CODES,
    MAILBOX_CODE,
    MUSIC_CODE,
    OWN_MAILBOX_CODE,
    default_dial_plan,
)
from contract.dialplan.site_state import MAX_BLOCKED
from contract.dialplan.steps import MAX_FORWARDS
from contract.snapshot import PERMISSIONS, VOICE_KINDS, Forwarding, Site, Snapshot, Strategy
from contract.snapshot.dial_plan import (
    EmergencyRule,
    FeatureRule,
    InternalRule,
    OutsideRule,
    ServiceRule,
    Setting,
    SiteToSiteRule,
    SpecialCall,
    VoicemailRule,
)

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
RULES = (EmergencyRule, FeatureRule, InternalRule, OutsideRule, ServiceRule, SiteToSiteRule, VoicemailRule)


def rows() -> list[list[str]]:
    """The cells of every row that is no heading."""
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    found = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return [cells for cells in found if cells[0] != "feature" and set(cells[0]) != {"-"}]


def is_written(path: str, name: str) -> bool:
    """Whether a file has a test of that name."""
    file = ROOT / path
    return file.is_file() and re.search(rf"^(async )?def {name}\(", file.read_text("utf-8"), re.MULTILINE) is not None


def test_every_row_names_tests_and_every_test_exists() -> None:
    for cells in rows():
        assert len(cells) == 6, cells
        assert NAMED.search(cells[5]), cells[0]
        assert not NAMED.sub("", cells[5]).strip(" ,"), cells[0]
    assert [f"{path}::{name}" for path, name in NAMED.findall(PAGE) if not is_written(path, name)] == []


def test_a_test_that_nobody_wrote_is_found() -> None:
    assert not is_written("tests/contract/dialplan/test_features.py", "test_nobody_wrote_this")
    assert not is_written("tests/nowhere/test_x.py", "test_y")


@pytest.mark.parametrize(
    "name",
    [
        *get_args(Setting),
        *get_args(SpecialCall),
        *get_args(Strategy),
        *PERMISSIONS,
        *Forwarding.model_fields,
        *VOICE_KINDS,
        *(rule.model_fields["kind"].default for rule in RULES),
    ],
)
def test_every_feature_rule_setting_and_permission_is_named(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_codes_and_limits_are_those_of_the_code() -> None:
    by_feature = {feature: code for code, feature, _ in FEATURE_CODES} | {
        "echo_test": ECHO_TEST_CODE,
        "music_on_hold": MUSIC_CODE,
        "voicemail": OWN_MAILBOX_CODE,
    }
    shown = {name[1]: cells[1] for cells in rows() if (name := re.search(r"\(`(\w+)`\)", cells[0]))}
    assert {feature: re.findall(r"`(\*\d+)`", text)[0] for feature, text in shown.items()} == by_feature
    assert f"`{MAILBOX_CODE}` and an extension" in PAGE
    assert f"{MAX_FORWARDS} forwards in one call" in PAGE
    assert f"{MAX_BLOCKED} numbers of a user" in PAGE


def test_the_plan_that_every_site_begins_with_contradicts_nothing() -> None:
    site = Site(site_id="s", tenant_id="t", name="Site", domain="example.test", realm="r")
    plan = default_dial_plan(UUID("6f2c1f6e-54a5-4d6c-9a35-0c53a4a2f7a1"))
    assert Snapshot(version=1, site=site, dial_plan=plan).dial_plan == plan
