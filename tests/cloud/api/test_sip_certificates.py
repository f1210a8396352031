"""The certificate of a site's edge: signed by the tenant's authority, or brought and checked; its key stays hidden."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store
from pydantic import SecretStr
from sqlalchemy import select

from cloud.models import AuditEntry
from cloud.pbx.authority import Authority, Leaf
from cloud.pbx.publishing import latest_snapshot, publish_site
from cloud.pbx.secrets import SecretVersion, keep_secret, reveal_secret
from contract.snapshot import Snapshot
from tests.support.api_world import ApiWorld
from tests.support.customers import TOKENS

PLAIN = serialization.NoEncryption()


def path(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}/sip-certificate"


def domain(world: ApiWorld) -> str:
    found: str = world.admin.get(f"/tenants/{world.ours.tenant_id}").json["domain"]
    return found


def published(world: ApiWorld) -> Snapshot:
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "test")
    with world.databases.worker.session(world.ours.scope) as session:
        snapshot = latest_snapshot(session, world.ours.site_id)
    assert snapshot is not None
    return snapshot


def authority(world: ApiWorld) -> Authority:
    """Somebody else's."""
    return Authority.new("Another CA", world.clock.now())


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> str:
    seal = serialization.BestAvailableEncryption(password) if password else PLAIN
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, seal).decode()


def body(leaf: Leaf, *more: str) -> dict[str, str]:
    return {"certificate": leaf.certificate_pem.decode() + "".join(more), "key": leaf.key_pem.decode()}


def test_the_tenants_authority_signs_a_certificate_that_reaches_the_edge_with_its_key(world: ApiWorld) -> None:
    assert world.admin.get(path(world)).status == 404
    assert published(world).site.sip_certificate is None
    made = world.admin.post(path(world), {"names": ["Edge.Example.test", "192.0.2.10"]})
    assert made.status == 201, made.body
    shown = made.json
    assert (shown["issued"], shown["names"]) == (True, [domain(world), "edge.example.test", "192.0.2.10"])
    assert world.admin.get(path(world)).json == shown
    assert "PRIVATE" not in made.body.decode()
    # A phone that trusts the tenant's authority takes it for the domain.
    trusted = x509.load_pem_x509_certificate(shown["authority"].encode())
    leaf, *rest = x509.load_pem_x509_certificates(shown["chain"].encode())
    verifier = PolicyBuilder().store(Store([trusted])).time(world.clock.now())
    verifier.build_server_verifier(x509.DNSName(domain(world))).verify(leaf, rest)
    snapshot = published(world)
    certificate = snapshot.site.sip_certificate
    assert certificate is not None
    assert certificate.chain == shown["chain"]
    assert certificate.key in snapshot.secret_refs()
    with world.databases.api.session(world.ours.scope) as session:
        key = reveal_secret(session, world.services.keys, SecretVersion.parse(certificate.key))
    private = serialization.load_pem_private_key(key.get_secret_value().encode(), None)
    assert private.public_key() == leaf.public_key()


def test_a_certificate_is_renewed_by_the_same_authority_under_a_new_key(world: ApiWorld) -> None:
    first, second = (world.admin.post(path(world), {}).json for _ in range(2))
    assert first["authority"] == second["authority"]
    assert first["fingerprint"] != second["fingerprint"]
    certificate = published(world).site.sip_certificate
    assert certificate is not None
    assert SecretVersion.parse(certificate.key).version == 2


def test_a_certificate_that_somebody_brings_is_shown_with_its_chain(world: ApiWorld) -> None:
    theirs = authority(world)
    leaf = theirs.issue([f"edge.{domain(world)}"], world.clock.now())
    brought = world.admin.put(path(world), body(leaf, theirs.certificate_pem))
    assert brought.status == 200, brought.body
    assert (brought.json["issued"], brought.json["authority"]) == (False, None)
    assert brought.json["chain"].count("BEGIN CERTIFICATE") == 2
    assert brought.json["issuer"] == "CN=Another CA"
    with world.databases.api.session(world.ours.scope) as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "site.sip_certificate_changed")).all()
        assert [entry.changes for entry in entries] == [{"fingerprint": [None, brought.json["fingerprint"]]}]


def test_a_certificate_is_taken_away_and_the_edge_signs_its_own_again(world: ApiWorld) -> None:
    assert world.admin.delete(path(world)).status == 404
    world.admin.post(path(world), {})
    assert world.admin.delete(path(world)).status == 204
    assert world.admin.get(path(world)).status == 404
    assert published(world).site.sip_certificate is None


def test_whatever_is_wrong_with_a_certificate_is_named_and_nothing_is_kept(world: ApiWorld) -> None:
    theirs, others, now, name = authority(world), authority(world), world.clock.now(), domain(world)
    good = theirs.issue([name], now)
    locked = pem(ec.generate_private_key(ec.SECP256R1()), b"x")
    weak = pem(rsa.generate_private_key(65537, 1024))
    outside = f"is {name}, or a host under it"
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({**body(good), "key": theirs.issue([name], now).key_pem.decode()}, "key", "not the key of the certificate"),
        ({**body(good), "key": locked}, "key", "has a password"),
        ({**body(good), "key": weak}, "key", "2048 to 4096 bits"),
        ({**body(good), "key": "x"}, "key", "no private key"),
        ({**body(good), "certificate": "x"}, "certificate", "no certificate in PEM"),
        (body(theirs.issue([name], now - timedelta(days=400))), "certificate", "ended on"),
        (body(theirs.issue([name], now + timedelta(days=40))), "certificate", "begins on"),
        (body(theirs.issue(["other.test"], now)), "certificate", outside),
        (body(theirs.issue([f"evil{name}"], now)), "certificate", outside),
        (body(good, others.certificate_pem), "certificate", "was not signed by the one that follows"),
        (body(good, good.certificate_pem.decode()), "certificate", "Certificate 2 may not sign others"),
        (body(good, *([theirs.certificate_pem] * 8)), "certificate", "At most 8 certificates"),
        (
            {"certificate": theirs.certificate_pem, "key": theirs.key_pem.decode()},
            "certificate",
            "an authority's, not a server's",
        ),
    ]
    for sent, field, text in cases:
        answer = world.admin.put(path(world), sent)
        assert answer.status == 422, (text, answer.body)
        assert field in answer.fields, (text, answer.body)
        assert text in answer.body.decode()
        assert "PRIVATE" not in answer.body.decode()
    assert world.admin.get(path(world)).status == 404


def test_a_certificate_for_clients_only_and_one_without_names_are_refused(world: ApiWorld) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain(world))]), world.clock.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate = made.public_bytes(serialization.Encoding.PEM).decode()
    answer = world.admin.put(path(world), {"certificate": certificate, "key": pem(key)})
    assert answer.status == 422
    for text in ("not meant for a TLS server", "or a host under it"):
        assert text in answer.body.decode()


@pytest.mark.parametrize("name", ["a b", "-x.test", "x" * 254, "*.x.test", "a/b", "é.test"])
def test_only_host_names_and_addresses_can_be_signed(world: ApiWorld, name: str) -> None:
    assert world.admin.post(path(world), {"names": [name]}).status == 422
    assert world.admin.get(path(world)).status == 404


def test_another_tenant_sees_and_changes_nothing_of_it(world: ApiWorld) -> None:
    made = world.admin.post(path(world), {}).json
    leaf = authority(world).issue(["x.test"], world.clock.now())
    for answer in (
        world.stranger.get(path(world)),
        world.stranger.post(path(world), {}),
        world.stranger.put(path(world), body(leaf)),
        world.stranger.delete(path(world)),
    ):
        assert answer.status == 404
    assert world.admin.get(path(world)).json == made


def test_the_largest_key_that_is_allowed_fits_into_a_secret(world: ApiWorld) -> None:
    key = SecretStr(pem(rsa.generate_private_key(65537, 4096)))
    with world.databases.api.session(world.ours.scope) as session:
        kept = keep_secret(session, world.services.keys, TOKENS, world.ours.tenant_id, key)
        assert reveal_secret(session, world.services.keys, kept) == key
