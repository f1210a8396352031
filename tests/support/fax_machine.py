"""A fax machine in the public network: a FreeSWITCH of the test's own, which sends by `txfax`."""

import shutil
import socket
import subprocess
from pathlib import Path
from string import Template
from typing import Final, Self

from cloud.local.baresip import free_pair
from tests.support.fax_files import Sheet, tiff
from tests.support.waiting import eventually

HOST: Final = "127.0.0.1"
STATION: Final = "+49 30 1234"
_ROW: Final = "001" + "10011" + "000101" + "1"
"""T.6: columns 8 to 15 are black (horizontal mode), all others as in the white row before (vertical mode)."""
_CONFIG: Final = Template("""<?xml version="1.0"?>
<document type="freeswitch/xml"><section name="configuration">
<configuration name="modules.conf"><modules><load module="mod_logfile"/><load module="mod_event_socket"/>
<load module="mod_commands"/><load module="mod_dptools"/><load module="mod_spandsp"/><load module="mod_sofia"/>
</modules></configuration>
<configuration name="switch.conf"><settings><param name="loglevel" value="info"/></settings></configuration>
<configuration name="event_socket.conf"><settings><param name="listen-ip" value="$host"/>
<param name="listen-port" value="$control"/><param name="password" value="fax"/>
<param name="apply-inbound-acl" value="loopback.auto"/></settings></configuration>
<configuration name="logfile.conf"><settings/><profiles><profile name="default"><settings/><mappings>
<map name="all" value="info,notice,warning,err,crit,alert"/></mappings></profile></profiles></configuration>
<configuration name="sofia.conf"><profiles><profile name="fax"><settings><param name="sip-ip" value="$host"/>
<param name="sip-port" value="$sip"/><param name="rtp-ip" value="$host"/><param name="dialplan" value="XML"/>
<param name="context" value="none"/><param name="rtp-timer-name" value="soft"/>
<param name="inbound-codec-prefs" value="PCMA,PCMU"/><param name="outbound-codec-prefs" value="PCMA,PCMU"/>
</settings></profile></profiles></configuration></section></document>
""")


def sheet(rows: int) -> Sheet:
    """A page as wide as paper, with a black line down its left side; in so many rows."""
    bits = _ROW + "111" * (rows - 1)
    size = -(-len(bits) // 8)
    return Sheet(rows=rows, strips=(int(bits.ljust(8 * size, "0"), 2).to_bytes(size, "big"),))


class FaxMachine:
    """Sends faxes.

    Args:
        folder: for its files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self._control = folder, free_pair(), free_pair()
        program = shutil.which("freeswitch")
        assert program is not None
        for part in ("conf", "log", "db", "run"):
            (folder / part).mkdir(parents=True)
        config = _CONFIG.substitute(host=HOST, sip=self.port, control=self._control)
        (folder / "conf/freeswitch.xml").write_text(config)
        places = [word for part in ("conf", "log", "db", "run") for word in (f"-{part}", str(folder / part))]
        self._process = subprocess.Popen(
            [program, "-nf", "-nc", "-np", "-nonat", *places], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> Self:
        try:
            eventually(self._is_ready, 60, "the fax machine is ready")
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(10)

    def send(self, number: str, at: int, sender: str, *sheets: Sheet, t38: bool = False) -> str:
        """Call a number and send; the call's id once it was answered, or why it was not.

        Args:
            number: which is called.
            at: UDP port that is called.
            sender: number of the machine.
            sheets: the pages.
            t38: it takes T.38 up when it is asked for (ITU-T T.38), in place of tones in the audio.
        """
        file = self.folder / "sent.tif"
        file.write_bytes(tiff(*sheets))
        settings = (
            f"origination_caller_id_number={sender},fax_ident='{STATION}',fax_enable_t38={str(t38).lower()},"
            "ignore_early_media=true"
        )
        return self.ask(f"originate {{{settings}}}sofia/fax/{number}@{HOST}:{at} &txfax({file})")

    def hang_up(self, call: str) -> None:
        """End a call at once."""
        assert self.ask(f"uuid_kill {call}").startswith("+OK")

    def said(self) -> str:
        """What it wrote into its log."""
        return (self.folder / "log/freeswitch.log").read_text()

    def ask(self, command: str) -> str:
        """What it answers to a command of its console."""
        with socket.create_connection((HOST, self._control), 60) as connection, connection.makefile("rb") as answers:
            connection.sendall(f"auth fax\n\napi {command}\n\n".encode())
            size = 0
            for line in answers:
                if line.startswith(b"Content-Length:"):
                    size = int(line.partition(b":")[2])
                elif line == b"\n" and size:
                    return answers.read(size).decode().strip()
        return ""

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, self.said()[-3000:]
        try:
            return "RUNNING" in self.ask("sofia status")
        except OSError:
            return False
