"""The hub process: `python -m cloud.hub`, told everything by the environment (`cloud.hub.settings`).

Prints `ready {"host": …, "quic_port": …, "websocket_port": …}` once it listens; SIGTERM and SIGINT stop it cleanly.
"""

import asyncio
import json
import logging
import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from cloud.clock import Clock, SystemClock
from cloud.errors import CloudError
from cloud.hub import quic, websocket
from cloud.hub.actions import SessionSettings
from cloud.hub.certificate import ServerCertificate
from cloud.hub.feed import Feed
from cloud.hub.hub import Hub, HubSettings
from cloud.hub.settings import Settings, SettingsWrong, read_settings
from cloud.hub.site_store import PbxStore
from cloud.logs import write_logs
from cloud.objects import FolderStore, ObjectStore, S3Store, s3_client
from cloud.pbx.authority import Authority, FileAuthorityStore
from cloud.pbx.database import Database
from cloud.pbx.secrets import FileKeyService, KeyService, KmsKeyService
from cloud.tokens import SystemTokens, Tokens

log = logging.getLogger("cloud.hub")

_GOODBYE_SECONDS: Final = 0.3
"""How long goodbyes may take to get out when the hub stops."""


def main() -> int:
    """Run until told to stop; the exit status."""
    try:
        settings = read_settings()
    except SettingsWrong as error:
        print(f"tandem hub: {error}", file=sys.stderr)  # noqa: T201
        return 2
    write_logs(settings.log_level, settings.log_format)
    try:
        asyncio.run(_run(settings))
    except (CloudError, OSError) as error:
        log.critical("the hub cannot run: %s", error)
        return 1
    return 0


async def _run(settings: Settings) -> None:
    clock = SystemClock()
    tokens = SystemTokens(clock)
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.database_threads)
    executor = ThreadPoolExecutor(settings.database_threads, thread_name_prefix="hub-database")
    blob_executor = ThreadPoolExecutor(settings.blob_threads, thread_name_prefix="hub-blobs")
    keys, objects = _key_service(settings, tokens), _objects(settings, tokens)
    store = PbxStore(database, keys, clock, tokens, settings.lease_seconds, objects)
    session = SessionSettings(blob_bytes_per_second=settings.blob_bytes_per_second)
    limits = HubSettings(session, lease_renewal=settings.lease_seconds / 3, poll=settings.poll_seconds)
    hub = Hub(store, executor, clock, limits, blob_executor)
    certificate = _certificate(settings, clock)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    on_quic = await quic.serve_quic(hub, settings.host, settings.quic_port, certificate, tokens)
    on_websocket = await websocket.serve_websocket(hub, settings.host, settings.websocket_port, certificate, tokens)
    feed = Feed(
        database,
        woken=lambda site_id: loop.call_soon_threadsafe(hub.wake, site_id),
        missed=lambda: loop.call_soon_threadsafe(hub.wake_all),
    )
    feed.start()
    work = loop.create_task(hub.run())
    ready = {
        "host": settings.host,
        "quic_port": quic.bound_port(on_quic),
        "websocket_port": websocket.bound_port(on_websocket),
    }
    print("ready", json.dumps(ready), flush=True)  # noqa: T201
    stopping = loop.create_task(stop.wait())
    await asyncio.wait([stopping, work], return_when=asyncio.FIRST_COMPLETED)
    hub.shut_down()
    await asyncio.wait([stopping], timeout=_GOODBYE_SECONDS)
    work.cancel()
    on_quic.close()
    on_websocket.close()
    await on_websocket.wait_closed()
    await asyncio.to_thread(feed.stop)
    # Waits for what is under way: leases are released, events that were taken are kept.
    await asyncio.to_thread(blob_executor.shutdown, cancel_futures=True)
    await asyncio.to_thread(executor.shutdown)
    database.close()
    if work.done() and not work.cancelled() and (error := work.exception()) is not None:
        raise error


def _key_service(settings: Settings, tokens: Tokens) -> KeyService:
    if settings.secrets_key_file is not None:
        return FileKeyService.open(settings.secrets_key_file, tokens)
    return KmsKeyService(settings.secrets_kms_key)


def _objects(settings: Settings, tokens: Tokens) -> ObjectStore | None:
    if settings.objects_bucket:
        return S3Store(settings.objects_bucket, s3_client())
    return FolderStore(settings.objects_folder, tokens) if settings.objects_folder is not None else None


def _certificate(settings: Settings, clock: Clock) -> ServerCertificate:
    if settings.certificate_file is not None and settings.key_file is not None:
        return ServerCertificate.load(settings.certificate_file, settings.key_file)
    if settings.authority_file is None:
        raise SettingsWrong("there is no certificate")
    authority = Authority.open(FileAuthorityStore(settings.authority_file), clock.now())
    names = [name.strip() for name in (settings.names or settings.host).split(",") if name.strip()]
    leaf = authority.issue(names, clock.now())
    # OpenSSL loads keys from files only; this one lives as long as it takes to read it.
    with tempfile.TemporaryDirectory(prefix="tandem-hub-") as folder:
        certificate_path, key_path = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
        certificate_path.write_bytes(leaf.certificate_pem)
        key_path.touch(mode=0o600)
        key_path.write_bytes(leaf.key_pem)
        return ServerCertificate.load(certificate_path, key_path)


if __name__ == "__main__":
    sys.exit(main())
