"""The whole system for tests: everything `make run` starts, on free ports, in a folder of its own."""

import json
import os
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloud.local.api_client import ApiClient
from cloud.local.baresip import PhoneAccount
from cloud.local.demo_site import DOMAIN, DemoAccount
from cloud.local.settings import LocalSettings
from cloud.local.system import LocalSystem
from tests.support.feature_office import FeatureOffice, FeatureSite
from tests.support.phones.matrix import SCENARIOS, Matrix
from tests.support.raw_sip import RawPhone
from tests.support.sipp import SippAccount
from tests.support.waiting import eventually

_MATRICES = pytest.StashKey[dict[str, Matrix]]()
MATRIX_FILE = Path(__file__).parents[2] / "docs/peers.md"
"""Written when TANDEM_PEER_MATRIX is set."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Cells of the matrix of phones run by scenario, the restart of the edge last: the phones are started once."""
    places = [at for at, item in enumerate(items) if item.get_closest_marker("cell")]
    cells = sorted((items[at] for at in places), key=_place)
    for at, item in zip(places, cells, strict=True):
        items[at] = item


def _place(item: pytest.Item) -> tuple[str, int, bool, str]:
    """After the restart, phones over UDP are tried before any of them could have registered again."""
    row, column, table = _cell(item) or ("", "", "")
    return item.path.name, SCENARIOS.index(table or column), not row.endswith(", udp"), row


def _cell(item: pytest.Item) -> tuple[str, str, str] | None:
    """Row, column and table of a test that is a cell; the table of scenarios has no name."""
    marker = item.get_closest_marker("cell")
    if marker is None:
        return None
    row, column, *table = marker.args
    return row, column, table[0] if table else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Note what came of a cell."""
    report = yield
    if (cell := _cell(item)) and (report.when == "call" or not report.passed):
        row, column, table = cell
        matrices = item.config.stash.setdefault(_MATRICES, {"": Matrix(), "pairs": Matrix("caller", None)})
        if report.skipped:
            reason = report.longrepr[2].removeprefix("Skipped: ")
            result, _, why = reason.partition(": ")
            matrices[table].note(row, column, result, why)
        else:
            result, why = ("pass", "") if report.passed else ("FAIL", "see the test")
            matrices[table].note(row, column, result, why)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The matrix of phones; in its page of the documentation too when that is asked for."""
    matrices = config.stash.get(_MATRICES, None)
    if matrices is None:
        return
    lines = [line for matrix in matrices.values() if matrix.cells for line in (*matrix.lines(), "")]
    for line in lines:
        terminalreporter.write_line(line)
    if os.environ.get("TANDEM_PEER_MATRIX"):
        before = MATRIX_FILE.read_text(encoding="utf-8").partition("<!-- the last run -->")[0]
        MATRIX_FILE.write_text(f"{before}<!-- the last run -->\n\n" + "\n".join(lines).strip() + "\n", encoding="utf-8")


def settings_for(folder: Path, *more: str, **environment: str) -> LocalSettings:
    """Settings of a system in `folder`, on free ports, with more in the environment of its parts."""
    settings = LocalSettings.from_arguments(["--any-ports", "--state-dir", str(folder), *more])
    return replace(settings, environment={**settings.environment, **environment})


class Site:
    """The demo site of a running system, for tests."""

    def __init__(self, system: LocalSystem) -> None:
        assert system.running is not None
        self.system, self.running = system, system.running
        self.target = f"{self.running.sip_host}:{self.running.sip_port}"
        self.api = ApiClient(self.running.api_url)
        self.api.log_in(self.running.email, self.running.password)
        remembered = json.loads((system.settings.state_dir / "demo.json").read_text(encoding="utf-8"))
        self.accounts = tuple(DemoAccount(**phone) for phone in remembered["phones"])

    def sipp(self, which: int) -> SippAccount:
        """The account of phone `which` for sipp."""
        account = self.accounts[which]
        return SippAccount(account.username, account.auth_username, account.password)

    def phone(self, which: int, timeout: float = 1.0) -> RawPhone:
        """A plain client with the account of phone `which`."""
        account = self.accounts[which]
        target = (self.running.sip_host, self.running.sip_port)
        return RawPhone(target, account.username, account.auth_username, account.password, timeout=timeout)

    def real_phone(self, which: int) -> PhoneAccount:
        """The account of phone `which` for a user agent in `tests.support.phones`."""
        known = self.accounts[which]
        return PhoneAccount(known.username, known.auth_username, known.password, DOMAIN, self.target)

    def ask_for_services(self, *services: dict[str, object]) -> None:
        """Save these voice services and no others."""
        path = f"/sites/{self.running.site_id}/dial-plan"
        self.api.put(path, {"document": {**self.api.get(path)["document"], "voice_services": list(services)}})

    def serves(self, *service_ids: str) -> bool:
        """Whether the edge has these voice services and no others."""
        newest = self.api.get(f"/snapshots?site_id={self.running.site_id}&limit=1")["items"][0]
        content = self.api.get(f"/snapshots/{self.running.site_id}/{newest['version']}")["content"]
        there = {one["service_id"] for one in content["dial_plan"]["voice_services"]}
        return there == set(service_ids) and self.is_applied()

    def user_id(self, which: int) -> str:
        """The user of phone `which`."""
        (user,) = (
            user
            for user in self.api.items(f"/users?site_id={self.running.site_id}")
            if user["username"] == self.accounts[which].username
        )
        return str(user["id"])

    def without_mailboxes(self) -> "Site":
        """The same site when its users have none: a call that nobody takes ends as what it came to."""
        for user in self.api.items(f"/users?site_id={self.running.site_id}"):
            permissions = [one for one in user["permissions"] if one != "Voicemail"]
            self.api.patch(f"/users/{user['id']}", {"permissions": permissions})

        def gone() -> bool:
            newest = self.api.get(f"/snapshots?site_id={self.running.site_id}&limit=1")["items"][0]
            snapshot = self.api.get(f"/snapshots/{self.running.site_id}/{newest['version']}")
            published = not any("Voicemail" in one["permissions"] for one in snapshot["content"]["users"])
            return published and self.is_applied()

        eventually(gone, what="users without mailboxes at the edge")
        return self

    def state(self) -> dict[str, object]:
        """The site as the API shows it."""
        state: dict[str, object] = self.api.get(f"/sites/{self.running.site_id}")
        return state

    def is_applied(self) -> bool:
        """Whether nothing waits to be published and the edge runs the newest version."""
        state = self.api.get(f"/sites/{self.running.site_id}")
        newest = self.api.get(f"/snapshots?site_id={self.running.site_id}&limit=1")["items"][0]
        domain = self.api.get(f"/tenants/{self.running.tenant_id}")["domain"]
        snapshot = self.api.get(f"/snapshots/{self.running.site_id}/{newest['version']}")
        published = snapshot["content"]["site"]["domain"] == domain
        return published and [edge["applied_version"] for edge in state["edges"]] == [newest["version"]]


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """A running system that tests share: they leave it as they found it."""
    running = LocalSystem(settings_for(tmp_path_factory.mktemp("system")), None, None, lambda _: None)
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def shared_site(system: LocalSystem) -> Site:
    """The demo site of the shared system, logged in to once."""
    return Site(system).without_mailboxes()


@pytest.fixture
def site(shared_site: Site) -> Iterator[Site]:
    """The demo site of the shared system; no phone stays registered after the test."""
    yield shared_site
    for which in range(len(shared_site.accounts)):
        with shared_site.phone(which) as phone:
            assert phone.unregister_all().status == 200


@pytest.fixture
def own_system(tmp_path: Path) -> Iterator[LocalSystem]:
    """A running system that one test may break."""
    running = LocalSystem(settings_for(tmp_path / "own"), None, None, lambda _: None)
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module", params=["reached", "cut"])
def cloud(request: pytest.FixtureRequest) -> str:
    """What a test of a calling feature finds of the cloud: it runs once with each."""
    return str(request.param)


@pytest.fixture(scope="module")
def feature_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeatureSite]:
    """A site whose edge the tests of a module share."""
    running = FeatureSite(tmp_path_factory.mktemp("features"))
    yield running
    running.stop()


@pytest.fixture
def office(feature_site: FeatureSite, cloud: str, tmp_path: Path) -> Iterator[FeatureOffice]:
    """Users of its own for one test, with the cloud reached or cut from its begin to its end."""
    feature_site.have(cloud)
    with FeatureOffice(feature_site, tmp_path) as made:
        yield made
        feature_site.have(cloud)
