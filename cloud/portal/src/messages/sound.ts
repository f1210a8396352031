/** How sounds are written and drawn. */

/** Of a waveform, when nothing is known of how loud the sound is. */
const BARS = 96;

/** How loud each stretch is, from 0 to 1; a flat line where that is not known. */
export function barsOf(peaks: number[] | null): number[] {
  return peaks ?? new Array<number>(BARS).fill(0);
}

/** Minutes and seconds, with the hours where there are any. */
export function lengthText(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
