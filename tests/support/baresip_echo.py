"""Runs the media process and a baresip that calls its echo test, both in a network of their own.

To be started by
`unshare --map-root-user --net python -m tests.support.baresip_echo FOLDER PORT_OF_RTP ENCRYPTION CODEC TRAVERSAL`:
baresip takes no address of the loopback interface, and here it gets one that leads nowhere. What it heard lies in
FOLDER afterwards.
"""

import asyncio
import subprocess
import sys
from pathlib import Path

from edge_agent.media.embedded.engine import EngineSettings
from edge_agent.processes.media import MediaProcessSettings, build_media_process

SECONDS = 9
"""Of the call: the announcement is six seconds long."""
CONFIG = """module_path /usr/lib/baresip/modules
module g711.so
module g722.so
module opus.so
module srtp.so
module dtls_srtp.so
module ice.so
module aufile.so
module aubridge.so
module sndfile.so
module_app account.so
module_app menu.so
sip_listen 127.0.0.1:0
audio_source aufile,{folder}/tone.wav
audio_player aubridge,sink
audio_alert aubridge,alert
snd_path {folder}
rtcp_mux {muxed}
ice_turn no
"""
NETWORK = (
    "ip link set lo up",
    "ip link add phone0 type veth peer name phone1",
    "ip address add 10.77.0.1/24 dev phone0",
    "ip link set phone0 up",
    "ip link set phone1 up",
)


def prepare(folder: Path, encryption: str, codec: str, traversal: str) -> None:
    """The network and baresip's configuration; the caller has put `tone.wav` there. The words are baresip's."""
    for command in NETWORK:
        subprocess.run(command.split(), check=True)
    (folder / "config").write_text(CONFIG.format(folder=folder, muxed="yes" if traversal else "no"))
    account = f"<sip:200@127.0.0.1>;regint=0;audio_codecs={codec};mediaenc={encryption};medianat={traversal}"
    (folder / "accounts").write_text(f"{account}\n")
    (folder / "contacts").touch()


async def call(folder: Path, first_port: int) -> int:
    """Call and wait for baresip's end; its exit status, 1 when a call is left over."""
    engine = EngineSettings("0.0.0.0", first_port, first_port + 100)
    process = await build_media_process(MediaProcessSettings(engine=engine))
    dial = f"/dial sip:echo@127.0.0.1:{process.sip_port}"
    baresip = await asyncio.create_subprocess_exec(
        "baresip", "-f", str(folder), "-e", dial, "-t", str(SECONDS), stdin=asyncio.subprocess.DEVNULL
    )
    status = await baresip.wait()
    left = process.server.calls
    late = process.engine.lateness
    print(
        f"\nreceived drops {dict(process.engine.drops)}, ticks {late.ticks}, "
        f"late p99 {late.quantile_seconds(0.99) * 1000:.1f} ms, longest {late.longest_seconds * 1000:.1f} ms"
    )
    await process.close()
    return status or int(left > 0)


if __name__ == "__main__":
    here = Path(sys.argv[1])
    prepare(here, sys.argv[3], sys.argv[4], sys.argv[5])
    sys.exit(asyncio.run(call(here, int(sys.argv[2]))))
