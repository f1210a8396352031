/** How far a phone of a rollout is, in words, and as parts of a bar. */
import type { RingProgress, RolloutPhone } from "../api/types";
import type { Tone } from "../shell/State";

type PhoneState = RolloutPhone["state"];

export const STATES: Record<PhoneState, { tone: Tone; label: string; color: string }> = {
  running: { tone: "good", label: "Run it", color: "green" },
  fetched: { tone: "waiting", label: "Have fetched it", color: "teal" },
  told: { tone: "waiting", label: "Were told", color: "blue" },
  waiting: { tone: "waiting", label: "Wait to be told", color: "yellow" },
  no_files: { tone: "waiting", label: "Wait for their edge to have the files", color: "orange" },
  later: { tone: "idle", label: "Come later", color: "gray.5" },
  failed: { tone: "bad", label: "Failed", color: "red" },
};

export interface Part {
  state: PhoneState;
  count: number;
  /** Of the whole, in percent. */
  percent: number;
}

/** The parts of a ring's bar: what nobody is at is left out. */
export function partsOf(ring: RingProgress): Part[] {
  if (ring.total === 0) return [];
  return (Object.keys(STATES) as PhoneState[])
    .map((state) => ({ state, count: ring.counts[state] ?? 0 }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => ({ state, count, percent: (100 * count) / ring.total }));
}

/** What one phone does, and what several do. */
const OTHERS: Partial<Record<PhoneState, [string, string]>> = {
  fetched: ["has fetched it", "have fetched it"],
  told: ["was told", "were told"],
  waiting: ["waits to be told", "wait to be told"],
  no_files: ["waits for its edge to have the files", "wait for their edge to have the files"],
  failed: ["failed", "failed"],
};

/** Such as “3 of 12 run it, 1 failed”. */
export function sumText(ring: RingProgress): string {
  if (ring.total === 0) return "No phones";
  const others = (Object.entries(OTHERS) as [PhoneState, [string, string]][])
    .filter(([state]) => ring.counts[state])
    .map(([state, [one, several]]) => `, ${ring.counts[state]} ${ring.counts[state] === 1 ? one : several}`);
  return `${ring.counts.running ?? 0} of ${ring.total} run it${others.join("")}`;
}

const UNITS = ["bytes", "KiB", "MiB", "GiB"];

/** A size as people read it. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
