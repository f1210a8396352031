"""The API's composition root: the one place where its concrete parts are chosen.

`create_app(settings)` makes the Chalice application. Lambda and the Chalice command line look for `app` (and for the
authorizer by its name) in this module: both are made at first sight, from the environment, so that importing this
module needs no settings.
"""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from chalice.app import Chalice, CORSConfig

from cloud.api.chalicelib import (
    accounts,
    authorization_codes,
    call_backs,
    call_handling,
    call_recordings,
    conference_recordings,
    conferences,
    device_levels,
    device_plugins,
    devices,
    dial_plans,
    edges,
    firmware,
    firmware_rollouts,
    health,
    hot_desks,
    lines,
    listening,
    mailboxes,
    messages,
    number_pools,
    observation,
    phone_passwords,
    phonebook,
    phones,
    queue_history,
    queues,
    redirects,
    reports,
    sip_certificates,
    sites,
    snapshots,
    sound_files,
    sounds,
    tenants,
    trunks,
    users,
    webhooks,
)
from cloud.api.chalicelib.authorizer import SCHEME, guard, make_authorizer
from cloud.api.chalicelib.bridge import ThreadSafeResolver, mount
from cloud.api.chalicelib.listening_tickets import ListeningTickets
from cloud.api.chalicelib.openapi import describe_itself
from cloud.api.chalicelib.problem import CONTENT_TYPE, handle_problems, problem_of_status, problem_response
from cloud.api.chalicelib.services import Ca, HubAddress, Services
from cloud.api.chalicelib.tokens import AccessTokens
from cloud.api.chalicelib.work import etag_middleware, work_middleware
from cloud.api.settings import Settings, read_settings
from cloud.api.uploads import uploads_of
from cloud.clock import Clock, SystemClock
from cloud.objects import S3Places, S3Store, s3_client
from cloud.pbx.authentication import FailureCounter, Gate
from cloud.pbx.blobs import Files
from cloud.pbx.database import Database
from cloud.pbx.passwords import Passwords
from cloud.pbx.secrets import FileKeyService, KeyService, KmsKeyService
from cloud.tokens import SystemTokens, Tokens
from contract.devices import load_catalogue

RESOURCES = (
    accounts,
    tenants,
    sites,
    sip_certificates,
    users,
    lines,
    mailboxes,
    messages,
    devices,
    device_levels,
    phone_passwords,
    phones,
    device_plugins,
    firmware,
    firmware_rollouts,
    redirects,
    dial_plans,
    sound_files,
    sounds,
    trunks,
    number_pools,
    call_backs,
    call_recordings,
    call_handling,
    phonebook,
    authorization_codes,
    conference_recordings,
    conferences,
    listening,
    queues,
    queue_history,
    hot_desks,
    edges,
    snapshots,
    reports,
    observation,
    webhooks,
    health,
)


def make_api() -> APIGatewayRestResolver:
    """Every operation, with validation and problems; it answers once `services` are behind it."""
    api = ThreadSafeResolver()
    handle_problems(api)
    for resource in RESOURCES:
        api.include_router(resource.router)
    describe_itself(api)
    return api


def make_app(services: Services, allowed_origin: str | None = None) -> Chalice:
    """The Chalice application on these services.

    Args:
        allowed_origin: the portal's origin, where that is not the API's own.
    """
    app = Chalice(app_name="tandem-api")
    app.log.propagate = True
    app.api.binary_types.append("application/pdf")
    if allowed_origin is not None:
        headers = ["Authorization", "Content-Type", "If-Match", "If-None-Match", "If-Range", "Range"]
        app.api.cors = CORSConfig(
            allow_origin=allowed_origin, allow_headers=headers, expose_headers=["ETag", "Content-Range"], max_age=600
        )

    @app.middleware("http")
    def problems_only(event: Any, get_response: Any) -> Any:
        """What Chalice refuses by itself is told like everything else; no browser guesses what an answer is."""
        response = get_response(event)
        if response.status_code >= 400 and response.headers.get("Content-Type") not in {
            CONTENT_TYPE,
            "application/json",
        }:
            allow = response.headers.get("Allow")
            response = problem_response(problem_of_status(response.status_code))
            if allow is not None:
                response.headers["Allow"] = allow
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response

    api = make_api()
    api.use(middlewares=[etag_middleware, work_middleware(services)])
    mount(app, api, {SCHEME: make_authorizer(app, services.access)}, guard)
    return app


def make_services(settings: Settings, clock: Clock | None = None, passwords: Passwords | None = None) -> Services:
    """The concrete parts that the settings ask for.

    Args:
        clock: the machine's, unless a test brings its own.
        passwords: with the cost of production, unless a test brings cheaper ones.
    """
    clock = clock or SystemClock()
    tokens = SystemTokens(clock)
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.database_pool)
    gate = Gate(database, clock, tokens, passwords or Passwords(), FailureCounter(clock))
    return Services(
        database=database,
        clock=clock,
        tokens=tokens,
        access=AccessTokens(settings.token_key, clock),
        listening=ListeningTickets(settings.token_key, clock, secure=settings.public_url.startswith("https:")),
        gate=gate,
        keys=_key_service(settings, tokens),
        catalogue=load_catalogue(),
        ca=Ca.of(settings.ca_pem_text()),
        hub=HubAddress(settings.hub_host, settings.hub_quic_port, settings.hub_websocket_url),
        enrollment_url=settings.enrollment_url or settings.public_url,
        installer_url=settings.installer_url or f"{settings.public_url}/install.sh",
        files=_files(settings, clock, tokens),
        insecure_webhooks=settings.insecure_webhooks,
    )


def _files(settings: Settings, clock: Clock, tokens: SystemTokens) -> Files | None:
    if settings.objects_bucket is not None:
        client, bucket = s3_client(), settings.objects_bucket
        return Files(S3Store(bucket, client), S3Places(bucket, client, clock), settings.files_quota_bytes)
    uploads = uploads_of(settings, clock, tokens)
    return None if uploads is None else Files(*uploads, settings.files_quota_bytes)


def _key_service(settings: Settings, tokens: Tokens) -> KeyService:
    if settings.key_file is None:
        return KmsKeyService(settings.kms_key_arn or "")
    return FileKeyService.open(settings.key_file, tokens)


def create_app(settings: Settings) -> Chalice:
    """The whole API, as the settings ask for it."""
    return make_app(make_services(settings), settings.allowed_origin)


def __getattr__(name: str) -> Any:
    """`app` and its authorizer, at first sight (PEP 562)."""
    if name not in {"app", "authorize"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    app = create_app(read_settings())
    globals()["app"] = app
    globals()["authorize"] = app.handler_map["authorize"]
    return globals()[name]
