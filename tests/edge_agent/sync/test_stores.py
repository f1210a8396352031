"""Snapshot, secrets, state and identity on disk: whole or not there, and never a reason not to start."""

import json
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from contract.sync.state import Stamp, StateRecord
from edge_agent.durable_file import write_durably
from edge_agent.sync.errors import IdentityUnreadable, NotEnrolled
from edge_agent.sync.identity import EdgeKeys, HubAddress, Identity, UnsealFailed, load_identity, save_identity
from edge_agent.sync.secret_store import SecretStore
from edge_agent.sync.state_store import StateStore
from edge_agent.sync.store import SnapshotStore
from tests.support.counted_tokens import CountedTokens
from tests.support.hand_clock import HandClock
from tests.support.snapshots import small_snapshot

KEY = b"k" * 32


def test_a_saved_snapshot_is_loaded_again(tmp_path: Path) -> None:
    SnapshotStore(tmp_path).save(small_snapshot(3))
    assert SnapshotStore(tmp_path).load() == small_snapshot(3)


def test_without_a_snapshot_there_is_none(tmp_path: Path) -> None:
    assert SnapshotStore(tmp_path / "nothing").load() is None


def test_a_current_file_cut_at_any_byte_falls_back_to_the_previous_one(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.save(small_snapshot(1))
    store.save(small_snapshot(2))
    whole = (tmp_path / "current.json").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "current.json").write_bytes(whole[:length])
        loaded = store.load()
        assert loaded is not None
        assert loaded.version == 1, length


def test_a_changed_byte_anywhere_is_noticed(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.save(small_snapshot(1))
    store.save(small_snapshot(2))
    whole = bytearray((tmp_path / "current.json").read_bytes())
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 0x01
        (tmp_path / "current.json").write_bytes(changed)
        loaded = store.load()
        assert loaded is not None
        assert loaded.version == 1


def test_saving_over_a_damaged_current_file_does_not_spoil_the_previous_one(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.save(small_snapshot(1))
    store.save(small_snapshot(2))
    (tmp_path / "current.json").write_bytes(b"half")
    store.save(small_snapshot(3))
    (tmp_path / "current.json").unlink()
    loaded = store.load()
    assert loaded is not None
    assert loaded.version == 1


def test_when_both_files_are_damaged_there_is_no_snapshot_and_no_error(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.save(small_snapshot(1))
    store.save(small_snapshot(2))
    for name in ("current.json", "previous.json"):
        (tmp_path / name).write_bytes(b"\xff" * 100)
    assert store.load() is None


def test_a_full_disk_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge_agent.durable_file.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_secrets_are_kept_encrypted_and_opened_with_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "secrets.bin"
    SecretStore(path, KEY, CountedTokens()).add({"a:1": SecretStr("planted-secret"), "b:2": SecretStr("other")})
    assert b"planted-secret" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = SecretStore(path, KEY, CountedTokens())
    assert again.values()["a:1"].get_secret_value() == "planted-secret"
    assert "planted-secret" not in repr(again.values())
    assert again.refs() == {"a:1", "b:2"}


def test_old_secrets_are_forgotten(tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "secrets.bin", KEY, CountedTokens())
    store.add({"a:1": SecretStr("old"), "a:2": SecretStr("new")})
    store.keep_only({"a:2"})
    assert SecretStore(tmp_path / "secrets.bin", KEY, CountedTokens()).refs() == {"a:2"}


def test_a_secrets_file_cut_at_any_byte_or_of_another_key_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "secrets.bin"
    SecretStore(path, KEY, CountedTokens()).add({"a:1": SecretStr("value")})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert SecretStore(path, KEY, CountedTokens()).refs() == frozenset()
        assert not path.exists()
    path.write_bytes(whole)
    assert SecretStore(path, b"x" * 32, CountedTokens()).refs() == frozenset()
    assert (tmp_path / "secrets.bin.corrupt").exists()


def record(key: str, value: str, wall_ms: int, node: str = "cloud") -> StateRecord:
    return StateRecord(key=key, value=value, stamp=Stamp(wall_ms=wall_ms, node=node))


def test_a_record_written_here_stays_unconfirmed_until_the_cloud_shows_it(tmp_path: Path) -> None:
    store = StateStore.open(tmp_path / "state.db", "edge-1", HandClock())
    written = store.write("forward/user-1", "203")
    assert store.unconfirmed() == (written,)
    assert store.merge([written]) == ()
    assert store.unconfirmed() == ()
    store.close()


def test_an_older_record_from_the_cloud_neither_wins_nor_confirms(tmp_path: Path) -> None:
    store = StateStore.open(tmp_path / "state.db", "edge-1", HandClock())
    written = store.write("forward/user-1", "203")
    assert store.merge([record("forward/user-1", "204", wall_ms=1)]) == ()
    assert store.unconfirmed() == (written,)
    assert store.records() == (written,)
    store.close()


def test_a_newer_record_from_the_cloud_wins_and_the_next_write_here_is_newer_still(tmp_path: Path) -> None:
    clock = HandClock()
    store = StateStore.open(tmp_path / "state.db", "edge-1", clock)
    store.write("forward/user-1", "203")
    newer = record("forward/user-1", "204", wall_ms=int(clock.now().timestamp() * 1000) + 5000)
    assert store.merge([newer]) == (newer,)
    assert store.unconfirmed() == ()
    store.close()
    store = StateStore.open(tmp_path / "state.db", "edge-1", clock)
    assert store.write("forward/user-1", "205").stamp.order() > newer.stamp.order()
    store.close()


def test_a_damaged_state_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"nothing of the kind" * 100)
    store = StateStore.open(tmp_path / "state.db", "edge-1", HandClock())
    assert store.records() == ()
    store.close()


def identity() -> Identity:
    hub = HubAddress(host="hub.tandem.test", quic_port=8444, websocket_url="wss://hub.tandem.test:8444/channel")
    return Identity("edge-1", "site-1", hub, "-----BEGIN CERTIFICATE-----", EdgeKeys.generate())


def test_an_identity_is_read_as_it_was_written_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    written = identity()
    save_identity(tmp_path, written)
    read = load_identity(tmp_path)
    assert (read.edge_id, read.site_id, read.hub, read.ca_pem) == ("edge-1", "site-1", written.hub, written.ca_pem)
    assert read.keys.raw() == written.keys.raw()
    assert read.storage_key() == written.storage_key()
    assert stat.S_IMODE((tmp_path / "identity.json").stat().st_mode) == 0o600
    key = json.loads((tmp_path / "identity.json").read_text())["identity_key"]
    assert key not in repr(read)


def test_without_an_identity_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotEnrolled):
        load_identity(tmp_path)


def test_an_identity_file_cut_at_any_byte_gives_the_one_error_without_its_content(tmp_path: Path) -> None:
    save_identity(tmp_path, identity())
    path = tmp_path / "identity.json"
    whole = path.read_bytes()
    for length in range(len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(IdentityUnreadable):
            load_identity(tmp_path)


def test_a_secret_sealed_for_another_reference_does_not_open(tmp_path: Path) -> None:
    keys = EdgeKeys.generate()
    for sealed in (b"", b"short", b"x" * 200):
        with pytest.raises(UnsealFailed):
            keys.unseal("edge-1", "a:1", sealed)
