/** Calls in words. */
import type { CallRecord } from "../api/types";
import type { Tone } from "../shell/State";

const DISPOSITIONS: Record<string, { tone: Tone; label: string }> = {
  answered: { tone: "good", label: "Answered" },
  busy: { tone: "waiting", label: "Busy" },
  no_answer: { tone: "waiting", label: "No answer" },
  cancelled: { tone: "idle", label: "Cancelled" },
  failed: { tone: "bad", label: "Failed" },
};

export function dispositionOf(call: Pick<CallRecord, "disposition">): { tone: Tone; label: string } {
  const plain = call.disposition.replace(/[ -]/g, "_").toLowerCase();
  return DISPOSITIONS[plain] ?? { tone: "idle", label: call.disposition };
}

/** Seconds of conversation; null when nobody answered. */
export function talkSeconds(call: Pick<CallRecord, "answered_at" | "ended_at">): number | null {
  return call.answered_at === null ? null : (Date.parse(call.ended_at) - Date.parse(call.answered_at)) / 1000;
}
