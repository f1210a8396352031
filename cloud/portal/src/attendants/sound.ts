/** Sound files as edges play them: whatever the browser can decode becomes WAV of 8 kHz, one channel, 16 bits. */

const RATE = 8000;
const LONGEST_SECONDS = 600;

export async function asTelephoneWav(file: File): Promise<File> {
  const context = new OfflineAudioContext(1, 1, RATE);
  let sound: AudioBuffer;
  try {
    sound = await context.decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new Error(`${file.name} is no sound file that this browser can read; WAV and MP3 are`);
  }
  if (sound.duration > LONGEST_SECONDS) throw new Error(`${file.name} is longer than ${LONGEST_SECONDS / 60} minutes`);
  const one = new OfflineAudioContext(1, Math.max(1, Math.ceil(sound.duration * RATE)), RATE);
  const source = one.createBufferSource();
  source.buffer = sound;
  source.connect(one.destination);
  source.start();
  const mixed = (await one.startRendering()).getChannelData(0);
  return new File([wavOf(mixed)], file.name.replace(/\.[^.]*$/, "") + ".wav", { type: "audio/wav" });
}

/** A WAV file of samples between -1 and 1. */
export function wavOf(samples: Float32Array): ArrayBuffer {
  const made = new ArrayBuffer(44 + samples.length * 2);
  const view = new DataView(made);
  const text = (at: number, words: string) => [...words].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + samples.length * 2, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, at) => view.setInt16(44 + at * 2, Math.round(Math.max(-1, Math.min(1, sample)) * 32767), true));
  return made;
}
