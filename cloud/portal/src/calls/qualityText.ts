/** The quality of a call in words. */
import type { CallQuality } from "../api/types";
import type { Tone } from "../shell/State";

const WORDS: Record<NonNullable<CallQuality["word"]>, { tone: Tone; label: string }> = {
  good: { tone: "good", label: "Good" },
  fair: { tone: "waiting", label: "Fair" },
  poor: { tone: "bad", label: "Poor" },
};

const SOURCES: Record<CallQuality["source"], string> = {
  engine: "as the voice services heard it",
  relay: "as it passed the relay",
  phone: "as a phone heard it",
};

export function qualityState(told: Pick<CallQuality, "word" | "packets">): { tone: Tone; label: string } {
  if (told.word) return WORDS[told.word];
  return told.packets === 0 ? { tone: "bad", label: "Silent" } : { tone: "idle", label: "Not rated" };
}

/** Whose voice it is about, and who listened. */
export function whoseOf(told: Pick<CallQuality, "heard" | "source">): string {
  const whose = told.heard === null ? "The other side" : told.heard === "caller" ? "The caller" : "Who was called";
  return `${whose}, ${SOURCES[told.source]}`;
}

type Figures = Pick<
  CallQuality,
  "mos" | "lost_percent" | "late_percent" | "jitter_ms" | "round_trip_ms" | "packets" | "codec"
>;

/** What was measured; what was not is left out. */
export function figuresOf(told: Figures): string {
  const parts = [
    told.mos === null ? "" : `MOS ${told.mos.toFixed(1)}`,
    told.lost_percent === null ? "" : `${shortened(told.lost_percent)} % lost`,
    told.late_percent ? `${shortened(told.late_percent)} % late` : "",
    told.jitter_ms === null ? "" : `jitter ${shortened(told.jitter_ms)} ms`,
    told.round_trip_ms === null ? "" : `round trip ${Math.round(told.round_trip_ms)} ms`,
    told.packets === null ? "" : `${told.packets} packets`,
    told.codec,
  ];
  return parts.filter(Boolean).join(" · ");
}

function shortened(value: number): string {
  return value.toFixed(1).replace(/\.0$/, "");
}
