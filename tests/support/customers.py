"""Customers in the test database: MSPs with tenants, sites, users, phones and edges, made without the API."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import SecretStr
from sqlalchemy.orm import Session

from cloud.clock import SystemClock
from cloud.models import Device, Edge, Line, Msp, Site, Tenant, User
from cloud.pbx.database import PLATFORM, Database, Scope
from cloud.pbx.edges import KnownEdge, create_edge
from cloud.pbx.enrollment import EnrollmentRequest, issue_code, proof_text, redeem_code
from cloud.pbx.secrets import FileKeyService, keep_secret
from cloud.tokens import SystemTokens

TOKENS = SystemTokens(SystemClock())
_numbers = itertools.count(1)


class HandClock:
    """A clock that tests move; it starts a little ahead of the database's, so that what is due there is due here."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC) + timedelta(seconds=60)
        self._monotonic = 1000.0

    def monotonic(self) -> float:
        return self._monotonic

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Let time pass; the new moment."""
        self._monotonic += seconds
        self._now += timedelta(seconds=seconds)
        return self._now


@dataclass
class EdgeAtSite:
    """An enrolled edge with the private keys that only it knows."""

    known: KnownEdge
    identity: Ed25519PrivateKey
    sealing: X25519PrivateKey


@dataclass
class Customer:
    """A tenant with one site."""

    msp_id: UUID
    tenant_id: UUID
    site_id: UUID
    users: list[UUID] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        return Scope(tenant_id=self.tenant_id)


def key_service() -> FileKeyService:
    """A key service whose key is nowhere else."""
    return FileKeyService(TOKENS.secret(), TOKENS)


def new_customer(database: Database, msp_id: UUID | None = None) -> Customer:
    """An MSP (unless given), a tenant of it and a site."""
    number = next(_numbers)
    with database.session(PLATFORM) as session:
        if msp_id is None:
            msp_id = TOKENS.id()
            session.add(Msp(id=msp_id, name=f"MSP {number}"))
            session.flush()
        customer = Customer(msp_id=msp_id, tenant_id=TOKENS.id(), site_id=TOKENS.id())
        domain = f"customer{number}.tandem.test"
        session.add(Tenant(id=customer.tenant_id, msp_id=msp_id, name="Customer", domain=domain, realm=f"r{number}"))
        session.flush()
        session.add(Site(id=customer.site_id, tenant_id=customer.tenant_id, name="Main site"))
    return customer


def add_user(session: Session, customer: Customer, extension: str, name: str = "Reception") -> User:
    """A user who is dialled by an extension."""
    user = User(
        id=TOKENS.id(),
        tenant_id=customer.tenant_id,
        site_id=customer.site_id,
        username=extension,
        display_name=name,
    )
    session.add(user)
    session.flush()
    customer.users.append(user.id)
    return user


def add_phone(session: Session, customer: Customer, user: User, keys: FileKeyService, password: str, mac: str) -> Line:
    """A device with one line for the user."""
    device = Device(
        id=TOKENS.id(), tenant_id=customer.tenant_id, site_id=customer.site_id, mac=mac, model="generic/sip"
    )
    session.add(device)
    secret = keep_secret(session, keys, TOKENS, customer.tenant_id, SecretStr(password))
    line = Line(
        id=TOKENS.id(),
        tenant_id=customer.tenant_id,
        site_id=customer.site_id,
        user_id=user.id,
        device_id=device.id,
        auth_username=f"{user.username}-{mac[-4:]}",
        secret_id=secret.secret_id,
        secret_version=secret.version,
    )
    session.add(line)
    session.flush()
    return line


def enrollment_request(token: str) -> tuple[EnrollmentRequest, Ed25519PrivateKey, X25519PrivateKey]:
    """What an edge sends, with keys made for it."""
    identity, sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    request = EnrollmentRequest(
        token=token,
        identity_key=identity.public_key().public_bytes_raw(),
        sealing_key=sealing.public_key().public_bytes_raw(),
        proof=identity.sign(proof_text(token)),
    )
    return request, identity, sealing


def new_edge(database: Database, customer: Customer, now: datetime) -> Edge:
    """An edge that has not enrolled."""
    with database.session(customer.scope) as session:
        return create_edge(session, TOKENS, customer.site_id, "Edge")


def enrolled_edge(database: Database, customer: Customer, now: datetime) -> EdgeAtSite:
    """An edge that has enrolled."""
    with database.session(customer.scope) as session:
        edge = create_edge(session, TOKENS, customer.site_id, "Edge")
        token = issue_code(session, TOKENS, edge, now).token
    request, identity, sealing = enrollment_request(token)
    enrolled = redeem_code(database, request, now)
    known = KnownEdge(
        edge_id=enrolled.edge_id,
        tenant_id=enrolled.tenant_id,
        site_id=enrolled.site_id,
        identity_key=request.identity_key,
        sealing_key=request.sealing_key,
        revoked=False,
    )
    return EdgeAtSite(known=known, identity=identity, sealing=sealing)
