"""Served for real: threads that never see each other's request, cheroot on a port, the portal, the installer."""

import http.client
import json
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from chalice.app import Chalice
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from cloud.api.app import make_app
from cloud.api.chalicelib.bridge import ThreadSafeResolver, mount
from cloud.api.wsgi import make_server, make_wsgi
from cloud.clock import SystemClock
from cloud.pbx.authority import Authority
from cloud.pbx.database import Database
from tests.support.api_world import ApiWorld, Client, MemoryAuthorityStore
from tests.support.serving import serving

THREADS, REQUESTS = 8, 1200


def fetch(address: tuple[str, int], target: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """One GET over a real socket."""
    connection = http.client.HTTPConnection(*address, timeout=10)
    try:
        connection.request("GET", target, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def test_concurrent_requests_never_see_each_others_event() -> None:
    app, api = Chalice(app_name="echo"), ThreadSafeResolver()
    together = threading.Barrier(THREADS)

    @api.get("/echo/<number>", operation_id="echo")
    def echo(number: int) -> dict[str, str | int]:
        if number < THREADS:
            together.wait(timeout=10)  # every thread is inside a handler at the same time
        return {"number": number, "path": api.current_event.path, "route": str(api.context["_route"].operation_id)}

    mount(app, api, {}, lambda _route, _event: None)
    client = Client(make_wsgi(app))
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda number: client.get(f"/echo/{number}").json, range(REQUESTS)))
    assert answers == [{"number": number, "path": f"/echo/{number}", "route": "echo"} for number in range(REQUESTS)]


def test_the_first_requests_at_once_run_each_middleware_once() -> None:
    app, api, seen = Chalice(app_name="echo"), ThreadSafeResolver(), []

    def count(resolver: object, following: object) -> object:
        seen.append(1)
        return following(resolver)  # type: ignore[operator]

    @api.get("/once", operation_id="once")
    def once() -> dict[str, int]:
        return {}

    api.use(middlewares=[count])  # type: ignore[list-item]
    mount(app, api, {}, lambda _route, _event: None)
    client = Client(make_wsgi(app))
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _number: client.get("/once"), range(64)))
    assert len(seen) == 64


def test_threads_of_two_tenants_each_see_their_own_rows(world: ApiWorld) -> None:
    clients = [world.admin, world.stranger]
    with ThreadPoolExecutor(6) as pool:
        pages = list(pool.map(lambda number: clients[number % 2].get("/sites").json["items"], range(120)))
    for number, items in enumerate(pages):
        wanted = world.ours if number % 2 == 0 else world.theirs
        assert [site["id"] for site in items] == [str(wanted.site_id)]


def test_cheroot_serves_the_api_on_a_port(world: ApiWorld) -> None:
    with serving(world.anyone.wsgi) as address:
        status, headers, body = fetch(address, "/sites", Authorization=f"Bearer {world.admin.token}")
        assert (status, headers["content-type"]) == (200, "application/json")
        assert headers["x-content-type-options"] == "nosniff"
        assert json.loads(body)["items"][0]["id"] == str(world.ours.site_id)
        again = fetch(address, "/sites", Authorization=f"Bearer {world.admin.token}", If_None_Match=headers["etag"])
        assert (again[0], again[2]) == (304, b"")
        assert fetch(address, "/sites")[0] == 401
        assert json.loads(fetch(address, "/openapi.json")[2])["openapi"].startswith("3.1")
        assert fetch(address, "/nothing")[0] == 404


def test_a_new_edge_reaches_the_api_by_a_certificate_of_the_clouds_ca_alone(world: ApiWorld, tmp_path: Path) -> None:
    now = SystemClock().now()
    authority = Authority.open(MemoryAuthorityStore(), now)
    leaf = authority.issue(["localhost", "127.0.0.1"], now)
    certificate, key = tmp_path / "tls.pem", tmp_path / "tls.key"
    certificate.write_bytes(leaf.certificate_pem)
    key.write_bytes(leaf.key_pem)
    trusting = ssl.create_default_context(cadata=authority.certificate_pem)
    with serving(world.anyone.wsgi, (certificate, key)) as address:
        connection = http.client.HTTPSConnection(*address, timeout=10, context=trusting)
        connection.request("GET", "/ca.pem")
        assert isinstance(connection.sock, ssl.SSLSocket)
        assert connection.sock.version() == "TLSv1.3"
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.read().decode() == world.services.ca.certificate_pem
        connection.close()


def test_tls_older_than_1_2_is_not_spoken(world: ApiWorld, tmp_path: Path) -> None:
    leaf = Authority.open(MemoryAuthorityStore(), SystemClock().now()).issue(["localhost"], SystemClock().now())
    certificate, key = tmp_path / "tls.pem", tmp_path / "tls.key"
    certificate.write_bytes(leaf.certificate_pem)
    key.write_bytes(leaf.key_pem)
    server = make_server(world.anyone.wsgi, "127.0.0.1", 0, certificate=(certificate, key))
    assert server.ssl_adapter.context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_portal_of_another_origin_may_ask_and_is_told_the_etag(world: ApiWorld) -> None:
    client = Client(make_wsgi(make_app(world.services, allowed_origin="https://portal.tandem.test")), world.admin.token)
    preflight = client.call("OPTIONS", "/users", headers={"Access-Control-Request-Method": "POST"})
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == "https://portal.tandem.test"
    assert "If-Match" in preflight.headers["access-control-allow-headers"]
    answer = client.get("/users")
    assert answer.headers["access-control-allow-origin"] == "https://portal.tandem.test"
    assert answer.headers["access-control-expose-headers"] == "ETag,Content-Range"


def test_a_browser_gets_the_portal_and_a_program_the_api(world: ApiWorld, tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>Portal</title>")
    (tmp_path / "assets" / "app.js").write_text("portal()")
    page = "text/html,application/xhtml+xml,*/*;q=0.8"
    with serving(make_wsgi(make_app(world.services), portal_dir=tmp_path)) as address:
        for target in ("/", "/sites", "/sites/0199/users"):
            status, headers, body = fetch(address, target, Accept=page)
            assert (status, body) == (200, b"<title>Portal</title>"), target
            assert headers["content-type"].startswith("text/html")
            assert "frame-ancestors 'none'" in headers["content-security-policy"], target
        for target, content in (("/assets/app.js", b"portal()"), ("/index.html", b"<title>Portal</title>")):
            status, headers, body = fetch(address, target)
            assert (status, body) == (200, content)
            assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
        assert fetch(address, "/sites", Accept="application/json")[0] == 401
        assert fetch(address, "/health", Accept=page)[1]["content-type"] == "application/json"


def test_without_a_built_portal_the_api_runs_all_the_same(world: ApiWorld, tmp_path: Path) -> None:
    client = Client(make_wsgi(make_app(world.services), portal_dir=tmp_path))
    assert client.get("/health").status == 200


def test_the_installers_files_are_served_from_their_folder_and_nothing_beside_it(
    world: ApiWorld, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("no")
    folder = tmp_path / "installer"
    (folder / "bundles").mkdir(parents=True)
    client = Client(make_wsgi(make_app(world.services), installer_dir=folder))
    assert client.get("/install.sh").status == 404
    (folder / "install.sh").write_text("#!/bin/sh")  # appears when it is built, also later
    (folder / "bundles" / "agent.tar").write_bytes(b"\x00" * 600_000)
    (folder / "bundles" / "link").symlink_to(tmp_path / "secret")
    script = client.get("/install.sh")
    assert (script.status, script.body) == (200, b"#!/bin/sh")
    assert script.headers["content-type"] == "text/x-shellscript"
    assert len(client.get("/bundles/agent.tar").body) == 600_000
    assert client.call("HEAD", "/bundles/agent.tar").headers["content-length"] == "600000"
    for target in ("/bundles/../../secret", "/bundles/link", "/bundles/", "/agent/x", "/bundles/\x00"):
        assert client.get(target).status == 404, target


def test_while_every_connection_to_the_database_is_in_use_the_answer_is_to_come_back(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_args: object, **_kwargs: object) -> object:
        raise NoConnectionFree("QueuePool limit of size 8 overflow 8 reached")

    monkeypatch.setattr(Database, "session", busy)
    for refused in (world.admin.get("/sites"), world.anyone.post("/sessions", {"email": "a@b.test", "password": "x"})):
        assert (refused.status, refused.headers["retry-after"]) == (503, "2")
        assert "QueuePool" not in refused.body.decode()


def test_the_api_says_that_it_is_not_ready_while_the_database_is_away(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_kwargs: object) -> object:
        raise OperationalError("select 1", {}, Exception("no route to 192.0.2.5"))

    monkeypatch.setattr(Database, "session", away)
    answer = world.anyone.get("/health")
    assert answer.status == 503
    assert answer.json["status"] == "database_unreachable"
    assert "192.0.2.5" not in answer.body.decode()
    for refused in (world.admin.get("/sites"), world.anyone.post("/sessions", {"email": "a@b.test", "password": "x"})):
        assert refused.status == 503
        assert refused.json["type"] == "urn:tandem:problem:unavailable"
        assert refused.headers["retry-after"] == "2"
        assert "192.0.2.5" not in refused.body.decode()
