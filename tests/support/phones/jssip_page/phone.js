// JsSIP as a phone: what the driver calls is on `window.phone`, what happened is taken from there.
import JsSIP from 'jssip';

// A new one for each call: JsSIP writes its own headers into it.
const media = () => ({
  mediaConstraints: { audio: true, video: false },
  pcConfig: { iceServers: [] },
});
const seen = [];
const sessions = [];
const heard = new WeakSet();
const replacing = new WeakSet();
const played = new WeakMap();
const listened = new WeakMap();
let ua;

const tell = (what, detail = '') => seen.push([what, String(detail)]);
const current = () => sessions[sessions.length - 1];

function over(session) {
  const at = sessions.indexOf(session);
  if (at >= 0) sessions.splice(at, 1);
}

function follow(session) {
  sessions.push(session);
  session.on('progress', (e) => {
    if (e.originator === 'remote') tell('RINGING');
  });
  session.on('confirmed', () => tell('ANSWERED'));
  session.on('ended', () => {
    over(session);
    tell('CLOSED');
  });
  session.on('failed', (e) => {
    over(session);
    tell('CLOSED', e.message && e.message.status_code ? e.message.status_code : '487');
  });
  session.on('hold', (e) => {
    if (e.originator === 'remote') tell('HELD');
  });
  session.on('unhold', (e) => {
    if (e.originator === 'remote') tell('RESUMED');
  });
  session.on('sdp', (e) => {
    // Audio stays on this machine's loopback.
    if (e.originator === 'local') e.sdp = e.sdp.replace(/a=candidate:(?!.* 127\.0\.0\.1 ).*\r\n/g, '');
    tell(e.type === 'offer' ? 'OFFER' : 'ANSWER', e.sdp);
  });
  session.on('refer', (e) => e.accept(follow, media()));
  // The new session is followed as every incoming one is; the old one JsSIP ends itself (RFC 3891 §3).
  session.on('replaces', (e) =>
    e.accept((instead) => {
      replacing.add(instead);
      setTimeout(() => instead.answer(media()));
    }),
  );
}

function refer(session, target, options = {}) {
  session.refer(target, { ...options, eventHandlers: { accepted: () => session.terminate() } });
}

window.phone = {
  start({ url, uri, user, password }) {
    ua = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(url)],
      uri,
      authorization_user: user,
      password,
      register_expires: 60,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 2,
    });
    ua.on('newRTCSession', ({ originator, session }) => {
      if (originator !== 'remote') return;
      follow(session);
      if (!replacing.has(session)) tell('INCOMING');
    });
    ua.start();
  },
  stop: () => ua.stop(),
  call: (target) => follow(ua.call(target, media())),
  answer: () => current().answer(media()),
  refuse: (status) => current().terminate({ status_code: status }),
  hang_up: () => current().terminate(),
  press: (digits) => current().sendDTMF(digits, { transportType: JsSIP.C.DTMF_TRANSPORT.RFC2833 }),
  // Of what came by the call of this moment: the energy that the browser adds up, 1 for a second of full loudness.
  async energy() {
    const { connection } = current();
    if (!played.has(connection)) {
      // It is added up only while somebody listens.
      const sink = new Audio();
      sink.srcObject = new MediaStream(connection.getReceivers().map(({ track }) => track));
      sink.play();
      played.set(connection, sink);
    }
    for (const report of (await connection.getStats()).values()) {
      if (report.type === 'inbound-rtp') return report.totalAudioEnergy || 0;
    }
    return 0;
  },
  // The loudest frequency in what comes by the call of this moment; 0: silence.
  pitch() {
    const { connection } = current();
    if (!listened.has(connection)) {
      const stream = new MediaStream(connection.getReceivers().map(({ track }) => track));
      // A remote stream flows into Web Audio only while an element plays it.
      const element = new Audio();
      element.muted = true;
      element.srcObject = stream;
      element.play();
      const context = new AudioContext({ sampleRate: 48000 });
      const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
      const source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
      source.connect(analyser);
      listened.set(connection, { element, source, analyser, rate: context.sampleRate });
    }
    const { analyser, rate } = listened.get(connection);
    const levels = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(levels);
    const loudest = levels.indexOf(Math.max(...levels));
    return levels[loudest] < -50 ? 0 : (loudest * rate) / analyser.fftSize;
  },
  hold: () => current().hold(),
  resume: () => current().unhold(),
  transfer: (target) => refer(current(), target),
  join: () => refer(sessions[0], current().remote_identity.uri, { replaces: current() }),
  async take() {
    for (const session of sessions) {
      if (heard.has(session) || !session.connection) continue;
      for (const report of (await session.connection.getStats()).values()) {
        if (report.type === 'inbound-rtp' && report.packetsReceived > 0) {
          heard.add(session);
          tell('HEARD');
          break;
        }
      }
    }
    return seen.splice(0);
  },
};
