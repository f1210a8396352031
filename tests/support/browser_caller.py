"""A page in Debian's Chromium that calls by WebRTC: it says one tone, and tells which one it hears.

It has no SIP: the test carries its offer to whom it calls, and the answer back. Candidates are those of the loopback
interface.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Page, async_playwright

from tests.support.phones.jssip import CHROMIUM, FLAGS

_ADDRESS: Final = "https://phone.test/"
_SCRIPT: Final = """
window.call = {
  async offer(hertz, codec) {
    this.context = new AudioContext({ sampleRate: 48000 });
    const tone = new OscillatorNode(this.context, { frequency: hertz });
    const said = new MediaStreamAudioDestinationNode(this.context);
    tone.connect(new GainNode(this.context, { gain: 0.3 })).connect(said);
    tone.start();
    this.peer = new RTCPeerConnection();
    const sender = this.peer.addTransceiver(said.stream.getAudioTracks()[0], { direction: 'sendrecv' });
    const known = RTCRtpReceiver.getCapabilities('audio').codecs;
    const first = known.filter((each) => each.mimeType.toLowerCase() === 'audio/' + codec.toLowerCase());
    sender.setCodecPreferences([...first, ...known.filter((each) => /telephone/.test(each.mimeType))]);
    this.peer.ontrack = ({ track }) => {
      const stream = new MediaStream([track]);
      // A remote stream flows into Web Audio only while an element plays it.
      this.element = new Audio();
      this.element.muted = true;
      this.element.srcObject = stream;
      this.element.play();
      this.analyser = new AnalyserNode(this.context, { fftSize: 8192, smoothingTimeConstant: 0 });
      new MediaStreamAudioSourceNode(this.context, { mediaStream: stream }).connect(this.analyser);
    };
    await this.peer.setLocalDescription(await this.peer.createOffer());
    await new Promise((done) => {
      const check = () => this.peer.iceGatheringState === 'complete' && done();
      this.peer.onicegatheringstatechange = check;
      check();
    });
    return this.peer.localDescription.sdp;
  },
  async answered(sdp) {
    await this.peer.setRemoteDescription({ type: 'answer', sdp });
  },
  heard() {
    if (!this.analyser) return 0;
    const levels = new Float32Array(this.analyser.frequencyBinCount);
    this.analyser.getFloatFrequencyData(levels);
    const loudest = levels.indexOf(Math.max(...levels));
    return levels[loudest] < -50 ? 0 : (loudest * this.context.sampleRate) / this.analyser.fftSize;
  },
  async stats(kind) {
    const found = [...(await this.peer.getStats()).values()].filter((each) => each.type === kind);
    return JSON.stringify(found[0] || {});
  },
  async restart() {
    await this.peer.setLocalDescription(await this.peer.createOffer({ iceRestart: true }));
    return this.peer.localDescription.sdp;
  },
  press(digit) {
    this.peer.getSenders()[0].dtmf.insertDTMF(digit, 120);
  },
  state() {
    return this.peer.connectionState;
  },
};
"""


class BrowserCaller:
    """One page with one call."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def offer(self, hertz: int, codec: str) -> bytes:
        """The page's offer, with its candidates; it is going to say a tone of so many hertz by this codec."""
        return str(await self._page.evaluate("([hertz, codec]) => call.offer(hertz, codec)", [hertz, codec])).encode()

    async def answered(self, description: bytes) -> None:
        """What was answered to it."""
        await self._page.evaluate("(sdp) => call.answered(sdp)", description.decode())

    async def heard_hz(self) -> float:
        """The loudest frequency that it hears; 0: silence."""
        return float(await self._page.evaluate("call.heard()"))

    async def stats(self, kind: str) -> dict[str, object]:
        """The browser's own figures of one kind."""
        found: dict[str, object] = json.loads(await self._page.evaluate("(kind) => call.stats(kind)", kind))
        return found

    async def restart(self) -> bytes:
        """An offer that begins the checks anew (RFC 8445 §9)."""
        return str(await self._page.evaluate("call.restart()")).encode()

    async def press(self, digit: str) -> None:
        """Press a key."""
        await self._page.evaluate("(digit) => call.press(digit)", digit)

    async def state(self) -> str:
        """`connected`, and so on."""
        return str(await self._page.evaluate("call.state()"))


@asynccontextmanager
async def browser_caller() -> AsyncIterator[BrowserCaller]:
    """Chromium with the page."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            page = await browser.new_page()
            await page.route(_ADDRESS, lambda route: route.fulfill(content_type="text/html", body="<!doctype html>"))
            await page.goto(_ADDRESS)
            await page.add_script_tag(content=_SCRIPT)
            yield BrowserCaller(page)
        finally:
            await browser.close()
