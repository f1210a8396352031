/** Moments and durations as people read them. */

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** How long ago `at` was at `now` (milliseconds of the epoch); the last minute is “just now”. */
export function agoText(at: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(at)) / 1000);
  for (const [unit, length] of STEPS) {
    if (seconds >= length) return relative.format(-Math.floor(seconds / length), unit);
  }
  return "just now";
}

/** `23 Nov 2026, 16:04:10` in a time zone; an unknown one gives UTC. */
export function momentText(at: string, timeZone: string): string {
  const style: Intl.DateTimeFormatOptions = { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" };
  try {
    return new Intl.DateTimeFormat("en-GB", { ...style, timeZone }).format(new Date(at));
  } catch {
    return utcText(at);
  }
}

export function utcText(at: string): string {
  return `${new Date(at).toISOString().replace("T", " ").slice(0, 19)} UTC`;
}

/** `1:02:03`, `2:03` or `0:07`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** The moment at which clocks in a time zone show `2026-11-26T09:30`; what a change of clocks leaves out is an hour later. */
export function instantAt(local: string, timeZone: string): string {
  const shown = Date.parse(`${local.slice(0, 16)}:00Z`);
  const first = shown - aheadOfUtc(shown, timeZone);
  return new Date(shown - aheadOfUtc(first, timeZone)).toISOString();
}

/** What clocks in a time zone show at a moment (milliseconds of the epoch), as a datetime-local input has it. */
export function localAt(at: number, timeZone: string): string {
  return new Date(at + aheadOfUtc(at, timeZone)).toISOString().slice(0, 16);
}

/** How far clocks in a time zone are ahead of UTC at a moment, in milliseconds. */
function aheadOfUtc(at: number, timeZone: string): number {
  const style: Intl.DateTimeFormatOptions = {
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    hourCycle: "h23",
  };
  const parts = new Intl.DateTimeFormat("en-GB", { ...style, timeZone }).formatToParts(new Date(at));
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value ?? 0);
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute")) - Math.floor(at / 60_000) * 60_000;
}

/** The beginning of the day that a moment (milliseconds of the epoch) belongs to in a time zone, so many days later. */
export function dayBegin(at: number, timeZone: string, days = 0): string {
  const shown = new Date(at + aheadOfUtc(at, timeZone));
  const day = new Date(Date.UTC(shown.getUTCFullYear(), shown.getUTCMonth(), shown.getUTCDate() + days));
  return instantAt(`${day.toISOString().slice(0, 10)}T00:00`, timeZone);
}

export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
