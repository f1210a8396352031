"""Every setting of every process of the cloud says what it is for, beside its name."""

import ast
from pathlib import Path

import pytest

CLOUD = Path(__file__).parents[2] / "cloud"
FILES = sorted(CLOUD.glob("*/settings.py"))


def undocumented(source: str) -> list[str]:
    """Fields of classes named …Settings without a docstring below them or an entry in their class's `Args:`."""
    missing = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.ClassDef) and node.name.endswith("Settings")):
            continue
        told = ast.get_docstring(node) or ""
        for field, following in zip(node.body, [*node.body[1:], None], strict=True):
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            below = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            if not below and f"\n    {field.target.id}: " not in told:
                missing.append(f"{node.name}.{field.target.id}")
    return missing


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_every_setting_says_what_it_is_for(path: Path) -> None:
    assert undocumented(path.read_text(encoding="utf-8")) == []


def test_the_settings_of_every_process_are_looked_at() -> None:
    assert {path.parent.name for path in FILES} >= {"api", "aws", "functions", "hub", "local", "models"}


def test_a_setting_without_a_word_is_found() -> None:
    assert undocumented('class ASettings:\n    """One."""\n\n    a: int = 1\n    b: int\n    """Said."""\n') == [
        "ASettings.a"
    ]
