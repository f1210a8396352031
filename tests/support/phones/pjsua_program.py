"""A phone made of pjsua2, run as a process of its own: a failed assertion in its C code ends the interpreter.

Takes one JSON list a line (a verb and its arguments) and prints one (what was seen, and a detail). Everything, the
reading of commands too, happens in one thread: pjsua2 calls back into Python from the thread that polls it.
"""

import json
import os
import select
import sys
import threading
from pathlib import Path
from typing import Any

import pjsua2

SHORTEST_REGISTRATION = 60
AT_ONCE = ("\r\nAnswer-Mode: Auto", ";answer-after=0")
"""What a phone on a desk answers by itself; pjsua2 leaves it to its program."""


# The library writes on standard output as it likes; what is for the driver goes where standard output was.
_DRIVER = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


def tell(what: str, detail: str = "") -> None:
    """One line for the driver."""
    _DRIVER.write(json.dumps([what, detail]) + "\n")


class Call(pjsua2.Call):  # type: ignore[misc]  # pjsua2 ships no types
    """One call."""

    def __init__(self, account: "Account", call_id: int = -1) -> None:
        super().__init__(account, call_id)
        self._account = account
        self._answered = self._remote_hold = False
        self._recorder: Any = None
        """Of what the other end says."""

    def onCallState(self, _: Any) -> None:
        info = self.getInfo()
        if info.state == pjsua2.PJSIP_INV_STATE_EARLY and info.role == pjsua2.PJSIP_ROLE_UAC:
            tell("RINGING")
        elif info.state == pjsua2.PJSIP_INV_STATE_CONFIRMED:
            self._answered = True
            tell("ANSWERED")
        elif info.state == pjsua2.PJSIP_INV_STATE_DISCONNECTED:
            self._recorder = None
            tell("CLOSED", "" if self._answered else str(info.lastStatusCode))
            self._account.calls.remove(self)

    def onCallMediaState(self, _: Any) -> None:
        info = self.getInfo()
        for at, media in enumerate(info.media):
            held = media.status == pjsua2.PJSUA_CALL_MEDIA_REMOTE_HOLD
            if held != self._remote_hold:
                tell("HELD" if held else "RESUMED")
                self._remote_hold = held
            if media.type == pjsua2.PJMEDIA_TYPE_AUDIO and media.status == pjsua2.PJSUA_CALL_MEDIA_ACTIVE:
                media = self.getAudioMedia(at)
                self._account.tone.startTransmit(media)
                if self._recorder is None:
                    self._recorder = pjsua2.AudioMediaRecorder()
                    self._recorder.createRecorder(f"{self._account.recordings}.{self.getId()}.wav")
                media.startTransmit(self._recorder)

    def onCallTransferStatus(self, prm: Any) -> None:
        """The other end has reached whom it was sent to: we are no longer needed."""
        if prm.finalNotify and prm.statusCode // 100 == 2:
            self.hangup(pjsua2.CallOpParam(True))

    def onCallTransferRequest(self, prm: Any) -> None:
        prm.newCall = self._account.keep(Call(self._account))

    def onCallReplaced(self, prm: Any) -> None:
        self._account.keep(Call(self._account, prm.newCallId))

    def heard(self) -> int:
        """RTP packets that came in; it is asked for while the call lasts."""
        try:
            return int(self.getStreamStat(0).rtcp.rxStat.pkt)
        except pjsua2.Error:
            return 0


class Buddy(pjsua2.Buddy):  # type: ignore[misc]  # pjsua2 ships no types
    """Somebody whose presence is watched."""

    def onBuddyState(self) -> None:
        status = self.getInfo().presStatus.status
        basic = {pjsua2.PJSUA_BUDDY_STATUS_ONLINE: "open", pjsua2.PJSUA_BUDDY_STATUS_OFFLINE: "closed"}
        tell("PRESENCE", basic.get(status, "unknown"))


class Account(pjsua2.Account):  # type: ignore[misc]  # pjsua2 ships no types
    """The one account."""

    calls: list[Call]
    watched: list[Buddy]
    tone: pjsua2.ToneGenerator
    recordings: str
    """How the files begin that hold what was heard."""

    def keep(self, call: Call) -> Call:
        """A call lives as long as its Python object."""
        self.calls.append(call)
        return call

    def onRegState(self, prm: Any) -> None:
        tell("REGISTERED" if prm.code // 100 == 2 and prm.expiration else "REFUSED", str(prm.code))

    def onMwiInfo(self, prm: Any) -> None:
        tell("LAMP", "on" if "Messages-Waiting: yes" in prm.rdata.wholeMsg else "off")

    def onIncomingCall(self, prm: Any) -> None:
        call = self.keep(Call(self, prm.callId))
        if any(asked in prm.rdata.wholeMsg for asked in AT_ONCE):
            call.answer(_status(200))
        else:
            call.answer(_status(180))
        tell("INCOMING")


def _status(code: int) -> Any:
    prm = pjsua2.CallOpParam()
    prm.statusCode = code
    return prm


def _unhold() -> Any:
    prm = pjsua2.CallOpParam(True)
    prm.opt.flag = pjsua2.PJSUA_CALL_UNHOLD
    return prm


def carry_out(account: Account, verb: str, arguments: list[str]) -> None:
    """One command."""
    calls = account.calls
    if verb == "call":
        # The call speaks before makeCall has returned.
        account.keep(Call(account)).makeCall(arguments[0], pjsua2.CallOpParam(True))
    elif verb == "answer":
        calls[-1].answer(_status(200))
    elif verb == "refuse":
        calls[-1].answer(_status(int(arguments[0])))
    elif verb == "hang_up":
        calls[-1].hangup(pjsua2.CallOpParam(True))
    elif verb == "hold":
        calls[-1].setHold(pjsua2.CallOpParam(True))
    elif verb == "resume":
        calls[-1].reinvite(_unhold())
    elif verb == "transfer":
        calls[-1].xfer(arguments[0], pjsua2.CallOpParam(True))
    elif verb == "press":
        calls[-1].dialDtmf(arguments[0])
    elif verb == "watch":
        wanted = pjsua2.BuddyConfig()
        wanted.uri, wanted.subscribe = arguments[0], True
        account.watched.append(Buddy())
        account.watched[-1].create(account, wanted)
    elif verb == "say":
        status = pjsua2.PresenceStatus()
        basic, status.note = arguments
        online, offline = pjsua2.PJSUA_BUDDY_STATUS_ONLINE, pjsua2.PJSUA_BUDDY_STATUS_OFFLINE
        status.status = online if basic == "open" else offline
        account.setOnlineStatus(status)
    elif verb == "join":
        calls[0].xferReplaces(calls[-1], pjsua2.CallOpParam(True))
    else:
        raise ValueError(f"there is no verb {verb}")


class Log(pjsua2.LogWriter):  # type: ignore[misc]  # pjsua2 ships no types
    """Writes at once; the library's own file is written in blocks."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._file = Path(path).open("a", encoding="utf-8", buffering=1, newline="")  # noqa: SIM115  open as long as the process

    def write(self, entry: Any) -> None:
        self._file.write(entry.msg if entry.msg.endswith("\n") else entry.msg + "\n")


def start(endpoint: pjsua2.Endpoint, settings: dict[str, str], log: Log) -> Account:
    """One transport on loopback, no sound card, one account."""
    config = pjsua2.EpConfig()
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.logConfig.level, config.logConfig.consoleLevel = 4, 4
    config.logConfig.writer = log
    config.medConfig.threadCnt = 1
    endpoint.libCreate()
    endpoint.libInit(config)
    # With the wheel's OpenSSL 1.0.2 no digest is known, MD5 neither, before something of TLS was asked for.
    endpoint.utilSslGetAvailableCiphers()
    transport = pjsua2.TransportConfig()
    transport.boundAddress = "127.0.0.1"
    kinds = {
        "udp": pjsua2.PJSIP_TRANSPORT_UDP,
        "tcp": pjsua2.PJSIP_TRANSPORT_TCP,
        "tls": pjsua2.PJSIP_TRANSPORT_TLS,
    }
    if settings["transport"] == "tls":
        transport.tlsConfig.CaListFile = settings["authority"]
        transport.tlsConfig.verifyServer = True
        transport.tlsConfig.method = pjsua2.PJSIP_TLSV1_2_METHOD
    endpoint.transportCreate(kinds[settings["transport"]], transport)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    wanted = pjsua2.AccountConfig()
    wanted.idUri = f"sip:{settings['username']}@{settings['domain']}"
    wanted.regConfig.registrarUri = f"sip:{settings['domain']};transport={settings['transport']}"
    wanted.regConfig.timeoutSec = SHORTEST_REGISTRATION
    wanted.regConfig.retryIntervalSec, wanted.regConfig.firstRetryIntervalSec = 2, 1
    wanted.sipConfig.proxies.append(f"<sip:{settings['registrar']};transport={settings['transport']};lr>")
    login = pjsua2.AuthCredInfo("digest", "*", settings["auth_username"], 0, settings["password"])
    wanted.sipConfig.authCreds.append(login)
    wanted.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
    if settings["srtp"] == "mandatory":
        wanted.mediaConfig.srtpUse = pjsua2.PJMEDIA_SRTP_MANDATORY
        wanted.mediaConfig.srtpSecureSignaling = 0
    wanted.mwiConfig.enabled = True
    wanted.presConfig.publishEnabled = bool(settings["publishes"])
    account = Account()
    account.calls, account.watched, account.recordings = [], [], settings["recordings"]
    account.tone = pjsua2.ToneGenerator()
    account.tone.createToneGenerator(8000, 1)
    tone = pjsua2.ToneDesc()
    tone.freq1, tone.on_msec, tone.off_msec = int(settings["tone_hz"]), 1000, 0
    tones = pjsua2.ToneDescVector()
    tones.append(tone)
    account.tone.play(tones, True)
    account.create(wanted)
    return account


def main() -> None:
    """Until standard input ends."""
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    endpoint = pjsua2.Endpoint()
    log = Log(settings["log"])
    account = start(endpoint, settings, log)
    buffer, heard = b"", set()
    while True:
        endpoint.libHandleEvents(10)
        for call in account.calls:
            if call.getId() not in heard and call.heard() >= int(settings["packets"]):
                heard.add(call.getId())
                tell("HEARD")
        heard &= {call.getId() for call in account.calls}
        if not select.select([0], [], [], 0)[0]:
            continue
        data = os.read(0, 65536)
        if not data:
            break
        *lines, buffer = (buffer + data).split(b"\n")
        for line in lines:
            verb, *arguments = json.loads(line)
            try:
                carry_out(account, verb, arguments)
            except (pjsua2.Error, IndexError) as error:
                tell("FAILED", f"{verb}: {getattr(error, 'reason', error)}")
    # Answers to its last words are not waited for; Python would take its objects apart in the wrong order.
    endpoint.libDestroy(pjsua2.PJSUA_DESTROY_NO_RX_MSG)
    os._exit(0)


if __name__ == "__main__":
    assert threading.current_thread() is threading.main_thread()
    main()
