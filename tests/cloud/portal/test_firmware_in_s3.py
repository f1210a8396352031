"""In AWS a browser brings firmware straight to the bucket, from a page of another origin."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from cloud.clock import SystemClock
from cloud.objects import S3Places, S3Store, s3_client
from cloud.pbx.blobs import Files
from tests.cloud.portal.test_firmware import ROM, upload
from tests.support.api_world import PASSWORD, QUOTA_BYTES, ApiWorld, make_world
from tests.support.portal import Visit
from tests.support.postgres import Databases
from tests.support.s3_stand_in import S3StandIn, logged_in, running_s3

pytestmark = pytest.mark.peer("chromium")

BUCKET = "tandem-test-objects"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3StandIn]:
    with running_s3() as bucket:
        logged_in(monkeypatch, bucket)
        yield bucket


@pytest.fixture
def world(databases: Databases, tmp_path: Path, s3: S3StandIn) -> ApiWorld:
    client = s3_client()
    files = Files(S3Store(BUCKET, client), S3Places(BUCKET, client, SystemClock()), QUOTA_BYTES)
    return make_world(databases, tmp_path, files)


def test_firmware_goes_from_the_page_to_the_bucket(msp: Visit, s3: S3StandIn) -> None:
    s3.portal_origin = msp.url
    msp.page.get_by_role("link", name="Firmware").click()
    upload(msp.page, "96.86.0.70", ROM)
    expect(msp.page.get_by_role("table", name="Firmware")).to_contain_text("T54W-96.86.0.70.rom (186 KiB)")
    assert [versions[-1].content for versions in s3.versions.values()] == [ROM]
    assert s3.refusals == ["NoSuchKey"]  # the API looking whether the file is there already


def test_a_bucket_that_does_not_let_the_page_in_is_told_and_no_firmware_is_made(tab: Visit, s3: S3StandIn) -> None:
    s3.portal_origin = "https://another.example"
    tab.log_in("msp@tandem.test", PASSWORD)
    tab.page.get_by_role("link", name="Firmware").click()
    upload(tab.page, "96.86.0.70", ROM)
    form = tab.page.get_by_role("form", name="Upload firmware")
    expect(form.get_by_role("alert")).to_be_visible()
    assert s3.versions == {}
    assert s3.refusals == ["NoSuchKey", "AccessForbidden"]
    refused = [one for one in tab.wrong if "CORS policy" not in one]
    tab.wrong.clear()
    assert refused == []
