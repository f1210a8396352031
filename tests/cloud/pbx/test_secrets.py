"""Secrets: enveloped in rows, sealed to one edge, readable with the right key only."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from pydantic import SecretStr

from cloud.models import Secret
from cloud.pbx.secrets import (
    MAX_VALUE_BYTES,
    FileKeyService,
    KmsKeyService,
    SecretTooLong,
    SecretUnreadable,
    SecretVersion,
    keep_secret,
    reveal_secret,
    seal_for_edge,
)
from contract.sync.messages import sealing_info
from tests.support.customers import TOKENS, Customer, EdgeAtSite, key_service
from tests.support.postgres import Databases


def test_a_value_is_kept_in_versions_and_each_can_be_read(databases: Databases, customer: Customer) -> None:
    keys = key_service()
    with databases.api.session(customer.scope) as session:
        first = keep_secret(session, keys, TOKENS, customer.tenant_id, SecretStr("one"))
        second = keep_secret(session, keys, TOKENS, customer.tenant_id, SecretStr("two"), first.secret_id)
        assert (first.version, second.version, first.secret_id) == (1, 2, second.secret_id)
        assert reveal_secret(session, keys, first).get_secret_value() == "one"
        assert reveal_secret(session, keys, SecretVersion.parse(second.ref)).get_secret_value() == "two"
        assert "one" not in repr(reveal_secret(session, keys, first))


def test_a_row_moved_to_another_version_or_opened_with_another_key_is_refused(
    databases: Databases, customer: Customer
) -> None:
    keys = key_service()
    with databases.api.session(customer.scope) as session:
        first = keep_secret(session, keys, TOKENS, customer.tenant_id, SecretStr("one"))
        second = keep_secret(session, keys, TOKENS, customer.tenant_id, SecretStr("two"), first.secret_id)
        with pytest.raises(SecretUnreadable):
            reveal_secret(session, key_service(), first)
        one = session.get_one(Secret, (first.secret_id, 1))
        two = session.get_one(Secret, (second.secret_id, 2))
        two.sealed, two.wrapped_key = one.sealed, one.wrapped_key
        with pytest.raises(SecretUnreadable):
            reveal_secret(session, keys, second)


def test_an_edge_alone_opens_what_is_sealed_for_it_and_under_its_own_reference_alone(
    databases: Databases, customer: Customer, edge: EdgeAtSite
) -> None:
    keys = key_service()
    with databases.api.session(customer.scope) as session:
        kept = [keep_secret(session, keys, TOKENS, customer.tenant_id, SecretStr(value)) for value in ("one", "two")]
    with databases.hub.session(edge.known.scope) as session:
        sealed = seal_for_edge(session, keys, edge.known, [secret.ref for secret in kept])
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    edge_id = str(edge.known.edge_id)
    opened = {
        secret.ref: suite.decrypt(secret.sealed, edge.sealing, info=sealing_info(edge_id, secret.ref))
        for secret in sealed
    }
    assert opened == {kept[0].ref: b"one", kept[1].ref: b"two"}
    with pytest.raises(InvalidTag):
        suite.decrypt(sealed[0].sealed, edge.sealing, info=sealing_info(edge_id, sealed[1].ref))


def test_another_tenants_secrets_are_not_sealed(databases: Databases, customer: Customer, edge: EdgeAtSite) -> None:
    with databases.hub.session(edge.known.scope) as session:
        assert seal_for_edge(session, key_service(), edge.known, [f"{TOKENS.id()}:1"]) == []
        assert seal_for_edge(session, key_service(), edge.known, []) == []


def test_a_value_that_is_too_long_is_refused_before_it_is_kept(databases: Databases, customer: Customer) -> None:
    with databases.api.session(customer.scope) as session, pytest.raises(SecretTooLong):
        keep_secret(session, key_service(), TOKENS, customer.tenant_id, SecretStr("x" * (MAX_VALUE_BYTES + 1)))


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "secrets.key"
    first, second = FileKeyService.open(path, TOKENS), FileKeyService.open(path, TOKENS)
    assert path.stat().st_mode & 0o777 == 0o600
    assert second.unwrap(first.key_id, first.wrap(b"data key")) == b"data key"
    assert [entry.name for entry in path.parent.iterdir()] == ["secrets.key"]


class FakeKms:
    """Wraps by reversing."""

    def encrypt(self, **wanted: Any) -> dict[str, Any]:
        return {"CiphertextBlob": wanted["Plaintext"][::-1]}

    def decrypt(self, **wanted: Any) -> dict[str, Any]:
        if wanted["KeyId"] != "arn:key":
            raise ClientError({"Error": {"Code": "IncorrectKeyException"}}, "Decrypt")
        return {"Plaintext": wanted["CiphertextBlob"][::-1]}


def test_kms_wraps_data_keys_and_its_refusal_is_ours(databases: Databases, customer: Customer) -> None:
    keys = KmsKeyService("arn:key", FakeKms)
    with databases.api.session(customer.scope) as session:
        kept = keep_secret(session, keys, TOKENS, customer.tenant_id, SecretStr("one"))
        assert reveal_secret(session, keys, kept).get_secret_value() == "one"
        session.get_one(Secret, (kept.secret_id, 1)).key_id = "arn:other"
        with pytest.raises(SecretUnreadable):
            reveal_secret(session, keys, kept)
