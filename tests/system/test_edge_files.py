"""What an edge keeps on its disk is for the agent's user alone, whatever the folder allows, and holds no password."""

from pathlib import Path

from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.raw_sip import RawPhone
from tests.support.snapshots import SMALL_SECRETS, small_snapshot


def test_every_file_is_for_the_agents_user_alone_and_none_shows_a_password(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    prepare_state(folder, small_snapshot(3), SMALL_SECRETS)
    edge = EdgeProcess(folder)
    try:
        with RawPhone(("127.0.0.1", edge.ports()["sip_udp"]), "200", "auth200", SMALL_SECRETS["s-1:1"]) as phone:
            assert phone.register().status == 200
        files = [path for path in folder.rglob("*") if path.is_file()]
        open_to_others = [path.name for path in files if path.stat().st_mode & 0o077]
        secret = [value.encode() for value in SMALL_SECRETS.values()]
        telling = [path.name for path in [*files, edge.errors] if any(one in path.read_bytes() for one in secret)]
    finally:
        edge.stop()
    assert {"sip.db", "outbox.db", "state.db", "status.json", "secrets.bin"} <= {path.name for path in files}
    assert open_to_others == []
    assert telling == []
